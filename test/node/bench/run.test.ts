import { describe, it } from "vitest";
import { caseTables, faultsOf } from "../../bench/case-tables.ts";
import { CASES, floorShape } from "../../bench/cases.ts";
import { judged, NOTHING } from "../../bench/run.ts";

const fine = { expected: 100, distinct: 100, copies: 100, statuses: { "202": 1 }, complaints: [] };

describe("a run of the benchmark", () => {
  it("is without fault when everything arrived", ({ expect }) => {
    expect(judged(fine)).toEqual({ lost: 0, duplicates: 0, faults: [], remarks: [] });
  });

  it("is at fault when an event was lost or a rule was broken, and the command says which", ({ expect }) => {
    const lost = { ...NOTHING, ...judged({ ...fine, distinct: 97, copies: 97 }) };
    const broken = { ...NOTHING, ...judged({ ...fine, complaints: ["bench-1-1: not_compressed 2x"] }) };
    expect(lost.lost).toBe(3);
    expect(faultsOf(new Map([["hundred", [NOTHING, lost, broken]]]))).toEqual([
      "hundred, run 2: 3 events lost",
      "hundred, run 3: bench-1-1: not_compressed 2x",
    ]);
  });

  it("may deliver twice, which is counted, and may be refused, which is said", ({ expect }) => {
    const run = judged({ ...fine, copies: 105, statuses: { "202": 1, "503": 2, "0": 1 } });
    expect(run).toMatchObject({ duplicates: 5, faults: [] });
    expect(run.remarks).toEqual(
      expect.arrayContaining(["2 requests answered 503", "1 requests answered with a broken connection"]),
    );
  });
});

describe("the tables of the benchmark", () => {
  it("have a floor of the same bodies for every case", ({ expect }) => {
    expect(CASES.filter((each) => floorShape(each) === null)).toEqual([]);
  });

  it("tell the destinations beside a hanging one against those without, run by run", ({ expect }) => {
    const run = (deliveredEach: number) => ({ ...NOTHING, deliveredEach, recoveredAfter: 2 });
    const results = new Map([
      ["five", [run(100), run(50)]],
      ["hanging", [run(110), run(55)]],
    ]);
    const cases = CASES.filter(({ name }) => results.has(name));
    expect(caseTables(cases, results, [])).toContain("110 (110–110) %");
  });
});
