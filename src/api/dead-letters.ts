import { z } from "zod";
import { days, isoTime } from "../base/clock.ts";
import type { Destination } from "../model/destination.ts";
import { type DeadLetter, DeadLetterSelection, PARK_REASONS } from "../model/lane.ts";
import { readBody, readOptionalBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { askLane } from "./deliveries.ts";
import { findDestination } from "./destinations.ts";
import { callerOf, type Endpoint, pathId } from "./endpoint.ts";
import { markedCursor, markedPageRequest, PageQuery } from "./pagination.ts";
import { notFound, refuse } from "./problem.ts";

/** How long the dead letters of a deleted destination can still be read, as promised to callers. */
export const READABLE_AFTER_DELETION = days(7);

const Moment = z.iso.datetime().meta({ example: "2026-06-30T12:00:00.000Z" });

const DeadLetterView = z
  .object({
    id: z.string(),
    event_id: z.string().meta({ example: "evt_abc123" }),
    batch_id: z.string(),
    action: z.string().meta({ example: "user.login" }),
    reason: z.enum(PARK_REASONS),
    message: z.string().meta({ description: "The provider's own words" }),
    http_status: z.int().nullable(),
    provider_code: z.string().nullable(),
    attempts: z.int(),
    accepted_at: Moment,
    parked_at: Moment,
    event: z.record(z.string(), z.unknown()).meta({ description: "The whole event" }),
  })
  .meta({ id: "DeadLetter", description: "An event that is not retried by itself" });

const Replayed = z
  .object({ replayed: z.int() })
  .meta({ id: "Replayed", description: "How many wait for delivery again" });
const Discarded = z
  .object({ discarded: z.int() })
  .meta({ id: "Discarded", description: "How many are gone for good" });

const common = { tag: "Deliveries", refusals: ["unavailable"] } as const;
const selection = {
  content: { "application/json": { schema: DeadLetterSelection, example: { all: true } } },
};

export function deadLetterEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      ...common,
      method: "get",
      path: "/v1/audit/siem/{id}/dead-letters",
      access: { kind: "tenant", scope: "destinations:read" },
      summary: "List dead letters",
      description: "Also of a destination that was deleted in the last 7 days.",
      query: PageQuery,
      answers: {
        200: {
          description: "Newest first",
          schema: z.object({ data: z.array(DeadLetterView), next_cursor: z.string().nullable() }),
        },
      },
      handle: (c) => list(c, deps),
    },
    {
      ...common,
      method: "post",
      path: "/v1/audit/siem/{id}/replay",
      access: { kind: "tenant", scope: "destinations:write" },
      summary: "Replay dead letters",
      description: "By their ids or event ids, all, or those set aside in a time range (`from`, `to`).",
      body: selection,
      answers: { 200: { schema: Replayed, description: "They wait for delivery again" } },
      refusals: ["conflict", "unavailable"],
      async handle(c) {
        const destination = await findDestination(c, deps);
        const chosen = await readBody(c, DeadLetterSelection);
        if (!destination.enabled) refuse("conflict", "The destination is disabled. Enable it, then replay.");
        const replayed = await askLane(deps, destination, (lanes) => lanes.replay(chosen));
        await record(c, deps, destination, { action: "siem.replay", count: replayed });
        return c.json({ replayed });
      },
    },
    {
      ...common,
      method: "delete",
      path: "/v1/audit/siem/{id}/dead-letters",
      access: { kind: "tenant", scope: "destinations:write" },
      summary: "Discard dead letters",
      description: "Those that the body selects; without a body, all of them.",
      body: { ...selection, isOptional: true },
      answers: { 200: { schema: Discarded, description: "They are gone" } },
      async handle(c) {
        const destination = await findDestination(c, deps);
        const chosen = (await readOptionalBody(c, DeadLetterSelection)) ?? { all: true as const };
        const discarded = await askLane(deps, destination, (lanes) => lanes.discard(chosen));
        await record(c, deps, destination, { action: "siem.discard", count: discarded });
        return c.json({ discarded });
      },
    },
  ];
}

async function list(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId } = callerOf(c);
  const found = await deps.destinations.get(tenantId, pathId(c, "destination"));
  const isReadable =
    found !== null && (found.deletedAt === null || deps.now() < found.deletedAt + READABLE_AFTER_DELETION);
  if (!isReadable) return notFound("destination");
  const name = { list: "dead-letters", of: found.id };
  const { after, limit } = markedPageRequest(c, name);
  const { items, next } = await askLane(deps, found, (lanes) => lanes.deadLetters(after, limit));
  const cursor = JSON.stringify(markedCursor(name, next));
  return new Response(`{"data":[${items.map(toJson).join(",")}],"next_cursor":${cursor}}`, {
    headers: { "content-type": "application/json" },
  });
}

/** The event goes in as the text it is: parsing would lose digits and spellings that its hash covers. */
function toJson(letter: DeadLetter): string {
  const facts: Omit<z.input<typeof DeadLetterView>, "event"> = {
    id: letter.id,
    event_id: letter.eventId,
    batch_id: letter.batchId,
    action: letter.action,
    reason: letter.reason,
    message: letter.message,
    http_status: letter.httpStatus,
    provider_code: letter.providerCode,
    attempts: letter.attempts,
    accepted_at: isoTime(letter.acceptedAt),
    parked_at: isoTime(letter.parkedAt),
  };
  return `${JSON.stringify(facts).slice(0, -1)},"event":${letter.event}}`;
}

async function record(
  c: ApiContext,
  deps: ApiDeps,
  destination: Destination,
  act: { readonly action: string; readonly count: number },
): Promise<void> {
  const { tenantId, keyId } = callerOf(c);
  await deps.record({
    tenantId,
    actorId: keyId,
    action: act.action,
    resourceType: "siem_destination",
    resourceId: destination.id,
    metadata: { dead_letters: act.count },
  });
}
