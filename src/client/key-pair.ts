import { decodeBase64, encodeBase64 } from "../base/encoding.ts";
import { ML_KEM_768, mlKemKeyPair } from "../base/ml-kem.ts";

/** A key pair for the proxy's answers. */
export interface EncryptionKeyPair {
  readonly algorithm: "ML-KEM-768";
  /** Base64 of 1,184 bytes: what is registered. */
  readonly publicKey: string;
  /** Base64 of the 64-byte seed `d ‖ z` (FIPS 203, section 7.1). Keep it as you keep the API key. */
  readonly privateKey: string;
}

/** A fresh key pair from the platform's randomness. The private half never leaves this machine. */
export function generateKeyPair(): EncryptionKeyPair {
  const seed = crypto.getRandomValues(new Uint8Array(ML_KEM_768.seed));
  return {
    algorithm: "ML-KEM-768",
    publicKey: encodeBase64(mlKemKeyPair(seed).publicKey),
    privateKey: encodeBase64(seed),
  };
}

/**
 * The private half as decapsulation takes it.
 *
 * @throws TypeError for what `generateKeyPair` did not make; the text itself is not repeated
 */
export function decapsulationKey(privateKey: string): Uint8Array {
  const seed = decodeBase64(privateKey);
  if (seed?.byteLength !== ML_KEM_768.seed)
    throw new TypeError("privateKey: expected the base64 of a 64-byte ML-KEM-768 seed");
  return mlKemKeyPair(seed).secretKey;
}
