import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";

/*
 * ML-KEM-768 (FIPS 203). Runs in Workers, in Node and in browsers.
 *
 * A wrong key or a changed ciphertext gives another shared secret and no error (implicit rejection), so nothing
 * may be believed until something authenticated, like AES-GCM, has opened under a key made of that secret.
 */

/** Sizes in bytes (FIPS 203, tables 2 and 3; the seed is `d` and `z` together). */
export const ML_KEM_768 = {
  seed: 64,
  publicKey: 1_184,
  secretKey: 2_400,
  ciphertext: 1_088,
  sharedSecret: 32,
  random: 32,
} as const;

type Bytes = Uint8Array<ArrayBuffer>;

export interface KemKeyPair {
  readonly publicKey: Bytes;
  /** The expanded private half. The 64-byte seed that it was made from is as secret, and smaller to keep. */
  readonly secretKey: Bytes;
}

/**
 * A key pair from its seed: always the same one.
 *
 * @param seed 64 bytes, cryptographically random
 * @throws RangeError for any other length
 */
export function mlKemKeyPair(seed: Uint8Array): KemKeyPair {
  if (seed.byteLength !== ML_KEM_768.seed) throw new RangeError("An ML-KEM-768 seed has 64 bytes");
  const { publicKey, secretKey } = ml_kem768.keygen(Uint8Array.from(seed));
  return { publicKey: Uint8Array.from(publicKey), secretKey: Uint8Array.from(secretKey) };
}

/** Whether somebody's bytes are a public key: the length and the modulus check of FIPS 203, section 7.2. */
export function isMlKemPublicKey(bytes: Uint8Array): boolean {
  if (bytes.byteLength !== ML_KEM_768.publicKey) return false;
  // 1,152 bytes are 768 coefficients of 12 bits, each below q; the other 32 are a hash seed and may be anything.
  for (let at = 0; at < ML_KEM_768.publicKey - 32; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
    if ((a | ((b & 0x0f) << 8)) >= Q || ((b >> 4) | (c << 4)) >= Q) return false;
  }
  return true;
}
const Q = 3_329;

/**
 * A fresh shared secret, and the ciphertext that carries it to the holder of the private half.
 *
 * @param random 32 bytes; only tests against published vectors give any
 * @throws RangeError for what is not a public key; ask `isMlKemPublicKey` first where a stranger sent it
 */
export function mlKemEncapsulate(
  publicKey: Uint8Array,
  random: Uint8Array = crypto.getRandomValues(new Uint8Array(ML_KEM_768.random)),
): { readonly ciphertext: Bytes; readonly sharedSecret: Bytes } {
  if (!isMlKemPublicKey(publicKey)) throw new RangeError("Not an ML-KEM-768 public key");
  if (random.byteLength !== ML_KEM_768.random) throw new RangeError("Encapsulation takes 32 random bytes");
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, Uint8Array.from(random));
  return { ciphertext: Uint8Array.from(cipherText), sharedSecret: Uint8Array.from(sharedSecret) };
}

/**
 * The shared secret of a ciphertext, or of nothing: see above.
 *
 * @returns 32 bytes; null where the lengths are wrong or the private half is damaged (FIPS 203, section 7.3)
 */
export function mlKemDecapsulate(secretKey: Uint8Array, ciphertext: Uint8Array): Bytes | null {
  const areLong =
    secretKey.byteLength === ML_KEM_768.secretKey && ciphertext.byteLength === ML_KEM_768.ciphertext;
  if (!areLong) return null;
  try {
    return Uint8Array.from(ml_kem768.decapsulate(ciphertext, secretKey));
  } catch {
    return null; // the hash of the public half inside does not match
  }
}
