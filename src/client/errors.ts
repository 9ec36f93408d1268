import type { ErrorCode, Fault } from "../base/errors.ts";
import type { Receipt } from "./receipt.ts";

/**
 * What the library itself finds wrong, beside the relay's own codes.
 *
 * - `network`: no answer came; the request may or may not have arrived
 * - `timeout`: none came in time; likewise
 * - `unexpected_answer`: what answered is not a relay of this version, or something stands between
 * - `buffer_full`: the batcher holds as much as it may; nothing was added
 * - `closed`: the batcher was closed; nothing was added
 */
export type ClientFault = "network" | "timeout" | "unexpected_answer" | "buffer_full" | "closed";

export interface SluiceErrorFields {
  /** Stable; switch on this. A newer relay may use codes that this version does not know. */
  readonly code: ErrorCode | ClientFault | (string & {});
  /** HTTP status, or null where no answer came. */
  readonly status: number | null;
  /** What is wrong with the input, event by event; `index` counts from 0 in the list given. */
  readonly errors?: readonly Fault[];
  /** Requests made, retries included. */
  readonly attempts?: number;
  /** Sending the same events under this key again cannot deliver them twice (24 hours). */
  readonly idempotencyKey?: string | null;
  /** Of `sendBatch` with more than one request: what had been accepted before this failure. */
  readonly accepted?: readonly Receipt[];
  /** The relay's `Retry-After` in milliseconds, where it gave one. */
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}

/** Every expected failure of a call to the relay. Its message is the relay's sentence on what to do. */
export class SluiceError extends Error {
  override readonly name = "SluiceError";
  readonly code: SluiceErrorFields["code"];
  readonly status: number | null;
  readonly errors: readonly Fault[];
  readonly attempts: number;
  readonly idempotencyKey: string | null;
  readonly accepted: readonly Receipt[];
  readonly retryAfterMs: number | null;

  constructor(message: string, fields: SluiceErrorFields) {
    super(message, fields.cause === undefined ? {} : { cause: fields.cause });
    this.code = fields.code;
    this.status = fields.status;
    this.errors = fields.errors ?? [];
    this.attempts = fields.attempts ?? 0;
    this.idempotencyKey = fields.idempotencyKey ?? null;
    this.accepted = fields.accepted ?? [];
    this.retryAfterMs = fields.retryAfterMs ?? null;
  }

  /** The same failure with more said about it. */
  with(fields: Partial<SluiceErrorFields>): SluiceError {
    const { message, code, status, errors, attempts, idempotencyKey, accepted, retryAfterMs, cause } = this;
    const own = { code, status, errors, attempts, idempotencyKey, accepted, retryAfterMs, cause };
    return new SluiceError(message, { ...own, ...fields });
  }
}

/**
 * Why an envelope was not opened.
 *
 * - `malformed`: not an envelope of this version and suite; nothing was computed
 * - `refused`: not authentic, or for another key. Which check failed is never said
 * - the others are told only about an envelope that is authentic: `expired`, `not_yet_valid` (compare the clocks),
 *   `other_key` (it names another registered key), `other_request` (it answers another call)
 */
export type EnvelopeFault =
  | "malformed"
  | "refused"
  | "expired"
  | "not_yet_valid"
  | "other_key"
  | "other_request";

/** The envelope was not opened, and nothing of it may be used. */
export class EnvelopeError extends Error {
  override readonly name = "EnvelopeError";
  readonly code: EnvelopeFault;

  constructor(code: EnvelopeFault, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Why a webhook was not believed: `missing_signature`, `bad_signature`, `stale` (signed with the secret, but too long
 * ago or too far ahead), or `malformed` (signed, but no JSON). Answer 401 to the first three.
 */
export type WebhookFault = "missing_signature" | "bad_signature" | "stale" | "malformed";

/** The request is not known to come from the relay, and its body must not be used. */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
  readonly code: WebhookFault;

  constructor(code: WebhookFault, message: string) {
    super(message);
    this.code = code;
  }
}
