import { describe, it } from "vitest";
import { minutes, seconds } from "../../../src/base/clock.ts";
import { failed, type PollFailure, succeeded, WELL } from "../../../src/flow/collect/health.ts";

const wrongPassword: PollFailure = {
  trouble: "credentials_rejected",
  message: "no",
  held: true,
  retryAfter: null,
};
const busy: PollFailure = { trouble: "throttled", message: "busy", held: false, retryAfter: null };

/** When polls are made that all fail, from the first at 0. */
function attempts(failure: PollFailure, random: () => number): readonly number[] {
  const times = [0];
  let health = WELL;
  for (let failures = 0; failures < 12; failures += 1) {
    health = failed(health, failure, { now: times.at(-1) ?? 0, random });
    times.push(health.retryAt ?? 0);
  }
  return times;
}

describe("a poll that failed", () => {
  it("is not made again so often that Splunk locks the account, however the dice fall", ({ expect }) => {
    const times = attempts(wrongPassword, () => 0);
    for (const from of times) {
      const within = times.filter((at) => at >= from && at < from + minutes(15));
      expect(within.length).toBeLessThan(3);
    }
  });

  it("is made again within a quarter of an hour, also when it is asked to wait for longer", ({ expect }) => {
    for (const failure of [wrongPassword, busy, { ...busy, retryAfter: minutes(60) }]) {
      const times = attempts(failure, () => 0.999);
      const pauses = times.slice(1).map((at, before) => at - (times[before] ?? 0));
      expect(Math.max(...pauses)).toBeLessThanOrEqual(minutes(15));
    }
  });

  it("is not made again before Splunk wants it", ({ expect }) => {
    const health = failed(WELL, { ...busy, retryAfter: seconds(90) }, { now: 0, random: () => 0 });
    expect(health.retryAt).toBe(seconds(90));
  });

  it("keeps the time since when the same has been wrong, and is forgotten with the first success", ({
    expect,
  }) => {
    const first = failed(WELL, busy, { now: 10, random: () => 0 });
    const second = failed(first, { ...busy, message: "still" }, { now: 20, random: () => 0 });
    expect(second).toMatchObject({ failures: 2, reason: { code: "throttled", message: "still", since: 10 } });
    const other = failed(second, wrongPassword, { now: 30, random: () => 0 });
    expect(other.reason).toMatchObject({ code: "credentials_rejected", since: 30 });
    expect(succeeded(40)).toEqual({ ...WELL, lastPolledAt: 40 });
  });
});
