import type { Clock } from "../base/clock.ts";
import { ID_PREFIX } from "../base/ids.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Destination } from "../model/destination.ts";
import type { Performance, Provider } from "../model/provider.ts";
import { destinationIdOf, type ProxyCall } from "../model/proxy.ts";
import type { PublicKey } from "../model/public-key.ts";
import { authorize, type Denial } from "./authorize.ts";
import type { SigningKey } from "./envelope.ts";
import { secretTexts } from "./redact.ts";

export interface PrepareDeps {
  readonly now: Clock;
  readonly newId: (prefix: string) => string;
  readonly providers: readonly Provider[];
  /** The tenant's destination; deleted ones may come too. */
  integration(tenantId: string, destinationId: string): Promise<Destination | null>;
  /** The newest public key that the API key has registered. */
  recipient(tenantId: string, apiKeyId: string): Promise<PublicKey | null>;
  signingKey(tenantId: string): Promise<Result<SigningKey, string>>;
  /**
   * The secrets to call with: the present ones, then those that they replaced, as long as they are kept.
   * The error is for the log.
   */
  openSecrets(destination: Destination): Promise<Result<readonly unknown[], string>>;
  log(level: "error", what: string, facts: Readonly<Record<string, unknown>>): void;
}

/** A request that is ready to go, and the secrets in it. */
export interface Way {
  readonly performance: Performance;
  readonly secrets: readonly string[];
}

export interface Prepared {
  readonly integration: Destination;
  readonly recipient: PublicKey;
  readonly signingKey: SigningKey;
  /** The first is the way to go; the others use secrets that were replaced. */
  readonly ways: readonly [Way, ...Way[]];
}

/** Everything that can fail before anybody is asked, in the order in which a caller hears of it. */
export async function prepare(call: ProxyCall, deps: PrepareDeps): Promise<Result<Prepared, Denial>> {
  const { tenantId, apiKeyId, operation, payload } = call;
  const destinationId = destinationIdOf(call.integrationId);
  const [integration, recipient] = await Promise.all([
    destinationId === null ? null : deps.integration(tenantId, destinationId),
    deps.recipient(tenantId, apiKeyId),
  ]);
  const provider = deps.providers.find(({ kind }) => kind === integration?.provider) ?? null;
  const allowed = authorize({ operation, integration, provider, recipient });
  if (!allowed.ok) return allowed;
  const faults = provider?.operations[operation]?.check(payload) ?? [];
  if (faults.length > 0) return err({ reason: "invalid_payload", faults });
  const [signingKey, opened] = await Promise.all([
    deps.signingKey(tenantId),
    deps.openSecrets(allowed.value.integration),
  ]);
  if (!signingKey.ok) return outage(call, signingKey.error, deps);
  if (!opened.ok) return outage(call, opened.error, deps);
  const ways = waysOf(call, { ...allowed.value, provider, secrets: opened.value }, deps);
  return ways.ok ? ok({ ...allowed.value, signingKey: signingKey.value, ways: ways.value }) : ways;
}

function outage(
  { tenantId, integrationId }: ProxyCall,
  error: string,
  deps: PrepareDeps,
): Result<never, Denial> {
  deps.log("error", "proxy.vault_unavailable", { tenant_id: tenantId, integration_id: integrationId, error });
  return err({ reason: "vault_unavailable" });
}

function waysOf(
  { operation, payload }: ProxyCall,
  to: {
    readonly integration: Destination;
    readonly provider: Provider | null;
    readonly secrets: readonly unknown[];
  },
  deps: PrepareDeps,
): Result<Prepared["ways"], Denial> {
  const { id, endpoint, config } = to.integration;
  const context = { now: deps.now(), newId: () => deps.newId(ID_PREFIX.event) };
  const ways: Way[] = [];
  for (const secrets of to.secrets) {
    const connected = to.provider?.connect({
      destinationId: id,
      endpoint: endpoint === "" ? null : endpoint,
      config,
      secrets,
    });
    if (connected?.ok !== true) return err({ reason: "settings_unusable", faults: connected?.error ?? [] });
    const performed = connected.value.perform(operation, payload, context);
    if (!performed.ok) return err({ reason: "invalid_payload", faults: performed.error });
    ways.push({ performance: performed.value, secrets: secretTexts(secrets) });
  }
  const [first, ...others] = ways;
  if (first === undefined) throw new Error("An integration has secrets, if only empty ones");
  return ok([first, ...others]);
}
