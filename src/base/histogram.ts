import type { DurationMs } from "./clock.ts";

/** Counts of latencies by size: bucket → events. Buckets grow by a fifth of an octave, so a percentile is right to about 7 %. */
export type Histogram = Readonly<Record<string, number>>;

const STEPS_PER_OCTAVE = 5;

export function bucketOf(latency: DurationMs): number {
  return Math.round(Math.log2(Math.max(1, latency)) * STEPS_PER_OCTAVE);
}

export function add(histogram: Histogram, latency: DurationMs, count: number): Histogram {
  const bucket = String(bucketOf(latency));
  return { ...histogram, [bucket]: (histogram[bucket] ?? 0) + count };
}

/** Several as one. */
export function together(histograms: readonly Histogram[]): Histogram {
  const total: Record<string, number> = {};
  for (const histogram of histograms) {
    for (const [bucket, count] of Object.entries(histogram)) total[bucket] = (total[bucket] ?? 0) + count;
  }
  return total;
}

/** @param share 0.5 for the median. @returns milliseconds, or null when nothing was counted */
export function percentile(histograms: readonly Histogram[], share: number): DurationMs | null {
  const counts = Object.entries(together(histograms)).map(
    ([bucket, count]) => [Number(bucket), count] as const,
  );
  const sum = counts.reduce((total, [, count]) => total + count, 0);
  if (sum === 0) return null;
  let seen = 0;
  for (const [bucket, count] of counts.sort(([left], [right]) => left - right)) {
    seen += count;
    if (seen >= sum * share) return Math.round(2 ** (bucket / STEPS_PER_OCTAVE));
  }
  return null;
}
