import { z } from "zod";
import { ENVELOPE_SUITE, ENVELOPE_VERSION } from "./envelope-format.ts";

export {
  ENVELOPE_CONTEXT,
  ENVELOPE_ENCRYPTION_INFO,
  ENVELOPE_ENCRYPTION_KEY_BYTES,
  ENVELOPE_LIFETIME_SECONDS,
  ENVELOPE_MAC_INFO,
  ENVELOPE_MAC_KEY_BYTES,
  ENVELOPE_NONCE_BYTES,
  ENVELOPE_SUITE,
  ENVELOPE_VERSION,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  MAC_BYTES,
  SIGNATURE_BYTES,
  SIGNATURE_PUBLIC_KEY_BYTES,
} from "./envelope-format.ts";

/*
 * The envelope in which the proxy answers: encrypted to the caller's registered key, signed twice by the relay.
 * Shared by the proxy, which seals it, and the client library, which opens it. `docs/envelope.md` describes it
 * precisely enough to be implemented in another language.
 */

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, "Expected standard base64");

/** Strict: a field that nobody signed has no place in it. */
export const HybridCryptoEnvelope = z
  .strictObject({
    version: z.literal(ENVELOPE_VERSION),
    suite: z.literal(ENVELOPE_SUITE),
    /** `env_…`, the same id as in the audit trail. */
    id: z.string().min(1).max(128),
    /** The registered key that it is encrypted to. */
    recipient_key_id: z.string().min(1).max(128),
    /** The tenant's verification key, as `GET /api/v2/keys` publishes it. */
    signing_key_id: z.string().min(1).max(128),
    issued_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    /** `sha256:` + hex of the RFC 8785 form of the request that it answers: `{integration_id, operation, payload}`. */
    request_digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    kem_ciphertext: base64,
    nonce: base64,
    /** AES-256-GCM ciphertext followed by the 16-byte tag; its associated data is the header (see docs/envelope.md). */
    ciphertext: base64,
    /** ML-DSA-65 over the RFC 8785 form of everything above, with the context string. */
    signature: base64,
    /** HMAC-SHA-512 over the same bytes. */
    mac: base64,
  })
  .meta({ id: "HybridCryptoEnvelope" });
export type HybridCryptoEnvelope = z.infer<typeof HybridCryptoEnvelope>;

/** What is inside: the provider's answer to one call. */
export const ProxyResult = z
  .object({
    /** The provider took it. */
    ok: z.boolean(),
    operation: z.string(),
    integration_id: z.string(),
    /** Null where no answer came. */
    http_status: z.int().nullable(),
    provider_code: z.union([z.string(), z.number()]).nullable(),
    /** What the answer means, in a sentence. */
    message: z.string(),
    /** `delivered`, or why not: `credentials_rejected`, `throttled`, `timeout`, … */
    outcome: z.string(),
    /** True where the call, or a part of it, may have taken effect although it is not `ok`: the same again may do it twice. */
    maybe_taken: z.boolean(),
    latency_ms: z.number(),
    /** The provider's own words, at most 64 KiB, or null. */
    body: z.string().nullable(),
  })
  .meta({ id: "ProxyResult" });
export type ProxyResult = z.infer<typeof ProxyResult>;
