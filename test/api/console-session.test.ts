import { describe, it } from "vitest";
import { minutes } from "../../src/base/clock.ts";
import { ADMIN_TOKEN, FakeApi, type FetchOptions } from "../support/fake-api.ts";

/** Somebody signed in: their cookie, and what the page was told. */
async function signIn(api: FakeApi, credential: string) {
  const answer = await api.json("POST", "/console/session", { body: { credential } });
  const setCookie = answer.headers.get("set-cookie") ?? "";
  const cookie = setCookie.split(";")[0] ?? "";
  const csrf = String(answer.body["csrf_token"]);
  /** A request as the console's page makes it. */
  const ask = (method: string, path: string, options: FetchOptions = {}) =>
    api.json(method, path, { ...options, headers: { cookie, "x-csrf-token": csrf, ...options.headers } });
  return { answer, setCookie, cookie, csrf, ask };
}

async function tenant(api: FakeApi, id = "ten_a") {
  await api.tenants.insert({ id, name: `Tenant ${id}`, createdAt: api.at });
}

describe("signing in", () => {
  it("exchanges a key for a cookie that scripts and other sites cannot use", async ({ expect }) => {
    const api = new FakeApi();
    await tenant(api);
    const { answer, setCookie } = await signIn(api, api.key("ten_a", ["destinations:read"]));
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      kind: "key",
      tenant: { id: "ten_a", name: "Tenant ten_a" },
      scopes: ["destinations:read"],
    });
    expect(setCookie).toMatch(
      /^__Host-sluice_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; .*Secure$/,
    );
    expect(api.acts).toMatchObject([{ action: "console.sign_in", tenantId: "ten_a", actorId: "key_ten_a" }]);
  });

  it("keeps neither the key nor the cookie", async ({ expect }) => {
    const api = new FakeApi();
    const key = api.key("ten_a");
    const { cookie } = await signIn(api, key);
    const stored = JSON.stringify([...api.sessions.rows]);
    expect(stored).not.toContain(key);
    expect(stored).not.toContain(cookie.split("=")[1]);
  });

  it.for(["sl_live_unknown_key_unknown_key_unknown_key", "not-the-operator", ADMIN_TOKEN.slice(1)])(
    "is refused with %s",
    async (credential, { expect }) => {
      const { answer, setCookie } = await signIn(new FakeApi(), credential);
      expect([answer.status, answer.body["code"], setCookie]).toEqual([401, "unauthenticated", ""]);
    },
  );
});

describe("a session", () => {
  it("may do what its key may, and no more", async ({ expect }) => {
    const api = new FakeApi();
    const { ask } = await signIn(api, api.key("ten_a", ["destinations:read"]));
    expect((await ask("GET", "/v1/audit/siem")).status).toBe(200);
    const refused = await ask("POST", "/v1/audit/siem", { body: {} });
    expect([refused.status, refused.body["code"]]).toEqual([403, "missing_scope"]);
  });

  it("changes nothing for a page of another site: without the token that only ours was told", async ({
    expect,
  }) => {
    const api = new FakeApi();
    const { ask, cookie } = await signIn(api, api.key("ten_a"));
    for (const token of ["", "wrong"]) {
      const answer = await ask("POST", "/v1/keys", {
        body: { name: "mine", scopes: ["*"] },
        headers: { "x-csrf-token": token },
      });
      expect([answer.status, answer.body["code"]]).toEqual([403, "operation_not_allowed"]);
    }
    expect(api.keys.rows.size).toBe(0);
    expect((await api.json("DELETE", "/console/session", { headers: { cookie } })).status).toBe(403);
    expect((await ask("GET", "/console/session")).status).toBe(200);
  });

  it("ends after an hour without an act, whatever the page asks for by itself", async ({ expect }) => {
    const api = new FakeApi();
    const { ask } = await signIn(api, api.key("ten_a"));
    const background = { headers: { "x-sluice-background": "1" } };
    for (let i = 0; i < 5; i += 1) {
      api.at += minutes(10);
      expect((await ask("GET", "/v1/audit/siem", background)).status).toBe(200);
    }
    api.at += minutes(10);
    expect((await ask("GET", "/v1/audit/siem")).status).toBe(401);
  });

  it("goes on while somebody acts, for 12 hours and no longer", async ({ expect }) => {
    const api = new FakeApi();
    const { ask } = await signIn(api, api.key("ten_a"));
    for (let i = 0; i < 14; i += 1) {
      api.at += minutes(50);
      expect((await ask("GET", "/console/session")).status).toBe(200);
    }
    api.at += minutes(30);
    expect((await ask("GET", "/console/session")).status).toBe(401);
  });

  it("ends with its key", async ({ expect }) => {
    const api = new FakeApi();
    const key = api.key("ten_a");
    const { ask } = await signIn(api, key);
    api.principals.delete(key);
    expect((await ask("GET", "/v1/audit/siem")).status).toBe(401);
  });

  it("ends when one signs out, and the browser forgets the cookie", async ({ expect }) => {
    const api = new FakeApi();
    const { ask } = await signIn(api, api.key("ten_a"));
    const out = await ask("DELETE", "/console/session");
    expect([out.status, out.headers.get("set-cookie")]).toEqual([204, expect.stringContaining("Max-Age=0")]);
    expect((await ask("GET", "/console/session")).status).toBe(401);
  });

  it("ends everywhere at once, for that key alone", async ({ expect }) => {
    const api = new FakeApi();
    const mine = api.key("ten_a");
    const [desk, phone] = [await signIn(api, mine), await signIn(api, mine)];
    const other = await signIn(api, api.key("ten_a", ["audit:read"]));
    const out = await desk.ask("DELETE", "/console/sessions");
    expect([out.status, out.body]).toEqual([200, { ended: 2 }]);
    expect((await phone.ask("GET", "/console/session")).status).toBe(401);
    expect((await other.ask("GET", "/console/session")).status).toBe(200);
  });

  it("is nothing beside a key: whoever shows one is that key", async ({ expect }) => {
    const api = new FakeApi();
    const { ask } = await signIn(api, api.key("ten_a"));
    const answer = await ask("GET", "/v1/audit/siem", { headers: { "x-api-key": "sl_live_wrong" } });
    expect(answer.status).toBe(401);
  });
});

describe("the operator", () => {
  it("manages tenants, and is outside all of them at first", async ({ expect }) => {
    const api = new FakeApi();
    const { ask, answer } = await signIn(api, ADMIN_TOKEN);
    expect(answer.body).toMatchObject({ kind: "operator", tenant: null });
    expect((await ask("GET", "/v1/tenants")).status).toBe(200);
    expect((await ask("GET", "/v1/audit/siem")).status).toBe(403);
    expect(api.acts).toEqual([]);
  });

  it("enters a tenant, which the tenant's stream tells, and leaves it", async ({ expect }) => {
    const api = new FakeApi();
    await tenant(api);
    const { ask } = await signIn(api, ADMIN_TOKEN);
    const entered = await ask("POST", "/console/session/tenant", { body: { tenant_id: "ten_a" } });
    expect(entered.body).toMatchObject({ kind: "operator", tenant: { id: "ten_a" } });
    expect((await ask("GET", "/v1/audit/siem")).status).toBe(200);
    expect((await ask("GET", "/v1/tenants")).status).toBe(200);
    expect(api.acts).toMatchObject([{ action: "console.enter", tenantId: "ten_a", actorId: "operator" }]);
    await ask("POST", "/console/session/tenant", { body: { tenant_id: null } });
    expect((await ask("GET", "/v1/audit/siem")).status).toBe(403);
  });

  it("cannot enter what does not exist, and a key cannot enter at all", async ({ expect }) => {
    const api = new FakeApi();
    await tenant(api, "ten_b");
    const operator = await signIn(api, ADMIN_TOKEN);
    const body = { tenant_id: "ten_nowhere" };
    expect((await operator.ask("POST", "/console/session/tenant", { body })).status).toBe(404);
    const key = await signIn(api, api.key("ten_a"));
    const refused = await key.ask("POST", "/console/session/tenant", { body: { tenant_id: "ten_b" } });
    expect(refused.status).toBe(403);
    expect((await key.ask("GET", "/console/session")).body).not.toMatchObject({ tenant: { id: "ten_b" } });
  });
});

describe("the console's page", () => {
  it("allows nothing but its own files to act, and no frame", async ({ expect }) => {
    const page = await new FakeApi().fetch("GET", "/console");
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(policy).not.toContain("http");
  });

  it.for(["../index.html", "..%2findex.html", "x.txt", "nothing.js"])(
    "gives no other file than its own: %s",
    async (name, { expect }) => {
      expect((await new FakeApi().fetch("GET", `/console/assets/${name}`)).status).toBe(404);
    },
  );
});
