import { type DurationMs, type EpochMs, hours, minutes } from "../../base/clock.ts";
import { add, type Histogram, percentile, together } from "../../base/histogram.ts";
import type { OutcomeKind, ProviderWords, Trouble } from "../../model/delivery.ts";
import {
  ACTIVITY_MINUTES,
  type DeliveryRecord,
  type LaneActivity,
  type LanePage,
  type LaneStats,
} from "../../model/lane.ts";
import type { Segment } from "./chunk.ts";
import { RECEIPT_RETENTION } from "./schema.ts";

/** Receipts kept at most, so that a very busy lane stays far from its 10 GB; the oldest go first. */
const MAX_RECEIPTS = 200_000;
/** What `/stats` looks back on. */
const STATS_WINDOW: DurationMs = hours(24);

/** One request to the provider and what it came to, for the record. */
export interface Attempt {
  readonly at: EpochMs;
  readonly outcome: OutcomeKind | "parked";
  readonly trouble: Trouble | null;
  readonly words: ProviderWords;
  readonly events: number;
  readonly bytes: number;
  readonly latency: DurationMs;
  readonly retryAt: EpochMs | null;
  readonly maybeTaken: boolean;
  /** Everything that the request carried. */
  readonly manifest: readonly Segment[];
  /** What of it the provider has taken. */
  readonly delivered: readonly Segment[];
  /** Events set aside as a consequence. */
  readonly parked: number;
  /** Of the oldest event that it carried. */
  readonly acceptedAt: EpochMs;
  /** What was delivered counts only once the provider has confirmed it. */
  readonly awaitsAck: boolean;
}

/** Monotonic counts since the lane was made; what was taken follows from them and from what still waits. */
export interface Totals {
  readonly delivered: number;
  readonly retried: number;
  readonly parked: number;
  readonly replayed: number;
  readonly discarded: number;
  readonly attempts: number;
  readonly possibleDuplicates: number;
}

const NO_TOTALS: Totals = {
  delivered: 0,
  retried: 0,
  parked: 0,
  replayed: 0,
  discarded: 0,
  attempts: 0,
  possibleDuplicates: 0,
};

interface Minute {
  readonly minute: EpochMs;
  readonly delivered: number;
  readonly retried: number;
  readonly dead: number;
  readonly latencies: Histogram;
}

/**
 * The record of what was tried: one row a request (the receipt of what it delivered), one row a minute.
 * The minute's row also carries the running totals, so that counting costs no row of its own.
 */
export class Ledger {
  readonly #sql: SqlStorage;
  #minute: Minute;
  #totals: Totals;
  #nextId: number;
  #lastDeliveredAt: EpochMs | null;
  #hasHistory: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const row = sql.exec("SELECT * FROM minutes ORDER BY minute DESC LIMIT 1").toArray()[0];
    this.#minute = row === undefined ? emptyMinute(0) : readMinute(row);
    this.#totals =
      row === undefined ? NO_TOTALS : { ...NO_TOTALS, ...(JSON.parse(String(row["totals"])) as Totals) };
    this.#nextId = 1 + Number(sql.exec("SELECT MAX(id) AS last FROM deliveries").one()["last"] ?? 0);
    const last = sql
      .exec("SELECT at FROM deliveries WHERE delivered > 0 ORDER BY id DESC LIMIT 1")
      .toArray()[0];
    this.#hasHistory = this.#hasOldReceipts();
    this.#lastDeliveredAt = last === undefined ? null : Number(last["at"]);
  }

  get totals(): Totals {
    return this.#totals;
  }

  get lastDeliveredAt(): EpochMs | null {
    return this.#lastDeliveredAt;
  }

  /** Is there anything that will be too old one day? */
  get hasHistory(): boolean {
    return this.#hasHistory;
  }

  /** @returns the receipt's id */
  record(attempt: Attempt): number {
    const delivered = countOf(attempt.delivered);
    const whole = delivered === attempt.events;
    this.#sql.exec(
      `INSERT INTO deliveries (id, accepted_at, at, outcome, trouble, events, delivered, bytes, http_status, code, message, latency,
         retry_at, maybe_taken, ack, manifest, settled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[
        this.#nextId,
        attempt.acceptedAt,
        attempt.at,
        attempt.outcome,
        attempt.trouble,
        attempt.events,
        delivered,
        attempt.bytes,
      ],
      ...[attempt.words.httpStatus, attempt.words.code === null ? null : String(attempt.words.code)],
      ...[attempt.words.message, attempt.latency, attempt.retryAt, attempt.maybeTaken ? 1 : 0],
      attempt.awaitsAck ? "pending" : null,
      ...[
        JSON.stringify(attempt.manifest),
        whole || delivered === 0 ? null : JSON.stringify(attempt.delivered),
      ],
    );
    this.#nextId += 1;
    this.#hasHistory = true;
    const confirmed = attempt.awaitsAck ? 0 : delivered;
    if (confirmed > 0) this.#lastDeliveredAt = attempt.at;
    const retried =
      attempt.outcome === "retry" || attempt.outcome === "hold" ? attempt.events - delivered : 0;
    const requests = attempt.outcome === "parked" ? 0 : 1;
    this.#count(attempt.at, {
      delivered: confirmed,
      retried,
      parked: attempt.parked,
      attempts: requests,
      possibleDuplicates: attempt.maybeTaken ? attempt.events : 0,
      latency: attempt.at - attempt.acceptedAt,
    });
    return this.#nextId - 1;
  }

  /**
   * The last word on a receipt that awaited confirmation. `accepted`: the provider does not confirm any more;
   * `lost`: it never did, and the events are sent again, so that they may be there twice, which the receipt says too.
   */
  acknowledge(deliveryId: number, as: "indexed" | "accepted" | "lost", at: EpochMs): void {
    const row = this.#sql
      .exec("SELECT accepted_at, delivered FROM deliveries WHERE id = ?", deliveryId)
      .toArray()[0];
    this.#sql.exec(
      "UPDATE deliveries SET ack = ?, acked_at = ?, maybe_taken = maybe_taken OR ? WHERE id = ?",
      ...[as, at, as === "lost" ? 1 : 0, deliveryId],
    );
    if (row === undefined) return; // pruned meanwhile
    const events = Number(row["delivered"]);
    if (as === "lost") {
      this.#count(at, { retried: events, possibleDuplicates: events });
      return;
    }
    this.#lastDeliveredAt = at;
    this.#count(at, { delivered: events, latency: at - Number(row["accepted_at"]) });
  }

  countReplayed(at: EpochMs, replayed: number): void {
    this.#count(at, { replayed });
  }

  countDiscarded(at: EpochMs, discarded: number): void {
    this.#count(at, { discarded });
  }

  /** Newest first. */
  page(before: number | null, limit: number): LanePage<DeliveryRecord> {
    const rows = this.#sql
      .exec(
        "SELECT * FROM deliveries WHERE id < ? ORDER BY id DESC LIMIT ?",
        before ?? Number.MAX_SAFE_INTEGER,
        limit + 1,
      )
      .toArray();
    const last = rows[limit - 1];
    return {
      items: rows.slice(0, limit).map(readDelivery),
      next: rows.length > limit && last !== undefined ? Number(last["id"]) : null,
    };
  }

  stats(now: EpochMs): LaneStats {
    const rows = this.#minutesAfter(now - STATS_WINDOW);
    return {
      minutes: rows.map(({ minute, delivered, retried, dead }) => ({ at: minute, delivered, retried, dead })),
      ...latenciesOf(rows),
    };
  }

  activity(now: EpochMs): LaneActivity {
    const first = now - (now % minutes(1)) - minutes(ACTIVITY_MINUTES - 1);
    const rows = this.#minutesAfter(first - 1);
    const perMinute = new Array<number>(ACTIVITY_MINUTES).fill(0);
    for (const { minute, delivered } of rows) {
      const place = (minute - first) / minutes(1);
      if (place < ACTIVITY_MINUTES) perMinute[place] = delivered; // a clock set back leaves minutes of the future
    }
    return { perMinute, ...latenciesOf(rows) };
  }

  #minutesAfter(at: EpochMs): Minute[] {
    return this.#sql
      .exec("SELECT * FROM minutes WHERE minute > ? ORDER BY minute", at)
      .toArray()
      .map(readMinute);
  }

  /** Receipts that mention a batch. Reads every receipt of a week: for a person who asks, not for the hot path. */
  receiptsOf(batchId: string): {
    readonly accepted: number;
    readonly indexed: number;
    readonly indexedAt: EpochMs | null;
    readonly attempts: number;
    readonly lastAttemptAt: EpochMs | null;
    readonly acceptedAt: EpochMs | null;
    /** When the first of it was accepted from the producer. */
    readonly bufferedAt: EpochMs | null;
  } {
    const fate = {
      accepted: 0,
      indexed: 0,
      indexedAt: null as EpochMs | null,
      attempts: 0,
      lastAttemptAt: null as EpochMs | null,
      acceptedAt: null as EpochMs | null,
      bufferedAt: null as EpochMs | null,
    };
    const rows = this.#sql.exec(
      "SELECT accepted_at, at, outcome, ack, acked_at, delivered, manifest, settled FROM deliveries WHERE instr(manifest, ?) > 0 ORDER BY id",
      JSON.stringify(batchId),
    );
    for (const row of rows) {
      const at = Number(row["at"]);
      for (const [id, , , bufferedAt = Number(row["accepted_at"])] of readSegments(row["manifest"])) {
        if (id === batchId) fate.bufferedAt = Math.min(fate.bufferedAt ?? at, bufferedAt);
      }
      if (row["outcome"] !== "parked") {
        fate.attempts += 1;
        fate.lastAttemptAt = at;
      }
      if (Number(row["delivered"]) === 0 || row["ack"] === "lost") continue;
      const settled = readSegments(row["settled"] ?? row["manifest"]).filter(([id]) => id === batchId);
      if (settled.length === 0) continue;
      fate.acceptedAt = at;
      if (row["ack"] !== "indexed") fate.accepted += countOf(settled);
      else {
        fate.indexed += countOf(settled);
        fate.indexedAt = Number(row["acked_at"]);
      }
    }
    return fate;
  }

  /** What the last `limit` requests since a moment carried, oldest first: the memory of what has been taken. */
  *carriedSince(since: EpochMs, limit: number): Iterable<Segment> {
    const rows = this.#sql.exec(
      `SELECT manifest FROM (SELECT id, manifest FROM deliveries WHERE at > ? ORDER BY id DESC LIMIT ?) ORDER BY id`,
      since,
      limit,
    );
    for (const row of rows) yield* readSegments(row["manifest"]);
  }

  /** Forgets receipts and minutes that are too old or too many. */
  prune(now: EpochMs): void {
    this.#sql.exec(
      `DELETE FROM deliveries WHERE (at < ? OR id < ?) AND id < ?
         AND id IS NOT (SELECT MAX(id) FROM deliveries WHERE delivered > 0)`,
      now - RECEIPT_RETENTION,
      this.#nextId - MAX_RECEIPTS,
      this.#nextId - 1, // the last one stays, and the last that delivered: they say when that was
    );
    this.#sql.exec(
      "DELETE FROM minutes WHERE minute < ? AND minute <> ?",
      now - STATS_WINDOW,
      this.#minute.minute,
    );
    this.#hasHistory = this.#hasOldReceipts();
  }

  /** Besides the receipts that always stay. */
  #hasOldReceipts(): boolean {
    const rows = this.#sql.exec(
      `SELECT id FROM deliveries WHERE id < (SELECT MAX(id) FROM deliveries)
         AND id IS NOT (SELECT MAX(id) FROM deliveries WHERE delivered > 0) LIMIT 1`,
    );
    return rows.toArray().length > 0;
  }

  #count(at: EpochMs, more: Partial<Totals> & { readonly latency?: DurationMs }): void {
    // A clock that steps back goes on counting in the present minute: an earlier row would hide the totals of the latest.
    const minute = Math.max(this.#minute.minute, at - (at % minutes(1)));
    const current = this.#minute.minute === minute ? this.#minute : emptyMinute(minute);
    const { latency, ...counts } = more;
    const delivered = counts.delivered ?? 0;
    this.#minute = {
      minute,
      delivered: current.delivered + delivered,
      retried: current.retried + (counts.retried ?? 0),
      dead: current.dead + (counts.parked ?? 0),
      latencies:
        delivered > 0 && latency !== undefined
          ? add(current.latencies, latency, delivered)
          : current.latencies,
    };
    const sum = (name: keyof Totals): number => this.#totals[name] + (counts[name] ?? 0);
    this.#totals = {
      delivered: sum("delivered"),
      retried: sum("retried"),
      parked: sum("parked"),
      replayed: sum("replayed"),
      discarded: sum("discarded"),
      attempts: sum("attempts"),
      possibleDuplicates: sum("possibleDuplicates"),
    };
    this.#sql.exec(
      "INSERT OR REPLACE INTO minutes (minute, delivered, retried, dead, latencies, totals) VALUES (?, ?, ?, ?, ?, ?)",
      ...[minute, this.#minute.delivered, this.#minute.retried, this.#minute.dead],
      ...[JSON.stringify(this.#minute.latencies), JSON.stringify(this.#totals)],
    );
  }
}

function countOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, [, , count]) => sum + count, 0);
}

function readSegments(text: unknown): readonly Segment[] {
  return JSON.parse(String(text)) as readonly Segment[]; // written by `record` alone
}

function emptyMinute(minute: EpochMs): Minute {
  return { minute, delivered: 0, retried: 0, dead: 0, latencies: {} };
}

function latenciesOf(rows: readonly Minute[]): Pick<LaneStats, "p50" | "p95" | "latencies"> {
  const latencies = together(rows.map((row) => row.latencies));
  return { p50: percentile([latencies], 0.5), p95: percentile([latencies], 0.95), latencies };
}

function readMinute(row: Record<string, SqlStorageValue>): Minute {
  return {
    minute: Number(row["minute"]),
    delivered: Number(row["delivered"]),
    retried: Number(row["retried"]),
    dead: Number(row["dead"]),
    latencies: JSON.parse(String(row["latencies"])) as Histogram, // written by `#count` alone
  };
}

function readDelivery(row: Record<string, SqlStorageValue>): DeliveryRecord {
  return {
    id: Number(row["id"]),
    at: Number(row["at"]),
    outcome: row["outcome"] as DeliveryRecord["outcome"], // written by `record` alone, like `trouble`
    trouble: row["trouble"] as DeliveryRecord["trouble"],
    events: Number(row["events"]),
    delivered: Number(row["delivered"]),
    bytes: Number(row["bytes"]),
    httpStatus: row["http_status"] === null ? null : Number(row["http_status"]),
    providerCode: row["code"] === null ? null : String(row["code"]),
    message: String(row["message"]),
    latency: Number(row["latency"]),
    retryAt: row["retry_at"] === null ? null : Number(row["retry_at"]),
    maybeTaken: Number(row["maybe_taken"]) === 1,
    acknowledgement: row["ack"] as DeliveryRecord["acknowledgement"], // written by `record` and `acknowledge` alone
  };
}
