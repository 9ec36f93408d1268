import { z } from "zod";
import { type Clock, days, type EpochMs, systemClock } from "../base/clock.ts";
import {
  type Destination,
  type DestinationCredential,
  type DestinationSettings,
  Routes,
  StatusReason,
} from "../model/destination.ts";
import { type LaneHealth, lanesEver, shardsOf, worstHealth } from "../model/shards.ts";
import { flag, json, moment } from "./columns.ts";
import { type Bindable, many, one, type Page, type PageRequest, page, run } from "./database.ts";

/**
 * How long a destination that was switched off or deleted still takes part in fanning out: events accepted
 * before that moment are owed to it, and the queue keeps a message for at most 14 days.
 */
export const STILL_OWED_DAYS = 15;

/** Takes the same moment twice. */
const IS_STILL_OWED = `CASE WHEN deleted_at IS NOT NULL THEN deleted_at > ?
                            WHEN enabled = 0 THEN disabled_at > ?
                            ELSE 1 END`;
/** A statement takes at most 100 values. */
const TENANTS_PER_QUERY = 98;

const LaneStatus = z.enum(["active", "degraded", "failed"]);

const columns = {
  id: z.string(),
  tenant_id: z.string(),
  provider: z.string(),
  name: z.string(),
  endpoint: z.string(),
  origin: z.string().nullable(),
  enabled: flag,
  config: json(z.record(z.string(), z.unknown())),
  routes: json(Routes),
  allowed_operations: json(z.array(z.string())),
  credential_id: z.string(),
  revision: z.number().int(),
  created_at: moment,
  updated_at: moment,
  disabled_at: moment.nullable(),
  deleted_at: moment.nullable(),
  status: LaneStatus,
  status_reason: json(StatusReason).nullable(),
  most_shards: z.number().int(),
  shard_status: json(
    z.record(z.string(), z.object({ status: LaneStatus, reason: StatusReason.nullable() })),
  ).nullable(),
};
const Columns = z.object(columns);
const SettingsRow = Columns.transform(toSettings);

/** Empty where the credential is gone, as it is once a destination was deleted. */
const DestinationRow = z
  .object({
    ...columns,
    credential_managed_by: z.string().nullable(),
    credential_fields: json(z.array(z.string())).nullable(),
    sealed_secrets: z.string().nullable(),
    previous_sealed: z.string().nullable(),
    previous_until: moment.nullable(),
    rotated_at: moment.nullable(),
  })
  .transform(
    (row): Destination => ({
      ...toSettings(row),
      credentialIsShared: row.sealed_secrets !== null && row.credential_managed_by === null,
      secretFields: row.credential_fields ?? [],
      sealedSecrets: row.sealed_secrets ?? "",
      sealedPreviousSecrets: row.previous_sealed,
      previousSecretsUntil: row.previous_until,
      secretsRotatedAt: row.rotated_at,
    }),
  );

/** The rows with what their credentials hold; for queries that need the secrets, which fanning out does not. */
const WITH_SECRETS = `(SELECT destinations.*, credentials.managed_by AS credential_managed_by,
    credentials.fields AS credential_fields,
    credentials.sealed AS sealed_secrets, credentials.previous_sealed, credentials.previous_until,
    credentials.rotated_at
  FROM destinations LEFT JOIN credentials
    ON credentials.id = destinations.credential_id AND credentials.tenant_id = destinations.tenant_id)`;

function toSettings(row: z.infer<typeof Columns>): DestinationSettings {
  const { status, reason } = healthOf(row);
  return {
    id: row.id,
    tenantId: row.tenant_id,
    provider: row.provider,
    name: row.name,
    endpoint: row.endpoint,
    origin: row.origin,
    enabled: row.enabled,
    config: row.config,
    routes: row.routes,
    allowedOperations: row.allowed_operations,
    credentialId: row.credential_id,
    revision: row.revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    disabledAt: row.disabled_at,
    deletedAt: row.deleted_at,
    mostShards: row.most_shards,
    status,
    statusReason: reason,
  };
}

/** The worst of the lanes in use. Of others it is not known here whether they still hold anything; whoever asks them is told. */
function healthOf({ status, status_reason, shard_status, config }: z.infer<typeof Columns>): LaneHealth {
  const first = { status, reason: status_reason };
  if (shard_status === null) return first;
  const inUse = Object.entries(shard_status).filter(([shard]) => Number(shard) < shardsOf(config));
  return worstHealth([first, ...inUse.map(([, health]) => health)]);
}

const DestinationNameRow = z
  .object({
    id: columns.id,
    tenant_id: columns.tenant_id,
    provider: columns.provider,
    enabled: columns.enabled,
    config: columns.config,
    most_shards: columns.most_shards,
    created_at: columns.created_at,
  })
  .transform((row) => ({
    id: row.id,
    tenantId: row.tenant_id,
    provider: row.provider,
    enabled: row.enabled,
    config: row.config,
    mostShards: row.most_shards,
    createdAt: row.created_at,
  }));
/** Enough to find a destination's lanes and to label what it tells. */
export type DestinationName = z.infer<typeof DestinationNameRow>;

/**
 * SIEM destinations, with the credentials that were given with them. Deleting only marks a row, because its lane still
 * answers for its dead letters.
 */
export interface DestinationStore {
  /** With its managed credential. @returns false when the shared one that it names is gone */
  insert(destination: Destination): Promise<boolean>;
  /** Deleted ones too, with `deletedAt`. */
  get(tenantId: string, id: string): Promise<Destination | null>;
  /** Those not deleted. */
  page(tenantId: string, request: PageRequest): Promise<Page<Destination>>;
  /** How many are not deleted. */
  count(tenantId: string): Promise<number>;
  /** Everything to which an event may be owed: enabled, or switched off or deleted not long ago. */
  forFanOut(tenantId: string): Promise<DestinationSettings[]>;
  /** The same for several tenants in as few queries as possible; one that has none is not in it. */
  forFanOutOf(tenantIds: readonly string[]): Promise<ReadonlyMap<string, readonly DestinationSettings[]>>;
  /**
   * Writes what a person can change, secrets included.
   *
   * @returns false when the row is gone or no longer at that revision, or when the shared credential that it names is
   */
  update(destination: Destination, expectedRevision: number): Promise<boolean>;
  /** Also a new revision, so that the lane notices. @returns false when it was not there or already deleted */
  markDeleted(tenantId: string, id: string, at: EpochMs): Promise<boolean>;
  /** Takes the secrets of a deleted one away, once its lane needs them no more; a shared credential stays. */
  forgetSecrets(tenantId: string, id: string): Promise<void>;
  /** Forgets a row for good. */
  remove(tenantId: string, id: string): Promise<void>;
  /** What one of its lanes says of itself: not a change of the destination, so revision and `updatedAt` stay. */
  reportStatus(tenantId: string, id: string, shard: number, health: LaneHealth): Promise<void>;
  /** Over all tenants, for the operator's metrics; newest first. */
  allIds(request: PageRequest): Promise<Page<DestinationName>>;
}

export function createDestinationStore(db: D1Database, now: Clock = systemClock): DestinationStore {
  return {
    async insert(destination) {
      const inserted = db
        .prepare(
          `INSERT INTO destinations (id, tenant_id, created_at, deleted_at, status, status_reason, provider, name,
             endpoint, origin, enabled, config, routes, allowed_operations, credential_id, revision, updated_at,
             disabled_at, most_shards)
           SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE ${CREDENTIAL_IS_THERE}`,
        )
        .bind(
          destination.id,
          destination.tenantId,
          destination.createdAt,
          destination.deletedAt,
          destination.status,
          destination.statusReason === null ? null : JSON.stringify(destination.statusReason),
          ...changeable(destination),
          destination.tenantId,
          destination.credentialId,
        );
      const managed = destination.credentialIsShared ? [] : [writeManaged(db, destination)];
      const done = await db.batch([...managed, inserted]);
      return (done.at(-1)?.meta.changes ?? 0) > 0;
    },
    get: (tenantId, id) =>
      one(db, DestinationRow, `SELECT * FROM ${WITH_SECRETS} WHERE tenant_id = ? AND id = ?`, tenantId, id),
    page: (tenantId, request) =>
      page(
        db,
        {
          row: DestinationRow,
          table: WITH_SECRETS,
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
        SettingsRow,
        `SELECT * FROM destinations WHERE tenant_id = ? AND ${IS_STILL_OWED} ORDER BY created_at, id`,
        tenantId,
        since,
        since,
      );
    },
    async forFanOutOf(tenantIds) {
      const since = now() - days(STILL_OWED_DAYS);
      const found: DestinationSettings[] = [];
      for (let from = 0; from < tenantIds.length; from += TENANTS_PER_QUERY) {
        const some = tenantIds.slice(from, from + TENANTS_PER_QUERY);
        const places = some.map(() => "?").join(", ");
        const rows = await many(
          db,
          SettingsRow,
          `SELECT * FROM destinations WHERE tenant_id IN (${places}) AND ${IS_STILL_OWED}
           ORDER BY tenant_id, created_at, id`,
          ...some,
          since,
          since,
        );
        found.push(...rows);
      }
      return Map.groupBy(found, ({ tenantId }) => tenantId);
    },
    async update(destination, expectedRevision) {
      const { tenantId, id, credentialId } = destination;
      const isPresent = {
        sql: `EXISTS (SELECT 1 FROM destinations WHERE tenant_id = ? AND id = ? AND revision = ?
                AND deleted_at IS NULL)`,
        values: [tenantId, id, expectedRevision],
      };
      const managed = destination.credentialIsShared ? [] : [writeManaged(db, destination, isPresent)];
      const updated = db
        .prepare(
          `UPDATE destinations SET provider = ?, name = ?, endpoint = ?, origin = ?, enabled = ?, config = ?,
             routes = ?, allowed_operations = ?, credential_id = ?, revision = ?, updated_at = ?, disabled_at = ?,
             most_shards = MAX(most_shards, ?)
           WHERE tenant_id = ? AND id = ? AND revision = ? AND deleted_at IS NULL AND ${CREDENTIAL_IS_THERE}`,
        )
        .bind(...changeable(destination), tenantId, id, expectedRevision, tenantId, credentialId);
      // One that it managed and does not use any more dies; the same transaction, so nobody sees it without one.
      const orphaned = db
        .prepare(
          `DELETE FROM credentials WHERE tenant_id = ? AND managed_by = ? AND id <> ?
             AND EXISTS (SELECT 1 FROM destinations WHERE tenant_id = ? AND id = ? AND credential_id = ?)`,
        )
        .bind(tenantId, id, credentialId, tenantId, id, credentialId);
      const done = await db.batch([...managed, updated, orphaned]);
      return (done.at(-2)?.meta.changes ?? 0) > 0;
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
    async forgetSecrets(tenantId, id) {
      await run(
        db,
        `DELETE FROM credentials WHERE tenant_id = ?1 AND managed_by = ?2
           AND EXISTS (SELECT 1 FROM destinations WHERE tenant_id = ?1 AND id = ?2 AND deleted_at IS NOT NULL)`,
        tenantId,
        id,
      );
    },
    async remove(tenantId, id) {
      await db.batch([
        db.prepare("DELETE FROM credentials WHERE tenant_id = ? AND managed_by = ?").bind(tenantId, id),
        db.prepare("DELETE FROM destinations WHERE tenant_id = ? AND id = ?").bind(tenantId, id),
      ]);
    },
    async reportStatus(tenantId, id, shard, { status, reason }) {
      if (shard > 0) return reportShard(db, tenantId, id, shard, { status, reason });
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

/** In one statement, so that lanes which report at the same time lose nothing of each other. */
async function reportShard(
  db: D1Database,
  tenantId: string,
  id: string,
  shard: number,
  health: LaneHealth,
): Promise<void> {
  const place = `$."${shard}"`;
  if (health.status === "active") {
    await run(
      db,
      `UPDATE destinations SET shard_status = json_remove(shard_status, ?)
       WHERE tenant_id = ? AND id = ? AND shard_status IS NOT NULL`,
      place,
      tenantId,
      id,
    );
    return;
  }
  await run(
    db,
    `UPDATE destinations SET shard_status = json_set(coalesce(shard_status, '{}'), ?, json(?))
     WHERE tenant_id = ? AND id = ?`,
    place,
    JSON.stringify(health),
    tenantId,
    id,
  );
}

const CREDENTIAL_IS_THERE = "EXISTS (SELECT 1 FROM credentials WHERE tenant_id = ? AND id = ?)";

/**
 * Writes the credential that a destination manages. A text that did not change is no new version; and what the
 * schedule has sealed anew meanwhile is not overwritten, because it moved the destination's revision on.
 */
function writeManaged(
  db: D1Database,
  destination: DestinationSettings & DestinationCredential,
  condition: { readonly sql: string; readonly values: readonly Bindable[] } = { sql: "1", values: [] },
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO credentials (id, tenant_id, name, credential_type, managed_by, fields, sealed, previous_sealed,
         previous_until, version, created_at, updated_at, rotated_at)
       SELECT ?, ?, ?, 'destination', ?, ?, ?, ?, ?, 1, ?, ?, ? WHERE ${condition.sql}
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, fields = excluded.fields, sealed = excluded.sealed,
         previous_sealed = excluded.previous_sealed, previous_until = excluded.previous_until,
         version = version + (sealed <> excluded.sealed), updated_at = excluded.updated_at,
         rotated_at = excluded.rotated_at
       WHERE credentials.tenant_id = excluded.tenant_id AND credentials.managed_by = excluded.managed_by`,
    )
    .bind(
      destination.credentialId,
      destination.tenantId,
      destination.name,
      destination.id,
      JSON.stringify(destination.secretFields),
      destination.sealedSecrets,
      destination.sealedPreviousSecrets,
      destination.previousSecretsUntil,
      destination.updatedAt,
      destination.updatedAt,
      destination.secretsRotatedAt,
      ...condition.values,
    );
}

/** The columns that `insert` and `update` have in common, in their order there. */
function changeable(destination: Destination) {
  return [
    destination.provider,
    destination.name,
    destination.endpoint,
    destination.origin,
    destination.enabled ? 1 : 0,
    JSON.stringify(destination.config),
    JSON.stringify(destination.routes),
    JSON.stringify(destination.allowedOperations),
    destination.credentialId,
    destination.revision,
    destination.updatedAt,
    destination.disabledAt,
    lanesEver(destination),
  ] as const;
}
