/**
 * The relay on one screen.
 *
 * `ingest` is what a producer waits for: accept, then queue. `fanOut` is what the queue drives: route, then deliver.
 * Custody of an event passes from producer to queue to lane to provider, and each lets go only after the next has it.
 */
import type { Clock } from "./base/clock.ts";
import { err, ok, type Result } from "./base/result.ts";
import { acceptRequest, type AcceptDeps } from "./flow/accept/accept.ts";
import { consume, type HandedOver, type Message } from "./flow/queue/consume.ts";
import { produce, type ProduceDeps } from "./flow/queue/produce.ts";
import { plan } from "./flow/route/plan.ts";
import type { Destination } from "./model/destination.ts";
import { toLine } from "./model/event.ts";
import type { IngestReceipt, IngestRequest, Refusal } from "./model/ingest.ts";
import type { BatchPart, LaneCalls, Submission } from "./model/lane.ts";

/** What a producer is told to wait when the queue does not take its events. */
const BUFFER_RETRY_SECONDS = 5;

export interface IngestDeps extends AcceptDeps, ProduceDeps {}

/** Accept → queue. A receipt exists only once the queue has every event. */
export async function ingest(request: IngestRequest, deps: IngestDeps): Promise<Result<IngestReceipt, Refusal>> {
  const batch = await acceptRequest(request, deps);
  if (!batch.ok) return batch;
  const { batchId, acceptedAt, events, rejected } = batch.value;
  const lines = events.map(toLine);
  if (!(await produce({ tenantId: request.tenantId, batchId, acceptedAt, lines }, deps))) {
    return err({
      code: "buffer_unavailable",
      detail: "The events could not be buffered and were not accepted. Send the same request again.",
      retryAfterSeconds: BUFFER_RETRY_SECONDS,
    });
  }
  return ok({ accepted: events.length, ids: events.map(({ id }) => id), batchId, rejected });
}

export interface FanOutDeps {
  readonly now: Clock;
  /** Fresh from the database for each delivery of the queue: a destination made before an event was accepted gets it. */
  destinations(tenantId: string): Promise<readonly Destination[]>;
  lane(tenantId: string, destinationId: string): Pick<LaneCalls, "submit">;
  log(what: string, facts: Readonly<Record<string, unknown>>): void;
}

/** Queue → route → lanes, for one delivery of the queue. */
export function fanOut(messages: readonly Message[], deps: FanOutDeps): Promise<void> {
  return consume(messages, {
    handOver: (tenantId, parts) => handOver(tenantId, parts, deps),
    complain: deps.log,
  });
}

/** Gives each lane everything that it is owed in one call. A lane that cannot take it delays nobody but itself. */
export async function handOver(tenantId: string, parts: readonly BatchPart[], deps: FanOutDeps): Promise<HandedOver> {
  const submissions = plan(await deps.destinations(tenantId), parts);
  const failed = new Set<BatchPart>();
  const submit = async (submission: Submission): Promise<void> => {
    try {
      await deps.lane(tenantId, submission.destinationId).submit(submission);
    } catch (error) {
      deps.log("submit.failed", { destination_id: submission.destinationId, error: String(error).slice(0, 300) });
      const missed = new Set(submission.parts.map(({ batchId, part }) => `${batchId}/${part}`));
      for (const part of parts) if (missed.has(`${part.batchId}/${part.part}`)) failed.add(part);
    }
  };
  await Promise.all(submissions.map(submit));
  return { failed };
}
