import { ID_PREFIX } from "../base/ids.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Destination } from "../model/destination.ts";
import type { HybridCryptoEnvelope } from "../model/envelope.ts";
import { proxyRequestDigest } from "../model/envelope-bytes.ts";
import type { Send } from "../model/http.ts";
import type { Refusal } from "../model/ingest.ts";
import { destinationIdOf, integrationIdOf, type ProxyCall } from "../model/proxy.ts";
import type { Denial } from "./authorize.ts";
import { sealEnvelope } from "./envelope.ts";
import { type PrepareDeps, type Prepared, prepare } from "./prepare.ts";
import { withoutSecrets } from "./redact.ts";
import { refusalOf } from "./refusal.ts";
import { type Performed, resultOf } from "./result.ts";

/** What is written down of a call: never its payload, never an answer. */
export interface ProxyAct {
  readonly tenantId: string;
  readonly actorId: string;
  readonly action: "proxy.invoke" | "proxy.refuse";
  readonly resourceType: "siem_destination";
  readonly resourceId: string;
  readonly outcome: "SUCCESS" | "FAILURE" | "DENIED";
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface ProxyDeps extends PrepareDeps {
  readonly random: (count: number) => Uint8Array;
  readonly send: Send;
  /** Must not reject: what it tells of has happened. */
  record(act: ProxyAct): Promise<void>;
}

/**
 * One provider call now, or a refusal with nothing sent.
 *
 * Whatever can fail comes before the call: once a provider has been asked, an answer goes back, and what it means
 * is inside the envelope. The relay never repeats a call, but for a credential that the provider has refused and
 * whose predecessor is still kept: nothing was taken then.
 */
export async function invoke(
  call: ProxyCall,
  deps: ProxyDeps,
): Promise<Result<HybridCryptoEnvelope, Refusal>> {
  const prepared = await prepare(call, deps);
  if (!prepared.ok) {
    await recordRefusal(call, prepared.error, deps);
    return err(refusalOf(prepared.error, call.operation));
  }
  const { integration, recipient, signingKey, ways } = prepared.value;
  const id = deps.newId(ID_PREFIX.envelope);
  const { answer, outcome, secrets, way } = await performFirst(ways, deps.send);
  const body = answer.kind === "response" ? withoutSecrets(answer.body, secrets) : "";
  const { operation, integrationId } = call;
  const result = resultOf({ answer, outcome }, { operation, integrationId, body: body === "" ? null : body });
  await deps.record({
    ...actOf(call, integration.id),
    action: "proxy.invoke",
    outcome: result.ok ? "SUCCESS" : "FAILURE",
    metadata: {
      ...factsOf(call, integration),
      outcome: result.outcome,
      http_status: result.http_status,
      provider_code: result.provider_code,
      maybe_taken: result.maybe_taken,
      latency_ms: result.latency_ms,
      envelope_id: id,
      ...(way > 0 ? { used_previous_credential: true } : {}),
    },
  });
  const requestDigest = await proxyRequestDigest({
    integration_id: integrationId,
    operation,
    payload: call.payload,
  });
  const issuedAt = deps.now();
  return ok(await sealEnvelope(result, { id, recipient, signingKey, requestDigest, issuedAt }, deps.random));
}

/** Goes the first way, and the next only where the provider has refused the credential, which means that nothing was taken. */
async function performFirst(
  ways: Prepared["ways"],
  send: Send,
): Promise<Performed & { readonly secrets: readonly string[]; readonly way: number }> {
  const secrets = ways.flatMap((way) => way.secrets);
  for (const [way, { performance }] of ways.entries()) {
    const answer = await send(await performance.request);
    const outcome = performance.interpret(answer);
    const isRefused =
      outcome.kind === "hold" && outcome.trouble === "credentials_rejected" && outcome.committed === 0;
    if (!isRefused || way === ways.length - 1) return { answer, outcome, secrets, way };
  }
  throw new Error("The last way always ends");
}

async function recordRefusal(call: ProxyCall, denial: Denial, deps: ProxyDeps): Promise<void> {
  const destinationId = destinationIdOf(call.integrationId) ?? call.integrationId;
  await deps.record({
    ...actOf(call, destinationId),
    action: "proxy.refuse",
    outcome: denial.reason === "vault_unavailable" ? "FAILURE" : "DENIED",
    metadata: { integration_id: call.integrationId, operation: call.operation, reason: denial.reason },
  });
}

function actOf({ tenantId, apiKeyId }: ProxyCall, destinationId: string) {
  return {
    tenantId,
    actorId: apiKeyId,
    resourceType: "siem_destination",
    resourceId: destinationId,
  } as const;
}

function factsOf({ operation }: ProxyCall, { id, provider }: Destination) {
  return { integration_id: integrationIdOf(id), provider, operation };
}
