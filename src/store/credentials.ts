import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";
import { CredentialType, type StoredCredential } from "../model/credential.ts";
import { json, moment } from "./columns.ts";
import { many, one, type Page, type PageRequest, page, run } from "./database.ts";

const CredentialRow = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    name: z.string(),
    credential_type: z.union([CredentialType, z.literal("destination")]),
    managed_by: z.string().nullable(),
    fields: json(z.array(z.string())),
    sealed: z.string(),
    previous_sealed: z.string().nullable(),
    previous_until: moment.nullable(),
    version: z.number().int(),
    created_at: moment,
    updated_at: moment,
    rotated_at: moment.nullable(),
  })
  .transform(
    (row): StoredCredential => ({
      id: row.id,
      tenantId: row.tenant_id,
      name: row.name,
      type: row.credential_type,
      managedBy: row.managed_by,
      fields: row.fields,
      sealed: row.sealed,
      previousSealed: row.previous_sealed,
      previousUntil: row.previous_until,
      version: row.version,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      rotatedAt: row.rotated_at,
    }),
  );

const UserRow = z
  .object({ id: z.string(), name: z.string(), provider: z.string(), credential_id: z.string() })
  .transform((row) => ({
    id: row.id,
    name: row.name,
    provider: row.provider,
    credentialId: row.credential_id,
  }));
/** A destination that uses a credential. */
export type CredentialUser = z.infer<typeof UserRow>;

/** Credentials, sealed. Those that a destination manages are written with it, and here only rotated. */
export interface CredentialStore {
  insert(credential: StoredCredential): Promise<void>;
  get(tenantId: string, id: string): Promise<StoredCredential | null>;
  page(tenantId: string, request: PageRequest): Promise<Page<StoredCredential>>;
  /** How many of a tenant's own there are, those that destinations manage left out. */
  count(tenantId: string): Promise<number>;
  /** Destinations that use any of these and are not deleted; at most 1,000. */
  users(tenantId: string, ids: readonly string[]): Promise<CredentialUser[]>;
  /**
   * Writes new values, and moves every destination that uses it on by a revision, so that lanes notice.
   *
   * @returns false when it is gone or no longer at that version
   */
  rotate(credential: StoredCredential, expectedVersion: number): Promise<boolean>;
  /** @returns false when it was not there, is managed, or is in use */
  remove(tenantId: string, id: string): Promise<boolean>;
  /** Values before a rotation whose time is over: they are not needed any more. @returns how many were forgotten */
  forgetPrevious(until: EpochMs): Promise<number>;
}

export function createCredentialStore(db: D1Database): CredentialStore {
  return {
    async insert(credential) {
      await run(
        db,
        `INSERT INTO credentials (id, tenant_id, name, credential_type, managed_by, fields, sealed, previous_sealed,
           previous_until, version, created_at, updated_at, rotated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        credential.id,
        credential.tenantId,
        credential.name,
        credential.type,
        credential.managedBy,
        JSON.stringify(credential.fields),
        credential.sealed,
        credential.previousSealed,
        credential.previousUntil,
        credential.version,
        credential.createdAt,
        credential.updatedAt,
        credential.rotatedAt,
      );
    },
    get: (tenantId, id) =>
      one(db, CredentialRow, "SELECT * FROM credentials WHERE tenant_id = ? AND id = ?", tenantId, id),
    page: (tenantId, request) =>
      page(
        db,
        { row: CredentialRow, table: "credentials", where: "tenant_id = ?", values: [tenantId] },
        request,
      ),
    async count(tenantId) {
      const counted = await one(
        db,
        z.object({ total: z.number() }),
        "SELECT count(*) AS total FROM credentials WHERE tenant_id = ? AND managed_by IS NULL",
        tenantId,
      );
      return counted?.total ?? 0;
    },
    users: (tenantId, ids) =>
      many(
        db,
        UserRow,
        `SELECT id, name, provider, credential_id FROM destinations
         WHERE tenant_id = ? AND credential_id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL
         ORDER BY created_at, id LIMIT 1000`,
        tenantId,
        JSON.stringify(ids),
      ),
    async rotate(credential, expectedVersion) {
      const { tenantId, id } = credential;
      const [rotated] = await db.batch([
        db
          .prepare(
            `UPDATE credentials SET fields = ?, sealed = ?, previous_sealed = ?, previous_until = ?, version = ?,
               updated_at = ?, rotated_at = ?
             WHERE tenant_id = ? AND id = ? AND version = ?`,
          )
          .bind(
            JSON.stringify(credential.fields),
            credential.sealed,
            credential.previousSealed,
            credential.previousUntil,
            credential.version,
            credential.updatedAt,
            credential.rotatedAt,
            tenantId,
            id,
            expectedVersion,
          ),
        // In one transaction, and only where that write took place: a sealed text is never the same twice.
        db
          .prepare(
            `UPDATE destinations SET revision = revision + 1, updated_at = ?
             WHERE tenant_id = ? AND credential_id = ? AND deleted_at IS NULL
               AND EXISTS (SELECT 1 FROM credentials WHERE tenant_id = ? AND id = ? AND sealed = ?)`,
          )
          .bind(credential.updatedAt, tenantId, id, tenantId, id, credential.sealed),
      ]);
      return (rotated?.meta.changes ?? 0) > 0;
    },
    async remove(tenantId, id) {
      const changed = await run(
        db,
        `DELETE FROM credentials WHERE tenant_id = ?1 AND id = ?2 AND managed_by IS NULL
           AND NOT EXISTS (SELECT 1 FROM destinations
                           WHERE tenant_id = ?1 AND credential_id = ?2 AND deleted_at IS NULL)`,
        tenantId,
        id,
      );
      return changed > 0;
    },
    forgetPrevious: (until) =>
      run(
        db,
        "UPDATE credentials SET previous_sealed = NULL, previous_until = NULL WHERE previous_until <= ?",
        until,
      ),
  };
}
