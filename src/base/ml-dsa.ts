import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";

/*
 * ML-DSA-65 (FIPS 204), pure, never without a context: a signature made for one purpose verifies for no other.
 * Runs in Workers, in Node and in browsers.
 */

/** Sizes in bytes (FIPS 204, table 2; the seed is `ξ`). */
export const ML_DSA_65 = {
  seed: 32,
  publicKey: 1_952,
  secretKey: 4_032,
  signature: 3_309,
  random: 32,
  longestContext: 255,
} as const;

type Bytes = Uint8Array<ArrayBuffer>;

export interface DsaKeyPair {
  readonly publicKey: Bytes;
  /** The expanded private half. The 32-byte seed that it was made from is as secret, and smaller to keep. */
  readonly secretKey: Bytes;
}

/**
 * A key pair from its seed: always the same one.
 *
 * @param seed 32 bytes, cryptographically random
 * @throws RangeError for any other length
 */
export function mlDsaKeyPair(seed: Uint8Array): DsaKeyPair {
  if (seed.byteLength !== ML_DSA_65.seed) throw new RangeError("An ML-DSA-65 seed has 32 bytes");
  const { publicKey, secretKey } = ml_dsa65.keygen(Uint8Array.from(seed));
  return { publicKey: Uint8Array.from(publicKey), secretKey: Uint8Array.from(secretKey) };
}

export interface DsaMessage {
  readonly message: Uint8Array;
  /** What the signature is for, like the bytes of `sluice/proxy-envelope/v1`: 1 to 255 of them. */
  readonly context: Uint8Array;
}

/**
 * Signs, hedged: with fresh randomness, so that a fault in one computation does not give the key away.
 *
 * @param random `false` signs deterministically, 32 bytes pin the randomness; only tests do either
 * @returns 3,309 bytes
 * @throws RangeError for a private half or a context of the wrong length
 */
export function mlDsaSign(
  secretKey: Uint8Array,
  { message, context }: DsaMessage,
  random: Uint8Array | false = crypto.getRandomValues(new Uint8Array(ML_DSA_65.random)),
): Bytes {
  if (secretKey.byteLength !== ML_DSA_65.secretKey)
    throw new RangeError("An ML-DSA-65 private key has 4,032 bytes");
  if (!isContext(context)) throw new RangeError("A context has 1 to 255 bytes");
  const extraEntropy = random === false ? random : Uint8Array.from(random);
  return Uint8Array.from(ml_dsa65.sign(message, secretKey, { context, extraEntropy }));
}

/** Whether this key signed this message for this purpose. Never throws: a wrong length is a wrong signature. */
export function mlDsaVerify(
  publicKey: Uint8Array,
  signature: Uint8Array,
  { message, context }: DsaMessage,
): boolean {
  const areLong =
    publicKey.byteLength === ML_DSA_65.publicKey && signature.byteLength === ML_DSA_65.signature;
  if (!areLong || !isContext(context)) return false;
  try {
    return ml_dsa65.verify(signature, message, publicKey, { context });
  } catch {
    return false;
  }
}

function isContext(bytes: Uint8Array): boolean {
  return bytes.byteLength > 0 && bytes.byteLength <= ML_DSA_65.longestContext;
}
