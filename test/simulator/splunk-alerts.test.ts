/** Alerts as Splunk sends them: what is in the call, how it proves its sender, and that there is one call and no other. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, onTestFinished } from "vitest";
import type { AlertFiring } from "./client.ts";
import { useSimulator } from "./harness.ts";
import { ALERT_TEMPLATE, alertRequests, fireAlert, parseFiring } from "./splunk-alerts.ts";

const simulated = useSimulator();
const URL_OF_HOOK = "https://relay.test/api/webhooks/inbound/splunk";
const NOW = 1_790_000_000_500;
const ROWS = [
  { host: "a", severity: "high", message: "one" },
  { host: "b", severity: ["low", "medium"], message: 'say "hi"\n' },
];

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers each call with what is next in the list, the last one for ever. */
async function listener(...answers: readonly { status: number; location?: string; body?: string }[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = "", url: path = "", headers } = request;
    const answer = answers[Math.min(received.length, answers.length - 1)] ?? { status: 201 };
    received.push({ method, path, headers, body: Buffer.concat(chunks).toString("utf8") });
    response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location });
    response.end(answer.body ?? '{"incident_id":"inc_1"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo;
  return { received, url: `http://127.0.0.1:${port}/in` };
}

async function bodies(firing: Partial<AlertFiring>): Promise<readonly string[]> {
  const requests = await alertRequests({ url: URL_OF_HOOK, ...firing }, NOW);
  return Promise.all(requests.map((request) => request.text()));
}

async function only(firing: Partial<AlertFiring>): Promise<Request> {
  const [request] = await alertRequests({ url: URL_OF_HOOK, ...firing }, NOW);
  if (request === undefined) throw new Error("no request was made");
  return request;
}

describe("the native action", () => {
  it("sends six keys and the first row, and no header that proves anything", async ({ expect }) => {
    const request = await only({ rows: ROWS });
    expect(Object.fromEntries([...request.headers])).toEqual({
      "content-type": "application/json",
      "user-agent": "Splunk",
    });
    const body = JSON.parse(await request.text());
    expect(Object.keys(body).sort()).toEqual([
      "app",
      "owner",
      "result",
      "results_link",
      "search_name",
      "sid",
    ]);
    expect(body).toMatchObject({
      app: "search",
      owner: "admin",
      search_name: "High Error Rate",
      result: ROWS[0],
    });
    expect(body.sid).toMatch(/^scheduler__admin__search__RMD5[0-9a-f]{16}_at_1790000000_1$/);
  });

  it("calls once for each row under the same sid, where it is told to", async ({ expect }) => {
    const sent = (await bodies({ rows: ROWS, trigger: "each" })).map((body) => JSON.parse(body));
    expect(sent.map(({ result }) => result)).toEqual(ROWS);
    expect(new Set(sent.map(({ sid }) => sid)).size).toBe(1);
    const [again] = (await bodies({ rows: ROWS })).map((body) => JSON.parse(body));
    expect(again.sid).not.toBe(sent[0].sid);
  });

  it("may have no name and no row, and says whose it is", async ({ expect }) => {
    const [body] = await bodies({ rows: [], search_name: null, sid: "s1", app: "es", owner: "ann" });
    expect(JSON.parse(body ?? "")).toEqual({
      search_name: null,
      sid: "s1",
      app: "es",
      owner: "ann",
      result: {},
      results_link: "http://splunk.test:8000/app/es/@go?sid=s1",
    });
    expect(await bodies({ rows: [], trigger: "each" })).toEqual([]);
  });
});

describe("the template", () => {
  const given = { body: "template", rows: ROWS } as const;

  it("of the set-up page is filled, and what nothing stands for stays as written", async ({ expect }) => {
    const [body] = await bodies({ ...given, search_name: "Brute Force" });
    expect(JSON.parse(body ?? "")).toEqual({
      search_name: "Brute Force",
      result_count: "2",
      search_uri: "$job.searchId$",
      severity: "high",
      host: "a",
      source: "$result.source$",
      message: "one",
      stackflow_priority: "$result.stackflow_priority$",
      stackflow_assignment_group: "$result.stackflow_assignment_group$",
      timestamp: "1790000000",
    });
  });

  it.for<[string, string]>([
    ["$name$ $app$ $owner$ $job.sid$", "High Error Rate search admin s1"],
    ["$result.severity$ of $job.resultCount$ at $trigger_time$", "high of 2 at noon"],
    ["$results_link$", "http://splunk.test:8000/app/search/@go?sid=s1"],
    ["$result.none$ $nothing$ $5 and $", "$result.none$ $nothing$ $5 and $"],
  ])("%s becomes %s", async ([template, text], { expect }) => {
    expect(await bodies({ ...given, template, sid: "s1", trigger_time: "noon" })).toEqual([text]);
  });

  it("stays without a name where the search has none", async ({ expect }) => {
    expect(await bodies({ ...given, template: "$name$", search_name: null })).toEqual(["$name$"]);
  });

  it("keeps JSON whole, unless values go in as they are", async ({ expect }) => {
    const whole = await bodies({ ...given, trigger: "each" });
    expect(whole.map((body) => JSON.parse(body).message)).toEqual(["one", 'say "hi"\n']);
    expect(JSON.parse(whole[1] ?? "").severity).toBe("low\nmedium");
    const broken = await bodies({ ...given, trigger: "each", escape: false });
    expect(() => JSON.parse(broken[1] ?? "")).toThrow();
    expect(broken[1]).toContain('"message": "say "hi"\n"');
  });

  it("is the one that the set-up page shows", ({ expect }) => {
    expect(Object.keys(JSON.parse(ALERT_TEMPLATE))).toHaveLength(10);
  });
});

describe("a sender proves itself", () => {
  it("by a named header, or by Authorization", async ({ expect }) => {
    const { headers } = await only({ headers: { "X-StackFlow-Secret": "s3" }, authorization: "Bearer b" });
    expect([headers.get("x-stackflow-secret"), headers.get("authorization")]).toEqual(["s3", "Bearer b"]);
  });

  it.for<[AlertFiring["hmac"] & object, string, number]>([
    [{ secret: "k" }, "x-sluice-signature", 1_790_000_000],
    [{ secret: "k", header: "X-Sig", at: 5 }, "x-sig", 5],
  ])("by the signature %j", async ([hmac, name, t], { expect }) => {
    const request = await only({ hmac, rows: [{ message: "é" }] });
    const expected = createHmac("sha256", "k")
      .update(`${t}.${await request.clone().text()}`)
      .digest("hex");
    expect(request.headers.get(name)).toBe(`t=${t},v1=${expected}`);
  });

  it("by the last part of the path, before the query", async ({ expect }) => {
    expect((await only({ url: `${URL_OF_HOOK}/src_1?x=1`, path_secret: "a b" })).url).toBe(
      `${URL_OF_HOOK}/src_1/a%20b?x=1`,
    );
  });
});

describe("a call", () => {
  it("goes out once, and what was answered is told", async ({ expect }) => {
    const { url, received } = await listener({ status: 500, body: "oops" });
    const calls = await fireAlert({ url, rows: ROWS, user_agent: "Splunk/1" });
    expect(calls).toEqual([{ status: 500, answer: "oops", sent: received[0]?.body }]);
    expect(received).toMatchObject([{ method: "POST", path: "/in", headers: { "user-agent": "Splunk/1" } }]);
  });

  it("that nobody answers is told with the reason", async ({ expect }) => {
    const [call] = await fireAlert({ url: "http://127.0.0.1:1/" });
    expect(call).toMatchObject({ status: null, answer: expect.stringMatching(/./) });
  });

  it.for([301, 302, 303])("answered %d is followed by a GET without a body", async (status, { expect }) => {
    const { url, received } = await listener({ status, location: "/login" }, { status: 200, body: "page" });
    expect(await fireAlert({ url })).toMatchObject([{ status: 200, answer: "page" }]);
    expect(received.map(({ method, path, body }) => [method, path, body === ""])).toEqual([
      ["POST", "/in", false],
      ["GET", "/login", true],
    ]);
  });

  it("answered 307 is not followed", async ({ expect }) => {
    const { url, received } = await listener({ status: 307, location: "/login" });
    expect(await fireAlert({ url })).toMatchObject([{ status: 307 }]);
    expect(received).toHaveLength(1);
  });
});

describe("the control API", () => {
  it("makes a Splunk of either kind fire", async ({ expect }) => {
    const { url, received } = await listener({ status: 201 });
    const hec = await simulated.splunk();
    const search = `fire-${hec.name}`;
    await hec.client.splunkSearch(search, { tokens: ["t"] });
    for (const name of [hec.name, search])
      expect(await hec.client.fire(name, { url, rows: ROWS, trigger: "each" })).toMatchObject([
        { status: 201 },
        { status: 201 },
      ]);
    expect(received).toHaveLength(4);
  });

  it("refuses what is misspelt, and a kind that fires none", async ({ expect }) => {
    const datadog = await simulated.datadog();
    await expect(datadog.client.fire(datadog.name, { url: URL_OF_HOOK })).rejects.toThrow(/fires no alerts/);
    for (const [value, message] of [
      [{}, /needs "url"/],
      [{ url: "relay" }, /must be a URL/],
      [{ url: URL_OF_HOOK, header: {} }, /no "header"/],
      [{ url: URL_OF_HOOK, hmac: {} }, /needs "secret"/],
      [{ url: URL_OF_HOOK, rows: [1] }, /a list of rows/],
    ] as const)
      expect(() => parseFiring(value)).toThrow(message);
  });
});
