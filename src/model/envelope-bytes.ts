import { writeCanonical } from "../base/canonical.ts";
import { encodeHex, encodeUtf8 } from "../base/encoding.ts";
import { hkdfSha256 } from "../base/hkdf.ts";
import {
  ENVELOPE_ENCRYPTION_INFO,
  ENVELOPE_ENCRYPTION_KEY_BYTES,
  ENVELOPE_MAC_INFO,
  ENVELOPE_MAC_KEY_BYTES,
} from "./envelope-format.ts";

/*
 * Which bytes of an envelope are authenticated, and with which keys: computed in one place for the proxy that seals
 * and the client library that opens. Runs in Workers, in Node and in browsers.
 */

type Bytes = Uint8Array<ArrayBuffer>;
/** The fields of an envelope; those that are not there yet are left out. */
type Fields = Readonly<Record<string, unknown>>;

/** The associated data of AES-256-GCM: everything but the ciphertext and what is computed from it. */
export function envelopeHeaderBytes(envelope: Fields): Bytes {
  const { ciphertext: _, ...header } = unsigned(envelope);
  return canonicalBytes(header);
}

/** What both signatures cover: everything but themselves. */
export function envelopeSignedBytes(envelope: Fields): Bytes {
  return canonicalBytes(unsigned(envelope));
}

function unsigned(envelope: Fields): Fields {
  const { signature: _signature, mac: _mac, ...rest } = envelope;
  return rest;
}

/** The request of a proxy call, as the caller wrote it. */
export interface ProxyRequest {
  readonly integration_id: string;
  readonly operation: string;
  /** A JSON value. */
  readonly payload: unknown;
}

/**
 * `sha256:` + hex over the RFC 8785 form of the request: binds an answer to its question.
 *
 * @throws for a payload that has no canonical form: a number beyond a double, a lone surrogate
 */
export async function proxyRequestDigest(request: ProxyRequest): Promise<string> {
  const { integration_id, operation, payload } = request;
  const bytes = canonicalBytes({ integration_id, operation, payload });
  return `sha256:${encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))}`;
}

export interface EnvelopeKeys {
  readonly encryption: Bytes;
  readonly mac: Bytes;
}

/**
 * Both keys of an envelope. The salt ties them to this very encapsulation.
 *
 * @param sharedSecret 32 bytes of ML-KEM-768
 * @param kemCiphertext 1,088 bytes
 */
export async function envelopeKeys(
  sharedSecret: Uint8Array,
  kemCiphertext: Uint8Array,
): Promise<EnvelopeKeys> {
  const derive = (info: string, length: number): Promise<Bytes> =>
    hkdfSha256({ secret: sharedSecret, salt: kemCiphertext, info: encodeUtf8(info), length });
  const [encryption, mac] = await Promise.all([
    derive(ENVELOPE_ENCRYPTION_INFO, ENVELOPE_ENCRYPTION_KEY_BYTES),
    derive(ENVELOPE_MAC_INFO, ENVELOPE_MAC_KEY_BYTES),
  ]);
  return { encryption, mac };
}

function canonicalBytes(value: unknown): Bytes {
  return encodeUtf8(writeCanonical(value, false));
}
