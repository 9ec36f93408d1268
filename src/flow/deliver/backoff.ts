import { fullJitter } from "../../base/backoff.ts";
import { type DurationMs, minutes, seconds } from "../../base/clock.ts";

/** No two attempts are further apart than this, whatever a destination asks for, as promised to callers. */
export const MAX_DELAY: DurationMs = minutes(15);
/** First step after a delivery that failed. */
const RETRY_BASE: DurationMs = seconds(1);
/** First step when the settings are wrong: a person has to act, and their change retries at once anyway. */
const HOLD_BASE: DurationMs = seconds(10);

/**
 * How long to wait before the next attempt.
 *
 * Full jitter, because destinations coming back from an outage must not meet every outbox at once.
 * The destination's own hint is a floor, but a capped one: a mistaken `Retry-After` of a year must not
 * park a tenant's audit trail.
 *
 * @param failures attempts that failed in a row, from 1
 * @param hint the destination's `Retry-After`, or null
 * @param random uniform in [0, 1), injected so that tests can pin it
 * @returns milliseconds, never more than 15 minutes
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (read 2026-11)
 */
export function nextDelay(
  failures: number,
  { hint, held, random }: { hint: DurationMs | null; held: boolean; random: () => number },
): DurationMs {
  const pause = fullJitter(failures, { base: held ? HOLD_BASE : RETRY_BASE, limit: MAX_DELAY, random });
  return Math.min(MAX_DELAY, Math.max(hint ?? 0, pause));
}
