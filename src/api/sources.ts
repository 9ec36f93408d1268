import { z } from "zod";
import { seconds } from "../base/clock.ts";
import { ID_PREFIX, newId } from "../base/ids.ts";
import type { PollReport, Source } from "../model/source.ts";
import { readBody } from "./body.ts";
import { askAll } from "./bounded.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { callerOf, type Endpoint, pathId } from "./endpoint.ts";
import { nextCursor, PageQuery, pageRequest } from "./pagination.ts";
import { notFound, refuse } from "./problem.ts";
import { sourceChange, sourceFacts } from "./source-acts.ts";
import { draftNewSource, draftSourceChange, macsOf, sealSourceSecrets } from "./source-draft.ts";
import { kindOf, NewSource, type SourceDraft, secretsIn } from "./source-input.ts";
import { SetupSheet, setupOf } from "./source-setup.ts";
import { MadeSource, SourceView, viewSource } from "./source-view.ts";

/** Each may have a poller that works by itself. */
export const MAX_SOURCES = 500;
/** How long an answer waits for a poller; it finds out by itself otherwise. */
const POLLER_PATIENCE = seconds(5);

const AnyObject = z.record(z.string(), z.unknown(), { error: "Expected a JSON object" });

export const sourceAccess = { kind: "tenant", scope: "sources:write" } as const;
export const sourceCommon = { access: sourceAccess, tag: "Sources" } as const;

const EXAMPLE = {
  kind: "splunk_alert",
  name: "SOC Splunk",
  secret_header: "X-StackFlow-Secret",
  field_mapping: { short_description: "search_name", ci_identifier: "host" },
};
const ChangedSource = z
  .record(z.string(), z.unknown())
  .meta({ description: "Fields of `NewSource`; those that are not named stay as they are" });

/** The tenant's source, unless it was deleted. */
export async function findSource(c: ApiContext, deps: Pick<ApiDeps, "sources">): Promise<Source> {
  const found = await deps.sources.get(callerOf(c).tenantId, pathId(c, "source"));
  return found === null || found.deletedAt !== null ? notFound("source") : found;
}

export function sourceEndpoints(deps: ApiDeps): readonly Endpoint[] {
  const changed = { content: { "application/json": { schema: ChangedSource, example: { name: "Splunk" } } } };
  const made = { schema: MadeSource, description: "The source; a secret that was made is in it this once" };
  return [
    {
      ...sourceCommon,
      method: "post",
      path: "/v1/sources",
      summary: "Create a source",
      description:
        "`splunk_alert` takes alerts by webhook; `splunk_es` polls the notables of Enterprise Security. The answer holds the sheet to follow in Splunk.",
      body: { content: { "application/json": { schema: NewSource, example: EXAMPLE } } },
      answers: { 201: { ...made, headers: { Location: "Where the source is" } } },
      refusals: ["conflict"],
      handle: (c) => create(c, deps),
    },
    {
      ...sourceCommon,
      method: "get",
      path: "/v1/sources",
      summary: "List sources",
      query: PageQuery,
      answers: {
        200: {
          description: "Newest first",
          schema: z.object({ data: z.array(SourceView), next_cursor: z.string().nullable() }),
        },
      },
      handle: (c) => list(c, deps),
    },
    {
      ...sourceCommon,
      method: "get",
      path: "/v1/sources/{id}",
      summary: "Read a source",
      answers: { 200: { schema: SourceView, description: "With the state of its polling" } },
      async handle(c) {
        const source = await findSource(c, deps);
        return c.json(viewSource(source, await askPoller(source, deps)));
      },
    },
    {
      ...sourceCommon,
      method: "put",
      path: "/v1/sources/{id}",
      summary: "Change a source",
      description:
        "Changes the fields that it names and keeps the rest, secrets included; a named mapping takes the place of the old one. A named secret acts at once: `rotate` keeps the old one for a while.",
      body: changed,
      answers: { 200: made },
      refusals: ["conflict"],
      handle: (c) => change(c, deps, false),
    },
    {
      ...sourceCommon,
      method: "patch",
      path: "/v1/sources/{id}",
      summary: "Change a source by merge-patch",
      description: "As RFC 7396: `null` takes an entry of a mapping away or gives a field its default again.",
      body: changed,
      answers: { 200: made },
      refusals: ["conflict"],
      handle: (c) => change(c, deps, true),
    },
    {
      ...sourceCommon,
      method: "delete",
      path: "/v1/sources/{id}",
      summary: "Delete a source",
      description: "Its incidents stay. Alerts are refused everywhere within 15 seconds.",
      answers: { 204: { description: "It is gone" } },
      handle: (c) => remove(c, deps),
    },
    {
      ...sourceCommon,
      method: "get",
      path: "/v1/sources/{id}/setup",
      summary: "Read the set-up sheet of a source",
      description: "What to paste into Splunk, without the secrets, which are shown when they are made.",
      answers: { 200: { schema: SetupSheet, description: "The sheet" } },
      async handle(c) {
        return c.json(setupOf(await findSource(c, deps), deps.publicUrl));
      },
    },
    {
      ...sourceCommon,
      method: "post",
      path: "/v1/sources/{id}/poll",
      summary: "Poll a source now",
      description: "Only `splunk_es`. Does not wait for the end; the source shows what became of it.",
      answers: { 202: { schema: z.object({ status: z.literal("polling") }), description: "It will" } },
      refusals: ["conflict"],
      handle: (c) => pollNow(c, deps),
    },
  ];
}

async function create(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const body = await readBody(c, AnyObject);
  const draft = draftNewSource(body, kindOf(body), deps);
  if ((await deps.sources.count(tenantId)) >= MAX_SOURCES) {
    refuse("conflict", `A tenant has at most ${MAX_SOURCES} sources. Delete one first.`);
  }
  const now = deps.now();
  const id = newId(ID_PREFIX.source, now);
  const source: Source = {
    ...settingsOf(draft),
    id,
    tenantId,
    sealedSecrets: await sealSourceSecrets({ tenantId, id }, draft.secrets, deps),
    revision: 1,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
    lastSeenAt: null,
    alerts: 0,
    status: "active",
    statusReason: null,
  };
  await deps.sources.insert(source, await macsOf(source, draft.secrets, deps));
  await tellOf(source, deps);
  await deps.record({
    tenantId,
    actorId: keyId,
    action: "source.create",
    resourceType: "source",
    resourceId: id,
    metadata: { after: sourceFacts(source) },
  });
  const { secret, path_secret } = draft.secrets;
  return c.json(viewMade(source, { secret, path_secret }, deps), 201, { location: `/v1/sources/${id}` });
}

function settingsOf({ secrets: _secrets, ...settings }: SourceDraft): Omit<SourceDraft, "secrets"> {
  return settings;
}

/** A source with the secrets that are shown for the only time, and a sheet that has them where they belong. */
function viewMade(
  source: Source,
  shown: { readonly secret?: string | undefined; readonly path_secret?: string | undefined },
  deps: ApiDeps,
): z.input<typeof MadeSource> {
  const { secret, path_secret } = shown;
  return {
    ...viewSource(source),
    ...(secret === undefined ? {} : { secret }),
    ...(path_secret === undefined ? {} : { path_secret }),
    setup: setupOf(source, deps.publicUrl, { secret, pathSecret: path_secret }),
  };
}

async function list(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId } = callerOf(c);
  const name = { list: "sources", of: tenantId };
  const page = await deps.sources.page(tenantId, pageRequest(c, name));
  const data = page.items.map((source) => viewSource(source));
  return c.json({ data, next_cursor: nextCursor(name, page.next) });
}

async function change(c: ApiContext, deps: ApiDeps, isMerge: boolean): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const first = await findSource(c, deps);
  const body = await readBody(c, AnyObject);
  const { before, after, draft } = await writeSource(first, deps, (present) =>
    draftSourceChange(present, body, isMerge, deps),
  );
  await deps.record({
    tenantId,
    actorId: keyId,
    action: "source.update",
    resourceType: "source",
    resourceId: after.id,
    metadata: sourceChange(before, after, secretsIn(body)),
  });
  const hadPath = before.config["allow_path_secret"] === true;
  const path_secret = hadPath ? undefined : draft.secrets.path_secret;
  const secret = Object.hasOwn(body, "secret") ? draft.secrets.secret : undefined;
  return c.json(viewMade(after, { secret, path_secret }, deps));
}

/** Writes a change over the present revision; when someone else was quicker, once more over theirs. */
export async function writeSource(
  first: Source,
  deps: ApiDeps,
  draftOver: (present: Source) => Promise<SourceDraft>,
): Promise<{ readonly before: Source; readonly after: Source; readonly draft: SourceDraft }> {
  let present: Source | null = first;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    if (present === null || present.deletedAt !== null) return notFound("source");
    const draft = await draftOver(present);
    const after: Source = {
      ...present,
      ...settingsOf(draft),
      sealedSecrets: await sealSourceSecrets(present, draft.secrets, deps),
      revision: present.revision + 1,
      updatedAt: deps.now(),
    };
    const macs = await macsOf(after, draft.secrets, deps);
    if (await deps.sources.update(after, macs, present.revision)) {
      await tellOf(after, deps);
      return { before: present, after, draft };
    }
    present = await deps.sources.get(first.tenantId, first.id);
  }
  return refuse("conflict", "Others are changing this source at the same time. Read it and try again.");
}

/** The write stands whether the poller hears of it or not: it learns of newer revisions by itself. */
async function tellOf(source: Source, deps: ApiDeps): Promise<void> {
  deps.sourcesChanged();
  const { kind, tenantId, id, revision } = source;
  if (kind !== "splunk_es") return;
  try {
    const told = deps.pollers(tenantId, id).configure(tenantId, id, revision);
    told.catch(() => undefined); // it may lose the race and reject later
    await Promise.race([told, deps.sleep(POLLER_PATIENCE)]);
  } catch (error) {
    deps.log("warn", "source.poller_not_told", { tenant_id: tenantId, source_id: id, error });
  }
}

async function remove(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const source = await findSource(c, deps);
  const at = deps.now();
  if (!(await deps.sources.markDeleted(tenantId, source.id, at))) return notFound("source");
  await tellOf({ ...source, revision: source.revision + 1, deletedAt: at }, deps);
  await deps.record({
    tenantId,
    actorId: keyId,
    action: "source.delete",
    resourceType: "source",
    resourceId: source.id,
    metadata: { before: sourceFacts(source) },
  });
  return c.body(null, 204);
}

/** What the poller says; undefined for a source that has none, null for one that stays silent. */
async function askPoller(source: Source, deps: ApiDeps): Promise<PollReport | null | undefined> {
  if (source.kind !== "splunk_es") return undefined;
  const ask = ({ tenantId, id }: Source) => deps.pollers(tenantId, id).report();
  const [report = null] = await askAll([source], ask, { within: POLLER_PATIENCE, sleep: deps.sleep });
  return report;
}

async function pollNow(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const source = await findSource(c, deps);
  if (source.kind !== "splunk_es") refuse("conflict", "Splunk sends the alerts of this source by itself.");
  if (!source.enabled) refuse("conflict", "The source is switched off.");
  await deps.pollers(source.tenantId, source.id).pollNow();
  return c.json({ status: "polling" }, 202);
}
