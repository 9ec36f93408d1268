import { createHmac } from "node:crypto";

/**
 * The header lines of a signed request, by Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.
 *
 * @param secret `whsec_` + base64
 * @param message.at epoch seconds
 * @param message.body as it travels: of a compressed body the compressed bytes
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11)
 */
export function signatureHeaders(
  secret: string,
  { id, at, body }: { readonly id: string; readonly at: number; readonly body: Buffer },
): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest("base64");
  return `webhook-id: ${id}\r\nwebhook-timestamp: ${at}\r\nwebhook-signature: v1,${signature}\r\n`;
}
