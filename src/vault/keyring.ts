import { type Clock, type DurationMs, type EpochMs, minutes } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { TenantKey, TenantKeyAlgorithm } from "../model/tenant-key.ts";
import { makeTenantKey, type OpenTenantKey, openTenantKey } from "./tenant-keys.ts";
import type { WrapFault, Wrapping } from "./wrap-key.ts";

/** How long an unwrapped key stays in an isolate's memory: with KMS each unwrapping is a call that is paid for. */
export const KEY_TTL: DurationMs = minutes(10);
/** Unwrapped keys in one isolate, about 3 MB; the one longest unused is forgotten first. */
export const MAX_OPEN_KEYS = 500;

/** Where tenants' key pairs are kept. May reject when the store cannot be reached. */
export interface TenantKeyStore {
  newest(tenantId: string, algorithm: TenantKeyAlgorithm): Promise<TenantKey | null>;
  get(tenantId: string, algorithm: TenantKeyAlgorithm, version: number): Promise<TenantKey | null>;
  /** Does nothing where the tenant has that version already. */
  insertIfAbsent(key: TenantKey): Promise<void>;
}

export interface KeyringDeps {
  readonly now: Clock;
  readonly keys: TenantKeyStore;
  readonly wrapping: Wrapping;
}

/** Tenants' key pairs, made when they are first needed and unwrapped when they are used. Never throws or rejects. */
export interface Keyring {
  /** The one to seal or to sign with. */
  newest(tenantId: string, algorithm: TenantKeyAlgorithm): Promise<Result<OpenTenantKey, WrapFault>>;
  /** One that something was sealed to. */
  version(tenantId: string, version: number): Promise<Result<OpenTenantKey, WrapFault>>;
}

interface Held {
  readonly key: OpenTenantKey;
  readonly until: EpochMs;
}

/**
 * Two requests that miss at once both unwrap: on Workers one request must not wait for another's I/O. And both may
 * make a tenant's first key: the row that was first stays, and both use that one.
 */
export function createKeyring(deps: KeyringDeps): Keyring {
  const held = new Map<string, Held>();
  /** Which version was found to be the newest. */
  const newest = new Map<string, { readonly version: number; readonly until: EpochMs }>();

  function recall(name: string): OpenTenantKey | null {
    const found = held.get(name);
    if (found === undefined || deps.now() >= found.until) return null;
    remember(held, name, found);
    return found.key;
  }

  async function open(name: string, key: TenantKey): Promise<Result<OpenTenantKey, WrapFault>> {
    const until = deps.now() + KEY_TTL;
    const opened = await openTenantKey(key, deps.wrapping);
    if (!opened.ok) return opened;
    // What falls out is only forgotten and not overwritten: another request may be using it at this moment.
    remember(held, name, { key: opened.value, until });
    return opened;
  }

  async function firstKey(
    tenantId: string,
    algorithm: TenantKeyAlgorithm,
  ): Promise<Result<TenantKey, WrapFault>> {
    const made = await makeTenantKey({ tenantId, algorithm, version: 1 }, deps.now(), deps.wrapping);
    if (!made.ok) return made;
    await deps.keys.insertIfAbsent(made.value);
    const stored = await deps.keys.newest(tenantId, algorithm);
    if (stored === null) throw new Error("A key that was just written is not there");
    return ok(stored);
  }

  return {
    newest: (tenantId, algorithm) =>
      guarded(async () => {
        const name = `${tenantId}/${algorithm}`;
        const until = deps.now() + KEY_TTL;
        const last = newest.get(name);
        const known =
          last !== undefined && deps.now() < last.until ? recall(`${name}/${last.version}`) : null;
        if (known !== null && last !== undefined) {
          remember(newest, name, last);
          return ok(known);
        }
        const stored = await deps.keys.newest(tenantId, algorithm);
        const key = stored === null ? await firstKey(tenantId, algorithm) : ok(stored);
        if (!key.ok) return key;
        const { version } = key.value;
        remember(newest, name, { version, until });
        const opened = recall(`${name}/${version}`);
        return opened === null ? open(`${name}/${version}`, key.value) : ok(opened);
      }),
    version: (tenantId, version) =>
      guarded(async () => {
        const name = `${tenantId}/ML-KEM-768/${version}`;
        const known = recall(name);
        if (known !== null) return ok(known);
        const stored = await deps.keys.get(tenantId, "ML-KEM-768", version);
        if (stored === null) return err({ reason: "unknown_key", keyId: `tenant key ${version}` });
        return open(name, stored);
      }),
  };
}

/** Sets an entry as the one used last, and drops the one longest unused beyond the limit. */
function remember<V>(map: Map<string, V>, name: string, value: V): void {
  map.delete(name);
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > MAX_OPEN_KEYS && oldest !== undefined) map.delete(oldest);
}

/** A store that cannot be reached is nobody's mistake: the same again later. */
async function guarded<T>(work: () => Promise<Result<T, WrapFault>>): Promise<Result<T, WrapFault>> {
  try {
    return await work();
  } catch (error) {
    return err({
      reason: "unavailable",
      message: `tenants' keys cannot be read: ${String(error).slice(0, 200)}`,
    });
  }
}
