import { describe, it } from "vitest";
import { decodeBase64 } from "../../src/base/encoding.ts";
import { decryptEnvelope } from "../../src/client/decrypt.ts";
import type { HybridCryptoEnvelope } from "../../src/client/envelope.ts";
import { EnvelopeError } from "../../src/client/errors.ts";
import { flipBit, RECIPIENT, seal, VERIFICATION_KEY } from "../vectors/envelope/seal.ts";
import { NOW, PLAIN } from "../vectors/envelope/vectors.ts";

/**
 * The library and one envelope, changed: every character of the header, and of the long fields a byte here and there,
 * another bit each time, because one try takes some milliseconds. `test/node/envelope-independent` turns over every
 * single bit of all of them, with a faster reader.
 */

const { envelope } = await seal(PLAIN);
const options = {
  privateKey: RECIPIENT.private_key,
  keyId: RECIPIENT.key_id,
  verificationKeys: VERIFICATION_KEY,
  request: PLAIN.request,
  now: NOW,
};

async function isRefused(changed: unknown): Promise<boolean> {
  try {
    await decryptEnvelope(changed, options);
    return false;
  } catch (fault) {
    if (fault instanceof EnvelopeError) return true;
    throw fault;
  }
}

type Name = Exclude<keyof HybridCryptoEnvelope, "version">;

/** One more bit turned over in one character. */
function turned(name: Name, at: number, bit: number): HybridCryptoEnvelope {
  const text = envelope[name];
  const character = String.fromCharCode(text.charCodeAt(at) ^ (1 << bit));
  return { ...envelope, [name]: text.slice(0, at) + character + text.slice(at + 1) };
}

describe("the library refuses one flipped bit in", () => {
  it("nothing: unchanged the envelope opens", async ({ expect }) => {
    expect(await isRefused(envelope)).toBe(false);
  });

  it.for([
    "suite",
    "id",
    "recipient_key_id",
    "signing_key_id",
    "issued_at",
    "expires_at",
    "request_digest",
  ] as const)("%s, in each character", async (name, { expect }) => {
    for (let at = 0; at < envelope[name].length; at++)
      for (const bit of new Set([0, at % 8]))
        expect(await isRefused(turned(name, at, bit)), `${at}.${bit}`).toBe(true);
  });

  it.for([
    ["nonce", 1],
    ["mac", 1],
    ["ciphertext", 5],
    ["kem_ciphertext", 15],
    ["signature", 23],
  ] as const)("%s, in each byte or every %s", async ([name, step], { expect }) => {
    const bytes = decodeBase64(envelope[name])?.byteLength ?? 0;
    expect(bytes).toBeGreaterThan(0);
    for (let at = 0; at < bytes; at += step)
      expect(await isRefused(flipBit(envelope, name, at * 8 + ((at / step) % 8))), `${at}`).toBe(true);
  });

  it("the spare bits of base64, which decode to the same bytes", async ({ expect }) => {
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (const name of ["mac", "kem_ciphertext", "ciphertext"] as const) {
      const last = envelope[name].replaceAll("=", "").length - 1;
      const spare = digits[digits.indexOf(envelope[name].charAt(last)) ^ 1] ?? "";
      const text = envelope[name].slice(0, last) + spare + envelope[name].slice(last + 1);
      expect(await isRefused({ ...envelope, [name]: text }), name).toBe(true);
    }
  });

  it("which fields there are", async ({ expect }) => {
    for (const name of Object.keys(envelope)) {
      const without = Object.fromEntries(Object.entries(envelope).filter(([one]) => one !== name));
      expect(await isRefused(without), name).toBe(true);
      expect(await isRefused({ ...envelope, [`${name}_`]: "" }), name).toBe(true);
    }
  });
});
