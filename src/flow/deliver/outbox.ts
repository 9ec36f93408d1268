import type { DurationMs, EpochMs } from "../../base/clock.ts";
import { fromLine, type RelayEvent } from "../../model/event.ts";
import { type Lines, packEvents, unpackLines } from "../../model/lines.ts";
import { type NewChunk, type Segment, sliceManifest } from "./chunk.ts";
import { DELIVERY_WINDOW, IS_LATE } from "./schema.ts";

/** Row ids are this far apart, so that the halves of a row that is cut again and again keep their place in the order. */
const ID_STEP = 2 ** 20;

/** A row of the outbox that is about to travel. */
export interface TakenChunk {
  readonly id: number;
  readonly acceptedAt: EpochMs;
  readonly attempts: number;
  readonly manifest: readonly Segment[];
  readonly events: readonly RelayEvent[];
  /** UTF-8 bytes of its lines before compression. */
  readonly bytes: number;
}

/**
 * What a row takes of a body at the most: its lines have some 80 bytes an event that are not sent. Counting what is sent
 * would take a thirtieth of all that an event costs.
 */
export function bodyBytes(chunk: TakenChunk, envelopeBytes: TakeLimits["envelopeBytes"]): number {
  return chunk.events.reduce((sum, event) => sum + envelopeBytes(event), chunk.bytes);
}

/** What becomes of an event after an answer. */
export type Fate = "waits" | "gone" | "awaits";

export interface TakeLimits {
  readonly events: number;
  /** Encoded bytes; a chunk that exceeds it alone is taken alone. */
  readonly bytes: number;
  /** Bytes that encoding adds to one event's JSON. */
  readonly envelopeBytes: (event: RelayEvent) => number;
  /** Rows that travel already. */
  readonly exclude: ReadonlySet<number>;
  /** How old the provider takes an event, by its own time; null where it takes any age. */
  readonly maxAge: DurationMs | null;
}

/** In place of what a row awaits: nobody can read it. Ids of what is awaited count from 1. */
const UNREADABLE = -1;

/** What has to be known of a row to choose it. */
interface Head {
  readonly id: number;
  readonly group: number | null;
  readonly acceptedAt: EpochMs;
  readonly firstEventAt: EpochMs;
  readonly events: number;
  readonly bytes: number;
}

const HEAD = "SELECT id, in_group, accepted_at, first_event_at, events, bytes FROM outbox";
const OF_GROUP = `${HEAD} INDEXED BY outbox_groups WHERE in_group = ? AND awaiting IS NULL ORDER BY id`;

/** A query for heads behind a given one, at most as many as its last binding says. */
interface Order {
  readonly query: string;
  /** Its bindings before that; null: from the first. */
  readonly behind: (head: Head | null) => readonly number[];
}

const IN_TURN: Order = {
  query: `${HEAD} WHERE awaiting IS NULL AND id > ? ORDER BY id LIMIT ?`,
  behind: (head) => [head?.id ?? Number.MIN_SAFE_INTEGER],
};
const LATE_FIRST: Order = {
  query: `${HEAD} INDEXED BY outbox_late WHERE ${IS_LATE} AND awaiting IS NULL AND (first_event_at, id) > (?, ?)
    ORDER BY first_event_at, id LIMIT ?`,
  behind: (head) => [head?.firstEventAt ?? Number.MIN_SAFE_INTEGER, head?.id ?? Number.MIN_SAFE_INTEGER],
};

/**
 * Heads that are read first: a row is as large as the usual request, so that one is taken and the next one does not fit.
 * Where rows are smaller, twice as many each time, so that hardly more are read than are needed.
 */
const FIRST_HEADS = 2;

/**
 * The durable store of what one destination is owed: every query over waiting events is here.
 *
 * All methods are synchronous, and statements without an `await` between them commit together.
 *
 * Every query is read to its end. One that is left before it stays open until the collector finds it, and as long as any
 * is open SQLite cannot begin its write-ahead log anew: it grew by 4 MB a second (23,000 events/s, 2026-11).
 */
export class Outbox {
  readonly #sql: SqlStorage;
  readonly #complain: (error: unknown) => void;
  #nextId: number;
  #events: number;
  #bytes: number;

  /** @param complain told of a row that cannot be read; it is a bug, and nothing of the row is lost */
  constructor(sql: SqlStorage, complain: (error: unknown) => void = () => undefined) {
    this.#sql = sql;
    this.#complain = complain;
    sql.exec("UPDATE outbox SET awaiting = NULL WHERE awaiting = ?", UNREADABLE);
    const row = sql
      .exec("SELECT MAX(id) AS last, SUM(events) AS events, SUM(bytes) AS bytes FROM outbox")
      .one();
    this.#nextId = Number(row["last"] ?? 0) + ID_STEP;
    this.#events = Number(row["events"] ?? 0);
    this.#bytes = Number(row["bytes"] ?? 0);
  }

  /** Events that wait or travel. */
  get events(): number {
    return this.#events;
  }

  /** Their stored bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest of them was accepted. Reads every row's head: not for the hot path. */
  oldestAt(): EpochMs | null {
    const oldest = this.#sql.exec("SELECT MIN(accepted_at) AS oldest FROM outbox").one()["oldest"];
    return oldest === null ? null : Number(oldest);
  }

  /** When the earliest of them happened, by the producers' clocks. Reads every row's head, like `oldestAt`. */
  oldestEventAt(): EpochMs | null {
    const oldest = this.#sql.exec("SELECT MIN(first_event_at) AS oldest FROM outbox").one()["oldest"];
    return oldest === null ? null : Number(oldest);
  }

  /** When the first of those that nobody has taken was accepted: nearly always the oldest, and one row to read. */
  headAt(): EpochMs | null {
    const head = this.#sql
      .exec("SELECT accepted_at FROM outbox WHERE awaiting IS NULL ORDER BY id LIMIT 1")
      .toArray()[0];
    return head === undefined ? null : Number(head["accepted_at"]);
  }

  append(chunks: readonly NewChunk[]): void {
    for (const chunk of chunks) {
      this.#insert(this.#nextId, chunk, { attempts: 0, group: null });
      this.#nextId += ID_STEP;
    }
  }

  /**
   * The rows that fit into one request, those that expire first; null when nothing is left to take.
   * Rows of a group (the half of a refused request) travel together and with nobody else.
   */
  take(limits: TakeLimits): readonly TakenChunk[] | null {
    const heads = this.#choose(limits);
    if (heads.length === 0) return null;
    const isGrouped = heads[0]?.group !== null;
    const taken: TakenChunk[] = [];
    let events = 0;
    let bytes = 0;
    for (const { id } of heads) {
      // One by one: lines that do not fit are not read.
      const [row] = this.#sql.exec("SELECT * FROM outbox WHERE id = ?", id).toArray();
      const chunk = row === undefined ? null : this.#read(row);
      if (chunk === null) continue;
      events += chunk.events.length;
      bytes += bodyBytes(chunk, limits.envelopeBytes);
      if (taken.length > 0 && !isGrouped && (events > limits.events || bytes > limits.bytes)) break;
      taken.push(chunk);
    }
    return taken.length > 0 ? taken : this.take(limits); // all of them were unreadable, and are out of the way now
  }

  /**
   * A row that cannot be read must not stop those behind it: it is set aside until the lane starts again, perhaps with a
   * version of the relay that can.
   */
  #read(row: Record<string, SqlStorageValue>): TakenChunk | null {
    try {
      return readChunk(row);
    } catch (error) {
      this.#setAwaiting(Number(row["id"]), UNREADABLE);
      this.#complain(error);
      return null;
    }
  }

  /** Chooses by the rows' heads alone, so that the lines of rows that do not fit are hardly ever read. */
  #choose({ events, bytes, exclude, maxAge }: TakeLimits): readonly Head[] {
    const order = this.#isLateFirst(exclude, maxAge) ? LATE_FIRST : IN_TURN;
    const chosen: Head[] = [];
    let totalEvents = 0;
    let totalBytes = 0;
    for (const head of this.#heads(order, exclude)) {
      const isFirst = chosen.length === 0;
      if (head.group !== null) return isFirst ? this.#groupOf(head.group, exclude) : chosen;
      totalEvents += head.events;
      totalBytes += head.bytes;
      if (!isFirst && (totalEvents > events || totalBytes > bytes)) break;
      chosen.push(head);
    }
    return chosen;
  }

  /**
   * Is the row with the oldest late event nearer to loss than the row whose turn it is?
   *
   * Rows lie in the order in which they were accepted, and where the provider takes any age that is the order in which
   * they expire. Where it does not, a row whose events were old when they came can expire before everything in front
   * of it. Two rows to read; no other late row can come before both.
   */
  #isLateFirst(exclude: ReadonlySet<number>, maxAge: DurationMs | null): boolean {
    if (maxAge === null) return false;
    const late = this.#firstOf(LATE_FIRST, exclude);
    const next = this.#firstOf(IN_TURN, exclude);
    if (late === undefined || next === undefined) return false;
    const lostAt = ({ acceptedAt, firstEventAt: eventAt }: Head): EpochMs =>
      Math.min(acceptedAt + DELIVERY_WINDOW, eventAt + maxAge);
    return lostAt(late) < lostAt(next);
  }

  /** May be left before its end: it asks for a page after another, and each query is done with at once. */
  *#heads(order: Order, exclude: ReadonlySet<number>): Iterable<Head> {
    let last: Head | null = null;
    let skipped = exclude.size;
    for (let wanted = FIRST_HEADS; ; wanted *= 2) {
      const page: readonly Head[] = this.#page(order, last, wanted + skipped);
      for (const head of page) if (!exclude.has(head.id)) yield head;
      if (page.length < wanted + skipped) return;
      last = page[page.length - 1] ?? null;
      skipped = 0;
    }
  }

  #firstOf(order: Order, exclude: ReadonlySet<number>): Head | undefined {
    return this.#page(order, null, exclude.size + 1).find(({ id }) => !exclude.has(id));
  }

  #page({ query, behind }: Order, head: Head | null, most: number): readonly Head[] {
    return this.#sql
      .exec(query, ...behind(head), most)
      .toArray()
      .map(readHead);
  }

  #groupOf(group: number, exclude: ReadonlySet<number>): readonly Head[] {
    const heads = this.#sql.exec(OF_GROUP, group).toArray().map(readHead);
    return heads.filter(({ id }) => !exclude.has(id));
  }

  /**
   * Does with each event of the chunks what its entry in `fates` says: `gone` is forgotten, `waits` stays in its place,
   * `awaits` is set aside until the provider confirms it.
   *
   * @param pendingId under which awaiting events are completed or released
   */
  settle(chunks: readonly TakenChunk[], fates: readonly Fate[], pendingId: number | null = null): void {
    let at = 0;
    for (const chunk of chunks) {
      const own = fates.slice(at, at + chunk.events.length);
      at += chunk.events.length;
      const waits = own.map((fate) => fate === "waits");
      const awaits = own.map((fate) => fate === "awaits");
      if (waits.every(Boolean)) continue;
      if (!awaits.some(Boolean)) this.#keepOnly(chunk, waits);
      else if (waits.some(Boolean)) {
        const id = this.#copy(chunk, awaits, null);
        this.#keepOnly(chunk, waits);
        this.#setAwaiting(id, pendingId);
      } else {
        this.#keepOnly(chunk, awaits);
        this.#setAwaiting(chunk.id, pendingId);
      }
    }
  }

  /** Forgets all of it. */
  remove(chunks: readonly TakenChunk[]): void {
    for (const chunk of chunks) this.#delete(chunk);
  }

  /** The provider has confirmed them: forgotten. */
  complete(pendingId: number): void {
    for (const chunk of this.#awaiting(pendingId)) this.#delete(chunk);
  }

  /** The provider never confirmed them: they wait again, in their place. */
  release(pendingId: number): void {
    this.#sql.exec(
      "UPDATE outbox SET awaiting = NULL, in_group = NULL, attempts = attempts + 1 WHERE awaiting = ?",
      pendingId,
    );
  }

  #awaiting(pendingId: number): readonly TakenChunk[] {
    return this.#sql.exec("SELECT * FROM outbox WHERE awaiting = ?", pendingId).toArray().map(readChunk);
  }

  /** Notes one more failed attempt. */
  countAttempt(chunks: readonly TakenChunk[]): void {
    for (const { id } of chunks) this.#sql.exec("UPDATE outbox SET attempts = attempts + 1 WHERE id = ?", id);
  }

  /** Makes two groups of a refused request, so that each half is tried by itself. At least two events. */
  halve(chunks: readonly TakenChunk[]): void {
    const total = chunks.reduce((sum, { events }) => sum + events.length, 0);
    const half = Math.ceil(total / 2);
    const firstGroup = chunks[0]?.id ?? 0;
    let secondGroup: number | null = null;
    let at = 0;
    for (const chunk of chunks) {
      const inFirst = Math.max(0, Math.min(chunk.events.length, half - at));
      at += chunk.events.length;
      if (inFirst === 0) {
        secondGroup ??= chunk.id;
        this.#setGroup(chunk.id, secondGroup);
        continue;
      }
      this.#setGroup(chunk.id, firstGroup);
      if (inFirst < chunk.events.length) secondGroup = this.#cut(chunk, inFirst);
    }
  }

  /** Rows that were accepted at or before `until` and neither travel nor await confirmation, oldest rows first. */
  acceptedUntil(until: EpochMs, exclude: ReadonlySet<number>, limit: number): readonly TakenChunk[] {
    const found: TakenChunk[] = [];
    for (const row of this.#sql.exec(
      "SELECT * FROM outbox WHERE accepted_at <= ? AND awaiting IS NULL ORDER BY id LIMIT ?",
      ...[until, limit + exclude.size],
    )) {
      if (exclude.has(Number(row["id"])) || found.length >= limit) continue;
      const chunk = this.#read(row);
      if (chunk !== null) found.push(chunk);
    }
    return found;
  }

  /** Manifests of everything that waits or travels, with the row's id. */
  *manifests(): Iterable<{
    readonly id: number;
    readonly acceptedAt: EpochMs;
    readonly manifest: readonly Segment[];
    /** Taken by the provider, not yet confirmed. */
    readonly isAwaiting: boolean;
  }> {
    for (const row of this.#sql.exec("SELECT id, accepted_at, awaiting, manifest FROM outbox ORDER BY id")) {
      yield {
        id: Number(row["id"]),
        isAwaiting: row["awaiting"] !== null,
        acceptedAt: Number(row["accepted_at"]),
        manifest: readManifest(row["manifest"]),
      };
    }
  }

  /** Cuts a row after `count` events; the rest becomes a row right behind it and a group of its own. */
  #cut(chunk: TakenChunk, count: number): number {
    const isFirst = chunk.events.map((_, index) => index < count);
    const id = this.#copy(
      chunk,
      isFirst.map((first) => !first),
      "own",
    );
    this.#keepOnly(chunk, isFirst);
    return id;
  }

  /** The flagged events of a row as a row of their own, right behind it. @returns its id */
  #copy(chunk: TakenChunk, flags: readonly boolean[], group: "own" | null): number {
    const lines = packEvents(chunk.events.filter((_, index) => flags[index]));
    const id = this.#idAfter(chunk.id);
    const { acceptedAt, attempts } = chunk;
    const { firstAt, count, bytes, packed } = lines;
    const manifest = sliceManifest(chunk.manifest, flags);
    this.#insert(
      id,
      { acceptedAt, firstEventAt: firstAt, events: count, bytes, manifest, packed },
      { attempts, group: group === "own" ? id : null },
    );
    return id;
  }

  /** Leaves only the flagged events in a row; without any the row goes. */
  #keepOnly(chunk: TakenChunk, flags: readonly boolean[]): void {
    if (flags.every(Boolean)) return;
    const events = chunk.events.filter((_, index) => flags[index]);
    if (events.length === 0) this.#delete(chunk);
    else this.#replace(chunk, packEvents(events), sliceManifest(chunk.manifest, flags));
  }

  #setAwaiting(id: number, pendingId: number | null): void {
    this.#sql.exec("UPDATE outbox SET awaiting = ? WHERE id = ?", pendingId, id);
  }

  /** A free id behind `id` and before the next row; at the very end of the outbox when there is no room left. */
  #idAfter(id: number): number {
    const next = this.#sql.exec("SELECT MIN(id) AS next FROM outbox WHERE id > ?", id).one()["next"];
    const between = id + Math.floor(((next === null ? id + ID_STEP : Number(next)) - id) / 2);
    if (between > id && between < this.#nextId) return between;
    this.#nextId += ID_STEP;
    return this.#nextId - ID_STEP;
  }

  #insert(
    id: number,
    chunk: NewChunk,
    { attempts, group }: { attempts: number; group: number | null },
  ): void {
    const { acceptedAt, firstEventAt: eventAt, events, bytes, manifest, packed } = chunk;
    this.#sql.exec(
      "INSERT INTO outbox (id, accepted_at, first_event_at, attempts, in_group, events, bytes, manifest, lines) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[id, acceptedAt, eventAt, attempts, group, events, bytes, JSON.stringify(manifest), packed],
    );
    this.#events += events;
    this.#bytes += bytes;
  }

  #replace(chunk: TakenChunk, lines: Lines, manifest: readonly Segment[]): void {
    const { firstAt, count, bytes, packed } = lines;
    this.#sql.exec(
      "UPDATE outbox SET first_event_at = ?, events = ?, bytes = ?, manifest = ?, lines = ? WHERE id = ?",
      ...[firstAt, count, bytes, JSON.stringify(manifest), packed, chunk.id],
    );
    this.#events += count - chunk.events.length;
    this.#bytes += bytes - chunk.bytes;
  }

  #delete(chunk: TakenChunk): void {
    this.#sql.exec("DELETE FROM outbox WHERE id = ?", chunk.id);
    this.#events -= chunk.events.length;
    this.#bytes -= chunk.bytes;
  }

  #setGroup(id: number, group: number): void {
    this.#sql.exec("UPDATE outbox SET in_group = ? WHERE id = ?", group, id);
  }
}

function readManifest(text: unknown): readonly Segment[] {
  return JSON.parse(String(text)) as readonly Segment[]; // written by `#insert` and `#replace` alone
}

function readHead(row: Record<string, SqlStorageValue>): Head {
  return {
    id: Number(row["id"]),
    group: row["in_group"] === null ? null : Number(row["in_group"]),
    acceptedAt: Number(row["accepted_at"]),
    firstEventAt: Number(row["first_event_at"]),
    events: Number(row["events"]),
    bytes: Number(row["bytes"]),
  };
}

/** Text in rows that were written before lines were packed. */
function readLines(value: unknown): readonly string[] {
  return value instanceof ArrayBuffer ? unpackLines(new Uint8Array(value)) : String(value).split("\n");
}

function readChunk(row: Record<string, SqlStorageValue>): TakenChunk {
  return {
    id: Number(row["id"]),
    acceptedAt: Number(row["accepted_at"]),
    attempts: Number(row["attempts"]),
    manifest: readManifest(row["manifest"]),
    events: readLines(row["lines"]).map(fromLine),
    bytes: Number(row["bytes"]),
  };
}
