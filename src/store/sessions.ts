import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";
import type { Session } from "../model/session.ts";
import { moment } from "./columns.ts";
import { one, run } from "./database.ts";

const SessionRow = z
  .object({
    hash: z.string(),
    kind: z.enum(["key", "operator"]),
    name: z.string(),
    key_hash: z.string().nullable(),
    tenant_id: z.string().nullable(),
    csrf: z.string(),
    created_at: moment,
    seen_at: moment,
    expires_at: moment,
  })
  .transform(
    (row): Session => ({
      hash: row.hash,
      kind: row.kind,
      name: row.name,
      keyHash: row.key_hash,
      tenantId: row.tenant_id,
      csrf: row.csrf,
      createdAt: row.created_at,
      seenAt: row.seen_at,
      expiresAt: row.expires_at,
    }),
  );

/** Console sessions by the hash of their cookie. Whether one is still good is the caller's to judge: it knows the time. */
export interface SessionStore {
  insert(session: Session): Promise<void>;
  find(hash: string): Promise<Session | null>;
  /** Somebody did something. */
  seen(hash: string, at: EpochMs): Promise<void>;
  /** The operator enters a tenant, or leaves it with null. */
  enter(hash: string, tenantId: string | null): Promise<void>;
  remove(hash: string): Promise<void>;
  /** Everywhere: all sessions of that key, or with null all of the operator. @returns how many */
  removeAll(keyHash: string | null): Promise<number>;
  /** What has ended by itself. */
  prune(now: EpochMs): Promise<void>;
}

export function createSessionStore(db: D1Database): SessionStore {
  return {
    async insert(session) {
      await run(
        db,
        `INSERT INTO console_sessions (hash, kind, name, key_hash, tenant_id, csrf, created_at, seen_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        session.hash,
        session.kind,
        session.name,
        session.keyHash,
        session.tenantId,
        session.csrf,
        session.createdAt,
        session.seenAt,
        session.expiresAt,
      );
    },
    find: (hash) => one(db, SessionRow, "SELECT * FROM console_sessions WHERE hash = ?", hash),
    async seen(hash, at) {
      await run(db, "UPDATE console_sessions SET seen_at = max(seen_at, ?) WHERE hash = ?", at, hash);
    },
    async enter(hash, tenantId) {
      await run(
        db,
        "UPDATE console_sessions SET tenant_id = ? WHERE hash = ? AND kind = 'operator'",
        tenantId,
        hash,
      );
    },
    async remove(hash) {
      await run(db, "DELETE FROM console_sessions WHERE hash = ?", hash);
    },
    removeAll: (keyHash) => run(db, "DELETE FROM console_sessions WHERE key_hash IS ?", keyHash),
    async prune(now) {
      await run(db, "DELETE FROM console_sessions WHERE expires_at <= ?", now);
    },
  };
}
