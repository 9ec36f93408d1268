import { z } from "zod";
import type { DurationMs, EpochMs } from "../base/clock.ts";
import type { Histogram } from "../base/histogram.ts";
import type { OutcomeKind, Trouble } from "./delivery.ts";
import type { StatusReason } from "./destination.ts";
import type { Lines } from "./lines.ts";

/** How long an event is tried before it becomes a dead letter, as promised to callers. */
export const DELIVERY_WINDOW_HOURS = 24;
/** How long the fate of a batch can be asked for, as promised to callers. */
export const RECEIPT_RETENTION_DAYS = 7;

/** Events of one batch that travel together: one queue message, or what routing left of it. */
export interface BatchPart {
  readonly batchId: string;
  /** From 0; with the batch id it names the part and its events, so that a lane recognises what it has already taken. */
  readonly part: number;
  /** When the producer got its 202. */
  readonly acceptedAt: EpochMs;
  readonly lines: Lines;
}

/** Everything that one hand-over owes to one destination. */
export interface Submission {
  readonly tenantId: string;
  readonly destinationId: string;
  /** The destination's revision that the sender saw; a lane that knows an older one fetches the newer. */
  readonly revision: number;
  readonly parts: readonly BatchPart[];
}

/** What a lane did with a submission. Anything but an exception means that the sender may let go. */
export interface Taken {
  readonly taken: number;
  readonly repeated: number;
  /** Not kept, because the destination was switched off or gone when they were accepted. */
  readonly unwanted: number;
}

export interface StatusChange {
  readonly at: EpochMs;
  readonly status: "active" | "degraded" | "failed";
  readonly reason: StatusReason | null;
}

/** A lane's state of health, as the destination's page shows it. */
export interface LaneReport {
  readonly status: "active" | "degraded" | "failed";
  readonly reason: StatusReason | null;
  readonly backlog: { readonly events: number; readonly bytes: number; readonly oldestAt: EpochMs | null };
  readonly nextAttemptAt: EpochMs | null;
  /** When the first waiting event would become a dead letter if nothing were delivered. */
  readonly firstLossAt: EpochMs | null;
  readonly lastDeliveredAt: EpochMs | null;
  readonly deadLetters: number;
  /** Requests that only the secrets before the last rotation could make; the new ones were refused. */
  readonly fallback: { readonly uses: number; readonly usedAt: EpochMs | null };
  /** Newest last, at most 50. */
  readonly changes: readonly StatusChange[];
  readonly activity: LaneActivity;
  readonly totals: LaneTotals;
}

/** How many minutes `LaneActivity` looks back on. */
export const ACTIVITY_MINUTES = 60;

/** The last hour. */
export interface LaneActivity {
  /** Events delivered in each minute, oldest first, the present one last. */
  readonly perMinute: readonly number[];
  /** From acceptance to the provider's answer; null where nothing was delivered. */
  readonly p50: DurationMs | null;
  readonly p95: DurationMs | null;
  /** What the two are of: those of several lanes come from their sum. */
  readonly latencies: Histogram;
}

/** Counts since the lane was made. `attempts` counts requests, the others events. */
export interface LaneTotals {
  readonly taken: number;
  readonly delivered: number;
  readonly retried: number;
  readonly parked: number;
  readonly replayed: number;
  readonly discarded: number;
  readonly attempts: number;
  /** Events of requests whose answer never came and that were sent again: they may be there twice. */
  readonly possibleDuplicates: number;
}

/** `pending`: taken, not confirmed. `accepted`: it will not be confirmed any more. `lost`: never confirmed, sent again. */
export const ACKNOWLEDGEMENT_STATES = ["pending", "indexed", "accepted", "lost"] as const;
export type AcknowledgementState = (typeof ACKNOWLEDGEMENT_STATES)[number];

/** One request to the provider, as the deliveries list shows it. */
export interface DeliveryRecord {
  readonly id: number;
  readonly at: EpochMs;
  readonly outcome: OutcomeKind | "parked";
  readonly trouble: Trouble | null;
  readonly events: number;
  /** Events of these that the provider has taken. */
  readonly delivered: number;
  /** Uncompressed body bytes. */
  readonly bytes: number;
  readonly httpStatus: number | null;
  readonly providerCode: string | null;
  readonly message: string;
  readonly latency: DurationMs;
  /** When it will be tried again, or null. */
  readonly retryAt: EpochMs | null;
  readonly maybeTaken: boolean;
  /** What the provider said of it later; null where it says nothing later. */
  readonly acknowledgement: AcknowledgementState | null;
}

/** Why an event was set aside. A stored reason is never renamed. */
export const PARK_REASONS = [
  "refused",
  "outside_window",
  "too_large",
  "expired",
  "destination_deleted",
  "relay_fault",
] as const;
export type ParkReason = (typeof PARK_REASONS)[number];

/** An event that will not be retried by itself; kept, visible, replayable. */
export interface DeadLetter {
  readonly id: string;
  readonly eventId: string;
  readonly batchId: string;
  readonly action: string;
  readonly reason: ParkReason;
  /** The provider's own words. */
  readonly message: string;
  readonly httpStatus: number | null;
  readonly providerCode: string | null;
  readonly attempts: number;
  readonly acceptedAt: EpochMs;
  readonly parkedAt: EpochMs;
  /** The whole event as JSON text. */
  readonly event: string;
}

/** Which dead letters are meant: by their ids or event ids, all, or those parked in [from, to). */
export const DeadLetterSelection = z
  .union([
    z.strictObject({ ids: z.array(z.string().min(1).max(200)).min(1).max(1_000) }),
    z.strictObject({ all: z.literal(true) }),
    z
      .strictObject({
        from: z.iso.datetime({ offset: true }).optional(),
        to: z.iso.datetime({ offset: true }).optional(),
      })
      .refine((range) => range.from !== undefined || range.to !== undefined, "Expected ids, all, from or to"),
  ])
  .meta({ id: "DeadLetterSelection" });
export type DeadLetterSelection = z.infer<typeof DeadLetterSelection>;

/** One minute of a destination's life. Latencies are from acceptance to the provider's answer. */
export interface StatsMinute {
  readonly at: EpochMs;
  readonly delivered: number;
  readonly retried: number;
  readonly dead: number;
}

export interface LaneStats {
  readonly minutes: readonly StatsMinute[];
  /** Over the same 24 hours; null before the first delivery. */
  readonly p50: DurationMs | null;
  readonly p95: DurationMs | null;
  /** What the two are of. */
  readonly latencies: Histogram;
}

/** What became of a batch at one destination. Counts are events; a time is null where nothing is in that state. */
export interface BatchFate {
  readonly buffered: number;
  readonly sent: number;
  readonly accepted: number;
  readonly indexed: number;
  readonly parked: number;
  readonly expired: number;
  /** Requests that carried any of it. */
  readonly attempts: number;
  /** When the producer got its 202. */
  readonly bufferedAt: EpochMs | null;
  readonly lastAttemptAt: EpochMs | null;
  readonly acceptedAt: EpochMs | null;
  readonly indexedAt: EpochMs | null;
  readonly parkedAt: EpochMs | null;
}

/** How the last flush of a deleted destination went. Counts are events. */
export interface FlushReport {
  readonly flushed: number;
  readonly deadLettered: number;
}

/** One page of a lane's list, newest first. `next` is the position to go on from, or null. */
export interface LanePage<T> {
  readonly items: readonly T[];
  readonly next: number | null;
}

/** What the rest of the relay may ask of a lane. Each call is one request to its Durable Object. */
export interface LaneCalls {
  /** Takes custody; idempotent by batch id and part. Throws only when nothing was taken. */
  submit(submission: Submission): Promise<Taken>;
  /** The destination was changed: read it again, and try again at once if that can help. */
  configure(tenantId: string, destinationId: string, revision: number): Promise<void>;
  report(): Promise<LaneReport>;
  deliveries(before: number | null, limit: number): Promise<LanePage<DeliveryRecord>>;
  stats(): Promise<LaneStats>;
  deadLetters(before: number | null, limit: number): Promise<LanePage<DeadLetter>>;
  /** @returns how many dead letters were put back into the outbox */
  replay(selection: DeadLetterSelection): Promise<number>;
  /** @returns how many were discarded */
  discard(selection: DeadLetterSelection): Promise<number>;
  /** Delivers what is owed for at most `within`, sets the rest aside, and takes nothing new. */
  close(within: DurationMs): Promise<FlushReport>;
  /** @returns null when this lane has never seen the batch */
  batch(batchId: string): Promise<BatchFate | null>;
}

/**
 * Where the pages of a list go on: for each lane, by shard, the number below which its rows are still to come. A lane
 * that is not named has not been asked yet.
 */
export type LaneMarks = readonly number[];

/** One page over all lanes of a destination, newest first. `next` is null after the last. */
export interface MarkedPage<T> {
  readonly items: readonly T[];
  readonly next: LaneMarks | null;
}

/** All lanes of a destination as if they were one. With one lane each call is one request to its object, with several one to each concerned. */
export interface DestinationCalls extends Omit<LaneCalls, "submit" | "deliveries" | "deadLetters"> {
  deliveries(after: LaneMarks | null, limit: number): Promise<MarkedPage<DeliveryRecord>>;
  deadLetters(after: LaneMarks | null, limit: number): Promise<MarkedPage<DeadLetter>>;
}
