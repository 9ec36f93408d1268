import { env } from "cloudflare:workers";
import { beforeEach, describe, it } from "vitest";
import type { PublicKey } from "../../src/model/public-key.ts";
import { createPublicKeyStore } from "../../src/store/public-keys.ts";
import { createTenantStore } from "../../src/store/tenants.ts";

const keys = createPublicKeyStore(env.DB);

const key = (about: Partial<PublicKey> = {}): PublicKey => ({
  id: "pk_1",
  tenantId: "ten_a",
  apiKeyId: "key_a",
  name: "laptop",
  publicKey: "AAAA",
  createdAt: 10,
  ...about,
});

beforeEach(async () => {
  await env.DB.exec("DELETE FROM public_keys");
  await env.DB.exec("INSERT OR IGNORE INTO tenants (id, name, created_at) VALUES ('ten_a', 'A', 1)");
  await env.DB.exec("INSERT OR IGNORE INTO tenants (id, name, created_at) VALUES ('ten_b', 'B', 1)");
});

describe("public keys", () => {
  it("come back as they were registered", async ({ expect }) => {
    expect(await keys.register(key())).toEqual(key());
    expect(await keys.get("ten_a", "pk_1")).toEqual(key());
  });

  it("serve the API key that registered them: the newest one, and no other key's", async ({ expect }) => {
    await keys.register(key());
    await keys.register(key({ id: "pk_2", publicKey: "BBBB", createdAt: 20 }));
    await keys.register(key({ id: "pk_3", apiKeyId: "key_b", publicKey: "CCCC", createdAt: 30 }));
    expect((await keys.newest("ten_a", "key_a"))?.id).toBe("pk_2");
    expect((await keys.newest("ten_a", "key_b"))?.id).toBe("pk_3");
    expect(await keys.newest("ten_a", "key_c")).toBeNull();
    expect([await keys.count("ten_a", "key_a"), await keys.count("ten_a", "key_c")]).toEqual([2, 0]);
  });

  it("become the newest again when they are registered again, under the id that they have", async ({
    expect,
  }) => {
    await keys.register(key());
    await keys.register(key({ id: "pk_2", publicKey: "BBBB", createdAt: 20 }));
    const again = await keys.register(key({ id: "pk_9", name: "desktop", createdAt: 30 }));
    expect(again).toEqual(key({ name: "desktop", createdAt: 30 }));
    expect((await keys.newest("ten_a", "key_a"))?.id).toBe("pk_1");
    expect(await keys.count("ten_a", "key_a")).toBe(2);
  });

  it("are nobody's but their tenant's", async ({ expect }) => {
    await keys.register(key());
    expect(await keys.get("ten_b", "pk_1")).toBeNull();
    expect(await keys.newest("ten_b", "key_a")).toBeNull();
    expect(await keys.remove("ten_b", "pk_1")).toBe(false);
    expect((await keys.page("ten_b", { limit: 10, cursor: null })).items).toEqual([]);
    // The same bytes may be registered by two tenants, who cannot tell.
    await keys.register(key({ id: "pk_2", tenantId: "ten_b" }));
    expect((await keys.get("ten_b", "pk_2"))?.tenantId).toBe("ten_b");
  });

  it("are listed newest first, page by page", async ({ expect }) => {
    for (const at of [1, 2, 3]) {
      await keys.register(key({ id: `pk_${at}`, publicKey: `AAA${at}`, createdAt: at }));
    }
    const first = await keys.page("ten_a", { limit: 2, cursor: null });
    const second = await keys.page("ten_a", { limit: 2, cursor: first.next });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(["pk_3", "pk_2", "pk_1"]);
    expect(second.next).toBeNull();
  });

  it("are gone once they are removed", async ({ expect }) => {
    await keys.register(key());
    expect(await keys.remove("ten_a", "pk_1")).toBe(true);
    expect(await keys.remove("ten_a", "pk_1")).toBe(false);
    expect(await keys.newest("ten_a", "key_a")).toBeNull();
  });

  it("belong to a tenant that exists", async ({ expect }) => {
    await expect(keys.register(key({ tenantId: "ten_none" }))).rejects.toThrow();
    expect(await createTenantStore(env.DB).get("ten_none")).toBeNull();
  });
});
