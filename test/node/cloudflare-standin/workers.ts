/**
 * Workers: upload, versions, deployments, secrets, schedules and the workers.dev name. The answers carry the
 * fields that wrangler 4.156 reads, found by reading its source and by running it against this server.
 *
 * @see https://developers.cloudflare.com/api/resources/workers/ (read 2026-11)
 */
import { z } from "zod";
import { type Account, liveVersion, type Script } from "./account.ts";
import { ok, Refusal } from "./answers.ts";
import type { Route } from "./route.ts";
import { ASSETS_UPLOADED, deployVersion, putSecret, uploadScript, uploadVersion } from "./upload.ts";

const SubdomainName = z.strictObject({ subdomain: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/) });
const ScriptSubdomain = z.object({ enabled: z.boolean(), previews_enabled: z.boolean().optional() });
const Schedules = z.array(z.object({ cron: z.string().min(9) }));
const ScriptSettings = z.object({
  observability: z.unknown().optional(),
  tags: z.array(z.string()).optional(),
});
const Secret = z.object({ name: z.string(), text: z.string().min(1), type: z.literal("secret_text") });
const AssetManifest = z.object({
  manifest: z.record(z.string().startsWith("/"), z.object({ hash: z.string().length(32), size: z.int() })),
});
const Deployment = z.object({
  strategy: z.literal("percentage"),
  versions: z.array(z.object({ version_id: z.string(), percentage: z.literal(100) })).length(1),
});

export const workerRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/workers/subdomain",
    answer: ({ account }) => {
      if (account.workersDevSubdomain === null) {
        throw new Refusal(404, 10007, "There is no workers.dev subdomain associated with this account");
      }
      return ok({ subdomain: account.workersDevSubdomain });
    },
  },
  {
    method: "PUT",
    path: "/workers/subdomain",
    answer: ({ account, json }) => {
      const { subdomain } = SubdomainName.parse(json());
      account.workersDevSubdomain = subdomain;
      return ok({ subdomain });
    },
  },
  {
    method: "GET",
    path: "/workers/services/:name",
    answer: ({ account, parts }) => {
      const script = find(account, parts["name"]);
      const { name, tag, tags, migrationTag } = script;
      const shown = { tag, tags, migration_tag: migrationTag, last_deployed_from: "wrangler" };
      return ok({ id: name, default_environment: { environment: "production", script: shown } });
    },
  },
  {
    method: "GET",
    path: "/workers/workers/:name",
    answer: ({ account, parts }) => {
      const { name, subdomain } = find(account, parts["name"]);
      return ok({ id: name, name, subdomain });
    },
  },
  {
    method: "PUT",
    path: "/workers/scripts/:name",
    answer: async ({ account, parts, form }) =>
      ok(await uploadScript(account, parts["name"] ?? "", await form())),
  },
  {
    method: "POST",
    path: "/workers/scripts/:name/versions",
    answer: async ({ account, parts, form }) =>
      ok(await uploadVersion(account, find(account, parts["name"]), await form())),
  },
  {
    method: "POST",
    path: "/workers/scripts/:name/assets-upload-session",
    answer: ({ json }) => {
      // Files are stored by content, so an account may have them all; the stand-in always says that it does.
      AssetManifest.parse(json());
      return ok({ jwt: ASSETS_UPLOADED, buckets: [] });
    },
  },
  {
    method: "GET",
    path: "/workers/scripts/:name/deployments",
    answer: ({ account, parts }) => {
      const script = find(account, parts["name"]);
      return ok({ deployments: script.deployments.map(shownDeployment).reverse() });
    },
  },
  {
    method: "POST",
    path: "/workers/scripts/:name/deployments",
    answer: ({ account, parts, json }) => {
      const script = find(account, parts["name"]);
      const wanted = Deployment.parse(json()).versions[0]?.version_id ?? "";
      return ok(shownDeployment(deployVersion(script, wanted)));
    },
  },
  {
    method: "GET",
    path: "/workers/scripts/:name/secrets",
    answer: ({ account, parts }) => {
      const bindings = liveVersion(find(account, parts["name"]))?.bindings ?? [];
      const secrets = bindings.filter((binding) => binding.type === "secret_text");
      return ok(secrets.map(({ name, type }) => ({ name, type })));
    },
  },
  {
    method: "PUT",
    path: "/workers/scripts/:name/secrets",
    answer: ({ account, parts, json }) => {
      putSecret(find(account, parts["name"]), Secret.parse(json()));
      return ok({});
    },
  },
  {
    method: "PATCH",
    path: "/workers/scripts/:name/script-settings",
    answer: ({ account, parts, json }) => {
      const script = find(account, parts["name"]);
      const wanted = ScriptSettings.parse(json());
      script.observability = wanted.observability ?? script.observability;
      script.tags = wanted.tags ?? script.tags;
      return ok({ observability: script.observability, tags: script.tags });
    },
  },
  {
    method: "POST",
    path: "/workers/scripts/:name/subdomain",
    answer: ({ account, parts, json }) => {
      const script = find(account, parts["name"]);
      const wanted = ScriptSubdomain.parse(json());
      if (wanted.enabled && account.workersDevSubdomain === null) {
        throw new Refusal(400, 10063, "Register a workers.dev subdomain before publishing to it");
      }
      script.subdomain = { enabled: wanted.enabled, previews_enabled: wanted.previews_enabled ?? false };
      return ok(script.subdomain);
    },
  },
  {
    method: "PUT",
    path: "/workers/scripts/:name/schedules",
    answer: ({ account, parts, json }) => {
      const script = find(account, parts["name"]);
      script.schedules = Schedules.parse(json()).map(({ cron }) => cron);
      return ok({ schedules: script.schedules.map((cron) => ({ cron })) });
    },
  },
];

function find(account: Account, name: string | undefined): Script {
  const script = account.scripts.get(name ?? "");
  if (script === undefined) {
    throw new Refusal(404, 10007, "This Worker does not exist on your account.");
  }
  return script;
}

function shownDeployment({ id, versionId }: { readonly id: string; readonly versionId: string }) {
  return {
    id,
    source: "wrangler",
    strategy: "percentage",
    author_email: "",
    created_on: "2026-11-01T00:00:00Z",
    versions: [{ version_id: versionId, percentage: 100 }],
  };
}
