import { hkdfSync } from "node:crypto";
import { AES_KEY_BYTES, GCM_NONCE_BYTES, gcmOpen, gcmSeal } from "../base/aes-gcm.ts";
import { fromBase64, fromBase64Url, randomBytes, sha256Hex, toBase64Url, utf8 } from "../base/bytes.ts";
import { hkdfSha256 } from "../base/hkdf.ts";
import { err, ok, type Result } from "../base/result.ts";
import { Secret, wipe } from "../base/secret.ts";
import type { WrapContext, WrapKey } from "./wrap-key.ts";

/** A root key of the operator's: what one deployment has sealed opens with it or with a KMS key, and with nothing else. */
export interface RootKey {
  /** 8 hex characters that name the key without telling anything of it; part of everything that it wrapped. */
  readonly id: string;
  readonly key: Secret<Uint8Array<ArrayBuffer>>;
}

export type RootKeyFault =
  | { readonly reason: "missing" }
  | { readonly reason: "not_base64" }
  | { readonly reason: "wrong_length"; readonly bytes: number };

/** Reads a root key from its setting: standard base64 of exactly 32 bytes. */
export function parseRootKey(text: string | null | undefined): Result<RootKey, RootKeyFault> {
  const given = text?.trim() ?? "";
  if (given === "") return err({ reason: "missing" });
  const bytes = fromBase64(given);
  if (bytes === null) return err({ reason: "not_base64" });
  if (bytes.byteLength !== AES_KEY_BYTES) return err({ reason: "wrong_length", bytes: bytes.byteLength });
  // The one derivation that cannot wait: settings are read before anything asynchronous may happen.
  const name = new Uint8Array(hkdfSync("sha256", bytes, utf8(""), utf8("sluice/root-key-id/v1"), 16));
  return ok({ id: sha256Hex(name).slice(0, 8), key: new Secret(bytes) });
}

/** Reads several, separated by commas; none for an empty setting. */
export function parseRootKeys(text: string): Result<readonly RootKey[], RootKeyFault> {
  const keys: RootKey[] = [];
  for (const each of text.split(",").filter((part) => part.trim() !== "")) {
    const parsed = parseRootKey(each);
    if (!parsed.ok) return parsed;
    keys.push(parsed.value);
  }
  return ok(keys);
}

/** What `rootWrapKey` writes: `w1.<base64url nonce>.<base64url ciphertext and tag>`. */
const WRAP_VERSION = "w1";

/** Wraps with AES-256-GCM under a key that is derived from the root key for this and nothing else. */
export function rootWrapKey(root: RootKey): WrapKey {
  const id = `root:${root.id}`;
  const associated = (context: WrapContext): Uint8Array => {
    const sorted = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return utf8(JSON.stringify([WRAP_VERSION, id, sorted]));
  };
  return {
    id,
    async wrap(secret, context) {
      // A random 96-bit nonce is safe for 2^32 wraps under one key; there are two a tenant.
      const nonce = randomBytes(GCM_NONCE_BYTES);
      const key = await wrapKeyOf(root);
      const sealed = await gcmSeal({ key, nonce, associated: associated(context) }, secret);
      wipe(key);
      return ok(`${WRAP_VERSION}.${toBase64Url(nonce)}.${toBase64Url(sealed)}`);
    },
    async unwrap(wrapped, context) {
      const [version, nonceText = "", bodyText = "", ...more] = wrapped.split(".");
      const [nonce, body] = [fromBase64Url(nonceText), fromBase64Url(bodyText)];
      const isOurs = version === WRAP_VERSION && more.length === 0 && nonce !== null && body !== null;
      if (!isOurs) return err({ reason: "does_not_open" });
      const key = await wrapKeyOf(root);
      const opened = await gcmOpen({ key, nonce, associated: associated(context) }, body);
      wipe(key);
      return opened === null ? err({ reason: "does_not_open" }) : ok(opened);
    },
  };
}

function wrapKeyOf(root: RootKey): Promise<Uint8Array<ArrayBuffer>> {
  return hkdfSha256({
    secret: root.key.reveal(),
    salt: utf8("sluice/wrap"),
    info: utf8(WRAP_VERSION),
    length: AES_KEY_BYTES,
  });
}
