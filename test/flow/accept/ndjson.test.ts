import fc from "fast-check";
import { describe, it } from "vitest";
import { parseLine, splitLines } from "../../../src/flow/accept/ndjson.ts";

const all = Number.POSITIVE_INFINITY;

describe("lines", () => {
  it("come back whatever ends them and whatever blank lines lie between", ({ expect }) => {
    const ends = fc.constantFrom("\n", "\r\n", "\n\n", "\r\n \t\r\n");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.jsonValue(), ends)), fc.boolean(), (sent, isEnded) => {
        const whole = sent.map(([value, end]) => JSON.stringify(value) + end).join("");
        const lines = splitLines(isEnded ? whole : whole.trimEnd(), all);
        expect(lines.map((line) => JSON.parse(line.text))).toEqual(
          sent.map(([value]) => JSON.parse(JSON.stringify(value))),
        );
      }),
    );
  });

  it("are numbered as an editor numbers them", ({ expect }) => {
    expect(splitLines('\n{"a":1}\r\n\r\n  \n{"b":2}', all).map((line) => line.number)).toEqual([2, 5]);
  });

  it("do without a byte order mark at the start", ({ expect }) => {
    expect(splitLines("\ufeff{}\n{}", all).map((line) => line.text)).toEqual(["{}", "{}"]);
  });

  it("stop at the limit", ({ expect }) => {
    expect(splitLines("1\n".repeat(50), 3)).toHaveLength(3);
  });

  it("are not blank for white space that JSON does not know", ({ expect }) => {
    expect(splitLines("\u00a0\n", all)).toHaveLength(1);
  });
});

describe("a line", () => {
  it("keeps its own text beside its value", ({ expect }) => {
    expect(parseLine({ number: 1, text: ' {"n": 1.0}\r' })).toEqual({
      value: { n: 1 },
      slice: { text: '{"n":1.0}', depth: 1, keys: 1 },
    });
  });

  it("that is not JSON says which line it was", ({ expect }) => {
    const item = parseLine({ number: 7, text: "{oops" });
    expect("malformed" in item && item.malformed).toMatch(/^Line 7 is not valid JSON: /);
  });
});
