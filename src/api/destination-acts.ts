import type { Destination } from "../model/destination.ts";

/** What a person can see and change of a destination; never a secret. */
const VISIBLE = ["name", "endpoint", "enabled", "config", "routes"] as const;

type Facts = Readonly<Record<string, unknown>>;

/** All of it, for the record of a creation or a deletion. */
export function factsOf(destination: Destination): Facts {
  return {
    ...pick(destination, VISIBLE),
    provider: destination.provider,
    allowed_operations: destination.allowedOperations,
    ...(destination.credentialIsShared ? { credential_id: destination.credentialId } : {}),
  };
}

/**
 * What a change changed: the fields before and after, and the names of secrets that were replaced.
 * Switching on and off has names of its own, because a SOC watches for it.
 */
export function changeOf(
  before: Destination,
  after: Destination,
  secrets: readonly string[],
): { readonly action: "siem.enable" | "siem.disable" | "siem.update"; readonly metadata: Facts } {
  const [old, fresh] = [factsOf(before), factsOf(after)];
  const changed = Object.keys(fresh).filter(
    (name) => JSON.stringify(old[name]) !== JSON.stringify(fresh[name]),
  );
  const metadata = {
    before: pick(old, changed),
    after: pick(fresh, changed),
    ...(secrets.length > 0 ? { secrets_changed: secrets } : {}),
  };
  if (before.enabled === after.enabled) return { action: "siem.update", metadata };
  return { action: after.enabled ? "siem.enable" : "siem.disable", metadata };
}

function pick(from: object, names: readonly string[]): Facts {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}
