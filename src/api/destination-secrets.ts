import type { EpochMs } from "../base/clock.ts";
import type { Fault } from "../base/errors.ts";
import { ID_PREFIX, newId } from "../base/ids.ts";
import { parseJson } from "../base/json.ts";
import {
  type CredentialBinding,
  type CredentialValues,
  credentialBinding,
  namesOf,
  type StoredCredential,
  secretsFrom,
} from "../model/credential.ts";
import type { Destination, DestinationCredential } from "../model/destination.ts";
import type { Connector, Provider } from "../model/provider.ts";
import type { ApiDeps } from "./context.ts";
import { isObject, secretNames } from "./destination-input.ts";
import { refuseInput } from "./problem.ts";

/** What a destination's secrets are stored as. */
export interface Holding extends DestinationCredential {
  readonly credentialId: string;
}

/** A credential of the vault with its values, by the vault's names. */
export interface OpenedCredential {
  readonly credential: StoredCredential;
  readonly values: CredentialValues;
}

type Opener = Pick<ApiDeps, "open">;

/** The binding of the text that holds a destination's secrets. */
function bindingOf(destination: Pick<Destination, "tenantId" | "id"> & Holding): CredentialBinding {
  const { tenantId, id, credentialId, credentialIsShared } = destination;
  return credentialBinding({ tenantId, id: credentialId, managedBy: credentialIsShared ? null : id });
}

/**
 * The secrets of a stored destination by the provider's names.
 *
 * @returns null where the sealed text is not what was sealed: only saving the secrets again helps
 */
export async function openSecrets(
  destination: Destination,
  provider: Provider,
  deps: Opener,
): Promise<Record<string, unknown> | null> {
  const opened = await deps.open(bindingOf(destination), destination.sealedSecrets);
  const parsed = opened.ok ? parseJson(opened.value) : null;
  if (!parsed?.ok || !isObject(parsed.value)) return null;
  return destination.credentialIsShared
    ? secretsFrom(parsed.value, secretNames(provider))
    : { ...parsed.value };
}

/** The values of a credential; null as above. */
export async function openCredential(
  credential: StoredCredential,
  deps: Opener,
): Promise<CredentialValues | null> {
  const opened = await deps.open(credentialBinding(credential), credential.sealed);
  const parsed = opened.ok ? parseJson(opened.value) : null;
  return parsed?.ok && isObject(parsed.value) ? parsed.value : null;
}

/** The vault's credential that a body names. Ends the request where the tenant has none of that id. */
export async function findShared(
  tenantId: string,
  credentialId: string,
  deps: Pick<ApiDeps, "open" | "credentials">,
): Promise<OpenedCredential> {
  const path = "credential_id";
  const credential = await deps.credentials.get(tenantId, credentialId);
  if (credential === null) {
    return refuseInput([{ path, message: "There is no such credential; POST /api/v2/vault/seal makes one" }]);
  }
  if (credential.managedBy !== null) {
    return refuseInput([
      { path, message: `It belongs to ${credential.managedBy}, which it was given with; seal one to share` },
    ]);
  }
  const values = await openCredential(credential, deps);
  return values === null
    ? refuseInput([{ path, message: "Its values do not open any more; rotate it first" }])
    : { credential, values };
}

/** A destination's use of a credential of the vault. */
export function holdShared(credential: StoredCredential): Holding {
  return {
    credentialId: credential.id,
    credentialIsShared: true,
    secretFields: credential.fields,
    sealedSecrets: credential.sealed,
    sealedPreviousSecrets: credential.previousSealed,
    previousSecretsUntil: credential.previousUntil,
    secretsRotatedAt: credential.rotatedAt,
  };
}

/** Seals secrets that were given with a destination, into the credential that it has or into a first one. */
export async function holdOwn(
  destination: Pick<Destination, "tenantId" | "id">,
  secrets: Readonly<Record<string, unknown>>,
  how: {
    /** Null for a destination that has none of its own yet. */
    readonly present: Holding | null;
    /** What stands in for the new ones until then; null where they simply take its place. */
    readonly previous: { readonly sealed: string; readonly until: EpochMs } | null;
    readonly now: EpochMs;
  },
  deps: Pick<ApiDeps, "seal">,
): Promise<Holding> {
  const { tenantId, id } = destination;
  const credentialId = how.present?.credentialId ?? newId(ID_PREFIX.credential, how.now);
  const binding = credentialBinding({ tenantId, id: credentialId, managedBy: id });
  return {
    credentialId,
    credentialIsShared: false,
    secretFields: Object.keys(secrets).toSorted(),
    sealedSecrets: await deps.seal(binding, JSON.stringify(secrets)),
    sealedPreviousSecrets: how.previous?.sealed ?? null,
    previousSecretsUntil: how.previous?.until ?? null,
    secretsRotatedAt: how.present === null ? null : how.now,
  };
}

/** Faults of secrets that came from a credential, in words about the credential. */
export function faultsOfShared(faults: readonly Fault[], provider: Provider): Fault[] {
  const names = secretNames(provider);
  return faults.map((fault) =>
    names.includes(fault.path)
      ? {
          path: "credential_id",
          message: `${provider.title} needs a value called ${namesOf(fault.path).join(" or ")} in the credential: ${fault.message}`,
        }
      : fault,
  );
}

/**
 * Tries new secrets with a test event. Where the provider cannot be asked, nothing is refused: the old ones stay to fall
 * back on.
 */
export async function tryOut(
  connector: Connector,
  tenantId: string,
  deps: Pick<ApiDeps, "diagnose">,
): Promise<{
  readonly ok: boolean;
  /** Why the provider refuses them, or null. */
  readonly refused: string | null;
}> {
  const { ok, httpStatus, message, hint } = await deps.diagnose(connector, tenantId);
  const isRefused = !ok && (httpStatus === 401 || httpStatus === 403);
  return {
    ok,
    refused: isRefused ? [message, ...(hint === null ? [] : [hint])].map(sentence).join(" ") : null,
  };
}

/** Providers end their words without a full stop. */
function sentence(words: string): string {
  return /[.!?]$/.test(words) ? words : `${words}.`;
}
