import { AES_KEY_BYTES, GCM_NONCE_BYTES, gcmOpen } from "../base/aes-gcm.ts";
import { fromBase64Url, utf8 } from "../base/bytes.ts";
import { hkdfSha256 } from "../base/hkdf.ts";
import { err, ok, type Result } from "../base/result.ts";
import { wipe } from "../base/secret.ts";
import type { RootKey } from "./root-key.ts";
import type { SealBinding, SealFault } from "./seal.ts";

/** The first format: `v1.<root key id>.<base64url nonce>.<base64url ciphertext and tag>`. Only read any more. */
export const V1 = "v1";

/**
 * Opens what was sealed before tenants had keys of their own: AES-256-GCM under a key that HKDF-SHA-256 derived from
 * the root key for one tenant. The schedule seals such texts anew; until then their root key has to stay set.
 */
export async function openV1(
  rootKeys: readonly RootKey[],
  binding: SealBinding,
  sealed: string,
): Promise<Result<string, SealFault>> {
  const [, keyId = "", nonceText = "", bodyText = "", ...more] = sealed.split(".");
  const nonce = fromBase64Url(nonceText);
  const body = fromBase64Url(bodyText);
  if (more.length > 0 || nonce?.byteLength !== GCM_NONCE_BYTES || body === null) {
    return err({ reason: "malformed" });
  }
  const root = rootKeys.find(({ id }) => id === keyId);
  if (root === undefined) return err({ reason: "unknown_key", keyId: `root:${keyId.slice(0, 32)}` });
  const { tenantId, recordId, purpose } = binding;
  const key = await hkdfSha256({
    secret: root.key.reveal(),
    salt: utf8("sluice/seal"),
    info: utf8(JSON.stringify([V1, tenantId])),
    length: AES_KEY_BYTES,
  });
  const associated = utf8(JSON.stringify([V1, root.id, tenantId, recordId, purpose]));
  const opened = await gcmOpen({ key, nonce, associated }, body);
  wipe(key);
  return opened === null ? err({ reason: "does_not_open" }) : ok(new TextDecoder().decode(opened));
}
