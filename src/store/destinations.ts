import { z } from "zod";
import { type Clock, days, type EpochMs, systemClock } from "../base/clock.ts";
import { type Destination, Routes, StatusReason } from "../model/destination.ts";
import { flag, json, moment } from "./columns.ts";
import { many, one, type Page, type PageRequest, page, run } from "./database.ts";

/**
 * How long a destination that was switched off or deleted still takes part in fanning out: events accepted
 * before that moment are owed to it, and the queue keeps a message for at most 14 days.
 */
export const STILL_OWED_DAYS = 15;

const LaneStatus = z.enum(["active", "degraded", "failed"]);

const DestinationRow = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    provider: z.string(),
    name: z.string(),
    endpoint: z.string(),
    enabled: flag,
    config: json(z.record(z.string(), z.unknown())),
    routes: json(Routes),
    allowed_operations: json(z.array(z.string())),
    sealed_secrets: z.string(),
    revision: z.number().int(),
    created_at: moment,
    updated_at: moment,
    disabled_at: moment.nullable(),
    deleted_at: moment.nullable(),
    status: LaneStatus,
    status_reason: json(StatusReason).nullable(),
  })
  .transform(
    (row): Destination => ({
      id: row.id,
      tenantId: row.tenant_id,
      provider: row.provider,
      name: row.name,
      endpoint: row.endpoint,
      enabled: row.enabled,
      config: row.config,
      routes: row.routes,
      allowedOperations: row.allowed_operations,
      sealedSecrets: row.sealed_secrets,
      revision: row.revision,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      disabledAt: row.disabled_at,
      deletedAt: row.deleted_at,
      status: row.status,
      statusReason: row.status_reason,
    }),
  );

const DestinationNameRow = z
  .object({ id: z.string(), tenant_id: z.string(), provider: z.string(), enabled: flag, created_at: moment })
  .transform((row) => ({
    id: row.id,
    tenantId: row.tenant_id,
    provider: row.provider,
    enabled: row.enabled,
    createdAt: row.created_at,
  }));
/** Enough to find a destination's lane and to label what it tells. */
export type DestinationName = z.infer<typeof DestinationNameRow>;

/** SIEM destinations. Deleting only marks a row, because its lane still answers for its dead letters. */
export interface DestinationStore {
  insert(destination: Destination): Promise<void>;
  /** Deleted ones too, with `deletedAt`. */
  get(tenantId: string, id: string): Promise<Destination | null>;
  /** Those not deleted. */
  page(tenantId: string, request: PageRequest): Promise<Page<Destination>>;
  /** How many are not deleted. */
  count(tenantId: string): Promise<number>;
  /** Everything to which an event may be owed: enabled, or switched off or deleted not long ago. */
  forFanOut(tenantId: string): Promise<Destination[]>;
  /** Writes what a person can change. @returns false when the row is gone or no longer at that revision */
  update(destination: Destination, expectedRevision: number): Promise<boolean>;
  /** Also a new revision, so that the lane notices. @returns false when it was not there or already deleted */
  markDeleted(tenantId: string, id: string, at: EpochMs): Promise<boolean>;
  /** Forgets a row for good. */
  remove(tenantId: string, id: string): Promise<void>;
  /** What the lane says of itself: not a change of the destination, so revision and `updatedAt` stay. */
  reportStatus(
    tenantId: string,
    id: string,
    status: Destination["status"],
    reason: StatusReason | null,
  ): Promise<void>;
  /** Over all tenants, for the operator's metrics; newest first. */
  allIds(request: PageRequest): Promise<Page<DestinationName>>;
}

export function createDestinationStore(db: D1Database, now: Clock = systemClock): DestinationStore {
  return {
    async insert(destination) {
      await run(
        db,
        `INSERT INTO destinations (id, tenant_id, created_at, deleted_at, status, status_reason, provider, name,
           endpoint, enabled, config, routes, allowed_operations, sealed_secrets, revision, updated_at, disabled_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        destination.id,
        destination.tenantId,
        destination.createdAt,
        destination.deletedAt,
        destination.status,
        destination.statusReason === null ? null : JSON.stringify(destination.statusReason),
        ...changeable(destination),
      );
    },
    get: (tenantId, id) =>
      one(db, DestinationRow, "SELECT * FROM destinations WHERE tenant_id = ? AND id = ?", tenantId, id),
    page: (tenantId, request) =>
      page(
        db,
        {
          row: DestinationRow,
          table: "destinations",
          where: "tenant_id = ? AND deleted_at IS NULL",
          values: [tenantId],
        },
        request,
      ),
    async count(tenantId) {
      const counted = await one(
        db,
        z.object({ total: z.number() }),
        "SELECT count(*) AS total FROM destinations WHERE tenant_id = ? AND deleted_at IS NULL",
        tenantId,
      );
      return counted?.total ?? 0;
    },
    forFanOut(tenantId) {
      const since = now() - days(STILL_OWED_DAYS);
      return many(
        db,
        DestinationRow,
        `SELECT * FROM destinations WHERE tenant_id = ?
           AND CASE WHEN deleted_at IS NOT NULL THEN deleted_at > ?
                    WHEN enabled = 0 THEN disabled_at > ?
                    ELSE 1 END
         ORDER BY created_at, id`,
        tenantId,
        since,
        since,
      );
    },
    async update(destination, expectedRevision) {
      const changed = await run(
        db,
        `UPDATE destinations SET provider = ?, name = ?, endpoint = ?, enabled = ?, config = ?, routes = ?,
           allowed_operations = ?, sealed_secrets = ?, revision = ?, updated_at = ?, disabled_at = ?
         WHERE tenant_id = ? AND id = ? AND revision = ? AND deleted_at IS NULL`,
        ...changeable(destination),
        destination.tenantId,
        destination.id,
        expectedRevision,
      );
      return changed > 0;
    },
    async markDeleted(tenantId, id, at) {
      const changed = await run(
        db,
        `UPDATE destinations SET deleted_at = ?, updated_at = ?, revision = revision + 1
         WHERE tenant_id = ? AND id = ? AND deleted_at IS NULL`,
        at,
        at,
        tenantId,
        id,
      );
      return changed > 0;
    },
    async remove(tenantId, id) {
      await run(db, "DELETE FROM destinations WHERE tenant_id = ? AND id = ?", tenantId, id);
    },
    async reportStatus(tenantId, id, status, reason) {
      await run(
        db,
        "UPDATE destinations SET status = ?, status_reason = ? WHERE tenant_id = ? AND id = ?",
        status,
        reason === null ? null : JSON.stringify(reason),
        tenantId,
        id,
      );
    },
    allIds: (request) =>
      page(
        db,
        { row: DestinationNameRow, table: "destinations", where: "deleted_at IS NULL", values: [] },
        request,
      ),
  };
}

/** The columns that `insert` and `update` have in common, in their order there. */
function changeable(destination: Destination) {
  return [
    destination.provider,
    destination.name,
    destination.endpoint,
    destination.enabled ? 1 : 0,
    JSON.stringify(destination.config),
    JSON.stringify(destination.routes),
    JSON.stringify(destination.allowedOperations),
    destination.sealedSecrets,
    destination.revision,
    destination.updatedAt,
    destination.disabledAt,
  ] as const;
}
