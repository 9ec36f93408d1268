// The vault keeps secrets so that the database alone gives nothing away, and so that a sealed text
// moved to another tenant, record or purpose does not open. It knows no tables and no clock.
import { AES_KEY_BYTES, GCM_NONCE_BYTES, GCM_TAG_BYTES, gcmOpen, gcmSeal } from "../base/aes-gcm.ts";
import { fromBase64Url, randomBytes, toBase64Url, utf8 } from "../base/bytes.ts";
import { hkdfSha256 } from "../base/hkdf.ts";
import { ML_KEM_768, mlKemDecapsulate, mlKemEncapsulate } from "../base/ml-kem.ts";
import { err, ok, type Result } from "../base/result.ts";
import { wipe } from "../base/secret.ts";

/**
 * How a text is sealed. `v2`: AES-256-GCM under a fresh data key; the data key under AES-256-GCM with a key that
 * HKDF-SHA-256 makes of a secret encapsulated to the tenant's ML-KEM-768 key. Readers take `v1` too (`seal-v1.ts`),
 * and open nothing of a version that they do not know.
 */
export const SEAL_VERSION = "v2";

/** HKDF `info` of the key that a data key is wrapped under; the salt is the KEM ciphertext. */
const DATA_KEY_INFO = "sluice/vault/v2/data-key";

/** What a sealed text belongs to. All of it is authenticated; none of it is stored in the text. */
export interface SealBinding {
  readonly tenantId: string;
  /** The record that holds the text: a destination's id, a credential's, a key's. */
  readonly recordId: string;
  /** What the secret is for, like `destination-secrets` or `signing-secret`. */
  readonly purpose: string;
}

/** Why a sealed text does not open. A wrong binding and tampering cannot be told apart, and are not. */
export type SealFault =
  | { readonly reason: "malformed" }
  | { readonly reason: "unknown_version"; readonly version: string }
  | { readonly reason: "unknown_key"; readonly keyId: string }
  | { readonly reason: "does_not_open" };

/** The public half that a text is sealed to. */
export interface SealingKey {
  /** Of the tenant's key pair; travels in the text in the open. */
  readonly version: number;
  readonly publicKey: Uint8Array;
}

/**
 * Seals one secret, or several together as JSON.
 *
 * @returns `v2.<key version>.<KEM ciphertext>.<nonce>.<data key and tag>.<nonce>.<ciphertext and tag>`, each part
 *   in base64url; never the same twice
 */
export async function sealText(key: SealingKey, binding: SealBinding, plaintext: string): Promise<string> {
  const associated = associatedOf(key.version, binding);
  const { ciphertext, sharedSecret } = mlKemEncapsulate(key.publicKey);
  const wrappingKey = await wrappingKeyOf(sharedSecret, ciphertext);
  const dataKey = randomBytes(AES_KEY_BYTES);
  const bytes = utf8(plaintext);
  const [keyNonce, nonce] = [randomBytes(GCM_NONCE_BYTES), randomBytes(GCM_NONCE_BYTES)];
  const wrapped = await gcmSeal({ key: wrappingKey, nonce: keyNonce, associated }, dataKey);
  const sealed = await gcmSeal({ key: dataKey, nonce, associated }, bytes);
  wipe(sharedSecret, wrappingKey, dataKey, bytes);
  const parts = [ciphertext, keyNonce, wrapped, nonce, sealed].map(toBase64Url);
  return [SEAL_VERSION, key.version, ...parts].join(".");
}

/** A text of this version, taken apart and not yet opened. */
export interface SealedText {
  readonly keyVersion: number;
  readonly kemCiphertext: Uint8Array;
  readonly keyNonce: Uint8Array;
  readonly wrappedKey: Uint8Array;
  readonly nonce: Uint8Array;
  readonly body: Uint8Array;
}

/** The version that a text says it is of. */
export function versionOf(sealed: string): Result<string, SealFault> {
  const version = sealed.slice(0, sealed.indexOf("."));
  return /^v\d{1,4}$/.test(version) ? ok(version) : err({ reason: "malformed" });
}

/** Takes a `v2` text apart, every length checked. */
export function parseSealed(sealed: string): Result<SealedText, SealFault> {
  const [, versionText = "", ...texts] = sealed.split(".");
  const [kemCiphertext, keyNonce, wrappedKey, nonce, body, ...more] = texts.map(fromBase64Url);
  const isWhole =
    more.length === 0 &&
    /^[1-9]\d{0,8}$/.test(versionText) &&
    kemCiphertext?.byteLength === ML_KEM_768.ciphertext &&
    keyNonce?.byteLength === GCM_NONCE_BYTES &&
    wrappedKey?.byteLength === AES_KEY_BYTES + GCM_TAG_BYTES &&
    nonce?.byteLength === GCM_NONCE_BYTES;
  if (!isWhole || !body || body.byteLength < GCM_TAG_BYTES) return err({ reason: "malformed" });
  return ok({ keyVersion: Number(versionText), kemCiphertext, keyNonce, wrappedKey, nonce, body });
}

/** Opens what `sealText` made for the same binding to the pair of this private half. Never throws. */
export async function openText(
  secretKey: Uint8Array,
  binding: SealBinding,
  sealed: SealedText,
): Promise<Result<string, SealFault>> {
  const associated = associatedOf(sealed.keyVersion, binding);
  // A wrong key gives a wrong secret and no complaint; AES-GCM is what tells.
  const sharedSecret = mlKemDecapsulate(secretKey, sealed.kemCiphertext);
  if (sharedSecret === null) return err({ reason: "does_not_open" });
  const wrappingKey = await wrappingKeyOf(sharedSecret, sealed.kemCiphertext);
  const dataKey = await gcmOpen({ key: wrappingKey, nonce: sealed.keyNonce, associated }, sealed.wrappedKey);
  wipe(sharedSecret, wrappingKey);
  if (dataKey === null) return err({ reason: "does_not_open" });
  const bytes = await gcmOpen({ key: dataKey, nonce: sealed.nonce, associated }, sealed.body);
  wipe(dataKey);
  if (bytes === null) return err({ reason: "does_not_open" });
  const plaintext = new TextDecoder().decode(bytes);
  wipe(bytes);
  return ok(plaintext);
}

function wrappingKeyOf(sharedSecret: Uint8Array, kemCiphertext: Uint8Array) {
  return hkdfSha256({
    secret: sharedSecret,
    salt: kemCiphertext,
    info: utf8(DATA_KEY_INFO),
    length: AES_KEY_BYTES,
  });
}

/** A JSON array, because joined strings could be cut elsewhere and mean another binding. */
function associatedOf(keyVersion: number, { tenantId, recordId, purpose }: SealBinding): Uint8Array {
  return utf8(JSON.stringify([SEAL_VERSION, tenantId, keyVersion, recordId, purpose]));
}
