import type { EpochMs } from "../../base/clock.ts";
import { ID_PREFIX } from "../../base/ids.ts";
import type { ProviderWords } from "../../model/delivery.ts";
import { fromLine, toLine } from "../../model/event.ts";
import type { BatchPart, DeadLetter, DeadLetterSelection, LanePage, ParkReason } from "../../model/lane.ts";
import { packLines } from "../../model/lines.ts";
import { type Segment, segmentAt } from "./chunk.ts";
import type { TakenChunk } from "./outbox.ts";

/** Dead letters that one replay or discard handles before it goes on with the next; bounds a call's memory. */
const PAGE = 1_000;

export interface Parking {
  readonly reason: ParkReason;
  readonly words: ProviderWords;
}

/**
 * Events that will not be retried by themselves: one row each, with the reason, the provider's own words and the whole
 * event, so that a person can read it, mend the cause and replay it.
 */
export class DeadLetters {
  readonly #sql: SqlStorage;
  #count: number;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#count = Number(sql.exec("SELECT COUNT(*) AS count FROM dead_letters").one()["count"]);
  }

  get count(): number {
    return this.#count;
  }

  /** Parks the events of a chunk for which `why` gives a reason. @returns how many */
  park(chunk: TakenChunk, now: EpochMs, why: (position: number) => Parking | null): number {
    let parked = 0;
    for (const [position, event] of chunk.events.entries()) {
      const parking = why(position);
      if (parking === null) continue;
      const { reason, words } = parking;
      const [batchId, part] = segmentAt(chunk.manifest, position);
      this.#sql.exec(
        `INSERT INTO dead_letters (batch_id, part, reason, message, http_status, code, attempts, accepted_at, parked_at, event_id, line)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[batchId, part, reason, words.message, words.httpStatus],
        ...[words.code === null ? null : String(words.code), chunk.attempts, chunk.acceptedAt, now],
        ...[event.id, toLine(event)],
      );
      parked += 1;
    }
    this.#count += parked;
    return parked;
  }

  /** Newest first. */
  page(before: number | null, limit: number): LanePage<DeadLetter> {
    const rows = this.#sql
      .exec(
        "SELECT * FROM dead_letters WHERE id < ? ORDER BY id DESC LIMIT ?",
        before ?? Number.MAX_SAFE_INTEGER,
        limit + 1,
      )
      .toArray();
    const items = rows.slice(0, limit).map(readDeadLetter);
    const last = rows[limit - 1];
    return { items, next: rows.length > limit && last !== undefined ? Number(last["id"]) : null };
  }

  /** Takes the selected ones out, oldest first and a page at a time, and hands each page to `use`. @returns how many */
  takeOut(selection: DeadLetterSelection, use: (parts: readonly BatchPart[]) => void, now: EpochMs): number {
    const { where, bindings } = condition(selection);
    let total = 0;
    for (;;) {
      const rows = this.#sql
        .exec(
          `SELECT id, batch_id, part, line FROM dead_letters WHERE ${where} ORDER BY id LIMIT ${PAGE}`,
          ...bindings,
        )
        .toArray();
      if (rows.length === 0) return total;
      use(asParts(rows, now));
      for (const row of rows) this.#sql.exec("DELETE FROM dead_letters WHERE id = ?", row["id"] ?? null);
      this.#count -= rows.length;
      total += rows.length;
    }
  }

  /** Counts of one batch by reason, and when the last of it was parked. */
  fate(batchId: string): {
    readonly parked: number;
    readonly expired: number;
    readonly parkedAt: EpochMs | null;
  } {
    const row = this.#sql
      .exec(
        `SELECT COUNT(*) AS total, COUNT(*) FILTER (WHERE reason = 'expired') AS expired, MAX(parked_at) AS at
         FROM dead_letters WHERE batch_id = ?`,
        batchId,
      )
      .one();
    const expired = Number(row["expired"]);
    return {
      parked: Number(row["total"]) - expired,
      expired,
      parkedAt: row["at"] === null ? null : Number(row["at"]),
    };
  }

  /** Batch parts that have dead letters. */
  *parts(): Iterable<Segment> {
    for (const row of this.#sql.exec("SELECT DISTINCT batch_id, part FROM dead_letters")) {
      yield [String(row["batch_id"]), Number(row["part"]), 0];
    }
  }
}

/** Lists travel as JSON, because a statement takes at most 100 values. */
function condition(selection: DeadLetterSelection): { where: string; bindings: (string | number)[] } {
  if ("all" in selection) return { where: "1", bindings: [] };
  if ("ids" in selection) {
    const [letters, events] = [[] as number[], [] as string[]];
    for (const id of selection.ids) {
      const letter = /^dl_([1-9]\d{0,14})$/.exec(id)?.[1];
      if (letter === undefined) events.push(id);
      else letters.push(Number(letter));
    }
    const where = "(id IN (SELECT value FROM json_each(?)) OR event_id IN (SELECT value FROM json_each(?)))";
    return { where, bindings: [JSON.stringify(letters), JSON.stringify(events)] };
  }
  const from = selection.from === undefined ? 0 : Date.parse(selection.from);
  const to = selection.to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(selection.to);
  return { where: "parked_at >= ? AND parked_at < ?", bindings: [from, to] };
}

/** Rows as parts that are accepted now: a replay has its own day to be delivered in, and keeps the batch it came from. */
function asParts(rows: readonly Record<string, SqlStorageValue>[], now: EpochMs): readonly BatchPart[] {
  const parts: { batchId: string; part: number; acceptedAt: EpochMs; lines: string[] }[] = [];
  for (const row of rows) {
    const [batchId, part, line] = [String(row["batch_id"]), Number(row["part"]), String(row["line"])];
    const last = parts[parts.length - 1];
    if (last !== undefined && last.batchId === batchId && last.part === part) last.lines.push(line);
    else parts.push({ batchId, part, acceptedAt: now, lines: [line] });
  }
  return parts.map((part) => ({ ...part, lines: packLines(part.lines) }));
}

function readDeadLetter(row: Record<string, SqlStorageValue>): DeadLetter {
  const event = fromLine(String(row["line"]));
  return {
    id: `${ID_PREFIX.deadLetter}${String(row["id"])}`,
    eventId: event.id,
    batchId: String(row["batch_id"]),
    action: event.action,
    reason: row["reason"] as ParkReason, // written by `park` alone
    message: String(row["message"]),
    httpStatus: row["http_status"] === null ? null : Number(row["http_status"]),
    providerCode: row["code"] === null ? null : String(row["code"]),
    attempts: Number(row["attempts"]),
    acceptedAt: Number(row["accepted_at"]),
    parkedAt: Number(row["parked_at"]),
    event: event.json,
  };
}
