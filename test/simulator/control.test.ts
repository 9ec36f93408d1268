/** The control API and its client. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "vitest";
import { type Destination, envelope, TOKEN, useSimulator } from "./harness.ts";

const simulated = useSimulator();
const EVENT = "/services/collector/event";

async function control({ client }: Destination, method: string, path: string, body?: unknown) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${client.url}/_control/${path}`, init);
  return { status: response.status, value: await response.json() };
}

describe("instances", () => {
  it("are listed, replaced empty and removed", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const { client, name } = splunk;
    await splunk.post(EVENT, envelope("a"));
    expect((await client.list()).map((summary) => summary.name)).toContain(name);
    await client.splunk(name, { tokens: [{ token: TOKEN }] });
    expect(await client.summary(name)).toMatchObject({ kind: "splunk", events: 0, requests: 0 });
    await client.remove(name);
    expect((await splunk.post(EVENT, envelope("a"))).status).toBe(404);
    await expect(client.summary(name)).rejects.toThrow(/no instance named/);
  });

  it("never meet: each has its own events", async ({ expect }) => {
    const [one, other] = [await simulated.splunk(), await simulated.splunk()];
    await one.post(EVENT, envelope("a"));
    expect(await other.client.counts(other.name)).toEqual({ events: 0, distinct: 0 });
  });

  it("change settings and keep what they received", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.post(EVENT, envelope("a"));
    await splunk.client.configure(splunk.name, { tokens: [{ token: TOKEN, disabled: true }] });
    expect((await splunk.post(EVENT, envelope("b"))).json).toMatchObject({ code: 1 });
    expect(await splunk.client.counts(splunk.name)).toEqual({ events: 1, distinct: 1 });
    expect(await splunk.client.config(splunk.name)).toMatchObject({ tokens: [{ disabled: true }] });
  });

  for (const [mistake, path, method, body, message] of [
    ["an unknown kind", "x", "PUT", { kind: "syslog" }, /"kind", one of splunk, datadog/],
    ["a misspelt setting", "x", "PUT", { kind: "datadog", api_keys: [], sight: "eu" }, /no "sight"/],
    ["a missing setting", "x", "PUT", { kind: "datadog" }, /needs "api_keys"/],
    ["no tokens", "x", "PUT", { kind: "splunk", tokens: [] }, /at least one token/],
    ["a misspelt token", "x", "PUT", { kind: "splunk", tokens: [{ tokn: "x" }] }, /a token needs "token"/],
    ["a name in capitals", "X", "PUT", { kind: "splunk" }, /instance name/],
    ["an unknown fault", "NAME/fault", "POST", { mode: "explode" }, /"mode", one of/],
    ["a misspelt fault", "NAME/fault", "POST", { mode: "hang", time: 1 }, /no "time"/],
    ["a HEC code that is none", "NAME/fault", "POST", { mode: "code", code: 29 }, /0 to 28/],
    ["no times at all", "NAME/fault", "POST", { mode: "hang", times: 0 }, /whole number from 1/],
    ["a change of storage", "NAME", "PATCH", { count_only: true }, /cannot change/],
    ["a page before the first", "NAME/events?offset=-1", "GET", undefined, /whole number/],
  ] as const)
    it(`refuse ${mistake} and say so`, async ({ expect }) => {
      const splunk = await simulated.splunk();
      const answer = await control(splunk, method, path.replace("NAME", splunk.name), body);
      expect(answer.status).toBe(400);
      expect(answer.value).toMatchObject({ error: expect.stringMatching(message) });
    });

  it("refuse a method that the control API does not have", async ({ expect }) => {
    const splunk = await simulated.splunk();
    expect((await control(splunk, "POST", splunk.name)).status).toBe(405);
  });
});

describe("events", () => {
  it("are counted by id, ordered by first receipt, and paged", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.post(EVENT, ["b", "a", "b", "c"].map((id) => envelope(id)).join(""));
    const { value } = await control(splunk, "GET", `${splunk.name}/events?offset=1&limit=1`);
    expect(value).toEqual({ events: 4, distinct: 3, ids: { a: 1 }, order: ["a"] });
    expect(await splunk.client.events(splunk.name)).toEqual({
      events: 4,
      distinct: 3,
      ids: { a: 1, b: 2, c: 1 },
      order: ["b", "a", "c"],
    });
    expect(await splunk.client.event(splunk.name, "b")).toHaveLength(2);
  });

  it("are found by ids that need escaping in a path", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.post(EVENT, envelope("a/b ?é"));
    expect(await splunk.client.event(splunk.name, "a/b ?é")).toHaveLength(1);
  });

  it("are counted and not kept when only counts are wanted", async ({ expect }) => {
    const splunk = await simulated.splunk({ count_only: true });
    const batch = ["a", "a", "b"].map((id) => envelope(id)).join("");
    await splunk.post(EVENT, batch);
    const summary = await splunk.client.summary(splunk.name);
    expect(summary).toMatchObject({ events: 3, distinct: 2, duplicates: 1, not_stored: 0 });
    expect(await splunk.client.event(splunk.name, "a")).toEqual([]);
  });

  it("are counted without their ids when even those are too much", async ({ expect }) => {
    const splunk = await simulated.splunk({ count_only: true, ids: false });
    await splunk.post(EVENT, envelope("a") + envelope("a"));
    const summary = await splunk.client.summary(splunk.name);
    expect(summary).toMatchObject({ events: 2, distinct: 0, duplicates: 0, anonymous: 0 });
  });

  it("are kept up to a number, and counted beyond it", async ({ expect }) => {
    const splunk = await simulated.splunk({ max_stored: 1 });
    await splunk.post(EVENT, envelope("a") + envelope("b"));
    expect(await splunk.client.summary(splunk.name)).toMatchObject({ distinct: 2, not_stored: 1 });
  });

  it("are forgotten at a reset, settings and fault are not", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.post(EVENT, envelope("a", { time: 1_782_823_456_789 }));
    await splunk.client.fault(splunk.name, { mode: "status", status: 503 });
    await splunk.client.reset(splunk.name);
    const summary = await splunk.client.summary(splunk.name);
    expect(summary).toMatchObject({ events: 0, requests: 0, violations: [], fault: { mode: "status" } });
  });
});

describe("requests", () => {
  it("are logged with what was asked and what was answered", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.post(`${EVENT}?channel=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee`, envelope("a"));
    await splunk.post(EVENT, "");
    const [first, second] = await splunk.client.requests(splunk.name);
    expect(first).toMatchObject({ path: EVENT, status: 200, code: 0, events: 1, content_encoding: null });
    expect(first).toMatchObject({ channel: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", fault: null, indexer: 0 });
    expect(second).toMatchObject({ status: 400, code: 5, bytes: 0, events: 0 });
    expect(await splunk.client.requests(splunk.name, 1)).toEqual([second]);
    expect(await splunk.client.summary(splunk.name)).toMatchObject({ requests: 2, refused: 1 });
  });
});

describe("waiting", () => {
  it("ends when the events are there, or with the last summary in the error", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const arrived = splunk.client.waitFor(splunk.name, 2);
    await splunk.post(EVENT, envelope("a") + envelope("b"));
    expect(await arrived).toMatchObject({ distinct: 2 });
    await expect(splunk.client.waitFor(splunk.name, 3, 1)).rejects.toThrow(/in vain.*"distinct":2/);
  });
});

describe("the program", () => {
  it("says where it is, has a Splunk and a Datadog, and leaves cleanly", async ({ expect }) => {
    const root = new URL("../..", import.meta.url).pathname;
    const program = spawn(`${root}node_modules/.bin/node`, [
      `${root}test/simulator/main.ts`,
      ...["--splunk-token", TOKEN, "--datadog-key", "k"],
    ]);
    const [line] = await once(program.stdout, "data");
    const { url, splunk } = JSON.parse(String(line));
    const list = await (await fetch(`${url}/_control`)).json();
    expect(list).toMatchObject({ instances: [{ name: "splunk" }, { name: "datadog" }] });
    expect((await fetch(`${splunk}/services/collector/health`)).status).toBe(200);
    program.kill("SIGTERM");
    expect(await once(program, "exit")).toEqual([0, null]);
  });
});
