import { describe, it } from "vitest";
import { err, ok } from "../../src/base/result.ts";
import { decryptEnvelope } from "../../src/client/decrypt.ts";
import type { Destination } from "../../src/model/destination.ts";
import type { HybridCryptoEnvelope } from "../../src/model/envelope.ts";
import type { HttpAnswer, HttpRequestSpec } from "../../src/model/http.ts";
import type { ProxyCall } from "../../src/model/proxy.ts";
import type { PublicKey } from "../../src/model/public-key.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";
import { invoke, type ProxyAct, type ProxyDeps } from "../../src/proxy/execute.ts";
import { failure, page, response } from "../providers/answers.ts";
import { destination } from "../support/builders.ts";
import { CALLED_AT, PRIVATE_KEY, RECIPIENT, SIGNING_KEY, VERIFICATION_KEY } from "../support/proxy.ts";

const TOKEN = "11111111-1111-4111-8111-111111111111";
const PAYLOAD = { event: { action: "vault.seal" }, sourcetype: "acme:audit", index: "security" };

/** One tenant with one integration, and everything that is touched counted in its order. */
class Scene {
  integration: Destination | null = destination({ allowedOperations: ["send_event", "send_batch"] });
  recipient: PublicKey | null = RECIPIENT;
  secrets: readonly unknown[] | string = [{ token: TOKEN }];
  answers: HttpAnswer[] = [response(200, { text: "Success", code: 0 })];
  signingKey: typeof SIGNING_KEY | string = SIGNING_KEY;
  readonly touched: string[] = [];
  readonly sent: HttpRequestSpec[] = [];
  readonly acts: ProxyAct[] = [];
  readonly logged: unknown[] = [];

  readonly deps: ProxyDeps = {
    now: () => CALLED_AT,
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    newId: (prefix) => `${prefix}1`,
    providers: PROVIDERS,
    integration: async (tenantId, id) =>
      this.integration?.tenantId === tenantId && this.integration.id === id ? this.integration : null,
    recipient: async () => this.recipient,
    signingKey: async () => {
      this.touched.push("signing key");
      return typeof this.signingKey === "string" ? err(this.signingKey) : ok(this.signingKey);
    },
    openSecrets: async () => {
      this.touched.push("credential");
      return typeof this.secrets === "string" ? err(this.secrets) : ok(this.secrets);
    },
    send: async (request) => {
      this.touched.push("network");
      this.sent.push(request);
      return this.answers[this.sent.length - 1] ?? failure("unreachable", false);
    },
    record: async (act) => {
      this.touched.push(act.action);
      this.acts.push(act);
    },
    log: (...line) => this.logged.push(line),
  };

  call(about: Partial<ProxyCall> = {}) {
    const call = { tenantId: "ten_a", apiKeyId: "key_a", integrationId: "int_1" };
    return invoke({ ...call, operation: "send_event", payload: PAYLOAD, ...about }, this.deps);
  }

  /** What is inside the answer, read as the caller reads it. */
  async result(about: Partial<ProxyCall> = {}) {
    const answer = await this.call(about);
    if (!answer.ok) throw new Error(JSON.stringify(answer.error));
    return this.open(answer.value, about);
  }

  open(envelope: HybridCryptoEnvelope, about: Partial<ProxyCall> = {}) {
    const { integrationId = "int_1", operation = "send_event", payload = PAYLOAD } = about;
    const request = { integration_id: integrationId, operation, payload };
    const keys = { privateKey: PRIVATE_KEY, verificationKeys: VERIFICATION_KEY };
    return decryptEnvelope(envelope, { ...keys, request, now: CALLED_AT });
  }
}

describe("an allowed call", () => {
  it("is made once, with the credential, and written down before it is answered", async ({ expect }) => {
    const scene = new Scene();
    const result = await scene.result();
    expect(scene.touched).toEqual(["signing key", "credential", "network", "proxy.invoke"]);
    expect(scene.sent[0]?.url).toBe("https://hec.example.com:8088/services/collector/event");
    expect(scene.sent[0]?.headers["authorization"]).toBe(`Splunk ${TOKEN}`);
    expect(JSON.parse(scene.sent[0]?.body ?? "")).toMatchObject(PAYLOAD);
    expect(result).toMatchObject({
      ok: true,
      outcome: "delivered",
      http_status: 200,
      provider_code: 0,
      maybe_taken: false,
      body: '{"text":"Success","code":0}',
    });
  });

  it("is written down with who, what and how it went, and with nothing that was sent or answered", async ({
    expect,
  }) => {
    const scene = new Scene();
    scene.answers = [response(200, { text: "Success", code: 0, said: "answer-text" })];
    await scene.call({ payload: { event: { word: "payload-text" } } });
    expect(scene.acts).toEqual([
      {
        tenantId: "ten_a",
        actorId: "key_a",
        action: "proxy.invoke",
        resourceType: "siem_destination",
        resourceId: "siem_1",
        outcome: "SUCCESS",
        metadata: {
          integration_id: "int_1",
          provider: "splunk",
          operation: "send_event",
          outcome: "delivered",
          http_status: 200,
          provider_code: 0,
          maybe_taken: false,
          latency_ms: 5,
          envelope_id: "env_1",
        },
      },
    ]);
    const told = JSON.stringify([scene.acts, scene.logged]);
    for (const text of [TOKEN, "payload-text", "answer-text"]) expect(told).not.toContain(text);
  });

  it("may name the integration by its other id, and is answered under the name that it used", async ({
    expect,
  }) => {
    const scene = new Scene();
    expect(await scene.result({ integrationId: "siem_1" })).toMatchObject({ integration_id: "siem_1" });
  });
});

describe("a call that is refused", () => {
  const refusals: readonly (readonly [string, Partial<ProxyCall>, (scene: Scene) => void, string])[] = [
    ["of another tenant", { tenantId: "ten_b" }, () => undefined, "not_found"],
    ["of no integration", { integrationId: "int_2" }, () => undefined, "not_found"],
    ["of what cannot be one", { integrationId: "key_1" }, () => undefined, "not_found"],
    ["off the list", { operation: "send_metric" }, () => undefined, "operation_not_allowed"],
    [
      "when the list is empty",
      {},
      (scene) => {
        scene.integration = destination({ allowedOperations: [] });
      },
      "operation_not_allowed",
    ],
    [
      "when it is switched off",
      {},
      (scene) => {
        scene.integration = destination({ enabled: false });
      },
      "conflict",
    ],
    [
      "without a registered key",
      {},
      (scene) => {
        scene.recipient = null;
      },
      "conflict",
    ],
    ["with a payload that is none", { payload: { events: [] } }, () => undefined, "invalid_input"],
  ];

  it.for(refusals)(
    "%s opens no credential, calls nobody, and is written down",
    async ([, about, change, code], { expect }) => {
      const scene = new Scene();
      change(scene);
      const answer = await scene.call(about);
      expect(answer).toMatchObject({ ok: false, error: { code } });
      expect(scene.touched).toEqual(["proxy.refuse"]);
      expect(scene.acts).toMatchObject([
        {
          action: "proxy.refuse",
          outcome: "DENIED",
          metadata: { operation: about.operation ?? "send_event" },
        },
      ]);
    },
  );

  it("hears of what is wrong in the order of the checks", async ({ expect }) => {
    const scene = new Scene();
    scene.recipient = null;
    const wrong = { integrationId: "int_9", operation: "send_metric", payload: { nonsense: 1 } };
    const codes = [await scene.call(wrong)];
    codes.push(await scene.call({ ...wrong, integrationId: "int_1" }));
    codes.push(await scene.call({ payload: wrong.payload }));
    scene.recipient = RECIPIENT;
    codes.push(await scene.call({ payload: wrong.payload }));
    expect(codes.map((each) => (each.ok ? "ok" : each.error.code))).toEqual([
      "not_found",
      "operation_not_allowed",
      "conflict",
      "invalid_input",
    ]);
  });

  it("for its payload names the fields, as they stand in the request", async ({ expect }) => {
    const scene = new Scene();
    const answer = await scene.call({ payload: { event: { a: 1 }, index: "No Such", extra: 1 } });
    const paths = answer.ok ? [] : answer.error.errors?.map(({ path }) => path);
    expect(paths?.toSorted()).toEqual(["payload.extra", "payload.index"]);
  });

  it("because the settings do not allow the payload has opened the credential, and called nobody", async ({
    expect,
  }) => {
    const scene = new Scene();
    const answer = await scene.call({ payload: { event: { text: "x".repeat(1_100_000) } } });
    expect(answer).toMatchObject({ ok: false, error: { code: "invalid_input" } });
    expect(scene.touched).toEqual(["signing key", "credential", "proxy.refuse"]);
  });

  it("because the vault cannot be opened says so, and the log why", async ({ expect }) => {
    for (const change of [
      (scene: Scene) => {
        scene.secrets = "KMS did not answer";
      },
      (scene: Scene) => {
        scene.signingKey = "KMS did not answer";
      },
    ]) {
      const scene = new Scene();
      change(scene);
      const answer = await scene.call();
      expect(answer).toMatchObject({ ok: false, error: { code: "unavailable", retryAfterSeconds: 5 } });
      expect(JSON.stringify(answer)).not.toContain("KMS");
      expect(scene.sent).toEqual([]);
      expect(JSON.stringify(scene.logged)).toContain("KMS did not answer");
      expect(scene.acts).toMatchObject([{ action: "proxy.refuse", outcome: "FAILURE" }]);
    }
  });

  it("because its stored settings have outlived the schema names them", async ({ expect }) => {
    const scene = new Scene();
    scene.integration = destination({ config: { retired_setting: 1 } });
    const answer = await scene.call();
    expect(answer).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(scene.sent).toEqual([]);
  });
});

describe("what a provider says", () => {
  const answers: readonly (readonly [string, HttpAnswer, object])[] = [
    [
      "401",
      response(401, { text: "Invalid authorization", code: 3 }),
      { outcome: "credentials_rejected", http_status: 401 },
    ],
    [
      "403",
      response(403, { text: "Invalid token", code: 4 }),
      { outcome: "credentials_rejected", http_status: 403, provider_code: 4 },
    ],
    ["429", response(429, "slow"), { outcome: "throttled", http_status: 429 }],
    [
      "503",
      response(503, { text: "Server is busy", code: 9 }),
      { outcome: "provider_error", http_status: 503 },
    ],
    ["500", response(500, "oops"), { outcome: "provider_error", http_status: 500 }],
    ["a login page", page(200), { http_status: 200 }],
    ["a redirect", response(303, "", { location: "https://elsewhere.example" }), { http_status: 303 }],
    [
      "a wrong index",
      response(400, { text: "Incorrect index", code: 7, "invalid-event-number": 0 }),
      { http_status: 400, provider_code: 7, outcome: "config_rejected" },
    ],
    [
      "nothing in time",
      failure("timeout", true),
      { outcome: "timeout", http_status: null, maybe_taken: true, body: null },
    ],
    ["a reset", failure("reset", true), { http_status: null, maybe_taken: true }],
    [
      "nothing, being unreachable",
      failure("unreachable", false),
      { outcome: "unreachable", maybe_taken: false },
    ],
    ["nothing, TLS being wrong", failure("tls", false), { outcome: "tls_untrusted", maybe_taken: false }],
    ["nothing, being blocked", failure("blocked", false), { maybe_taken: false, http_status: null }],
  ];

  it.for(answers)("comes back inside the envelope: %s", async ([, answer, expected], { expect }) => {
    const scene = new Scene();
    scene.answers = [answer];
    const result = await scene.result();
    expect(result).toMatchObject({ ok: false, ...expected });
    expect(result.message).not.toBe("");
    expect(scene.acts).toMatchObject([
      { action: "proxy.invoke", outcome: "FAILURE", metadata: { outcome: result.outcome } },
    ]);
    expect(scene.sent).toHaveLength(1);
  });

  it("comes back without the credential, wherever it repeats it", async ({ expect }) => {
    const scene = new Scene();
    scene.answers = [response(403, { text: `Bad token ${TOKEN}`, code: 4, raw: btoa(TOKEN) })];
    const result = await scene.result();
    expect(JSON.stringify(result)).not.toContain(TOKEN);
    expect(JSON.stringify(result)).not.toContain(btoa(TOKEN));
    expect(result.body).toContain("[redacted]");
  });
});

describe("a credential with a predecessor", () => {
  const OLD = "22222222-2222-4222-8222-222222222222";
  const refused = response(403, { text: "Invalid token", code: 4 });
  const taken = response(200, { text: "Success", code: 0 });

  it("falls back to it when it is refused, and tells", async ({ expect }) => {
    const scene = new Scene();
    scene.secrets = [{ token: TOKEN }, { token: OLD }];
    scene.answers = [refused, taken];
    expect(await scene.result()).toMatchObject({ ok: true });
    expect(scene.sent.map(({ headers }) => headers["authorization"])).toEqual([
      `Splunk ${TOKEN}`,
      `Splunk ${OLD}`,
    ]);
    expect(scene.acts).toMatchObject([{ metadata: { used_previous_credential: true } }]);
  });

  it("is refused when both are, and is not doubted for any other reason", async ({ expect }) => {
    const both = new Scene();
    both.secrets = [{ token: TOKEN }, { token: OLD }];
    both.answers = [refused, refused];
    expect(await both.result()).toMatchObject({ ok: false, outcome: "credentials_rejected" });
    expect(both.sent).toHaveLength(2);
    const wrongIndex = response(400, { text: "Incorrect index", code: 7, "invalid-event-number": 0 });
    for (const answer of [
      taken,
      wrongIndex,
      response(500, "oops"),
      failure("timeout", true),
      response(429),
    ]) {
      const scene = new Scene();
      scene.secrets = [{ token: TOKEN }, { token: OLD }];
      scene.answers = [answer, taken];
      await scene.call();
      expect(scene.sent).toHaveLength(1);
    }
  });
});

describe("operations of every provider", () => {
  const cases: readonly (readonly [Partial<Destination>, unknown, string, ProxyCall["payload"], string])[] = [
    [
      { provider: "datadog", endpoint: "", config: { site: "datadoghq.com" } },
      { token: "0123456789abcdef" },
      "send_event",
      { title: "Credential rotated", text: "Vault entry rotated", tags: ["env:production", "acme:vault"] },
      "https://api.datadoghq.com/api/v1/events",
    ],
    [
      { provider: "datadog", endpoint: "", config: { site: "datadoghq.eu" } },
      { token: "0123456789abcdef" },
      "send_metric",
      { series: [{ metric: "vault.seals", points: [{ timestamp: CALLED_AT / 1_000, value: 1 }] }] },
      "https://api.datadoghq.eu/api/v2/series",
    ],
    [
      { provider: "datadog", endpoint: "", config: { site: "us5.datadoghq.com" } },
      { token: "0123456789abcdef" },
      "send_log",
      { message: "hello" },
      "https://http-intake.logs.us5.datadoghq.com/api/v2/logs",
    ],
    [
      {
        provider: "datadog",
        endpoint: "",
        config: { site: "datadoghq.com", api_url: "https://dd.example.com/x/" },
      },
      { token: "0123456789abcdef" },
      "send_event",
      { title: "a", text: "b" },
      "https://dd.example.com/x/api/v1/events",
    ],
    [
      { provider: "datadog", endpoint: "https://logs.example.com/dd/api/v2/logs", config: {} },
      { token: "0123456789abcdef" },
      "send_event",
      { title: "a", text: "b" },
      "https://logs.example.com/dd/api/v1/events",
    ],
    [
      { provider: "elastic", endpoint: "https://es.example.com:9200", config: {} },
      { token: "id:key" },
      "send_batch",
      { events: [{ action: "user.login" }, { action: "user.logout" }] },
      "https://es.example.com:9200/",
    ],
    [
      { provider: "webhook", endpoint: "https://hooks.example.com/in", config: {} },
      { secret: "at least eight bytes" },
      "send_event",
      { event: { action: "user.login" } },
      "https://hooks.example.com/in",
    ],
    [
      { provider: "cloudwatch", endpoint: "https://logs.eu-west-1.amazonaws.com", config: {} },
      { access_key_id: "AKIAEXAMPLE", secret_access_key: "aws-secret-key" },
      "send_event",
      { event: { action: "user.login" } },
      "https://logs.eu-west-1.amazonaws.com",
    ],
  ];

  it.for(cases)(
    "reach %j %j %s at their place",
    async ([about, secrets, operation, payload, url], { expect }) => {
      const scene = new Scene();
      scene.integration = destination({ ...about, allowedOperations: [operation] });
      scene.secrets = [secrets];
      scene.answers = [response(503, "")];
      const result = await scene.result({ operation, payload });
      expect(scene.sent.map((request) => request.url)).toEqual([expect.stringContaining(url)]);
      expect(result).toMatchObject({ ok: false, http_status: 503, operation });
    },
  );
});
