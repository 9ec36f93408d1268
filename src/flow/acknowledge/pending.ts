import { type DurationMs, type EpochMs, seconds } from "../../base/clock.ts";
import type { Session } from "../../model/provider.ts";

/** First question after sending, and the longest pause between questions; Splunk mostly answers after a second. */
const FIRST_POLL: DurationMs = seconds(1);
const SLOWEST_POLL: DurationMs = seconds(10);
/** Requests that may wait for acknowledgement before nothing more is sent: far below Splunk's own limit of a million ids. */
export const MAX_PENDING = 500;

/** A request that the provider has taken and not yet confirmed. */
export interface Pending {
  readonly id: number;
  readonly session: Session;
  readonly ackId: number;
  /** The receipt that it will complete. */
  readonly deliveryId: number;
  readonly sentAt: EpochMs;
  readonly polls: number;
  /** How often "yes" was told for its channel and ackId. */
  readonly told: number;
}

/** When to ask again: after 1 s, then each time later, up to every 10 s. */
export function pollDelay(polls: number): DurationMs {
  return Math.min(SLOWEST_POLL, FIRST_POLL * 2 ** polls);
}

/** Requests awaiting acknowledgement, in the lane's SQLite: an eviction or a restart forgets none. */
export class PendingAcks {
  readonly #sql: SqlStorage;
  #count: number;
  #nextId: number;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const row = sql.exec("SELECT COUNT(*) AS count, MAX(id) AS last FROM pending_acks").one();
    this.#count = Number(row["count"]);
    this.#nextId = Number(row["last"] ?? 0) + 1;
  }

  get count(): number {
    return this.#count;
  }

  /** @returns the id under which the events wait */
  add(request: { session: Session; ackId: number; deliveryId: number; sentAt: EpochMs }): number {
    const { session, ackId, deliveryId, sentAt } = request;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#count += 1;
    this.#sql.exec(
      `INSERT INTO pending_acks (id, channel, cookie, ack_id, delivery_id, sent_at, next_poll_at, polls, told)
       VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)`,
      ...[id, session.channel, session.cookie, ackId, deliveryId, sentAt, sentAt + FIRST_POLL],
    );
    return id;
  }

  /** Another request that waits for the same ackId where this one would be asked. */
  hasTwin({ channel, cookie }: Session, ackId: number): boolean {
    const rows = this.#sql.exec(
      "SELECT id FROM pending_acks WHERE channel IS ? AND cookie IS ? AND ack_id = ? LIMIT 1",
      ...[channel, cookie, ackId],
    );
    return rows.toArray().length > 0;
  }

  /**
   * "Yes" for an ackId. Usually one request waits for it. Where several machines gave the same ackId on the same channel,
   * each tells its own "yes" once, and nobody knows whose it was: only as many as there are requests confirm them all.
   * The cookie makes no difference here: a balancer leads the cookie of a machine that is gone to another one.
   *
   * @returns the requests that are confirmed by it
   */
  tell({ channel }: Session, ackId: number): readonly Pending[] {
    const same = [channel, ackId] as const;
    const where = "channel IS ? AND ack_id = ?";
    this.#sql.exec(`UPDATE pending_acks SET told = told + 1 WHERE ${where}`, ...same);
    const twins = this.#sql
      .exec(`SELECT * FROM pending_acks WHERE ${where}`, ...same)
      .toArray()
      .map(readPending);
    return twins.every(({ told }) => told >= twins.length) ? twins : [];
  }

  /** The other requests that wait for the same ackId on the same channel. */
  twinsOf({ id, session, ackId }: Pending): readonly Pending[] {
    return this.#sql
      .exec(
        "SELECT * FROM pending_acks WHERE channel IS ? AND ack_id = ? AND id <> ?",
        ...[session.channel, ackId, id],
      )
      .toArray()
      .map(readPending);
  }

  /** All that can be asked together with those due now, by session. */
  due(now: EpochMs): readonly { readonly session: Session; readonly requests: readonly Pending[] }[] {
    const groups = new Map<string, Pending[]>();
    for (const one of this.all()) {
      const key = JSON.stringify([one.session.channel, one.session.cookie]);
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    const dueKeys = new Set(this.#dueIds(now));
    return [...groups.values()]
      .filter((group) => group.some(({ id }) => dueKeys.has(id)))
      .flatMap((group) => (group[0] === undefined ? [] : [{ session: group[0].session, requests: group }]));
  }

  /** Those sent at or before a moment: lost by now. */
  sentUntil(until: EpochMs): readonly Pending[] {
    return this.#sql
      .exec("SELECT * FROM pending_acks WHERE sent_at <= ? ORDER BY id", until)
      .toArray()
      .map(readPending);
  }

  postpone(requests: readonly Pending[], now: EpochMs): void {
    for (const { id, polls } of requests) {
      this.#sql.exec(
        "UPDATE pending_acks SET polls = polls + 1, next_poll_at = ? WHERE id = ?",
        now + pollDelay(polls + 1),
        id,
      );
    }
  }

  remove({ id }: Pending): void {
    this.#sql.exec("DELETE FROM pending_acks WHERE id = ?", id);
    this.#count -= 1;
  }

  all(): readonly Pending[] {
    return this.#sql.exec("SELECT * FROM pending_acks ORDER BY id").toArray().map(readPending);
  }

  /** When somebody has to be asked, or the earliest is lost; null when nothing is pending. */
  wakeAt(timeout: DurationMs): EpochMs | null {
    if (this.#count === 0) return null;
    const row = this.#sql
      .exec("SELECT MIN(next_poll_at) AS poll, MIN(sent_at) AS sent FROM pending_acks")
      .one();
    return Math.min(Number(row["poll"]), Number(row["sent"]) + timeout);
  }

  #dueIds(now: EpochMs): readonly number[] {
    return this.#sql
      .exec("SELECT id FROM pending_acks WHERE next_poll_at <= ?", now)
      .toArray()
      .map((row) => Number(row["id"]));
  }
}

function readPending(row: Record<string, SqlStorageValue>): Pending {
  const text = (value: SqlStorageValue | undefined): string | null =>
    typeof value === "string" ? value : null;
  return {
    id: Number(row["id"]),
    session: { channel: text(row["channel"]), cookie: text(row["cookie"]) },
    ackId: Number(row["ack_id"]),
    deliveryId: Number(row["delivery_id"]),
    sentAt: Number(row["sent_at"]),
    polls: Number(row["polls"]),
    told: Number(row["told"]),
  };
}
