import { z } from "zod";
import { seconds } from "../base/clock.ts";
import { ID_PREFIX, newId } from "../base/ids.ts";
import type { Destination } from "../model/destination.ts";
import type { Provider } from "../model/provider.ts";
import type { LaneOwner } from "../model/shards.ts";
import { readBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { changeOf, factsOf } from "./destination-acts.ts";
import { createBody, patchBody, putBody } from "./destination-bodies.ts";
import { type ConfigRule, type Draft, draftChange, draftNew, sealDraft } from "./destination-draft.ts";
import { type DestinationChange, providerOf, readChange } from "./destination-input.ts";
import { findShared, type OpenedCredential, openSecrets, tryOut } from "./destination-secrets.ts";
import {
  askReports,
  DestinationDetail,
  DestinationView,
  viewDestination,
  viewDestinationDetail,
} from "./destination-view.ts";
import { callerOf, type Endpoint, pathId } from "./endpoint.ts";
import { nextCursor, PageQuery, pageRequest, readQuery } from "./pagination.ts";
import { notFound, refuse, refuseInput } from "./problem.ts";

/** Every event is offered to each of them, so their number bounds what one event can cost. */
export const MAX_DESTINATIONS = 500;
/** How long a deleted destination may go on delivering what it owes, as promised to callers. */
const LAST_FLUSH = seconds(30);
/** How long a write waits for the lane to hear of it; the lane finds out by itself otherwise. */
const CONFIGURE_PATIENCE = seconds(5);

/** An object, of whatever: which fields it may have depends on the provider. */
export const AnyObject = z.record(z.string(), z.unknown(), { error: "Expected a JSON object" });

export const ForceQuery = z.object({
  force: z
    .enum(["true", "false", "1", "0", ""], { error: "Expected true or false" })
    .optional()
    .meta({ description: "`true` skips the last flush: what is owed becomes dead letters at once" }),
});

export const Flushed = z
  .object({ flushed: z.int(), dead_lettered: z.int() })
  .meta({ id: "Flushed", description: "Events delivered by the last flush, and events set aside" });

const read = { kind: "tenant", scope: "destinations:read" } as const;
const write = { kind: "tenant", scope: "destinations:write" } as const;

/** The tenant's destination, unless it was deleted. */
export async function findDestination(
  c: ApiContext,
  deps: Pick<ApiDeps, "destinations">,
): Promise<Destination> {
  const found = await deps.destinations.get(callerOf(c).tenantId, pathId(c, "destination"));
  return found === null || found.deletedAt !== null ? notFound("destination") : found;
}

/** The adapter of a stored destination. A kind is never renamed, so a missing one is a broken deployment. */
export function adapterOf(destination: Destination, providers: readonly Provider[]): Provider {
  const found = providers.find(({ kind }) => kind === destination.provider);
  if (found === undefined) throw new Error(`No provider is called ${destination.provider}`);
  return found;
}

export function destinationEndpoints(deps: ApiDeps): readonly Endpoint[] {
  const one = { schema: DestinationView, description: "The destination as it is now" };
  const common = { tag: "Destinations" } as const;
  return [
    {
      ...common,
      method: "post",
      path: "/v1/audit/siem",
      access: write,
      summary: "Create a destination",
      description:
        "Secrets are flat fields beside the others. They are write-only: no answer ever shows them again.",
      body: createBody(deps.providers),
      answers: { 201: { ...one, headers: { Location: "Where the destination is" } } },
      refusals: ["conflict"],
      handle: (c) => create(c, deps),
    },
    {
      ...common,
      method: "get",
      path: "/v1/audit/siem",
      access: read,
      summary: "List destinations",
      query: PageQuery,
      answers: {
        200: {
          description: "Newest first",
          schema: z.object({ data: z.array(DestinationView), next_cursor: z.string().nullable() }),
        },
      },
      handle: (c) => list(c, deps),
    },
    {
      ...common,
      method: "get",
      path: "/v1/audit/siem/{id}",
      access: read,
      summary: "Read a destination",
      answers: { 200: { schema: DestinationDetail, description: "With the history of its status" } },
      async handle(c) {
        const destination = await findDestination(c, deps);
        const [report = null] = await askReports([destination], deps);
        return c.json(await viewDestinationDetail(destination, report, deps));
      },
    },
    {
      ...common,
      method: "put",
      path: "/v1/audit/siem/{id}",
      access: write,
      summary: "Change a destination",
      description:
        "Changes the fields that it names and keeps the rest, secrets included; a named `config` takes the place of the old one. The backlog is tried again at once.",
      body: putBody(deps.providers),
      answers: { 200: one },
      refusals: ["conflict"],
      handle: (c) => change(c, deps, "replace"),
    },
    {
      ...common,
      method: "patch",
      path: "/v1/audit/siem/{id}",
      access: write,
      summary: "Change a destination by merge-patch",
      description: "As RFC 7396: `null` takes a config key away or gives a field its default again.",
      body: patchBody(deps.providers),
      answers: { 200: one },
      refusals: ["conflict"],
      handle: (c) => change(c, deps, "merge"),
    },
    {
      ...common,
      method: "delete",
      path: "/v1/audit/siem/{id}",
      access: write,
      summary: "Delete a destination",
      description:
        "Takes no new events, delivers what is owed for at most 30 s, and sets the rest aside. Its dead letters stay readable for 7 days.",
      query: ForceQuery,
      answers: { 200: { schema: Flushed, description: "It is gone" } },
      refusals: ["unavailable"],
      handle: (c) => remove(c, deps),
    },
  ];
}

async function create(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const destination = await createDestination(await readBody(c, AnyObject), callerOf(c), deps);
  const [report = null] = await askReports([destination], deps);
  const location = `/v1/audit/siem/${destination.id}`;
  return c.json(await viewDestination(destination, report, deps), 201, { location });
}

/** Who makes or changes a destination. */
interface By {
  readonly tenantId: string;
  readonly keyId: string;
}

/** Makes a destination as a body describes it, tells its lane and the tenant's stream; or the request ends. */
export async function createDestination(
  body: Readonly<Record<string, unknown>>,
  { tenantId, keyId }: By,
  deps: ApiDeps,
): Promise<Destination> {
  const provider = providerOf(body, deps.providers);
  const now = deps.now();
  const id = newId(ID_PREFIX.destination, now);
  const wanted = readChange(body, provider, false);
  const shared = await sharedOf(wanted, tenantId, deps);
  const draft = draftNew(wanted, provider, { id, tenantId, now }, { deps, shared });
  if ((await deps.destinations.count(tenantId)) >= MAX_DESTINATIONS) {
    refuse("conflict", `A tenant has at most ${MAX_DESTINATIONS} destinations. Delete one first.`);
  }
  const destination = await sealDraft(draft, deps);
  if (!(await deps.destinations.insert(destination))) {
    refuse("conflict", "The credential was deleted at the same time. Nothing was made.");
  }
  await tellLane(destination, deps);
  await deps.record({
    tenantId,
    actorId: keyId,
    action: "siem.create",
    resourceType: "siem_destination",
    resourceId: id,
    metadata: { after: factsOf(destination) },
  });
  return destination;
}

async function list(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId } = callerOf(c);
  const name = { list: "destinations", of: tenantId };
  const page = await deps.destinations.page(tenantId, pageRequest(c, name));
  const reports = await askReports(page.items, deps);
  const shown = await Promise.all(
    page.items.map((each, index) => viewDestination(each, reports[index] ?? null, deps)),
  );
  return c.json({ data: shown, next_cursor: nextCursor(name, page.next) });
}

async function change(c: ApiContext, deps: ApiDeps, config: ConfigRule): Promise<Response> {
  const first = await findDestination(c, deps);
  const changed = await changeDestination(
    first,
    { body: await readBody(c, AnyObject), config },
    callerOf(c),
    deps,
  );
  const [report = null] = await askReports([changed], deps);
  return c.json(await viewDestination(changed, report, deps));
}

/** Changes a destination as a body says, tells its lane and the tenant's stream; or the request ends. */
export async function changeDestination(
  first: Destination,
  { body, config }: { readonly body: Readonly<Record<string, unknown>>; readonly config: ConfigRule },
  { tenantId, keyId }: By,
  deps: ApiDeps,
): Promise<Destination> {
  const provider = adapterOf(first, deps.providers);
  const wanted = readChange(body, provider, config === "merge");
  const { before, changed } = await applyChange(first, wanted, { provider, config, deps });
  await tellLane(changed, deps);
  await deps.record({
    tenantId,
    actorId: keyId,
    ...changeOf(before, changed, [...Object.keys(wanted.secrets), ...Object.keys(wanted.next)]),
    resourceType: "siem_destination",
    resourceId: changed.id,
  });
  return changed;
}

/** Writes the change over the present revision; when someone else was quicker, once more over theirs. */
async function applyChange(
  first: Destination,
  wanted: DestinationChange,
  rules: { readonly provider: Provider; readonly config: ConfigRule; readonly deps: ApiDeps },
): Promise<{ readonly before: Destination; readonly changed: Destination }> {
  const { deps, provider, config } = rules;
  let present: Destination | null = first;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    if (present === null || present.deletedAt !== null) return notFound("destination");
    // Secrets that do not open are as good as none: whoever names all of them again mends the destination.
    const secrets = (await openSecrets(present, provider, deps)) ?? {};
    const shared = await sharedOf(wanted, first.tenantId, deps);
    const draft = draftChange({ destination: present, secrets }, wanted, provider, {
      now: deps.now(),
      config,
      deps,
      shared,
    });
    await prove(draft, wanted, deps);
    const next = await sealDraft(draft, deps);
    if (await deps.destinations.update(next, present.revision)) return { before: present, changed: next };
    present = await deps.destinations.get(first.tenantId, first.id);
  }
  return refuse("conflict", "Others are changing this destination at the same time. Read it and try again.");
}

/** The credential of the vault that a body names, opened. */
function sharedOf(
  { fields }: DestinationChange,
  tenantId: string,
  deps: ApiDeps,
): Promise<OpenedCredential> | null {
  const { credential_id } = fields;
  return credential_id === undefined || credential_id === null
    ? null
    : findShared(tenantId, credential_id, deps);
}

/** A new secret for the second slot has to work before anything is changed. */
async function prove(
  { settings, connector }: Draft,
  { next }: DestinationChange,
  deps: ApiDeps,
): Promise<void> {
  const [name] = Object.keys(next);
  if (name === undefined) return;
  const { refused } = await tryOut(connector, settings.tenantId, deps);
  if (refused !== null) refuseInput([{ path: `next_${name}`, message: `${refused} Nothing was changed.` }]);
}

/** The write stands whether the lane hears of it or not: it learns of newer revisions by itself. */
export async function tellLane(
  destination: LaneOwner & Pick<Destination, "revision">,
  deps: Pick<ApiDeps, "lanes" | "sleep" | "log">,
): Promise<void> {
  const { tenantId, id, revision } = destination;
  try {
    const told = deps.lanes(destination).configure(tenantId, id, revision);
    told.catch(() => undefined); // it may lose the race and reject later
    await Promise.race([told, deps.sleep(CONFIGURE_PATIENCE)]);
  } catch (error) {
    deps.log("warn", "destination.lane_not_told", { tenant_id: tenantId, destination_id: id, error });
  }
}

async function remove(c: ApiContext, deps: ApiDeps): Promise<Response> {
  return removeDestination(c, await findDestination(c, deps), deps);
}

/** The last flush, and then it is gone; answers how the flush went. */
export async function removeDestination(
  c: ApiContext,
  destination: Destination,
  deps: ApiDeps,
): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const { force } = readQuery(c, ForceQuery);
  const { id } = destination;
  if (!(await deps.destinations.markDeleted(tenantId, id, deps.now()))) return notFound("destination");
  await deps.record({
    tenantId,
    actorId: keyId,
    action: "siem.delete",
    resourceType: "siem_destination",
    resourceId: id,
    metadata: { before: factsOf(destination) },
  });
  const within = force === "true" || force === "1" ? 0 : LAST_FLUSH;
  try {
    const { flushed, deadLettered } = await deps.lanes(destination).close(within);
    await deps.destinations.forgetSecrets(tenantId, id);
    return c.json({ flushed, dead_lettered: deadLettered });
  } catch (error) {
    deps.log("error", "destination.lane_not_closed", { tenant_id: tenantId, destination_id: id, error });
    return refuse(
      "unavailable",
      "The destination is deleted, but how its last flush went is not known. Nothing is lost: what it owed becomes dead letters.",
    );
  }
}
