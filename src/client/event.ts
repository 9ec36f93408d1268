/** An audit event as you send it. Fields that are not listed are kept as they are. */
export interface AuditEvent {
  /** What happened: lower-case words joined by dots, like `user.login`. */
  readonly action: string;
  /** Required unless `actor_type` is `SYSTEM`. */
  readonly actor_id?: string | null;
  /** `USER` when absent. */
  readonly actor_type?: string;
  /** Filled in when absent. A SIEM deduplicates on it. */
  readonly id?: string;
  /** RFC 3339 with an offset; the time of receipt when absent. */
  readonly timestamp?: string;
  readonly resource_type?: string | null;
  readonly resource_id?: string | null;
  readonly service?: string | null;
  /** `SUCCESS` when absent. */
  readonly outcome?: string;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  /** Filled in when absent. */
  readonly integrity_hash?: string;
  readonly [field: string]: unknown;
}

/** The relay's limits on one request. */
export const MAX_EVENTS = 1_000;
export const MAX_BODY_BYTES = 5_000_000;
export const MAX_EVENT_BYTES = 100_000;
