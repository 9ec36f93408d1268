import { z } from "zod";
import { isoTimeOrNull, seconds } from "../base/clock.ts";
import type { DestinationSettings } from "../model/destination.ts";
import type { BatchFate } from "../model/lane.ts";
import { askAll } from "./bounded.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { callerOf, type Endpoint, pathId } from "./endpoint.ts";
import { notFound } from "./problem.ts";

/** A lane that takes longer is reported as unknown, so that one cannot hide what the others know. */
const LANE_PATIENCE = seconds(5);

const STATES = ["buffered", "sent", "accepted", "indexed", "parked", "expired"] as const;
/**
 * A batch's one-word state is that of its least settled events: what still moves first, then what needs a
 * person, then what is done.
 */
const LEAST_SETTLED_FIRST = ["buffered", "sent", "expired", "parked", "accepted", "indexed"] as const;

const Moment = z.iso.datetime().nullable().meta({ example: "2026-06-30T12:00:00.000Z" });
const State = z.enum(STATES).meta({
  description:
    "`accepted` is the provider's 2xx, `indexed` is Splunk's acknowledgement. Of several, the least settled",
});
const Counts = z.object({
  buffered: z.int(),
  sent: z.int(),
  accepted: z.int(),
  indexed: z.int(),
  parked: z.int(),
  expired: z.int(),
});

const BatchView = z
  .object({
    batch_id: z.string(),
    state: State,
    destinations: z.array(
      z.object({
        destination_id: z.string(),
        name: z.string(),
        provider: z.string(),
        state: z.enum([...STATES, "unknown"]).meta({ description: "`unknown`: its lane did not answer" }),
        counts: Counts.nullable().meta({ description: "Events in each state" }),
        attempts: z.int().nullable(),
        buffered_at: Moment,
        last_attempt_at: Moment,
        accepted_at: Moment,
        indexed_at: Moment,
        parked_at: Moment,
      }),
    ),
  })
  .meta({ id: "Batch" });

type DestinationFate = z.input<typeof BatchView>["destinations"][number];

export function batchEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      method: "get",
      path: "/v1/audit/batches/{batch_id}",
      access: { kind: "tenant", scope: "audit:read" },
      tag: "Events",
      summary: "Ask what became of a batch",
      description:
        "For each destination that was owed any of it. Kept for 7 days. While no destination has it yet, the list is empty and the state is `buffered`.",
      answers: { 200: { schema: BatchView, description: "Where its events are" } },
      handle: (c) => readBatch(c, deps),
    },
  ];
}

async function readBatch(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId } = callerOf(c);
  const batchId = pathId(c, "batch", "batch_id");
  if (!(await deps.ownsBatchId(tenantId, batchId))) return notFound("batch");
  const destinations = await deps.destinations.forFanOut(tenantId);
  // Wrapped, because a lane that knows nothing (null) is not a lane that is silent.
  const fates = await askAll(
    destinations,
    async (destination) => ({ fate: await deps.lanes(destination).batch(batchId) }),
    { within: LANE_PATIENCE, sleep: deps.sleep },
  );
  const known = destinations.flatMap((destination, index) => {
    const answer = fates[index] ?? null;
    return answer !== null && answer.fate === null ? [] : [viewFate(destination, answer?.fate ?? null)];
  });
  const body: z.input<typeof BatchView> = { batch_id: batchId, state: overall(known), destinations: known };
  return c.json(body);
}

function viewFate({ id, name, provider }: DestinationSettings, fate: BatchFate | null): DestinationFate {
  const counts = fate === null ? null : countsOf(fate);
  return {
    destination_id: id,
    name,
    provider,
    state: counts === null ? "unknown" : leastSettled([counts]),
    counts,
    attempts: fate?.attempts ?? null,
    buffered_at: isoTimeOrNull(fate?.bufferedAt ?? null),
    last_attempt_at: isoTimeOrNull(fate?.lastAttemptAt ?? null),
    accepted_at: isoTimeOrNull(fate?.acceptedAt ?? null),
    indexed_at: isoTimeOrNull(fate?.indexedAt ?? null),
    parked_at: isoTimeOrNull(fate?.parkedAt ?? null),
  };
}

function countsOf({ buffered, sent, accepted, indexed, parked, expired }: BatchFate) {
  return { buffered, sent, accepted, indexed, parked, expired };
}

function overall(fates: readonly DestinationFate[]): (typeof STATES)[number] {
  return leastSettled(fates.flatMap(({ counts }) => (counts === null ? [] : [counts])));
}

function leastSettled(counts: readonly z.infer<typeof Counts>[]): (typeof STATES)[number] {
  return LEAST_SETTLED_FIRST.find((state) => counts.some((each) => each[state] > 0)) ?? "buffered";
}
