import type { DurationMs } from "../base/clock.ts";

/** Why a destination is not well; the closed list that callers see as `status_reason.code`. */
export const TROUBLES = [
  "unreachable",
  "timeout",
  "tls_untrusted",
  "throttled",
  "provider_error",
  "credentials_rejected",
  "config_rejected",
  "gone",
  "expired",
] as const;
export type Trouble = (typeof TROUBLES)[number];

/** What the provider said, for people and for the deliveries list. Holds no secret; at most 500 characters. */
export interface ProviderWords {
  readonly httpStatus: number | null;
  /** The provider's own code, like Splunk's 0 to 28. */
  readonly code: string | number | null;
  readonly message: string;
}

/** An event that a provider does not want, in the provider's own words. */
export interface RefusedEvent {
  /** In the request, from 0. */
  readonly index: number;
  readonly code: string | number | null;
  readonly message: string;
}

/**
 * What one request to a provider came to. Each arm makes somebody else act:
 *
 * - `delivered`: taken by the provider. `slowDown` asks for a gentler pace. With an `ackId` (here and where a refusal
 *   names what was taken before it) the provider will still have to acknowledge what it has taken.
 * - `retry`: not taken, or nobody knows (`maybeTaken`); the same again later. `retryAfter` is the provider's wish.
 * - `hold`: the settings are wrong, the data is fine. Keep everything, try seldom, say so.
 *   `committed` events from the front were taken all the same.
 * - `isolate`: one event is at fault. `committed` events from the front were taken; `offender` is its index in the
 *   request, or null where the provider does not say and splitting has to find it.
 * - `partial`: the provider answered for each event. `delivered` and `refused` are indexes in the request; the rest was
 *   not taken and is tried again: at once, or later where `trouble` says why it was not.
 * - `split`: too large as a whole. `committed` is always 0.
 * - `fault`: the provider says that the request is malformed in a way that only the relay can have caused.
 */
export type Outcome = { readonly words: ProviderWords } & (
  | { readonly kind: "delivered"; readonly slowDown: boolean; readonly ackId: number | null }
  | {
      readonly kind: "retry";
      readonly trouble: Trouble;
      readonly retryAfter: DurationMs | null;
      readonly maybeTaken: boolean;
    }
  | {
      readonly kind: "hold";
      readonly trouble: Trouble;
      readonly committed: number;
      readonly offender: number | null;
      readonly ackId?: number | null;
    }
  | {
      readonly kind: "isolate";
      readonly committed: number;
      readonly offender: number | null;
      readonly ackId?: number | null;
    }
  | {
      readonly kind: "partial";
      readonly delivered: readonly number[];
      readonly refused: readonly RefusedEvent[];
      readonly trouble: Trouble | null;
      readonly retryAfter: DurationMs | null;
    }
  | { readonly kind: "split" }
  | { readonly kind: "fault" }
);

export type OutcomeKind = Outcome["kind"];
