import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";

/** The header in which any source takes its secret. */
export const SECRET_HEADER = "x-sluice-secret";
/** The header of the relay's own signature form. */
export const SIGNATURE_HEADER = "x-sluice-signature";

const HEADER_NAME = /^[A-Za-z0-9][A-Za-z0-9!#$%&'*+.^_`|~-]{0,99}$/;
/** Names that mean something else on the way here, so that a secret in them would be read, cached or overwritten. */
const TAKEN_NAMES =
  /^(?:host|connection|content-.*|transfer-encoding|accept(?:-.*)?|user-agent|cookie|cf-.*|x-forwarded-.*|x-real-ip|x-api-key|authorization)$/i;

const HeaderName = z
  .string({ error: "Expected the name of a header" })
  .regex(HEADER_NAME, "Expected the name of a header, like X-StackFlow-Secret")
  .refine((name) => !TAKEN_NAMES.test(name), "Expected a header that has no meaning of its own");

/**
 * A signature as Splunk apps make it. With a `timestamp_header` the text of that header is appended to the body
 * before signing, as Better Webhooks does, and must be near the relay's clock.
 *
 * @see https://github.com/HurricaneLabs/BetterWebhooks `bin/hmac_helper.py` (read 2026-11)
 */
export const HmacSettings = z
  .strictObject({
    header: HeaderName.meta({ example: "X-HMAC" }),
    encoding: z.enum(["hex", "base64"], { error: "Expected hex or base64" }).default("hex"),
    hash: z.enum(["sha256", "sha512"], { error: "Expected sha256 or sha512" }).default("sha256"),
    timestamp_header: HeaderName.optional().meta({
      description: "Epoch seconds, appended to the body before signing",
    }),
    prefix: z
      .string()
      .max(50)
      .optional()
      .meta({ description: "Before the digest in the header", example: "sha256=" }),
  })
  .meta({ id: "HmacSettings" });
export type HmacSettings = z.infer<typeof HmacSettings>;

/** Settings of a source of kind `splunk_alert`, as they are stored. */
export const AlertSettings = z.strictObject({
  secret_header: HeaderName.optional().meta({
    description: "A header in which the secret is taken, beside `X-Sluice-Secret` and `Authorization`",
    example: "X-StackFlow-Secret",
  }),
  hmac: z
    .union([z.boolean(), HmacSettings], { error: "Expected true, false or an object with a header" })
    .default(false)
    .meta({
      description:
        "Demands a signature instead of the secret: `true` for `X-Sluice-Signature: t=<unix>,v1=<hex HMAC-SHA256 of t.body>`",
    }),
  allow_path_secret: z
    .boolean({ error: "Expected true or false" })
    .default(false)
    .meta({ description: "Takes a secret at the end of the path, for senders that can set no header" }),
});
export type AlertSettings = z.infer<typeof AlertSettings>;

const secret = z.string().min(1);

/** What is sealed with a source. A replaced secret is believed until its time. */
export const SourceSecrets = z.strictObject({
  secret: secret.optional(),
  previous_secret: secret.optional(),
  previous_secret_expires_at: z.number().optional(),
  path_secret: secret.optional(),
  previous_path_secret: secret.optional(),
  previous_path_secret_expires_at: z.number().optional(),
  token: secret.optional(),
  username: secret.optional(),
  password: secret.optional(),
});
/** Times in epoch milliseconds. */
export type SourceSecrets = z.infer<typeof SourceSecrets>;

/** The secrets that prove a sender at this moment, the present one first. */
export function validSecrets(held: SourceSecrets, now: EpochMs): readonly string[] {
  return valid(held.secret, held.previous_secret, (held.previous_secret_expires_at ?? 0) > now);
}

/** The same for the end of the path. */
export function validPathSecrets(held: SourceSecrets, now: EpochMs): readonly string[] {
  return valid(
    held.path_secret,
    held.previous_path_secret,
    (held.previous_path_secret_expires_at ?? 0) > now,
  );
}

function valid(present: string | undefined, previous: string | undefined, isOverlap: boolean) {
  return [present, isOverlap ? previous : undefined].filter((each) => each !== undefined);
}
