import { z } from "zod";
import {
  INCIDENT_CHANGES,
  type Incident,
  type IncidentChange,
  IncidentState,
  Priority,
} from "../model/incident.ts";
import { changeIds } from "../model/incident-event.ts";
import { json, moment } from "./columns.ts";

const AnyObject = z.record(z.string(), z.unknown());

const incidentColumns = {
  id: z.string(),
  tenant_id: z.string(),
  number: z.number().int(),
  source_id: z.string(),
  state: IncidentState,
  priority: Priority,
  severity: z.string().nullable(),
  assignment_group: z.string().nullable(),
  short_description: z.string(),
  ci_identifier: z.string().nullable(),
  source_ip: z.string().nullable(),
  search_name: z.string().nullable(),
  message: z.string().nullable(),
  alert: json(AnyObject),
  occurrences: z.number().int(),
  first_seen_at: moment,
  last_seen_at: moment,
  created_at: moment,
  updated_at: moment,
  acknowledged_at: moment.nullable(),
  resolved_at: moment.nullable(),
  closed_at: moment.nullable(),
  revision: z.number().int(),
};
const IncidentColumns = z.object(incidentColumns);

function toIncident(row: z.infer<typeof IncidentColumns>): Incident {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    number: row.number,
    sourceId: row.source_id,
    state: row.state,
    priority: row.priority,
    severity: row.severity,
    assignmentGroup: row.assignment_group,
    shortDescription: row.short_description,
    ciIdentifier: row.ci_identifier,
    sourceIp: row.source_ip,
    searchName: row.search_name,
    message: row.message,
    alert: row.alert,
    occurrences: row.occurrences,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    acknowledgedAt: row.acknowledged_at,
    resolvedAt: row.resolved_at,
    closedAt: row.closed_at,
    revision: row.revision,
  };
}

export const IncidentRow = IncidentColumns.transform(toIncident);

/** What can change of an incident, as a change left it. The alert is not kept: there is only the latest. */
const After = z.object({
  state: IncidentState,
  priority: Priority,
  assignment_group: z.string().nullable(),
  occurrences: z.number().int(),
  last_seen_at: moment,
  acknowledged_at: moment.nullable(),
  resolved_at: moment.nullable(),
  closed_at: moment.nullable(),
});

const changeColumns = {
  incident_id: z.string(),
  revision: z.number().int(),
  at: moment,
  kind: z.enum(INCIDENT_CHANGES),
  actor_id: z.string(),
  actor_type: z.enum(["API_KEY", "SOURCE", "OPERATOR"]),
  changes: json(z.record(z.string(), z.object({ from: z.unknown(), to: z.unknown() }))),
  note: z.string().nullable(),
};
const ChangeColumns = z.object(changeColumns);

function toChange(row: z.infer<typeof ChangeColumns>): IncidentChange {
  const ids = changeIds(row.incident_id, row.revision, row.at);
  return {
    id: ids.change,
    incidentId: row.incident_id,
    at: row.at,
    kind: row.kind,
    actorId: row.actor_id,
    actorType: row.actor_type,
    eventId: ids.event,
    changes: row.changes,
    note: row.note,
  };
}

/** `revision` is the change's place in the timeline. */
export const ChangeRow = ChangeColumns.transform((row) => ({
  change: toChange(row),
  revision: row.revision,
}));

/** One row of a query over both tables: `change_` before the names of the change's columns. */
export const ChangedRow = z
  .object({
    ...incidentColumns,
    change_revision: changeColumns.revision,
    change_at: changeColumns.at,
    change_kind: changeColumns.kind,
    change_actor_id: changeColumns.actor_id,
    change_actor_type: changeColumns.actor_type,
    change_changes: changeColumns.changes,
    change_note: changeColumns.note,
    change_after: json(After),
  })
  .transform((row) => {
    const after = row.change_after;
    const change = toChange({
      incident_id: row.id,
      revision: row.change_revision,
      at: row.change_at,
      kind: row.change_kind,
      actor_id: row.change_actor_id,
      actor_type: row.change_actor_type,
      changes: row.change_changes,
      note: row.change_note,
    });
    const afterwards = { ...row, ...after, updated_at: row.change_at, revision: row.change_revision };
    return { incident: toIncident(row), afterwards: toIncident(afterwards), change };
  });

/** The columns that `ChangedRow` reads, of tables called `i` and `c`. */
export const CHANGED_COLUMNS = `i.*, c.revision AS change_revision, c.at AS change_at, c.kind AS change_kind,
  c.actor_id AS change_actor_id, c.actor_type AS change_actor_type, c.changes AS change_changes,
  c.note AS change_note, c.after AS change_after`;

/** SQL of `After`, over a table called `i` whose columns are replaced by what `instead` names. */
export function afterColumn(instead: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.keys(After.shape).map((name) => `'${name}', ${instead[name] ?? `i.${name}`}`);
  return `json_object(${pairs.join(", ")})`;
}
