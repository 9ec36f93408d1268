import type { Fault } from "../base/errors.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Destination } from "../model/destination.ts";
import type { Provider } from "../model/provider.ts";
import type { PublicKey } from "../model/public-key.ts";

/*
 * The outbound proxy: one provider call for a caller who never sees the credential. This folder promises that
 * nothing is done that the integration does not name, that no credential is opened and no address called for a
 * call that is refused, and that whatever a provider answers comes back in an envelope for the caller alone.
 * Tables, the vault and the way to the outside are handed in.
 */

/** Why a call is not made. In all cases nothing was sent. */
export type Denial =
  | { readonly reason: "no_such_integration" }
  | { readonly reason: "operation_not_allowed"; readonly allowed: readonly string[] }
  | { readonly reason: "switched_off" }
  | { readonly reason: "no_registered_key" }
  | { readonly reason: "invalid_payload"; readonly faults: readonly Fault[] }
  /** The stored settings are not acceptable to the provider's schema any more. */
  | { readonly reason: "settings_unusable"; readonly faults: readonly Fault[] }
  /** The credential or the signing key does not open, now or at all; the log says more. */
  | { readonly reason: "vault_unavailable" };

/** What a call needs to be allowed: who asks is known already, and has the scope. */
export interface Question {
  readonly operation: string;
  /** Null: the tenant has no such integration, or has deleted it. */
  readonly integration: Destination | null;
  /** What the integration's provider can do; null where there is no integration. */
  readonly provider: Pick<Provider, "operations"> | null;
  /** The caller's newest public key, or null. */
  readonly recipient: PublicKey | null;
}

/**
 * Whether a call may be made, by what is stored alone. Default-deny: an operation is allowed when the integration
 * lists it and its provider has it, and an empty list allows nothing.
 */
export function authorize(
  question: Question,
): Result<{ readonly integration: Destination; readonly recipient: PublicKey }, Denial> {
  const { operation, integration, provider, recipient } = question;
  if (integration === null || provider === null || integration.deletedAt !== null) {
    return err({ reason: "no_such_integration" });
  }
  const { allowedOperations: allowed } = integration;
  if (!allowed.includes(operation) || !Object.hasOwn(provider.operations, operation)) {
    return err({ reason: "operation_not_allowed", allowed });
  }
  if (!integration.enabled) return err({ reason: "switched_off" });
  if (recipient === null) return err({ reason: "no_registered_key" });
  return ok({ integration, recipient });
}
