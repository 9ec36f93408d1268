import { percentile, together } from "../../base/histogram.ts";
import type { LaneActivity, LaneReport, LaneTotals, StatusChange } from "../../model/lane.ts";
import { type LaneHealth, worstHealth } from "../../model/shards.ts";
import { earliest, latest, total } from "./counts.ts";

/** Changes of status that are told of, as of a single lane. */
const MAX_CHANGES = 50;

/**
 * The state of health of several lanes: sums, the oldest, the earliest, and the status of the worst.
 *
 * @param inUse how many lanes take new batches, from the first; what another says of its health counts as long as
 * something waits there, since no delivery would ever make it well again
 */
export function gatherReports(all: readonly LaneReport[], inUse: number): LaneReport {
  const concerned = all.filter(({ backlog }, shard) => shard < inUse || backlog.events > 0);
  const { status, reason } = worstHealth(concerned);
  return {
    status,
    reason,
    changes: gatherChanges(concerned.map(({ changes }) => changes)),
    backlog: {
      events: total(all.map(({ backlog }) => backlog.events)),
      bytes: total(all.map(({ backlog }) => backlog.bytes)),
      oldestAt: earliest(all.map(({ backlog }) => backlog.oldestAt)),
    },
    nextAttemptAt: earliest(all.map(({ nextAttemptAt }) => nextAttemptAt)),
    firstLossAt: earliest(all.map(({ firstLossAt }) => firstLossAt)),
    lastDeliveredAt: latest(all.map(({ lastDeliveredAt }) => lastDeliveredAt)),
    deadLetters: total(all.map(({ deadLetters }) => deadLetters)),
    fallback: {
      uses: total(all.map(({ fallback }) => fallback.uses)),
      usedAt: latest(all.map(({ fallback }) => fallback.usedAt)),
    },
    activity: gatherActivity(all.map(({ activity }) => activity)),
    totals: gatherTotals(all.map(({ totals }) => totals)),
  };
}

/** The history of the worst: what one lane changed shows only where it changed that. */
export function gatherChanges(lanes: readonly (readonly StatusChange[])[]): readonly StatusChange[] {
  const steps = lanes
    .flatMap((changes, lane) => changes.map((change) => ({ lane, change })))
    .sort((left, right) => left.change.at - right.change.at);
  const present: LaneHealth[] = lanes.map(() => ({ status: "active", reason: null }));
  const told: StatusChange[] = [];
  for (const { lane, change } of steps) {
    present[lane] = change;
    const { status, reason } = worstHealth(present);
    const last = told.at(-1);
    if (last?.status === status && last.reason?.code === reason?.code) continue;
    told.push({ at: change.at, status, reason });
  }
  return told.slice(-MAX_CHANGES);
}

/** Lanes asked in different minutes are off by one; who looks again sees it right. */
function gatherActivity(all: readonly LaneActivity[]): LaneActivity {
  const minutes = all[0]?.perMinute ?? [];
  const latencies = together(all.map((activity) => activity.latencies));
  return {
    perMinute: minutes.map((_, minute) => total(all.map(({ perMinute }) => perMinute[minute] ?? 0))),
    p50: percentile([latencies], 0.5),
    p95: percentile([latencies], 0.95),
    latencies,
  };
}

function gatherTotals(all: readonly LaneTotals[]): LaneTotals {
  const sum = (name: keyof LaneTotals): number => total(all.map((totals) => totals[name]));
  return {
    taken: sum("taken"),
    delivered: sum("delivered"),
    retried: sum("retried"),
    parked: sum("parked"),
    replayed: sum("replayed"),
    discarded: sum("discarded"),
    attempts: sum("attempts"),
    possibleDuplicates: sum("possibleDuplicates"),
  };
}
