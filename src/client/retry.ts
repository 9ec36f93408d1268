import { type DurationMs, type EpochMs, minutes, seconds } from "../base/clock.ts";
import type { RetryOptions } from "./options.ts";

/** A mistaken `Retry-After` of a year must not stop a producer for a year. */
const MAX_RETRY_AFTER: DurationMs = minutes(15);

/**
 * How long to wait before the next attempt: full jitter under a doubling line, because producers that were refused
 * together must not come back together. The relay's own hint is a floor, kept up to 15 minutes.
 *
 * @param attempts made so far, from 1
 * @param random uniform in [0, 1)
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (read 2026-11)
 */
export function nextDelay(
  attempts: number,
  input: {
    readonly retry: Required<RetryOptions>;
    readonly hint: DurationMs | null;
    readonly random: () => number;
  },
): DurationMs {
  const { baseDelayMs, maxDelayMs } = input.retry;
  const line = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempts - 1));
  return Math.max(Math.round(input.random() * line), Math.min(input.hint ?? 0, MAX_RETRY_AFTER));
}

/** `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3), or null for neither. */
export function readRetryAfter(header: string | null, now: EpochMs): DurationMs | null {
  if (header === null) return null;
  if (/^\d{1,10}$/.test(header)) return seconds(Number(header));
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
