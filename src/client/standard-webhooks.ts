import type { EpochMs } from "../base/clock.ts";
import { decodeBase64, encodeBase64, encodeUtf8 } from "../base/encoding.ts";

/*
 * Standard Webhooks: HMAC-SHA-256 over `id.timestamp.body`. Requests to the relay are signed with it, and so are the
 * relay's own webhooks.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11)
 */

type Bytes = Uint8Array<ArrayBuffer>;
const HMAC_SHA_256 = { name: "HMAC", hash: "SHA-256" } as const;
const PREFIX = "whsec_";

/**
 * The bytes that a secret signs with: what `whsec_` + base64 decodes to, and of any other text its UTF-8 bytes.
 *
 * @throws TypeError for a `whsec_` that is no base64, and for nothing at all
 */
export function signingKeyBytes(secret: string): Bytes {
  const key = secret.startsWith(PREFIX) ? decodeBase64(secret.slice(PREFIX.length)) : encodeUtf8(secret);
  if (key === null || key.byteLength === 0)
    throw new TypeError("The signing secret is neither whsec_ and base64 nor a text");
  return key;
}

/** What is signed: the body's own bytes after id and time. */
export function signedContent(id: string, timestamp: string, body: Uint8Array): Bytes {
  const prefix = encodeUtf8(`${id}.${timestamp}.`);
  const content = new Uint8Array(prefix.byteLength + body.byteLength);
  content.set(prefix);
  content.set(body, prefix.byteLength);
  return content;
}

/**
 * The three headers of a signed request.
 *
 * @param id names the message: a repeat of it is a retry and never a second message
 */
export async function signRequest(
  secret: string,
  message: { readonly id: string; readonly at: EpochMs; readonly body: string },
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(message.at / 1_000));
  const key = await importKey(signingKeyBytes(secret), "sign");
  const content = signedContent(message.id, timestamp, encodeUtf8(message.body));
  const mac = new Uint8Array(await crypto.subtle.sign(HMAC_SHA_256, key, content));
  return {
    "webhook-id": message.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${encodeBase64(mac)}`,
  };
}

/** Whether the MAC is the content's, compared by the platform in constant time. */
export async function isMacOf(secret: string, content: Uint8Array, mac: Uint8Array): Promise<boolean> {
  const key = await importKey(signingKeyBytes(secret), "verify");
  return await crypto.subtle.verify(HMAC_SHA_256, key, Uint8Array.from(mac), Uint8Array.from(content));
}

function importKey(bytes: Bytes, usage: "sign" | "verify") {
  return crypto.subtle.importKey("raw", bytes, HMAC_SHA_256, false, [usage]);
}
