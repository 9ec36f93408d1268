import { describe, it } from "vitest";
import { fitLine, percentiles, summarise, summariseRatios } from "../../bench/statistics.ts";

describe("what several runs come to", () => {
  it("is the run in the middle, whatever one noisy run did", ({ expect }) => {
    expect(summarise([100, 2, 101])).toEqual({ median: 100, min: 2, max: 101 });
  });

  it("is the mean of the two in the middle when their number is even", ({ expect }) => {
    expect(summarise([4, 1, 3, 2])?.median).toBe(2.5);
  });

  it("leaves out runs that did not look", ({ expect }) => {
    expect(summarise([null, 5, null])).toEqual({ median: 5, min: 5, max: 5 });
    expect(summarise([null])).toBeNull();
  });

  it("tells the half and the slowest hundredth of latencies in any order", ({ expect }) => {
    const latencies = Array.from({ length: 101 }, (_, index) => (index * 37) % 101);
    expect(percentiles(latencies)).toEqual({ p50: 50, p99: 99, max: 100, samples: 101 });
    expect(percentiles([])).toBeNull();
  });
});

describe("the ratio to a floor", () => {
  it("is of runs within the same minute, so that a noisy one strikes both sides", ({ expect }) => {
    expect(summariseRatios([50, 5, 60], [100, 10, 100])).toEqual({ median: 0.5, min: 0.5, max: 0.6 });
  });

  it("leaves out runs without a floor, and floors of nothing", ({ expect }) => {
    expect(summariseRatios([50, 60, null, 70], [null, 0, 10])).toBeNull();
  });
});

describe("a line through measurements", () => {
  it("has the slope of those that lie on one, and no error", ({ expect }) => {
    const line = fitLine([0, 10, 20, 30].map((x) => ({ x, y: 100 + 3 * x })));
    expect(line?.slope).toBeCloseTo(3);
    expect(line?.error).toBeCloseTo(0);
    expect(line?.mean).toBeCloseTo(145);
  });

  it("says how much of a slope may be noise", ({ expect }) => {
    const sawTooth = Array.from({ length: 100 }, (_, x) => ({ x, y: 100 + (x % 2) * 50 }));
    const line = fitLine(sawTooth);
    expect(Math.abs(line?.slope ?? 1)).toBeLessThan(2 * (line?.error ?? 0));
  });

  it("cannot be drawn through two points, or through one moment", ({ expect }) => {
    expect(fitLine([0, 1].map((x) => ({ x, y: x })))).toBeNull();
    expect(fitLine([1, 2, 3].map((y) => ({ x: 5, y })))).toBeNull();
  });
});
