import type { EpochMs } from "../../base/clock.ts";
import { parseJson } from "../../base/json.ts";
import type { PollHealth } from "./health.ts";
import type { JobAddress, Paths } from "./splunk-client.ts";
import type { ClockReading, Span, SplunkSecond } from "./window.ts";

/** The span that is being read, and how far. Stored before its first page, so that a crash goes on where it was. */
export interface Window extends Span {
  /** Rows of this slice that have been taken. */
  readonly offset: number;
  readonly job: Job | null;
  /** Times that this slice was gone through, from 1, and what was new in this one: for searches that are not frozen. */
  readonly pass: number;
  readonly fresh: number;
}

export interface Job extends JobAddress {
  readonly startedAt: EpochMs;
  /** Rows that it found; null while it runs. */
  readonly rows: number | null;
}

/** Where reading stands. */
export interface Place {
  readonly checkpoint: SplunkSecond | null;
  readonly reading: ClockReading | null;
  readonly window: Window | null;
}

/** What a poller remembers as single values. A stored name is never given another meaning. */
interface Facts {
  readonly address: { readonly tenantId: string; readonly sourceId: string };
  /** The revision of the source that was polled last. */
  readonly revision: number;
  readonly place: Place;
  readonly health: PollHealth;
  /** The status that was last told to the database. */
  readonly told: string;
  readonly paths: Paths | null;
  readonly page_rows: number | null;
  /** Null while the source is switched off. */
  readonly due_at: EpochMs | null;
  readonly notables: number;
}

const NOWHERE: Place = { checkpoint: null, reading: null, window: null };

/** A poller's memory in its object's own SQLite: facts, and the notables that the overlap will show again. */
export class PollMemory {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    sql.exec("CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID");
  }

  /** @returns null when it was never set */
  get<Name extends keyof Facts>(name: Name): Facts[Name] | null {
    const row = this.#sql.exec("SELECT value FROM facts WHERE key = ?", name).toArray()[0];
    const parsed = row === undefined ? null : parseJson(String(row["value"]));
    return parsed?.ok ? (parsed.value as Facts[Name]) : null; // written by `set` alone
  }

  /** One billed row. */
  set<Name extends keyof Facts>(name: Name, value: Facts[Name]): void {
    this.#sql.exec("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, JSON.stringify(value));
  }

  get place(): Place {
    return this.get("place") ?? NOWHERE;
  }

  /** Those of the keys that were not taken before. */
  unseen(keys: readonly string[]): ReadonlySet<string> {
    const rows = this.#sql.exec(
      "SELECT value AS key FROM json_each(?) WHERE value NOT IN (SELECT key FROM seen)",
      JSON.stringify(keys),
    );
    return new Set(rows.toArray().map(({ key }) => String(key)));
  }

  /**
   * @param until no window that begins here or later can show these again: the end of the one that showed them first,
   *   since their index time lies before it
   */
  remember(keys: readonly string[], until: SplunkSecond): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO seen SELECT value, ? FROM json_each(?)",
      until,
      JSON.stringify(keys),
    );
  }

  forgetSeen(from: SplunkSecond): void {
    this.#sql.exec("DELETE FROM seen WHERE until <= ?", from);
  }

  get seen(): number {
    return Number(this.#sql.exec("SELECT count(*) AS seen FROM seen").one()["seen"]);
  }
}
