import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";
import { FieldMapping, SeverityMapping, type Source, SourceKind, SourceReason } from "../model/source.ts";
import { flag, json, moment } from "./columns.ts";
import { type Bindable, many, one, type Page, type PageRequest, page, run } from "./database.ts";

const SourceRow = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    kind: SourceKind,
    name: z.string(),
    enabled: flag,
    config: json(z.record(z.string(), z.unknown())),
    severity_mapping: json(SeverityMapping),
    field_mapping: json(FieldMapping),
    dedup_fields: json(z.array(z.string())),
    sealed_secrets: z.string(),
    revision: z.number().int(),
    created_at: moment,
    updated_at: moment,
    deleted_at: moment.nullable(),
    last_seen_at: moment.nullable(),
    alerts: z.number().int(),
    status: z.enum(["active", "degraded"]),
    status_reason: json(SourceReason).nullable(),
  })
  .transform(
    (row): Source => ({
      id: row.id,
      tenantId: row.tenant_id,
      kind: row.kind,
      name: row.name,
      enabled: row.enabled,
      config: row.config,
      severityMapping: row.severity_mapping,
      fieldMapping: row.field_mapping,
      dedupFields: row.dedup_fields,
      sealedSecrets: row.sealed_secrets,
      revision: row.revision,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      deletedAt: row.deleted_at,
      lastSeenAt: row.last_seen_at,
      alerts: row.alerts,
      status: row.status,
      statusReason: row.status_reason,
    }),
  );

const PolledRow = z
  .object({ id: z.string(), tenant_id: z.string(), revision: z.number().int(), created_at: moment })
  .transform((row) => ({
    id: row.id,
    tenantId: row.tenant_id,
    revision: row.revision,
    createdAt: row.created_at,
  }));
/** Enough to wake the poller of a source. */
export type PolledSource = z.infer<typeof PolledRow>;

/** Where alerts and notables come from. Deleting only marks a row, because incidents still name their source. */
export interface SourceStore {
  /** @param macs of the secrets by which an alert may find it */
  insert(source: Source, macs: readonly string[]): Promise<void>;
  /** Deleted ones too, with `deletedAt`. */
  get(tenantId: string, id: string): Promise<Source | null>;
  /** Those not deleted. */
  page(tenantId: string, request: PageRequest): Promise<Page<Source>>;
  /** How many are not deleted. */
  count(tenantId: string): Promise<number>;
  /** Writes what a person can change. @returns false when the row is gone or no longer at that revision */
  update(source: Source, macs: readonly string[], expectedRevision: number): Promise<boolean>;
  /** Also a new revision, so that the poller notices. @returns false when it was not there or already deleted */
  markDeleted(tenantId: string, id: string, at: EpochMs): Promise<boolean>;
  /** Whether another source of the tenant can be found by one of these. */
  hasMac(tenantId: string, macs: readonly string[], exceptId: string): Promise<boolean>;
  /** For an alert, whose tenant is known only by its source; never a deleted one. */
  findById(id: string): Promise<Source | null>;
  /** The same by secret: more than one when several have the same. */
  findByMacs(macs: readonly string[]): Promise<readonly { readonly mac: string; readonly source: Source }[]>;
  /** What the poller says of itself: not a change of the source, so revision and `updatedAt` stay. */
  reportStatus(
    tenantId: string,
    id: string,
    health: {
      readonly status: Source["status"];
      readonly reason: SourceReason | null;
      /** Of a successful poll; else null, and what was there stays. */
      readonly seenAt: EpochMs | null;
    },
  ): Promise<void>;
  /** The polled ones of all tenants that are switched on, newest first: so that none sleeps for ever. */
  polled(request: PageRequest): Promise<Page<PolledSource>>;
}

export function createSourceStore(db: D1Database): SourceStore {
  return {
    async insert(source, macs) {
      const inserted = db
        .prepare(
          `INSERT INTO sources (id, tenant_id, kind, created_at, deleted_at, last_seen_at, alerts, status,
             status_reason, name, enabled, config, severity_mapping, field_mapping, dedup_fields, sealed_secrets,
             revision, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .bind(
          source.id,
          source.tenantId,
          source.kind,
          source.createdAt,
          source.deletedAt,
          source.lastSeenAt,
          source.alerts,
          source.status,
          source.statusReason === null ? null : JSON.stringify(source.statusReason),
          ...changeable(source),
        );
      await db.batch([inserted, ...replaceMacs(db, source, macs)]);
    },
    get: (tenantId, id) =>
      one(db, SourceRow, "SELECT * FROM sources WHERE tenant_id = ? AND id = ?", tenantId, id),
    page: (tenantId, request) =>
      page(
        db,
        {
          row: SourceRow,
          table: "sources",
          where: "tenant_id = ? AND deleted_at IS NULL",
          values: [tenantId],
        },
        request,
      ),
    async count(tenantId) {
      const counted = await one(
        db,
        z.object({ total: z.number() }),
        "SELECT count(*) AS total FROM sources WHERE tenant_id = ? AND deleted_at IS NULL",
        tenantId,
      );
      return counted?.total ?? 0;
    },
    async update(source, macs, expectedRevision) {
      const updated = db
        .prepare(
          `UPDATE sources SET name = ?, enabled = ?, config = ?, severity_mapping = ?, field_mapping = ?,
             dedup_fields = ?, sealed_secrets = ?, revision = ?, updated_at = ?
           WHERE tenant_id = ? AND id = ? AND revision = ? AND deleted_at IS NULL`,
        )
        .bind(...changeable(source), source.tenantId, source.id, expectedRevision);
      const [first] = await db.batch([updated, ...replaceMacs(db, source, macs)]);
      return (first?.meta.changes ?? 0) > 0;
    },
    async markDeleted(tenantId, id, at) {
      const [marked] = await db.batch([
        db
          .prepare(
            `UPDATE sources SET deleted_at = ?, updated_at = ?, revision = revision + 1
             WHERE tenant_id = ? AND id = ? AND deleted_at IS NULL`,
          )
          .bind(at, at, tenantId, id),
        db
          .prepare(
            `DELETE FROM source_secrets WHERE source_id IN
               (SELECT id FROM sources WHERE tenant_id = ? AND id = ? AND deleted_at IS NOT NULL)`,
          )
          .bind(tenantId, id),
      ]);
      return (marked?.meta.changes ?? 0) > 0;
    },
    async hasMac(tenantId, macs, exceptId) {
      const found = await many(
        db,
        z.object({ id: z.string() }),
        `SELECT sources.id FROM source_secrets JOIN sources ON sources.id = source_secrets.source_id
         WHERE mac IN (SELECT value FROM json_each(?)) AND tenant_id = ? AND sources.id <> ?
           AND deleted_at IS NULL LIMIT 1`,
        JSON.stringify(macs),
        tenantId,
        exceptId,
      );
      return found.length > 0;
    },
    findById: (id) => one(db, SourceRow, "SELECT * FROM sources WHERE id = ? AND deleted_at IS NULL", id),
    async findByMacs(macs) {
      const found = await db
        .prepare(
          `SELECT source_secrets.mac AS mac, sources.* FROM source_secrets
           JOIN sources ON sources.id = source_secrets.source_id
           WHERE mac IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL ORDER BY sources.id LIMIT 20`,
        )
        .bind(JSON.stringify(macs))
        .all();
      return found.results.map((row) => ({
        mac: z.object({ mac: z.string() }).parse(row).mac,
        source: SourceRow.parse(row),
      }));
    },
    async reportStatus(tenantId, id, { status, reason, seenAt }) {
      await run(
        db,
        `UPDATE sources SET status = ?, status_reason = ?, last_seen_at = coalesce(?, last_seen_at)
         WHERE tenant_id = ? AND id = ?`,
        status,
        reason === null ? null : JSON.stringify(reason),
        seenAt,
        tenantId,
        id,
      );
    },
    polled: (request) =>
      page(
        db,
        {
          row: PolledRow,
          table: "sources",
          where: "kind = 'splunk_es' AND deleted_at IS NULL AND enabled = 1",
          values: [],
        },
        request,
      ),
  };
}

/** The columns that `insert` and `update` have in common, in their order there. */
function changeable(source: Source): readonly Bindable[] {
  return [
    source.name,
    source.enabled ? 1 : 0,
    JSON.stringify(source.config),
    JSON.stringify(source.severityMapping),
    JSON.stringify(source.fieldMapping),
    JSON.stringify(source.dedupFields),
    source.sealedSecrets,
    source.revision,
    source.updatedAt,
  ];
}

/**
 * In one transaction with the write before it, and only where that write took place: a sealed text is never the
 * same twice, so it tells whose write stands.
 */
function replaceMacs(db: D1Database, source: Source, macs: readonly string[]): D1PreparedStatement[] {
  const isOurs = "EXISTS (SELECT 1 FROM sources WHERE tenant_id = ? AND id = ? AND sealed_secrets = ?)";
  const our = [source.tenantId, source.id, source.sealedSecrets] as const;
  return [
    db.prepare(`DELETE FROM source_secrets WHERE source_id = ? AND ${isOurs}`).bind(source.id, ...our),
    db
      .prepare(
        `INSERT OR IGNORE INTO source_secrets (mac, source_id)
         SELECT value, ? FROM json_each(?) WHERE ${isOurs}`,
      )
      .bind(source.id, JSON.stringify(macs), ...our),
  ];
}
