import { describe, it } from "vitest";
import { createClient, encryption, type HybridCryptoEnvelope } from "../../src/client/index.ts";
import { eventually, type Json } from "./support/relay.ts";
import { openWorld } from "./support/world.ts";

/*
 * The guides of other products for Splunk and Datadog, command by command, with host, key and ids changed; against
 * the relay as its own process and SIEMs that behave like the real ones.
 */

const HEC_TOKEN = "33333333-3333-4333-8333-333333333333";
const DATADOG_KEY = "0123456789abcdef0123456789abcdef";

const { relay, simulator, siem } = await openWorld();

/** A tenant with its key and a key pair of its own, as the guides begin. */
async function start() {
  const { key } = await relay.tenant();
  const pair = await encryption.generateKeyPair();
  const curl = (method: string, path: string, body?: string) =>
    relay.call(method, path, { key, ...(body === undefined ? {} : { body }) });
  const made = async (path: string, body: object): Promise<Json> => {
    const answer = await curl("POST", path, JSON.stringify(body));
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  };
  const seal = async (values: Json): Promise<string> => {
    const sealed = await made("/api/v2/vault/seal", { name: "SIEM", credential_type: "api_key", values });
    return String(sealed["credential_id"]);
  };
  const register = () => made("/api/v2/keys", { algorithm: "ML-KEM-768", public_key: pair.publicKey });
  return { key, pair, curl, made, seal, register };
}

type Scene = Awaited<ReturnType<typeof start>>;

async function splunk(scene: Scene, name: string, allowed: readonly string[]): Promise<string> {
  await siem.splunk(name, { tokens: [{ token: HEC_TOKEN, indexes: ["main", "security"] }] });
  const integration = await scene.made("/api/v2/integrations", {
    system_type: "splunk",
    config: { hec_url: `${simulator.url}/${name}` },
    credential_id: await scene.seal({ api_key: HEC_TOKEN }),
    allowed_operations: allowed,
    routes: [{ match: "nothing.at.all" }],
  });
  return String(integration["id"]);
}

/** The envelope opened with what `GET /api/v2/keys` publishes. */
async function open(scene: Scene, envelope: Json, request: Json) {
  const published = await scene.curl("GET", "/api/v2/keys");
  const verificationKeys = published.body["verification_key"] as { key_id: string; public_key: string };
  const { integration_id, operation, payload } = request;
  return encryption.decrypt(envelope, {
    privateKey: scene.pair.privateKey,
    verificationKeys,
    request: { integration_id: String(integration_id), operation: String(operation), payload },
  });
}

describe("the guide for Splunk", () => {
  it("works as it stands: seal, integrate, register, send_event, decrypt; and the event is at Splunk", async ({
    expect,
  }) => {
    const scene = await start();
    const id = await splunk(scene, "guide-splunk", ["send_event", "send_batch"]);
    expect(id).toMatch(/^int_/);
    const command = `{"integration_id":"${id}","operation":"send_event","payload":{"event":{"action":"vault.seal","tenant":"acme","credential_type":"oauth2_client"},"sourcetype":"quantaseal:audit","index":"security"}}`;
    const early = await scene.curl("POST", "/api/v2/proxy/outbound", command);
    expect([early.status, early.body["code"]]).toEqual([409, "conflict"]);
    expect(String(early.body["detail"])).toContain("POST /api/v2/keys");
    const { key_id } = await scene.register();
    const answer = await scene.curl("POST", "/api/v2/proxy/outbound", command);
    expect([answer.status, answer.body["code"]]).toEqual([200, undefined]);
    expect(answer.body["recipient_key_id"]).toBe(key_id);
    const result = await open(scene, answer.body, JSON.parse(command) as Json);
    expect(result).toMatchObject({ ok: true, outcome: "delivered", http_status: 200, provider_code: 0 });
    const [copy, ...others] = await siem.event("guide-splunk", "-");
    expect(others).toEqual([]);
    expect(JSON.parse(copy?.raw ?? "")).toEqual({
      action: "vault.seal",
      tenant: "acme",
      credential_type: "oauth2_client",
    });
    expect(JSON.stringify(copy)).toContain("quantaseal:audit");
    expect((await siem.summary("guide-splunk")).violations).toEqual([]);
    const otherwise = { ...(JSON.parse(command) as Json), operation: "send_batch" };
    await expect(open(scene, answer.body, otherwise)).rejects.toMatchObject({ code: "other_request" });
  }, 60_000);

  it("denies by default: what is not listed makes no request, and both are on the tenant's stream", async ({
    expect,
  }) => {
    const scene = await start();
    const id = await splunk(scene, "guide-denied", ["send_event"]);
    await siem.splunk("guide-audit", { tokens: [{ token: HEC_TOKEN }] });
    await scene.made("/v1/audit/siem", {
      provider: "splunk",
      endpoint: `${simulator.url}/guide-audit`,
      token: HEC_TOKEN,
      routes: [{ match: "proxy.*" }, { match: "public-key.*" }],
    });
    await scene.register();
    const call = (operation: string) =>
      scene.curl(
        "POST",
        "/api/v2/proxy/outbound",
        JSON.stringify({
          integration_id: id,
          operation,
          payload:
            operation === "send_event" ? { event: { word: "secret-word" } } : { events: [{ event: "x" }] },
        }),
      );
    const denied = await call("send_batch");
    expect([denied.status, denied.body["code"]]).toEqual([403, "operation_not_allowed"]);
    expect((await siem.summary("guide-denied")).requests).toBe(0);
    expect((await call("send_event")).status).toBe(200);
    const told = await eventually(async () => {
      const { order } = await siem.events("guide-audit");
      const copies = await Promise.all(order.map((each) => siem.event("guide-audit", each)));
      const events = copies.flat().map(({ raw }) => JSON.parse(raw) as Json);
      return events.length >= 3 && events;
    });
    const byAction = new Map(told.map((event) => [String(event["action"]), event]));
    expect([...byAction.keys()].toSorted()).toEqual(["proxy.invoke", "proxy.refuse", "public-key.register"]);
    expect(byAction.get("proxy.refuse")).toMatchObject({
      outcome: "DENIED",
      metadata: { operation: "send_batch", reason: "operation_not_allowed" },
    });
    expect(byAction.get("proxy.invoke")).toMatchObject({
      outcome: "SUCCESS",
      metadata: { operation: "send_event" },
    });
    expect(JSON.stringify(told)).not.toMatch(new RegExp(`secret-word|${HEC_TOKEN}`));
  }, 60_000);

  it("goes on to its end and is written down, though the caller hangs up", async ({ expect }) => {
    const scene = await start();
    const id = await splunk(scene, "guide-left", ["send_event"]);
    await siem.splunk("guide-left-audit", { tokens: [{ token: HEC_TOKEN }] });
    await scene.made("/v1/audit/siem", {
      provider: "splunk",
      endpoint: `${simulator.url}/guide-left-audit`,
      token: HEC_TOKEN,
      routes: [{ match: "proxy.*" }],
    });
    await scene.register();
    await siem.fault("guide-left", { mode: "slow", ms: 1_500 });
    const left = fetch(`${relay.url}/api/v2/proxy/outbound`, {
      method: "POST",
      headers: { "x-api-key": scene.key, "content-type": "application/json" },
      body: JSON.stringify({ integration_id: id, operation: "send_event", payload: { event: { a: 1 } } }),
      signal: AbortSignal.timeout(500),
    });
    await expect(left).rejects.toThrow();
    const [copy] = await eventually(async () => {
      const [first] = (await siem.events("guide-left-audit")).order;
      return first !== undefined && (await siem.event("guide-left-audit", first));
    });
    expect(JSON.parse(copy?.raw ?? "")).toMatchObject({ action: "proxy.invoke", outcome: "SUCCESS" });
  }, 60_000);

  it("has Splunk's refusals inside the envelope, with their meaning", async ({ expect }) => {
    const scene = await start();
    const id = await splunk(scene, "guide-refused", ["send_event"]);
    await scene.register();
    const client = createClient({ baseUrl: relay.url, apiKey: scene.key, encryption: scene.pair });
    const call = async (payload: Json) =>
      (await client.proxy.call({ integrationId: id, operation: "send_event", payload })).result;
    expect(await call({ event: { a: 1 }, index: "elsewhere" })).toMatchObject({
      ok: false,
      provider_code: 7,
      outcome: "config_rejected",
    });
    for (const [fault, expected] of [
      [
        { mode: "status", status: 500, body: "oops" },
        { http_status: 500, outcome: "provider_error" },
      ],
      [
        { mode: "status", status: 429, retry_after: 5 },
        { http_status: 429, outcome: "throttled" },
      ],
      [{ mode: "html" }, { ok: false }],
      [{ mode: "reset" }, { http_status: null, outcome: "unreachable" }],
    ] as const) {
      await siem.fault("guide-refused", { ...fault, times: 1 });
      expect(await call({ event: { a: 1 } })).toMatchObject(expected);
    }
    await siem.configure("guide-refused", { tokens: [{ token: HEC_TOKEN, disabled: true }] });
    const disabled = await call({ event: { a: 1 } });
    expect(disabled).toMatchObject({ ok: false, outcome: "credentials_rejected", http_status: 403 });
    expect(JSON.stringify(disabled)).not.toContain(HEC_TOKEN);
  }, 60_000);
});

describe("a credential that is rotated", () => {
  it("stands in for its successor where Splunk refuses that, within one call", async ({ expect }) => {
    const scene = await start();
    const fresh = "44444444-4444-4444-8444-444444444444";
    const both = (isFreshDisabled: boolean) => [
      { token: HEC_TOKEN, indexes: ["main", "security"] },
      { token: fresh, indexes: ["main", "security"], disabled: isFreshDisabled },
    ];
    const id = await splunk(scene, "guide-rotated", ["send_event"]);
    await siem.configure("guide-rotated", { tokens: both(false) });
    const [credential] = (await scene.curl("GET", "/api/v2/vault/credentials")).body["data"] as Json[];
    const path = `/api/v2/vault/credentials/${String(credential?.["credential_id"] ?? credential?.["id"])}/rotate`;
    await scene.made(path, { values: { api_key: fresh }, previous_ttl_seconds: 3_600 });
    await siem.configure("guide-rotated", { tokens: both(true) });
    await siem.reset("guide-rotated");
    await scene.register();
    const request = { integration_id: id, operation: "send_event", payload: { event: { a: 1 } } };
    const answer = await scene.curl("POST", "/api/v2/proxy/outbound", JSON.stringify(request));
    expect(await open(scene, answer.body, request)).toMatchObject({ ok: true, outcome: "delivered" });
    expect((await siem.requests("guide-rotated")).map(({ status }) => status)).toEqual([403, 200]);
  }, 60_000);
});

describe("the guide for Datadog", () => {
  it("works as it stands, for events, metrics and logs", async ({ expect }) => {
    const scene = await start();
    await siem.datadog("guide-datadog", { api_keys: [DATADOG_KEY] });
    const integration = await scene.made("/api/v2/integrations", {
      system_type: "datadog",
      // The guide's own `{site: "datadoghq.com"}` would be Datadog itself.
      config: { endpoint: `${simulator.url}/guide-datadog/api/v2/logs` },
      credential_id: await scene.seal({
        api_key: DATADOG_KEY,
        app_key: "fedcba9876543210fedcba9876543210fedcba98",
      }),
      allowed_operations: ["send_event", "send_metric", "send_log"],
      routes: [{ match: "nothing.at.all" }],
    });
    await scene.register();
    const id = String(integration["id"]);
    const commands = [
      `{"integration_id":"${id}","operation":"send_event","payload":{"title":"Credential rotated","text":"Vault entry rotated by admin@acme.com","tags":["env:production","quantaseal:vault"]}}`,
      `{"integration_id":"${id}","operation":"send_metric","payload":{"series":[{"metric":"vault.seals","type":"count","points":[{"timestamp":${Math.floor(Date.now() / 1_000)},"value":1}]}]}}`,
      `{"integration_id":"${id}","operation":"send_log","payload":{"message":"Vault entry rotated","service":"vault"}}`,
    ];
    for (const command of commands) {
      const answer = await scene.curl("POST", "/api/v2/proxy/outbound", command);
      expect([answer.status, answer.body["detail"]]).toEqual([200, undefined]);
      const result = await open(scene, answer.body, JSON.parse(command) as Json);
      expect(result).toMatchObject({ ok: true, outcome: "delivered", http_status: 202 });
    }
    const paths = (await siem.requests("guide-datadog")).map(({ path }) =>
      path.replace("/guide-datadog", ""),
    );
    expect(paths).toEqual(["/api/v1/events", "/api/v2/series", "/api/v2/logs"]);
    expect((await siem.summary("guide-datadog")).violations).toEqual([]);
  }, 60_000);

  it("says what is wrong with the key, and what with a payload", async ({ expect }) => {
    const scene = await start();
    await siem.datadog("guide-key", { api_keys: ["another".padEnd(32, "0")] });
    const integration = await scene.made("/api/v2/integrations", {
      system_type: "datadog",
      config: { site: "datadoghq.com", api_url: `${simulator.url}/guide-key` },
      credential_id: await scene.seal({ api_key: DATADOG_KEY }),
      allowed_operations: ["send_event"],
      routes: [{ match: "nothing.at.all" }],
    });
    await scene.register();
    const request = { integration_id: integration["id"], operation: "send_event" };
    const call = (payload: Json) =>
      scene.curl("POST", "/api/v2/proxy/outbound", JSON.stringify({ ...request, payload }));
    const wrong = await call({ title: "a", text: "b", colour: "red" });
    expect([wrong.status, wrong.body["errors"]]).toMatchObject([422, [{ path: "payload.colour" }]]);
    const payload = { title: "a", text: "b" };
    const refused = await call(payload);
    const result = await open(scene, refused.body, { ...request, payload });
    expect(result).toMatchObject({ ok: false, outcome: "credentials_rejected", http_status: 403 });
    const envelope = refused.body as unknown as HybridCryptoEnvelope;
    expect(JSON.stringify(envelope)).not.toContain("credentials_rejected");
  }, 60_000);
});
