type Bytes = Uint8Array<ArrayBuffer>;

export interface HkdfInput {
  readonly secret: Uint8Array;
  /** May be empty where the secret is uniformly random already. */
  readonly salt: Uint8Array;
  /** What the key is for; two purposes never share a key. */
  readonly info: Uint8Array;
  /** Bytes wanted, at most 8,160. */
  readonly length: number;
}

/**
 * HKDF-SHA-256 (RFC 5869), extract and expand. Runs in Workers, in Node and in browsers.
 *
 * @throws RangeError for a length that the function cannot give
 */
export async function hkdfSha256({ secret, salt, info, length }: HkdfInput): Promise<Bytes> {
  if (!Number.isInteger(length) || length < 1 || length > 8_160) {
    throw new RangeError("HKDF-SHA-256 gives 1 to 8,160 bytes");
  }
  const key = await crypto.subtle.importKey("raw", Uint8Array.from(secret), "HKDF", false, ["deriveBits"]);
  const input = { name: "HKDF", hash: "SHA-256", salt: Uint8Array.from(salt), info: Uint8Array.from(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(input, key, length * 8));
}
