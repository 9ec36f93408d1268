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

/** Run against run: what has the same place in both lists was measured within the same minute. Null without a pair. */
export function summariseRatios(
  values: readonly (number | null)[],
  of: readonly (number | null | undefined)[],
): Summary | null {
  return summarise(
    values.map((value, index) => {
      const limit = of[index] ?? null;
      return value === null || limit === null || limit === 0 ? null : value / limit;
    }),
  );
}

/** The straight line through points, by least squares. */
export interface Line {
  /** Per unit of x. */
  readonly slope: number;
  /** Standard error of the slope: what of it may be noise. */
  readonly error: number;
  readonly mean: number;
}

/** @returns null below three points, or where all have the same x */
export function fitLine(points: readonly { readonly x: number; readonly y: number }[]): Line | null {
  const count = points.length;
  if (count < 3) return null;
  const mean = (read: (point: (typeof points)[number]) => number): number =>
    points.reduce((sum, point) => sum + read(point), 0) / count;
  const [middle, height] = [mean(({ x }) => x), mean(({ y }) => y)];
  const across = mean(({ x }) => (x - middle) ** 2);
  if (across === 0) return null;
  const slope = mean(({ x, y }) => (x - middle) * (y - height)) / across;
  const rest = mean(({ x, y }) => (y - height - slope * (x - middle)) ** 2);
  return { slope, error: Math.sqrt(rest / across / (count - 2)), mean: height };
}
