import { decodeBase64 } from "../base/encoding.ts";
import {
  ENVELOPE_CONTEXT,
  ENVELOPE_NONCE_BYTES,
  ENVELOPE_SUITE,
  ENVELOPE_VERSION,
  KEM_CIPHERTEXT_BYTES,
  MAC_BYTES,
  SIGNATURE_BYTES,
  SIGNATURE_PUBLIC_KEY_BYTES,
} from "../model/envelope-format.ts";
import { isRecord } from "./receipt.ts";

/** What the proxy answers: its result, encrypted to your key and signed twice. `docs/envelope.md` has every byte. */
export interface HybridCryptoEnvelope {
  readonly version: number;
  readonly suite: string;
  readonly id: string;
  readonly recipient_key_id: string;
  readonly signing_key_id: string;
  readonly issued_at: string;
  readonly expires_at: string;
  readonly request_digest: string;
  readonly kem_ciphertext: string;
  readonly nonce: string;
  readonly ciphertext: string;
  readonly signature: string;
  readonly mac: string;
}

/** Of `GET /api/v2/keys`: what the tenant's envelopes are signed with. */
export interface VerificationKey {
  readonly key_id: string;
  /** Base64 of 1,952 bytes. */
  readonly public_key: string;
  readonly algorithm?: string;
  readonly context?: string;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** An envelope of the right form, its parts as bytes. Nothing in it is to be believed yet. */
export interface ParsedEnvelope {
  /** The thirteen fields, for the canonical form. */
  readonly fields: HybridCryptoEnvelope;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly kemCiphertext: Bytes;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
  readonly signature: Bytes;
  readonly mac: Bytes;
}

const id = (value: string): boolean => /^[A-Za-z0-9_-]{1,128}$/.test(value);
const time = (value: string): boolean => timeOf(value) !== null;
const base64 = (value: string): boolean => decodeBase64(value) !== null;

/** Every text field and its form; `version` is the number beside them. Strict: a field that nobody signed has no place. */
const FORMS: Readonly<Record<Exclude<keyof HybridCryptoEnvelope, "version">, (value: string) => boolean>> = {
  suite: (value) => value === ENVELOPE_SUITE,
  id,
  recipient_key_id: id,
  signing_key_id: id,
  issued_at: time,
  expires_at: time,
  request_digest: (value) => /^sha256:[0-9a-f]{64}$/.test(value),
  kem_ciphertext: base64,
  nonce: base64,
  ciphertext: base64,
  signature: base64,
  mac: base64,
};

/** AES-256-GCM's tag alone, around nothing. */
const MIN_CIPHERTEXT_BYTES = 16;

/** @returns null for whatever is not an envelope of this version and suite, to the letter */
export function parseEnvelope(value: unknown): ParsedEnvelope | null {
  if (!isEnvelope(value)) return null;
  const issuedAtMs = timeOf(value.issued_at);
  const expiresAtMs = timeOf(value.expires_at);
  const kemCiphertext = bytesOf(value.kem_ciphertext, KEM_CIPHERTEXT_BYTES);
  const nonce = bytesOf(value.nonce, ENVELOPE_NONCE_BYTES);
  const ciphertext = decodeBase64(value.ciphertext);
  const signature = bytesOf(value.signature, SIGNATURE_BYTES);
  const mac = bytesOf(value.mac, MAC_BYTES);
  if (issuedAtMs === null || expiresAtMs === null || expiresAtMs <= issuedAtMs) return null;
  if (kemCiphertext === null || nonce === null || signature === null || mac === null) return null;
  if (ciphertext === null || ciphertext.byteLength < MIN_CIPHERTEXT_BYTES) return null;
  return { fields: value, issuedAtMs, expiresAtMs, kemCiphertext, nonce, ciphertext, signature, mac };
}

function isEnvelope(value: unknown): value is HybridCryptoEnvelope {
  if (!isRecord(value) || value["version"] !== ENVELOPE_VERSION) return false;
  const names = Object.keys(FORMS);
  if (Object.keys(value).length !== names.length + 1) return false;
  return Object.entries(FORMS).every(([name, hasForm]) => {
    const field = Object.hasOwn(value, name) ? value[name] : null;
    return typeof field === "string" && hasForm(field);
  });
}

/** ISO 8601 in UTC with milliseconds: one way to write a moment, so that every language reads the same. */
function timeOf(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return null;
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString() === text ? at : null;
}

function bytesOf(text: string, length: number): Bytes | null {
  const bytes = decodeBase64(text);
  return bytes?.byteLength === length ? bytes : null;
}

/**
 * The bytes of a verification key.
 *
 * @throws TypeError for one that is none, or is for something else: it was handed in by the caller
 */
export function verificationKeyBytes(key: VerificationKey): Bytes {
  const bytes = bytesOf(key.public_key, SIGNATURE_PUBLIC_KEY_BYTES);
  const isForThis =
    (key.algorithm ?? "ML-DSA-65") === "ML-DSA-65" && (key.context ?? ENVELOPE_CONTEXT) === ENVELOPE_CONTEXT;
  if (bytes === null || !isForThis)
    throw new TypeError(
      `verificationKeys: expected an ML-DSA-65 key for ${ENVELOPE_CONTEXT}, base64 of 1,952 bytes`,
    );
  return bytes;
}
