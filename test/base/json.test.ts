import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, it } from "vitest";
import { canonicalJson, parseJson } from "../../src/base/json.ts";

describe("canonical JSON", () => {
  it("is that of the example in RFC 8785, 3.2.2", ({ expect }) => {
    const sent = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalJson(JSON.parse(sent))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it("sorts names by UTF-16 units, as in RFC 8785, 3.2.3", ({ expect }) => {
    const names = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect(
      Object.values(
        JSON.parse(
          `[${canonicalJson(names)
            ?.replaceAll(/"[^"]*":/g, "")
            .slice(1, -1)}]`,
        ),
      ),
    ).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  it("writes numbers as in RFC 8785, appendix B", ({ expect }) => {
    const samples: Record<string, string | null> = {
      "0000000000000000": "0",
      "8000000000000000": "0",
      "0000000000000001": "5e-324",
      "8000000000000001": "-5e-324",
      "7fefffffffffffff": "1.7976931348623157e+308",
      ffefffffffffffff: "-1.7976931348623157e+308",
      "4340000000000000": "9007199254740992",
      c340000000000000: "-9007199254740992",
      "4430000000000000": "295147905179352830000",
      "44b52d02c7e14af5": "9.999999999999997e+22",
      "44b52d02c7e14af6": "1e+23",
      "44b52d02c7e14af7": "1.0000000000000001e+23",
      "444b1ae4d6e2ef4e": "999999999999999700000",
      "444b1ae4d6e2ef4f": "999999999999999900000",
      "444b1ae4d6e2ef50": "1e+21",
      "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
      "3eb0c6f7a0b5ed8d": "0.000001",
      "41b3de4355555553": "333333333.3333332",
      "41b3de4355555554": "333333333.33333325",
      "41b3de4355555555": "333333333.3333333",
      "41b3de4355555556": "333333333.3333334",
      "41b3de4355555557": "333333333.33333343",
      becbf647612f3696: "-0.0000033333333333333333",
      "43143ff3c1cb0959": "1424953923781206.2",
      "7fffffffffffffff": null,
      "7ff0000000000000": null,
    };
    for (const [bits, written] of Object.entries(samples)) {
      const value = Buffer.from(bits, "hex").readDoubleBE(0);
      expect(canonicalJson([value])).toBe(written === null ? null : `[${written}]`);
    }
  });

  it("agrees with the reference implementation on any JSON value", ({ expect }) => {
    const name = fc.string({ unit: "grapheme" });
    const value = fc.jsonValue({ stringUnit: "binary", maxDepth: 6 });
    fc.assert(
      fc.property(value, name, (one, key) => {
        const both = [one, { [key]: one, z: one, "10": 1, "9": 2, a: { [key]: key } }];
        expect(canonicalJson(both)).toBe(canonicalize(both));
      }),
      { numRuns: 500 },
    );
  });

  it("has no form for lone surrogates, wherever they are", ({ expect }) => {
    for (const value of ["\ud800", ["a\udc00"], { "\ud800": 1 }, { a: { b: "\udfff\ud800" } }]) {
      expect(canonicalJson(value)).toBeNull();
    }
    expect(canonicalJson("\ud83d\ude00")).toBe('"😀"');
  });

  it("does not throw on nesting that no stack could hold", ({ expect }) => {
    const deep = "[".repeat(1_000_000) + "]".repeat(1_000_000);
    const canonical = canonicalJson(JSON.parse(deep));
    expect(canonical === null || canonical === deep).toBe(true);
  });
});

it("a text that is not JSON is a value that says so in few words", ({ expect }) => {
  const parsed = parseJson(`{"a":${"x".repeat(1_000)}`);
  expect(!parsed.ok && parsed.error.message.length > 0 && parsed.error.message.length <= 200).toBe(true);
  expect(parseJson('{"a":1}')).toEqual({ ok: true, value: { a: 1 } });
});
