import { createHash, timingSafeEqual } from "node:crypto";

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text) as Uint8Array<ArrayBuffer>; // never a shared buffer, which Node's types cannot say
}

/** Length in UTF-8 bytes; every vendor limit is in bytes, never in UTF-16 units. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** Strict standard base64 (padding required), or null. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  return new Uint8Array(Buffer.from(text, "base64"));
}

export function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** Base64url without padding, or null. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  return new Uint8Array(Buffer.from(text, "base64url"));
}

export function sha256(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(data).digest());
}

/**
 * Where strings are encoded before they are hashed: handing the hash bytes that lie ready saves a microsecond a call.
 * Safe to share, because nothing is awaited between writing and hashing.
 */
const scratch = new Uint8Array(65_536);

export function sha256Hex(data: string | Uint8Array): string {
  const hash = createHash("sha256");
  // A UTF-16 unit is at most 3 bytes.
  if (typeof data !== "string" || data.length * 3 > scratch.byteLength)
    return hash.update(data).digest("hex");
  return hash.update(scratch.subarray(0, encoder.encodeInto(data, scratch).written)).digest("hex");
}

/**
 * Compares two strings in a time that does not depend on where they differ.
 * Both sides are hashed first, so lengths do not leak either.
 */
export function constantTimeEqual(left: string, right: string): boolean {
  return timingSafeEqual(sha256(left), sha256(right));
}

/** Cryptographically random bytes. */
export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(count));
}
