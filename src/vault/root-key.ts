import { fromBase64, sha256Hex, utf8 } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { Secret } from "../base/secret.ts";
import { hkdfSha256, KEY_BYTES } from "./aead.ts";

/** The operator's root key: everything sealed in one deployment opens with it and with nothing else. */
export interface RootKey {
  /** 8 hex characters that name the key without telling anything of it; part of every sealed text. */
  readonly id: string;
  readonly key: Secret<Uint8Array<ArrayBuffer>>;
}

export type RootKeyFault =
  | { readonly reason: "missing" }
  | { readonly reason: "not_base64" }
  | { readonly reason: "wrong_length"; readonly bytes: number };

/** Reads the root key from its setting: standard base64 of exactly 32 bytes. */
export function parseRootKey(text: string | null | undefined): Result<RootKey, RootKeyFault> {
  const given = text?.trim() ?? "";
  if (given === "") return err({ reason: "missing" });
  const bytes = fromBase64(given);
  if (bytes === null) return err({ reason: "not_base64" });
  if (bytes.byteLength !== KEY_BYTES) return err({ reason: "wrong_length", bytes: bytes.byteLength });
  const name = hkdfSha256({ secret: bytes, salt: utf8(""), info: utf8("sluice/root-key-id/v1"), length: 16 });
  return ok({ id: sha256Hex(name).slice(0, 8), key: new Secret(bytes) });
}

/**
 * A key of its own for another purpose than sealing, such as tagging batch ids, so that one
 * setting is enough. Two purposes never share a key, and none of them tells anything of the root key.
 *
 * @param purpose like `batch-tag/v1`; what was derived for a purpose stays the same while the root key does
 * @returns 32 bytes
 */
export function deriveKey(root: RootKey, purpose: string): Uint8Array<ArrayBuffer> {
  return hkdfSha256({
    secret: root.key.reveal(),
    salt: utf8("sluice/derived"),
    info: utf8(purpose),
    length: KEY_BYTES,
  });
}
