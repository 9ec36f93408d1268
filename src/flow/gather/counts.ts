import type { EpochMs } from "../../base/clock.ts";
import { percentile, together } from "../../base/histogram.ts";
import type { BatchFate, FlushReport, LaneStats, StatsMinute } from "../../model/lane.ts";

export function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

export function earliest(moments: readonly (EpochMs | null)[]): EpochMs | null {
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.min(...known);
}

export function latest(moments: readonly (EpochMs | null)[]): EpochMs | null {
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Percentiles of all lanes together: those of each say nothing of the whole. */
export function gatherStats(all: readonly LaneStats[]): LaneStats {
  const minutes = new Map<EpochMs, StatsMinute>();
  for (const minute of all.flatMap((stats) => stats.minutes)) {
    const { at } = minute;
    const before = minutes.get(at) ?? { at, delivered: 0, retried: 0, dead: 0 };
    minutes.set(at, {
      at,
      delivered: before.delivered + minute.delivered,
      retried: before.retried + minute.retried,
      dead: before.dead + minute.dead,
    });
  }
  const latencies = together(all.map((stats) => stats.latencies));
  return {
    minutes: [...minutes.values()].sort((left, right) => left.at - right.at),
    p50: percentile([latencies], 0.5),
    p95: percentile([latencies], 0.95),
    latencies,
  };
}

/** A batch is in one lane, unless the number of lanes was changed while it was repeated: then it was taken twice, and counts twice. */
export function gatherFates(all: readonly (BatchFate | null)[]): BatchFate | null {
  const fates = all.filter((fate) => fate !== null);
  const [first, ...others] = fates;
  if (first === undefined || others.length === 0) return first ?? null;
  return {
    buffered: total(fates.map(({ buffered }) => buffered)),
    sent: total(fates.map(({ sent }) => sent)),
    accepted: total(fates.map(({ accepted }) => accepted)),
    indexed: total(fates.map(({ indexed }) => indexed)),
    parked: total(fates.map(({ parked }) => parked)),
    expired: total(fates.map(({ expired }) => expired)),
    attempts: total(fates.map(({ attempts }) => attempts)),
    bufferedAt: earliest(fates.map(({ bufferedAt }) => bufferedAt)),
    lastAttemptAt: latest(fates.map(({ lastAttemptAt }) => lastAttemptAt)),
    acceptedAt: latest(fates.map(({ acceptedAt }) => acceptedAt)),
    indexedAt: latest(fates.map(({ indexedAt }) => indexedAt)),
    parkedAt: latest(fates.map(({ parkedAt }) => parkedAt)),
  };
}

export function gatherFlushes(all: readonly FlushReport[]): FlushReport {
  return {
    flushed: total(all.map(({ flushed }) => flushed)),
    deadLettered: total(all.map(({ deadLettered }) => deadLettered)),
  };
}
