import { describe, it } from "vitest";
import { FakeApi, NOW } from "../support/fake-api.ts";

const ALERTS = { kind: "splunk_alert", name: "SOC Splunk" };
const NOTABLES = {
  kind: "splunk_es",
  name: "ES",
  rest_url: "https://splunk.example.com:8089",
  username: "poller",
  password: "a-password",
};

function ready(tenantId = "ten_a") {
  const api = new FakeApi();
  const key = api.key(tenantId);
  const run = (method: string, path: string, body?: unknown) =>
    api.json(method, path, { key, ...(body === undefined ? {} : { body }) });
  const make = async (body: unknown) => {
    const made = await run("POST", "/v1/sources", body);
    return { ...made, id: String(made.body["id"]) };
  };
  return { api, run, make };
}

const setupOf = (body: Readonly<Record<string, unknown>>) =>
  body["setup"] as Readonly<Record<string, unknown>>;

describe("a source", () => {
  it("is made with a secret that is shown once, and a sheet to paste", async ({ expect }) => {
    const { run, make } = ready();
    const { status, headers, body, id } = await make({ ...ALERTS, secret_header: "X-StackFlow-Secret" });
    expect([status, headers.get("location")]).toEqual([201, `/v1/sources/${id}`]);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^src_/),
      kind: "splunk_alert",
      name: "SOC Splunk",
      enabled: true,
      secret: "slsec_minted1",
      secret_header: "X-StackFlow-Secret",
      allow_path_secret: false,
      severity_mapping: { critical: "P1", high: "P2", medium: "P3", low: "P4" },
      dedup_fields: ["search_name", "host", "source"],
      status: "waiting",
      last_seen_at: null,
      alerts: 0,
      checks: [{ name: "first_alert", ok: false }],
      setup: {
        url: `https://relay.example.com/api/webhooks/inbound/splunk/${id}`,
        shared_url: "https://relay.example.com/api/webhooks/inbound/splunk",
        header: "X-StackFlow-Secret: slsec_minted1",
      },
    });
    expect(body).not.toHaveProperty("path_secret");
    for (const path of [`/v1/sources/${id}`, `/v1/sources/${id}/setup`, "/v1/sources"]) {
      const read = await run("GET", path);
      expect([read.status, read.text.includes("slsec_")]).toEqual([200, false]);
    }
  });

  it("for Splunk's own action has a URL with a secret of its own", async ({ expect }) => {
    const { make, run } = ready();
    const { body, id } = await make({ ...ALERTS, secret: "chosen-by-me", allow_path_secret: true });
    expect([body["secret"], body["path_secret"]]).toEqual(["chosen-by-me", "slsec_minted1"]);
    expect(setupOf(body)["path_url"]).toBe(
      `https://relay.example.com/api/webhooks/inbound/splunk/${id}/slsec_minted1`,
    );
    const { text } = await run("GET", `/v1/sources/${id}/setup`);
    expect(text).toContain("/YOUR_PATH_SECRET");
  });

  it("prints a regular expression that allows its URLs and no others", async ({ expect }) => {
    const { make } = ready();
    const { body, id } = await make({ ...ALERTS, allow_path_secret: true });
    const { allow_list, url, shared_url, path_url } = setupOf(body);
    const { pattern, conf } = allow_list as { pattern: string; conf: string };
    for (const fine of [
      url,
      shared_url,
      path_url,
      `https://relay.example.com/prod/api/webhooks/inbound/splunk/${id}`,
    ]) {
      expect(String(fine)).toMatch(new RegExp(pattern));
    }
    for (const other of [
      "https://relayXexample.com/api/webhooks/inbound/splunk",
      "https://relay.example.com.evil.com/api/webhooks/inbound/splunk",
      "https://evil.com/?https://relay.example.com/api/webhooks/inbound/splunk",
      "https://relay.example.com/v1/sources",
    ]) {
      expect(other).not.toMatch(new RegExp(pattern));
    }
    expect(conf).toBe(`[webhook]\nenable_allowlist = true\nallowlist.sluice = ${pattern}\n`);
  });

  it("is refused with every fault by name", async ({ expect }) => {
    const { run, api } = ready();
    const cases: readonly (readonly [body: unknown, paths: readonly string[]])[] = [
      [{}, ["kind"]],
      [{ kind: "splunk" }, ["kind"]],
      [{ ...ALERTS, secret_headr: "X", hmacs: 1 }, ["secret_headr", "hmacs"]],
      [{ ...ALERTS, secret: "short" }, ["secret"]],
      [{ ...ALERTS, secret: "has spaces in it" }, ["secret"]],
      [{ ...ALERTS, secret_header: "X Bad" }, ["secret_header"]],
      [{ ...ALERTS, secret_header: "Host" }, ["secret_header"]],
      [{ ...ALERTS, severity_mapping: { high: "P9" } }, ["severity_mapping.high"]],
      [{ ...ALERTS, field_mapping: { short_descr: "x" } }, ["field_mapping.short_descr"]],
      [{ ...ALERTS, dedup_fields: [] }, ["dedup_fields"]],
      [{ ...ALERTS, hmac: { header: "X-H", encoding: "octal" } }, ["hmac.encoding"]],
      [{ ...ALERTS, hmac: true, allow_path_secret: true }, ["allow_path_secret"]],
      [{ ...ALERTS, rest_url: "https://splunk.example.com:8089" }, ["rest_url"]],
      [{ ...NOTABLES, rest_url: undefined }, ["rest_url"]],
      [{ ...NOTABLES, rest_url: "https://127.0.0.1:8089" }, ["rest_url"]],
      [{ ...NOTABLES, password: undefined }, ["token"]],
      [{ ...NOTABLES, token: "t" }, ["token"]],
      [
        { ...NOTABLES, poll_interval_minutes: 0, lookback_minutes: 14 },
        ["poll_interval_minutes", "lookback_minutes"],
      ],
      [{ ...NOTABLES, secret: "not-for-a-search" }, ["secret"]],
      [
        { ...NOTABLES, notable_event_mapping: { rest_url: "https://x.example.com" } },
        ["notable_event_mapping.rest_url"],
      ],
    ];
    for (const [body, paths] of cases) {
      const answer = await run("POST", "/v1/sources", body);
      expect([body, answer.status, answer.body.errors?.map(({ path }) => path)]).toEqual([body, 422, paths]);
    }
    expect(api.sources.rows.size).toBe(0);
  });

  it("is refused a secret that another one of the tenant has, of which another tenant hears nothing", async ({
    expect,
  }) => {
    const { make, api } = ready();
    await make({ ...ALERTS, secret: "the-same-secret" });
    const again = await make({ ...ALERTS, secret: "the-same-secret" });
    expect([again.status, again.body["code"], api.sources.rows.size]).toEqual([409, "conflict", 1]);
    const elsewhere = { key: api.key("ten_b"), body: { ...ALERTS, secret: "the-same-secret" } };
    expect((await api.json("POST", "/v1/sources", elsewhere)).status).toBe(201);
  });

  it("is changed field by field, and keeps the rest, its secrets included", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id } = await make({
      ...ALERTS,
      secret: "chosen-by-me",
      severity_mapping: { Info: "P4" },
      dedup_fields: ["host"],
    });
    const patched = await run("PATCH", `/v1/sources/${id}`, {
      severity_mapping: { low: null, info: "P3" },
      dedup_fields: null,
      enabled: false,
    });
    expect(patched.body).toMatchObject({
      name: "SOC Splunk",
      severity_mapping: { critical: "P1", high: "P2", medium: "P3", info: "P3" },
      dedup_fields: ["search_name", "host", "source"],
      enabled: false,
      status: "disabled",
    });
    expect(patched.body["severity_mapping"]).not.toHaveProperty("low");
    expect(patched.text).not.toContain("chosen-by-me");
    const named = await run("PUT", `/v1/sources/${id}`, { name: "B", enabled: true });
    expect(named.body).toMatchObject({ name: "B", severity_mapping: { info: "P3" }, enabled: true });
    const replaced = await run("PUT", `/v1/sources/${id}`, { severity_mapping: { high: "P1" } });
    expect(replaced.body["severity_mapping"]).toEqual({
      critical: "P1",
      high: "P1",
      medium: "P3",
      low: "P4",
    });
    expect((await run("PATCH", `/v1/sources/${id}`, { kind: "splunk_es" })).status).toBe(422);
    const headers = { "X-Sluice-Secret": "chosen-by-me" };
    expect((await api.json("POST", "/api/webhooks/inbound/splunk", { headers, body: "{" })).status).toBe(400);
  });

  it("shows a path's secret when it is switched on, and forgets it when it is switched off", async ({
    expect,
  }) => {
    const { run, make } = ready();
    const { id } = await make(ALERTS);
    const on = await run("PATCH", `/v1/sources/${id}`, { allow_path_secret: true });
    expect(on.body).toMatchObject({ path_secret: "slsec_minted2" });
    expect(on.body).not.toHaveProperty("secret");
    expect((await run("PATCH", `/v1/sources/${id}`, { name: "B" })).body).not.toHaveProperty("path_secret");
    await run("PATCH", `/v1/sources/${id}`, { allow_path_secret: false });
    const again = await run("PATCH", `/v1/sources/${id}`, { allow_path_secret: true });
    expect(again.body).toMatchObject({ path_secret: "slsec_minted3" });
  });

  it("is written over what another one has just written, and not over more than that", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id } = await make(ALERTS);
    const meddle = () => {
      const row = api.sources.rows.get(id);
      if (row !== undefined) api.sources.rows.set(id, { ...row, revision: row.revision + 1, enabled: false });
    };
    api.sources.beforeUpdate = () => {
      api.sources.beforeUpdate = () => undefined;
      meddle();
    };
    const once = await run("PATCH", `/v1/sources/${id}`, { name: "B" });
    expect(once.body).toMatchObject({ name: "B", enabled: false });
    api.sources.beforeUpdate = meddle;
    expect((await run("PATCH", `/v1/sources/${id}`, { name: "C" })).status).toBe(409);
  });

  it("rotates one secret or all of them", async ({ expect }) => {
    const { run, make } = ready();
    const { id } = await make({ ...ALERTS, allow_path_secret: true });
    const rotate = (body?: unknown) => run("POST", `/v1/sources/${id}/rotate`, body);
    const all = await rotate();
    expect(all.body).toMatchObject({
      id,
      secret: "slsec_minted3",
      path_secret: "slsec_minted4",
      previous_secret_expires_at: new Date(NOW + 86_400_000).toISOString(),
    });
    expect(setupOf(all.body)["path_url"]).toContain("slsec_minted4");
    const path = await rotate({ which: "path_secret" });
    expect([path.body["secret"], path.body["path_secret"]]).toEqual([undefined, "slsec_minted5"]);
    for (const body of [
      { previous_secret_ttl_seconds: 2_592_001 },
      { previous_secret_ttl_seconds: -1 },
      { which: "none" },
      { which: "path_secret", secret: "chosen-by-me" },
      { ttl: 1 },
    ]) {
      expect([body, (await rotate(body)).status]).toEqual([body, 422]);
    }
  });

  it("is gone when it is deleted, and its alerts are refused", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id } = await make({ ...ALERTS, secret: "chosen-by-me" });
    expect((await run("DELETE", `/v1/sources/${id}`)).status).toBe(204);
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["GET", "/setup"],
      ["POST", "/rotate"],
      ["POST", "/test"],
      ["POST", "/poll"],
    ]) {
      const body = method === "PATCH" ? {} : undefined;
      expect([path, (await run(method ?? "", `/v1/sources/${id}${path}`, body)).status]).toEqual([path, 404]);
    }
    const headers = { "X-Sluice-Secret": "chosen-by-me" };
    expect((await api.json("POST", "/api/webhooks/inbound/splunk", { headers, body: "{}" })).status).toBe(
      401,
    );
  });

  it("is not there for another tenant, nor for a key without the scope", async ({ expect }) => {
    const { make, api } = ready();
    const { id } = await make(ALERTS);
    for (const [method, path] of [
      ["GET", ""],
      ["PUT", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["GET", "/setup"],
      ["POST", "/rotate"],
      ["POST", "/test"],
      ["POST", "/poll"],
    ]) {
      const ask = async (key: string) =>
        (
          await api.json(method ?? "", `/v1/sources/${id}${path}`, {
            key,
            ...(method?.startsWith("P") ? { body: {} } : {}),
          })
        ).status;
      expect([
        method,
        path,
        await ask(api.key("ten_b")),
        await ask(api.key("ten_a", ["events:write"])),
      ]).toEqual([method, path, 404, 403]);
    }
    expect((await api.json("GET", "/v1/sources", { key: api.key("ten_b") })).body.data).toEqual([]);
  });

  it("leaves a record of what was done to it, without a secret", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id } = await make({ ...ALERTS, secret: "chosen-by-me" });
    await run("PATCH", `/v1/sources/${id}`, { name: "B", secret: "another-of-mine" });
    await run("POST", `/v1/sources/${id}/rotate`);
    await run("POST", `/v1/sources/${id}/test`);
    await run("DELETE", `/v1/sources/${id}`);
    expect(api.acts.map(({ action }) => action)).toEqual([
      "source.create",
      "source.update",
      "source.rotate",
      "source.test",
      "source.delete",
    ]);
    expect(api.acts[1]?.metadata).toEqual({
      before: { name: "SOC Splunk" },
      after: { name: "B" },
      secrets_changed: ["secret"],
    });
    expect(JSON.stringify([api.acts, api.logged])).not.toMatch(/chosen-by-me|another-of-mine|slsec_/);
  });
});

describe("a polled source", () => {
  it("tells its poller of every change, and never shows its password", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id, status, text, body } = await make(NOTABLES);
    expect([status, body["lookback_minutes"], body["poll_interval_minutes"]]).toEqual([201, 15, 5]);
    await run("PATCH", `/v1/sources/${id}`, { token: "a-token", poll_interval_minutes: 1 });
    await run("DELETE", `/v1/sources/${id}`);
    expect(api.poller("ten_a", id).calls).toEqual(
      [1, 2, 3].map((revision) => ["configure", "ten_a", id, revision]),
    );
    expect(text + JSON.stringify([api.acts, api.logged])).not.toMatch(/a-password|a-token/);
  });

  it("is written down also where its poller does not answer", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id } = await make(NOTABLES);
    api.poller("ten_a", id).isDown = true;
    expect((await run("PATCH", `/v1/sources/${id}`, { name: "B" })).body["name"]).toBe("B");
    expect(api.logged.map(({ what }) => what)).toContain("source.poller_not_told");
    expect((await run("GET", `/v1/sources/${id}`)).body).toMatchObject({ polling: null, status: "waiting" });
    expect((await run("POST", `/v1/sources/${id}/test`)).status).toBe(503);
  });

  it("shows how its polling stands", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id } = await make(NOTABLES);
    const reason = { code: "credentials_rejected" as const, message: "401", since: NOW };
    const poller = api.poller("ten_a", id);
    poller.state = {
      ...poller.state,
      status: "degraded",
      reason,
      lastPolledAt: NOW,
      failures: 3,
      notables: 7,
    };
    expect((await run("GET", `/v1/sources/${id}`)).body).toMatchObject({
      status: "degraded",
      status_reason: { code: "credentials_rejected", message: "401", since: new Date(NOW).toISOString() },
      polling: { last_polled_at: new Date(NOW).toISOString(), checkpoint: null, failures: 3, notables: 7 },
    });
  });

  it("polls when asked, and is tested by its poller", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id } = await make(NOTABLES);
    const polled = await run("POST", `/v1/sources/${id}/poll`);
    expect([polled.status, polled.body]).toEqual([202, { status: "polling" }]);
    const tested = await run("POST", `/v1/sources/${id}/test`);
    expect(tested.body).toMatchObject({
      ok: true,
      checks: [{ name: "enabled" }, { name: "search", ok: true }],
    });
    expect(api.poller("ten_a", id).calls.map(([name]) => name)).toEqual(["configure", "pollNow", "test"]);
    const { id: alerts } = await make(ALERTS);
    expect((await run("POST", `/v1/sources/${alerts}/poll`)).status).toBe(409);
    expect((await run("POST", `/v1/sources/${id}/rotate`)).status).toBe(409);
  });
});

describe("the test of a source of alerts", () => {
  it("waits for the first alert, and turns green when it came", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id } = await make(ALERTS);
    const test = () => run("POST", `/v1/sources/${id}/test`);
    expect((await test()).body).toMatchObject({ ok: false, message: "Waiting for the first alert" });
    const row = api.sources.rows.get(id);
    if (row !== undefined) api.sources.rows.set(id, { ...row, lastSeenAt: NOW, alerts: 1 });
    expect((await test()).body).toMatchObject({ ok: true });
    expect((await run("GET", `/v1/sources/${id}`)).body).toMatchObject({
      status: "active",
      alerts: 1,
      last_seen_at: new Date(NOW).toISOString(),
      checks: [{ name: "first_alert", ok: true }],
    });
  });

  it("shows what an alert would become, and makes no incident", async ({ expect }) => {
    const { run, make, api } = ready();
    const { id } = await make({ ...ALERTS, field_mapping: { short_description: "result.title" } });
    const tested = await run("POST", `/v1/sources/${id}/test`, {
      severity: "low",
      result: { title: "T", host: "h" },
    });
    expect(tested.body["incident_preview"]).toEqual({
      short_description: "T",
      priority: "P4",
      severity: "low",
      assignment_group: null,
      ci_identifier: "h",
      source_ip: null,
    });
    expect(api.incidents.raised).toEqual([]);
  });
});
