/** Joins the outbound proxy to its table, to the vault and to the way out. */
import { waitUntil } from "cloudflare:workers";
import type { ApiDeps } from "./api/context.ts";
import { randomBytes } from "./base/bytes.ts";
import { newId } from "./base/ids.ts";
import { err, ok, type Result } from "./base/result.ts";
import type { Destination } from "./model/destination.ts";
import type { VerificationKey } from "./model/public-key.ts";
import type { SigningKey } from "./proxy/envelope.ts";
import { invoke, type ProxyDeps } from "./proxy/execute.ts";
import { createPublicKeyStore } from "./store/public-keys.ts";

/** A tenant's ML-DSA-65 keys. Both reject while the vault cannot be opened. */
export interface SigningKeys {
  /** The one that signs now, made at first need. */
  current(tenantId: string): Promise<SigningKey>;
  /** Public halves, newest first; never empty. */
  list(tenantId: string): Promise<readonly VerificationKey[]>;
}

export interface ProxyWiring extends Pick<ApiDeps, "now" | "providers" | "destinations" | "record" | "log"> {
  readonly send: ProxyDeps["send"];
  readonly signingKeys: SigningKeys;
  openSecrets(destination: Destination): Promise<Result<readonly unknown[], string>>;
}

export function proxyApi(
  env: Env,
  wiring: ProxyWiring,
): Pick<ApiDeps, "publicKeys" | "verificationKeys" | "proxy"> {
  const { now, providers, destinations, signingKeys } = wiring;
  const publicKeys = createPublicKeyStore(env.DB);
  const deps: ProxyDeps = {
    now,
    random: randomBytes,
    newId: (prefix) => newId(prefix, now()),
    providers,
    integration: (tenantId, id) => destinations.get(tenantId, id),
    recipient: (tenantId, apiKeyId) => publicKeys.newest(tenantId, apiKeyId),
    signingKey: (tenantId) => attempt(() => signingKeys.current(tenantId)),
    openSecrets: (destination) => wiring.openSecrets(destination),
    send: wiring.send,
    record: (act) => wiring.record(act),
    log: wiring.log,
  };
  return {
    publicKeys,
    verificationKeys: (tenantId) => attempt(() => signingKeys.list(tenantId)),
    proxy(call) {
      const answer = invoke(call, deps);
      // A caller who hangs up must not be able to keep the call out of the audit trail.
      waitUntil(answer.catch(() => undefined));
      return answer;
    },
  };
}

async function attempt<T>(ask: () => Promise<T>): Promise<Result<T, string>> {
  try {
    return ok(await ask());
  } catch (error) {
    return err(error instanceof Error ? error.message : "The vault cannot be opened");
  }
}
