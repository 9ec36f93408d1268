import fc from "fast-check";
import { describe, it } from "vitest";
import { ObjectReader, scalarMember } from "./json-scan.ts";

function textsOf(body: string): { readonly texts: readonly string[]; readonly end: string } {
  const bytes = Buffer.from(body);
  const reader = new ObjectReader(bytes);
  const texts: string[] = [];
  for (;;) {
    const step = reader.next();
    if (step !== "object") return { texts, end: step };
    texts.push(bytes.toString("utf8", reader.scan.start, reader.scan.end));
  }
}

describe("finding objects", () => {
  const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), { maxLength: 8 });
  const space = fc.constantFrom("", " ", "\n", "\r\n\t");

  it("finds every object byte for byte, whatever is in it, concatenated or in an array", ({ expect }) => {
    fc.assert(
      fc.property(objects, space, fc.constantFrom(undefined, 2), (list, gap, indent) => {
        const texts = list.map((item) => JSON.stringify(item, null, indent));
        expect(textsOf(gap + texts.join(gap))).toEqual({ texts, end: "end" });
        expect(textsOf(`${gap}[${texts.join(`${gap},`)}]${gap}`)).toEqual({ texts, end: "end" });
      }),
    );
  });

  it("finds every member by its key, the last of equal ones", ({ expect }) => {
    const body = Buffer.from('{"a":1, "b" : {"a":2}, "a":[3]}');
    const reader = new ObjectReader(body);
    expect(reader.next()).toBe("object");
    const a = reader.scan.find(body, "a");
    expect(body.toString("utf8", reader.scan.valueStart(a), reader.scan.valueEnd(a))).toBe("[3]");
    expect(reader.scan.find(body, "c")).toBe(-1);
  });

  it("never takes a prefix of an object for an object", ({ expect }) => {
    const whole = String.raw`{"a":"\"}","b":[{"c":null}],"d":-1.5e3}`;
    for (let length = 1; length < whole.length; length++)
      expect(textsOf(whole.slice(0, length))).toEqual({ texts: [], end: "bad" });
  });

  for (const body of [
    "nonsense",
    '"a"',
    "[1]",
    "[{},]",
    "[{}{}]",
    "{},{}",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{a:1}",
  ])
    it(`does not take ${body} for objects alone`, ({ expect }) => {
      expect(textsOf(body).end).toBe("bad");
    });
});

describe("reading one member", () => {
  for (const [body, found] of [
    ['{"id":"a"}', "a"],
    ['{"x":{"id":"inner"},"id":"a"}', "a"],
    [String.raw`{"id":"\u0061\n"}`, "a\n"],
    ['{"id":42}', "42"],
    ['{"id":null}', null],
    ['{"x":1}', null],
    ["[1]", null],
    ['{"id', null],
  ] as const)
    it(`reads ${found === null ? "nothing" : JSON.stringify(found)} from ${body}`, ({ expect }) => {
      expect(scalarMember(Buffer.from(body), 0, "id")).toBe(found);
    });
});
