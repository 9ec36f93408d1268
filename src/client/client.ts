import { type Batcher, type BatcherOptions, createBatcher } from "./batcher.ts";
import { createReader, type Decrypt } from "./encryption.ts";
import type { AuditEvent } from "./event.ts";
import {
  type BatchReceipt,
  createPost,
  type SendBatchOptions,
  type SendOptions,
  type SendReceipt,
  sendInParcels,
  writeEvent,
} from "./events.ts";
import { type EncryptionKeyPair, generateKeyPair } from "./key-pair.ts";
import { type RegisteredKey, registerKey } from "./keys.ts";
import { type ClientOptions, readOptions } from "./options.ts";
import { callProxy, type ProxyAnswer, type ProxyCall } from "./proxy.ts";
import { createTransport } from "./transport.ts";

/*
 * The client library: for producers of events, callers of the proxy and receivers of webhooks. It runs in Node,
 * browsers and Workers, imports nothing of theirs, and is packed by itself. It knows the API from outside only.
 */

export interface Client {
  /**
   * Sends one event. Resolves when the relay has it durably; tried again by itself as long as that may help.
   *
   * @throws SluiceError
   */
  send(event: AuditEvent, options?: SendOptions): Promise<SendReceipt>;
  /**
   * Sends many, in as many requests as they need.
   *
   * @throws SluiceError
   */
  sendBatch(events: readonly AuditEvent[], options?: SendBatchOptions): Promise<BatchReceipt>;
  /** Collects events of a running program and sends them in few requests. */
  batcher(options: BatcherOptions): Batcher;
  readonly proxy: {
    /**
     * One call to a provider, by the relay and with a credential that you never see.
     *
     * @throws SluiceError where the relay refuses, like `operation_not_allowed`
     * @throws EnvelopeError where the answer is not to be believed; the call may have taken effect
     */
    call(call: ProxyCall): Promise<ProxyAnswer>;
  };
  readonly keys: {
    /**
     * From now on answers to this API key are encrypted to that public key. Nothing else registers one.
     *
     * @throws SluiceError
     */
    register(publicKey: string): Promise<RegisteredKey>;
  };
  readonly encryption: {
    generateKeyPair(): EncryptionKeyPair;
    /**
     * Opens an envelope, with the client's keys unless others are given.
     *
     * @throws EnvelopeError when it is not to be believed
     */
    readonly decrypt: Decrypt;
  };
}

/** @throws TypeError for options that can never work */
export function createClient(options: ClientOptions): Client {
  const settings = readOptions(options);
  const transport = createTransport(settings);
  const post = createPost(transport);
  const reader = createReader(settings, transport);
  const keyOf = (options: SendOptions): string => options.idempotencyKey ?? settings.newIdempotencyKey();

  return {
    async send(event, options = {}) {
      const parcel = {
        texts: [writeEvent(event)],
        idempotencyKey: keyOf(options),
        onInvalid: "refuse",
      } as const;
      const { ids, batchId } = await post({ ...parcel, signal: options.signal });
      return { id: ids[0] ?? "", batchId };
    },
    async sendBatch(events, options = {}) {
      return await sendInParcels(post, events, { ...options, idempotencyKey: keyOf(options) });
    },
    batcher: (limits) => createBatcher({ ...settings, post }, limits),
    proxy: { call: (call) => callProxy({ transport, reader }, call) },
    keys: { register: (publicKey) => registerKey(transport, publicKey) },
    encryption: { generateKeyPair, decrypt: reader.decrypt },
  };
}
