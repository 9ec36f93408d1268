import { describe, it } from "vitest";
import { Unavailable } from "../../src/base/errors.ts";
import type { Provider } from "../../src/model/provider.ts";
import { splunkBody } from "../support/builders.ts";
import { FakeApi, type FetchOptions } from "../support/fake-api.ts";

const TOKEN = "hec-token-0123456789";

function start(overrides: ConstructorParameters<typeof FakeApi>[0] = {}) {
  const api = new FakeApi(overrides);
  const key = api.key("ten_a");
  const call = (method: string, path: string, body?: unknown, options: FetchOptions = {}) =>
    api.json(method, path, { key, ...(body === undefined ? {} : { body }), ...options });
  const seal = async (about: Record<string, unknown> = {}) =>
    String(
      (
        await call("POST", "/api/v2/vault/seal", {
          name: "Splunk HEC",
          credential_type: "api_key",
          values: { api_key: TOKEN },
          ...about,
        })
      ).body["credential_id"],
    );
  const use = async (credential_id: string, about: Record<string, unknown> = {}) => {
    const { token: _, ...body } = splunkBody({ credential_id, ...about });
    return call("POST", "/v1/audit/siem", body);
  };
  return { api, key, call, seal, use };
}

/** The secrets that a provider was last connected with. */
function watching() {
  const seen: unknown[] = [];
  const watch = (provider: Provider): Provider => ({
    ...provider,
    connect: (input) => {
      seen.push(input.secrets);
      return provider.connect(input);
    },
  });
  const { providers } = new FakeApi().deps;
  return { seen, providers: providers.map(watch) };
}

const refused = {
  ok: false,
  latencyMs: 5,
  httpStatus: 403,
  providerCode: 4,
  message: "The HEC token was refused.",
  hint: "Copy the token from Settings → Data inputs.",
  acknowledgement: null,
  checks: [],
};
const unreachable = { ...refused, httpStatus: null, providerCode: null, message: "No answer", hint: null };

describe("sealing", () => {
  it("answers what a person may know, and never a value", async ({ expect }) => {
    const { call, api } = start();
    const { status, body, text, headers } = await call("POST", "/api/v2/vault/seal", {
      name: "Datadog",
      credential_type: "api_key",
      values: { api_key: TOKEN, app_key: "app-0123456789" },
    });
    const id = String(body["credential_id"]);
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`/api/v2/vault/credentials/${id}`);
    expect(body).toEqual({
      credential_id: expect.stringMatching(/^cred_[0-9a-f]{32}$/),
      name: "Datadog",
      credential_type: "api_key",
      fields: ["api_key", "app_key"],
      version: 1,
      managed_by: null,
      used_by: [],
      created_at: "2026-06-30T12:00:00.000Z",
      updated_at: "2026-06-30T12:00:00.000Z",
      rotated_at: null,
      previous_until: null,
    });
    expect(text).not.toContain(TOKEN);
    expect(api.acts).toMatchObject([{ action: "vault.seal", resourceType: "credential", resourceId: id }]);
    expect(JSON.stringify(api.acts)).not.toContain(TOKEN);
  });

  const fitting: readonly (readonly [string, Record<string, unknown>])[] = [
    ["api_key", { token: "t" }],
    ["basic", { username: "u", password: "p" }],
    ["bearer", { token: "t" }],
    ["oauth2_client", { client_id: "c", client_secret: "s", token_url: "https://idp.example.com/token" }],
    ["aws", { access_key_id: "AKIA", secret_access_key: "s" }],
    ["hmac", { secret: "s" }],
  ];
  it.for(fitting)("takes a credential of type %s", async ([credential_type, values], { expect }) => {
    const { call } = start();
    const { status } = await call("POST", "/api/v2/vault/seal", { name: "n", credential_type, values });
    expect(status).toBe(201);
  });

  const faulty: readonly (readonly [string, Record<string, unknown>, readonly string[]])[] = [
    ["nothing", {}, ["name", "credential_type", "values"]],
    ["an unknown type", { name: "n", credential_type: "password", values: {} }, ["credential_type"]],
    ["no value", { name: "n", credential_type: "api_key", values: {} }, ["values"]],
    [
      "a missing value",
      { name: "n", credential_type: "basic", values: { username: "u" } },
      ["values.password"],
    ],
    ["a number", { name: "n", credential_type: "api_key", values: { api_key: 5 } }, ["values.api_key"]],
    [
      "a misspelt field",
      { name: "n", credential_type: "hmac", values: { secret: "s" }, value: 1 },
      ["value"],
    ],
    ["an odd name", { name: "n", credential_type: "api_key", values: { "Api Key": "k" } }, ["values"]],
  ];
  it.for(faulty)("refuses %s, naming the field", async ([, body, paths], { expect }) => {
    const { call, api } = start();
    const answer = await call("POST", "/api/v2/vault/seal", body);
    expect([answer.status, answer.body.errors.map(({ path }) => path)]).toEqual([422, paths]);
    expect(api.credentials.rows.size).toBe(0);
  });

  it("is answered 503 while the operator's key is out of reach", async ({ expect }) => {
    const { call } = start({ seal: () => Promise.reject(new Unavailable("KMS")) });
    const body = { name: "n", credential_type: "api_key", values: { api_key: TOKEN } };
    const { status, headers, text } = await call("POST", "/api/v2/vault/seal", body);
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
    expect(text).not.toContain("KMS");
  });
});

describe("unsealing", () => {
  it("gives the values back, and is on the audit stream", async ({ expect }) => {
    const { api, call, seal } = start();
    const credential_id = await seal();
    const { status, body } = await call("POST", "/api/v2/vault/unseal", { credential_id });
    expect([status, body["values"]]).toEqual([200, { api_key: TOKEN }]);
    expect(api.acts.at(-1)).toMatchObject({ action: "vault.unseal", resourceId: credential_id });
    expect(JSON.stringify(api.acts)).not.toContain(TOKEN);
  });

  it("needs a scope of its own", async ({ expect }) => {
    const { api, call, seal } = start();
    const credential_id = await seal();
    const sealer = api.key("ten_a", ["vault:seal"]);
    const { status } = await call("POST", "/api/v2/vault/unseal", { credential_id }, { key: sealer });
    expect(status).toBe(403);
  });

  it("finds nothing of another tenant's, and nothing that never was", async ({ expect }) => {
    const { api, call, seal } = start();
    const credential_id = await seal();
    const key = api.key("ten_b");
    expect((await call("POST", "/api/v2/vault/unseal", { credential_id }, { key })).status).toBe(404);
    expect((await call("POST", "/api/v2/vault/unseal", { credential_id: "cred_x" })).status).toBe(404);
    expect((await call("GET", `/api/v2/vault/credentials/${credential_id}`, undefined, { key })).status).toBe(
      404,
    );
    expect(
      (await call("DELETE", `/api/v2/vault/credentials/${credential_id}`, undefined, { key })).status,
    ).toBe(404);
  });
});

describe("the list of credentials", () => {
  it("says who uses each, and never a value", async ({ expect }) => {
    const { call, seal, use } = start();
    const id = await seal();
    await use(id, { name: "SOC Splunk" });
    const { body, text } = await call("GET", "/api/v2/vault/credentials");
    expect(body.data).toMatchObject([
      { credential_id: id, fields: ["api_key"], used_by: [{ name: "SOC Splunk", provider: "splunk" }] },
    ]);
    expect(text).not.toContain(TOKEN);
  });
});

describe("a destination", () => {
  it("can use a credential, by whatever of the usual names its value has", async ({ expect }) => {
    const names = ["token", "api_key", "hec_token", "key", "value", "bearer"];
    for (const name of names) {
      const { seen, providers } = watching();
      const { use, seal } = start({ providers });
      const { status, body, text } = await use(await seal({ values: { [name]: TOKEN } }));
      expect([name, status]).toEqual([name, 201]);
      expect(seen.at(-1)).toEqual({ token: TOKEN });
      expect(body["credential"]).toMatchObject({ shared: true });
      expect(text).not.toContain(TOKEN);
    }
  });

  it("is refused with a credential that lacks what the provider needs", async ({ expect }) => {
    const { use, seal, api } = start();
    const id = await seal({ credential_type: "basic", values: { username: "u", password: "p" } });
    const answer = await use(id);
    expect([answer.status, answer.body.errors.map(({ path }) => path)]).toEqual([422, ["credential_id"]]);
    expect(answer.body.errors[0]?.message).toContain("token or api_key");
    expect(api.destinations.rows.size).toBe(0);
  });

  it("is refused with another tenant's credential, and with none at all", async ({ expect }) => {
    const { api, use, call, seal } = start();
    const id = await seal();
    const { token: _, ...body } = splunkBody({ credential_id: id });
    expect((await call("POST", "/v1/audit/siem", body, { key: api.key("ten_b") })).status).toBe(422);
    expect((await use("cred_0000")).status).toBe(422);
    expect((await call("POST", "/v1/audit/siem", splunkBody({ credential_id: id }))).status).toBe(422);
    expect((await use("nonsense")).body.errors).toMatchObject([{ path: "credential_id" }]);
  });

  it("changes from its own secret to a credential and back", async ({ expect }) => {
    const { seen, providers } = watching();
    const { call, seal, api } = start({ providers });
    const made = await call("POST", "/v1/audit/siem", splunkBody({ token: "own" }));
    const path = `/v1/audit/siem/${made.body["id"]}`;
    const own = api.destinations.rows.get(String(made.body["id"]))?.credentialId;
    const credential_id = await seal();
    const shared = await call("PATCH", path, { credential_id });
    expect(shared.body["credential"]).toMatchObject({ id: credential_id, shared: true });
    expect(seen.at(-1)).toEqual({ token: TOKEN });
    const back = await call("PATCH", path, { token: "own again" });
    expect(back.body["credential"]).toMatchObject({ shared: false });
    expect((back.body["credential"] as { id: string }).id).not.toBe(own);
    expect(seen.at(-1)).toEqual({ token: "own again" });
  });

  it("keeps its credential through a change of anything else", async ({ expect }) => {
    const { call, seal, use } = start();
    const id = await seal();
    const made = await use(id);
    const { body } = await call("PATCH", `/v1/audit/siem/${made.body["id"]}`, { name: "Renamed" });
    expect(body).toMatchObject({ name: "Renamed", credential: { id, shared: true } });
  });
});

describe("deleting a credential", () => {
  it("is refused while it is used, naming who uses it", async ({ expect }) => {
    const { call, seal, use, api } = start();
    const id = await seal();
    const made = await use(id, { name: "SOC Splunk" });
    const answer = await call("DELETE", `/api/v2/vault/credentials/${id}`);
    expect(answer).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(answer.body["detail"]).toContain(`SOC Splunk (${made.body["id"]})`);
    await call("DELETE", `/v1/audit/siem/${made.body["id"]}?force=true`);
    expect((await call("DELETE", `/api/v2/vault/credentials/${id}`)).status).toBe(204);
    expect(api.acts.at(-1)).toMatchObject({ action: "vault.delete", resourceId: id });
    expect((await call("GET", `/api/v2/vault/credentials/${id}`)).status).toBe(404);
  });
});

describe("rotating a credential", () => {
  const fresh = { values: { api_key: "new-token-9876543210" } };

  it("prefers the new values, keeps the old ones for a day, and tells the lanes", async ({ expect }) => {
    const { api, call, seal, use } = start();
    const id = await seal();
    const made = await use(id);
    const { status, body, text } = await call("POST", `/api/v2/vault/credentials/${id}/rotate`, fresh);
    expect(status).toBe(200);
    expect(body).toMatchObject({ version: 2, previous_until: "2026-07-01T12:00:00.000Z" });
    expect(text).not.toContain("new-token");
    const destinationId = String(made.body["id"]);
    expect(api.lane("ten_a", destinationId).calls).toContainEqual(["configure", "ten_a", destinationId, 2]);
    expect(api.acts.at(-1)).toMatchObject({ action: "vault.rotate", resourceId: id });
    expect((await call("POST", "/api/v2/vault/unseal", { credential_id: id })).body["values"]).toEqual(
      fresh.values,
    );
  });

  it("changes nothing where a destination refuses the new values, and says which", async ({ expect }) => {
    const { api, call, seal, use } = start();
    const id = await seal();
    await use(id, { name: "SOC Splunk" });
    api.report = refused;
    const answer = await call("POST", `/api/v2/vault/credentials/${id}/rotate`, fresh);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ path: "values" }]);
    expect(answer.body.errors[0]?.message).toContain("SOC Splunk");
    expect(answer.body.errors[0]?.message).toContain("Copy the token");
    expect((await call("GET", `/api/v2/vault/credentials/${id}`)).body["version"]).toBe(1);
  });

  it("takes values that cannot be tried, because the old ones stand in for them", async ({ expect }) => {
    const { api, call, seal, use } = start();
    const id = await seal();
    await use(id);
    api.report = unreachable;
    expect((await call("POST", `/api/v2/vault/credentials/${id}/rotate`, fresh)).status).toBe(200);
    expect(api.acts.at(-1)?.metadata).toMatchObject({ unproved_at: [expect.stringMatching(/^siem_/)] });
  });

  it("keeps nothing when told so", async ({ expect }) => {
    const { call, seal } = start();
    const id = await seal();
    const body = { ...fresh, previous_ttl_seconds: 0 };
    const answer = await call("POST", `/api/v2/vault/credentials/${id}/rotate`, body);
    expect(answer.body["previous_until"]).toBeNull();
    const long = { ...fresh, previous_ttl_seconds: 2_592_001 };
    expect((await call("POST", `/api/v2/vault/credentials/${id}/rotate`, long)).status).toBe(422);
  });

  it("refuses values with which a destination could not work at all", async ({ expect }) => {
    const { call, seal, use } = start();
    const id = await seal();
    await use(id);
    const answer = await call("POST", `/api/v2/vault/credentials/${id}/rotate`, { values: { other: "x" } });
    expect([answer.status, answer.body.errors.map(({ path }) => path)]).toEqual([422, ["values.token"]]);
  });
});

describe("the second slot of a destination", () => {
  const next = { next_token: "new-token-9876543210" };

  async function made(overrides: ConstructorParameters<typeof FakeApi>[0] = {}) {
    const started = start(overrides);
    const answer = await started.call("POST", "/v1/audit/siem", splunkBody({ token: TOKEN }));
    const id = String(answer.body["id"]);
    const stored = () => {
      const row = started.api.destinations.rows.get(id);
      if (row === undefined) throw new Error("no row");
      return row;
    };
    return { ...started, id, path: `/v1/audit/siem/${id}`, stored };
  }

  it("is proved, then preferred; the old token stays for a day to fall back on", async ({ expect }) => {
    const { seen, providers } = watching();
    const { call, path, stored } = await made({ providers });
    const before = stored().sealedSecrets;
    const { status, body, text } = await call("PATCH", path, next);
    expect(status).toBe(200);
    expect(body["credential"]).toMatchObject({ previous_until: "2026-07-01T12:00:00.000Z" });
    expect(seen.at(-1)).toEqual({ token: next.next_token });
    expect(stored()).toMatchObject({ sealedPreviousSecrets: before, revision: 2 });
    expect(stored().sealedSecrets).not.toBe(before);
    expect(text).not.toContain(next.next_token);
  });

  it("changes nothing where the provider refuses it, and says what to do", async ({ expect }) => {
    const { api, call, path, stored } = await made();
    const before = stored();
    api.report = refused;
    const answer = await call("PATCH", path, next);
    expect([answer.status, answer.body.errors.map(({ path }) => path)]).toEqual([422, ["next_token"]]);
    expect(answer.body.errors[0]?.message).toContain("Copy the token");
    expect(stored()).toEqual(before);
  });

  it("is taken where it cannot be tried", async ({ expect }) => {
    const { api, call, path, stored } = await made();
    api.report = unreachable;
    expect((await call("PATCH", path, { ...next, previous_token_ttl_seconds: 60 })).status).toBe(200);
    expect(stored().previousSecretsUntil).toBe(api.at + 60_000);
  });

  it("survives a change of anything else, and ends with a plain new token", async ({ expect }) => {
    const { call, path, stored } = await made();
    await call("PATCH", path, next);
    const { sealedPreviousSecrets } = stored();
    await call("PATCH", path, { name: "Renamed" });
    expect(stored()).toMatchObject({ name: "Renamed", sealedPreviousSecrets });
    await call("PATCH", path, { token: "a third one" });
    expect(stored()).toMatchObject({ sealedPreviousSecrets: null, previousSecretsUntil: null });
  });

  it("belongs to the credential where one is shared", async ({ expect }) => {
    const { call, seal, use } = start();
    const id = await seal();
    const answer = await call("PATCH", `/v1/audit/siem/${(await use(id)).body["id"]}`, next);
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0]?.message).toContain(id);
  });

  const contradictory: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ["both tokens at once", { ...next, token: "x" }, "next_token"],
    ["a time without a token", { previous_token_ttl_seconds: 60 }, "previous_token_ttl_seconds"],
    ["too long a time", { ...next, previous_token_ttl_seconds: 2_592_001 }, "previous_token_ttl_seconds"],
    ["null", { next_token: null }, "next_token"],
    ["an empty token", { next_token: "" }, "next_token"],
  ];
  it.for(contradictory)("refuses %s", async ([, body, field], { expect }) => {
    const { call, path } = await made();
    const answer = await call("PATCH", path, body);
    expect([answer.status, answer.body.errors.map(({ path }) => path)]).toEqual([422, [field]]);
  });
});

describe("the secrets that were given with a destination", () => {
  it("cannot be read back", async ({ expect }) => {
    const { api, call } = start();
    await api.credentials.insert({
      id: "cred_m",
      tenantId: "ten_a",
      name: "SOC",
      type: "destination",
      managedBy: "siem_1",
      fields: ["token"],
      sealed: "v2.x",
      previousSealed: null,
      previousUntil: null,
      version: 1,
      createdAt: 1,
      updatedAt: 1,
      rotatedAt: null,
    });
    expect((await call("POST", "/api/v2/vault/unseal", { credential_id: "cred_m" })).status).toBe(409);
    expect(
      (await call("POST", "/v1/audit/siem", { ...splunkBody({ credential_id: "cred_m" }), token: undefined }))
        .status,
    ).toBe(422);
  });

  it("that do not open any more are mended by naming them again", async ({ expect }) => {
    const { api, call } = start();
    const id = String((await call("POST", "/v1/audit/siem", splunkBody())).body["id"]);
    const row = api.destinations.rows.get(id);
    if (row === undefined) throw new Error("no row");
    const other = await api.deps.seal({ tenantId: "ten_b", recordId: id, purpose: "credential" }, "{}");
    api.destinations.rows.set(id, { ...row, sealedSecrets: other });
    expect((await call("PATCH", `/v1/audit/siem/${id}`, { name: "x" })).body.errors).toMatchObject([
      { path: "token" },
    ]);
    expect((await call("PATCH", `/v1/audit/siem/${id}`, { token: "again" })).status).toBe(200);
  });
});
