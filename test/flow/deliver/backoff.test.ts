import fc from "fast-check";
import { describe, it } from "vitest";
import { minutes, seconds } from "../../../src/base/clock.ts";
import { MAX_DELAY, nextDelay } from "../../../src/flow/deliver/backoff.ts";

const almostOne = () => 0.999_999;

describe("the pause before the next attempt", () => {
  it("grows from one second, doubling, up to a quarter of an hour", ({ expect }) => {
    const ceilings = [1, 2, 3, 4, 10, 11, 30].map((failures) =>
      nextDelay(failures, { hint: null, held: false, random: almostOne }),
    );
    expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 512_000, minutes(15), minutes(15)]);
  });

  it("is anywhere below its ceiling, so that two outboxes do not meet a recovering destination at once", ({
    expect,
  }) => {
    expect(nextDelay(5, { hint: null, held: false, random: () => 0 })).toBe(0);
    expect(nextDelay(5, { hint: null, held: false, random: () => 0.5 })).toBe(seconds(8));
  });

  it("starts at ten seconds when the settings are at fault, because a person has to act", ({ expect }) => {
    expect(nextDelay(1, { hint: null, held: true, random: almostOne })).toBe(seconds(10));
  });

  it("is at least what the destination asks for", ({ expect }) => {
    expect(nextDelay(1, { hint: seconds(90), held: false, random: () => 0 })).toBe(seconds(90));
  });

  it("never waits longer than a quarter of an hour, whatever the destination asks for", ({ expect }) => {
    expect(nextDelay(1, { hint: minutes(60 * 24 * 365), held: false, random: () => 0 })).toBe(minutes(15));
  });

  it("stays within its bounds for any failure count, hint and luck", ({ expect }) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.option(fc.integer({ min: 0, max: 2 ** 40 })),
        fc.double({ min: 0, max: 0.999_999_999, noNaN: true }),
        fc.boolean(),
        (failures, hint, luck, held) => {
          const delay = nextDelay(failures, { hint, held, random: () => luck });
          expect(delay).toBeGreaterThanOrEqual(Math.min(hint ?? 0, MAX_DELAY));
          expect(delay).toBeLessThanOrEqual(MAX_DELAY);
          expect(Number.isInteger(delay)).toBe(true);
        },
      ),
    );
  });
});
