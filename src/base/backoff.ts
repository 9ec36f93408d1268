import type { DurationMs } from "./clock.ts";

/**
 * Exponential backoff with full jitter: anything up to a ceiling that doubles with each failure.
 *
 * Full jitter, because those that wait for the same thing must not all come back at once.
 *
 * @param failures attempts that failed in a row, from 1
 * @param base ceiling of the first pause
 * @param limit ceiling of any pause
 * @param random uniform in [0, 1), injected so that tests can pin it
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (read 2026-11)
 */
export function fullJitter(
  failures: number,
  { base, limit, random }: { base: DurationMs; limit: DurationMs; random: () => number },
): DurationMs {
  return Math.ceil(random() * Math.min(limit, base * 2 ** Math.min(failures - 1, 20)));
}
