import { z } from "zod";
import { TENANT_KEY_ALGORITHMS, type TenantKey, type TenantKeyAlgorithm } from "../model/tenant-key.ts";
import { moment } from "./columns.ts";
import { many, one, run } from "./database.ts";

const TenantKeyRow = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    algorithm: z.enum(TENANT_KEY_ALGORITHMS),
    version: z.number().int(),
    public_key: z.string(),
    wrapped: z.string(),
    wrapped_by: z.string(),
    created_at: moment,
  })
  .transform(
    (row): TenantKey => ({
      id: row.id,
      tenantId: row.tenant_id,
      algorithm: row.algorithm,
      version: row.version,
      publicKey: row.public_key,
      wrapped: row.wrapped,
      wrappedBy: row.wrapped_by,
      createdAt: row.created_at,
    }),
  );

/** Tenants' key pairs, the private halves wrapped. A version is never overwritten, only wrapped anew. */
export interface TenantKeyStore {
  newest(tenantId: string, algorithm: TenantKeyAlgorithm): Promise<TenantKey | null>;
  get(tenantId: string, algorithm: TenantKeyAlgorithm, version: number): Promise<TenantKey | null>;
  /** Newest first; what was signed with an old one still verifies. */
  all(tenantId: string, algorithm: TenantKeyAlgorithm): Promise<TenantKey[]>;
  /** Does nothing where the tenant has that version already. */
  insertIfAbsent(key: TenantKey): Promise<void>;
  /** Over all tenants: what another key than this one wrapped. */
  notWrappedBy(wrappedBy: string, limit: number): Promise<TenantKey[]>;
  countNotWrappedBy(wrappedBy: string): Promise<number>;
  /** Replaces the wrapped text, unless it is not the one that was read any more. */
  rewrap(key: TenantKey, fresh: Pick<TenantKey, "wrapped" | "wrappedBy">): Promise<void>;
}

/** Two ranges and not `<>`, so that the index is used and only what matches is read. */
const BY_ANOTHER = "(wrapped_by < ?1 OR wrapped_by > ?1)";

export function createTenantKeyStore(db: D1Database): TenantKeyStore {
  return {
    newest: (tenantId, algorithm) =>
      one(
        db,
        TenantKeyRow,
        "SELECT * FROM tenant_keys WHERE tenant_id = ? AND algorithm = ? ORDER BY version DESC LIMIT 1",
        tenantId,
        algorithm,
      ),
    get: (tenantId, algorithm, version) =>
      one(
        db,
        TenantKeyRow,
        "SELECT * FROM tenant_keys WHERE tenant_id = ? AND algorithm = ? AND version = ?",
        tenantId,
        algorithm,
        version,
      ),
    all: (tenantId, algorithm) =>
      many(
        db,
        TenantKeyRow,
        "SELECT * FROM tenant_keys WHERE tenant_id = ? AND algorithm = ? ORDER BY version DESC LIMIT 100",
        tenantId,
        algorithm,
      ),
    async insertIfAbsent(key) {
      await run(
        db,
        `INSERT OR IGNORE INTO tenant_keys (id, tenant_id, algorithm, version, public_key, wrapped, wrapped_by,
           created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        key.id,
        key.tenantId,
        key.algorithm,
        key.version,
        key.publicKey,
        key.wrapped,
        key.wrappedBy,
        key.createdAt,
      );
    },
    notWrappedBy: (wrappedBy, limit) =>
      many(db, TenantKeyRow, `SELECT * FROM tenant_keys WHERE ${BY_ANOTHER} LIMIT ?2`, wrappedBy, limit),
    async countNotWrappedBy(wrappedBy) {
      const counted = await one(
        db,
        z.object({ total: z.number() }),
        `SELECT count(*) AS total FROM tenant_keys WHERE ${BY_ANOTHER}`,
        wrappedBy,
      );
      return counted?.total ?? 0;
    },
    async rewrap(key, fresh) {
      await run(
        db,
        "UPDATE tenant_keys SET wrapped = ?, wrapped_by = ? WHERE id = ? AND tenant_id = ? AND wrapped = ?",
        fresh.wrapped,
        fresh.wrappedBy,
        key.id,
        key.tenantId,
        key.wrapped,
      );
    },
  };
}
