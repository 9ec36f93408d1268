import { z } from "zod";
import { isoTime } from "../base/clock.ts";
import { INCIDENT_CHANGES, type IncidentChange, IncidentState, Priority } from "../model/incident.ts";

const Moment = z.iso.datetime().meta({ example: "2026-06-30T12:00:00.000Z" });

/** As `viewIncident` of the model makes it, which events carry as well. */
export const IncidentView = z
  .object({
    id: z.string().meta({ example: "inc_0197c1f8a4d27c3e9b1f4a6d8e2c5b70" }),
    number: z
      .string()
      .meta({ description: "For people; from 1 within the tenant, without gaps", example: "INC0000001" }),
    state: IncidentState,
    status: IncidentState.meta({ description: "The same as `state`" }),
    priority: Priority,
    severity: z.string().nullable().meta({ description: "As the alert said it", example: "high" }),
    assignment_group: z.string().nullable().meta({ example: "SOC" }),
    short_description: z.string().meta({ example: "Failed logins on web-01" }),
    ci_identifier: z.string().nullable().meta({ description: "What it is about", example: "web-01" }),
    source_ip: z.string().nullable().meta({ example: "203.0.113.7" }),
    search_name: z.string().nullable().meta({ example: "Failed logins" }),
    message: z.string().nullable().meta({ example: "40 failed logins in 5 minutes" }),
    source_id: z.string().meta({ example: "src_0197c1f8a4d27c3e9b1f4a6d8e2c5b70" }),
    occurrences: z
      .int()
      .meta({ description: "Alerts that it stands for; resends are not counted", example: 1 }),
    first_seen_at: Moment.meta({
      description: "When its earliest alert happened, by the alert's own account",
    }),
    last_seen_at: Moment.meta({ description: "When its latest alert happened" }),
    created_at: Moment,
    updated_at: Moment,
    acknowledged_at: Moment.nullable(),
    resolved_at: Moment.nullable(),
    closed_at: Moment.nullable(),
    alert: z.record(z.string(), z.unknown()).meta({
      description: "The latest alert, as far as it fits 32 KB",
      example: { search_name: "Failed logins" },
    }),
  })
  .meta({ id: "Incident", description: "An ITSM-style record made from Splunk alerts or a notable" });

export const IncidentChangeView = z
  .object({
    id: z.string().meta({ example: "chg_0197c1f8a4d27c3e9b1f4a6d8e2c5b70" }),
    at: Moment,
    kind: z.enum(INCIDENT_CHANGES).meta({ description: "The event is called `incident.` and this" }),
    actor_type: z.enum(["API_KEY", "SOURCE", "OPERATOR"]),
    actor_id: z.string().meta({ description: "The key or the source", example: "key_1" }),
    event_id: z.string().meta({
      description: "The event on the tenant's stream",
      example: "evt_0197c1f8-a4d2-7c3e-9b1f-4a6d8e2c5b70",
    }),
    changes: z
      .record(z.string(), z.object({ from: z.unknown(), to: z.unknown() }))
      .meta({ example: { state: { from: "open", to: "acknowledged" } } }),
    note: z.string().nullable(),
  })
  .meta({ id: "IncidentChange", description: "One line of an incident's timeline" });

export function viewChange(change: IncidentChange): z.input<typeof IncidentChangeView> {
  return {
    id: change.id,
    at: isoTime(change.at),
    kind: change.kind,
    actor_type: change.actorType,
    actor_id: change.actorId,
    event_id: change.eventId,
    changes: change.changes,
    note: change.note,
  };
}
