import { describe, it } from "vitest";
import { toBase64 } from "../../src/base/bytes.ts";
import { ML_KEM_768, mlKemKeyPair } from "../../src/base/ml-kem.ts";
import { err } from "../../src/base/result.ts";
import { FakeApi } from "../support/fake-api.ts";

const pair = (fill: number) => mlKemKeyPair(new Uint8Array(ML_KEM_768.seed).fill(fill)).publicKey;
const PUBLIC_KEY = toBase64(pair(1));
const OTHER_KEY = toBase64(pair(2));

function start() {
  const api = new FakeApi();
  const key = api.key("ten_a", ["proxy:invoke"]);
  const register = (public_key: string, about: object = {}) =>
    api.json("POST", "/api/v2/keys", { key, body: { algorithm: "ML-KEM-768", public_key, ...about } });
  return { api, key, register };
}

describe("a public key", () => {
  it("is registered for the API key that sends it, and that is written down", async ({ expect }) => {
    const { api, register } = start();
    const made = await register(PUBLIC_KEY, { name: "laptop" });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      key_id: expect.stringMatching(/^pk_[0-9a-f]{32}$/),
      algorithm: "ML-KEM-768",
      name: "laptop",
      api_key_id: "key_ten_a",
      fingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      created_at: "2026-06-30T12:00:00.000Z",
    });
    expect(api.acts).toMatchObject([
      {
        action: "public-key.register",
        actorId: "key_ten_a",
        resourceType: "public_key",
        resourceId: made.body["key_id"],
        metadata: { fingerprint: made.body["fingerprint"], algorithm: "ML-KEM-768" },
      },
    ]);
  });

  it("that is registered again keeps its id", async ({ expect }) => {
    const { api, register } = start();
    const first = await register(PUBLIC_KEY);
    api.at += 1_000;
    const again = await register(PUBLIC_KEY);
    expect(again.status).toBe(200);
    expect(again.body["key_id"]).toBe(first.body["key_id"]);
    expect(again.body["created_at"]).toBe("2026-06-30T12:00:01.000Z");
    expect((await register(OTHER_KEY)).status).toBe(201);
  });

  it("that is none is refused by the field's name", async ({ expect }) => {
    const { register } = start();
    const outside = Uint8Array.from(pair(1));
    outside.fill(0xff, 0, 3); // coefficients of 4095, where q is 3329
    for (const bad of [
      "",
      "not base64!",
      PUBLIC_KEY.slice(0, -4),
      `${PUBLIC_KEY}AAAA`,
      PUBLIC_KEY.replaceAll("+", "-"),
      toBase64(outside),
      "A".repeat(5_000),
    ]) {
      if (bad === PUBLIC_KEY) continue;
      const answer = await register(bad);
      expect([answer.status, answer.body.errors[0]?.path]).toEqual([422, "public_key"]);
    }
    const wrong = await register(PUBLIC_KEY, { algorithm: "RSA" });
    expect(wrong.body.errors).toMatchObject([{ path: "algorithm", message: "Expected ML-KEM-768" }]);
    expect((await register(PUBLIC_KEY, { private_key: "x" })).body.errors).toMatchObject([
      { path: "private_key" },
    ]);
  });

  it("is one of a bounded number", async ({ expect }) => {
    const { api, register } = start();
    api.deps.publicKeys.count = async () => 50;
    expect((await register(PUBLIC_KEY)).body["code"]).toBe("conflict");
  });
});

describe("the list", () => {
  it("has the tenant's keys, and the key that verifies answers", async ({ expect }) => {
    const { api, key, register } = start();
    const made = await register(PUBLIC_KEY);
    const { status, body } = await api.json("GET", "/api/v2/keys", { key });
    const verification = {
      key_id: "sig_1",
      algorithm: "ML-DSA-65",
      public_key: "AAAA",
      context: "sluice/proxy-envelope/v1",
      created_at: "2026-06-30T12:00:00.000Z",
    };
    expect(status).toBe(200);
    expect(body).toEqual({
      data: [made.body],
      next_cursor: null,
      verification_key: verification,
      verification_keys: [verification],
    });
    const theirs = await api.json("GET", "/api/v2/keys", { key: api.key("ten_b") });
    expect(theirs.body.data).toEqual([]);
  });

  it("says so when the vault cannot be read, and when to come back", async ({ expect }) => {
    const api = new FakeApi({ verificationKeys: async () => err("KMS did not answer") });
    const answer = await api.json("GET", "/api/v2/keys", { key: api.key("ten_a") });
    expect([answer.status, answer.body["code"]]).toEqual([503, "unavailable"]);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(answer.text).not.toContain("KMS");
  });
});

describe("forgetting a key", () => {
  it("is for the API key that registered it", async ({ expect }) => {
    const { api, key, register } = start();
    const path = `/api/v2/keys/${(await register(PUBLIC_KEY)).body["key_id"]}`;
    expect((await api.json("DELETE", path, { key: api.key("ten_b") })).status).toBe(404);
    expect((await api.json("DELETE", path, { key })).status).toBe(204);
    expect((await api.json("DELETE", path, { key })).status).toBe(404);
    expect(api.acts.at(-1)).toMatchObject({ action: "public-key.delete", actorId: "key_ten_a" });
  });

  it("is for others of the tenant with keys:write only", async ({ expect }) => {
    const { api, register } = start();
    const path = `/api/v2/keys/${(await register(PUBLIC_KEY)).body["key_id"]}`;
    const as = (scopes: readonly ("proxy:invoke" | "keys:write")[]) => {
      const key = api.key("ten_a", scopes);
      api.principals.set(key, {
        kind: "key",
        keyId: "key_other",
        tenantId: "ten_a",
        scopes,
        signingSecret: null,
      });
      return key;
    };
    const lacking = `${as(["proxy:invoke"])}`;
    expect((await api.json("DELETE", path, { key: lacking })).body["code"]).toBe("missing_scope");
    expect((await api.json("DELETE", path, { key: as(["proxy:invoke", "keys:write"]) })).status).toBe(204);
  });
});
