/**
 * The relay on one screen.
 *
 * `ingest` is what a producer waits for: accept, then queue. `fanOut` is what the queue drives: route, then deliver.
 * Custody of an event passes from producer to queue to lane to provider, and each lets go only after the next has it.
 */
import type { Clock, EpochMs } from "./base/clock.ts";
import { err, ok, type Result } from "./base/result.ts";
import { type AcceptDeps, acceptRequest } from "./flow/accept/accept.ts";
import { consume, type HandedOver, handOverDelay, type Message } from "./flow/queue/consume.ts";
import { decodeMessage, encodePart, type QueuedPart, storable } from "./flow/queue/message.ts";
import type { Outgoing } from "./flow/queue/produce.ts";
import { type Owed, plan } from "./flow/route/plan.ts";
import type { DestinationSettings } from "./model/destination.ts";
import type { IngestReceipt, IngestRequest, Refusal } from "./model/ingest.ts";
import type { BatchPart, LaneCalls } from "./model/lane.ts";
import { areReadable } from "./model/lines.ts";

/** What a producer is told to wait when the queue does not take its events. */
const BUFFER_RETRY_SECONDS = 5;

export interface IngestDeps extends AcceptDeps {
  /** Puts a batch on the queue. @returns whether the queue has all of it */
  produce(outgoing: Outgoing): Promise<boolean>;
}

/** Accept → queue. A receipt exists only once the queue has every event. */
export async function ingest(
  request: IngestRequest,
  deps: IngestDeps,
): Promise<Result<IngestReceipt, Refusal>> {
  const batch = await acceptRequest(request, deps);
  if (!batch.ok) return batch;
  const { batchId, acceptedAt, ids, lines, rejected } = batch.value;
  if (!(await deps.produce({ tenantId: request.tenantId, batchId, acceptedAt, lines }))) {
    return err({
      code: "buffer_unavailable",
      detail: "The events could not be buffered and were not accepted. Send the same request again.",
      retryAfterSeconds: BUFFER_RETRY_SECONDS,
    });
  }
  return ok({ accepted: ids.length, ids, batchId, rejected });
}

export interface FanOutDeps {
  readonly now: Clock;
  /** Fresh from the database for each delivery of the queue: a destination made before an event was accepted gets it. */
  destinations(tenantId: string): Promise<readonly DestinationSettings[]>;
  lane(tenantId: string, destinationId: string, shard: number): Pick<LaneCalls, "submit">;
  log(what: string, facts: Readonly<Record<string, unknown>>): void;
}

/** Queue → route → lanes, for one delivery of the queue. */
export function fanOut(messages: readonly Message[], deps: FanOutDeps): Promise<void> {
  return consume(messages, {
    handOver: (tenantId, parts) => handOver(tenantId, parts, deps),
    complain: (what, facts) => deps.log(what, facts),
  });
}

/** Gives each lane everything that it is owed in one call. A lane that cannot take it delays nobody but itself. */
export async function handOver(
  tenantId: string,
  parts: readonly BatchPart[],
  deps: FanOutDeps,
): Promise<HandedOver> {
  const owed = plan(await deps.destinations(tenantId), parts);
  const failed = new Set<BatchPart>();
  const submit = async ({ shard, submission }: Owed): Promise<void> => {
    try {
      await deps.lane(tenantId, submission.destinationId, shard).submit(submission);
    } catch (error) {
      deps.log("submit.failed", {
        destination_id: submission.destinationId,
        shard,
        error: String(error).slice(0, 300),
      });
      const missed = new Set(submission.parts.map(({ batchId, part }) => `${batchId}/${part}`));
      for (const part of parts) if (missed.has(`${part.batchId}/${part.part}`)) failed.add(part);
    }
  };
  await Promise.all(owed.map(submit));
  return { failed };
}

export interface StrandDeps extends FanOutDeps {
  readonly stranded: {
    put(message: Stranded): Promise<void>;
    oldest(limit: number): Promise<readonly Stranded[]>;
    remove(id: string): Promise<void>;
    /** Moves it behind all others. */
    postpone(id: string, at: EpochMs): Promise<void>;
  };
}

/** A message that the queue gave up on, kept as it was. `tenantId` is null where nobody could read whose it is. */
export interface Stranded {
  readonly id: string;
  readonly tenantId: string | null;
  readonly reason: string;
  readonly body: string;
  readonly at: EpochMs;
}

/** Stranded messages that one run of the schedule tries to hand over. */
const STRANDED_PER_RUN = 100;

/**
 * What the queue could not hand over in all its retries, from the dead-letter queue: tried once more, else kept in the
 * database, where the schedule tries it again and the operator sees it. Never dropped.
 */
export async function strand(messages: readonly Message[], deps: StrandDeps): Promise<void> {
  await Promise.all(
    messages.map(async (message) => {
      try {
        const decoded = decodeMessage(message.body);
        if (decoded.ok)
          for (const [index, part] of decoded.value.entries()) await strandPart(message, index, part, deps);
        else
          await keep(
            { message, index: 0, tenantId: null, reason: decoded.error, body: storable(message.body) },
            deps,
          );
        message.ack();
      } catch (error) {
        deps.log("strand.failed", { id: message.id, error: String(error).slice(0, 300) });
        message.retry({ delaySeconds: Math.ceil(handOverDelay(message.attempts) / 1_000) });
      }
    }),
  );
}

/** Each part by itself: a message can hold parts of several tenants, and one that cannot be delivered must not hold the others. */
async function strandPart(
  message: Message,
  index: number,
  part: QueuedPart,
  deps: StrandDeps,
): Promise<void> {
  const reason = await handOverPart(part, deps);
  if (reason === null) return;
  const { tenantId } = part;
  await keep({ message, index, tenantId, reason, body: storable(encodePart(part)) }, deps);
}

async function keep(
  stranded: {
    readonly message: Message;
    /** Of the part in its message. */
    readonly index: number;
    readonly tenantId: string | null;
    readonly reason: string;
    readonly body: string;
  },
  deps: StrandDeps,
): Promise<void> {
  const { message, index, tenantId, reason, body } = stranded;
  const id = index === 0 ? message.id : `${message.id}/${index}`;
  await deps.stranded.put({ id, tenantId, reason, body, at: deps.now() });
  deps.log("message.stranded", { id, tenant_id: tenantId, reason });
}

/** Tries stranded messages again, the one longest untried first. Lanes ignore what they have taken, so a repeat is harmless. */
export async function retryStranded(deps: StrandDeps): Promise<void> {
  for (const { id, body } of await deps.stranded.oldest(STRANDED_PER_RUN)) {
    const reason = await handOverBody(body, deps).catch((error: unknown) => String(error));
    if (reason === null) await deps.stranded.remove(id);
    else {
      deps.log("stranded.still", { id, reason: reason.slice(0, 300) });
      await deps.stranded.postpone(id, deps.now()); // or the same hundred would keep all others from their turn
    }
  }
}

/** @returns null when every lane concerned has it, else why not */
async function handOverBody(body: string, deps: FanOutDeps): Promise<string | null> {
  const decoded = decodeMessage(body);
  if (!decoded.ok) return decoded.error;
  const reasons = await Promise.all(decoded.value.map((part) => handOverPart(part, deps)));
  return reasons.find((reason) => reason !== null) ?? null;
}

/** Here is the time to look into a part: one that cannot be unpacked would stop a lane, or never get past its routes. */
async function handOverPart({ tenantId, part }: QueuedPart, deps: FanOutDeps): Promise<string | null> {
  if (!areReadable(part.lines)) return "unreadable events";
  const { failed } = await handOver(tenantId, [part], deps);
  return failed.size === 0 ? null : "a lane could not take it";
}
