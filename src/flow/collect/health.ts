import { fullJitter } from "../../base/backoff.ts";
import { type DurationMs, type EpochMs, minutes, seconds } from "../../base/clock.ts";
import type { SourceReason, SourceTrouble } from "../../model/source.ts";

/** No two polls of a source are further apart than its interval or this, whichever is longer. */
export const MAX_DELAY: DurationMs = minutes(15);
/** First pause after a poll that failed. */
const RETRY_BASE: DurationMs = seconds(5);
/**
 * Least share of `MAX_DELAY` that is waited from the first failure on when the settings are wrong: a person has to act,
 * and their change polls at once anyway. Splunk locks an account after five wrong passwords within five minutes, and
 * where it is hardened after three within fifteen.
 * @see authentication.conf, `lockoutAttempts` and `lockoutThresholdMins` (read 2026-11)
 */
const HELD_SHARE = 0.5;

/** Why a poll did not get on. */
export interface PollFailure {
  readonly trouble: SourceTrouble;
  /** One or two sentences for the person whose source it is. Holds no secret. */
  readonly message: string;
  /** The settings are at fault, not the moment. */
  readonly held: boolean;
  /** What Splunk, or a proxy before it, asks for. */
  readonly retryAfter: DurationMs | null;
}

/** How polling stands, which is also the source's public status. */
export interface PollHealth {
  readonly status: "active" | "degraded";
  readonly reason: SourceReason | null;
  /** Failed polls in a row. */
  readonly failures: number;
  readonly retryAt: EpochMs | null;
  readonly lastPolledAt: EpochMs | null;
}

export const WELL: PollHealth = {
  status: "active",
  reason: null,
  failures: 0,
  retryAt: null,
  lastPolledAt: null,
};

export function succeeded(now: EpochMs): PollHealth {
  return { ...WELL, lastPolledAt: now };
}

export function failed(
  before: PollHealth,
  { trouble, message, held, retryAfter }: PollFailure,
  { now, random }: { now: EpochMs; random: () => number },
): PollHealth {
  const failures = before.failures + 1;
  const pause = held
    ? MAX_DELAY * (HELD_SHARE + random() * (1 - HELD_SHARE))
    : fullJitter(failures, { base: RETRY_BASE, limit: MAX_DELAY, random });
  const delay = Math.min(MAX_DELAY, Math.max(retryAfter ?? 0, Math.ceil(pause)));
  const since = before.reason?.code === trouble ? before.reason.since : now;
  return {
    ...before,
    status: "degraded",
    reason: { code: trouble, message, since },
    failures,
    retryAt: now + delay,
  };
}
