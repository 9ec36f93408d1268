import { describe, it } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { mlDsaKeyPair, mlDsaSign, mlDsaVerify } from "../../src/base/ml-dsa.ts";
import vectors from "../vectors/ml-dsa-65.json";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const seed = new Uint8Array(32).fill(7);
const signed = { message: utf8("a message"), context: utf8("sluice/test/v1") };

describe("ML-DSA-65 gives what NIST's ACVP vectors give", () => {
  it("for key pairs", ({ expect }) => {
    for (const vector of vectors.keyGen) {
      const { publicKey, secretKey } = mlDsaKeyPair(hex(vector.seed));
      expect([toHex(publicKey), toHex(secretKey)]).toEqual([vector.pk, vector.sk]);
    }
  });

  it("for signatures with a context, deterministic and hedged", ({ expect }) => {
    for (const { sk, message, context, rnd, signature } of vectors.sigGen) {
      const random = rnd === null ? false : hex(rnd);
      const made = mlDsaSign(hex(sk), { message: hex(message), context: hex(context) }, random);
      expect(toHex(made)).toBe(signature);
    }
    expect(new Set(vectors.sigGen.map(({ deterministic }) => deterministic)).size).toBe(2);
  });

  it.for(vectors.sigVer)("for verification: $reason", (vector, { expect }) => {
    const { pk, message, context, signature, testPassed } = vector;
    const sent = { message: hex(message), context: hex(context) };
    expect(mlDsaVerify(hex(pk), hex(signature), sent)).toBe(testPassed);
  });
});

it("a signature is for its message, its purpose and its key alone", ({ expect }) => {
  const { publicKey, secretKey } = mlDsaKeyPair(seed);
  const signature = mlDsaSign(secretKey, signed);
  expect(mlDsaVerify(publicKey, signature, signed)).toBe(true);
  const others = [
    { ...signed, message: utf8("another message") },
    { ...signed, context: utf8("sluice/test/v2") },
    { ...signed, context: new Uint8Array(0) },
  ];
  for (const other of others) expect(mlDsaVerify(publicKey, signature, other)).toBe(false);
  expect(mlDsaVerify(mlDsaKeyPair(new Uint8Array(32)).publicKey, signature, signed)).toBe(false);
});

it("signing twice gives two signatures, both valid", ({ expect }) => {
  const { publicKey, secretKey } = mlDsaKeyPair(seed);
  const both = [mlDsaSign(secretKey, signed), mlDsaSign(secretKey, signed)];
  expect(both[0]).not.toEqual(both[1]);
  for (const signature of both) expect(mlDsaVerify(publicKey, signature, signed)).toBe(true);
});

it("nothing is signed without a purpose, and no other length is a key or a signature", ({ expect }) => {
  const { publicKey, secretKey } = mlDsaKeyPair(seed);
  const signature = mlDsaSign(secretKey, signed);
  for (const length of [0, 256]) {
    expect(() => mlDsaSign(secretKey, { ...signed, context: new Uint8Array(length) })).toThrow(RangeError);
  }
  expect(() => mlDsaSign(secretKey.subarray(1), signed)).toThrow(RangeError);
  expect(() => mlDsaKeyPair(seed.subarray(1))).toThrow(RangeError);
  expect(mlDsaVerify(publicKey.subarray(1), signature, signed)).toBe(false);
  expect(mlDsaVerify(publicKey, signature.subarray(1), signed)).toBe(false);
});
