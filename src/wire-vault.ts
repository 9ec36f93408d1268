/** What seals and opens secrets, from `Env`. Part of the composition root. */
import { type Clock, systemClock } from "./base/clock.ts";
import { Unavailable } from "./base/errors.ts";
import { parseJson } from "./base/json.ts";
import { err, ok, type Result } from "./base/result.ts";
import type { Config, KmsConfig } from "./config.ts";
import { credentialBinding, secretsFrom } from "./model/credential.ts";
import type { Destination } from "./model/destination.ts";
import type { Send } from "./model/http.ts";
import type { Connector, Provider } from "./model/provider.ts";
import type { VerificationKey } from "./model/public-key.ts";
import type { Log } from "./observe/log.ts";
import { createCredentialStore } from "./store/credentials.ts";
import { createOldTextStore } from "./store/old-texts.ts";
import { createRelayKeyStore } from "./store/relay-keys.ts";
import { createTenantKeyStore } from "./store/tenant-keys.ts";
import { createKeyring } from "./vault/keyring.ts";
import { kmsWrapKey } from "./vault/kms-aws.ts";
import { createRelayKeys, type RelayKeys } from "./vault/relay-keys.ts";
import { rewrap } from "./vault/rewrap.ts";
import { type RootKey, rootWrapKey } from "./vault/root-key.ts";
import type { SealBinding } from "./vault/seal.ts";
import { createVault, describeOpenFault, isLasting, type OpenFault, type Vault } from "./vault/vault.ts";
import { createWrapping, describeWrapFault, type WrapKey, type Wrapping } from "./vault/wrap-key.ts";
import type { SigningKeys } from "./wire-proxy.ts";

/** One for each isolate, since it remembers keys that were unwrapped. */
export interface WiredVault extends Pick<Vault, "open"> {
  /** @throws Unavailable when the tenant's key can be neither read nor made now */
  seal(binding: SealBinding, plaintext: string): Promise<string>;
  /** An error is for ever. @throws Unavailable while nobody can tell */
  openOrReject(binding: SealBinding, sealed: string): Promise<Result<string, OpenFault>>;
  readonly relayKeys: RelayKeys;
  readonly signingKeys: SigningKeys;
  /**
   * Brings what earlier keys of the operator protect under the present one, some of it in each run, and forgets secrets
   * that stood in for rotated ones long enough.
   */
  rewrap(): Promise<void>;
  /** How much of it is left. */
  countToRewrap(): Promise<number>;
}

export function wireVault(
  env: Env,
  { config, send, log }: { readonly config: Config; readonly send: Send; readonly log: Log },
  now: Clock = systemClock,
): WiredVault {
  const wrapping = wrappingOf(config, { now, send });
  const rootKeys = [config.rootKey, ...config.previousRootKeys].filter((key): key is RootKey => key !== null);
  const tenantKeys = createTenantKeyStore(env.DB);
  const relayKeys = createRelayKeyStore(env.DB);
  const credentials = createCredentialStore(env.DB);
  const oldTexts = createOldTextStore(env.DB);
  const keyring = createKeyring({ now, keys: tenantKeys, wrapping });
  const vault = createVault({ keyring, rootKeys });
  const countLeft = async (presentId: string): Promise<number> => {
    const [wrapped, relay, texts] = await Promise.all([
      tenantKeys.countNotWrappedBy(presentId),
      relayKeys.notWrappedBy(presentId, 100),
      oldTexts.count(),
    ]);
    return wrapped + relay.length + texts;
  };
  return {
    async seal(binding, plaintext) {
      const sealed = await vault.seal(binding, plaintext);
      if (sealed.ok) return sealed.value;
      throw new Unavailable(`Nothing can be sealed: ${describeWrapFault(sealed.error)}`);
    },
    open: (binding, sealed) => vault.open(binding, sealed),
    async openOrReject(binding, sealed) {
      const opened = await vault.open(binding, sealed);
      if (opened.ok || isLasting(opened.error)) return opened;
      throw new Unavailable(`A secret cannot be opened: ${describeOpenFault(opened.error)}`);
    },
    relayKeys: createRelayKeys({ now, keys: relayKeys, wrapping }),
    signingKeys: {
      async current(tenantId) {
        const signer = await vault.signer(tenantId);
        if (!signer.ok) throw new Unavailable(describeWrapFault(signer.error));
        return signer.value;
      },
      async list(tenantId): Promise<readonly VerificationKey[]> {
        const newest = await vault.signer(tenantId); // made here, where a tenant asks before its first call
        if (!newest.ok) throw new Unavailable(describeWrapFault(newest.error));
        const keys = await tenantKeys.all(tenantId, "ML-DSA-65");
        return keys.map(({ id, publicKey, createdAt }) => ({ keyId: id, publicKey, createdAt }));
      },
    },
    async rewrap() {
      await credentials.forgetPrevious(now());
      await rewrap({
        wrapping,
        vault,
        tenantKeysNotBy: (presentId, limit) => tenantKeys.notWrappedBy(presentId, limit),
        relayKeysNotBy: (presentId, limit) => relayKeys.notWrappedBy(presentId, limit),
        rewrapTenantKey: (key, fresh) => tenantKeys.rewrap(key, fresh),
        rewrapRelayKey: (key, fresh) => relayKeys.rewrap(key, fresh),
        oldTexts: (limit) => oldTexts.some(limit),
        countLeft,
        log: (what, facts) => log(what === "vault.rewrapped" ? "info" : "error", what, facts),
      });
    },
    countToRewrap: () => countLeft(wrapping.present.id),
  };
}

function wrappingOf(
  { rootKey, previousRootKeys, kms }: Config,
  deps: { readonly now: Clock; readonly send: Send },
): Wrapping {
  const roots = [rootKey, ...previousRootKeys].flatMap((key) => (key === null ? [] : [rootWrapKey(key)]));
  const kmsKey = (keyId: string | null): WrapKey[] =>
    kms === null || keyId === null ? [] : [kmsWrapKey({ ...kms, keyId }, { ...deps, ...credentialsOf(kms) })];
  const [present, ...previous] = [
    ...kmsKey(kms?.keyId ?? null),
    ...roots,
    ...kmsKey(kms?.previousKeyId ?? null),
  ];
  if (present === undefined) throw new Error("Neither a root key nor a KMS key is set"); // the settings were checked
  return createWrapping(present, previous);
}

function credentialsOf({ accessKeyId, secretAccessKey }: KmsConfig) {
  return {
    credentials: () => ({ accessKeyId: accessKeyId.reveal(), secretAccessKey: secretAccessKey.reveal() }),
  };
}

/** Why a destination cannot be connected: its settings or secrets are at fault, or nobody can open them now. */
export interface ConnectFault {
  /** True: the same again later can succeed. */
  readonly isPassing: boolean;
  /** For the log; holds no secret. */
  readonly message: string;
}

/** A destination's settings with one set of its secrets, opened. */
export async function connectDestination(
  destination: Destination,
  provider: Provider | null,
  open: WiredVault["open"],
  slot: "present" | "previous" = "present",
  shard = 0,
): Promise<Result<Connector, ConnectFault>> {
  const { id, provider: kind, endpoint, config } = destination;
  if (provider === null) return lasting(`no provider called ${kind}`);
  const secrets = await openSlot(destination, provider, open, slot);
  if (!secrets.ok) {
    return err({
      isPassing: !isLasting(secrets.error),
      message: `sealed secrets: ${describeOpenFault(secrets.error)}`,
    });
  }
  const connected = provider.connect({
    destinationId: id,
    shard,
    endpoint: endpoint || null,
    config,
    secrets: secrets.value,
  });
  return connected.ok
    ? connected
    : lasting(connected.error.map(({ path, message }) => `${path}: ${message}`).join("; "));
}

/** The secrets to call with: the present ones, then those that they replaced while these stand in for them. */
export async function secretsToCallWith(
  destination: Destination,
  provider: Provider | null,
  open: WiredVault["open"],
  now: number,
): Promise<Result<readonly unknown[], string>> {
  if (provider === null) return err(`no provider called ${destination.provider}`);
  const present = await openSlot(destination, provider, open, "present");
  if (!present.ok) return err(`sealed secrets: ${describeOpenFault(present.error)}`);
  if ((destination.previousSecretsUntil ?? 0) <= now) return ok([present.value]);
  const previous = await openSlot(destination, provider, open, "previous");
  return ok(previous.ok ? [present.value, previous.value] : [present.value]);
}

async function openSlot(
  destination: Destination,
  provider: Provider,
  open: WiredVault["open"],
  slot: "present" | "previous",
): Promise<Result<unknown, OpenFault>> {
  const { tenantId, id, credentialId, credentialIsShared } = destination;
  const binding = credentialBinding({
    tenantId,
    id: credentialId,
    managedBy: credentialIsShared ? null : id,
  });
  const sealed = slot === "present" ? destination.sealedSecrets : (destination.sealedPreviousSecrets ?? "");
  const opened = await open(binding, sealed);
  if (!opened.ok) return opened;
  const parsed = parseJson(opened.value);
  if (!parsed.ok) return err({ reason: "malformed" });
  if (!credentialIsShared) return parsed;
  const values = typeof parsed.value === "object" && parsed.value !== null ? parsed.value : {};
  return ok(
    secretsFrom(Object.fromEntries<unknown>(Object.entries(values)), Object.keys(provider.secrets.shape)),
  );
}

function lasting(message: string) {
  return err({ isPassing: false, message });
}
