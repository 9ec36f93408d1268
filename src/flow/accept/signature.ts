import { createHmac } from "node:crypto";
import { constantTimeEqual, fromBase64 } from "../../base/bytes.ts";
import { type DurationMs, type EpochMs, minutes, seconds } from "../../base/clock.ts";
import type { ErrorCode } from "../../base/errors.ts";
import { err, ok, type Result, unreachable } from "../../base/result.ts";
import type { Secret } from "../../base/secret.ts";

/** How far the sender's clock may be off, either way and inclusive; what the Standard Webhooks libraries allow. */
export const SIGNATURE_TOLERANCE: DurationMs = minutes(5);
/** Longest `webhook-id` in characters; it becomes the idempotency key and shares its bound. */
export const MAX_WEBHOOK_ID_CHARACTERS = 255;

export type SignatureFailure =
  | { readonly reason: "header_missing"; readonly header: string }
  | { readonly reason: "malformed"; readonly header: string }
  | { readonly reason: "no_signature_matches"; readonly tried: number }
  | { readonly reason: "outside_tolerance"; readonly skew: DurationMs; readonly limit: DurationMs };

export interface SignedRequest {
  readonly headers: Headers;
  /** The bytes on the wire: for a gzip body the compressed ones, because those are what the sender signed. */
  readonly body: Uint8Array;
  /** `whsec_` + base64; more than one while a secret is being changed. */
  readonly secrets: readonly Secret<string>[];
  readonly now: EpochMs;
}

/**
 * Verifies a Standard Webhooks signature: HMAC-SHA256 over `id.timestamp.body`.
 *
 * Only `v1` signatures are looked at, and any one of several is enough. The signature is checked before the
 * time, so that "too old" is said only to somebody who holds the secret.
 *
 * @returns the `webhook-id`, which names the message: a repeat of it is a retry and never a second message
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11)
 */
export function verifySignature(request: SignedRequest): Result<{ readonly id: string }, SignatureFailure> {
  const [id, timestamp, signatures] = NAMES.map((name) => request.headers.get(name));
  if (!id) return err({ reason: "header_missing", header: "webhook-id" });
  if (!timestamp) return err({ reason: "header_missing", header: "webhook-timestamp" });
  if (!signatures) return err({ reason: "header_missing", header: "webhook-signature" });
  if (id.length > MAX_WEBHOOK_ID_CHARACTERS) return err({ reason: "malformed", header: "webhook-id" });
  if (!/^\d{1,12}$/.test(timestamp)) return err({ reason: "malformed", header: "webhook-timestamp" });

  const given = signatures.split(" ").filter((signature) => signature.startsWith("v1,"));
  if (given.length === 0) return err({ reason: "malformed", header: "webhook-signature" });
  const expected = request.secrets.flatMap((secret) => sign(secret, `${id}.${timestamp}.`, request.body));
  // Every pair is compared, also after a match: time must not tell which secret it was.
  let matches = 0;
  for (const signature of given) {
    for (const one of expected) matches += constantTimeEqual(signature, one) ? 1 : 0;
  }
  if (matches === 0) return err({ reason: "no_signature_matches", tried: given.length });

  // In whole seconds, as the sender counts: 5 minutes and a fraction is still 5 minutes.
  const skew = seconds(Math.floor(request.now / 1_000) - Number(timestamp));
  if (Math.abs(skew) > SIGNATURE_TOLERANCE) {
    return err({ reason: "outside_tolerance", skew, limit: SIGNATURE_TOLERANCE });
  }
  return ok({ id });
}

/** Ways of being wrong look alike from outside; being late is said, because the sender can set a clock. */
export function publicCode(failure: SignatureFailure): ErrorCode {
  switch (failure.reason) {
    case "header_missing":
    case "malformed":
    case "no_signature_matches":
      return "bad_signature";
    case "outside_tolerance":
      return "stale_signature";
    default:
      return unreachable(failure);
  }
}

const NAMES = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;

/** @returns the signature in its written form, or nothing when the secret is none: then nothing can match */
function sign(secret: Secret<string>, prefix: string, body: Uint8Array): readonly string[] {
  const key = fromBase64(secret.reveal().replace(/^whsec_/, ""));
  if (key === null || key.byteLength === 0) return [];
  return [`v1,${createHmac("sha256", key).update(prefix, "utf8").update(body).digest("base64")}`];
}
