import { wipe } from "../base/secret.ts";
import type { RelayKey, TenantKey } from "../model/tenant-key.ts";
import { relayKeyContext } from "./relay-keys.ts";
import type { SealBinding } from "./seal.ts";
import { tenantKeyContext } from "./tenant-keys.ts";
import { describeOpenFault, type OpenFault, type Vault } from "./vault.ts";
import type { WrapContext, Wrapping } from "./wrap-key.ts";

/** Keys wrapped and texts sealed anew by one run of the schedule: with KMS each key is two calls. */
export const REWRAPS_PER_RUN = 200;

/** A text of the first format, still directly under a root key. */
export interface OldText {
  readonly binding: SealBinding;
  readonly sealed: string;
  /** Puts the new text in its place, unless the old one is not there any more. */
  replace(sealed: string): Promise<void>;
}

export interface RewrapDeps {
  readonly wrapping: Wrapping;
  readonly vault: Vault;
  /** What another key than `presentId` wrapped. */
  tenantKeysNotBy(presentId: string, limit: number): Promise<readonly TenantKey[]>;
  relayKeysNotBy(presentId: string, limit: number): Promise<readonly RelayKey[]>;
  /** Replace a wrapped text, unless the old one is not there any more. */
  rewrapTenantKey(key: TenantKey, fresh: Wrapped): Promise<void>;
  rewrapRelayKey(key: RelayKey, fresh: Wrapped): Promise<void>;
  oldTexts(limit: number): Promise<readonly OldText[]>;
  /** Keys that another than `presentId` wrapped, and old texts. */
  countLeft(presentId: string): Promise<number>;
  log(what: string, facts: Readonly<Record<string, unknown>>): void;
}

interface Wrapped {
  readonly wrapped: string;
  readonly wrappedBy: string;
}

/**
 * Brings what earlier keys of the operator protect under the present one. Any number of runs may be cut off anywhere:
 * each key is replaced in one write, and the old text is good until then. When none is left, the earlier key can go.
 *
 * @returns how many are left
 */
export async function rewrap(deps: RewrapDeps): Promise<number> {
  const { wrapping } = deps;
  const { id } = wrapping.present;
  const [tenantKeys, relayKeys, texts] = await Promise.all([
    deps.tenantKeysNotBy(id, REWRAPS_PER_RUN),
    deps.relayKeysNotBy(id, REWRAPS_PER_RUN),
    deps.oldTexts(REWRAPS_PER_RUN),
  ]);
  if (tenantKeys.length + relayKeys.length + texts.length === 0) return 0;
  const works: readonly Work[] = [
    ...relayKeys.map((key) => ({
      facts: { name: key.name },
      run: () => renew(key, relayKeyContext(key.name), wrapping, (fresh) => deps.rewrapRelayKey(key, fresh)),
    })),
    ...tenantKeys.map((key) => ({
      facts: { tenant_id: key.tenantId, key_id: key.id },
      run: () => renew(key, tenantKeyContext(key), wrapping, (fresh) => deps.rewrapTenantKey(key, fresh)),
    })),
    ...texts.map((text) => ({
      facts: { tenant_id: text.binding.tenantId, record_id: text.binding.recordId },
      run: () => reseal(text, deps.vault),
    })),
  ];
  let [done, failed] = [0, 0];
  for (const { facts, run } of works) {
    const fault = await run();
    if (fault === null) {
      done += 1;
      continue;
    }
    failed += 1;
    deps.log("vault.rewrap_failed", { ...facts, error: describeOpenFault(fault) });
    if (fault.reason === "unavailable") break; // the next call would wait as long for nothing
  }
  const left = await deps.countLeft(id);
  deps.log("vault.rewrapped", { key_id: id, done, failed, left });
  return left;
}

interface Work {
  readonly facts: Readonly<Record<string, unknown>>;
  run(): Promise<OpenFault | null>;
}

async function renew(
  old: Wrapped,
  context: WrapContext,
  wrapping: Wrapping,
  write: (fresh: Wrapped) => Promise<void>,
): Promise<OpenFault | null> {
  const secret = await wrapping.unwrap(old, context);
  if (!secret.ok) return secret.error;
  const wrapped = await wrapping.present.wrap(secret.value, context);
  wipe(secret.value);
  if (!wrapped.ok) return wrapped.error;
  await write({ wrapped: wrapped.value, wrappedBy: wrapping.present.id });
  return null;
}

async function reseal({ binding, sealed, replace }: OldText, vault: Vault): Promise<OpenFault | null> {
  const opened = await vault.open(binding, sealed);
  if (!opened.ok) return opened.error;
  const fresh = await vault.seal(binding, opened.value);
  if (!fresh.ok) return fresh.error;
  await replace(fresh.value);
  return null;
}
