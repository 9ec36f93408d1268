import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, it } from "vitest";
import type { StoredCredential } from "../../src/model/credential.ts";
import { createCredentialStore } from "../../src/store/credentials.ts";
import { createDestinationStore } from "../../src/store/destinations.ts";
import { createOldTextStore } from "../../src/store/old-texts.ts";
import { createRelayKeyStore } from "../../src/store/relay-keys.ts";
import { createTenantKeyStore } from "../../src/store/tenant-keys.ts";
import { createTenantStore } from "../../src/store/tenants.ts";
import { destination } from "../support/builders.ts";

const credentials = createCredentialStore(env.DB);
const destinations = createDestinationStore(env.DB);
const first = { limit: 10, cursor: null };

/** A credential of the vault, and what the test is about. */
function credential(about: Partial<StoredCredential> = {}): StoredCredential {
  return {
    id: "cred_a",
    tenantId: "ten_a",
    name: "Splunk HEC",
    type: "api_key",
    managedBy: null,
    fields: ["api_key"],
    sealed: "v2.one",
    previousSealed: null,
    previousUntil: null,
    version: 1,
    createdAt: 1_000,
    updatedAt: 1_000,
    rotatedAt: null,
    ...about,
  };
}

/** A destination that uses it. */
const user = (id: string) => destination({ id, credentialId: "cred_a", credentialIsShared: true });

beforeEach(async () => {
  for (const table of ["destinations", "credentials", "tenant_keys", "relay_keys", "api_keys", "tenants"]) {
    await env.DB.exec(`DELETE FROM ${table}`);
  }
  const tenants = createTenantStore(env.DB);
  await tenants.insert({ id: "ten_a", name: "A", createdAt: 1 });
  await tenants.insert({ id: "ten_b", name: "B", createdAt: 1 });
});

describe("credentials", () => {
  it("are read as they were written, and are invisible to every other tenant", async ({ expect }) => {
    const full = credential({ previousSealed: "v2.zero", previousUntil: 9, rotatedAt: 5, version: 2 });
    await credentials.insert(full);
    expect(await credentials.get("ten_a", "cred_a")).toEqual(full);
    expect(await credentials.get("ten_b", "cred_a")).toBeNull();
    expect((await credentials.page("ten_b", first)).items).toEqual([]);
    expect(await credentials.users("ten_b", ["cred_a"])).toEqual([]);
    expect(await credentials.rotate(credential({ tenantId: "ten_b", version: 3 }), 2)).toBe(false);
    expect(await credentials.remove("ten_b", "cred_a")).toBe(false);
    expect(await credentials.get("ten_a", "cred_a")).toEqual(full);
  });

  it("are not deleted while a destination uses them", async ({ expect }) => {
    await credentials.insert(credential());
    await destinations.insert(user("siem_1"));
    expect(await credentials.users("ten_a", ["cred_a"])).toMatchObject([
      { id: "siem_1", credentialId: "cred_a" },
    ]);
    expect(await credentials.remove("ten_a", "cred_a")).toBe(false);
    await destinations.markDeleted("ten_a", "siem_1", 5);
    expect(await credentials.remove("ten_a", "cred_a")).toBe(true);
    expect(await credentials.remove("ten_a", "cred_a")).toBe(false);
    // Its dead letters are still read by the destination's id.
    expect(await destinations.get("ten_a", "siem_1")).toMatchObject({ deletedAt: 5, sealedSecrets: "" });
  });

  it("that are rotated move their destinations on by a revision, and only theirs", async ({ expect }) => {
    await credentials.insert(credential());
    await destinations.insert(user("siem_1"));
    await destinations.insert(destination({ id: "siem_2" }));
    const rotated = credential({ sealed: "v2.two", previousSealed: "v2.one", previousUntil: 99, version: 2 });
    expect(await credentials.rotate(rotated, 1)).toBe(true);
    expect(await destinations.get("ten_a", "siem_1")).toMatchObject({
      revision: 2,
      sealedSecrets: "v2.two",
      sealedPreviousSecrets: "v2.one",
      previousSecretsUntil: 99,
    });
    expect(await destinations.get("ten_a", "siem_2")).toMatchObject({
      revision: 1,
      sealedSecrets: "v2.sealed",
    });
  });

  it("are rotated only over the version that was read", async ({ expect }) => {
    await credentials.insert(credential());
    await destinations.insert(user("siem_1"));
    expect(await credentials.rotate(credential({ sealed: "v2.two", version: 2 }), 1)).toBe(true);
    expect(await credentials.rotate(credential({ sealed: "v2.three", version: 2 }), 1)).toBe(false);
    expect(await destinations.get("ten_a", "siem_1")).toMatchObject({ revision: 2, sealedSecrets: "v2.two" });
  });

  it("forget what they held before a rotation once its time is over", async ({ expect }) => {
    await credentials.insert(credential({ previousSealed: "v2.zero", previousUntil: 10 }));
    await credentials.insert(credential({ id: "cred_b", previousSealed: "v2.zero", previousUntil: 11 }));
    expect(await credentials.forgetPrevious(10)).toBe(1);
    expect(await credentials.get("ten_a", "cred_a")).toMatchObject({
      previousSealed: null,
      previousUntil: null,
    });
    expect(await credentials.get("ten_a", "cred_b")).toMatchObject({ previousSealed: "v2.zero" });
  });
});

describe("the credential that a destination manages", () => {
  it("comes with it, changes with it, and dies with it", async ({ expect }) => {
    await destinations.insert(destination());
    expect(await credentials.get("ten_a", "cred_1")).toMatchObject({ managedBy: "siem_1", version: 1 });
    await destinations.update(destination({ sealedSecrets: "v2.new", revision: 2 }), 1);
    expect(await credentials.get("ten_a", "cred_1")).toMatchObject({ sealed: "v2.new", version: 2 });
    await destinations.update(destination({ sealedSecrets: "v2.new", name: "Renamed", revision: 3 }), 2);
    expect(await credentials.get("ten_a", "cred_1")).toMatchObject({ version: 2, name: "Renamed" });
    await destinations.forgetSecrets("ten_a", "siem_1");
    expect(await credentials.get("ten_a", "cred_1")).not.toBeNull(); // it is not deleted yet
    await destinations.markDeleted("ten_a", "siem_1", 9);
    await destinations.forgetSecrets("ten_a", "siem_1");
    expect(await credentials.get("ten_a", "cred_1")).toBeNull();
  });

  it("is not written when the destination is not", async ({ expect }) => {
    await destinations.insert(destination());
    expect(await destinations.update(destination({ sealedSecrets: "v2.late", revision: 2 }), 7)).toBe(false);
    expect(await credentials.get("ten_a", "cred_1")).toMatchObject({ sealed: "v2.sealed" });
  });

  it("gives way to one of the vault, and comes back as another", async ({ expect }) => {
    await credentials.insert(credential());
    await destinations.insert(destination());
    expect(await destinations.update({ ...user("siem_1"), revision: 2 }, 1)).toBe(true);
    expect(await credentials.get("ten_a", "cred_1")).toBeNull();
    expect(await destinations.get("ten_a", "siem_1")).toMatchObject({
      credentialIsShared: true,
      sealedSecrets: "v2.one",
    });
    const own = destination({ credentialId: "cred_own", sealedSecrets: "v2.own", revision: 3 });
    expect(await destinations.update(own, 2)).toBe(true);
    expect(await destinations.get("ten_a", "siem_1")).toMatchObject({ sealedSecrets: "v2.own" });
    expect(await credentials.get("ten_a", "cred_a")).not.toBeNull();
  });

  it("can be neither another tenant's nor one that is gone", async ({ expect }) => {
    await credentials.insert(credential({ tenantId: "ten_b" }));
    expect(await destinations.insert(user("siem_1"))).toBe(false);
    expect(await destinations.get("ten_a", "siem_1")).toBeNull();
    await destinations.insert(destination());
    expect(await destinations.update({ ...user("siem_1"), revision: 2 }, 1)).toBe(false);
  });
});

describe("wrapped keys", () => {
  const key = {
    id: "tkey_1",
    tenantId: "ten_a",
    algorithm: "ML-KEM-768",
    version: 1,
    publicKey: "cHVibGlj",
    wrapped: "w1.a.b",
    wrappedBy: "root:11111111",
    createdAt: 5,
  } as const;

  it("of a tenant are written once for each version", async ({ expect }) => {
    const store = createTenantKeyStore(env.DB);
    await store.insertIfAbsent(key);
    await store.insertIfAbsent({ ...key, id: "tkey_2", wrapped: "w1.c.d" });
    await store.insertIfAbsent({ ...key, id: "tkey_3", version: 2 });
    expect(await store.get("ten_a", "ML-KEM-768", 1)).toEqual(key);
    expect((await store.newest("ten_a", "ML-KEM-768"))?.version).toBe(2);
    expect(await store.newest("ten_a", "ML-DSA-65")).toBeNull();
    expect(await store.newest("ten_b", "ML-KEM-768")).toBeNull();
    expect((await store.all("ten_a", "ML-KEM-768")).map(({ version }) => version)).toEqual([2, 1]);
  });

  it("are found by whose wrapping they are not, and wrapped anew only over what was read", async ({
    expect,
  }) => {
    const store = createTenantKeyStore(env.DB);
    await store.insertIfAbsent(key);
    await store.insertIfAbsent({ ...key, id: "tkey_2", version: 2, wrappedBy: "kms:arn" });
    expect((await store.notWrappedBy("root:11111111", 10)).map(({ id }) => id)).toEqual(["tkey_2"]);
    expect(await store.countNotWrappedBy("root:2")).toBe(2);
    await store.rewrap({ ...key, wrapped: "w1.other" }, { wrapped: "w1.x", wrappedBy: "root:2" });
    expect(await store.countNotWrappedBy("root:2")).toBe(2);
    await store.rewrap(key, { wrapped: "w1.x", wrappedBy: "root:2" });
    expect(await store.countNotWrappedBy("root:2")).toBe(1);
  });

  it("of the relay are written once", async ({ expect }) => {
    const store = createRelayKeyStore(env.DB);
    const relay = { name: "relay-secret", wrapped: "w1.a.b", wrappedBy: "root:1", createdAt: 5 };
    await store.insertIfAbsent(relay);
    await store.insertIfAbsent({ ...relay, wrapped: "w1.c.d" });
    expect(await store.get("relay-secret")).toEqual(relay);
    await store.rewrap(relay, { wrapped: "w1.x", wrappedBy: "root:2" });
    expect(await store.notWrappedBy("root:2", 10)).toEqual([]);
  });
});

describe("texts of the first format", () => {
  it("are found, sealed anew in place, and their lanes are made to notice", async ({ expect }) => {
    await destinations.insert(destination({ sealedSecrets: "v1.old" }));
    await credentials.insert(credential({ sealed: "v2.new", previousSealed: "v1.before", previousUntil: 9 }));
    await credentials.insert(credential({ id: "cred_b" }));
    const old = createOldTextStore(env.DB);
    const texts = await old.some(10);
    expect(
      texts.map(({ binding, sealed }) => [binding.recordId, binding.purpose, sealed]).toSorted(),
    ).toEqual([
      ["cred_a", "credential", "v1.before"],
      ["siem_1", "destination-secrets", "v1.old"],
    ]);
    for (const text of texts) await text.replace(`v2.${text.sealed}`);
    expect(await old.count()).toBe(0);
    expect(await destinations.get("ten_a", "siem_1")).toMatchObject({
      revision: 2,
      sealedSecrets: "v2.v1.old",
    });
    expect(await credentials.get("ten_a", "cred_a")).toMatchObject({
      sealed: "v2.new",
      previousSealed: "v2.v1.before",
    });
  });
});

describe("the migration", () => {
  it("makes a credential of every destination's secrets, deleted ones included", async ({ expect }) => {
    const stub = env.LANES.getByName(`migration-${crypto.randomUUID()}`);
    await runInDurableObject(stub, (_, { storage: { sql } }) => {
      const apply = (isWanted: (name: string) => boolean): void => {
        for (const { name, queries } of env.TEST_MIGRATIONS.filter(({ name }) => isWanted(name))) {
          for (const query of queries) if (query.trim() !== "") sql.exec(query);
          expect(name).toMatch(/^\d{4}_/);
        }
      };
      apply((name) => name < "0004");
      sql.exec("INSERT INTO tenants VALUES ('ten_a', 'A', 1)");
      const row = "'ten_a', 'splunk', 'SOC', 'https://a', 1, '{}', '[]', '[]', 'v1.k.n.c', 3, 10, 20, NULL";
      sql.exec(`INSERT INTO destinations VALUES ('siem_0123', ${row}, NULL, 'active', NULL)`);
      sql.exec(`INSERT INTO destinations VALUES ('siem_4567', ${row}, 30, 'active', NULL)`);
      apply((name) => name.startsWith("0004"));
      expect(sql.exec("SELECT id, credential_id, origin FROM destinations ORDER BY id").toArray()).toEqual([
        { id: "siem_0123", credential_id: "cred_0123", origin: null },
        { id: "siem_4567", credential_id: "cred_4567", origin: null },
      ]);
      expect(sql.exec("SELECT * FROM credentials WHERE id = 'cred_0123'").toArray()).toEqual([
        {
          id: "cred_0123",
          tenant_id: "ten_a",
          name: "SOC",
          credential_type: "destination",
          managed_by: "siem_0123",
          fields: "[]",
          sealed: "v1.k.n.c",
          previous_sealed: null,
          previous_until: null,
          version: 1,
          created_at: 10,
          updated_at: 20,
          rotated_at: null,
        },
      ]);
    });
  });
});
