/*
 * What the npm package exports. `webhooks` and `encryption` need no client: a receiver has no API key.
 */
import { decryptEnvelope } from "./decrypt.ts";
import { generateKeyPair } from "./key-pair.ts";
import { verifyWebhook } from "./webhooks.ts";

export type { Batcher, BatcherOptions } from "./batcher.ts";
export { type Client, createClient } from "./client.ts";
export type { DecryptOptions } from "./decrypt.ts";
export type { HybridCryptoEnvelope, VerificationKey } from "./envelope.ts";
export {
  type ClientFault,
  EnvelopeError,
  type EnvelopeFault,
  SluiceError,
  WebhookError,
  type WebhookFault,
} from "./errors.ts";
export type { AuditEvent } from "./event.ts";
export type { BatchReceipt, SendBatchOptions, SendOptions, SendReceipt } from "./events.ts";
export type { EncryptionKeyPair } from "./key-pair.ts";
export type { RegisteredKey } from "./keys.ts";
export type { ClientOptions, EncryptionOptions, Fetch, RetryOptions } from "./options.ts";
export type { ProxyAnswer, ProxyCall } from "./proxy.ts";
export type { ProxyResult } from "./proxy-result.ts";
export type { ReceivedHeaders, VerifiedWebhook, WebhookOptions } from "./webhooks.ts";

export const webhooks = { verify: verifyWebhook };
export const encryption = { generateKeyPair, decrypt: decryptEnvelope };
