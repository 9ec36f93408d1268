import { describe, it } from "vitest";
import { ADMIN_TOKEN, FakeApi, NOW } from "../support/fake-api.ts";

const operator = { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } };

function start() {
  const api = new FakeApi();
  const key = api.key("ten_a");
  const call = (method: string, path: string, body?: unknown) =>
    api.json(method, path, { key, ...(body === undefined ? {} : { body }) });
  return { api, key, call };
}

describe("the operator", () => {
  it("makes a tenant and its first key", async ({ expect }) => {
    const { api } = start();
    const tenant = await api.json("POST", "/v1/tenants", { ...operator, body: { name: "Acme" } });
    expect(tenant.status).toBe(201);
    expect(tenant.body).toEqual({
      id: expect.stringMatching(/^ten_[0-9a-f]{32}$/),
      name: "Acme",
      created_at: "2026-06-30T12:00:00.000Z",
    });
    expect((await api.json("GET", "/v1/tenants", operator)).body.data).toEqual([tenant.body]);
    const path = `/v1/tenants/${tenant.body["id"]}/keys`;
    const key = await api.json("POST", path, { ...operator, body: { name: "first", scopes: ["*"] } });
    expect(key.status).toBe(201);
    expect(key.body).toMatchObject({
      id: expect.stringMatching(/^key_/),
      key: "sl_live_minted1",
      name: "first",
      scopes: ["*"],
      require_signature: false,
      expires_at: null,
    });
    const [stored] = api.keys.rows.values();
    expect(stored).toMatchObject({ tenantId: tenant.body["id"], hash: "hash1", sealedSigningSecret: null });
    expect(JSON.stringify(stored)).not.toContain("sl_live_minted1");
  });

  it("cannot make a key for a tenant that is not there", async ({ expect }) => {
    const { api } = start();
    const body = { name: "k", scopes: ["*"] };
    expect((await api.json("POST", "/v1/tenants/ten_none/keys", { ...operator, body })).status).toBe(404);
  });

  it("is told what is wrong with a tenant", async ({ expect }) => {
    const { api } = start();
    for (const body of [
      {},
      { name: "" },
      { name: "  " },
      { name: 5 },
      { name: "x".repeat(201) },
      { nam: "x" },
    ]) {
      expect((await api.json("POST", "/v1/tenants", { ...operator, body })).status).toBe(422);
    }
  });
});

describe("a tenant's keys", () => {
  it("are shown once, and listed without the key", async ({ expect }) => {
    const { call } = start();
    const made = await call("POST", "/v1/keys", {
      name: "billing",
      scopes: ["events:write", "events:write"],
      expires_at: "2027-01-01T00:00:00+01:00",
    });
    expect(made.body).toMatchObject({
      key: "sl_live_minted1",
      scopes: ["events:write"],
      expires_at: "2026-12-31T23:00:00.000Z",
    });
    expect(made.body).not.toHaveProperty("signing_secret");
    const { body, text } = await call("GET", "/v1/keys");
    expect(body.data).toMatchObject([{ id: made.body["id"], name: "billing", prefix: "sl_live_mint" }]);
    expect(text).not.toContain("sl_live_minted1");
  });

  it("that require signatures come with a signing secret, which is stored sealed", async ({ expect }) => {
    const { api, call } = start();
    const made = await call("POST", "/v1/keys", {
      name: "k",
      scopes: ["events:write"],
      require_signature: true,
    });
    expect(made.body).toMatchObject({
      require_signature: true,
      signing_secret: "whsec_c2lnbmluZy1zZWNyZXQ=",
    });
    const [stored] = api.keys.rows.values();
    const binding = {
      tenantId: "ten_a",
      recordId: String(made.body["id"]),
      purpose: "signing-secret",
    } as const;
    expect(await api.deps.open(binding, stored?.sealedSigningSecret ?? "")).toEqual({
      ok: true,
      value: "whsec_c2lnbmluZy1zZWNyZXQ=",
    });
    expect((await call("GET", "/v1/keys")).text).not.toContain("whsec_");
    expect(JSON.stringify([api.acts, api.logged])).not.toMatch(/whsec_|minted/);
  });

  it("cannot grant what they lack", async ({ expect }) => {
    const { api } = start();
    const key = api.key("ten_a", ["keys:write", "events:write"]);
    const ask = (scopes: string[]) => api.json("POST", "/v1/keys", { key, body: { name: "k", scopes } });
    expect((await ask(["events:write"])).status).toBe(201);
    const refused = await ask(["events:write", "vault:unseal", "*"]);
    expect([refused.status, refused.body["code"]]).toEqual([403, "missing_scope"]);
    expect(refused.body["detail"]).toContain("vault:unseal, *");
  });

  it("are refused with the fault named", async ({ expect }) => {
    const { call } = start();
    const fault = async (about: Record<string, unknown>) => {
      const { status, body } = await call("POST", "/v1/keys", {
        name: "k",
        scopes: ["events:write"],
        ...about,
      });
      return `${status} ${body.errors.map(({ path }) => path).join()}`;
    };
    expect(await fault({ scopes: ["root"] })).toBe("422 scopes.0");
    expect(await fault({ scopes: [] })).toBe("422 scopes");
    expect(await fault({ scopes: "*" })).toBe("422 scopes");
    expect(await fault({ expires_at: new Date(NOW).toISOString() })).toBe("422 expires_at");
    expect(await fault({ expires_at: "tomorrow" })).toBe("422 expires_at");
    expect(await fault({ requires_signature: true })).toBe("422 requires_signature");
    expect(await fault({ require_signature: "true" })).toBe("422 require_signature");
  });

  it("are revoked, and revoking again changes nothing", async ({ expect }) => {
    const { api, call } = start();
    const { body } = await call("POST", "/v1/keys", { name: "k", scopes: ["*"] });
    const revoke = () => api.fetch("DELETE", `/v1/keys/${body["id"]}`, { key: api.key("ten_a") });
    const first = await revoke();
    expect([first.status, await first.text()]).toEqual([204, ""]);
    expect((await revoke()).status).toBe(204);
    expect((await call("DELETE", "/v1/keys/key_none")).status).toBe(404);
    expect((await call("GET", "/v1/keys")).body.data).toEqual([]);
    expect(api.acts.map(({ action }) => action)).toContain("api-key.delete");
  });

  it("make the relay forget what it believed", async ({ expect }) => {
    let changes = 0;
    const api = new FakeApi({
      keysChanged: () => {
        changes += 1;
      },
    });
    const key = api.key("ten_a");
    const { body } = await api.json("POST", "/v1/keys", { key, body: { name: "k", scopes: ["*"] } });
    await api.fetch("DELETE", `/v1/keys/${body["id"]}`, { key });
    expect(changes).toBe(2);
  });
});
