// The vault keeps secrets so that the database alone gives nothing away, and so that a sealed text
// moved to another tenant, record or purpose does not open. It knows no storage and no clock.
import { fromBase64Url, randomBytes, toBase64Url, utf8 } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { gcmOpen, gcmSeal, hkdfSha256, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from "./aead.ts";
import type { RootKey } from "./root-key.ts";

/**
 * How a text was sealed. `v1`: AES-256-GCM under a key that HKDF-SHA256 derives from the root key for
 * one tenant. A reader that meets a version it does not know says so and opens nothing.
 */
export const SEAL_VERSION = "v1";

/** What a sealed text belongs to. All of it is authenticated; none of it is stored in the text. */
export interface SealBinding {
  readonly tenantId: string;
  /** The record that holds the text: a destination's id, a key's id. */
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

/**
 * Seals one secret, or several together as JSON.
 *
 * @returns `v1.<key id>.<base64url nonce>.<base64url ciphertext and tag>`, never the same twice
 */
export function sealSecrets(rootKey: RootKey, binding: SealBinding, plaintext: string): string {
  // A random 96-bit nonce is safe for 2^32 texts under one key; each tenant has a key of its own.
  const nonce = randomBytes(NONCE_BYTES);
  const sealed = gcmSeal(gcmInput(rootKey, binding, nonce), utf8(plaintext));
  return `${SEAL_VERSION}.${rootKey.id}.${toBase64Url(nonce)}.${toBase64Url(sealed)}`;
}

/** Opens what `sealSecrets` made for the same binding under the same root key. Never throws. */
export function openSecrets(
  rootKey: RootKey,
  binding: SealBinding,
  sealed: string,
): Result<string, SealFault> {
  const [version = "", keyId = "", nonceText = "", bodyText = "", ...more] = sealed.split(".");
  if (!/^v\d{1,4}$/.test(version)) return err({ reason: "malformed" });
  if (version !== SEAL_VERSION) return err({ reason: "unknown_version", version });
  const nonce = fromBase64Url(nonceText);
  const body = fromBase64Url(bodyText);
  if (more.length > 0 || nonce?.byteLength !== NONCE_BYTES || body === null || body.byteLength < TAG_BYTES) {
    return err({ reason: "malformed" });
  }
  if (keyId !== rootKey.id) return err({ reason: "unknown_key", keyId: keyId.slice(0, 32) });
  const opened = gcmOpen(gcmInput(rootKey, binding, nonce), body);
  return opened === null ? err({ reason: "does_not_open" }) : ok(new TextDecoder().decode(opened));
}

function gcmInput(rootKey: RootKey, binding: SealBinding, nonce: Uint8Array) {
  const key = hkdfSha256({
    secret: rootKey.key.reveal(),
    salt: utf8("sluice/seal"),
    info: utf8(JSON.stringify([SEAL_VERSION, binding.tenantId])),
    length: KEY_BYTES,
  });
  // A JSON array, because joined strings could be cut elsewhere and mean another binding.
  const { tenantId, recordId, purpose } = binding;
  const associated = utf8(JSON.stringify([SEAL_VERSION, rootKey.id, tenantId, recordId, purpose]));
  return { key, nonce, associated };
}
