/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;
/** A length of time in milliseconds. */
export type DurationMs = number;

/** Reads the time. Passed to whatever needs it, so that a day of retries runs in milliseconds in a test. */
export type Clock = () => EpochMs;

/** The one place that reads the machine's clock. On Workers it advances only after I/O. */
export const systemClock: Clock = () => Date.now();

export function seconds(count: number): DurationMs {
  return count * 1_000;
}

export function minutes(count: number): DurationMs {
  return count * 60_000;
}

export function hours(count: number): DurationMs {
  return count * 3_600_000;
}

export function days(count: number): DurationMs {
  return count * 86_400_000;
}

/** ISO 8601 with milliseconds, as every time in an answer is written. */
export function isoTime(at: EpochMs): string {
  return new Date(at).toISOString();
}

/** The same for a moment that may not have come. */
export function isoTimeOrNull(at: EpochMs | null): string | null {
  return at === null ? null : isoTime(at);
}
