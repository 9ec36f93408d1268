import { describe, it } from "vitest";
import { FakeApi } from "../support/fake-api.ts";

const CALL = {
  integration_id: "int_1",
  operation: "send_event",
  payload: { event: { action: "vault.seal" } },
};

function start() {
  const api = new FakeApi();
  const key = api.key("ten_a", ["proxy:invoke"]);
  return { api, call: (body: unknown) => api.json("POST", "/api/v2/proxy/outbound", { key, body }) };
}

describe("an outbound call", () => {
  it("is handed on as it was written, with who asks", async ({ expect }) => {
    const { api, call } = start();
    await call(CALL);
    expect(api.called).toEqual([
      {
        tenantId: "ten_a",
        apiKeyId: "key_ten_a",
        integrationId: "int_1",
        operation: "send_event",
        payload: CALL.payload,
      },
    ]);
  });

  it("is answered with the envelope itself", async ({ expect }) => {
    const { api, call } = start();
    const envelope = {
      version: 1,
      suite: "ML-KEM-768+HKDF-SHA-256+AES-256-GCM+ML-DSA-65+HMAC-SHA-512",
      id: "env_1",
      recipient_key_id: "pk_1",
      signing_key_id: "tkey_1",
      issued_at: "2026-06-30T12:00:00.000Z",
      expires_at: "2026-06-30T12:05:00.000Z",
      request_digest: `sha256:${"0".repeat(64)}`,
      kem_ciphertext: "AAAA",
      nonce: "AAAA",
      ciphertext: "AAAA",
      signature: "AAAA",
      mac: "AAAA",
    } as const;
    api.proxyAnswer = envelope;
    const answer = await call(CALL);
    expect([answer.status, answer.body]).toEqual([200, envelope]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("that is refused is a problem document like any other", async ({ expect }) => {
    const { api, call } = start();
    api.proxyAnswer = {
      code: "operation_not_allowed",
      detail: "The integration does not allow send_event.",
    };
    expect(await call(CALL)).toMatchObject({ status: 403, body: { code: "operation_not_allowed" } });
    api.proxyAnswer = {
      code: "invalid_input",
      detail: "The payload is not acceptable.",
      errors: [{ path: "payload.event", message: "Expected an event" }],
    };
    expect(await call(CALL)).toMatchObject({ status: 422, body: { errors: [{ path: "payload.event" }] } });
    api.proxyAnswer = { code: "unavailable", detail: "Later.", retryAfterSeconds: 5 };
    const later = await call(CALL);
    expect([later.status, later.headers.get("retry-after")]).toEqual([503, "5"]);
  });

  it.for([
    [{ ...CALL, integration_id: "" }, "integration_id"],
    [{ ...CALL, integration_id: 5 }, "integration_id"],
    [{ ...CALL, integration_id: "int 1" }, "integration_id"],
    [{ ...CALL, integration_id: `int_${"x".repeat(200)}` }, "integration_id"],
    [{ ...CALL, operation: "" }, "operation"],
    [{ ...CALL, operation: "x".repeat(101) }, "operation"],
    [{ ...CALL, operation: ["send_event"] }, "operation"],
    [{ integration_id: "int_1", operation: "send_event" }, "payload"],
    [{ ...CALL, payload: [] }, "payload"],
    [{ ...CALL, payload: "text" }, "payload"],
    [{ ...CALL, retries: 3 }, "retries"],
  ])("of another form goes no further: %j", async ([body, path], { expect }) => {
    const { api, call } = start();
    const answer = await call(body);
    expect([answer.status, answer.body.errors.map((each) => each.path)]).toEqual([422, [path]]);
    expect(api.called).toEqual([]);
  });
});
