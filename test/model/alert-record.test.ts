import fc from "fast-check";
import { describe, it } from "vitest";
import { cut, fieldTexts, fitRecord, MAX_ALERT_DEPTH, tameRecord } from "../../src/model/alert-record.ts";
import { MAX_ALERT_BYTES } from "../../src/model/incident.ts";

describe("an alert's record", () => {
  it("is kept as it is while it fits", ({ expect }) => {
    const record = { a: "x".repeat(30_000) };
    expect(fitRecord(record)).toBe(record);
  });

  it("is cut to what fits, a large row inside it too, and says so", ({ expect }) => {
    const row = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`f${index}`, "é".repeat(2_000)]),
    );
    const fitted = fitRecord({ sid: "s1", result: row, owner: "admin" });
    expect(fitted).toMatchObject({ sid: "s1", result: { f0: `${"é".repeat(999)}…` }, _truncated: true });
    expect(Buffer.byteLength(JSON.stringify(fitted))).toBeGreaterThan(MAX_ALERT_BYTES / 2);
  });

  it("fits, whatever it is", ({ expect }) => {
    const text = fc.string({ unit: "binary", minLength: 5_000, maxLength: 20_000 });
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(text, fc.jsonValue(), fc.dictionary(fc.string(), text))),
        (entries) => {
          const record = tameRecord(entries);
          if (record === null) throw new Error("It is not nested that deep");
          expect(Buffer.byteLength(JSON.stringify(fitRecord(record)))).toBeLessThanOrEqual(MAX_ALERT_BYTES);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("may be as deep as the limit, and not deeper", ({ expect }) => {
    const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`);
    expect(tameRecord(nested(MAX_ALERT_DEPTH))).not.toBeNull();
    expect(tameRecord(nested(MAX_ALERT_DEPTH + 1))).toBeNull();
    expect(tameRecord(nested(5_000))).toBeNull();
  });

  it("has a field under its very name before one along the dots, and in its row last", ({ expect }) => {
    const record = {
      "a.b": "named",
      a: { b: "along", c: "along" },
      result: { a: "row", d: ["$x$", "", 2, true] },
    };
    expect(
      ["a.b", "a.c", "result.a", "d", "e", "a.b.c", "toString"].map((name) => fieldTexts(record, name)),
    ).toEqual([["named"], ["along"], ["row"], ["2", "true"], [], [], []]);
  });

  it("is never cut in the middle of a character", ({ expect }) => {
    expect(cut("a😀b", 3)).toBe("a…");
    expect(cut("a😀b", 4)).toBe("a😀b");
  });
});
