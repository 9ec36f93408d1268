import { z } from "zod";
import type { PublicKey } from "../model/public-key.ts";
import { moment } from "./columns.ts";
import { one, type Page, type PageRequest, page, run } from "./database.ts";

const PublicKeyRow = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    api_key_id: z.string(),
    name: z.string(),
    public_key: z.string(),
    created_at: moment,
  })
  .transform(
    (row): PublicKey => ({
      id: row.id,
      tenantId: row.tenant_id,
      apiKeyId: row.api_key_id,
      name: row.name,
      publicKey: row.public_key,
      createdAt: row.created_at,
    }),
  );

/** Public keys of the proxy's callers. */
export interface PublicKeyStore {
  /**
   * Registers a key. The same one again, by the same API key, keeps its id and becomes the newest.
   *
   * @returns the key as it is registered now
   */
  register(key: PublicKey): Promise<PublicKey>;
  get(tenantId: string, id: string): Promise<PublicKey | null>;
  /** The one that an API key registered last. */
  newest(tenantId: string, apiKeyId: string): Promise<PublicKey | null>;
  /** How many an API key has. */
  count(tenantId: string, apiKeyId: string): Promise<number>;
  page(tenantId: string, request: PageRequest): Promise<Page<PublicKey>>;
  /** @returns false when the tenant has no such key */
  remove(tenantId: string, id: string): Promise<boolean>;
}

export function createPublicKeyStore(db: D1Database): PublicKeyStore {
  return {
    async register(key) {
      const registered = await one(
        db,
        PublicKeyRow,
        `INSERT INTO public_keys (id, tenant_id, api_key_id, name, public_key, created_at)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (tenant_id, api_key_id, public_key)
         DO UPDATE SET name = excluded.name, created_at = max(created_at, excluded.created_at)
         RETURNING *`,
        key.id,
        key.tenantId,
        key.apiKeyId,
        key.name,
        key.publicKey,
        key.createdAt,
      );
      if (registered === null) throw new Error("An insert that conflicts with nothing returned no row");
      return registered;
    },
    get: (tenantId, id) =>
      one(db, PublicKeyRow, "SELECT * FROM public_keys WHERE tenant_id = ? AND id = ?", tenantId, id),
    newest: (tenantId, apiKeyId) =>
      one(
        db,
        PublicKeyRow,
        `SELECT * FROM public_keys WHERE tenant_id = ? AND api_key_id = ?
         ORDER BY created_at DESC, id DESC LIMIT 1`,
        tenantId,
        apiKeyId,
      ),
    async count(tenantId, apiKeyId) {
      const counted = await one(
        db,
        z.object({ total: z.number() }),
        "SELECT count(*) AS total FROM public_keys WHERE tenant_id = ? AND api_key_id = ?",
        tenantId,
        apiKeyId,
      );
      return counted?.total ?? 0;
    },
    page: (tenantId, request) =>
      page(
        db,
        { row: PublicKeyRow, table: "public_keys", where: "tenant_id = ?", values: [tenantId] },
        request,
      ),
    async remove(tenantId, id) {
      return (await run(db, "DELETE FROM public_keys WHERE tenant_id = ? AND id = ?", tenantId, id)) > 0;
    },
  };
}
