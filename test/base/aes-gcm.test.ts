import { describe, it } from "vitest";
import { gcmOpen, gcmSeal } from "../../src/base/aes-gcm.ts";

const hex = (text: string) => new Uint8Array(Buffer.from(text.replace(/\s/g, ""), "hex"));

// Test case 16 of "The Galois/Counter Mode of Operation (GCM)", McGrew and Viega, submitted to NIST. The cases
// without associated data are left out: nothing is sealed here that is bound to nothing.
const GCM = [
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

describe("AES-256-GCM", () => {
  it("gives the published ciphertexts and opens them", async ({ expect }) => {
    for (const { key, nonce, associated, plain, sealed } of GCM) {
      const input = { key: hex(key), nonce: hex(nonce), associated: hex(associated) };
      expect(await gcmSeal(input, hex(plain))).toEqual(hex(sealed));
      expect(await gcmOpen(input, hex(sealed))).toEqual(hex(plain));
    }
  });

  it("opens nothing when one bit of anything differs", async ({ expect }) => {
    const [vector] = GCM;
    if (vector === undefined) throw new Error("no vector");
    const input = { key: hex(vector.key), nonce: hex(vector.nonce), associated: hex(vector.associated) };
    const sealed = hex(vector.sealed);
    const flipped = (bytes: Uint8Array, at: number) =>
      bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    for (let at = 0; at < sealed.length; at++) expect(await gcmOpen(input, flipped(sealed, at))).toBeNull();
    for (let length = 0; length < sealed.length; length++) {
      expect(await gcmOpen(input, sealed.subarray(0, length))).toBeNull();
    }
    expect(await gcmOpen({ ...input, key: flipped(input.key, 31) }, sealed)).toBeNull();
    expect(await gcmOpen({ ...input, nonce: flipped(input.nonce, 0) }, sealed)).toBeNull();
    expect(await gcmOpen({ ...input, nonce: input.nonce.subarray(1) }, sealed)).toBeNull();
    expect(await gcmOpen({ ...input, associated: flipped(input.associated, 5) }, sealed)).toBeNull();
    expect(await gcmOpen({ ...input, associated: new Uint8Array(0) }, sealed)).toBeNull();
  });
});

it("AES-256-GCM takes no other length, and seals nothing that is bound to nothing", async ({ expect }) => {
  const input = { key: new Uint8Array(32), nonce: new Uint8Array(12), associated: new Uint8Array(1) };
  const sealed = await gcmSeal(input, new Uint8Array(4));
  const wrong = [
    { ...input, key: new Uint8Array(16) },
    { ...input, nonce: new Uint8Array(16) },
    { ...input, associated: new Uint8Array(0) },
  ];
  for (const each of wrong) {
    await expect(gcmSeal(each, new Uint8Array(4))).rejects.toThrow(RangeError);
    expect(await gcmOpen(each, sealed)).toBeNull();
  }
});
