import { parseJson } from "./base/json.ts";

/** What a lane remembers as single values, as JSON in its own SQLite. A stored name is never given another meaning. */
export class Facts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** @returns null when it was never set */
  get<T>(name: FactName): T | null {
    const row = this.#sql.exec("SELECT value FROM facts WHERE key = ?", name).toArray()[0];
    const parsed = row === undefined ? null : parseJson(String(row["value"]));
    return parsed?.ok ? (parsed.value as T) : null; // written by `set` alone
  }

  /** One billed row. */
  set(name: FactName, value: unknown): void {
    this.#sql.exec("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, JSON.stringify(value));
  }
}

export type FactName = "address" | "destination" | "health" | "closed_at" | "session" | "warned" | "fallback";
