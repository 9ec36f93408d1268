import fc from "fast-check";
import { describe, it } from "vitest";
import { add, percentile } from "../../../src/base/histogram.ts";
import { gatherFates, gatherStats } from "../../../src/flow/gather/counts.ts";
import { deliveryOfShard, letterOfShard, selectionOfShard } from "../../../src/flow/gather/ids.ts";
import { gatherChanges, gatherReports } from "../../../src/flow/gather/report.ts";
import type {
  BatchFate,
  DeliveryRecord,
  LaneReport,
  LaneStats,
  StatusChange,
} from "../../../src/model/lane.ts";
import { worstHealth } from "../../../src/model/shards.ts";
import { deadLetter } from "../../support/builders.ts";
import { RESTING } from "../../support/fake-lane.ts";

const ill = (since: number, about: Partial<LaneReport> = {}): LaneReport => ({
  ...RESTING,
  status: "degraded",
  reason: { code: "throttled", message: `since ${since}`, since },
  ...about,
});
const waiting = { events: 3, bytes: 300, oldestAt: 5 };

describe("the report of several lanes", () => {
  it("is as bad as the worst, with the reason that has lasted longest", ({ expect }) => {
    const failed = ill(9, { status: "failed" });
    expect(gatherReports([RESTING, ill(7), ill(3)], 3)).toMatchObject({
      status: "degraded",
      reason: { message: "since 3" },
    });
    expect(gatherReports([ill(3), failed, RESTING], 3)).toMatchObject({
      status: "failed",
      reason: { message: "since 9" },
    });
    expect(gatherReports([RESTING, RESTING], 2)).toMatchObject({ status: "active", reason: null });
  });

  it("counts the health of a lane out of use as long as something waits there", ({ expect }) => {
    const changes: StatusChange[] = [{ at: 3, status: "degraded", reason: ill(3).reason }];
    expect(gatherReports([RESTING, ill(3, { changes })], 1)).toMatchObject({ status: "active", changes: [] });
    expect(gatherReports([RESTING, ill(3, { changes, backlog: waiting })], 1)).toMatchObject({
      status: "degraded",
      changes,
    });
  });

  it("sums what is counted, of lanes out of use too, and takes the oldest and the earliest", ({ expect }) => {
    const one: LaneReport = {
      ...RESTING,
      backlog: waiting,
      deadLetters: 2,
      nextAttemptAt: 50,
      firstLossAt: 90,
      lastDeliveredAt: 4,
      fallback: { uses: 1, usedAt: 3 },
      activity: { perMinute: [1, 2], p50: 1, p95: 1, latencies: { 10: 3 } },
      totals: { ...RESTING.totals, taken: 5, delivered: 2 },
    };
    const other: LaneReport = {
      ...one,
      backlog: { events: 1, bytes: 100, oldestAt: null },
      nextAttemptAt: null,
      firstLossAt: 80,
      lastDeliveredAt: 8,
      fallback: { uses: 2, usedAt: null },
      activity: { perMinute: [10, 20], p50: 1, p95: 1, latencies: { 10: 1, 40: 1 } },
    };
    expect(gatherReports([one, other], 1)).toMatchObject({
      backlog: { events: 4, bytes: 400, oldestAt: 5 },
      deadLetters: 4,
      nextAttemptAt: 50,
      firstLossAt: 80,
      lastDeliveredAt: 8,
      fallback: { uses: 3, usedAt: 3 },
      activity: { perMinute: [11, 22], latencies: { 10: 4, 40: 1 } },
      totals: { taken: 10, delivered: 4 },
    });
  });
});

const change = fc.record({
  at: fc.integer({ min: 0, max: 100 }),
  health: fc.constantFrom("active", "throttled", "timeout", "expired"),
});
const history = fc.array(change, { maxLength: 15 }).map((steps): StatusChange[] => {
  const told: StatusChange[] = [];
  for (const { at, health } of [...steps].sort((left, right) => left.at - right.at)) {
    const status = health === "active" ? "active" : health === "expired" ? "failed" : "degraded";
    const reason = health === "active" ? null : ({ code: health, message: "", since: at } as const);
    if (told.at(-1)?.reason?.code !== reason?.code || told.length === 0) told.push({ at, status, reason });
  }
  return told;
});

describe("the history of several lanes", () => {
  it("is a lane's own where the others never changed", ({ expect }) => {
    fc.assert(
      fc.property(history, (changes) => {
        expect(gatherChanges([[], changes, []])).toEqual(changes);
      }),
    );
  });

  it("changes at every step, goes forward in time, and ends in the worst of how they are", ({ expect }) => {
    fc.assert(
      fc.property(fc.array(history, { minLength: 1, maxLength: 4 }), (lanes) => {
        const told = gatherChanges(lanes);
        for (const [index, { at, status, reason }] of told.entries()) {
          const before = told[index - 1];
          if (before === undefined) continue;
          expect(at).toBeGreaterThanOrEqual(before.at);
          expect([status, reason?.code]).not.toEqual([before.status, before.reason?.code]);
        }
        const worst = worstHealth(lanes.flatMap((changes) => changes.at(-1) ?? []));
        if (told.length > 0) expect(told.at(-1)?.status).toBe(worst.status);
      }),
    );
  });
});

describe("the statistics of several lanes", () => {
  it("have the percentiles of all deliveries together, not a mean of percentiles", ({ expect }) => {
    const latencies = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(fc.array(latencies, { minLength: 1, maxLength: 6 }), (lanes) => {
        const histogramOf = (each: readonly number[]) =>
          each.reduce((sum, latency) => add(sum, latency, 1), {});
        const stats = lanes.map((each): LaneStats => {
          const histogram = histogramOf(each);
          return { minutes: [], p50: percentile([histogram], 0.5), p95: null, latencies: histogram };
        });
        const whole = histogramOf(lanes.flat());
        const { p50, p95 } = gatherStats(stats);
        expect([p50, p95]).toEqual([percentile([whole], 0.5), percentile([whole], 0.95)]);
      }),
    );
  });

  it("add up each minute once, in order", ({ expect }) => {
    const none = { p50: null, p95: null, latencies: {} };
    const minute = (at: number, delivered: number) => ({ at, delivered, retried: 1, dead: 0 });
    const stats = gatherStats([
      { minutes: [minute(60, 1), minute(180, 2)], ...none },
      { minutes: [minute(0, 5), minute(60, 3)], ...none },
    ]);
    expect(stats.minutes).toEqual([
      { at: 0, delivered: 5, retried: 1, dead: 0 },
      { at: 60, delivered: 4, retried: 2, dead: 0 },
      { at: 180, delivered: 2, retried: 1, dead: 0 },
    ]);
  });
});

describe("the fate of a batch", () => {
  const fate: BatchFate = {
    ...{ buffered: 0, sent: 0, accepted: 4, indexed: 0, parked: 0, expired: 0, attempts: 1 },
    ...{ bufferedAt: 10, lastAttemptAt: 20, acceptedAt: 20, indexedAt: null, parkedAt: null },
  };

  it("is that of the lane which has it", ({ expect }) => {
    expect(gatherFates([null, fate, null])).toBe(fate);
    expect(gatherFates([null, null])).toBeNull();
  });

  it("counts in both where a change of their number let it be taken twice", ({ expect }) => {
    const again = {
      ...fate,
      accepted: 0,
      buffered: 4,
      attempts: 2,
      bufferedAt: 30,
      lastAttemptAt: 40,
      acceptedAt: null,
    };
    expect(gatherFates([fate, again])).toEqual({
      ...fate,
      ...{ buffered: 4, accepted: 4, attempts: 3, bufferedAt: 10, lastAttemptAt: 40, acceptedAt: 20 },
    });
  });
});

describe("ids of several lanes", () => {
  const record = { id: 17 } as DeliveryRecord; // nothing else of it matters here

  it("are a lane's own in the first, and nobody else's in the others", ({ expect }) => {
    const shards = Array.from({ length: 32 }, (_, shard) => shard);
    const deliveries = shards.map((shard) => deliveryOfShard(shard, record).id);
    expect(deliveries[0]).toBe(17);
    expect(new Set(deliveries).size).toBe(32);
    expect(deliveries.every(Number.isSafeInteger)).toBe(true);
    expect(letterOfShard(0, deadLetter({ id: "dl_17" })).id).toBe("dl_17");
    expect(letterOfShard(3, deadLetter({ id: "dl_17" })).id).toBe("dl_17.3");
  });

  it("reach the one lane that they are of, and events every lane", ({ expect }) => {
    const selection = { ids: ["dl_17.3", "dl_17", "evt_1", "dl_5.31", "dl_0.3", "dl_17.03"] };
    const strays = ["evt_1", "dl_0.3", "dl_17.03"];
    expect(selectionOfShard(0, selection)).toEqual({ ids: ["dl_17", ...strays] });
    expect(selectionOfShard(3, selection)).toEqual({ ids: ["dl_17", ...strays] });
    expect(selectionOfShard(31, selection)).toEqual({ ids: ["evt_1", "dl_5", "dl_0.3", "dl_17.03"] });
    expect(selectionOfShard(1, { ids: ["dl_17.3"] })).toBeNull();
    expect(selectionOfShard(1, { all: true })).toEqual({ all: true });
  });
});
