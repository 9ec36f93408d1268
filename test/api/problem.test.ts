import { describe, it } from "vitest";
import { ERRORS } from "../../src/base/errors.ts";
import { splunkBody } from "../support/builders.ts";
import { ADMIN_TOKEN, FakeApi, type FetchOptions } from "../support/fake-api.ts";

const api = new FakeApi();
const key = api.key("ten_a");
const json = { "content-type": "application/json" };

/** Status and code, after checking that the answer is a problem document in full. */
async function problem(method: string, path: string, options: FetchOptions = {}) {
  const { status, headers, body, text } = await api.json(method, path, options);
  const code = String(body["code"]);
  const known = Object.entries(ERRORS).find(([name]) => name === code)?.[1];
  if (headers.get("content-type") !== "application/problem+json") throw new Error(`No problem: ${text}`);
  if (known?.status !== status || known.title !== body["title"] || body["status"] !== status) {
    throw new Error(`Status, title and code do not agree: ${text}`);
  }
  if (body["type"] !== `https://relay.example.com/docs#${code}` || typeof body["detail"] !== "string") {
    throw new Error(`type or detail is missing: ${text}`);
  }
  return `${status} ${code}`;
}

const post = (body: unknown, headers: Record<string, string> = {}) =>
  problem("POST", "/v1/audit/siem", { key, body, headers });

describe("every refusal is a problem document", () => {
  it("for an address where nothing is", async ({ expect }) => {
    expect(await problem("GET", "/nothing")).toBe("404 not_found");
    expect(await problem("POST", "/v1/audit/siem/")).toBe("404 not_found");
  });

  it("for a method that an address does not understand, naming those that it does", async ({ expect }) => {
    expect(await problem("DELETE", "/v1/audit/siem")).toBe("405 method_not_allowed");
    const answer = await api.fetch("PATCH", "/v1/keys");
    expect(answer.headers.get("allow")).toBe("POST, GET, HEAD, OPTIONS");
    expect((await api.fetch("GET", "/v1/audit/events")).headers.get("allow")).toBe("POST, OPTIONS");
  });

  it("for a body that is not JSON, empty, or not UTF-8", async ({ expect }) => {
    expect(await post("{", json)).toBe("400 malformed_json");
    expect(await post("", json)).toBe("400 malformed_json");
    expect(await post(new Uint8Array([0x22, 0xff, 0x22]), json)).toBe("400 malformed_json");
    expect(await problem("POST", "/v1/audit/siem", { key })).toBe("400 malformed_json");
  });

  it("for a content type or encoding that is not understood", async ({ expect }) => {
    expect(await post("{}", { "content-type": "application/x-www-form-urlencoded" })).toBe(
      "415 unsupported_media_type",
    );
    expect(await post("{}")).toBe("415 unsupported_media_type");
    expect(await post("{}", { ...json, "content-encoding": "gzip" })).toBe("415 unsupported_media_type");
  });

  it("for a body over 1 MB, announced or not", async ({ expect }) => {
    const long = JSON.stringify({ name: "x".repeat(1_000_000) });
    expect(await post(long, json)).toBe("413 payload_too_large");
    expect(await post(long, { ...json, "content-length": "10" })).toBe("413 payload_too_large");
  });

  it("for JSON that is not an object", async ({ expect }) => {
    for (const body of ["[]", "null", '"x"', "1"]) expect(await post(body, json)).toBe("422 invalid_input");
  });

  it("for input that some later reader would stumble over", async ({ expect }) => {
    const nested = `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`;
    for (const body of [
      '{"__proto__":{"enabled":false},"provider":"splunk"}',
      '{"provider":"splunk","config":{"__proto__":{"x":1}}}',
      '{"provider":"splunk","name":"\\ud800"}',
      '{"provider":"splunk","\\udfff":1}',
      '{"provider":"splunk","config":{"x":1e999}}',
      `{"provider":"splunk","config":${nested}}`,
      '{"provider":["splunk"],"constructor":1,"toString":1}',
    ]) {
      expect(await post(body, json)).toBe("422 invalid_input");
    }
  });

  it("for ids, cursors and query values of any kind, and never a 500", async ({ expect }) => {
    const hostile = [
      "%00",
      "%ff",
      "%2e%2e%2f",
      "%E0%A4%A",
      "__proto__",
      "constructor",
      "a'--",
      "%",
      "siem_",
      "💥",
    ];
    for (const id of hostile) {
      expect(await problem("GET", `/v1/audit/siem/${id}`, { key })).toBe("404 not_found");
      expect(await problem("GET", `/v1/audit/batches/${id}`, { key })).toBe("404 not_found");
      expect(await problem("DELETE", `/v1/keys/${id}`, { key })).toBe("404 not_found");
    }
    for (const limit of ["0", "-1", "101", "1e2", "1000000000000", "", "NaN", "%00", "50%20", "٣"]) {
      expect(await problem("GET", `/v1/keys?limit=${limit}`, { key })).toBe("422 invalid_input");
    }
    for (const cursor of ["", "x", "%ff", "null", "__proto__", "A".repeat(400), "A".repeat(5_000)]) {
      expect(await problem("GET", `/v1/audit/siem?cursor=${cursor}`, { key })).toBe("422 invalid_input");
    }
    expect(await problem("POST", "/v1/audit/events?on_invalid=maybe", { key })).toBe("422 invalid_input");
  });
});

describe("an unexpected failure", () => {
  it("is a 500 that tells strangers nothing, and the log everything", async ({ expect }) => {
    const broken = new FakeApi();
    broken.destinations.count = () => Promise.reject(new Error("D1_ERROR near hunter2"));
    const answer = await broken.json("POST", "/v1/audit/siem", {
      key: broken.key("ten_a"),
      body: splunkBody(),
    });
    expect(answer.status).toBe(500);
    expect(answer.body["code"]).toBe("internal_error");
    expect(answer.text).not.toMatch(/hunter2|D1_ERROR|at .*\.ts/);
    const line = broken.logged.find(({ level }) => level === "error");
    expect(line?.facts).toMatchObject({ status: 500, route: "/v1/audit/siem", error: expect.any(Error) });
    expect(line?.facts["request_id"]).toBe(answer.headers.get("x-request-id"));
  });

  it("of the key store is a 503: the key may be right", async ({ expect }) => {
    const broken = new FakeApi({ authenticate: () => Promise.reject(new Error("down")) });
    const answer = await broken.json("GET", "/v1/audit/siem", { key: "sl_live_x" });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
  });
});

describe("every answer", () => {
  it("carries a request id, is not cached and is not sniffed", async ({ expect }) => {
    for (const path of ["/healthz", "/nothing", "/v1/audit/siem", "/docs"]) {
      const { headers } = await api.fetch("GET", path);
      expect(headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{32}$/);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
  });

  it("to HEAD is that to GET without a body, to OPTIONS the methods", async ({ expect }) => {
    const head = await api.fetch("HEAD", "/healthz");
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const options = await api.fetch("OPTIONS", "/v1/audit/siem/siem_1");
    expect(options.status).toBe(204);
    expect(options.headers.get("allow")).toBe("GET, PUT, PATCH, DELETE, HEAD, OPTIONS");
  });

  it("is logged by its route and never by its path, without the key", async ({ expect }) => {
    await api.fetch("GET", "/v1/audit/siem/siem_hidden", { key });
    const last = api.logged.at(-1);
    expect(last?.facts).toMatchObject({ route: "/v1/audit/siem/{id}", status: 404, tenant_id: "ten_a" });
    expect(JSON.stringify(api.logged)).not.toContain("siem_hidden");
    expect(JSON.stringify(api.logged)).not.toContain(key);
    expect(JSON.stringify(api.logged)).not.toContain(ADMIN_TOKEN);
  });
});
