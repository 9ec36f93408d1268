import { createHmac } from "node:crypto";
import { fromBase64, utf8 } from "../../base/bytes.ts";
import type { EpochMs } from "../../base/clock.ts";

/** What every request of the Standard Webhooks carries. */
export interface StandardHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

/** Below this a secret could be guessed from one signed request. */
export const MIN_KEY_BYTES = 8;

/**
 * The bytes that a secret signs with: what `whsec_` + base64 decodes to, and of any other text its UTF-8 bytes.
 *
 * @returns null for a `whsec_` that is no base64, and for too few bytes
 */
export function signingKey(secret: string): Uint8Array | null {
  const key = secret.startsWith("whsec_") ? fromBase64(secret.slice("whsec_".length)) : utf8(secret);
  return key === null || key.byteLength < MIN_KEY_BYTES ? null : key;
}

/**
 * One signature for each key, separated by spaces, over `id.timestamp.body`: a receiver that knows one of the keys
 * finds its own among them.
 *
 * @param id without a dot
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11)
 */
export function standardHeaders(
  message: { readonly id: string; readonly at: EpochMs; readonly body: Uint8Array },
  keys: readonly Uint8Array[],
): StandardHeaders {
  const timestamp = String(Math.floor(message.at / 1_000));
  const prefix = `${message.id}.${timestamp}.`;
  const signatures = keys.map((key) => {
    return `v1,${createHmac("sha256", key).update(prefix, "utf8").update(message.body).digest("base64")}`;
  });
  return {
    "webhook-id": message.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}
