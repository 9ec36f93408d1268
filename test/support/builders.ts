import type { Destination } from "../../src/model/destination.ts";
import type { Incident, IncidentDraft } from "../../src/model/incident.ts";
import type { DeadLetter } from "../../src/model/lane.ts";
import { DEFAULT_DEDUP_FIELDS, DEFAULT_SEVERITY_MAPPING, type Source } from "../../src/model/source.ts";

/** A body that makes a Splunk destination, and what the test is about. */
export function splunkBody(about: Readonly<Record<string, unknown>> = {}) {
  return {
    provider: "splunk",
    endpoint: "https://hec.splunk.example.com:8088/services/collector",
    token: "your-hec-token",
    ...about,
  };
}

/** A stored destination, and what the test is about. */
export function destination(about: Partial<Destination> = {}): Destination {
  return {
    id: "siem_1",
    tenantId: "ten_a",
    provider: "splunk",
    name: "SOC Splunk",
    endpoint: "https://hec.example.com:8088",
    enabled: true,
    config: { index: "main" },
    routes: [],
    allowedOperations: ["send_event"],
    origin: "https://hec.example.com:8088",
    credentialId: `cred_${(about.id ?? "siem_1").slice(5)}`,
    credentialIsShared: false,
    secretFields: ["token"],
    sealedSecrets: "v2.sealed",
    sealedPreviousSecrets: null,
    previousSecretsUntil: null,
    secretsRotatedAt: null,
    revision: 1,
    createdAt: 1_000,
    updatedAt: 1_000,
    disabledAt: null,
    deletedAt: null,
    mostShards: 1,
    status: "active",
    statusReason: null,
    ...about,
  };
}

/** An event set aside, and what the test is about. */
export function deadLetter(about: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: "dl_1",
    eventId: "evt_1",
    batchId: "bat_1",
    action: "user.login",
    reason: "refused",
    message: "Incorrect index",
    httpStatus: 400,
    providerCode: "7",
    attempts: 3,
    acceptedAt: 1_000,
    parkedAt: 2_000,
    event: '{"id":"evt_1","action":"user.login","big":12345678901234567890}',
    ...about,
  };
}

/** What one alert says, and what the test is about. */
export function incidentDraft(about: Partial<IncidentDraft> = {}): IncidentDraft {
  return {
    alertKey: null,
    proof: null,
    dedupKey: "failed-logins",
    dedupScope: "while_open",
    at: 1_000,
    shortDescription: "Failed logins",
    priority: "P2",
    severity: "high",
    assignmentGroup: "SOC",
    ciIdentifier: "web-01",
    sourceIp: "203.0.113.7",
    searchName: "Failed logins",
    message: "40 failed logins",
    alert: { search_name: "Failed logins", result_count: "40" },
    ...about,
  };
}

/** A stored incident, and what the test is about. */
export function incident(about: Partial<Incident> = {}): Incident {
  const {
    alertKey: _key,
    proof: _proof,
    dedupKey: _dedup,
    dedupScope: _scope,
    at,
    ...said
  } = incidentDraft();
  return {
    ...said,
    id: "inc_1",
    tenantId: "ten_a",
    number: 1,
    sourceId: "src_1",
    state: "open",
    occurrences: 1,
    firstSeenAt: at,
    lastSeenAt: at,
    createdAt: 2_000,
    updatedAt: 2_000,
    acknowledgedAt: null,
    resolvedAt: null,
    closedAt: null,
    revision: 1,
    ...about,
  };
}

/** A stored source of alerts, and what the test is about. */
export function source(about: Partial<Source> = {}): Source {
  return {
    id: "src_1",
    tenantId: "ten_a",
    kind: "splunk_alert",
    name: "SOC",
    enabled: true,
    config: {},
    severityMapping: DEFAULT_SEVERITY_MAPPING,
    fieldMapping: {},
    dedupFields: DEFAULT_DEDUP_FIELDS,
    sealedSecrets: "v1.sealed",
    revision: 1,
    createdAt: 1_000,
    updatedAt: 1_000,
    deletedAt: null,
    lastSeenAt: null,
    alerts: 0,
    status: "active",
    statusReason: null,
    ...about,
  };
}
