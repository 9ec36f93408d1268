import { describe, it } from "vitest";
import { percentiles, summarise } from "../../bench/statistics.ts";

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
