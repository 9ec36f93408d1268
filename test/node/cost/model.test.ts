import { describe, it } from "vitest";
import { type Estimate, estimate, type Traffic } from "../../../src/cost/model.ts";
import { perMillion, priced, total } from "../../../src/cost/prices.ts";
import { ROUND } from "../../bench/operations.ts";
import { EXPECTED } from "./expected.ts";

function traffic(given: Partial<Traffic>): Traffic {
  return {
    eventsPerDay: 1e8,
    eventsPerRequest: 100,
    destinations: 1,
    tenants: 1,
    shards: 1,
    queues: 1,
    sharing: 1,
    eventBytes: 500,
    activeHours: 24,
    batchTimeoutSeconds: 1,
    answerMs: 100,
    ...given,
  };
}

/** Dollars for a million events. */
function dollars(given: Partial<Traffic>): number {
  const of = traffic(given);
  return total(priced(perMillion(estimate(of).day, of.eventsPerDay)));
}

/** So many requests that one delivery of the queue finds as many as a round of the meter has. */
function likeTheMeter({ eventsPerRequest, destinations }: (typeof EXPECTED)[number]): Estimate {
  const requestsPerSecond = (ROUND[eventsPerRequest] ?? 0) - 1;
  const eventsPerDay = requestsPerSecond * 86_400 * eventsPerRequest;
  return estimate(traffic({ eventsPerDay, eventsPerRequest, destinations }));
}

describe("the model", () => {
  it.for(EXPECTED)(
    "agrees with the meter: $eventsPerRequest a request, to $destinations",
    (counted, { expect }) => {
      const { traffic: used, deliveriesPerDay } = likeTheMeter(counted);
      const each = (amount: number): number => Number((amount / deliveriesPerDay).toFixed(6));
      expect({
        requests: each(used.requests),
        queueWrites: each(used.queueWrites),
        queueReads: each(used.queueReads),
        queueDeletes: each(used.queueDeletes),
        deliveries: each(used.consumerInvocations),
        laneCalls: each(used.objectRequests),
        laneRowsWritten: each(used.objectRowsWritten),
        databaseRowsWritten: each(used.databaseRowsWritten),
        siemRequests: each(used.logLines),
      }).toEqual({
        requests: ROUND[counted.eventsPerRequest],
        queueWrites: counted.messages,
        queueReads: counted.messages,
        queueDeletes: counted.messages,
        deliveries: 1,
        laneCalls: counted.destinations,
        laneRowsWritten: counted.laneRowsWritten,
        databaseRowsWritten: 0,
        siemRequests: counted.siemRequests,
      });
      expect(each(used.objectRowsRead) / counted.laneRowsRead).toBeCloseTo(1.1, 0);
    },
  );

  it("fills a delivery of the queue only where enough comes within the batch timeout", ({ expect }) => {
    const fill = (given: Partial<Traffic>): number =>
      estimate(traffic({ eventsPerRequest: 1, ...given })).messagesPerDelivery;
    expect(fill({ eventsPerDay: 10 })).toBeCloseTo(1, 3);
    expect(fill({ eventsPerDay: 864_000 })).toBe(11);
    expect(fill({ eventsPerDay: 864_000, activeHours: 2.4 })).toBe(100);
    expect(fill({ eventsPerDay: 864_000, batchTimeoutSeconds: 5 })).toBe(51);
    expect(fill({ eventsPerDay: 864_000, batchTimeoutSeconds: 0 })).toBe(1);
    expect(fill({ eventsPerDay: 864_000, queues: 2 })).toBe(6);
    expect(fill({ eventsPerDay: 1e10 })).toBe(100);
  });

  it("lets small requests share a message, as many as fill it, and large ones not", ({ expect }) => {
    const messages = (eventsPerRequest: number, sharing: number): number => {
      const { traffic: used } = estimate(traffic({ eventsPerRequest, sharing }));
      return used.queueWrites / used.requests;
    };
    expect(messages(1, 20)).toBeCloseTo(1 / 20);
    expect(messages(100, 3)).toBeCloseTo(1 / 3);
    expect(messages(100, 50)).toBeCloseTo(1 / 4);
    expect(messages(1_000, 50)).toBe(3);
  });

  it("charges a lone event four times what one in a full delivery costs", ({ expect }) => {
    const alone = estimate(traffic({ eventsPerDay: 1, eventsPerRequest: 1 })).traffic;
    expect(total(priced(alone))).toBeCloseTo(0.0000068, 7);
  });

  it("charges an object once for calls at the same time, and never for more than all of the time", ({
    expect,
  }) => {
    const lane = estimate(traffic({ eventsPerDay: 1e11, destinations: 3 }));
    expect(lane.laneBusy).toBeGreaterThan(0.99);
    expect(lane.day.objectActiveMs).toBeLessThanOrEqual(3 * 86_400_000);
    const seldom = estimate(traffic({ eventsPerDay: 100, eventsPerRequest: 1 }));
    expect(seldom.day.objectActiveMs / 100).toBeCloseTo(108, 0);
  });

  it("calls a lane for each tenant, destination and shard that a delivery holds something for", ({
    expect,
  }) => {
    const calls = (given: Partial<Traffic>): number => {
      const { laneCallsPerDay, deliveriesPerDay } = estimate(traffic({ eventsPerDay: 1e10, ...given }));
      return laneCallsPerDay / deliveriesPerDay;
    };
    expect(calls({})).toBe(1);
    expect(calls({ destinations: 5 })).toBe(5);
    expect(calls({ tenants: 2 })).toBeCloseTo(2, 5);
    expect(calls({ tenants: 2, shards: 2 })).toBeCloseTo(4, 4);
    expect(calls({ tenants: 1e6, destinations: 2 })).toBeGreaterThan(95);
    expect(calls({ tenants: 1e6, eventsPerDay: 10 })).toBeCloseTo(1, 3);
  });

  it("grows with destinations, shards and the size of events, and falls with events a request", ({
    expect,
  }) => {
    const rising = (list: readonly Partial<Traffic>[]): boolean =>
      list.every((given, at) => at === 0 || dollars(given) >= dollars(list[at - 1] ?? {}));
    expect(rising([1, 2, 5, 20].map((destinations) => ({ destinations })))).toBe(true);
    expect(rising([1, 2, 8].map((shards) => ({ shards })))).toBe(true);
    expect(rising([200, 500, 2_000, 20_000, 100_000].map((eventBytes) => ({ eventBytes })))).toBe(true);
    expect(rising([1_000, 100, 10, 1].map((eventsPerRequest) => ({ eventsPerRequest })))).toBe(true);
  });

  it("stores nothing in R2, and keeps no more receipts than a lane does", ({ expect }) => {
    const { day } = estimate(traffic({ eventsPerDay: 1e12, eventsPerRequest: 1 }));
    expect([day.bucketReads, day.bucketWrites, day.bucketGigabyteMonths]).toEqual([0, 0, 0]);
    expect(day.objectGigabyteMonths * 30).toBeLessThan(2);
  });
});
