import { describe, it } from "vitest";
import { judgeMemory, type MemorySample } from "../../bench/memory.ts";

/** A sample every three seconds for ten minutes. */
function samples(residentMegabytes: (second: number) => number): readonly MemorySample[] {
  return Array.from({ length: 201 }, (_, index) => ({
    second: index * 3,
    residentMegabytes: residentMegabytes(index * 3),
    stateMegabytes: 0,
  }));
}

describe("memory over a long run", () => {
  it("is flat when it grew while warming up and no more", ({ expect }) => {
    const verdict = judgeMemory(samples((second) => 400 + Math.min(second, 200)));
    expect(verdict?.isFlat).toBe(true);
    expect(verdict?.megabytesPerHour).toBeCloseTo(0);
  });

  it("is flat under a collector's saw-tooth", ({ expect }) => {
    expect(judgeMemory(samples((second) => 400 + (second % 30) * 3))?.isFlat).toBe(true);
  });

  it("is not flat when it gains a tenth of itself in the second half", ({ expect }) => {
    const verdict = judgeMemory(samples((second) => 400 + (second / 300) * 40));
    expect(verdict?.isFlat).toBe(false);
    expect(verdict?.megabytesPerHour).toBeCloseTo(480);
  });

  it("is not judged by two samples", ({ expect }) => {
    expect(judgeMemory(samples(() => 400).slice(0, 2))).toBeNull();
  });
});
