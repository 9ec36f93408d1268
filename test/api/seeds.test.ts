import { describe, it } from "vitest";
import { AlertApi } from "../support/alert-api.ts";
import { FakeApi } from "../support/fake-api.ts";

/*
 * Requests as the guides of other products print them, with host, key and ids changed: whoever moves here
 * should not have to rewrite a line.
 */

function curl() {
  const api = new FakeApi();
  const key = api.key("ten_a");
  return {
    api,
    run: (method: string, path: string, data?: string) =>
      api.json(method, path, {
        key,
        ...(data === undefined ? {} : { body: data, headers: { "Content-Type": "application/json" } }),
      }),
  };
}

describe("a destination as SIEM guides describe it", () => {
  it("is created, listed, updated and deleted by their commands", async ({ expect }) => {
    const { run } = curl();
    const made = await run(
      "POST",
      "/v1/audit/siem",
      `{
          "provider": "splunk",
          "endpoint": "https://hec.splunk.example.com:8088/services/collector",
          "token": "your-hec-token",
          "enabled": true
        }`,
    );
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^siem_/),
      provider: "splunk",
      endpoint: "https://hec.splunk.example.com:8088/services/collector",
      enabled: true,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      status: "active",
    });
    const listed = await run("GET", "/v1/audit/siem");
    expect(listed.body.data).toMatchObject([{ id: made.body["id"], status: "active" }]);
    const updated = await run(
      "PUT",
      `/v1/audit/siem/${made.body["id"]}`,
      `{
    "endpoint": "https://hec-new.splunk.example.com:8088/services/collector",
    "token": "your-new-hec-token",
    "enabled": true
  }`,
    );
    expect(updated.status).toBe(200);
    expect(updated.body["endpoint"]).toBe("https://hec-new.splunk.example.com:8088/services/collector");
    expect((await run("DELETE", `/v1/audit/siem/${made.body["id"]}`)).status).toBe(200);
  });

  it("can be of every provider, with the secret fields that the guides name", async ({ expect }) => {
    const { run } = curl();
    for (const body of [
      {
        provider: "datadog",
        endpoint: "https://http-intake.logs.datadoghq.com/api/v2/logs",
        token: "dd-api-key",
      },
      {
        provider: "cloudwatch",
        endpoint: "https://logs.eu-west-1.amazonaws.com",
        access_key_id: "AKIAEXAMPLE",
        secret_access_key: "secret",
      },
      { provider: "elastic", endpoint: "https://es.example.com:9243", token: "api-key" },
      { provider: "webhook", endpoint: "https://siem.example.com/in", secret: "shared" },
      {
        provider: "splunk",
        endpoint: "https://h:8088/services/collector/event",
        token: "t",
        config: { index: "x" },
      },
    ]) {
      const { status, text } = await run("POST", "/v1/audit/siem", JSON.stringify(body));
      expect([status, text]).toEqual([201, expect.any(String)]);
    }
  });

  it("is tested before it is saved, from URL, token and index", async ({ expect }) => {
    const { run } = curl();
    const { status, body } = await run(
      "POST",
      "/v1/audit/siem/test",
      '{"provider":"splunk","endpoint":"https://splunk.example.com:8088/services/collector/event","token":"t","config":{"index":"audit"}}',
    );
    expect([status, body["ok"]]).toEqual([200, true]);
  });
});

/** The payload template of ITSM guides, with a Splunk that fills it in. */
const TEMPLATE = `{
  "search_name": "$name$",
  "result_count": "$job.resultCount$",
  "search_uri": "$job.searchId$",
  "severity": "$result.severity$",
  "host": "$result.host$",
  "source": "$result.source$",
  "message": "$result.message$",
  "stackflow_priority": "$result.stackflow_priority$",
  "stackflow_assignment_group": "$result.stackflow_assignment_group$",
  "timestamp": "$trigger_time$"
}`;

describe("Splunk's alerts as ITSM guides describe them", () => {
  async function connected() {
    const sluice = new AlertApi();
    const { secret } = await sluice.source({ secret_header: "X-StackFlow-Secret" });
    const send = (body: string) =>
      sluice.send({
        path: "/prod/api/webhooks/inbound/splunk",
        headers: { "X-StackFlow-Secret": secret },
        body,
      });
    return { sluice, send };
  }

  it("become an incident by their curl", async ({ expect }) => {
    const { sluice, send } = await connected();
    const { status, body } = await send(
      '{"search_name":"High Error Rate","severity":"high","host":"app-server-01","message":"Error rate exceeded 10%","stackflow_priority":"P2","stackflow_assignment_group":"Platform Engineering"}',
    );
    expect([status, body]).toEqual([
      201,
      { incident_id: "inc_1", number: "INC0000001", priority: "P2", status: "open", deduplicated: false },
    ]);
    expect(sluice.incidents.drafts).toMatchObject([
      {
        shortDescription: "High Error Rate",
        ciIdentifier: "app-server-01",
        assignmentGroup: "Platform Engineering",
      },
    ]);
  });

  it("are read by their payload template, filled in or not", async ({ expect }) => {
    const { send } = await connected();
    expect((await send(TEMPLATE)).status).toBe(201);
    const filled = TEMPLATE.replace("$name$", "Errors").replace("$result.severity$", "critical");
    expect((await send(filled)).body).toMatchObject({ priority: "P1", deduplicated: false });
  });

  it("are polled from Enterprise Security by their mapping", async ({ expect }) => {
    const mapping = `{
      "notable_event_mapping": {
        "search": "index=notable | search status=new earliest=-15m | table event_id, rule_name, severity, dest, src, owner",
        "poll_interval_minutes": 5,
        "severity_mapping": { "critical": "P1", "high": "P2", "medium": "P3", "low": "P4" },
        "field_mapping": { "short_description": "rule_name", "ci_identifier": "dest", "source_ip": "src" }
      }
    }`;
    const { run } = curl();
    const body = {
      kind: "splunk_es",
      rest_url: "https://splunk.example.com:8089",
      username: "u",
      password: "p",
    };
    const made = await run("POST", "/v1/sources", JSON.stringify({ ...body, ...JSON.parse(mapping) }));
    expect([made.status, made.body["search"]]).toEqual([201, expect.stringMatching(/^index=notable/)]);
    const plain = await run("POST", "/v1/sources", JSON.stringify(body));
    const patched = await run("PATCH", `/v1/sources/${plain.body["id"]}`, mapping);
    expect([patched.status, patched.body["field_mapping"]]).toEqual([
      200,
      { short_description: "rule_name", ci_identifier: "dest", source_ip: "src" },
    ]);
  });
});
