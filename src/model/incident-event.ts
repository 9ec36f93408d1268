import { createHash } from "node:crypto";
import { type EpochMs, isoTime, isoTimeOrNull } from "../base/clock.ts";
import { ID_PREFIX, uuidV7 } from "../base/ids.ts";
import { withIntegrityHash } from "../base/json.ts";
import type { RelayEvent } from "./event.ts";
import { type Incident, type IncidentChange, incidentNumber } from "./incident.ts";
import type { Source } from "./source.ts";

/** One change of an incident, with all that its event tells. */
export interface IncidentNews {
  /** The incident as that change left it. */
  readonly incident: Incident;
  readonly change: IncidentChange;
  /** Name and kind are null where the source is gone. */
  readonly source: {
    readonly id: string;
    readonly name: string | null;
    readonly kind: Source["kind"] | null;
  };
}

/** The names of a change, of its event, and of the batch in which the event travels. */
export interface ChangeIds {
  readonly change: string;
  readonly event: string;
  readonly batch: string;
}

/**
 * Names follow from the change itself, so that telling it again tells the same: a lane ignores a batch that it
 * has taken, and whoever receives it twice all the same sees one event id.
 *
 * @param revision that of the incident after the change
 */
export function changeIds(incidentId: string, revision: number, at: EpochMs): ChangeIds {
  const digest = createHash("sha256")
    .update(`sluice/incident-change/v1\0${incidentId}\0${revision}`)
    .digest();
  const uuid = uuidV7(at, digest);
  const hex = uuid.replaceAll("-", "");
  return { change: ID_PREFIX.change + hex, event: ID_PREFIX.event + uuid, batch: ID_PREFIX.batch + hex };
}

/** The audit event of a change. Its whole form is a function of what is stored. */
export function incidentEvent({ incident, change, source }: IncidentNews): RelayEvent {
  const action = `incident.${change.kind}`;
  const event = {
    id: change.eventId,
    timestamp: isoTime(change.at),
    tenant_id: incident.tenantId,
    actor_type: change.actorType,
    actor_id: change.actorId,
    action,
    resource_type: "incident",
    resource_id: incident.id,
    service: "sluice",
    outcome: "SUCCESS",
    metadata: {
      incident: viewIncident(incident),
      revision: incident.revision, // deliveries can overtake each other; a receiver keeps the highest
      changes: change.changes,
      note: change.note,
      source,
    },
  };
  return { id: change.eventId, at: change.at, action, json: withIntegrityHash(event) };
}

/** An incident as answers and events show it: the same fields in both, so that one mapping serves. */
export function viewIncident(incident: Incident) {
  return {
    id: incident.id,
    number: incidentNumber(incident.number),
    state: incident.state,
    status: incident.state,
    priority: incident.priority,
    severity: incident.severity,
    assignment_group: incident.assignmentGroup,
    short_description: incident.shortDescription,
    ci_identifier: incident.ciIdentifier,
    source_ip: incident.sourceIp,
    search_name: incident.searchName,
    message: incident.message,
    source_id: incident.sourceId,
    occurrences: incident.occurrences,
    first_seen_at: isoTime(incident.firstSeenAt),
    last_seen_at: isoTime(incident.lastSeenAt),
    created_at: isoTime(incident.createdAt),
    updated_at: isoTime(incident.updatedAt),
    acknowledged_at: isoTimeOrNull(incident.acknowledgedAt),
    resolved_at: isoTimeOrNull(incident.resolvedAt),
    closed_at: isoTimeOrNull(incident.closedAt),
    alert: incident.alert,
  };
}
