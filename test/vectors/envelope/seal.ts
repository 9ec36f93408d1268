import { gcmSeal } from "../../../src/base/aes-gcm.ts";
import { decodeBase64, encodeBase64, encodeHex, encodeUtf8 } from "../../../src/base/encoding.ts";
import { hmacSha512 } from "../../../src/base/hmac.ts";
import { mlDsaKeyPair, mlDsaSign } from "../../../src/base/ml-dsa.ts";
import { mlKemEncapsulate, mlKemKeyPair } from "../../../src/base/ml-kem.ts";
import type { HybridCryptoEnvelope } from "../../../src/client/envelope.ts";
import {
  envelopeHeaderBytes,
  envelopeKeys,
  envelopeSignedBytes,
  type ProxyRequest,
  proxyRequestDigest,
} from "../../../src/model/envelope-bytes.ts";
import { ENVELOPE_CONTEXT, ENVELOPE_SUITE, ENVELOPE_VERSION } from "../../../src/model/envelope-format.ts";

/*
 * Seals envelopes for the vectors and the tests: everything that is random in the relay is given here, so that the
 * same input always makes the same bytes.
 */

/** Bytes that look like nothing in particular and are the same every time. */
export function fixedBytes(length: number, start: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => (start + at * 37 + (at >> 3) * 11) & 0xff);
}

export const RECIPIENT_SEED = fixedBytes(64, 3);
export const SIGNER_SEED = fixedBytes(32, 101);
const recipient = mlKemKeyPair(RECIPIENT_SEED);
const signer = mlDsaKeyPair(SIGNER_SEED);

export const RECIPIENT = {
  key_id: "pk_01999999000070008000000000000001",
  algorithm: "ML-KEM-768",
  private_key: encodeBase64(RECIPIENT_SEED),
  public_key: encodeBase64(recipient.publicKey),
};
export const VERIFICATION_KEY = {
  key_id: "sk_01999999000070008000000000000002",
  algorithm: "ML-DSA-65",
  context: ENVELOPE_CONTEXT,
  public_key: encodeBase64(signer.publicKey),
};

export interface SealInput {
  readonly id: string;
  readonly request: ProxyRequest;
  /** What is inside: a ProxyResult, or for the tests anything. */
  readonly plaintext: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  /** The 32 bytes of the encapsulation, and the 12 of AES-GCM. */
  readonly encapsulation: Uint8Array;
  readonly nonce: Uint8Array;
  /** Overrides for envelopes that must be refused, made before anything is signed. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly signatureContext?: string;
  readonly signerSeed?: Uint8Array;
  readonly recipientPublicKey?: Uint8Array;
}

export interface Sealed {
  readonly envelope: HybridCryptoEnvelope;
  /** What happens on the way, for whoever looks for their own mistake. */
  readonly steps: {
    readonly header: string;
    readonly shared_secret: string;
    readonly encryption_key: string;
    readonly mac_key: string;
  };
}

export async function seal(input: SealInput): Promise<Sealed> {
  const { ciphertext: kem, sharedSecret } = mlKemEncapsulate(
    input.recipientPublicKey ?? recipient.publicKey,
    input.encapsulation,
  );
  const keys = await envelopeKeys(sharedSecret, kem);
  const header = {
    version: ENVELOPE_VERSION,
    suite: ENVELOPE_SUITE,
    id: input.id,
    recipient_key_id: RECIPIENT.key_id,
    signing_key_id: VERIFICATION_KEY.key_id,
    issued_at: input.issuedAt,
    expires_at: input.expiresAt,
    request_digest: await proxyRequestDigest(input.request),
    kem_ciphertext: encodeBase64(kem),
    nonce: encodeBase64(input.nonce),
    ...input.header,
  };
  const associated = envelopeHeaderBytes(header);
  const gcm = { key: keys.encryption, nonce: input.nonce, associated };
  const ciphertext = encodeBase64(await gcmSeal(gcm, encodeUtf8(input.plaintext)));
  const message = envelopeSignedBytes({ ...header, ciphertext });
  const { secretKey } = input.signerSeed === undefined ? signer : mlDsaKeyPair(input.signerSeed);
  const context = encodeUtf8(input.signatureContext ?? ENVELOPE_CONTEXT);
  const signature = encodeBase64(mlDsaSign(secretKey, { message, context }, false));
  const mac = encodeBase64(await hmacSha512(keys.mac, message));
  return {
    envelope: { ...header, ciphertext, signature, mac },
    steps: {
      header: new TextDecoder().decode(associated),
      shared_secret: encodeHex(sharedSecret),
      encryption_key: encodeHex(keys.encryption),
      mac_key: encodeHex(keys.mac),
    },
  };
}

/** The same envelope with one bit of a base64 field's bytes turned over. */
export function flipBit<T extends object>(envelope: T, name: keyof T & string, bit: number): T {
  const bytes = decodeBase64(String(envelope[name])) ?? new Uint8Array();
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  return { ...envelope, [name]: encodeBase64(bytes) };
}
