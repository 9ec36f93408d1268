/** Every way of misbehaving: what the sender sees, and what is stored all the same. */
import { connect } from "node:net";
import { describe, it } from "vitest";
import { SimulatorClient } from "./client.ts";
import { ACK_TOKEN, CHANNEL, type Destination, envelope, idsOf, useSimulator } from "./harness.ts";
import { startSimulator } from "./server.ts";

const simulated = useSimulator();
const EVENT = "/services/collector/event";

const send = (splunk: Destination, id = "a") => splunk.post(EVENT, envelope(id));
const lastRequest = async ({ client, name }: Destination) => (await client.requests(name, 1))[0];

describe("status", () => {
  it("answers it with Retry-After, headers and a body of choice, and stores nothing", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const headers = { "X-Proxy": "yes" };
    await splunk.client.fault(splunk.name, {
      mode: "status",
      status: 503,
      retry_after: 7,
      headers,
      body: "no",
    });
    const answer = await send(splunk);
    expect([answer.status, answer.text]).toEqual([503, "no"]);
    expect([answer.headers.get("retry-after"), answer.headers.get("x-proxy")]).toEqual(["7", "yes"]);
    expect(await idsOf(splunk)).toEqual([]);
  });

  it("may store the events all the same: a gateway that gave up too early", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "status", status: 504, stored: true });
    expect((await send(splunk)).status).toBe(504);
    expect(await idsOf(splunk)).toEqual(["a"]);
  });

  it("speaks the vendor's language unless told what to say", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "status", status: 503 });
    expect((await send(splunk)).json).toEqual({ text: "Server is busy", code: 9 });
  });

  it("limits Datadog's rate with the headers that Datadog sends", async ({ expect }) => {
    const datadog = await simulated.datadog();
    await datadog.client.fault(datadog.name, { mode: "status", status: 429, retry_after: 3 });
    const { status, headers } = await datadog.post("/api/v2/logs", '[{"message":"a"}]');
    expect([status, headers.get("retry-after"), headers.get("x-ratelimit-reset")]).toEqual([429, "3", "3"]);
  });
});

describe("broken connections", () => {
  for (const { mode, stored } of [
    { mode: "reset", stored: [] },
    { mode: "reset_after", stored: ["a"] },
    { mode: "half_answer", stored: ["a"] },
  ] as const)
    it(`${mode} fails the request and stores ${stored.length === 0 ? "nothing" : "its events"}`, async ({
      expect,
    }) => {
      const splunk = await simulated.splunk();
      await splunk.client.fault(splunk.name, { mode });
      await expect(send(splunk)).rejects.toThrow();
      expect(await idsOf(splunk)).toEqual(stored);
      expect(await lastRequest(splunk)).toMatchObject({ status: null, fault: mode, events: stored.length });
    });

  it("half_answer promises a whole answer and ends in the middle of it", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "half_answer" });
    const response = await fetch(`${splunk.client.endpoint(splunk.name)}${EVENT}`, {
      method: "POST",
      headers: { authorization: `Splunk ${ACK_TOKEN.token}` },
      body: envelope("a"),
    });
    expect([response.status, response.headers.get("content-length")]).toEqual([200, "27"]);
    await expect(response.text()).rejects.toThrow();
  });

  it("hang never answers, and drops the connection at recovery", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "hang" });
    const failed = expect(send(splunk)).rejects.toThrow();
    await splunk.client.waitFor(splunk.name, ({ hanging }) => hanging === 1);
    await splunk.client.recover(splunk.name);
    await failed;
    expect((await send(splunk)).status).toBe(200);
    expect(await splunk.client.summary(splunk.name)).toMatchObject({ hanging: 0, events: 1 });
  });

  it("hang forgets a sender that gives up", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "hang" });
    const abort = new AbortController();
    const url = `${splunk.client.endpoint(splunk.name)}${EVENT}`;
    const failed = expect(fetch(url, { method: "POST", body: "{}", signal: abort.signal })).rejects.toThrow();
    await splunk.client.waitFor(splunk.name, ({ hanging }) => hanging === 1);
    abort.abort();
    await failed;
    await splunk.client.waitFor(splunk.name, ({ hanging }) => hanging === 0);
  });
});

describe("odd answers", () => {
  it("slow stores at once and answers properly when the time has come", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "slow", ms: 60 });
    const startedAt = Date.now();
    const answer = send(splunk);
    await splunk.client.waitFor(splunk.name, 1);
    expect((await answer).status).toBe(200);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(59);
  });

  it("slow answers at recovery, if that is sooner", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "slow", ms: 60_000 });
    const answer = send(splunk);
    await splunk.client.waitFor(splunk.name, ({ hanging }) => hanging === 1);
    await splunk.client.recover(splunk.name);
    expect((await answer).status).toBe(200);
    expect(await lastRequest(splunk)).toMatchObject({ status: 200, fault: "slow", events: 1 });
  });

  it("html is a login page under a 200", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "html" });
    const answer = await send(splunk);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/html; charset=UTF-8"]);
    expect(await idsOf(splunk)).toEqual([]);
  });

  it("redirect sends to a login page, as Splunk Web does", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "redirect" });
    const answer = await send(splunk);
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toMatch(/^\/en-US\/account\/login/);
  });
});

describe("poison", () => {
  for (const { code, named } of [
    { code: 6, named: 1 },
    { code: 12, named: 1 },
    { code: 13, named: 1 },
    { code: 15, named: 1 },
    { code: 7, named: 2 },
  ] as const)
    it(`is refused with code ${code} naming object ${named}, and what precedes it is taken`, async ({
      expect,
    }) => {
      const splunk = await simulated.splunk();
      await splunk.client.fault(splunk.name, { mode: "poison", pattern: "bad", code });
      const answer = await splunk.post(EVENT, ["a", "bad-1", "c"].map((id) => envelope(id)).join(""));
      expect(answer.json).toMatchObject({ code, "invalid-event-number": named });
      expect(await idsOf(splunk)).toEqual(["a"]);
      expect(await splunk.client.summary(splunk.name)).toMatchObject({ violations: [] });
    });

  it("leaves clean requests alone and does not count them as struck", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "poison", pattern: "bad", times: 1 });
    expect((await send(splunk, "clean")).status).toBe(200);
    expect((await send(splunk, "bad")).status).toBe(400);
    expect((await send(splunk, "bad")).status).toBe(200);
  });

  it("has Datadog refuse the whole request", async ({ expect }) => {
    const datadog = await simulated.datadog();
    await datadog.client.fault(datadog.name, { mode: "poison", pattern: "bad" });
    const answer = await datadog.post("/api/v2/logs", '[{"message":"a"},{"message":"bad"}]');
    expect(answer.status).toBe(400);
    expect(await datadog.client.summary(datadog.name)).toMatchObject({ events: 0, violations: [] });
  });
});

describe("scope", () => {
  it("recovers by itself after the given number of requests", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "status", status: 503, times: 2 });
    const statuses = [await send(splunk), await send(splunk), await send(splunk)].map(({ status }) => status);
    expect(statuses).toEqual([503, 503, 200]);
    expect((await splunk.client.summary(splunk.name)).fault).toBeNull();
  });

  it("strikes the named doors only", async ({ expect }) => {
    const splunk = await simulated.splunk({ tokens: [ACK_TOKEN] });
    await splunk.client.fault(splunk.name, { mode: "status", status: 503, paths: ["ack"] });
    const headers = { "x-splunk-request-channel": CHANNEL };
    const event = await splunk.post(EVENT, envelope("a"), headers);
    const ack = await splunk.post("/services/collector/ack", '{"acks":[0]}', headers);
    expect([event.status, ack.status]).toEqual([200, 503]);
  });

  it("strikes every door when it names none, health included", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "status", status: 502 });
    expect((await splunk.send("/services/collector/health")).status).toBe(502);
  });

  it("does not reach other instances", async ({ expect }) => {
    const [broken, sound] = [await simulated.splunk(), await simulated.splunk()];
    await broken.client.fault(broken.name, { mode: "reset" });
    expect((await send(sound)).status).toBe(200);
  });
});

describe("closing", () => {
  it("is immediate, whatever hangs, dawdles or merely stays connected", async ({ expect }) => {
    const simulator = await startSimulator();
    const idle = connect(simulator.port, "127.0.0.1");
    await new Promise((resolve) => idle.once("connect", resolve));
    idle.on("error", () => {});
    const client = new SimulatorClient(simulator.url);
    const outcomes = [];
    for (const fault of [{ mode: "hang" }, { mode: "slow", ms: 60_000 }] as const) {
      await client.datadog(fault.mode, { api_keys: ["k"] });
      await client.fault(fault.mode, fault);
      outcomes.push(fetch(`${simulator.url}/${fault.mode}/api/v1/validate`).catch(() => "dropped"));
      await client.waitFor(fault.mode, ({ hanging }) => hanging === 1);
    }
    const startedAt = Date.now();
    await simulator.close();
    expect(Date.now() - startedAt).toBeLessThan(1000);
    expect(await Promise.all(outcomes)).toEqual(["dropped", "dropped"]);
  });
});
