/**
 * What a receiver has to know to verify a delivery, written from the documents alone and from nothing of the relay:
 * GitHub's form of a plain signature, and the Standard Webhooks.
 *
 * @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { header } from "./receiver.ts";

/** How far `webhook-timestamp` may be off, either way. */
const TOLERANCE_SECONDS = 300;

/** A rule that was broken, and how. */
export interface Broken {
  readonly rule: "plain_signature" | "standard_signature" | "webhook_id" | "webhook_timestamp";
  readonly detail: string;
}

export interface Signed {
  readonly headers: IncomingHttpHeaders;
  /** As it travelled. */
  readonly body: Buffer;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** `whsec_` stands before the base64 of the key; any other secret is the key as it is written. */
function keyOf(secret: string): Buffer {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret, "utf8");
}

/** The header alone against the body alone: `sha256=<hex>`, or several of them between commas. */
export function verifyPlain(signed: Signed, name: string, secrets: readonly string[]): readonly Broken[] {
  const given = header(signed.headers, name.toLowerCase());
  if (given === null) return [{ rule: "plain_signature", detail: `${name} is missing` }];
  const parts = given.split(",").map((part) => part.trim());
  const isOurs = secrets.some((secret) => {
    const expected = `sha256=${createHmac("sha256", keyOf(secret)).update(signed.body).digest("hex")}`;
    return parts.some((part) => isSame(part, expected));
  });
  return isOurs
    ? []
    : [
        {
          rule: "plain_signature",
          detail: `none of ${parts.length} in ${name} is made with an accepted secret`,
        },
      ];
}

/** The three headers of the Standard Webhooks, over `id.timestamp.body`. */
export function verifyStandard(signed: Signed, secrets: readonly string[]): readonly Broken[] {
  const { headers, body, now } = signed;
  const id = header(headers, "webhook-id") ?? "";
  const timestamp = header(headers, "webhook-timestamp") ?? "";
  const signatures = (header(headers, "webhook-signature") ?? "").split(" ");
  const broken: Broken[] = [];
  if (!/^[!-~]{1,255}$/.test(id) || id.includes("."))
    broken.push({ rule: "webhook_id", detail: `webhook-id is "${id}"` });
  if (
    !/^\d{1,12}$/.test(timestamp) ||
    Math.abs(Math.floor(now / 1000) - Number(timestamp)) > TOLERANCE_SECONDS
  )
    broken.push({ rule: "webhook_timestamp", detail: `webhook-timestamp is "${timestamp}", now ${now} ms` });
  const isOurs = secrets.some((secret) => {
    const hmac = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.`).update(body);
    const expected = `v1,${hmac.digest("base64")}`;
    return signatures.some((signature) => isSame(signature, expected));
  });
  if (!isOurs)
    broken.push({
      rule: "standard_signature",
      detail: `none of ${signatures.length} in webhook-signature is made with an accepted secret`,
    });
  return broken;
}

function isSame(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
