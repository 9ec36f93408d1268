import { createHmac } from "node:crypto";
import { randomBytes, toBase64Url } from "../base/bytes.ts";

/** Random bytes of a source's secret. */
const SECRET_BYTES = 32;

/** A fresh secret for a source, of signs that need no escaping in a header, in a URL or in a shell. */
export function mintSourceSecret(random: (count: number) => Uint8Array = randomBytes): string {
  return `slsec_${toBase64Url(random(SECRET_BYTES))}`;
}

/**
 * By which a source is found: hex HMAC-SHA256. Under a key of the relay's, unlike for API keys, because a person may
 * have chosen the secret and a bare hash of it could be guessed by whoever reads the database.
 *
 * @param lookupKey 32 bytes, the same for the lifetime of the deployment
 */
export function secretMac(lookupKey: Uint8Array, secret: string): string {
  return createHmac("sha256", lookupKey).update(secret, "utf8").digest("hex");
}
