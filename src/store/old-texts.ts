import { z } from "zod";
import { credentialBinding } from "../model/credential.ts";
import { many, one, run } from "./database.ts";

/*
 * Sealed texts of the first format, which a root key still seals directly. The conditions are those of the partial
 * indexes, word for word, so that a look at them costs nothing once none is left.
 */

const OF_CREDENTIALS = "sealed < 'v2' OR previous_sealed < 'v2'";
const OF_KEYS = "sealed_signing_secret < 'v2'";

const CredentialTexts = z.object({
  id: z.string(),
  tenant_id: z.string(),
  managed_by: z.string().nullable(),
  sealed: z.string(),
  previous_sealed: z.string().nullable(),
});
const KeyText = z.object({ id: z.string(), tenant_id: z.string(), sealed_signing_secret: z.string() });

export interface OldText {
  readonly binding: { readonly tenantId: string; readonly recordId: string; readonly purpose: string };
  readonly sealed: string;
  /** Puts the new text in its place, unless the old one is not there any more. */
  replace(sealed: string): Promise<void>;
}

export interface OldTextStore {
  some(limit: number): Promise<OldText[]>;
  count(): Promise<number>;
}

export function createOldTextStore(db: D1Database): OldTextStore {
  const ofCredential = (
    row: z.infer<typeof CredentialTexts>,
    column: "sealed" | "previous_sealed",
    sealed: string,
  ): OldText => ({
    binding: credentialBinding({ tenantId: row.tenant_id, id: row.id, managedBy: row.managed_by }),
    sealed,
    async replace(fresh) {
      await db.batch([
        db
          .prepare(`UPDATE credentials SET ${column} = ? WHERE tenant_id = ? AND id = ? AND ${column} = ?`)
          .bind(fresh, row.tenant_id, row.id, sealed),
        // Lanes keep a copy; a newer revision makes them read again.
        db
          .prepare(
            "UPDATE destinations SET revision = revision + 1 WHERE tenant_id = ? AND credential_id = ?",
          )
          .bind(row.tenant_id, row.id),
      ]);
    },
  });
  const ofKey = (row: z.infer<typeof KeyText>): OldText => ({
    binding: { tenantId: row.tenant_id, recordId: row.id, purpose: "signing-secret" },
    sealed: row.sealed_signing_secret,
    async replace(fresh) {
      await run(
        db,
        "UPDATE api_keys SET sealed_signing_secret = ? WHERE id = ? AND sealed_signing_secret = ?",
        fresh,
        row.id,
        row.sealed_signing_secret,
      );
    },
  });
  return {
    async some(limit) {
      const credentials = await many(
        db,
        CredentialTexts,
        `SELECT id, tenant_id, managed_by, sealed, previous_sealed FROM credentials WHERE ${OF_CREDENTIALS} LIMIT ?`,
        limit,
      );
      const keys = await many(
        db,
        KeyText,
        `SELECT id, tenant_id, sealed_signing_secret FROM api_keys WHERE ${OF_KEYS} LIMIT ?`,
        limit,
      );
      const texts = credentials.flatMap((row) => [
        ...(isOld(row.sealed) ? [ofCredential(row, "sealed", row.sealed)] : []),
        ...(row.previous_sealed !== null && isOld(row.previous_sealed)
          ? [ofCredential(row, "previous_sealed", row.previous_sealed)]
          : []),
      ]);
      return [...texts, ...keys.map(ofKey)].slice(0, limit);
    },
    async count() {
      const counted = await one(
        db,
        z.object({ total: z.number() }),
        `SELECT (SELECT count(*) FROM credentials WHERE ${OF_CREDENTIALS})
              + (SELECT count(*) FROM api_keys WHERE ${OF_KEYS}) AS total`,
      );
      return counted?.total ?? 0;
    },
  };
}

function isOld(sealed: string): boolean {
  return sealed < "v2";
}
