type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of an HMAC-SHA-512 tag; never a shortened one. */
export const HMAC_SHA_512_BYTES = 64;

const HMAC_SHA_512 = { name: "HMAC", hash: "SHA-512" } as const;

/**
 * HMAC-SHA-512 (RFC 2104, FIPS 198-1). Runs in Workers, in Node and in browsers.
 *
 * @param key at least one byte; 64 random or derived ones are what it is made for
 * @returns 64 bytes
 * @throws RangeError for an empty key, which would be a mistake and not a secret
 */
export async function hmacSha512(key: Uint8Array, message: Uint8Array): Promise<Bytes> {
  const imported = await importKey(key, "sign");
  return new Uint8Array(await crypto.subtle.sign(HMAC_SHA_512, imported, Uint8Array.from(message)));
}

/** Whether the tag is the message's, compared by the platform in constant time. A wrong length is a wrong tag. */
export async function hmacSha512Verify(
  key: Uint8Array,
  message: Uint8Array,
  tag: Uint8Array,
): Promise<boolean> {
  const imported = await importKey(key, "verify");
  if (tag.byteLength !== HMAC_SHA_512_BYTES) return false;
  return await crypto.subtle.verify(HMAC_SHA_512, imported, Uint8Array.from(tag), Uint8Array.from(message));
}

function importKey(key: Uint8Array, usage: "sign" | "verify") {
  if (key.byteLength === 0) throw new RangeError("An HMAC key has at least one byte");
  return crypto.subtle.importKey("raw", Uint8Array.from(key), HMAC_SHA_512, false, [usage]);
}
