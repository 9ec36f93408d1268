import { describe, it } from "vitest";
import { hours, seconds } from "../../../src/base/clock.ts";
import { HEALTHY } from "../../../src/flow/deliver/health.ts";
import { BACKLOG_LOOK, HOUSEKEEPING, nextWake, SAFETY_NET } from "../../../src/flow/deliver/wake.ts";

const now = 1_000_000;
const facts = { now, health: HEALTHY, oldestAt: now, paused: false, pollAt: null, hasHistory: false };

describe("the next alarm", () => {
  it("is never set when nothing will be due", ({ expect }) => {
    expect(nextWake({ ...facts, oldestAt: null })).toBeNull();
  });

  it("is near while anything waits, so that an eviction in mid-delivery delays but does not strand it", ({
    expect,
  }) => {
    expect(nextWake(facts)).toBe(now + SAFETY_NET);
  });

  it("is the next attempt of a destination in trouble", ({ expect }) => {
    expect(nextWake({ ...facts, health: { ...HEALTHY, retryAt: now + seconds(5) } })).toBe(now + seconds(5));
  });

  it("is at once when the next attempt is overdue", ({ expect }) => {
    expect(nextWake({ ...facts, health: { ...HEALTHY, retryAt: now - 5 } })).toBe(now);
  });

  it("is the end of the day's window when that comes before the next attempt", ({ expect }) => {
    const oldestAt = now - hours(24) + 1_000;
    expect(nextWake({ ...facts, oldestAt, health: { ...HEALTHY, retryAt: now + 5_000 } })).toBe(now + 1_000);
  });

  it("still comes every hour while delivery is switched off, to warn, and for expiry", ({ expect }) => {
    expect(nextWake({ ...facts, paused: true })).toBe(now + BACKLOG_LOOK);
    expect(nextWake({ ...facts, paused: true, oldestAt: now - hours(24) + 5 })).toBe(now + 5);
  });

  it("comes for housekeeping while there is a history", ({ expect }) => {
    expect(nextWake({ ...facts, oldestAt: null, hasHistory: true })).toBe(now + HOUSEKEEPING);
  });

  it("comes to ask for acknowledgements when nothing else is due", ({ expect }) => {
    expect(nextWake({ ...facts, oldestAt: null, pollAt: now + 700 })).toBe(now + 700);
    expect(nextWake({ ...facts, oldestAt: null, pollAt: now - 700 })).toBe(now);
  });
});
