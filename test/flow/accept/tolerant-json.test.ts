import fc from "fast-check";
import { describe, it } from "vitest";
import { MAX_MENDED_CHARACTERS, mendJson } from "../../../src/flow/accept/tolerant-json.ts";

const mended = (text: string): unknown => JSON.parse(mendJson(text) ?? "");

/** A template with a text in the place of its token, as Splunk fills it in. */
const filled = (text: string): string =>
  `{\n  "search_name": "a",\n  "message": "${text}",\n  "host": "h"\n}`;

describe("a template's broken body is mended", () => {
  const texts: readonly (readonly [what: string, text: string])[] = [
    ["quotes", 'user "root" failed'],
    ["quotes at both ends", '"all of it"'],
    ["a single quote mark", '5" disk'],
    ["quotes before a comma", '"a", "b" and "c"'],
    ["quotes before a colon", 'key "k": value'],
    ["a line break", "line one\r\nline two\ttabbed"],
    ["a Windows path", "C:\\Users\\new\\x"],
    ["a broken escape", "\\u12 and \\q"],
    ["JSON", '{"a":[1,"b"]}'],
    ["a control character", "bell \u0007"],
  ];

  it.for(texts)("with %s in a text", ([, text], { expect }) => {
    expect(mended(filled(text.replace("\\new", "\\\\new")))).toMatchObject({ search_name: "a", host: "h" });
  });

  it("so that the text is what it was", ({ expect }) => {
    expect(mended(filled('user "root" said\n"no"'))).toMatchObject({ message: 'user "root" said\n"no"' });
    expect(mended('{"a":["x "y" z","w"],"n":{"b":"c "d" e"}}')).toEqual({
      a: ['x "y" z', "w"],
      n: { b: 'c "d" e' },
    });
  });

  it("with tokens without quotes as absent", ({ expect }) => {
    expect(mended('{"count": $job.resultCount$, "list": [$a$, 1]}')).toEqual({
      count: null,
      list: [null, 1],
    });
  });

  it("and a longer one is not tried", ({ expect }) => {
    expect(mendJson(" ".repeat(MAX_MENDED_CHARACTERS + 1))).toBeNull();
  });
});

const leaf = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);
const inner = fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }));
const name = fc.stringMatching(/^[\w.@-]{1,20}$/);
const object = fc.dictionary(
  name,
  fc.oneof(inner, fc.dictionary(name, inner), fc.array(fc.dictionary(name, inner))),
);

describe("mending", () => {
  it("leaves objects with plain names as they mean, whatever is in them", ({ expect }) => {
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(mended(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("never throws, and takes a time in proportion to the text", ({ expect }) => {
    const piece = fc.constantFrom('"', "\\", ":", ",", "{", "}", "[", "]", " ", "a", "$a$", "\n", "\\u00");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        expect(typeof mendJson(pieces.join(""))).toBe("string");
      }),
    );
    for (const text of ['"', '" ', '"}', '",', '","a', "\\", "$a"]) {
      expect(mendJson(text.repeat(MAX_MENDED_CHARACTERS / text.length - 1))).not.toBeNull();
    }
  });
});
