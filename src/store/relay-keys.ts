import { z } from "zod";
import type { RelayKey } from "../model/tenant-key.ts";
import { moment } from "./columns.ts";
import { many, one, run } from "./database.ts";

const RelayKeyRow = z
  .object({ name: z.string(), wrapped: z.string(), wrapped_by: z.string(), created_at: moment })
  .transform(
    (row): RelayKey => ({
      name: row.name,
      wrapped: row.wrapped,
      wrappedBy: row.wrapped_by,
      createdAt: row.created_at,
    }),
  );

/** Secrets of the relay itself, wrapped. There are a handful. */
export interface RelayKeyStore {
  get(name: string): Promise<RelayKey | null>;
  /** Does nothing where one of that name is there already. */
  insertIfAbsent(key: RelayKey): Promise<void>;
  /** What another key of the operator's than this one wrapped. */
  notWrappedBy(wrappedBy: string, limit: number): Promise<RelayKey[]>;
  /** Replaces the wrapped text, unless it is not the one that was read any more. */
  rewrap(key: RelayKey, fresh: Pick<RelayKey, "wrapped" | "wrappedBy">): Promise<void>;
}

export function createRelayKeyStore(db: D1Database): RelayKeyStore {
  return {
    get: (name) => one(db, RelayKeyRow, "SELECT * FROM relay_keys WHERE name = ?", name),
    async insertIfAbsent(key) {
      await run(
        db,
        "INSERT OR IGNORE INTO relay_keys (name, wrapped, wrapped_by, created_at) VALUES (?, ?, ?, ?)",
        key.name,
        key.wrapped,
        key.wrappedBy,
        key.createdAt,
      );
    },
    notWrappedBy: (wrappedBy, limit) =>
      many(db, RelayKeyRow, "SELECT * FROM relay_keys WHERE wrapped_by <> ? LIMIT ?", wrappedBy, limit),
    async rewrap(key, fresh) {
      await run(
        db,
        "UPDATE relay_keys SET wrapped = ?, wrapped_by = ? WHERE name = ? AND wrapped = ?",
        fresh.wrapped,
        fresh.wrappedBy,
        key.name,
        key.wrapped,
      );
    },
  };
}
