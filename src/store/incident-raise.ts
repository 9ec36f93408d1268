import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";
import type { IncidentDraft, RaisedIncident } from "../model/incident.ts";
import type { IncidentNews } from "../model/incident-event.ts";
import type { Source } from "../model/source.ts";
import { afterColumn, CHANGED_COLUMNS, ChangedRow, IncidentRow } from "./incident-rows.ts";

/** Alerts in one statement. */
const MAX_CHUNK_ALERTS = 100;
/** Characters of the JSON that one statement is given: D1 takes 2 MB a string, and a character has at most 3 bytes. */
const MAX_CHUNK_CHARACTERS = 600_000;

export interface NewAlert {
  readonly draft: IncidentDraft;
  /** The incident's id, should the alert open one. */
  readonly incidentId: string;
}

export interface RaiseRequest {
  /** `requestIdOf(at)`: fresh for each request, and sorts by the time of receipt. */
  readonly requestId: string;
  readonly source: Pick<Source, "id" | "tenantId" | "name" | "kind">;
  readonly alerts: readonly NewAlert[];
  readonly at: EpochMs;
}

export interface Raised {
  /** In the order of the alerts. */
  readonly raised: readonly RaisedIncident[];
  /** What is to be told: one for each alert that counted. */
  readonly news: readonly IncidentNews[];
}

export interface RaisedWithRepeats extends Raised {
  readonly repeats: readonly Repeat[];
}

/** An alert that did not count, because that earlier request had brought it. */
export interface Repeat {
  readonly requestId: string;
  readonly incidentId: string;
}

/*
 * Accepting alerts is one transaction whatever their number, because D1 bills and serialises by the statement: no
 * statement is run for a single alert, and nothing is read beforehand. D1 runs a batch alone and in order, so each
 * statement may rely on what those before it found and wrote. `CROSS JOIN` is SQLite's way of saying which table comes
 * first: the alerts in hand, and then their rows by key, not the other way round.
 */

/** Each alert that is neither a resend nor a replay, with the incident it belongs to: the live one, else the first alert's own. */
const COUNT_ALERTS = `
INSERT INTO incident_alerts (request_id, position, source_id, alert_key, incident_id)
WITH fresh AS (
  SELECT value->>'position' AS position, value->>'alert_key' AS alert_key, value->>'dedup_key' AS dedup_key,
    value->>'incident_id' AS incident_id,
    row_number() OVER (PARTITION BY value->>'alert_key' ORDER BY value->>'position') AS nth
  FROM json_each(?1)
  WHERE NOT EXISTS (SELECT 1 FROM incident_proofs p
      WHERE p.source_id = ?2 AND p.proof = value->>'proof' AND p.request_id <> ?3)
    AND NOT EXISTS (SELECT 1 FROM incident_alerts a
      WHERE a.source_id = ?2 AND a.alert_key = value->>'alert_key')
)
SELECT ?3, position, ?2, alert_key,
  coalesce((SELECT i.id FROM incidents i WHERE i.source_id = ?2 AND i.dedup_key = fresh.dedup_key),
    first_value(incident_id) OVER (PARTITION BY dedup_key ORDER BY position))
FROM fresh WHERE alert_key IS NULL OR nth = 1`;

/** An incident for each alert that became its own. Numbers go on from the tenant's last. */
const OPEN_INCIDENTS = `
INSERT INTO incidents (id, tenant_id, number, source_id, dedup_key, own_dedup_key, dedup_scope, state, priority,
  severity, assignment_group, short_description, ci_identifier, source_ip, search_name, message, alert, occurrences,
  first_seen_at, last_seen_at, created_at, updated_at, revision)
SELECT a.incident_id, ?5,
  (SELECT coalesce(max(number), 0) FROM incidents WHERE tenant_id = ?5) + row_number() OVER (ORDER BY a.position),
  ?2, value->>'dedup_key', value->>'dedup_key', value->>'dedup_scope', 'open', value->>'priority',
  value->>'severity', value->>'assignment_group', value->>'short_description', value->>'ci_identifier',
  value->>'source_ip', value->>'search_name', value->>'message', value->>'alert', 1,
  value->>'at', value->>'at', ?4, ?4, 1
FROM json_each(?1)
CROSS JOIN incident_alerts a ON a.request_id = ?3 AND a.position = value->>'position'
WHERE a.incident_id = value->>'incident_id'`;

/** All other counted alerts, added up for each incident. An alert that is older than the latest is only counted. */
const ADD_OCCURRENCES = `
UPDATE incidents SET occurrences = occurrences + more.alerts, revision = revision + more.alerts,
  first_seen_at = min(first_seen_at, more.first_at), last_seen_at = max(last_seen_at, more.last_at),
  alert = CASE WHEN more.last_at >= last_seen_at THEN more.alert ELSE incidents.alert END, updated_at = ?4
FROM (
  SELECT incident_id, alerts, first_at, last_at, alert FROM (
    SELECT a.incident_id, value->>'at' AS last_at, value->>'alert' AS alert,
      count(*) OVER (PARTITION BY a.incident_id) AS alerts,
      min(value->>'at') OVER (PARTITION BY a.incident_id) AS first_at,
      row_number() OVER (PARTITION BY a.incident_id ORDER BY value->>'at' DESC, a.position DESC) AS nth
    FROM json_each(?1)
    CROSS JOIN incident_alerts a ON a.request_id = ?3 AND a.position = value->>'position'
    WHERE a.incident_id <> value->>'incident_id' AND a.source_id = ?2
  ) WHERE nth = 1
) AS more
WHERE incidents.id = more.incident_id`;

/** One line of a timeline for each counted alert; the revisions that the incident has just gained, in order. */
const WRITE_TIMELINE = `
INSERT INTO incident_changes (incident_id, revision, tenant_id, at, kind, actor_id, actor_type, changes, note, after)
SELECT i.id, i.revision - counted.later, i.tenant_id, ?4, counted.kind, ?2, 'SOURCE', '{}', NULL,
  ${afterColumn({ occurrences: "i.occurrences - counted.later" })}
FROM (
  SELECT a.incident_id, CASE WHEN a.incident_id = value->>'incident_id' THEN 'create' ELSE 'recur' END AS kind,
    row_number() OVER (PARTITION BY a.incident_id ORDER BY a.position DESC) - 1 AS later
  FROM json_each(?1)
  CROSS JOIN incident_alerts a ON a.request_id = ?3 AND a.position = value->>'position'
) AS counted
JOIN incidents i ON i.id = counted.incident_id`;

/** The proofs are used up, also that of a resend. */
const USE_PROOFS = `
INSERT OR IGNORE INTO incident_proofs (source_id, proof, request_id, incident_id)
SELECT ?2, value->>'proof', ?3, coalesce(
  (SELECT a.incident_id FROM incident_alerts a WHERE a.request_id = ?3 AND a.position = value->>'position'),
  (SELECT a.incident_id FROM incident_alerts a WHERE a.source_id = ?2 AND a.alert_key = value->>'alert_key'))
FROM json_each(?1) WHERE value->>'proof' IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM incident_proofs p WHERE p.source_id = ?2 AND p.proof = value->>'proof')`;

const COUNT_AT_SOURCE = `
UPDATE sources SET alerts = sources.alerts + counted.alerts, last_seen_at = max(coalesce(last_seen_at, 0), ?4)
FROM (
  SELECT count(*) AS alerts FROM json_each(?1)
  CROSS JOIN incident_alerts a ON a.request_id = ?3 AND a.position = value->>'position'
) AS counted
WHERE sources.id = ?2 AND counted.alerts > 0`;

/** What became of each alert, the line that it added to a timeline, and which earlier request had brought it already. */
const TELL = `
WITH told AS (
  SELECT value->>'position' AS position, value->>'incident_id' AS own_id, a.incident_id AS counted_id,
    p.incident_id AS proved_id, k.incident_id AS known_id,
    nullif(coalesce(k.request_id, p.request_id), ?3) AS first_request,
    row_number() OVER (PARTITION BY a.incident_id ORDER BY a.position DESC) - 1 AS later
  FROM json_each(?1)
  LEFT JOIN incident_alerts a ON a.request_id = ?3 AND a.position = value->>'position'
  LEFT JOIN incident_alerts k ON k.source_id = ?2 AND k.alert_key = value->>'alert_key'
  LEFT JOIN incident_proofs p ON p.source_id = ?2 AND p.proof = value->>'proof' AND p.request_id <> ?3
)
SELECT ${CHANGED_COLUMNS}, told.position, told.first_request,
  CASE WHEN proved_id IS NOT NULL THEN 'replayed' WHEN counted_id IS NULL THEN 'resent'
    WHEN counted_id = own_id THEN 'created' ELSE 'recurred' END AS outcome
FROM told
JOIN incidents i ON i.id = coalesce(proved_id, counted_id, known_id)
LEFT JOIN incident_changes c ON c.incident_id = counted_id AND c.revision = i.revision - told.later
ORDER BY told.position`;

/** A statement, which of the two forms of the alerts it is given, and how many of the values it uses. */
const STATEMENTS = [
  { sql: COUNT_ALERTS, form: "keys", values: 3 },
  { sql: OPEN_INCIDENTS, form: "whole", values: 5 },
  { sql: ADD_OCCURRENCES, form: "whole", values: 4 },
  { sql: WRITE_TIMELINE, form: "keys", values: 4 },
  { sql: USE_PROOFS, form: "keys", values: 3 },
  { sql: COUNT_AT_SOURCE, form: "keys", values: 4 },
  { sql: TELL, form: "keys", values: 3 },
] as const;

const Told = z.object({
  position: z.number().int(),
  outcome: z.enum(["created", "recurred", "resent", "replayed"]),
  first_request: z.string().nullable(),
});

/** Counts alerts, all or none, in one transaction. */
export async function raise(db: D1Database, request: RaiseRequest): Promise<RaisedWithRepeats> {
  const chunks = chunksOf(request.alerts);
  if (chunks.length === 0) return { raised: [], news: [], repeats: [] };
  const results = await db.batch(chunks.flatMap((chunk) => statementsFor(db, chunk, request)));
  const { id, name, kind } = request.source;
  const raised: RaisedIncident[] = [];
  const news: IncidentNews[] = [];
  const repeats: Repeat[] = [];
  for (let at = STATEMENTS.length - 1; at < results.length; at += STATEMENTS.length) {
    for (const row of results[at]?.results ?? []) {
      const { outcome, first_request: requestId } = Told.parse(row);
      if (outcome === "resent" || outcome === "replayed") {
        const repeated = IncidentRow.parse(row);
        raised.push({ incident: repeated, outcome });
        if (requestId !== null) repeats.push({ requestId, incidentId: repeated.id });
        continue;
      }
      const { incident, afterwards, change } = ChangedRow.parse(row);
      raised.push({ incident, outcome });
      news.push({ incident: afterwards, change, source: { id, name, kind } });
    }
  }
  if (raised.length !== request.alerts.length) throw new Error("Not every alert was told of");
  return { raised, news, repeats };
}

interface Placed extends NewAlert {
  readonly position: number;
  /** JSON of the alert, which is most of what there is to store. */
  readonly alert: string;
}

function statementsFor(
  db: D1Database,
  chunk: readonly Placed[],
  { source, requestId, at }: RaiseRequest,
): D1PreparedStatement[] {
  const forms = { keys: JSON.stringify(chunk.map(keysOf)), whole: JSON.stringify(chunk.map(wholeOf)) };
  const values = [source.id, requestId, at, source.tenantId] as const;
  return STATEMENTS.map(({ sql, form, values: used }) =>
    db.prepare(sql).bind(forms[form], ...values.slice(0, used - 1)),
  );
}

function chunksOf(alerts: readonly NewAlert[]): readonly (readonly Placed[])[] {
  const chunks: Placed[][] = [];
  let room = 0;
  for (const [position, { draft, incidentId }] of alerts.entries()) {
    const alert = JSON.stringify(draft.alert);
    const current = chunks.at(-1);
    room -= alert.length;
    if (current !== undefined && current.length < MAX_CHUNK_ALERTS && room >= 0) {
      current.push({ draft, incidentId, position, alert });
    } else {
      chunks.push([{ draft, incidentId, position, alert }]);
      room = MAX_CHUNK_CHARACTERS - alert.length;
    }
  }
  return chunks;
}

function keysOf({ draft, incidentId, position }: Placed) {
  return {
    position,
    incident_id: incidentId,
    alert_key: draft.alertKey,
    proof: draft.proof,
    dedup_key: draft.dedupKey,
  };
}

function wholeOf(placed: Placed) {
  const { draft, incidentId, position, alert } = placed;
  return {
    position,
    incident_id: incidentId,
    at: Math.floor(draft.at),
    dedup_key: draft.dedupKey,
    dedup_scope: draft.dedupScope,
    priority: draft.priority,
    severity: draft.severity,
    assignment_group: draft.assignmentGroup,
    short_description: draft.shortDescription,
    ci_identifier: draft.ciIdentifier,
    source_ip: draft.sourceIp,
    search_name: draft.searchName,
    message: draft.message,
    alert,
  };
}
