import fc from "fast-check";
import { describe, it } from "vitest";
import { members, repeatedNames, sliceElements, sliceValue } from "../../../src/flow/accept/slice.ts";

/** JSON text of a value with white space wherever the grammar allows it. */
function spaced(value: unknown, gap: () => string): string {
  if (Array.isArray(value)) {
    return `[${gap()}${value.map((one) => gap() + spaced(one, gap) + gap()).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const inner = Object.entries(value).map(
      ([name, one]) => `${gap()}${JSON.stringify(name)}${gap()}:${gap()}${spaced(one, gap)}${gap()}`,
    );
    return `{${gap()}${inner.join(",")}}`;
  }
  return JSON.stringify(value);
}

const gaps = fc.array(fc.constantFrom("", "", " ", "\n", "\t", "\r\n  "), { minLength: 1, maxLength: 20 });
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\\", '"', " ", "\t", "\n", "{", "}", "[", "]", ",", ":", "é") }),
);
const json = fc
  .jsonValue({ stringUnit: "grapheme" })
  .chain((value) =>
    fc.tuple(text, text).map(([name, inner]) => ({ value, [name]: inner, list: [inner, value] })),
  );

function looped(gap: readonly string[]): () => string {
  let next = 0;
  return () => gap[next++ % gap.length] ?? "";
}

describe("a value's own text", () => {
  it("is what was sent, where that was compact", ({ expect }) => {
    fc.assert(
      fc.property(json, (value) => {
        const compact = JSON.stringify(value);
        expect(sliceValue(compact).text).toBe(compact);
      }),
    );
  });

  it("loses white space between tokens and nothing else", ({ expect }) => {
    fc.assert(
      fc.property(json, gaps, (value, gap) => {
        const wide = looped(gap);
        expect(sliceValue(wide() + spaced(value, wide) + wide()).text).toBe(JSON.stringify(value));
      }),
    );
  });

  it("fits on one line, without tabs", ({ expect }) => {
    fc.assert(
      fc.property(json, gaps, (value, gap) => {
        expect(sliceValue(spaced(value, looped(gap))).text).not.toMatch(/[\n\r\t]/);
      }),
    );
  });

  it("keeps numbers, escapes and the order of keys as they were spelled", ({ expect }) => {
    const sent = String.raw`{"z":1.0,"a":12345678901234567890,"é":"\u00e9\/\\\"","b":-0,"c":1E+2,"2":0,"1":0}`;
    expect(sliceValue(sent).text).toBe(sent);
    expect(sliceValue(sent.replaceAll(",", " ,\n\t")).text).toBe(sent);
  });

  it("may be a scalar", ({ expect }) => {
    for (const scalar of ["0", "-1.5e9", "true", "null", '"a b"', String.raw`"\\"`]) {
      expect(sliceValue(` ${scalar}\n`)).toEqual({ text: scalar, depth: 0, keys: 0 });
    }
  });
});

describe("the elements of an array", () => {
  it("are each as if they had been sent alone", ({ expect }) => {
    fc.assert(
      fc.property(fc.array(json), gaps, (values, gap) => {
        const texts = sliceElements(spaced(values, looped(gap))).map((slice) => slice.text);
        expect(texts).toEqual(values.map((value) => JSON.stringify(value)));
      }),
    );
  });

  it("may be scalars, with white space or without", ({ expect }) => {
    const texts = (list: string) => sliceElements(list).map((slice) => slice.text);
    expect(texts(' [1 , null,"]", true ] ')).toEqual(["1", "null", '"]"', "true"]);
    expect(texts("[]")).toEqual([]);
    expect(texts("[ \n]")).toEqual([]);
  });
});

describe("what a slice tells", () => {
  it("counts nesting as a walk would", ({ expect }) => {
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(json, (value) => {
        expect(sliceValue(JSON.stringify(value)).depth).toBe(depthOf(value));
      }),
    );
    const deep = "[".repeat(500_000) + "]".repeat(500_000);
    expect(sliceValue(deep).depth).toBe(500_000);
  });

  it("counts the keys of the outermost object, the same one twice", ({ expect }) => {
    fc.assert(
      fc.property(json, (value) => {
        expect(sliceValue(JSON.stringify(value)).keys).toBe(Object.keys(value).length);
      }),
    );
    expect(sliceValue('{"a":{"a":1,"b":2},"a":":"}').keys).toBe(2);
    expect(sliceValue('[{"a":1}]').keys).toBe(0);
  });

  it("names repeated keys, however they are spelled", ({ expect }) => {
    expect(repeatedNames(String.raw`{ "a" : 1, "b":{"c":1,"c":2}, "\u0061":2, "a":3 }`)).toEqual(["a"]);
    expect(repeatedNames("{}")).toEqual([]);
  });

  it("finds members where they are", ({ expect }) => {
    const sent = '{ "x" : [1], "events" :\n [ {} ] }';
    const [first, second] = members(sent);
    expect(first?.name).toBe("x");
    expect(sent.slice(second?.at).startsWith("[ {} ]")).toBe(true);
  });
});
