import { constantTimeEqual } from "../base/bytes.ts";
import { type Clock, type EpochMs, minutes } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import type { Session } from "../model/session.ts";
import type { Principal } from "../model/tenant.ts";
import { hashKey, KEY_PREFIX } from "./api-key.ts";
import type { KeyPrincipal } from "./keyring.ts";
import { isGood, mintSession, presentedSession } from "./session.ts";

/** How exactly "last seen" is kept: a write for each click would be one too many. */
const SEEN_STEP = minutes(1);
/** Set by the page on what it asks for by itself, which keeps nobody signed in. */
const BACKGROUND_HEADER = "x-sluice-background";

/** Who is signed in. An operator has no key. */
export interface SignedIn {
  readonly session: Session;
  readonly key: KeyPrincipal | null;
}

export interface SessionsDeps {
  readonly now: Clock;
  /** Cookies are for TLS only; false on a machine of one's own, without TLS. */
  readonly isSecure: boolean;
  readonly store: {
    insert(session: Session): Promise<void>;
    find(hash: string): Promise<Session | null>;
    seen(hash: string, at: EpochMs): Promise<void>;
    enter(hash: string, tenantId: string | null): Promise<void>;
    remove(hash: string): Promise<void>;
    removeAll(keyHash: string | null): Promise<number>;
    prune(now: EpochMs): Promise<void>;
  };
  keyOf(hash: string): Promise<Result<KeyPrincipal, unknown>>;
  /** The name that people gave the key. */
  nameOf(hash: string): Promise<string | null>;
  isOperator(token: string): boolean;
}

/** Console sessions. A session is worth what its key is worth at that moment, never more. */
export interface Sessions {
  /** @returns the session and its cookie's value, or null for a key or token that is not accepted */
  signIn(credential: string): Promise<(SignedIn & { readonly value: string }) | null>;
  /** Who a request's cookie belongs to; null for nobody, or no longer. */
  resume(headers: Headers): Promise<SignedIn | null>;
  /** Whether a request that changes something came from the console's own page. */
  isOwn(signedIn: SignedIn, headers: Headers): boolean;
  enter(session: Session, tenantId: string | null): Promise<void>;
  signOut(session: Session): Promise<void>;
  /** @returns how many sessions ended */
  signOutEverywhere(session: Session): Promise<number>;
}

export function createSessions(deps: SessionsDeps): Sessions {
  async function begin(
    who: Pick<Session, "kind" | "name" | "keyHash" | "tenantId">,
    key: KeyPrincipal | null,
  ): Promise<SignedIn & { readonly value: string }> {
    const now = deps.now();
    const { value, session } = mintSession(who, now);
    await deps.store.prune(now);
    await deps.store.insert(session);
    return { session, key, value };
  }

  return {
    async signIn(credential) {
      if (!credential.startsWith(KEY_PREFIX)) {
        if (!deps.isOperator(credential)) return null;
        return begin({ kind: "operator", name: "Operator", keyHash: null, tenantId: null }, null);
      }
      const keyHash = hashKey(credential);
      const key = await deps.keyOf(keyHash);
      if (!key.ok) return null;
      const name = (await deps.nameOf(keyHash)) ?? key.value.keyId;
      return begin({ kind: "key", name, keyHash, tenantId: key.value.tenantId }, key.value);
    },
    async resume(headers) {
      const hash = presentedSession(headers, deps.isSecure);
      const session = hash === null ? null : await deps.store.find(hash);
      const now = deps.now();
      if (session === null || !isGood(session, now)) return null;
      const key = session.keyHash === null ? null : await deps.keyOf(session.keyHash);
      if (key !== null && !key.ok) return null;
      if (!headers.has(BACKGROUND_HEADER) && now - session.seenAt >= SEEN_STEP) {
        await deps.store.seen(session.hash, now);
      }
      return { session, key: key === null ? null : key.value };
    },
    isOwn: ({ session }, headers) => constantTimeEqual(session.csrf, headers.get("x-csrf-token") ?? ""),
    enter: (session, tenantId) => deps.store.enter(session.hash, tenantId),
    signOut: (session) => deps.store.remove(session.hash),
    signOutEverywhere: (session) => deps.store.removeAll(session.keyHash),
  };
}

/**
 * What somebody signed in is for an endpoint. An operator who has entered a tenant may do there what a key with
 * every scope may; each entry is on that tenant's stream.
 */
export function principalOf({ session, key }: SignedIn, isForOperator: boolean): Principal {
  if (key !== null) return key;
  if (isForOperator || session.tenantId === null) return { kind: "operator" };
  return { kind: "key", keyId: "operator", tenantId: session.tenantId, scopes: ["*"], signingSecret: null };
}
