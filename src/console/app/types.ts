/** What the API answers, as far as the console shows it. The API's own document is `/openapi.json`. */

export interface Session {
  readonly kind: "key" | "operator";
  readonly name: string;
  readonly key_id: string | null;
  readonly tenant: { readonly id: string; readonly name: string } | null;
  readonly scopes: readonly string[];
  readonly csrf_token: string;
  readonly ends_at: string;
  readonly expires_at: string;
}

/** RFC 9457, with the relay's stable code. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly { readonly index?: number; readonly path: string; readonly message: string }[];
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
}

export type DestinationStatus = "active" | "degraded" | "failed" | "disabled";

export interface Route {
  readonly match: string;
  readonly index?: string;
  readonly enabled: boolean;
}

export interface Destination {
  readonly id: string;
  readonly provider: string;
  readonly name: string;
  readonly endpoint: string;
  readonly enabled: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  readonly routes: "categories" | readonly Route[];
  readonly allowed_operations: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly status: DestinationStatus | null;
  readonly status_reason: { readonly code: string; readonly message: string; readonly since: string } | null;
  readonly backlog: {
    readonly events: number;
    readonly bytes: number;
    readonly oldest_at: string | null;
  } | null;
  readonly next_attempt_at: string | null;
  readonly first_loss_at: string | null;
  readonly last_delivered_at: string | null;
  readonly dead_letters: number | null;
  readonly credential?: {
    readonly id: string;
    readonly rotated_at: string | null;
    readonly previous_until: string | null;
    readonly previous_used_at: string | null;
    readonly previous_uses: number;
  };
  /** Of the last hour: events delivered in each minute, oldest first, and how long acceptance to delivery took. */
  readonly activity?: {
    readonly per_minute: readonly number[];
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
  } | null;
}

export interface DestinationDetail extends Destination {
  readonly status_changes: readonly {
    readonly at: string;
    readonly status: DestinationStatus;
    readonly reason: { readonly code: string; readonly message: string } | null;
  }[];
}

export interface TestReport {
  readonly ok: boolean;
  readonly latency_ms: number | null;
  readonly http_status: number | null;
  readonly provider_code: string | number | null;
  readonly message: string;
  readonly hint: string | null;
  readonly acknowledgement: "on" | "off" | null;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

export type IncidentState = "open" | "acknowledged" | "resolved" | "closed";
export type Priority = "P1" | "P2" | "P3" | "P4";

export interface Incident {
  readonly id: string;
  readonly number: string;
  readonly state: IncidentState;
  readonly priority: Priority;
  readonly severity: string | null;
  readonly assignment_group: string | null;
  readonly short_description: string;
  readonly ci_identifier: string | null;
  readonly source_ip: string | null;
  readonly search_name: string | null;
  readonly message: string | null;
  readonly source_id: string;
  readonly occurrences: number;
  readonly first_seen_at: string;
  readonly last_seen_at: string;
  readonly created_at: string;
  readonly acknowledged_at: string | null;
  readonly resolved_at: string | null;
  readonly closed_at: string | null;
  readonly alert: Readonly<Record<string, unknown>>;
}

export interface IncidentChange {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly actor_type: string;
  readonly actor_id: string;
  readonly event_id: string;
  readonly changes: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
  readonly note: string | null;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface Source {
  readonly id: string;
  readonly kind: "splunk_alert" | "splunk_es";
  readonly name: string;
  readonly enabled: boolean;
  readonly status: "waiting" | "active" | "degraded" | "disabled";
  readonly status_reason: { readonly code: string; readonly message: string; readonly since: string } | null;
  readonly last_seen_at: string | null;
  readonly alerts: number;
  readonly checks: readonly Check[];
  readonly created_at: string;
  readonly severity_mapping: Readonly<Record<string, Priority>>;
  readonly field_mapping: Readonly<Record<string, string>>;
  readonly dedup_fields?: readonly string[];
  readonly secret_header?: string | null;
  readonly allow_path_secret?: boolean;
  readonly hmac?: unknown;
  readonly rest_url?: string;
  readonly search?: string | null;
  readonly poll_interval_minutes?: number;
  readonly polling?: {
    readonly last_polled_at: string | null;
    readonly checkpoint: string | null;
    readonly next_poll_at: string | null;
    readonly notables: number;
    readonly failures: number;
  } | null;
}

export interface SetupSheet {
  readonly steps: readonly string[];
  readonly url?: string;
  readonly shared_url?: string;
  readonly path_url?: string;
  readonly header?: string;
  readonly signature?: string;
  readonly payload_template_text?: string;
  readonly allow_list?: { readonly pattern: string; readonly conf: string };
  readonly curl?: string;
  readonly rest_url?: string;
}

export interface MadeSource extends Source {
  readonly secret?: string;
  readonly path_secret?: string;
  readonly setup: SetupSheet;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly require_signature: boolean;
  readonly created_at: string;
  readonly expires_at: string | null;
}

export interface MadeKey extends ApiKey {
  readonly key: string;
  readonly signing_secret?: string;
}

export interface CatalogEntry {
  readonly action: string;
  readonly description: string;
  readonly category: string | null;
  readonly default_index: string | null;
}

export const BATCH_STATES = ["buffered", "sent", "accepted", "indexed", "parked", "expired"] as const;
export type BatchState = (typeof BATCH_STATES)[number];

export interface Batch {
  readonly batch_id: string;
  readonly state: BatchState;
  readonly destinations: readonly {
    readonly destination_id: string;
    readonly name: string;
    readonly provider: string;
    readonly state: BatchState | "unknown";
    readonly counts: Readonly<Record<BatchState, number>> | null;
    readonly attempts: number | null;
    readonly buffered_at: string | null;
    readonly last_attempt_at: string | null;
    readonly accepted_at: string | null;
    readonly indexed_at: string | null;
    readonly parked_at: string | null;
  }[];
}

export interface IngestReceipt {
  readonly accepted: number;
  readonly ids: readonly string[];
  readonly batch_id: string;
}
