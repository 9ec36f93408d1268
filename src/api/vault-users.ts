import { seconds } from "../base/clock.ts";
import { type CredentialValues, type StoredCredential, secretsFrom } from "../model/credential.ts";
import { askAll } from "./bounded.ts";
import type { ApiDeps } from "./context.ts";
import { secretNames } from "./destination-input.ts";
import { tryOut } from "./destination-secrets.ts";
import { tellLane } from "./destinations.ts";
import { refuse } from "./problem.ts";

/** Destinations at which new values are tried before they are taken; there are seldom more than a few. */
const MAX_PROOFS = 50;
/** All of them together; one that has not answered by then counts as one that cannot tell. */
const PROOF_PATIENCE = seconds(60);

/**
 * Tries new values with a test event at each destination that uses the credential. Ends the request where one refuses
 * them, or could not work with them at all.
 *
 * @returns ids of destinations that could not tell: there the old values stay to fall back on
 */
export async function proveEverywhere(
  credential: StoredCredential,
  values: CredentialValues,
  deps: ApiDeps,
): Promise<readonly string[]> {
  const users = await deps.credentials.users(credential.tenantId, [credential.id]);
  const tried = await askAll(users.slice(0, MAX_PROOFS), ({ id }) => proveAt(credential, values, id, deps), {
    within: PROOF_PATIENCE,
    sleep: deps.sleep,
  });
  const faults = tried.flatMap((proof) => proof?.faults ?? []);
  if (faults.length > 0) refuse("invalid_input", "Nothing was changed.", faults);
  return users.filter((_, index) => tried[index]?.isProved !== true).map(({ id }) => id);
}

interface Proof {
  readonly faults: readonly { readonly path: string; readonly message: string }[];
  readonly isProved: boolean;
}

async function proveAt(
  credential: StoredCredential,
  values: CredentialValues,
  destinationId: string,
  deps: ApiDeps,
): Promise<Proof> {
  const destination = await deps.destinations.get(credential.tenantId, destinationId);
  const provider = deps.providers.find(({ kind }) => kind === destination?.provider);
  if (destination === null || provider === undefined) return { faults: [], isProved: false };
  const { id, name, endpoint, config } = destination;
  const connected = provider.connect({
    destinationId: id,
    endpoint: endpoint === "" ? null : endpoint,
    config,
    secrets: credential.managedBy === null ? secretsFrom(values, secretNames(provider)) : values,
  });
  if (!connected.ok) {
    const names = secretNames(provider);
    return {
      faults: connected.error.map(({ path, message }) => ({
        path: names.includes(path) ? `values.${path}` : "values",
        message: `${name} (${id}) cannot use them: ${message}`,
      })),
      isProved: false,
    };
  }
  const report = await tryOut(connected.value, destination.tenantId, deps);
  return report.refused === null
    ? { faults: [], isProved: report.ok }
    : {
        faults: [{ path: "values", message: `${name} (${id}) refuses them: ${report.refused}` }],
        isProved: false,
      };
}

/** Lanes keep a copy of what they deliver with. The write stands whether they hear of it or not. */
export async function tellUsers(credential: StoredCredential, deps: ApiDeps): Promise<void> {
  const users = await deps.credentials.users(credential.tenantId, [credential.id]);
  await askAll(
    users,
    async ({ id }) => {
      const destination = await deps.destinations.get(credential.tenantId, id);
      if (destination !== null) await tellLane(destination, deps);
    },
    { within: PROOF_PATIENCE, sleep: deps.sleep },
  );
}
