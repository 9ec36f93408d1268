import { describe, it } from "vitest";
import { seconds } from "../../../src/base/clock.ts";
import {
  expired,
  type Failure,
  failed,
  HEALTHY,
  type Health,
  MAX_WINDOW,
  PROBE_EVENTS,
  permits,
  reset,
  slowed,
  succeeded,
} from "../../../src/flow/deliver/health.ts";

const random = () => 0.5;
const aFailure = (more: Partial<Failure> = {}): Failure => ({
  trouble: "provider_error",
  message: "HTTP 503",
  retryAfter: null,
  held: false,
  startedAt: 1_000,
  ...more,
});
const fail = (health: Health, now: number, more: Partial<Failure> = {}): Health =>
  failed(health, aFailure({ startedAt: now, ...more }), { now, random });

describe("the health of a destination", () => {
  it("is degraded from the first failure, with the reason and since when", ({ expect }) => {
    const health = fail(HEALTHY, 1_000);
    expect(health).toMatchObject({
      status: "degraded",
      reason: { code: "provider_error", message: "HTTP 503", since: 1_000 },
      retryAt: 1_500,
    });
  });

  it("keeps the moment at which a trouble began while the trouble lasts", ({ expect }) => {
    expect(fail(fail(HEALTHY, 1_000), 9_000).reason?.since).toBe(1_000);
    expect(fail(fail(HEALTHY, 1_000), 9_000, { trouble: "timeout" }).reason?.since).toBe(9_000);
  });

  it("sends nothing until the next attempt is due, then one small request", ({ expect }) => {
    const health = fail(HEALTHY, 1_000);
    expect(permits(health, 1_499)).toEqual({ window: 0, events: PROBE_EVENTS });
    expect(permits(health, 1_500)).toEqual({ window: 1, events: PROBE_EVENTS });
  });

  it("ramps up after a recovery instead of flooding", ({ expect }) => {
    const windows: number[] = [];
    let health = fail(HEALTHY, 1_000);
    for (let step = 0; step < 4; step += 1) {
      health = succeeded(health, 2_000);
      windows.push(permits(health, 2_000).window);
    }
    expect(windows).toEqual([1, 2, MAX_WINDOW, MAX_WINDOW]);
    expect(health).toMatchObject({ status: "active", reason: null, failures: 0 });
  });

  it("counts the failure of several requests at once only once", ({ expect }) => {
    const first = failed(HEALTHY, aFailure({ startedAt: 900 }), { now: 1_000, random });
    const second = failed(first, aFailure({ startedAt: 901 }), { now: 1_001, random });
    expect(second).toEqual(first);
  });

  it("forgets its backoff when the destination is changed, and shows active only once something arrived", ({
    expect,
  }) => {
    const troubled = fail(fail(HEALTHY, 1_000), 20_000);
    const changed = reset(troubled, 30_000);
    expect(permits(changed, 30_000).window).toBe(1);
    expect(changed.status).toBe("degraded");
    expect(succeeded(changed, 30_100).status).toBe("active");
  });

  it("ignores the late failure of a request that was sent with the old settings", ({ expect }) => {
    const changed = reset(fail(HEALTHY, 1_000), 30_000);
    expect(failed(changed, aFailure({ startedAt: 29_000 }), { now: 30_500, random })).toEqual(changed);
  });

  it("is failed when something could not be delivered for a day, and active again with the first success", ({
    expect,
  }) => {
    const lost = expired(fail(HEALTHY, 1_000), 5_000);
    expect(lost).toMatchObject({ status: "failed", reason: { code: "expired", message: "HTTP 503" } });
    expect(fail(lost, 6_000).status).toBe("failed");
    expect(succeeded(lost, 7_000).status).toBe("active");
  });

  it("is failed at once when the receiver says that it is gone", ({ expect }) => {
    expect(fail(HEALTHY, 1_000, { trouble: "gone", held: true }).status).toBe("failed");
  });

  it("remembers each change of status with its time, and not the attempts between them", ({ expect }) => {
    const story = succeeded(fail(fail(HEALTHY, 1_000), 2_000), 3_000);
    expect(story.changes.map(({ at, status }) => [at, status])).toEqual([
      [1_000, "degraded"],
      [3_000, "active"],
    ]);
  });

  it("goes on with one request at a time when the destination is filling up", ({ expect }) => {
    expect(permits(slowed(HEALTHY), 0).window).toBe(1);
  });

  it("waits longer for wrong settings than for a passing failure", ({ expect }) => {
    expect(fail(HEALTHY, 0, { held: true }).retryAt).toBe(seconds(5));
    expect(fail(HEALTHY, 0, { held: false }).retryAt).toBe(500);
  });
});
