import fc from "fast-check";
import { describe, it } from "vitest";
import { toBase64, toHex } from "../../src/base/bytes.ts";
import { decodeBase64, decodeUtf8, encodeBase64, encodeHex, encodeUtf8 } from "../../src/base/encoding.ts";

const bytes = fc.uint8Array({ maxLength: 200 });

describe("base64", () => {
  /** @see https://www.rfc-editor.org/rfc/rfc4648#section-10 (read 2026-11) */
  const published = [
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ] as const;

  it.for(published)("of %j is %j", ([text, encoded], { expect }) => {
    expect(encodeBase64(encodeUtf8(text))).toBe(encoded);
    expect(decodeBase64(encoded)).toEqual(encodeUtf8(text));
  });

  it("is what the Worker's own module writes, also for long inputs", ({ expect }) => {
    const long = Uint8Array.from({ length: 20_000 }, (_, at) => (at * 31) % 256);
    expect(encodeBase64(long)).toBe(toBase64(long));
    fc.assert(fc.property(bytes, (input) => encodeBase64(input) === toBase64(input)));
  });

  it("is read back", ({ expect }) => {
    fc.assert(
      fc.property(bytes, (input) => {
        expect(decodeBase64(encodeBase64(input))).toEqual(input);
      }),
    );
  });

  it("has one text for the same bytes: every other text is refused", ({ expect }) => {
    const character = fc.constantFrom(..."ABCDQgwZ09+/=-_ \n");
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 12 }), (text) => {
        const read = decodeBase64(text);
        expect(read === null ? text : encodeBase64(read)).toBe(text);
      }),
    );
  });

  it.for(["Zh==", "Zm9=", "Zg=", "Zg", "Z", "====", "Zm9vY===", " Zm9v", "Zm9v\n", "Zm-v", "=m9v"])(
    "refuses %j",
    (text, { expect }) => {
      expect(decodeBase64(text)).toBeNull();
    },
  );
});

describe("hex", () => {
  it("is what the Worker's own module writes", () => {
    fc.assert(fc.property(bytes, (input) => encodeHex(input) === toHex(input)));
  });
});

describe("UTF-8", () => {
  it("is read back, a byte order mark included", ({ expect }) => {
    for (const text of ["", "ü€😀", "\ufeffa"]) expect(decodeUtf8(encodeUtf8(text))).toBe(text);
  });

  it("refuses bytes that are none", ({ expect }) => {
    expect(decodeUtf8(Uint8Array.of(0xc3))).toBeNull();
    expect(decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80))).toBeNull();
  });
});
