/** What several runs come to. The machine is shared, so the middle is the figure and the ends are said beside it. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @returns null without a value; those that are null are left out */
export function summarise(values: readonly (number | null)[]): Summary | null {
  const sorted = values.filter((value) => value !== null).sort((left, right) => left - right);
  const [min, max] = [sorted[0], sorted[sorted.length - 1]];
  return min === undefined || max === undefined ? null : { median: quantile(sorted, 0.5), min, max };
}

/** @param sorted ascending and not empty; values between two neighbours are interpolated */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? below;
  return below + (above - below) * (at - Math.floor(at));
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
}

/** @returns null without a value */
export function percentiles(values: readonly number[]): Percentiles | null {
  const sorted = values.toSorted((left, right) => left - right);
  const max = sorted[sorted.length - 1];
  if (max === undefined) return null;
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max, samples: sorted.length };
}
