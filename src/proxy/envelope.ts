import { gcmSeal } from "../base/aes-gcm.ts";
import { fromBase64, toBase64, utf8 } from "../base/bytes.ts";
import { type EpochMs, isoTime, seconds } from "../base/clock.ts";
import { hmacSha512 } from "../base/hmac.ts";
import { mlKemEncapsulate } from "../base/ml-kem.ts";
import {
  ENVELOPE_CONTEXT,
  ENVELOPE_LIFETIME_SECONDS,
  ENVELOPE_NONCE_BYTES,
  ENVELOPE_SUITE,
  ENVELOPE_VERSION,
  type HybridCryptoEnvelope,
  type ProxyResult,
} from "../model/envelope.ts";
import { envelopeHeaderBytes, envelopeKeys, envelopeSignedBytes } from "../model/envelope-bytes.ts";
import type { PublicKey } from "../model/public-key.ts";

/** The tenant's ML-DSA-65 key, opened. */
export interface SigningKey {
  readonly keyId: string;
  /** @returns 3,309 bytes */
  readonly sign: (message: Uint8Array, context: Uint8Array) => Uint8Array;
}

export interface Addressing {
  /** `env_…` */
  readonly id: string;
  readonly recipient: Pick<PublicKey, "id" | "publicKey">;
  readonly signingKey: SigningKey;
  readonly requestDigest: string;
  readonly issuedAt: EpochMs;
}

/**
 * Seals a result: for the holder of the recipient's private half alone, and provably from this relay as an answer
 * to that very request, for five minutes. Every field is under the AES-GCM tag or is it, and all of them are under
 * both signatures.
 *
 * @param random fresh random bytes; injected so that tests can pin them
 * @throws when the recipient's key is none; it was checked when it was registered
 */
export async function sealEnvelope(
  result: ProxyResult,
  { id, recipient, signingKey, requestDigest, issuedAt }: Addressing,
  random: (count: number) => Uint8Array,
): Promise<HybridCryptoEnvelope> {
  const publicKey = fromBase64(recipient.publicKey);
  if (publicKey === null) throw new Error("A registered public key is not base64");
  const { ciphertext: kemCiphertext, sharedSecret } = mlKemEncapsulate(publicKey, random(32));
  const keys = await envelopeKeys(sharedSecret, kemCiphertext);
  const nonce = random(ENVELOPE_NONCE_BYTES);
  const header = {
    version: ENVELOPE_VERSION,
    suite: ENVELOPE_SUITE,
    id,
    recipient_key_id: recipient.id,
    signing_key_id: signingKey.keyId,
    issued_at: isoTime(issuedAt),
    expires_at: isoTime(issuedAt + seconds(ENVELOPE_LIFETIME_SECONDS)),
    request_digest: requestDigest,
    kem_ciphertext: toBase64(kemCiphertext),
    nonce: toBase64(nonce),
  } as const;
  const associated = envelopeHeaderBytes(header);
  const sealed = await gcmSeal({ key: keys.encryption, nonce, associated }, utf8(JSON.stringify(result)));
  const unsigned = { ...header, ciphertext: toBase64(sealed) };
  const message = envelopeSignedBytes(unsigned);
  return {
    ...unsigned,
    signature: toBase64(signingKey.sign(message, utf8(ENVELOPE_CONTEXT))),
    mac: toBase64(await hmacSha512(keys.mac, message)),
  };
}
