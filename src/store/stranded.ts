import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";
import { moment } from "./columns.ts";
import { many, one, run } from "./database.ts";

const StrandedRow = z
  .object({
    id: z.string(),
    tenant_id: z.string().nullable(),
    reason: z.string(),
    body: z.string(),
    at: moment,
  })
  .transform((row) => ({
    id: row.id,
    tenantId: row.tenant_id,
    reason: row.reason,
    body: row.body,
    at: row.at,
  }));
/** A queue message that could not be handed over; `tenantId` is null where nobody could read whose it is. */
export type Stranded = z.infer<typeof StrandedRow>;

/** The last resort before losing events: what every retry of the queue failed to hand over, kept as it was. */
export interface StrandedStore {
  /** The same id again changes nothing: a queue may deliver a message twice. */
  put(message: Stranded): Promise<void>;
  /** The ones longest untried. */
  oldest(limit: number): Promise<Stranded[]>;
  /** Tried in vain: moves it behind all others. */
  postpone(id: string, at: EpochMs): Promise<void>;
  remove(id: string): Promise<void>;
  count(): Promise<number>;
}

export function createStrandedStore(db: D1Database): StrandedStore {
  return {
    async put({ id, tenantId, reason, body, at }) {
      await run(
        db,
        "INSERT OR IGNORE INTO stranded (id, tenant_id, reason, body, at, tried_at) VALUES (?, ?, ?, ?, ?, ?)",
        id,
        tenantId,
        reason,
        body,
        at,
        at,
      );
    },
    oldest: (limit) => many(db, StrandedRow, "SELECT * FROM stranded ORDER BY tried_at, id LIMIT ?", limit),
    async postpone(id, at) {
      await run(db, "UPDATE stranded SET tried_at = ? WHERE id = ?", at, id);
    },
    async remove(id) {
      await run(db, "DELETE FROM stranded WHERE id = ?", id);
    },
    async count() {
      const counted = await one(
        db,
        z.object({ total: z.number() }),
        "SELECT count(*) AS total FROM stranded",
      );
      return counted?.total ?? 0;
    },
  };
}
