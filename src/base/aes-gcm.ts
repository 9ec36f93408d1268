type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of an AES-256 key. */
export const AES_KEY_BYTES = 32;
/** Bytes of a GCM nonce; 96 bits is the size the mode is specified around (NIST SP 800-38D, 8.2). */
export const GCM_NONCE_BYTES = 12;
/** Bytes of a GCM tag; never a shortened one. */
export const GCM_TAG_BYTES = 16;

/** What one AES-256-GCM operation needs. The nonce must never be used twice under one key. */
export interface GcmInput {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  /** Authenticated, not encrypted. Mandatory: a ciphertext that is bound to nothing can be moved. */
  readonly associated: Uint8Array;
}

/**
 * Encrypts. Runs in Workers, in Node and in browsers.
 *
 * @returns ciphertext followed by the 16-byte tag
 * @throws RangeError for a key or a nonce of the wrong length, or nothing to bind to
 */
export async function gcmSeal(input: GcmInput, plaintext: Uint8Array): Promise<Bytes> {
  if (!isUsable(input)) throw new RangeError("AES-256-GCM takes 32, 12 and at least 1 bytes");
  const key = await importKey(input.key, "encrypt");
  return new Uint8Array(await crypto.subtle.encrypt(parameters(input), key, Uint8Array.from(plaintext)));
}

/** @returns the plaintext, or null when key, nonce, associated data, ciphertext or tag is not what was sealed */
export async function gcmOpen(input: GcmInput, sealed: Uint8Array): Promise<Bytes | null> {
  if (!isUsable(input) || sealed.byteLength < GCM_TAG_BYTES) return null;
  const key = await importKey(input.key, "decrypt");
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters(input), key, Uint8Array.from(sealed)));
  } catch {
    return null; // the tag is wrong; the platform tells nothing else apart
  }
}

function isUsable({ key, nonce, associated }: GcmInput): boolean {
  return (
    key.byteLength === AES_KEY_BYTES && nonce.byteLength === GCM_NONCE_BYTES && associated.byteLength > 0
  );
}

function parameters({ nonce, associated }: GcmInput) {
  return {
    name: "AES-GCM",
    iv: Uint8Array.from(nonce),
    additionalData: Uint8Array.from(associated),
    tagLength: GCM_TAG_BYTES * 8,
  };
}

function importKey(key: Uint8Array, usage: "encrypt" | "decrypt") {
  return crypto.subtle.importKey("raw", Uint8Array.from(key), "AES-GCM", false, [usage]);
}
