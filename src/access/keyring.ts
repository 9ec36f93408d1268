import { type Clock, type DurationMs, type EpochMs, seconds } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { Secret } from "../base/secret.ts";
import type { ApiKey, Principal } from "../model/tenant.ts";
import { hashKey } from "./api-key.ts";

/** How long a key that was found is believed. With delivery of the deletion it keeps the promised 15 s. */
export const HIT_TTL: DurationMs = seconds(10);
/** How long a key that was not found stays unknown: short, because a new key should work at once. */
export const MISS_TTL: DurationMs = seconds(1);
/** Keys remembered in one isolate; the oldest are forgotten first. */
export const MAX_HITS = 5_000;
/** Unknown keys remembered; apart from the hits, so that guesses cannot push out real keys. */
export const MAX_MISSES = 1_000;

/** A stored key together with its sealed signing secret, if it has one. */
export interface StoredKey extends ApiKey {
  readonly sealedSigningSecret: string | null;
}

export interface KeyringDeps {
  readonly now: Clock;
  /** Looks a key up by the hex SHA-256 of its text. May throw when the store cannot be reached. */
  find(hash: string): Promise<StoredKey | null>;
  /** Opens the sealed signing secret of a key. */
  open(key: StoredKey, sealed: string): Promise<Result<string, unknown>>;
}

export type KeyPrincipal = Extract<Principal, { readonly kind: "key" }>;

/** Why a key is not accepted. Callers tell strangers the first three as one: unauthenticated. */
export type KeyRefusal =
  | { readonly reason: "unknown" }
  | { readonly reason: "revoked" }
  | { readonly reason: "expired" }
  /** Must be signed, but the secret is absent or does not open: the relay's trouble, and never a reason to trust. */
  | { readonly reason: "secret_unavailable" };

export interface Keyring {
  /** Rejects only when `find` does. */
  authenticate(key: string): Promise<Result<KeyPrincipal, KeyRefusal>>;
  /** For who showed the key before: the same by its hash. */
  authenticateHash(hash: string): Promise<Result<KeyPrincipal, KeyRefusal>>;
  /** Forgets what this isolate knows, after keys were made or revoked here. */
  forget(): void;
}

interface Held {
  readonly stored: StoredKey;
  readonly principal: KeyPrincipal | null;
  readonly until: EpochMs;
}

/**
 * Keys by their text, with a memory of seconds. Expiry and revocation are looked at on every use; only a
 * revocation that the memory has not seen yet takes up to 10 s.
 *
 * Two requests that miss at once both ask the store: on Workers one request must not wait for another's I/O.
 */
export function createKeyring(deps: KeyringDeps): Keyring {
  const hits = new Map<string, Held>();
  const misses = new Map<string, EpochMs>();

  async function lookUp(hash: string, now: EpochMs): Promise<Held | null> {
    const held = hits.get(hash);
    if (held !== undefined && now < held.until) return held;
    if (now < (misses.get(hash) ?? Number.NEGATIVE_INFINITY)) return null;
    const stored = await deps.find(hash);
    // The time before the question counts: a longer answer must not lengthen what is believed.
    if (stored === null) {
      hits.delete(hash);
      remember(misses, MAX_MISSES, { key: hash, value: now + MISS_TTL });
      return null;
    }
    const fresh = { stored, principal: await principalOf(stored, deps), until: now + HIT_TTL };
    misses.delete(hash);
    remember(hits, MAX_HITS, { key: hash, value: fresh });
    return fresh;
  }

  async function authenticateHash(hash: string): Promise<Result<KeyPrincipal, KeyRefusal>> {
    const held = await lookUp(hash, deps.now());
    if (held === null) return err({ reason: "unknown" });
    const now = deps.now();
    const { revokedAt, expiresAt } = held.stored;
    if (revokedAt !== null) return err({ reason: "revoked" });
    if (expiresAt !== null && expiresAt <= now) return err({ reason: "expired" });
    return held.principal === null ? err({ reason: "secret_unavailable" }) : ok(held.principal);
  }

  return {
    authenticate: (key) => authenticateHash(hashKey(key)),
    authenticateHash,
    forget() {
      hits.clear();
      misses.clear();
    },
  };
}

async function principalOf(stored: StoredKey, deps: KeyringDeps): Promise<KeyPrincipal | null> {
  const facts = { kind: "key", keyId: stored.id, tenantId: stored.tenantId, scopes: stored.scopes } as const;
  if (!stored.requireSignature) return { ...facts, signingSecret: null };
  if (stored.sealedSigningSecret === null) return null;
  const opened = await deps.open(stored, stored.sealedSigningSecret);
  return opened.ok ? { ...facts, signingSecret: new Secret(opened.value) } : null;
}

/** Sets an entry as the youngest and drops the oldest beyond the limit. */
function remember<V>(map: Map<string, V>, limit: number, entry: { key: string; value: V }): void {
  map.delete(entry.key);
  map.set(entry.key, entry.value);
  if (map.size <= limit) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
