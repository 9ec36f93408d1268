import fc from "fast-check";
import { describe, it } from "vitest";
import { days } from "../../src/base/clock.ts";
import { add, bucketOf, type Histogram, percentile } from "../../src/base/histogram.ts";

/** Half a step of a fifth of an octave. */
const ERROR = 2 ** 0.1;
const latencies = fc.array(fc.integer({ min: 0, max: days(1) }), { minLength: 1, maxLength: 200 });
const histogramOf = (list: readonly number[]): Histogram =>
  list.reduce<Histogram>((histogram, latency) => add(histogram, latency, 1), {});

describe("a percentile", () => {
  it("is within a fourteenth of the exact one, and half a millisecond for rounding", ({ expect }) => {
    fc.assert(
      fc.property(latencies, fc.constantFrom(0.01, 0.5, 0.95, 1), (list, share) => {
        const sorted = [...list].sort((left, right) => left - right);
        const exact = Math.max(1, sorted.find((_, index) => index + 1 >= list.length * share) ?? 0);
        const told = percentile([histogramOf(list)], share) ?? 0;
        expect(told).toBeGreaterThanOrEqual(exact / ERROR - 0.5);
        expect(told).toBeLessThanOrEqual(exact * ERROR + 0.5);
        expect(ERROR - 1).toBeLessThan(1 / 13);
      }),
    );
  });

  it("over several histograms is that of all their counts together", ({ expect }) => {
    fc.assert(
      fc.property(fc.array(latencies, { minLength: 1, maxLength: 5 }), (lists) => {
        const together = percentile([histogramOf(lists.flat())], 0.95);
        expect(percentile(lists.map(histogramOf), 0.95)).toBe(together);
      }),
    );
  });

  it("grows with the share", ({ expect }) => {
    fc.assert(
      fc.property(latencies, (list) => {
        const histogram = [histogramOf(list)];
        const [low, high] = [percentile(histogram, 0.5), percentile(histogram, 0.95)];
        expect(low ?? 0).toBeLessThanOrEqual(high ?? 0);
      }),
    );
  });

  it("of nothing is null", ({ expect }) => {
    expect(percentile([], 0.5)).toBeNull();
    expect(percentile([{}, {}], 0.5)).toBeNull();
  });

  it("counts an event as often as it is told to", ({ expect }) => {
    const histogram = add(add({}, 10, 99), 10_000, 1);
    expect(percentile([histogram], 0.95)).toBeLessThan(12);
    expect(percentile([histogram], 1)).toBeGreaterThan(9_000);
  });

  it("takes what is faster than a millisecond, or seems to be negative, for one", ({ expect }) => {
    expect([0, -5, 0.2].map(bucketOf)).toEqual([0, 0, 0]);
    expect(percentile([add({}, 0, 1)], 0.5)).toBe(1);
  });
});

describe("a histogram", () => {
  it("of a whole day in milliseconds has few enough buckets to be stored with every minute", ({ expect }) => {
    expect(bucketOf(days(1))).toBeLessThan(140);
  });

  it("is not changed by adding to it", ({ expect }) => {
    const before = add({}, 10, 1);
    const copy = { ...before };
    add(before, 10, 1);
    expect(before).toEqual(copy);
  });
});
