import { describe, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import {
  isMlKemPublicKey,
  ML_KEM_768,
  mlKemDecapsulate,
  mlKemEncapsulate,
  mlKemKeyPair,
} from "../../src/base/ml-kem.ts";
import vectors from "../vectors/ml-kem-768.json";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const seed = new Uint8Array(64).fill(7);

describe("ML-KEM-768 gives what NIST's ACVP vectors give", () => {
  it("for key pairs", ({ expect }) => {
    for (const { d, z, ek, dk } of vectors.keyGen) {
      const { publicKey, secretKey } = mlKemKeyPair(hex(d + z));
      expect([toHex(publicKey), toHex(secretKey)]).toEqual([ek, dk]);
    }
  });

  it("for encapsulation", ({ expect }) => {
    for (const { ek, m, c, k } of vectors.encapsulation) {
      const { ciphertext, sharedSecret } = mlKemEncapsulate(hex(ek), hex(m));
      expect([toHex(ciphertext), toHex(sharedSecret)]).toEqual([c, k]);
    }
  });

  it("for decapsulation, a changed ciphertext included", ({ expect }) => {
    for (const { dk, c, k } of vectors.decapsulation) {
      expect(toHex(mlKemDecapsulate(hex(dk), hex(c)) ?? new Uint8Array())).toBe(k);
    }
  });

  it("for the checks of keys", ({ expect }) => {
    const ciphertext = new Uint8Array(ML_KEM_768.ciphertext);
    for (const { dk, testPassed } of vectors.decapsulationKeyCheck) {
      expect(mlKemDecapsulate(hex(dk), ciphertext) !== null).toBe(testPassed);
    }
    for (const { ek, testPassed } of vectors.encapsulationKeyCheck) {
      expect(isMlKemPublicKey(hex(ek))).toBe(testPassed);
    }
  });
});

it("a shared secret reaches the holder of the private half, and nobody else", ({ expect }) => {
  const own = mlKemKeyPair(seed);
  const other = mlKemKeyPair(seed.map((byte) => byte + 1));
  const { ciphertext, sharedSecret } = mlKemEncapsulate(own.publicKey);
  expect(mlKemDecapsulate(own.secretKey, ciphertext)).toEqual(sharedSecret);
  expect(mlKemDecapsulate(other.secretKey, ciphertext)).not.toEqual(sharedSecret);
  expect(mlKemEncapsulate(own.publicKey).sharedSecret).not.toEqual(sharedSecret);
});

it("no other length is a seed, a key or a ciphertext", ({ expect }) => {
  const { publicKey, secretKey } = mlKemKeyPair(seed);
  const { ciphertext } = mlKemEncapsulate(publicKey);
  expect(() => mlKemKeyPair(seed.subarray(1))).toThrow(RangeError);
  for (const short of [new Uint8Array(0), publicKey.subarray(1), new Uint8Array(ML_KEM_768.publicKey + 1)]) {
    expect(isMlKemPublicKey(short)).toBe(false);
    expect(() => mlKemEncapsulate(short)).toThrow(RangeError);
  }
  expect(() => mlKemEncapsulate(publicKey, new Uint8Array(31))).toThrow(RangeError);
  expect(mlKemDecapsulate(secretKey, ciphertext.subarray(1))).toBeNull();
  expect(mlKemDecapsulate(secretKey.subarray(1), ciphertext)).toBeNull();
});
