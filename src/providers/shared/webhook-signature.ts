import { createHmac } from "node:crypto";
import { sha256, toHex } from "../../base/bytes.ts";
import type { RelayEvent } from "../../model/event.ts";

/**
 * The plain signature, in GitHub's form: `sha256=` and the HMAC of the body alone, in hex. While a secret rotates
 * there is one for each key, separated by commas, the current one first: a receiver accepts the request when any
 * of the parts between the commas is the value that it computed.
 *
 * @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries (read 2026-11)
 */
export function plainSignature(body: Uint8Array, keys: readonly Uint8Array[]): string {
  return keys.map((key) => `sha256=${createHmac("sha256", key).update(body).digest("hex")}`).join(",");
}

/**
 * The `webhook-id` of a delivery: a function of who gets it and of the events in it, so that every retry has the
 * same and a receiver can drop what it has. The destination is in it because event ids are chosen by producers:
 * two tenants may both have an `evt_1`, and send to one receiver.
 */
export function deliveryId(destinationId: string, events: readonly RelayEvent[]): string {
  // Ids contain neither line breaks nor spaces, so no two lists come to the same text.
  const list = events.map(({ id }) => id).join("\n");
  return `msg_${toHex(sha256(`sluice/webhook-id/v1:${destinationId}\n${list}`).slice(0, 16))}`;
}
