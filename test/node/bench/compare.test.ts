import { describe, it } from "vitest";
import { changes, changeTable, type Report } from "../../bench/compare.ts";

function report(cases: Readonly<Record<string, readonly number[]>>, floors: Report["floors"] = []): Report {
  const runs = Object.entries(cases).map(([name, accepted]) => [
    name,
    accepted.map((each) => ({ accepted: each, delivered: null, remarks: [] })),
  ]);
  return { startedAt: "2026-11-21T03:00:00.000Z", commit: "abc", floors, cases: Object.fromEntries(runs) };
}

describe("two files of the benchmark, compared", () => {
  it("differ by their medians", ({ expect }) => {
    const [change] = changes(report({ hundred: [90, 100, 110] }), report({ hundred: [140, 150, 160] }));
    expect(change).toMatchObject({ name: "hundred", figure: "accepted", isClear: true });
    expect(change?.change).toBeCloseTo(0.5);
  });

  it("do not clearly differ while their runs overlap", ({ expect }) => {
    const [change] = changes(report({ hundred: [90, 100, 110] }), report({ hundred: [105, 120, 130] }));
    expect(change?.isClear).toBe(false);
    expect(changeTable(report({ a: [100] }), report({ a: [100] }))).toContain("0.0 % ~");
  });

  it("have in common what both measured, and say nothing of the rest", ({ expect }) => {
    expect(changes(report({ one: [1], two: [2] }), report({ two: [2], three: [3] }))).toMatchObject([
      { name: "two" },
    ]);
  });

  it("are compared by their floors as well, since the machine may have changed", ({ expect }) => {
    const floor = (accepted: number): Report["floors"] => [{ shape: "100", floor: "json", accepted }];
    expect(changes(report({}, floor(100)), report({}, floor(50)))).toMatchObject([
      { name: "floor 100, json", change: -0.5 },
    ]);
  });
});
