import { describe, it } from "vitest";
import { MAX_DESTINATIONS } from "../../src/api/destinations.ts";
import { days } from "../../src/base/clock.ts";
import { plan } from "../../src/flow/route/plan.ts";
import { deadLetter, destination, splunkBody } from "../support/builders.ts";
import { FakeApi, NOW } from "../support/fake-api.ts";
import { RESTING } from "../support/fake-lane.ts";
import { aPart } from "../support/lines.ts";

const HEC = "https://hec.splunk.example.com:8088/services/collector";

function start() {
  const api = new FakeApi();
  const key = api.key("ten_a");
  const call = (method: string, path: string, body?: unknown) =>
    api.json(method, `/v1/audit/siem${path}`, { key, ...(body === undefined ? {} : { body }) });
  const make = async (about: Record<string, unknown> = {}) =>
    String((await call("POST", "", splunkBody(about))).body["id"]);
  /** The stored secrets, opened. */
  const secretsOf = async (id: string): Promise<unknown> => {
    const row = api.destinations.rows.get(id);
    const opened = await api.deps.open(
      { tenantId: "ten_a", recordId: id, purpose: "destination-secrets" },
      row?.sealedSecrets ?? "",
    );
    return opened.ok ? JSON.parse(opened.value) : null;
  };
  const paths = async (method: string, path: string, body: unknown) => {
    const answer = await call(method, path, body);
    return [answer.status, ...answer.body.errors.map((fault) => fault.path)];
  };
  return { api, key, call, make, secretsOf, paths };
}

describe("creating a destination", () => {
  it("that starts switched off owes it nothing of what was accepted shortly before", async ({ expect }) => {
    const { api, call } = start();
    const made = await call("POST", "", splunkBody({ enabled: false }));
    await call("PATCH", `/${made.body["id"]}`, { name: "Still off" });
    const parts = [aPart("bat_1", 1, { acceptedAt: api.at - 1 })];
    expect(plan([...api.destinations.rows.values()], parts)).toEqual([]);
  });

  it("takes the documented body and shows everything but the secret", async ({ expect }) => {
    const { api, call, secretsOf } = start();
    const { status, body, headers, text } = await call("POST", "", {
      provider: "splunk",
      name: "SOC Splunk",
      endpoint: HEC,
      token: "hec-token-value",
      enabled: true,
      config: { index: "main", sourcetype: "_json", source: "sluice", acknowledge: true },
      routes: [{ match: "incident.*", index: "itsm_incidents", enabled: true }],
      allowed_operations: ["send_event", "send_batch"],
    });
    const id = String(body["id"]);
    expect(status).toBe(201);
    expect(id).toMatch(/^siem_[0-9a-f]{32}$/);
    expect(headers.get("location")).toBe(`/v1/audit/siem/${id}`);
    expect(body).toEqual({
      id,
      provider: "splunk",
      name: "SOC Splunk",
      endpoint: HEC,
      enabled: true,
      config: { index: "main", sourcetype: "_json", source: "sluice", acknowledge: true, shards: 1 },
      routes: [{ match: "incident.*", index: "itsm_incidents", enabled: true }],
      allowed_operations: ["send_event", "send_batch"],
      credential: {
        id: expect.stringMatching(/^cred_[0-9a-f]{32}$/),
        shared: false,
        rotated_at: null,
        previous_until: null,
        previous_uses: 0,
        previous_used_at: null,
      },
      created_at: "2026-06-30T12:00:00.000Z",
      updated_at: "2026-06-30T12:00:00.000Z",
      status: "active",
      status_reason: null,
      backlog: { events: 0, bytes: 0, oldest_at: null },
      next_attempt_at: null,
      first_loss_at: null,
      last_delivered_at: null,
      dead_letters: 0,
      activity: { per_minute: new Array(60).fill(0), p50_ms: null, p95_ms: null },
    });
    expect(text).not.toContain("hec-token-value");
    expect(await secretsOf(id)).toEqual({ token: "hec-token-value" });
    expect(api.lane("ten_a", id).calls).toContainEqual(["configure", "ten_a", id, 1]);
    expect(api.acts).toMatchObject([{ action: "siem.create", resourceId: id, actorId: "key_ten_a" }]);
  });

  it("needs provider, endpoint and secret alone; the rest has defaults", async ({ expect }) => {
    const { call } = start();
    const { body } = await call("POST", "", splunkBody());
    expect(body).toMatchObject({
      name: "Splunk HTTP Event Collector",
      enabled: true,
      config: { sourcetype: "_json", acknowledge: "auto" },
      routes: [],
      allowed_operations: [],
    });
    expect((await call("POST", "", splunkBody({ routes: "categories" }))).body["routes"]).toBe("categories");
  });

  it("takes Datadog's site in place of an endpoint, and shows where that is", async ({ expect }) => {
    const { call } = start();
    const made = await call("POST", "", {
      provider: "datadog",
      token: "t",
      config: { site: "datadoghq.eu" },
    });
    const endpoint = "https://http-intake.logs.datadoghq.eu/api/v2/logs";
    expect([made.status, made.body["endpoint"]]).toEqual([201, endpoint]);
    const moved = await call("PATCH", `/${made.body["id"]}`, { config: { site: "datadoghq.com" } });
    expect(moved.body["endpoint"]).toBe("https://http-intake.logs.datadoghq.com/api/v2/logs");
  });

  it("names every field that is wrong, at once", async ({ expect }) => {
    const { paths } = start();
    expect(await paths("POST", "", { ...splunkBody(), provider: "qradar" })).toEqual([422, "provider"]);
    expect(await paths("POST", "", { endpoint: HEC })).toEqual([422, "provider"]);
    expect(
      await paths("POST", "", splunkBody({ tokn: "x", app_key: "y", enabled: "yes", status: "active" })),
    ).toEqual([422, "tokn", "app_key", "status", "enabled"]);
    expect(await paths("POST", "", { provider: "splunk", endpoint: HEC })).toEqual([422, "token"]);
    expect(await paths("POST", "", splunkBody({ config: { index: 5 } }))).toEqual([422, "config.index"]);
    expect(await paths("POST", "", splunkBody({ config: { indx: "main" } }))).toEqual([422, "config"]);
    expect(await paths("POST", "", splunkBody({ routes: [{ match: "UPPER" }] }))).toEqual([
      422,
      "routes.0.match",
    ]);
    expect(await paths("POST", "", splunkBody({ routes: [{ match: "a.*", to: "x" }] }))).toEqual([
      422,
      "routes.0.to",
    ]);
    expect(await paths("POST", "", splunkBody({ routes: "some" }))).toEqual([422, "routes"]);
    expect(await paths("POST", "", splunkBody({ allowed_operations: ["send_event", "rm"] }))).toEqual([
      422,
      "allowed_operations.1",
    ]);
    expect(await paths("POST", "", splunkBody({ name: null, token: null }))).toEqual([422, "token", "name"]);
  });

  it("lists the known providers when it does not know one", async ({ expect }) => {
    const { call } = start();
    const { body } = await call("POST", "", splunkBody({ provider: "qradar" }));
    expect(body.errors[0]?.message).toBe("Expected one of splunk, datadog, cloudwatch, elastic, webhook");
  });

  it("refuses endpoints that the guard refuses, also those inside the config", async ({ expect }) => {
    const { api, paths } = start();
    expect(await paths("POST", "", splunkBody({ endpoint: "http://hec.example.com" }))).toEqual([
      422,
      "endpoint",
    ]);
    expect(await paths("POST", "", splunkBody({ endpoint: "https://127.0.0.1" }))).toEqual([422, "endpoint"]);
    const config = { site: "datadoghq.com", api_url: "https://127.0.0.1/" };
    expect(await paths("POST", "", { provider: "datadog", token: "t", config })).toEqual([
      422,
      "config.api_url",
    ]);
    expect(await paths("POST", "", splunkBody({ endpoint: "not a url" }))).toEqual([422, "endpoint"]);
    expect(api.destinations.rows.size).toBe(0);
  });

  it("keeps to a number that one event can be offered to", async ({ expect }) => {
    const { api, call } = start();
    for (let n = 0; n < MAX_DESTINATIONS; n += 1) {
      await api.destinations.insert(destination({ id: `siem_${n}` }));
    }
    expect((await call("POST", "", splunkBody())).status).toBe(409);
  });
});

describe("changing a destination", () => {
  it("with PUT keeps what is not named, secrets included", async ({ expect }) => {
    const { call, make, secretsOf } = start();
    const id = await make({ name: "SOC", config: { index: "main", source: "edge" } });
    const { status, body } = await call("PUT", `/${id}`, { config: { index: "other" } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: "SOC", endpoint: HEC, config: { index: "other" } });
    expect(body["config"]).not.toHaveProperty("source");
    expect(await secretsOf(id)).toEqual({ token: "your-hec-token" });
    await call("PUT", `/${id}`, { token: "new" });
    expect(await secretsOf(id)).toEqual({ token: "new" });
  });

  it("with PATCH merges, and null takes away", async ({ expect }) => {
    const { call, make, secretsOf } = start();
    const id = await make({
      config: { index: "main", source: "edge" },
      extra_key: "n",
      routes: [{ match: "a.*" }],
    });
    const change = { config: { index: null, source: "x" }, extra_key: null, routes: null };
    const { body } = await call("PATCH", `/${id}`, { ...change, name: null });
    expect(body).toMatchObject({
      config: { source: "x", sourcetype: "_json", acknowledge: "auto" },
      routes: [],
      name: "Splunk HTTP Event Collector",
    });
    expect(body["config"]).not.toHaveProperty("index");
    expect(await secretsOf(id)).toEqual({ token: "your-hec-token" });
    expect((await call("PATCH", `/${id}`, { token: null })).status).toBe(422);
    expect((await call("PUT", `/${id}`, { name: null })).status).toBe(422);
  });

  it("understands the merge-patch media type", async ({ expect }) => {
    const { api, key, make } = start();
    const id = await make();
    const answer = await api.json("PATCH", `/v1/audit/siem/${id}`, {
      key,
      body: JSON.stringify({ name: "renamed" }),
      headers: { "content-type": "application/merge-patch+json; charset=utf-8" },
    });
    expect(answer.body["name"]).toBe("renamed");
  });

  it("remembers when it was disabled, and forgets it when enabled again", async ({ expect }) => {
    const { api, call, make } = start();
    const id = await make();
    const disabled = await call("PUT", `/${id}`, { enabled: false });
    expect(disabled.body).toMatchObject({ status: "disabled", status_reason: null, enabled: false });
    api.at = NOW + 5_000;
    await call("PUT", `/${id}`, { name: "still off" });
    expect(api.destinations.rows.get(id)).toMatchObject({ disabledAt: NOW, updatedAt: NOW + 5_000 });
    const enabled = await call("PATCH", `/${id}`, { enabled: true });
    expect(enabled.body["status"]).toBe("active");
    expect(api.destinations.rows.get(id)?.disabledAt).toBeNull();
  });

  it("tells the lane the new revision, and stands when the lane cannot be told", async ({ expect }) => {
    const { api, call, make } = start();
    const id = await make();
    const lane = api.lane("ten_a", id);
    await call("PUT", `/${id}`, { name: "one" });
    expect(lane.calls).toContainEqual(["configure", "ten_a", id, 2]);
    lane.isDown = true;
    expect((await call("PUT", `/${id}`, { name: "two" })).body).toMatchObject({ name: "two", backlog: null });
    lane.isDown = false;
    lane.isSlow = true;
    expect((await call("PUT", `/${id}`, { name: "three" })).body).toMatchObject({ name: "three" });
  });

  it("tries once more when someone else was quicker, then answers 409", async ({ expect }) => {
    const { api, call, make } = start();
    const id = await make();
    const rival = (times: number) => {
      let left = times;
      api.destinations.beforeUpdate = () => {
        const row = api.destinations.rows.get(id);
        if (row === undefined || left === 0) return;
        left -= 1;
        api.destinations.rows.set(id, { ...row, revision: row.revision + 1, name: "rival" });
      };
    };
    rival(1);
    expect((await call("PUT", `/${id}`, { enabled: false })).body).toMatchObject({
      name: "rival",
      enabled: false,
    });
    rival(2);
    expect((await call("PUT", `/${id}`, { enabled: true })).status).toBe(409);
  });

  it("cannot change the provider, but may repeat it", async ({ expect }) => {
    const { call, make, paths } = start();
    const id = await make();
    expect((await call("PUT", `/${id}`, { provider: "splunk" })).status).toBe(200);
    expect(await paths("PUT", `/${id}`, { provider: "datadog" })).toEqual([422, "provider"]);
  });

  it("of a webhook's secret lets the old one sign for a while, if asked to", async ({ expect }) => {
    const { call, secretsOf } = start();
    const body = { provider: "webhook", endpoint: "https://hooks.example.com/x", secret: "one" };
    const id = String((await call("POST", "", body)).body["id"]);
    await call("PATCH", `/${id}`, { secret: "two", previous_secret_ttl_seconds: 3_600 });
    expect(await secretsOf(id)).toEqual({
      secret: "two",
      previous_secret: "one",
      previous_secret_expires_at: NOW + 3_600_000,
    });
    await call("PATCH", `/${id}`, { secret: "three" });
    expect(await secretsOf(id)).toEqual({ secret: "three" });
    expect((await call("PATCH", `/${id}`, { previous_secret: "x" })).status).toBe(422);
    expect((await call("PATCH", `/${id}`, { previous_secret_ttl_seconds: -1 })).status).toBe(422);
  });
});

describe("reading destinations", () => {
  it("shows what the lane says, and the history only of one", async ({ expect }) => {
    const { api, call, make } = start();
    const id = await make();
    const reason = { code: "unreachable", message: "connection refused", since: NOW } as const;
    api.lane("ten_a", id).state = {
      ...RESTING,
      status: "degraded",
      reason,
      backlog: { events: 3, bytes: 900, oldestAt: NOW },
      nextAttemptAt: NOW + 1_000,
      firstLossAt: NOW + days(1),
      lastDeliveredAt: NOW - 1,
      deadLetters: 2,
      changes: [{ at: NOW, status: "degraded", reason }],
    };
    const shown = {
      status: "degraded",
      status_reason: {
        code: "unreachable",
        message: "connection refused",
        since: "2026-06-30T12:00:00.000Z",
      },
      backlog: { events: 3, bytes: 900, oldest_at: "2026-06-30T12:00:00.000Z" },
      next_attempt_at: "2026-06-30T12:00:01.000Z",
      first_loss_at: "2026-07-01T12:00:00.000Z",
      last_delivered_at: "2026-06-30T11:59:59.999Z",
      dead_letters: 2,
    };
    const one = await call("GET", `/${id}`);
    expect(one.body).toMatchObject(shown);
    expect(one.body["status_changes"]).toHaveLength(1);
    const { body } = await call("GET", "");
    expect(body.data).toMatchObject([shown]);
    expect(body.data[0]).not.toHaveProperty("status_changes");
    expect(body["next_cursor"]).toBeNull();
  });

  it("falls back to what the lane last wrote down when it does not answer in time", async ({ expect }) => {
    const { api, call, make } = start();
    const slow = await make();
    const down = await make();
    await make();
    for (const id of [slow, down]) {
      const row = api.destinations.rows.get(id);
      const statusReason = { code: "throttled", message: "429", since: NOW } as const;
      if (row !== undefined) api.destinations.rows.set(id, { ...row, status: "failed", statusReason });
    }
    api.lane("ten_a", slow).isSlow = true;
    api.lane("ten_a", down).isDown = true;
    const { body } = await call("GET", "");
    const byId = new Map(body.data.map((each) => [each["id"], each]));
    for (const id of [slow, down]) {
      expect(byId.get(id)).toMatchObject({
        status: "failed",
        status_reason: { code: "throttled" },
        backlog: null,
      });
    }
    expect(body.data.filter(({ status }) => status === "active")).toHaveLength(1);
  });
});

describe("deleting a destination", () => {
  it("flushes what is owed for 30 s, or not at all with force", async ({ expect }) => {
    const { api, call, make } = start();
    const id = await make();
    api.lane("ten_a", id).flush = { flushed: 5, deadLettered: 2 };
    const { status, body } = await call("DELETE", `/${id}`);
    expect([status, body]).toEqual([200, { flushed: 5, dead_lettered: 2 }]);
    expect(api.lane("ten_a", id).calls).toContainEqual(["close", 30_000]);
    const forced = await make();
    await call("DELETE", `/${forced}?force=true`);
    expect(api.lane("ten_a", forced).calls).toContainEqual(["close", 0]);
    const kept = await make();
    expect((await call("DELETE", `/${kept}?force=perhaps`)).status).toBe(422);
    expect((await call("GET", `/${kept}`)).status).toBe(200);
  });

  it("leaves nothing but its dead letters, for 7 days", async ({ expect }) => {
    const { api, call, make } = start();
    const id = await make();
    api.lane("ten_a", id).letters = [deadLetter()];
    await call("DELETE", `/${id}`);
    for (const [method, path, body] of [
      ["GET", ""],
      ["PUT", "", {}],
      ["PATCH", "", {}],
      ["DELETE", ""],
      ["POST", "/test"],
      ["GET", "/deliveries"],
      ["GET", "/stats"],
      ["POST", "/replay", { all: true }],
      ["DELETE", "/dead-letters"],
    ] as const) {
      expect((await call(method, `/${id}${path}`, body)).status).toBe(404);
    }
    expect((await call("GET", "")).body.data).toEqual([]);
    expect((await call("GET", `/${id}/dead-letters`)).body.data).toHaveLength(1);
    api.at = NOW + days(7);
    expect((await call("GET", `/${id}/dead-letters`)).status).toBe(404);
  });

  it("says so when the lane cannot tell how the flush went", async ({ expect }) => {
    const { api, call, make } = start();
    const id = await make();
    api.lane("ten_a", id).isDown = true;
    expect((await call("DELETE", `/${id}`)).body["code"]).toBe("unavailable");
    expect((await call("GET", `/${id}`)).status).toBe(404);
  });
});

describe("testing a destination", () => {
  it("answers the diagnosis, saved or not, and stores nothing", async ({ expect }) => {
    const { api, call, make } = start();
    const report = {
      ok: true,
      latency_ms: 12,
      http_status: 200,
      provider_code: 0,
      message: "Success",
      hint: null,
      acknowledgement: "on",
      checks: [{ name: "token", ok: true, detail: "The token is accepted" }],
    };
    const unsaved = await call("POST", "/test", splunkBody());
    expect([unsaved.status, unsaved.body]).toEqual([200, report]);
    expect(api.destinations.rows.size).toBe(0);
    const id = await make();
    expect((await call("POST", `/${id}/test`)).body).toEqual(report);
    expect((await call("POST", `/${id}/test`, {})).body).toEqual(report);
  });

  it("refuses an unsaved configuration as creating it would", async ({ expect }) => {
    const { paths } = start();
    expect(await paths("POST", "/test", splunkBody({ endpoint: "https://127.0.0.1" }))).toEqual([
      422,
      "endpoint",
    ]);
  });

  it("finds stored settings that the provider no longer takes", async ({ expect }) => {
    const { api, call, make } = start();
    const id = await make();
    const row = api.destinations.rows.get(id);
    if (row !== undefined) api.destinations.rows.set(id, { ...row, config: { gone: 1 } });
    const { status, body } = await call("POST", `/${id}/test`);
    expect([status, body["ok"]]).toEqual([200, false]);
    expect(body["hint"]).toContain("config");
  });
});

describe("a secret", () => {
  it("is in no answer, no log line and no administrative act, whatever is done with it", async ({
    expect,
  }) => {
    const { api, call } = start();
    const secrets = { token: "s3cr3t-one", extra_key: "s3cr3t-two" };
    const texts: string[] = [];
    const tell = async (method: string, path: string, body?: unknown) => {
      const answer = await call(method, path, body);
      texts.push(answer.text, JSON.stringify([...answer.headers]));
      return String(answer.body?.["id"]);
    };
    const id = await tell("POST", "", splunkBody(secrets));
    await tell("GET", "");
    await tell("GET", `/${id}`);
    await tell("PUT", `/${id}`, { token: "s3cr3t-three" });
    await tell("PATCH", `/${id}`, { next_token: "s3cr3t-four", nonsense: 1 });
    await tell("PATCH", `/${id}`, { next_token: "s3cr3t-six" });
    await tell("POST", "", splunkBody({ ...secrets, endpoint: "http://x" }));
    await tell("POST", "", `{"token":"s3cr3t-five",`);
    await tell("POST", `/${id}/test`);
    await tell("POST", "/test", splunkBody(secrets));
    await tell("DELETE", `/${id}`);
    expect(JSON.stringify([texts, api.logged, api.acts])).not.toContain("s3cr3t");
    expect(JSON.stringify([...api.destinations.rows.values()])).not.toContain("s3cr3t");
  });
});
