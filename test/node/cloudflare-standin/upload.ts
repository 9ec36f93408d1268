/**
 * A script upload: the metadata part and the modules. As strict as the real one about what bindings point to,
 * because a binding to nothing is the mistake that a deployment tool is most likely to make.
 *
 * @see https://developers.cloudflare.com/workers/configuration/multipart-upload-metadata/ (read 2026-11)
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Account, type Binding, liveVersion, type Script, type Version } from "./account.ts";
import { Refusal } from "./answers.ts";

/** What an asset upload session ends with, and what the script upload must then present. */
export const ASSETS_UPLOADED = "every-asset-is-there";

const Metadata = z.object({
  main_module: z.string(),
  compatibility_date: z.iso.date(),
  compatibility_flags: z.array(z.string()).default([]),
  bindings: z.array(z.looseObject({ name: z.string(), type: z.string() })),
  keep_bindings: z.array(z.string()).default([]),
  observability: z.unknown().optional(),
  assets: z.object({ jwt: z.literal(ASSETS_UPLOADED) }).optional(),
  migrations: z
    .object({
      old_tag: z.string().optional(),
      new_tag: z.string(),
      steps: z.array(z.object({ new_sqlite_classes: z.array(z.string()).default([]) })),
    })
    .optional(),
});
type Metadata = z.infer<typeof Metadata>;

/** `PUT /workers/scripts/:name`: creates or replaces the Worker, and the new version is live at once. */
export async function uploadScript(account: Account, name: string, form: FormData) {
  const metadata = await metadataOf(form);
  const existing = account.scripts.get(name);
  const script = existing ?? newScript(name);
  const classes = new Set([...script.durableClasses, ...newClasses(script, metadata)]);
  const version = await checkedVersion(account, script, { metadata, form, classes });
  account.scripts.set(name, script);
  for (const added of classes) {
    script.durableClasses.add(added);
  }
  script.migrationTag = metadata.migrations?.new_tag ?? script.migrationTag;
  script.observability = metadata.observability;
  script.versions.push(version);
  deployVersion(script, version.id);
  return {
    id: name,
    etag: version.id,
    tag: script.tag,
    deployment_id: version.id.replaceAll("-", ""),
    startup_time_ms: 5,
  };
}

/** `POST /workers/scripts/:name/versions`: stored, but not live before a deployment names it. */
export async function uploadVersion(account: Account, script: Script, form: FormData) {
  const metadata = await metadataOf(form);
  if (metadata.migrations !== undefined) {
    throw new Refusal(400, 10211, "Durable Object migrations cannot be part of a version upload");
  }
  const version = await checkedVersion(account, script, { metadata, form, classes: script.durableClasses });
  script.versions.push(version);
  return {
    id: version.id,
    number: version.number,
    resources: { script: { etag: version.id } },
    startup_time_ms: 5,
  };
}

export function deployVersion(script: Script, versionId: string) {
  if (!script.versions.some(({ id }) => id === versionId)) {
    throw new Refusal(404, 10212, `The version ${versionId} does not exist`);
  }
  const deployment = { id: randomUUID(), versionId };
  script.deployments.push(deployment);
  return deployment;
}

/** A secret belongs to a version, so changing one makes a version, and that version is live at once. */
export function putSecret(script: Script, secret: Binding): void {
  const before = liveVersion(script);
  if (before === undefined) {
    throw new Refusal(404, 10007, "This Worker has no version to give a secret to.");
  }
  const others = before.bindings.filter(({ name }) => name !== secret.name);
  const version = {
    ...before,
    id: randomUUID(),
    number: script.versions.length + 1,
    bindings: [...others, secret],
  };
  script.versions.push(version);
  deployVersion(script, version.id);
}

async function metadataOf(form: FormData): Promise<Metadata> {
  const part = form.get("metadata");
  if (part === null) {
    throw new Refusal(400, 10021, "The upload has no metadata part");
  }
  return Metadata.parse(JSON.parse(typeof part === "string" ? part : await part.text()));
}

function newScript(name: string): Script {
  return {
    name,
    tag: randomUUID().replaceAll("-", ""),
    durableClasses: new Set(),
    versions: [],
    deployments: [],
    migrationTag: null,
    observability: undefined,
    tags: [],
    schedules: [],
    subdomain: { enabled: false, previews_enabled: false },
  };
}

function newClasses(script: Script, { migrations }: Metadata): string[] {
  if (migrations === undefined) {
    return [];
  }
  if ((migrations.old_tag ?? null) !== script.migrationTag) {
    throw new Refusal(412, 10079, `Migration tag precondition failed; current tag is ${script.migrationTag}`);
  }
  return migrations.steps.flatMap((step) => step.new_sqlite_classes);
}

interface Upload {
  readonly metadata: Metadata;
  readonly form: FormData;
  readonly classes: ReadonlySet<string>;
}

async function checkedVersion(
  account: Account,
  script: Script,
  { metadata, form, classes }: Upload,
): Promise<Version> {
  const main = form.get(metadata.main_module);
  if (main === null || typeof main === "string") {
    throw new Refusal(400, 10021, `The main module ${metadata.main_module} is not part of the upload`);
  }
  const code = await main.text();
  for (const name of classes) {
    if (!new RegExp(`\\b${name}\\b`).test(code)) {
      throw new Refusal(400, 10070, `The script does not export the Durable Object class ${name}`);
    }
  }
  const before = liveVersion(script)?.bindings ?? [];
  const bindings = metadata.bindings.map((binding) => resolved(account, binding, { before, classes }));
  const kept = before.filter(
    ({ name, type }) =>
      metadata.keep_bindings.includes(type) && !bindings.some((binding) => binding.name === name),
  );
  return {
    id: randomUUID(),
    number: script.versions.length + 1,
    bindings: [...bindings, ...kept],
    compatibilityDate: metadata.compatibility_date,
    compatibilityFlags: metadata.compatibility_flags,
    modules: [...form.keys()].filter((name) => name !== "metadata"),
  };
}

interface Known {
  readonly before: readonly Binding[];
  readonly classes: ReadonlySet<string>;
}

function resolved(account: Account, binding: Binding, { before, classes }: Known): Binding {
  const { name, type } = binding;
  switch (type) {
    case "plain_text":
    case "json":
    case "assets":
    case "ratelimit":
    case "analytics_engine":
    case "version_metadata":
      return binding; // these point to nothing that has to exist first
    case "secret_text":
      if (typeof binding["text"] !== "string" || binding["text"] === "") {
        throw new Refusal(400, 10021, `The secret ${name} has no text`);
      }
      return binding;
    case "inherit": {
      const inherited = before.find((candidate) => candidate.name === name);
      if (inherited === undefined) {
        throw new Refusal(400, 10057, `inherit binding '${name}' is invalid`);
      }
      return inherited;
    }
    case "d1":
      if (!account.databases.some(({ uuid }) => uuid === binding["id"])) {
        throw new Refusal(400, 10181, `binding ${name} refers to a D1 database that does not exist`);
      }
      return binding;
    case "queue":
      if (!account.queues.some((queue) => queue.queue_name === binding["queue_name"])) {
        throw new Refusal(400, 10181, `binding ${name} refers to a queue that does not exist`);
      }
      return binding;
    case "durable_object_namespace":
      if (!classes.has(String(binding["class_name"]))) {
        throw new Refusal(400, 10061, `binding ${name} refers to a Durable Object class without a migration`);
      }
      return binding;
    default:
      throw new Refusal(
        400,
        10021,
        `binding ${name} is of the type ${type}, which this stand-in does not know`,
      );
  }
}
