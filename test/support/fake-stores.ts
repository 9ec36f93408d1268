import type {
  Credentials,
  Destinations,
  Keys,
  Page,
  PageRequest,
  PublicKeys,
  Tenants,
} from "../../src/api/context.ts";
import type { StoredCredential } from "../../src/model/credential.ts";
import type { Destination } from "../../src/model/destination.ts";
import type { PublicKey } from "../../src/model/public-key.ts";
import type { Session } from "../../src/model/session.ts";
import type { ApiKey, Tenant } from "../../src/model/tenant.ts";

/** Newest first, by creation and id, as the database pages. */
function pageOf<T extends { id: string; createdAt: number }>(
  rows: Iterable<T>,
  request: PageRequest,
): Page<T> {
  const { cursor, limit } = request;
  const sorted = [...rows].toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  const left =
    cursor === null
      ? sorted
      : sorted.filter(
          (row) => row.createdAt < cursor.at || (row.createdAt === cursor.at && row.id < cursor.id),
        );
  const items = left.slice(0, limit);
  const last = items.at(-1);
  return {
    items,
    next: left.length > limit && last !== undefined ? { at: last.createdAt, id: last.id } : null,
  };
}

export class FakeTenants implements Tenants {
  readonly rows = new Map<string, Tenant>();
  async insert(tenant: Tenant) {
    this.rows.set(tenant.id, tenant);
  }
  async get(id: string) {
    return this.rows.get(id) ?? null;
  }
  async page(request: PageRequest) {
    return pageOf(this.rows.values(), request);
  }
}

export class FakeKeys implements Keys {
  readonly rows = new Map<string, ApiKey & { hash: string; sealedSigningSecret: string | null }>();
  async insert(key: ApiKey, material: { hash: string; sealedSigningSecret: string | null }) {
    this.rows.set(key.id, { ...key, ...material });
  }
  async page(tenantId: string, request: PageRequest) {
    const own = [...this.rows.values()].filter((key) => key.tenantId === tenantId && key.revokedAt === null);
    return pageOf(own, request);
  }
  async revoke(tenantId: string, id: string, at: number) {
    const key = this.rows.get(id);
    if (key?.tenantId !== tenantId) return false;
    this.rows.set(id, { ...key, revokedAt: key.revokedAt ?? at });
    return true;
  }
}

export class FakePublicKeys implements PublicKeys {
  readonly rows = new Map<string, PublicKey>();
  async register(key: PublicKey) {
    const known = [...this.rows.values()].find(
      (row) => row.apiKeyId === key.apiKeyId && row.publicKey === key.publicKey,
    );
    const registered = { ...key, id: known?.id ?? key.id };
    this.rows.set(registered.id, registered);
    return registered;
  }
  async get(tenantId: string, id: string) {
    const found = this.rows.get(id);
    return found?.tenantId === tenantId ? found : null;
  }
  async count(tenantId: string, apiKeyId: string) {
    return [...this.rows.values()].filter((row) => row.tenantId === tenantId && row.apiKeyId === apiKeyId)
      .length;
  }
  async page(tenantId: string, request: PageRequest) {
    return pageOf(
      [...this.rows.values()].filter((row) => row.tenantId === tenantId),
      request,
    );
  }
  async remove(tenantId: string, id: string) {
    return (await this.get(tenantId, id)) !== null && this.rows.delete(id);
  }
}

export class FakeDestinations implements Destinations {
  readonly rows = new Map<string, Destination>();
  /** Runs before each update: where a test lets somebody else be quicker. */
  beforeUpdate: () => void = () => undefined;

  async insert(destination: Destination) {
    this.rows.set(destination.id, destination);
    return true;
  }
  async get(tenantId: string, id: string) {
    const found = this.rows.get(id);
    return found?.tenantId === tenantId ? found : null;
  }
  async page(tenantId: string, request: PageRequest) {
    return pageOf(this.#alive(tenantId), request);
  }
  async count(tenantId: string) {
    return this.#alive(tenantId).length;
  }
  async forFanOut(tenantId: string) {
    return [...this.rows.values()].filter((row) => row.tenantId === tenantId);
  }
  async update(destination: Destination, expectedRevision: number) {
    this.beforeUpdate();
    const present = await this.get(destination.tenantId, destination.id);
    if (present === null || present.deletedAt !== null || present.revision !== expectedRevision) return false;
    this.rows.set(destination.id, destination);
    return true;
  }
  async markDeleted(tenantId: string, id: string, at: number) {
    const present = await this.get(tenantId, id);
    if (present === null || present.deletedAt !== null) return false;
    this.rows.set(id, { ...present, deletedAt: at, revision: present.revision + 1 });
    return true;
  }
  async forgetSecrets(tenantId: string, id: string) {
    const present = await this.get(tenantId, id);
    if (present !== null && !present.credentialIsShared) this.rows.set(id, { ...present, sealedSecrets: "" });
  }
  #alive(tenantId: string) {
    return [...this.rows.values()].filter((row) => row.tenantId === tenantId && row.deletedAt === null);
  }
}

/** Those of the vault; what destinations manage is with the destinations. */
export class FakeCredentials implements Credentials {
  readonly rows = new Map<string, StoredCredential>();
  readonly #destinations: FakeDestinations;

  constructor(destinations: FakeDestinations) {
    this.#destinations = destinations;
  }

  async insert(credential: StoredCredential) {
    this.rows.set(credential.id, credential);
  }
  async get(tenantId: string, id: string) {
    const found = this.rows.get(id);
    return found?.tenantId === tenantId ? found : null;
  }
  async page(tenantId: string, request: PageRequest) {
    return pageOf(
      [...this.rows.values()].filter((row) => row.tenantId === tenantId),
      request,
    );
  }
  async count(tenantId: string) {
    return [...this.rows.values()].filter((row) => row.tenantId === tenantId).length;
  }
  async users(tenantId: string, ids: readonly string[]) {
    return [...this.#destinations.rows.values()].filter(
      (row) => row.tenantId === tenantId && row.deletedAt === null && ids.includes(row.credentialId),
    );
  }
  async rotate(credential: StoredCredential, expectedVersion: number) {
    if (this.rows.get(credential.id)?.version !== expectedVersion) return false;
    this.rows.set(credential.id, credential);
    for (const user of await this.users(credential.tenantId, [credential.id])) {
      this.#destinations.rows.set(user.id, {
        ...user,
        sealedSecrets: credential.sealed,
        sealedPreviousSecrets: credential.previousSealed,
        previousSecretsUntil: credential.previousUntil,
        revision: user.revision + 1,
      });
    }
    return true;
  }
  async remove(tenantId: string, id: string) {
    if ((await this.users(tenantId, [id])).length > 0) return false;
    return (await this.get(tenantId, id)) !== null && this.rows.delete(id);
  }
}

export class FakeSessions {
  readonly rows = new Map<string, Session>();
  async insert(session: Session) {
    this.rows.set(session.hash, session);
  }
  async find(hash: string) {
    return this.rows.get(hash) ?? null;
  }
  async seen(hash: string, at: number) {
    this.#change(hash, { seenAt: at });
  }
  async enter(hash: string, tenantId: string | null) {
    this.#change(hash, { tenantId });
  }
  async remove(hash: string) {
    this.rows.delete(hash);
  }
  async removeAll(keyHash: string | null) {
    const theirs = [...this.rows.values()].filter((row) => row.keyHash === keyHash);
    for (const { hash } of theirs) this.rows.delete(hash);
    return theirs.length;
  }
  async prune(now: number) {
    for (const { hash, expiresAt } of this.rows.values()) if (expiresAt <= now) this.rows.delete(hash);
  }
  #change(hash: string, change: Partial<Session>) {
    const row = this.rows.get(hash);
    if (row !== undefined) this.rows.set(hash, { ...row, ...change });
  }
}
