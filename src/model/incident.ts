import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";

/** From the most to the least urgent. */
export const PRIORITIES = ["P1", "P2", "P3", "P4"] as const;
export const Priority = z.enum(PRIORITIES).meta({ id: "Priority", description: "P1 is the most urgent" });
export type Priority = z.infer<typeof Priority>;

export const INCIDENT_STATES = ["open", "acknowledged", "resolved", "closed"] as const;
export const IncidentState = z.enum(INCIDENT_STATES).meta({ id: "IncidentState" });
export type IncidentState = z.infer<typeof IncidentState>;

/**
 * Where an incident may go from each state. A false alarm is closed without being resolved; what was resolved
 * too early is opened again; closed is the end, so that a later alert opens a new incident with a number of its own.
 */
export const TRANSITIONS: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
  open: ["acknowledged", "resolved", "closed"],
  acknowledged: ["resolved", "closed"],
  resolved: ["open", "closed"],
  closed: [],
};

/** Characters of an incident's texts; what is longer is cut with an ellipsis, the alert itself keeps more. */
export const MAX_SHORT_DESCRIPTION_CHARACTERS = 512;
/** UTF-8 bytes of the alert that is kept with an incident, so that the event which carries both fits a queue message. */
export const MAX_ALERT_BYTES = 32_768;

/** What one alert or notable says, mapped, before it is known whether it opens an incident. */
export interface IncidentDraft {
  /**
   * Names this very alert within its source: the same again changes nothing. Null where the sender gave nothing
   * that could tell a resend from a second alert; then each counts.
   */
  readonly alertKey: string | null;
  /** What was shown to prove the sender, where a proof must not count twice (a signature); else null. */
  readonly proof: string | null;
  /** Alerts of one source with the same key are the same trouble. */
  readonly dedupKey: string;
  /** `while_open`: a resolved incident does not come back, a new one is opened. `forever`: updates of one notable. */
  readonly dedupScope: "while_open" | "forever";
  /** When it happened by its own account, else when it was received. */
  readonly at: EpochMs;
  readonly shortDescription: string;
  readonly priority: Priority;
  readonly severity: string | null;
  readonly assignmentGroup: string | null;
  readonly ciIdentifier: string | null;
  readonly sourceIp: string | null;
  readonly searchName: string | null;
  readonly message: string | null;
  /** The alert as received, as far as it fits `MAX_ALERT_BYTES`. */
  readonly alert: Readonly<Record<string, unknown>>;
}

/** An ITSM-style record made from a Splunk alert or a notable. */
export interface Incident {
  readonly id: string;
  readonly tenantId: string;
  /** From 1, without gaps within the tenant; people see `INC0000001`. */
  readonly number: number;
  readonly sourceId: string;
  readonly state: IncidentState;
  readonly priority: Priority;
  readonly severity: string | null;
  readonly assignmentGroup: string | null;
  readonly shortDescription: string;
  readonly ciIdentifier: string | null;
  readonly sourceIp: string | null;
  readonly searchName: string | null;
  readonly message: string | null;
  /** The latest alert. */
  readonly alert: Readonly<Record<string, unknown>>;
  /** Alerts that it stands for, at least 1. */
  readonly occurrences: number;
  readonly firstSeenAt: EpochMs;
  readonly lastSeenAt: EpochMs;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly acknowledgedAt: EpochMs | null;
  readonly resolvedAt: EpochMs | null;
  readonly closedAt: EpochMs | null;
  /** Grows by one with each change. */
  readonly revision: number;
}

/** What happened to an incident; each kind is the audit action `incident.<kind>`. A stored kind is never renamed. */
export const INCIDENT_CHANGES = [
  "create",
  "recur",
  "acknowledge",
  "resolve",
  "close",
  "reopen",
  "update",
  "note",
] as const;
export type IncidentChangeKind = (typeof INCIDENT_CHANGES)[number];

/** One line of an incident's timeline. Its event is on the tenant's stream under `eventId`. */
export interface IncidentChange {
  readonly id: string;
  readonly incidentId: string;
  readonly at: EpochMs;
  readonly kind: IncidentChangeKind;
  /** A key's id, a source's id, or `operator`. */
  readonly actorId: string;
  readonly actorType: "API_KEY" | "SOURCE" | "OPERATOR";
  readonly eventId: string;
  /** Field → before and after, for `update` and the changes of state. */
  readonly changes: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
  readonly note: string | null;
}

/** What became of one draft. */
export interface RaisedIncident {
  readonly incident: Incident;
  /**
   * `resent`: this very alert was counted before and changed nothing. `replayed`: its proof was used before; it is
   * refused, and the incident is the one that the first use made or touched.
   */
  readonly outcome: "created" | "recurred" | "resent" | "replayed";
}

/** `INC0000001`; more than seven digits where they are needed. */
export function incidentNumber(number: number): string {
  return `INC${String(number).padStart(7, "0")}`;
}
