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
