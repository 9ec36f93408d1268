import { describe, it } from "vitest";
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
