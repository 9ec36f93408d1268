import { describe, it } from "vitest";
import { perMillion, priced, total, type Usage } from "../../bench/pricing.ts";

const nothing: Usage = {
  requests: 0,
  consumerInvocations: 0,
  workerCpuMs: 0,
  queueWrites: 0,
  queueReads: 0,
  queueDeletes: 0,
  objectRequests: 0,
  alarms: 0,
  alarmsSet: 0,
  objectRowsRead: 0,
  objectRowsWritten: 0,
  objectActiveMs: 0,
  databaseRowsRead: 0,
  databaseRowsWritten: 0,
};

describe("the bill of the benchmark", () => {
  it("costs nothing when nothing was used", ({ expect }) => {
    expect(total(priced(nothing))).toBe(0);
  });

  it("takes three queue operations for a message, as the platform's own example does", ({ expect }) => {
    const million = { ...nothing, queueWrites: 1e6, queueReads: 1e6, queueDeletes: 1e6 };
    expect(priced(million).queue).toBeCloseTo(1.2);
  });

  it("bills an object that is active for a month at what the platform says", ({ expect }) => {
    const month = { ...nothing, objectActiveMs: 30 * 24 * 3_600_000 };
    expect(priced(month)["object duration"]).toBeCloseTo(4.147, 3);
  });

  it("bills an alarm that is set as a row, and one that goes off as a request", ({ expect }) => {
    const bill = priced({ ...nothing, alarmsSet: 1e6, alarms: 1e6 });
    expect(bill["object rows written"]).toBeCloseTo(1);
    expect(bill["object requests"]).toBeCloseTo(0.15);
  });

  it("bills the queue's waking of the Worker like a request", ({ expect }) => {
    const bill = priced({ ...nothing, requests: 1e6, consumerInvocations: 1e6 });
    expect(bill["worker requests"]).toBeCloseTo(0.6);
  });

  it("leaves no component out of the total", ({ expect }) => {
    const million = Object.fromEntries(Object.keys(nothing).map((name) => [name, 1e6])) as unknown as Usage;
    expect(total(priced(million))).toBeCloseTo(0.6 + 0.02 + 1.2 + 0.3 + 0.0016 + 2 + 0.001 + 1.001);
  });

  it("scales every count to a million events", ({ expect }) => {
    const usage = { ...nothing, requests: 50, objectRowsWritten: 7 };
    expect(perMillion(usage, 5_000)).toEqual({ ...nothing, requests: 10_000, objectRowsWritten: 1_400 });
  });
});
