import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, it } from "vitest";
import { sha256HexMany } from "../../src/base/sha256-many.ts";

const byNode = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Lengths of texts, in groups of so many. */
function inGroups(lengths: readonly number[], size: number): readonly (readonly string[])[] {
  const texts = lengths.map((length, index) => String.fromCharCode(97 + (index % 26)).repeat(length));
  return Array.from({ length: Math.ceil(texts.length / size) }, (_, at) =>
    texts.slice(at * size, (at + 1) * size),
  );
}

describe("SHA-256 of many texts", () => {
  /** @see https://csrc.nist.gov/csrc/media/projects/cryptographic-standards-and-guidelines/documents/examples/sha256.pdf (read 2026-11), and the 896-bit and long ones of FIPS 180-2's examples */
  const vectors: readonly (readonly [text: string, hex: string])[] = [
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
    [
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
    ],
    ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
  ];

  it("is that of FIPS 180-4, for each text by itself", ({ expect }) => {
    for (const [text, hex] of vectors) expect(sha256HexMany([text])).toEqual([hex]);
  });

  it("is that of FIPS 180-4 in every lane, in the order of the texts", ({ expect }) => {
    for (let turn = 0; turn < vectors.length; turn += 1) {
      const turned = [...vectors.slice(turn), ...vectors.slice(0, turn)];
      expect(sha256HexMany(turned.map(([text]) => text))).toEqual(turned.map(([, hex]) => hex));
    }
  });

  it("of none is none", ({ expect }) => {
    expect(sha256HexMany([])).toEqual([]);
  });

  it("is right for every length to 300 bytes, side by side with others of any length", ({ expect }) => {
    const rising = Array.from({ length: 301 }, (_, length) => length);
    const mixed = rising.map((length) => (length * 97) % 301);
    for (const lengths of [rising, mixed]) {
      for (let size = 1; size <= 9; size += 1) {
        for (const texts of inGroups(lengths, size)) expect(sha256HexMany(texts)).toEqual(texts.map(byNode));
      }
    }
  });

  it("is right for any texts in any order", ({ expect }) => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }), // with lone surrogates, which are hashed as U+FFFD
      fc.string({ unit: "grapheme", maxLength: 300 }),
      fc.string({ unit: "binary", minLength: 500, maxLength: 3_000 }),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), (texts) => {
        expect(sha256HexMany(texts)).toEqual(texts.map(byNode));
      }),
      { numRuns: 300 },
    );
  });

  it("is right on both sides of a lane's room, among short ones", ({ expect }) => {
    const room = Math.floor((65_536 - 9) / 3);
    for (const unit of ["a", "é", "€"]) {
      const lengths = [room - 1, room, room + 1, 3 * room, 3 * room + 1, 100_000];
      const texts = lengths.flatMap((length) => ["short", unit.repeat(length)]);
      expect(sha256HexMany(texts)).toEqual(texts.map(byNode));
      expect(sha256HexMany(texts.toReversed())).toEqual(texts.toReversed().map(byNode));
    }
  });

  it("leaves nothing behind that the next text could be hashed with", ({ expect }) => {
    const long = "x".repeat(20_000);
    sha256HexMany([long, long, long, long]);
    for (const length of [0, 1, 55, 56, 63, 64, 119, 120]) {
      const text = "y".repeat(length);
      expect(sha256HexMany([text, text, text])).toEqual([text, text, text].map(byNode));
    }
  });
});
