import { createCipheriv, hkdfSync } from "node:crypto";
import { randomBytes, toBase64, toBase64Url, utf8 } from "../../src/base/bytes.ts";
import type { RelayKey, TenantKey, TenantKeyAlgorithm } from "../../src/model/tenant-key.ts";
import { createKeyring } from "../../src/vault/keyring.ts";
import { parseRootKey, type RootKey, rootWrapKey } from "../../src/vault/root-key.ts";
import type { SealBinding } from "../../src/vault/seal.ts";
import { createVault } from "../../src/vault/vault.ts";
import { createWrapping } from "../../src/vault/wrap-key.ts";

/** A root key whose 32 bytes are all the same. */
export function rootKey(fill: number): RootKey {
  const parsed = parseRootKey(rootKeyText(fill));
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return parsed.value;
}

export function rootKeyText(fill: number): string {
  return toBase64(new Uint8Array(32).fill(fill));
}

/** Tenants' keys in memory, as the table keeps them. */
export class FakeTenantKeys {
  readonly rows: TenantKey[] = [];
  /** How often it was asked. */
  reads = 0;
  isDown = false;

  async newest(tenantId: string, algorithm: TenantKeyAlgorithm) {
    return this.#of(tenantId, algorithm).toSorted((a, b) => b.version - a.version)[0] ?? null;
  }
  async get(tenantId: string, algorithm: TenantKeyAlgorithm, version: number) {
    return this.#of(tenantId, algorithm).find((row) => row.version === version) ?? null;
  }
  async insertIfAbsent(key: TenantKey) {
    const there = this.rows.some(
      (row) =>
        row.tenantId === key.tenantId && row.algorithm === key.algorithm && row.version === key.version,
    );
    if (!there) this.rows.push(key);
  }
  async rewrap(key: TenantKey, fresh: Pick<TenantKey, "wrapped" | "wrappedBy">) {
    const at = this.rows.findIndex((row) => row.id === key.id && row.wrapped === key.wrapped);
    if (at >= 0) this.rows[at] = { ...key, ...fresh };
  }
  #of(tenantId: string, algorithm: TenantKeyAlgorithm): TenantKey[] {
    this.reads += 1;
    if (this.isDown) throw new Error("D1 is out of reach");
    return this.rows.filter((row) => row.tenantId === tenantId && row.algorithm === algorithm);
  }
}

/** The relay's own keys in memory. */
export class FakeRelayKeys {
  readonly rows = new Map<string, RelayKey>();
  reads = 0;

  async get(name: string) {
    this.reads += 1;
    return this.rows.get(name) ?? null;
  }
  async insertIfAbsent(key: RelayKey) {
    if (!this.rows.has(key.name)) this.rows.set(key.name, key);
  }
}

/** A vault over memory, under the first root key; the others only open. */
export function aVault({
  keys = new FakeTenantKeys(),
  roots = [1],
  now = () => 1_000,
}: {
  readonly keys?: FakeTenantKeys;
  readonly roots?: readonly number[];
  readonly now?: () => number;
} = {}) {
  const rootKeys = roots.map(rootKey);
  const [present, ...previous] = rootKeys.map(rootWrapKey);
  if (present === undefined) throw new Error("no root key");
  const wrapping = createWrapping(present, previous);
  const keyring = createKeyring({ now, keys, wrapping });
  return { keys, wrapping, keyring, vault: createVault({ keyring, rootKeys }) };
}

/** What the first format wrote, by the same steps and with other functions: nothing in the program writes it any more. */
export function sealedV1(root: RootKey, binding: SealBinding, plaintext: string): string {
  const { tenantId, recordId, purpose } = binding;
  const info = utf8(JSON.stringify(["v1", tenantId]));
  const key = new Uint8Array(hkdfSync("sha256", root.key.reveal(), utf8("sluice/seal"), info, 32));
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(utf8(JSON.stringify(["v1", root.id, tenantId, recordId, purpose])));
  const body = Buffer.concat([cipher.update(utf8(plaintext)), cipher.final(), cipher.getAuthTag()]);
  return `v1.${root.id}.${toBase64Url(nonce)}.${toBase64Url(new Uint8Array(body))}`;
}
