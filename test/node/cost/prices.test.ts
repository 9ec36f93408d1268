import { describe, it } from "vitest";
import {
  METERS,
  NO_USAGE,
  perMillion,
  plus,
  priced,
  pricedBeyondPlan,
  times,
  total,
  type Usage,
} from "../../../src/cost/prices.ts";

describe("the bill", () => {
  it("costs nothing when nothing was used", ({ expect }) => {
    expect(total(priced(NO_USAGE))).toBe(0);
  });

  it("takes three queue operations for a message, as the platform's own example does", ({ expect }) => {
    const million = { ...NO_USAGE, queueWrites: 1e6, queueReads: 1e6, queueDeletes: 1e6 };
    expect(priced(million).queue).toBeCloseTo(1.2);
  });

  it("bills an object that is active for a month at what the platform says", ({ expect }) => {
    const month = { ...NO_USAGE, objectActiveMs: 30 * 24 * 3_600_000 };
    expect(priced(month)["object duration"]).toBeCloseTo(4.147, 3);
  });

  it("bills an alarm that is set as a row, and one that goes off as a request", ({ expect }) => {
    const bill = priced({ ...NO_USAGE, alarmsSet: 1e6, alarms: 1e6 });
    expect(bill["object rows written"]).toBeCloseTo(1);
    expect(bill["object requests"]).toBeCloseTo(0.15);
  });

  it("bills the queue's waking of the Worker like a request", ({ expect }) => {
    const bill = priced({ ...NO_USAGE, requests: 1e6, consumerInvocations: 1e6 });
    expect(bill["worker requests"]).toBeCloseTo(0.6);
  });

  it("leaves no component out of the total", ({ expect }) => {
    const million = Object.fromEntries(Object.keys(NO_USAGE).map((name) => [name, 1e6])) as unknown as Usage;
    const operations = 0.9 + 0.02 + 1.2 + 0.3 + 0.0016 + 2 + 0.001 + 1.001 + 4.86 + 0.6;
    const storage = (0.2 + 0.75 + 0.015) * 1e6;
    expect(total(priced(million))).toBeCloseTo(operations + storage, 3);
  });

  it("leaves out what the plan includes, and charges what is beyond it", ({ expect }) => {
    const month = { ...NO_USAGE, requests: 15e6, queueWrites: 30e6, queueReads: 30e6, queueDeletes: 30e6 };
    const bill = pricedBeyondPlan(month);
    expect(bill["worker requests"]).toBeCloseTo(1.5); // the platform's example of 15 million requests
    expect(bill.queue).toBeCloseTo(35.6); // and that of a million messages a day
    expect(total(pricedBeyondPlan({ ...NO_USAGE, requests: 10e6, queueWrites: 1e6 }))).toBe(0);
  });

  it("has a price, an allotment and something that it measures in each line", ({ expect }) => {
    const everything = Object.fromEntries(
      Object.keys(NO_USAGE).map((name) => [name, 1e6]),
    ) as unknown as Usage;
    for (const { price, per, included, amount, unit } of METERS) {
      const facts = [price > 0, per > 0, included > 0, amount(NO_USAGE), amount(everything) > 0];
      expect(facts, unit).toEqual([true, true, true, 0, true]);
    }
  });

  it("adds and multiplies every count", ({ expect }) => {
    const one = { ...NO_USAGE, requests: 2, logLines: 1 };
    expect(plus(one, times(one, 3))).toEqual({ ...NO_USAGE, requests: 8, logLines: 4 });
  });

  it("scales every count to a million events", ({ expect }) => {
    const usage = { ...NO_USAGE, requests: 50, objectRowsWritten: 7 };
    expect(perMillion(usage, 5_000)).toEqual({ ...NO_USAGE, requests: 10_000, objectRowsWritten: 1_400 });
  });
});
