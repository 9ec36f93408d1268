import { describe, it } from "vitest";
import { events, eventually, type Json } from "./support/relay.ts";
import { openWorld } from "./support/world.ts";

/*
 * Whole stories, told from outside: the relay as its own process, real sockets, real SIEM behaviour.
 */

const TOKEN = "11111111-1111-4111-8111-111111111111";
const DATADOG_KEY = "0123456789abcdef0123456789abcdef";

const { relay, simulator, siem } = await openWorld();

async function splunk(name: string, key: string, more: Json = {}): Promise<string> {
  await siem.splunk(name, { tokens: [{ token: TOKEN }] });
  const endpoint = `${simulator.url}/${name}/services/collector`;
  const made = await relay.call("POST", "/v1/audit/siem", {
    key,
    body: { provider: "splunk", endpoint, token: TOKEN, ...more },
  });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return String(made.body["id"]);
}

async function datadog(name: string, key: string): Promise<string> {
  await siem.datadog(name, { api_keys: [DATADOG_KEY] });
  const endpoint = `${simulator.url}/${name}/api/v2/logs`;
  const made = await relay.call("POST", "/v1/audit/siem", {
    key,
    body: { provider: "datadog", endpoint, token: DATADOG_KEY },
  });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return String(made.body["id"]);
}

/** Times that each of our events arrived; the relay's own administrative events are left out. */
async function arrivals(name: string, prefix: string): Promise<ReadonlyMap<string, number>> {
  const { ids } = await siem.events(name);
  return new Map(Object.entries(ids).filter(([id]) => id.startsWith(`${prefix}-`)));
}

function allArrived(name: string, prefix: string, count: number): Promise<ReadonlyMap<string, number>> {
  return eventually(async () => {
    const found = await arrivals(name, prefix);
    return found.size === count && found;
  });
}

async function destination(id: string, key: string): Promise<Json> {
  return (await relay.call("GET", `/v1/audit/siem/${id}`, { key })).body;
}

describe("from producer to SIEM", () => {
  it("every event arrives once at each SIEM, with exactly the bytes that were sent and the rest behind them", async ({
    expect,
  }) => {
    const { id: tenant, key } = await relay.tenant();
    await Promise.all([splunk("faithful", key), datadog("faithful-dd", key)]);
    const odd =
      '{"id":"odd-0","action":"user.login","actor_id":"u","metadata":{"big":12345678901234567890,"f":1.0,"u":"\\u00e9"},"10":1}';
    const answer = await relay.call("POST", "/v1/audit/events", { key, body: odd });
    expect(answer.status).toBe(202);
    await relay.send(key, events("faithful", 2_500));
    for (const name of ["faithful", "faithful-dd"]) {
      expect(new Set((await allArrived(name, "faithful", 2_500)).values())).toEqual(new Set([1]));
    }
    const [copy] = await siem.event("faithful", "odd-0");
    expect(copy?.raw.startsWith(`${odd.slice(0, -1)},`)).toBe(true);
    expect(copy?.raw).toContain(`"tenant_id":"${tenant}"`);
    expect((await siem.summary("faithful")).violations).toEqual([]);
    expect((await siem.summary("faithful-dd")).violations).toEqual([]);
  }, 60_000);

  it("a request that is repeated with its idempotency key is delivered once, however soon the repeat comes", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    await splunk("repeated", key);
    const body = JSON.stringify(events("repeated", 20));
    const headers = { "idempotency-key": "again-and-again" };
    const answers = await Promise.all(
      [1, 2, 3].map(() => relay.call("POST", "/v1/audit/events", { key, body, headers })),
    );
    const later = await relay.call("POST", "/v1/audit/events", { key, body, headers });
    expect(new Set([...answers, later].map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    await relay.send(key, events("behind", 1));
    await allArrived("repeated", "behind", 1);
    await eventually(async () => (await siem.summary("repeated")).events >= 21);
    expect(new Set((await allArrived("repeated", "repeated", 20)).values())).toEqual(new Set([1]));
  }, 60_000);

  it("an outage of one SIEM loses nothing, delays nobody else, and both turns of its status are seen", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const [hec] = await Promise.all([splunk("outage", key), datadog("outage-dd", key)]);
    await siem.fault("outage", { mode: "status", status: 503 });
    await relay.send(key, events("outage", 3_000));
    await allArrived("outage-dd", "outage", 3_000);
    const ill = await eventually(async () => {
      const now = await destination(hec, key);
      return now["status"] === "degraded" && now;
    });
    expect(ill).toMatchObject({
      status_reason: { code: "provider_error" },
      backlog: { events: expect.any(Number) },
    });
    await siem.fault("outage", { mode: "reset" });
    await relay.send(key, events("outage", 6_000).slice(3_000));
    await allArrived("outage-dd", "outage", 6_000);
    await siem.recover("outage");
    await allArrived("outage", "outage", 6_000);
    const well = await eventually(async () => {
      const now = await destination(hec, key);
      return now["status"] === "active" && now;
    });
    const turns = (well["status_changes"] as Json[]).map(({ status }) => status);
    expect(turns[0]).toBe("degraded");
    expect(turns.at(-1)).toBe("active");
  }, 120_000);

  it("a poison event among a thousand is set aside with Splunk's words, 999 arrive once, and a replay brings it back", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const hec = await splunk("poison", key);
    await siem.fault("poison", { mode: "poison", pattern: "POISON", code: 6 });
    const [batch] = await relay.send(
      key,
      events("poison", 1_000, (n) => (n === 617 ? { metadata: { n: "POISON" } } : {})),
    );
    expect(new Set((await allArrived("poison", "poison", 999)).values())).toEqual(new Set([1]));
    const dead = await eventually(async () => {
      const { body } = await relay.call("GET", `/v1/audit/siem/${hec}/dead-letters`, { key });
      const data = body["data"] as Json[];
      return data.length > 0 && data;
    });
    expect(dead).toMatchObject([
      { event_id: "poison-617", message: "Invalid data format", provider_code: "6" },
    ]);
    const fate = await relay.call("GET", `/v1/audit/batches/${batch}`, { key });
    expect(fate.body).toMatchObject({ destinations: [{ counts: { accepted: 999, parked: 1, indexed: 0 } }] });
    await siem.recover("poison");
    const replayed = await relay.call("POST", `/v1/audit/siem/${hec}/replay`, {
      key,
      body: { ids: [dead[0]?.["id"]] },
    });
    expect(replayed.body).toEqual({ replayed: 1 });
    await allArrived("poison", "poison", 1_000);
  }, 60_000);

  it("a wrong token drops nothing, says so, and the right one delivers everything within seconds", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const hec = await splunk("token", key, { token: "not-the-token" });
    await relay.send(key, events("token", 2_000));
    await eventually(async () => {
      const { status_reason: reason } = await destination(hec, key);
      return (reason as Json | null)?.["code"] === "credentials_rejected";
    });
    const diagnosis = await relay.call("POST", `/v1/audit/siem/${hec}/test`, { key });
    expect(diagnosis.body).toMatchObject({ ok: false, http_status: 403, provider_code: 4 });
    const startedAt = performance.now();
    await relay.call("PATCH", `/v1/audit/siem/${hec}`, { key, body: { token: TOKEN } });
    await allArrived("token", "token", 2_000);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    const healthy = await relay.call("POST", `/v1/audit/siem/${hec}/test`, { key });
    expect(healthy.body).toMatchObject({ ok: true, acknowledgement: "off" });
  }, 60_000);

  it("a destination that is deleted gets what it is owed first, whether it waits in the lane or still on the queue", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const hec = await splunk("deleted", key);
    await relay.send(key, events("deleted", 1_500));
    const answer = await relay.call("DELETE", `/v1/audit/siem/${hec}`, { key });
    expect(answer.status).toBe(200);
    expect(answer.body["dead_lettered"]).toBe(0);
    expect((await arrivals("deleted", "deleted")).size).toBe(1_500);
    expect((await relay.call("GET", `/v1/audit/siem/${hec}`, { key })).status).toBe(404);
  }, 60_000);

  it("what a deleted destination could not take stays readable", async ({ expect }) => {
    const { key } = await relay.tenant();
    const hec = await splunk("dying", key);
    await siem.fault("dying", { mode: "status", status: 503 });
    await relay.send(key, events("dying", 10));
    await eventually(async () => (await destination(hec, key))["status"] === "degraded");
    const answer = await relay.call("DELETE", `/v1/audit/siem/${hec}?force=true`, { key });
    expect(answer.body).toMatchObject({ flushed: 0 });
    const left = await relay.call("GET", `/v1/audit/siem/${hec}/dead-letters?limit=100`, { key });
    const ids = (left.body["data"] as Json[]).map(({ event_id: id }) => id);
    for (const { id } of events("dying", 10)) expect(ids).toContain(id);
  }, 60_000);

  it("while switched off a destination gets nothing, and what it was owed before goes out when it is switched on", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const hec = await splunk("off", key);
    await siem.fault("off", { mode: "status", status: 503 });
    await relay.send(key, events("off-before", 5));
    await eventually(async () => (await destination(hec, key))["status"] === "degraded");
    await relay.call("PATCH", `/v1/audit/siem/${hec}`, { key, body: { enabled: false } });
    await siem.recover("off");
    await datadog("off-dd", key);
    await relay.send(key, events("off-during", 5));
    await allArrived("off-dd", "off-during", 5);
    expect((await destination(hec, key))["status"]).toBe("disabled");
    await relay.call("PATCH", `/v1/audit/siem/${hec}`, { key, body: { enabled: true } });
    await allArrived("off", "off-before", 5);
    expect((await arrivals("off", "off-during")).size).toBe(0);
  }, 60_000);
});

describe("when the relay itself dies", () => {
  it("events that were accepted the moment before a SIGKILL arrive after the next start, and so does the backlog", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const hec = await splunk("killed", key);
    await siem.fault("killed", { mode: "status", status: 503 });
    await relay.send(key, events("killed", 4_000));
    await eventually(async () => (await destination(hec, key))["status"] === "degraded");
    await relay.send(key, events("killed", 8_000).slice(4_000));
    await relay.kill();
    await siem.recover("killed");
    await relay.start();
    await allArrived("killed", "killed", 8_000);
    expect((await relay.call("GET", "/readyz")).status).toBe(200);
  }, 120_000);

  it("an orderly stop ends in time and leaves nothing behind, and the next start knows its tenants", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const startedAt = performance.now();
    await relay.stop();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(relay.output).toBe("");
    await expect(fetch(`${relay.url}/healthz`)).rejects.toThrow("fetch failed");
    await relay.start();
    expect((await relay.call("GET", "/v1/keys", { key })).status).toBe(200);
  }, 60_000);
});
