import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";
import { type ApiKey, Scope } from "../model/tenant.ts";
import { flag, json, moment } from "./columns.ts";
import { one, type Page, type PageRequest, page, run } from "./database.ts";

const columns = {
  id: z.string(),
  tenant_id: z.string(),
  name: z.string(),
  scopes: json(z.array(Scope)),
  prefix: z.string(),
  require_signature: flag,
  created_at: moment,
  expires_at: moment.nullable(),
  revoked_at: moment.nullable(),
};
const Columns = z.object(columns);

const ApiKeyRow = Columns.transform(toApiKey);

const StoredKeyRow = z
  .object({ ...columns, sealed_signing_secret: z.string().nullable() })
  .transform((row) => ({ ...toApiKey(row), sealedSigningSecret: row.sealed_signing_secret }));

/** What a request is checked against. Expiry and revocation are the caller's to judge: it knows the time. */
export type StoredKey = z.infer<typeof StoredKeyRow>;

function toApiKey(row: z.infer<typeof Columns>): ApiKey {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    scopes: row.scopes,
    prefix: row.prefix,
    requireSignature: row.require_signature,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}

/** Keys by their hash. */
export interface ApiKeyStore {
  insert(
    key: ApiKey,
    material: { readonly hash: string; readonly sealedSigningSecret: string | null },
  ): Promise<void>;
  /** Revoked ones too. The only query without a tenant: the hash is what tells it. */
  findByHash(hash: string): Promise<StoredKey | null>;
  /** Those not revoked. */
  page(tenantId: string, request: PageRequest): Promise<Page<ApiKey>>;
  /** Keeps the first moment of revocation. @returns false when the tenant has no such key */
  revoke(tenantId: string, id: string, at: EpochMs): Promise<boolean>;
}

export function createApiKeyStore(db: D1Database): ApiKeyStore {
  return {
    async insert(key, material) {
      await run(
        db,
        `INSERT INTO api_keys (id, tenant_id, name, scopes, prefix, hash, require_signature,
           sealed_signing_secret, created_at, expires_at, revoked_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        key.id,
        key.tenantId,
        key.name,
        JSON.stringify(key.scopes),
        key.prefix,
        material.hash,
        key.requireSignature ? 1 : 0,
        material.sealedSigningSecret,
        key.createdAt,
        key.expiresAt,
        key.revokedAt,
      );
    },
    findByHash: (hash) => one(db, StoredKeyRow, "SELECT * FROM api_keys WHERE hash = ?", hash),
    page: (tenantId, request) =>
      page(
        db,
        {
          row: ApiKeyRow,
          table: "api_keys",
          where: "tenant_id = ? AND revoked_at IS NULL",
          values: [tenantId],
        },
        request,
      ),
    async revoke(tenantId, id, at) {
      const changed = await run(
        db,
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE tenant_id = ? AND id = ?",
        at,
        tenantId,
        id,
      );
      return changed > 0;
    },
  };
}
