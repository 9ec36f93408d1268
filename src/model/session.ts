import { type DurationMs, type EpochMs, hours, minutes } from "../base/clock.ts";

/** A session ends after so long without an act of a person; what a page asks for by itself does not count. */
export const SESSION_IDLE: DurationMs = minutes(60);
/** And after so long whatever happens. */
export const SESSION_LIFETIME: DurationMs = hours(12);

/** Somebody signed in to the console. */
export interface Session {
  /** SHA-256 of the cookie's value, in hex: what is stored instead of it. */
  readonly hash: string;
  readonly kind: "key" | "operator";
  /** For people: the key's name. */
  readonly name: string;
  /** SHA-256 of the key that was shown; a revoked key ends its sessions. Null for the operator. */
  readonly keyHash: string | null;
  /** The key's tenant, or the one that the operator has entered; null for an operator outside all. */
  readonly tenantId: string | null;
  /** What requests that change something must repeat in `X-CSRF-Token`. */
  readonly csrf: string;
  readonly createdAt: EpochMs;
  readonly seenAt: EpochMs;
  readonly expiresAt: EpochMs;
}

/** When a session ends if nobody does anything. */
export function endOf(session: Pick<Session, "seenAt" | "expiresAt">): EpochMs {
  return Math.min(session.seenAt + SESSION_IDLE, session.expiresAt);
}
