import fc from "fast-check";
import { describe, it } from "vitest";
import {
  byteLength,
  constantTimeEqual,
  fromBase64,
  fromBase64Url,
  sha256Hex,
  toBase64,
  toBase64Url,
  utf8,
} from "../../src/base/bytes.ts";

describe("base64", () => {
  it("comes back in both alphabets", ({ expect }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
      }),
    );
  });

  it("that is none is null", ({ expect }) => {
    for (const text of ["a", "ab", "abc", "ab c", "ab-_", "====", "a===", "abcd\n"]) {
      expect(fromBase64(text) === null || text === "====").toBe(true);
    }
    for (const text of ["ab+/", "ab==", "a b", "é"]) expect(fromBase64Url(text)).toBeNull();
  });
});

it("lengths are in UTF-8 bytes", ({ expect }) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(byteLength(text)).toBe(utf8(text).byteLength);
    }),
  );
  expect(byteLength("é🙂")).toBe(6);
});

it("SHA-256 is that of FIPS 180-4", ({ expect }) => {
  expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(sha256Hex("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

it("comparison finds equal what is equal, of any length", ({ expect }) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (left, right) => {
      expect(constantTimeEqual(left, right)).toBe(left === right);
      expect(constantTimeEqual(left, left)).toBe(true);
    }),
  );
});
