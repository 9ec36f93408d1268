import { z } from "zod";
import { isoTime, seconds } from "../base/clock.ts";
import { AlertSettings, type SourceSecrets } from "../model/source-settings.ts";
import { readOptionalBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { callerOf, type Endpoint } from "./endpoint.ts";
import { refuse, refuseInput } from "./problem.ts";
import { openSourceSecrets } from "./source-draft.ts";
import { ChosenSecret, type SourceDraft } from "./source-input.ts";
import { setupOf } from "./source-setup.ts";
import { RotatedSource } from "./source-view.ts";
import { findSource, sourceCommon, writeSource } from "./sources.ts";

/** A replaced secret is taken beside its successor for a day unless asked otherwise, and at most this long. */
const DEFAULT_OVERLAP_SECONDS = 86_400;
const MAX_OVERLAP_SECONDS = 2_592_000;

export const Rotation = z
  .strictObject({
    secret: ChosenSecret.optional(),
    which: z
      .enum(["all", "secret", "path_secret"], { error: "Expected all, secret or path_secret" })
      .default("all")
      .meta({
        description: "`all` means the path's too, where the source has one",
      }),
    previous_secret_ttl_seconds: z
      .int({ error: "Expected whole seconds" })
      .min(0, "Expected at least 0")
      .max(MAX_OVERLAP_SECONDS, `Expected at most ${MAX_OVERLAP_SECONDS} seconds`)
      .default(DEFAULT_OVERLAP_SECONDS)
      .meta({ description: "How long the old secrets are taken as well; 0 ends them at once" }),
  })
  .meta({ id: "SourceRotation" });
type Rotation = z.infer<typeof Rotation>;

export function sourceRotateEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      ...sourceCommon,
      method: "post",
      path: "/v1/sources/{id}/rotate",
      summary: "Replace the secrets of a source",
      description:
        "The new ones are shown this once. The credentials of a polled source are changed by `PATCH`.",
      body: {
        content: {
          "application/json": { schema: Rotation, example: { previous_secret_ttl_seconds: 3_600 } },
        },
        isOptional: true,
      },
      answers: { 200: { schema: RotatedSource, description: "The new secrets, and a sheet that has them" } },
      refusals: ["conflict"],
      handle: (c) => rotate(c, deps),
    },
  ];
}

async function rotate(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const first = await findSource(c, deps);
  if (first.kind !== "splunk_alert") {
    refuse("conflict", "This source has no secret of its own. Change token or password with PATCH.");
  }
  const wanted = (await readOptionalBody(c, Rotation)) ?? Rotation.parse({});
  const hasPath = AlertSettings.parse(first.config).allow_path_secret;
  if (wanted.which === "path_secret" && (!hasPath || wanted.secret !== undefined)) {
    const message = hasPath
      ? "Expected none: the path's secret is made"
      : "Expected secret: the source takes none in the path";
    refuseInput([{ path: hasPath ? "secret" : "which", message }]);
  }
  const until = deps.now() + seconds(wanted.previous_secret_ttl_seconds);
  const { after, draft } = await writeSource(
    first,
    deps,
    async (present): Promise<SourceDraft> => ({
      ...present,
      secrets: renewed(await openSourceSecrets(present, deps), wanted, { hasPath, until, deps }),
    }),
  );
  await deps.record({
    tenantId,
    actorId: keyId,
    action: "source.rotate",
    resourceType: "source",
    resourceId: after.id,
    metadata: { which: wanted.which, previous_secret_ttl_seconds: wanted.previous_secret_ttl_seconds },
  });
  return c.json(
    viewRotated(after.id, draft.secrets, {
      wanted,
      until,
      setup: (shown) => setupOf(after, deps.publicUrl, shown),
    }),
  );
}

/** What was there before the secret that is replaced now is taken no more. */
function renewed(
  held: SourceSecrets,
  wanted: Rotation,
  { hasPath, until, deps }: { readonly hasPath: boolean; readonly until: number; readonly deps: ApiDeps },
): SourceSecrets {
  const header =
    wanted.which === "path_secret"
      ? {}
      : {
          secret: wanted.secret ?? deps.mintSourceSecret(),
          previous_secret: held.secret,
          previous_secret_expires_at: until,
        };
  const path =
    wanted.which === "secret" || !hasPath
      ? {}
      : {
          path_secret: deps.mintSourceSecret(),
          previous_path_secret: held.path_secret,
          previous_path_secret_expires_at: until,
        };
  return { ...held, ...header, ...path };
}

function viewRotated(
  id: string,
  secrets: SourceSecrets,
  {
    wanted,
    until,
    setup,
  }: {
    readonly wanted: Rotation;
    readonly until: number;
    readonly setup: (shown: {
      secret?: string | undefined;
      pathSecret?: string | undefined;
    }) => z.input<typeof RotatedSource>["setup"];
  },
): z.input<typeof RotatedSource> {
  const secret = wanted.which === "path_secret" ? undefined : secrets.secret;
  const pathSecret = wanted.which === "secret" ? undefined : secrets.path_secret;
  return {
    id,
    ...(secret === undefined ? {} : { secret }),
    ...(pathSecret === undefined ? {} : { path_secret: pathSecret }),
    previous_secret_expires_at: isoTime(until),
    setup: setup({ secret, pathSecret }),
  };
}
