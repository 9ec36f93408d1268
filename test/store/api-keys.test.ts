import { env } from "cloudflare:workers";
import { beforeEach, describe, it } from "vitest";
import type { ApiKey } from "../../src/model/tenant.ts";
import { createApiKeyStore } from "../../src/store/api-keys.ts";
import { createTenantStore } from "../../src/store/tenants.ts";

const keys = createApiKeyStore(env.DB);

const key = (about: Partial<ApiKey> = {}): ApiKey => ({
  id: "key_1",
  tenantId: "ten_a",
  name: "billing",
  scopes: ["events:write", "audit:read"],
  prefix: "sl_live_AbCd",
  requireSignature: true,
  createdAt: 10,
  expiresAt: 20,
  revokedAt: null,
  ...about,
});

beforeEach(async () => {
  await env.DB.exec("DELETE FROM api_keys");
  await env.DB.exec("DELETE FROM tenants");
  const tenants = createTenantStore(env.DB);
  await tenants.insert({ id: "ten_a", name: "A", createdAt: 1 });
  await tenants.insert({ id: "ten_b", name: "B", createdAt: 1 });
});

describe("keys", () => {
  it("are found by their hash, with the sealed signing secret", async ({ expect }) => {
    await keys.insert(key(), { hash: "abc", sealedSigningSecret: "v1.x" });
    expect(await keys.findByHash("abc")).toEqual({ ...key(), sealedSigningSecret: "v1.x" });
    expect(await keys.findByHash("abd")).toBeNull();
  });

  it("cannot share a hash", async ({ expect }) => {
    await keys.insert(key(), { hash: "abc", sealedSigningSecret: null });
    const again = keys.insert(key({ id: "key_2" }), { hash: "abc", sealedSigningSecret: null });
    await expect(again).rejects.toThrow();
  });

  it("are listed and revoked only by their own tenant", async ({ expect }) => {
    await keys.insert(key(), { hash: "abc", sealedSigningSecret: null });
    expect((await keys.page("ten_b", { limit: 10, cursor: null })).items).toEqual([]);
    expect(await keys.revoke("ten_b", "key_1", 50)).toBe(false);
    expect((await keys.findByHash("abc"))?.revokedAt).toBeNull();
    expect(await keys.revoke("ten_a", "key_1", 50)).toBe(true);
  });

  it("keep the first moment of revocation, stay findable and leave the list", async ({ expect }) => {
    await keys.insert(key(), { hash: "abc", sealedSigningSecret: null });
    expect(await keys.revoke("ten_a", "key_1", 50)).toBe(true);
    expect(await keys.revoke("ten_a", "key_1", 60)).toBe(true);
    expect((await keys.findByHash("abc"))?.revokedAt).toBe(50);
    expect((await keys.page("ten_a", { limit: 10, cursor: null })).items).toEqual([]);
  });
});
