import { describe, it } from "vitest";
import { PROVIDERS } from "../../src/providers/registry.ts";
import { FakeApi } from "../support/fake-api.ts";

const SPLUNK = {
  system_type: "splunk",
  config: { hec_url: "https://splunk.example.com:8088", index: "security" },
  token: "s3cr3t-token",
  allowed_operations: ["send_event"],
};

function start() {
  const api = new FakeApi({ providers: PROVIDERS });
  const key = api.key("ten_a");
  const run = (method: string, path: string, body?: unknown) =>
    api.json(method, path, { key, ...(body === undefined ? {} : { body }) });
  return { api, key, run, create: (body: unknown) => run("POST", "/api/v2/integrations", body) };
}

describe("an integration", () => {
  it("is made in its own words, and has its address where it was given", async ({ expect }) => {
    const { create } = start();
    const made = await create(SPLUNK);
    expect([made.status, made.text]).toEqual([201, expect.any(String)]);
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^int_[0-9a-f]{32}$/),
      system_type: "splunk",
      config: { hec_url: "https://splunk.example.com:8088", index: "security" },
      allowed_operations: ["send_event"],
      enabled: true,
      status: "active",
    });
    expect(made.body).not.toHaveProperty("provider");
    expect(made.headers.get("location")).toBe(`/api/v2/integrations/${made.body["id"]}`);
    expect(made.text).not.toContain("s3cr3t-token");
  });

  it("is the same record as a destination, and shows in both lists", async ({ expect }) => {
    const { run, create } = start();
    const made = await create(SPLUNK);
    const id = String(made.body["destination_id"]);
    expect(id.replace("siem_", "int_")).toBe(made.body["id"]);
    expect((await run("GET", "/v1/audit/siem")).body.data.map((each) => each["id"])).toEqual([id]);
    expect((await run("GET", "/api/v2/integrations")).body.data).toEqual([made.body]);
    expect((await run("GET", `/api/v2/integrations/${made.body["id"]}`)).body).toEqual(made.body);
    expect((await run("GET", `/api/v2/integrations/${id}`)).body).toEqual(made.body);
    expect((await run("GET", `/v1/audit/siem/${id}`)).body).toMatchObject({
      provider: "splunk",
      endpoint: "https://splunk.example.com:8088",
      config: { index: "security" },
      allowed_operations: ["send_event"],
    });
  });

  it("of Datadog needs its site alone", async ({ expect }) => {
    const { create } = start();
    const made = await create({
      system_type: "datadog",
      config: { site: "datadoghq.com" },
      token: "0123456789abcdef0123456789abcdef",
      allowed_operations: ["send_event", "send_metric", "send_log"],
    });
    expect([made.status, made.text]).toEqual([201, expect.any(String)]);
    expect(made.body["config"]).toMatchObject({ site: "datadoghq.com" });
    expect(made.body["config"]).not.toHaveProperty("endpoint");
    expect(made.body["endpoint"]).toBe("https://http-intake.logs.datadoghq.com/api/v2/logs");
  });

  it("allows nothing unless it says so", async ({ expect }) => {
    const { create } = start();
    const { allowed_operations: _, ...rest } = SPLUNK;
    expect((await create(rest)).body["allowed_operations"]).toEqual([]);
    const foreign = await create({ ...SPLUNK, allowed_operations: ["send_metric"] });
    expect(foreign.body.errors).toMatchObject([{ path: "allowed_operations.0" }]);
  });

  it("is changed by merge-patch, the rest staying as it was", async ({ expect }) => {
    const { api, run, create } = start();
    const made = await create(SPLUNK);
    const path = `/api/v2/integrations/${made.body["id"]}`;
    const changed = await run("PATCH", path, { allowed_operations: ["send_event", "send_batch"] });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({
      id: made.body["id"],
      config: { hec_url: "https://splunk.example.com:8088", index: "security" },
      allowed_operations: ["send_event", "send_batch"],
    });
    const moved = await run("PATCH", path, { config: { hec_url: "https://new.example.com", index: null } });
    expect(moved.body["config"]).toMatchObject({ hec_url: "https://new.example.com" });
    expect(moved.body["config"]).not.toHaveProperty("index");
    expect(api.acts.map(({ action }) => action)).toEqual(["siem.create", "siem.update", "siem.update"]);
  });

  it("is deleted as a destination is", async ({ expect }) => {
    const { api, run, create } = start();
    const path = `/api/v2/integrations/${(await create(SPLUNK)).body["id"]}`;
    const gone = await run("DELETE", path);
    expect([gone.status, gone.body]).toEqual([200, { flushed: 0, dead_lettered: 0 }]);
    expect((await run("GET", path)).status).toBe(404);
    expect(api.acts.at(-1)?.action).toBe("siem.delete");
  });

  it("is nobody's but its tenant's, and what is no integration is not found", async ({ expect }) => {
    const { api, create } = start();
    const path = `/api/v2/integrations/${(await create(SPLUNK)).body["id"]}`;
    for (const method of ["GET", "PATCH", "DELETE"]) {
      const options = { key: api.key("ten_b"), ...(method === "PATCH" ? { body: {} } : {}) };
      expect((await api.json(method, path, options)).status).toBe(404);
    }
    expect((await api.json("GET", "/api/v2/integrations/key_1", { key: api.key("ten_a") })).status).toBe(404);
  });
});

describe("what is wrong with an integration", () => {
  const faults: readonly (readonly [string, Readonly<Record<string, unknown>>, readonly string[]])[] = [
    ["an unknown system", { ...SPLUNK, system_type: "sentinel" }, ["system_type"]],
    ["no system", { config: SPLUNK.config, token: "t" }, ["system_type"]],
    ["a destination's word for it", { ...SPLUNK, provider: "splunk" }, ["provider"]],
    ["a private address", { ...SPLUNK, config: { hec_url: "https://127.0.0.1" } }, ["config.hec_url"]],
    ["no address", { ...SPLUNK, config: {} }, ["config.hec_url"]],
    [
      "two addresses",
      { ...SPLUNK, config: { hec_url: "https://a.example.com", endpoint: "https://b.example.com" } },
      ["config.endpoint"],
    ],
    ["an address outside as well", { ...SPLUNK, endpoint: "https://b.example.com" }, ["endpoint"]],
    ["a setting that there is not", { ...SPLUNK, config: { ...SPLUNK.config, colour: "red" } }, ["config"]],
    ["a config that is none", { ...SPLUNK, config: "x" }, ["config"]],
    ["a field that there is not", { ...SPLUNK, webhooks: [] }, ["webhooks"]],
    [
      "an API of Datadog's at a private address, without a scheme",
      {
        system_type: "datadog",
        config: { site: "datadoghq.eu", api_url: "127.0.0.1/dd" },
        token: "0123456789abcdef",
      },
      ["config.api_url"],
    ],
  ];

  it.for(faults)("is said in its own words: %s", async ([, body, paths], { expect }) => {
    const { api, create } = start();
    const answer = await create(body);
    expect([answer.status, answer.body.errors?.map(({ path }) => path)]).toEqual([422, paths]);
    expect(await api.destinations.count("ten_a")).toBe(0);
  });

  it("cannot be mended by making it another system's", async ({ expect }) => {
    const { run, create } = start();
    const path = `/api/v2/integrations/${(await create(SPLUNK)).body["id"]}`;
    const answer = await run("PATCH", path, { system_type: "datadog" });
    expect(answer.body.errors).toMatchObject([{ path: "system_type" }]);
    expect((await run("PATCH", path, { system_type: "splunk" })).status).toBe(200);
  });
});
