import { fitLine, type Line } from "./statistics.ts";

export interface MemorySample {
  /** Seconds since the load began. */
  readonly second: number;
  readonly residentMegabytes: number;
  /** Of the state folder. */
  readonly stateMegabytes: number;
}

export interface MemoryVerdict {
  /** Of the resident memory over the second half. */
  readonly megabytesPerHour: number;
  /** Standard error of it. */
  readonly error: number;
  readonly meanMegabytes: number;
  /** What the line gains over the second half, of the mean. */
  readonly growth: number;
  readonly isFlat: boolean;
}

/** Flat is what gains less than this over the second half. A collector's saw-tooth alone moves a line by a few per cent. */
export const FLAT_SHARE = 0.05;

/** The first half is for warming up. @returns null below three samples in the second */
export function judgeMemory(samples: readonly MemorySample[]): MemoryVerdict | null {
  const last = samples[samples.length - 1]?.second ?? 0;
  const half = samples.filter(({ second }) => second >= last / 2);
  const line: Line | null = fitLine(
    half.map(({ second, residentMegabytes }) => ({ x: second, y: residentMegabytes })),
  );
  if (line === null) return null;
  const growth = (line.slope * (last / 2)) / line.mean;
  return {
    megabytesPerHour: line.slope * 3_600,
    error: line.error * 3_600,
    meanMegabytes: line.mean,
    growth,
    isFlat: growth < FLAT_SHARE,
  };
}
