import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

/** Bytes of an AES-256 key. */
export const KEY_BYTES = 32;
/** Bytes of a GCM nonce; 96 bits is the size the mode is specified around (NIST SP 800-38D, 8.2). */
export const NONCE_BYTES = 12;
/** Bytes of a GCM tag; never a shortened one. */
export const TAG_BYTES = 16;

/** What one AES-256-GCM operation needs. The nonce must never be used twice under one key. */
export interface GcmInput {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  /** Authenticated, not encrypted. Mandatory: a ciphertext that is bound to nothing can be moved. */
  readonly associated: Uint8Array;
}

/** @returns ciphertext followed by the 16-byte tag */
export function gcmSeal(input: GcmInput, plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
  const cipher = createCipheriv("aes-256-gcm", input.key, input.nonce);
  cipher.setAAD(input.associated);
  const body = cipher.update(plaintext);
  const rest = cipher.final();
  return new Uint8Array(Buffer.concat([body, rest, cipher.getAuthTag()]));
}

/** @returns the plaintext, or null when key, nonce, associated data, ciphertext or tag is not what was sealed */
export function gcmOpen(input: GcmInput, sealed: Uint8Array): Uint8Array<ArrayBuffer> | null {
  if (sealed.byteLength < TAG_BYTES || input.nonce.byteLength !== NONCE_BYTES) return null;
  const split = sealed.byteLength - TAG_BYTES;
  try {
    const decipher = createDecipheriv("aes-256-gcm", input.key, input.nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(input.associated);
    decipher.setAuthTag(sealed.subarray(split));
    const body = decipher.update(sealed.subarray(0, split));
    return new Uint8Array(Buffer.concat([body, decipher.final()])); // final() throws when the tag is wrong
  } catch {
    return null;
  }
}

/** HKDF-SHA256 (RFC 5869), extract and expand. */
export function hkdfSha256(input: {
  readonly secret: Uint8Array;
  readonly salt: Uint8Array;
  readonly info: Uint8Array;
  /** Bytes wanted, at most 8,160. */
  readonly length: number;
}): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync("sha256", input.secret, input.salt, input.info, input.length));
}
