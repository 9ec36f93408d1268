import { beforeAll, describe, it } from "vitest";
import { fromBase64, randomBytes, toBase64, utf8 } from "../../src/base/bytes.ts";
import { hmacSha512, hmacSha512Verify } from "../../src/base/hmac.ts";
import { mlDsaVerify } from "../../src/base/ml-dsa.ts";
import { mlKemDecapsulate } from "../../src/base/ml-kem.ts";
import { type DecryptOptions, decryptEnvelope } from "../../src/client/decrypt.ts";
import { ENVELOPE_CONTEXT, HybridCryptoEnvelope } from "../../src/model/envelope.ts";
import { envelopeKeys, envelopeSignedBytes, proxyRequestDigest } from "../../src/model/envelope-bytes.ts";
import { sealEnvelope } from "../../src/proxy/envelope.ts";
import {
  CALLED_AT,
  PRIVATE_KEY,
  RECIPIENT,
  RESULT,
  SECRET_KEY,
  SIGNING_KEY,
  VERIFICATION_BYTES,
  VERIFICATION_KEY,
} from "../support/proxy.ts";

const REQUEST = { integration_id: "int_1", operation: "send_event", payload: { event: { n: 1 } } };

async function seal(): Promise<HybridCryptoEnvelope> {
  const requestDigest = await proxyRequestDigest(REQUEST);
  return sealEnvelope(
    RESULT,
    { id: "env_1", recipient: RECIPIENT, signingKey: SIGNING_KEY, requestDigest, issuedAt: CALLED_AT },
    randomBytes,
  );
}

const open = (envelope: unknown, options: Partial<DecryptOptions> = {}) =>
  decryptEnvelope(envelope, {
    privateKey: PRIVATE_KEY,
    verificationKeys: VERIFICATION_KEY,
    request: REQUEST,
    now: CALLED_AT + 1_000,
    ...options,
  });

let envelope: HybridCryptoEnvelope;
beforeAll(async () => {
  envelope = await seal();
});

describe("an envelope", () => {
  it("has the form that is promised, and opens for the caller who asked", async ({ expect }) => {
    expect(HybridCryptoEnvelope.parse(envelope)).toEqual(envelope);
    expect(envelope).toMatchObject({
      id: "env_1",
      recipient_key_id: "pk_1",
      signing_key_id: "tkey_1",
      issued_at: "2026-06-30T12:00:00.000Z",
      expires_at: "2026-06-30T12:05:00.000Z",
    });
    expect(await open(envelope)).toEqual(RESULT);
  });

  it("shows nothing of what is inside", ({ expect }) => {
    expect(JSON.stringify(envelope)).not.toMatch(/Success|delivered|send_event|int_1/);
  });

  it("is never the same twice", async ({ expect }) => {
    const other = await seal();
    for (const part of ["kem_ciphertext", "nonce", "ciphertext", "signature", "mac"] as const) {
      expect(other[part]).not.toBe(envelope[part]);
    }
  });

  it("of another call is refused, and one of an expired moment or the future", async ({ expect }) => {
    for (const other of [
      { ...REQUEST, integration_id: "int_2" },
      { ...REQUEST, operation: "send_batch" },
      { ...REQUEST, payload: { event: { n: 2 } } },
    ]) {
      await expect(open(envelope, { request: other })).rejects.toMatchObject({ code: "other_request" });
    }
    // Member order is no difference: the digest is over the canonical form.
    const { payload, operation, integration_id } = REQUEST;
    expect(await open(envelope, { request: { payload, operation, integration_id } })).toEqual(RESULT);
    await expect(open(envelope, { now: CALLED_AT + 361_000 })).rejects.toMatchObject({ code: "expired" });
    await expect(open(envelope, { now: CALLED_AT - 61_000 })).rejects.toMatchObject({
      code: "not_yet_valid",
    });
  });

  it("does not open with another private key, nor verify with another tenant's key", async ({ expect }) => {
    const otherKey = toBase64(new Uint8Array(64).fill(8));
    await expect(open(envelope, { privateKey: otherKey })).rejects.toMatchObject({ code: "refused" });
    const foreign = { ...VERIFICATION_KEY, key_id: "tkey_2" };
    await expect(open(envelope, { verificationKeys: foreign })).rejects.toMatchObject({ code: "refused" });
  });

  it("is refused where only one of its signatures is right", async ({ expect }) => {
    const changed = { ...envelope, expires_at: "2026-06-30T13:00:00.000Z" };
    const message = envelopeSignedBytes(changed);
    const signed = { ...changed, signature: toBase64(SIGNING_KEY.sign(message, utf8(ENVELOPE_CONTEXT))) };
    await expect(open(signed)).rejects.toMatchObject({ code: "refused" });
    const maced = { ...changed, mac: toBase64(await hmacSha512((await keysOf(envelope)).mac, message)) };
    await expect(open(maced)).rejects.toMatchObject({ code: "refused" });
    const otherPurpose = SIGNING_KEY.sign(envelopeSignedBytes(envelope), utf8("sluice/another-purpose/v1"));
    await expect(open({ ...envelope, signature: toBase64(otherPurpose) })).rejects.toMatchObject({
      code: "refused",
    });
  });
});

describe("a flipped bit", () => {
  const FIELDS = [
    "id",
    "recipient_key_id",
    "signing_key_id",
    "issued_at",
    "expires_at",
    "request_digest",
    "suite",
  ] as const;
  const PARTS = ["kem_ciphertext", "nonce", "ciphertext", "signature", "mac"] as const;

  it("in any place changes what both signatures are over, or one of them", async ({ expect }) => {
    const whole = toBase64(envelopeSignedBytes(envelope));
    let flips = 0;
    for (const changed of changes(envelope, [...FIELDS, ...PARTS])) {
      flips += 1;
      const isCovered = toBase64(envelopeSignedBytes(changed)) !== whole;
      if (!isCovered && changed.signature === envelope.signature && changed.mac === envelope.mac) {
        expect.fail(`A flip is not covered: ${JSON.stringify(changed).slice(0, 200)}`);
      }
    }
    // Every bit of every field: the KEM ciphertext alone has 8,704, the signature 26,472.
    expect(flips).toBeGreaterThan(8_704 + 26_472 + 512 + 96);
  });

  it("in the header, the nonce, the ciphertext or the MAC: the MAC does not verify, for every bit", async ({
    expect,
  }) => {
    const { mac: key } = await keysOf(envelope);
    const believed: string[] = [];
    for (const changed of changes(envelope, [...FIELDS, "nonce", "ciphertext", "mac"])) {
      const tag = fromBase64(changed.mac) ?? new Uint8Array();
      if (await hmacSha512Verify(key, envelopeSignedBytes(changed), tag))
        believed.push(JSON.stringify(changed));
    }
    expect(believed).toEqual([]);
    expect(await hmacSha512Verify(key, envelopeSignedBytes(envelope), fromBase64(envelope.mac) ?? key)).toBe(
      true,
    );
  });

  it("in the KEM ciphertext: the key is another and the MAC does not verify, for every bit", async ({
    expect,
  }) => {
    let believed = 0;
    for (const changed of changes(envelope, ["kem_ciphertext"])) {
      const { mac } = await keysOf(changed);
      if (await hmacSha512Verify(mac, envelopeSignedBytes(changed), fromBase64(changed.mac) ?? mac))
        believed += 1;
    }
    expect(believed).toBe(0);
  }, 120_000);

  it("in any byte of the signature: it does not verify", ({ expect }) => {
    const message = envelopeSignedBytes(envelope);
    const context = utf8(ENVELOPE_CONTEXT);
    const verifies = (signature: Uint8Array) =>
      mlDsaVerify(VERIFICATION_BYTES, signature, { message, context });
    const signature = fromBase64(envelope.signature) ?? new Uint8Array();
    expect(verifies(signature)).toBe(true);
    let believed = 0;
    // One bit of each byte, another one from byte to byte: a verification takes 2 ms, and there are 26,472 bits.
    for (let byte = 0; byte < signature.byteLength; byte += 1) {
      if (verifies(flipped(signature, byte * 8 + (byte % 8)))) believed += 1;
    }
    expect(believed).toBe(0);
  }, 120_000);

  it("in each part and field is refused by the client library", async ({ expect }) => {
    for (const part of [...FIELDS, ...PARTS]) {
      const all = [...changes(envelope, [part])];
      for (const at of [0, Math.floor(all.length / 2), all.length - 1]) {
        await expect(open(all[at])).rejects.toMatchObject({
          code: expect.stringMatching(/refused|malformed/),
        });
      }
    }
    await expect(open({ ...envelope, version: 2 })).rejects.toMatchObject({ code: "malformed" });
    await expect(open({ ...envelope, extra: "x" })).rejects.toMatchObject({ code: "malformed" });
  });
});

async function keysOf({ kem_ciphertext }: HybridCryptoEnvelope) {
  const ciphertext = fromBase64(kem_ciphertext) ?? new Uint8Array();
  const shared = mlKemDecapsulate(SECRET_KEY, ciphertext);
  if (shared === null) throw new Error("The lengths are right");
  return envelopeKeys(shared, ciphertext);
}

type Field = keyof HybridCryptoEnvelope;

/** The envelope once for each bit of these fields, that bit flipped: in the bytes where a field is base64, else in its characters. */
function* changes(of: HybridCryptoEnvelope, fields: readonly Field[]): Generator<HybridCryptoEnvelope> {
  const encoded: readonly Field[] = ["kem_ciphertext", "nonce", "ciphertext", "signature", "mac"];
  for (const field of fields) {
    const text = String(of[field]);
    const isEncoded = encoded.includes(field);
    const bytes = (isEncoded ? fromBase64(text) : utf8(text)) ?? new Uint8Array();
    for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
      const other = flipped(bytes, bit);
      // Latin-1, so that every byte is a character and every flip stays visible.
      yield { ...of, [field]: isEncoded ? toBase64(other) : String.fromCharCode(...other) };
    }
  }
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const other = Uint8Array.from(bytes);
  other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return other;
}
