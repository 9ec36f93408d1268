import { describe, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { gcmOpen, gcmSeal, hkdfSha256 } from "../../src/vault/aead.ts";

const hex = (text: string) => new Uint8Array(Buffer.from(text.replace(/\s/g, ""), "hex"));
const range = (from: number, to: number) => Uint8Array.from({ length: to - from + 1 }, (_, at) => from + at);

// Test cases 13, 14 and 16 of "The Galois/Counter Mode of Operation (GCM)", McGrew and Viega, submitted to NIST.
const GCM = [
  {
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    associated: "",
    plain: "",
    sealed: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    associated: "",
    plain: "00".repeat(16),
    sealed: "cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    nonce: "cafebabefacedbaddecaf888",
    associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    plain: `d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
      1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39`,
    sealed: `522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
      8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b`,
  },
];

// RFC 5869, appendix A, test cases 1 to 3.
const HKDF = [
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: range(0x00, 0x0c),
    info: range(0xf0, 0xf9),
    okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    secret: range(0x00, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    okm: `b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
      da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87`,
  },
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];

describe("AES-256-GCM", () => {
  it("gives the published ciphertexts and opens them", ({ expect }) => {
    for (const { key, nonce, associated, plain, sealed } of GCM) {
      const input = { key: hex(key), nonce: hex(nonce), associated: hex(associated) };
      expect(gcmSeal(input, hex(plain))).toEqual(hex(sealed));
      expect(gcmOpen(input, hex(sealed))).toEqual(hex(plain));
    }
  });

  it("opens nothing when one bit of anything differs", ({ expect }) => {
    const [, , vector] = GCM;
    if (vector === undefined) throw new Error("no vector");
    const input = { key: hex(vector.key), nonce: hex(vector.nonce), associated: hex(vector.associated) };
    const sealed = hex(vector.sealed);
    const flipped = (bytes: Uint8Array, at: number) =>
      bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    for (let at = 0; at < sealed.length; at++) expect(gcmOpen(input, flipped(sealed, at))).toBeNull();
    for (let length = 0; length < sealed.length; length++) {
      expect(gcmOpen(input, sealed.subarray(0, length))).toBeNull();
    }
    expect(gcmOpen({ ...input, key: flipped(input.key, 31) }, sealed)).toBeNull();
    expect(gcmOpen({ ...input, nonce: flipped(input.nonce, 0) }, sealed)).toBeNull();
    expect(gcmOpen({ ...input, nonce: input.nonce.subarray(1) }, sealed)).toBeNull();
    expect(gcmOpen({ ...input, associated: flipped(input.associated, 5) }, sealed)).toBeNull();
    expect(gcmOpen({ ...input, associated: new Uint8Array(0) }, sealed)).toBeNull();
  });
});

it("HKDF-SHA256 gives the published keys", ({ expect }) => {
  for (const { secret, salt, info, okm } of HKDF) {
    const length = hex(okm).length;
    expect(toHex(hkdfSha256({ secret, salt, info, length }))).toBe(toHex(hex(okm)));
  }
});
