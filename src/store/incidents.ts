import { z } from "zod";
import { days, type EpochMs } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { Incident, IncidentChange, IncidentState, Priority } from "../model/incident.ts";
import type { IncidentNews } from "../model/incident-event.ts";
import { SourceKind } from "../model/source.ts";
import { many, one, type Page, type PageRequest, page, run } from "./database.ts";
import { type Raised, type RaiseRequest, type Repeat, raise } from "./incident-raise.ts";
import { afterColumn, CHANGED_COLUMNS, ChangedRow, ChangeRow, IncidentRow } from "./incident-rows.ts";

/** How long a resend or a replay is recognised. */
export const ALERTS_KEPT_DAYS = 30;

/** Which incidents a list shows; null and empty lists leave nothing out. */
export interface IncidentFilter {
  readonly states: readonly IncidentState[];
  readonly priorities: readonly Priority[];
  readonly sourceId: string | null;
  /** In the short description, the message, the name of the search or the number; letters of ASCII match in either case. */
  readonly text: string | null;
  /** That moment or later. */
  readonly createdFrom: EpochMs | null;
  /** Before that moment. */
  readonly createdBefore: EpochMs | null;
}

/** What a person can change of an incident. */
export type Settled = Pick<Incident, "state" | "priority" | "assignmentGroup">;

export interface IncidentWrite {
  readonly tenantId: string;
  readonly id: string;
  readonly at: EpochMs;
  /** What was read, and on what the change rests: recurrences meanwhile do not matter. */
  readonly before: Settled;
  readonly after: Settled & Pick<Incident, "acknowledgedAt" | "resolvedAt" | "closedAt">;
  /** New lines of the timeline, in order, at least one. */
  readonly changes: readonly Pick<IncidentChange, "kind" | "actorId" | "actorType" | "changes" | "note">[];
}

/** Incidents, their timelines, and which of their events still have to be told. */
export interface IncidentStore {
  /**
   * Counts alerts in one transaction. To be told is also what the first request with a repeated alert left untold, by
   * one query more where there are repeats.
   */
  raise(request: RaiseRequest): Promise<Raised>;
  get(tenantId: string, id: string): Promise<Incident | null>;
  byNumber(tenantId: string, number: number): Promise<Incident | null>;
  /** The one to which an alert like those of this incident would be added now. */
  live(incident: Pick<Incident, "tenantId" | "id">): Promise<Incident | null>;
  page(tenantId: string, filter: IncidentFilter, request: PageRequest): Promise<Page<Incident>>;
  /** Newest first. @param before the `next` of the page before, or null for the first */
  timeline(
    tenantId: string,
    incidentId: string,
    request: { readonly limit: number; readonly before: number | null },
  ): Promise<{ readonly items: readonly IncidentChange[]; readonly next: number | null }>;
  /** @returns what is to be told, or null when the incident is no longer as it was read, or may not be live beside another */
  change(write: IncidentWrite): Promise<readonly IncidentNews[] | null>;
  /** Changes made before that moment whose events are not known to be on the queue, oldest first. */
  untold(before: EpochMs, limit: number): Promise<readonly IncidentNews[]>;
  countUntold(before: EpochMs): Promise<number>;
  markTold(changes: readonly ToldChange[], at: EpochMs): Promise<void>;
  /** Forgets what is needed only to recognise a resend. @returns how many rows went */
  prune(now: EpochMs, limit: number): Promise<number>;
}

/** Names one change. */
export interface ToldChange {
  readonly incidentId: string;
  readonly revision: number;
}

const SourceName = z
  .object({ source_id: z.string(), source_name: z.string().nullable(), source_kind: SourceKind.nullable() })
  .transform((row) => ({ id: row.source_id, name: row.source_name, kind: row.source_kind }));

/** Every change with its incident and its source. */
const NEWS = `SELECT ${CHANGED_COLUMNS}, s.name AS source_name, s.kind AS source_kind
FROM incident_changes c JOIN incidents i ON i.id = c.incident_id LEFT JOIN sources s ON s.id = i.source_id`;

const NewsRow = z.unknown().transform((row): IncidentNews => {
  const { afterwards, change } = ChangedRow.parse(row);
  return { incident: afterwards, change, source: SourceName.parse(row) };
});

/** Still as it was read, and not to be live beside another incident of the same trouble. */
const UNCHANGED = `i.tenant_id = ?1 AND i.id = ?2 AND i.state = ?3 AND i.priority = ?4 AND i.assignment_group IS ?5
  AND (?6 NOT IN ('open', 'acknowledged') OR NOT EXISTS (SELECT 1 FROM incidents other
    WHERE other.source_id = i.source_id AND other.dedup_key = i.own_dedup_key AND other.id <> i.id))`;

/** The lines are written first, under the condition that the update then meets as well: both or neither. */
const WRITE_CHANGES = `
INSERT INTO incident_changes (incident_id, revision, tenant_id, at, kind, actor_id, actor_type, changes, note, after)
SELECT i.id, i.revision + 1 + line.key, i.tenant_id, ?12, line.value->>'kind', line.value->>'actorId',
  line.value->>'actorType', json(line.value->'changes'), line.value->>'note',
  ${afterColumn({
    state: "?6",
    priority: "?7",
    assignment_group: "?8",
    acknowledged_at: "?9",
    resolved_at: "?10",
    closed_at: "?11",
  })}
FROM incidents i, json_each(?13) line WHERE ${UNCHANGED}`;

const WRITE_INCIDENT = `
UPDATE incidents AS i SET state = ?6, priority = ?7, assignment_group = ?8, acknowledged_at = ?9, resolved_at = ?10,
  closed_at = ?11, updated_at = ?12, revision = revision + json_array_length(?13),
  dedup_key = CASE WHEN dedup_scope = 'while_open' AND ?6 IN ('resolved', 'closed') THEN NULL ELSE own_dedup_key END
WHERE ${UNCHANGED}`;

export function createIncidentStore(db: D1Database): IncidentStore {
  return {
    async raise(request) {
      const { raised, news, repeats } = await raise(db, request);
      return { raised, news: [...(await leftUntold(db, repeats)), ...news] };
    },
    get: (tenantId, id) =>
      one(db, IncidentRow, "SELECT * FROM incidents WHERE tenant_id = ? AND id = ?", tenantId, id),
    byNumber: (tenantId, number) =>
      one(db, IncidentRow, "SELECT * FROM incidents WHERE tenant_id = ? AND number = ?", tenantId, number),
    live: ({ tenantId, id }) =>
      one(
        db,
        IncidentRow,
        `SELECT other.* FROM incidents i JOIN incidents other
           ON other.source_id = i.source_id AND other.dedup_key = i.own_dedup_key
         WHERE i.tenant_id = ? AND i.id = ?`,
        tenantId,
        id,
      ),
    page: (tenantId, filter, request) =>
      page(db, { row: IncidentRow, table: "incidents", ...filterQuery(tenantId, filter) }, request),
    async timeline(tenantId, incidentId, { limit, before }) {
      const found = await many(
        db,
        ChangeRow,
        `SELECT * FROM incident_changes WHERE tenant_id = ? AND incident_id = ? AND revision < ?
         ORDER BY revision DESC LIMIT ?`,
        tenantId,
        incidentId,
        before ?? Number.MAX_SAFE_INTEGER,
        limit + 1,
      );
      const shown = found.slice(0, limit);
      const next = found.length > limit ? (shown.at(-1)?.revision ?? null) : null;
      return { items: shown.map(({ change }) => change), next };
    },
    change: (write) => change(db, write),
    untold: (before, limit) =>
      many(
        db,
        NewsRow,
        `${NEWS} WHERE c.told_at IS NULL AND c.at < ? ORDER BY c.at, c.incident_id, c.revision LIMIT ?`,
        before,
        limit,
      ),
    async countUntold(before) {
      const sql = "SELECT count(*) AS total FROM incident_changes WHERE told_at IS NULL AND at < ?";
      return (await one(db, z.object({ total: z.number() }), sql, before))?.total ?? 0;
    },
    async markTold(changes, at) {
      await run(
        db,
        `UPDATE incident_changes SET told_at = ?1 WHERE (incident_id, revision) IN
           (SELECT value->>'incidentId', value->>'revision' FROM json_each(?2)) AND told_at IS NULL`,
        at,
        JSON.stringify(changes),
      );
    },
    prune: (now, limit) => prune(db, now, limit),
  };
}

/** Changes that earlier requests made and that are not known to be told: a change bears the time of its request. */
async function leftUntold(db: D1Database, repeats: readonly Repeat[]): Promise<readonly IncidentNews[]> {
  if (repeats.length === 0) return [];
  const wanted = repeats.map(({ requestId, incidentId }) => ({ at: timeOf(requestId), incidentId }));
  return many(
    db,
    NewsRow,
    `${NEWS} WHERE c.told_at IS NULL
       AND (c.at, c.incident_id) IN (SELECT value->>'at', value->>'incidentId' FROM json_each(?))
     ORDER BY c.at, c.incident_id, c.revision LIMIT ?`,
    JSON.stringify(wanted),
    repeats.length,
  );
}

async function change(db: D1Database, write: IncidentWrite): Promise<readonly IncidentNews[] | null> {
  const { tenantId, id, before, after, at, changes } = write;
  const values = [
    tenantId,
    id,
    before.state,
    before.priority,
    before.assignmentGroup,
    after.state,
    after.priority,
    after.assignmentGroup,
    after.acknowledgedAt,
    after.resolvedAt,
    after.closedAt,
    at,
    JSON.stringify(changes),
  ];
  const read = `${NEWS} WHERE i.tenant_id = ? AND i.id = ? AND c.revision > i.revision - ? ORDER BY c.revision`;
  const [, written, told] = await db.batch([
    db.prepare(WRITE_CHANGES).bind(...values),
    db.prepare(WRITE_INCIDENT).bind(...values),
    db.prepare(read).bind(tenantId, id, changes.length),
  ]);
  return written?.meta.changes === 0 ? null : (told?.results ?? []).map((row) => NewsRow.parse(row));
}

/** As `incidentNumber` writes it. */
const NUMBER = "'INC' || printf('%07d', number)";

function filterQuery(tenantId: string, filter: IncidentFilter) {
  const where = ["tenant_id = ?"];
  const values: (string | number)[] = [tenantId];
  const add = (condition: string, ...bound: (string | number)[]): void => {
    where.push(condition);
    values.push(...bound);
  };
  const listed = (column: string) => `${column} IN (SELECT value FROM json_each(?))`;
  if (filter.states.length > 0) add(listed("state"), JSON.stringify(filter.states));
  if (filter.priorities.length > 0) add(listed("priority"), JSON.stringify(filter.priorities));
  if (filter.sourceId !== null) add("source_id = ?", filter.sourceId);
  if (filter.createdFrom !== null) add("created_at >= ?", filter.createdFrom);
  if (filter.createdBefore !== null) add("created_at < ?", filter.createdBefore);
  // Not LIKE: D1 takes patterns of 50 bytes at most.
  const place = ["short_description", "coalesce(message, '')", "coalesce(search_name, '')", NUMBER].join(
    " || char(10) || ",
  );
  if (filter.text !== null) add(`instr(lower(${place}), lower(?)) > 0`, filter.text);
  return { where: where.join(" AND "), values };
}

/** A request's id sorts by time, so what is old is found without a column for it. */
async function prune(db: D1Database, now: EpochMs, limit: number): Promise<number> {
  const oldest = requestIdOf(now - days(ALERTS_KEPT_DAYS)).slice(0, 12);
  const [alerts, proofs] = await db.batch([
    db
      .prepare(
        `DELETE FROM incident_alerts WHERE (request_id, position) IN
           (SELECT request_id, position FROM incident_alerts WHERE request_id < ? ORDER BY request_id LIMIT ?)`,
      )
      .bind(oldest, limit),
    db
      .prepare(
        `DELETE FROM incident_proofs WHERE (source_id, proof) IN
           (SELECT source_id, proof FROM incident_proofs WHERE request_id < ? ORDER BY request_id LIMIT ?)`,
      )
      .bind(oldest, limit),
  ]);
  return (alerts?.meta.changes ?? 0) + (proofs?.meta.changes ?? 0);
}

/** A fresh name for one request: 12 hex digits of its time, then what is random. */
export function requestIdOf(at: EpochMs): string {
  return newId("", at);
}

function timeOf(requestId: string): EpochMs {
  return Number.parseInt(requestId.slice(0, 12), 16);
}
