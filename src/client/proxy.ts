import { proxyRequestDigest } from "../model/envelope-bytes.ts";
import type { Reader } from "./encryption.ts";
import type { HybridCryptoEnvelope } from "./envelope.ts";
import type { ProxyResult } from "./proxy-result.ts";
import { isRecord } from "./receipt.ts";
import type { Transport } from "./transport.ts";

export interface ProxyCall {
  /** `int_…` */
  readonly integrationId: string;
  /** One of the integration's `allowed_operations`, like `send_event`. */
  readonly operation: string;
  /** As the provider's operation wants it; must be JSON. */
  readonly payload: unknown;
  readonly signal?: AbortSignal;
}

export interface ProxyAnswer {
  /** What the provider said: also its refusals, so look at `ok`. */
  readonly result: ProxyResult;
  /** What it came in, for those who keep proof. */
  readonly envelope: HybridCryptoEnvelope;
}

/**
 * Performs one call to a provider through the relay, and opens the answer.
 *
 * Tried again only where the relay refused for being busy (429): a call that was lost may have taken effect, and is
 * never repeated by itself.
 */
export async function callProxy(
  deps: { readonly transport: Transport; readonly reader: Reader },
  { integrationId, operation, payload, signal }: ProxyCall,
): Promise<ProxyAnswer> {
  const body = JSON.stringify({ integration_id: integrationId, operation, payload });
  // What is digested is what travels: dates are texts by now, and undefined members are gone.
  const sent = { integration_id: integrationId, operation, payload: payloadOf(body) };
  await expectCanonical(sent);
  await deps.reader.prepare();
  const path = "/api/v2/proxy/outbound";
  const envelope = await deps.transport({ method: "POST", path, body, again: "refused", signal });
  const result = await deps.reader.decrypt(envelope, { request: sent });
  return { result, envelope: envelope as HybridCryptoEnvelope }; // it could not have been opened otherwise
}

function payloadOf(body: string): unknown {
  const sent: unknown = JSON.parse(body);
  return isRecord(sent) ? sent["payload"] : undefined;
}

/** Before anything happens: an answer to a request without a canonical form could never be believed. */
async function expectCanonical(request: Parameters<typeof proxyRequestDigest>[0]): Promise<void> {
  try {
    await proxyRequestDigest(request);
  } catch {
    throw new TypeError("payload: expected JSON without half characters (lone surrogates)");
  }
}
