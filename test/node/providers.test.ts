import { describe, it } from "vitest";
import { events, eventually, type Json } from "./support/relay.ts";
import { openWorld } from "./support/world.ts";

/*
 * Every provider from outside: the relay as its own process, and receivers that enforce their vendor's rules.
 */

const HEC_TOKEN = "11111111-1111-4111-8111-111111111111";
const SECRET = "a-shared-secret-of-the-tests";

const { relay, simulator, siem } = await openWorld();

async function create(key: string, body: Json): Promise<string> {
  const made = await relay.call("POST", "/v1/audit/siem", { key, body });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return String(made.body["id"]);
}

/** One receiver of each kind under names that begin alike, and the settings of a destination for each. */
async function receivers(name: string): Promise<Readonly<Record<string, Json>>> {
  await siem.splunk(`${name}-splunk`, { tokens: [{ token: HEC_TOKEN }] });
  await siem.datadog(`${name}-datadog`, { api_keys: ["dd-key"] });
  await siem.cloudwatch(`${name}-cloudwatch`, { access_key_id: "AKIATEST", secret_access_key: "aws-secret" });
  await siem.elastic(`${name}-elastic`, { api_keys: [{ id: "kid", api_key: "kkey" }] });
  await siem.webhook(`${name}-webhook`, { secrets: [SECRET] });
  const at = (kind: string, path = ""): string => `${simulator.url}/${name}-${kind}${path}`;
  return {
    splunk: { provider: "splunk", endpoint: at("splunk", "/services/collector"), token: HEC_TOKEN },
    datadog: { provider: "datadog", endpoint: at("datadog", "/api/v2/logs"), token: "dd-key" },
    cloudwatch: {
      provider: "cloudwatch",
      endpoint: at("cloudwatch"),
      access_key_id: "AKIATEST",
      secret_access_key: "aws-secret",
      config: { region: "us-east-1" },
    },
    elastic: { provider: "elastic", endpoint: at("elastic"), token: "kid:kkey" },
    webhook: { provider: "webhook", endpoint: at("webhook"), secret: SECRET },
  };
}

async function arrived(name: string, prefix: string, count: number): Promise<ReadonlyMap<string, number>> {
  return eventually(async () => {
    const { ids } = await siem.events(name);
    const found = new Map(Object.entries(ids).filter(([id]) => id.startsWith(`${prefix}-`)));
    return found.size === count && found;
  });
}

describe("one event, five providers", () => {
  it("arrives at all five, once, in each one's own form, and breaks none of their rules", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const settings = await receivers("five");
    for (const body of Object.values(settings)) await create(key, body);
    await relay.send(key, events("five", 700));
    for (const kind of Object.keys(settings)) {
      expect([kind, new Set((await arrived(`five-${kind}`, "five", 700)).values())]).toEqual([
        kind,
        new Set([1]),
      ]);
      expect([kind, (await siem.summary(`five-${kind}`)).violations]).toEqual([kind, []]);
    }
  }, 60_000);

  it("is diagnosed as working by the connection test of each, and as refused with a wrong secret", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const settings = await receivers("probe");
    for (const [kind, body] of Object.entries(settings)) {
      const good = await relay.call("POST", "/v1/audit/siem/test", { key, body });
      expect([kind, good.body["ok"], good.body["hint"]]).toEqual([kind, true, null]);
      const secret = ["token", "secret", "secret_access_key"].find((name) => name in body) ?? "";
      const wrong = { ...body, [secret]: kind === "elastic" ? "kid:not-the-key" : "not-the-secret" };
      const bad = await relay.call("POST", "/v1/audit/siem/test", { key, body: wrong });
      expect([kind, bad.status, bad.body["ok"], typeof bad.body["hint"]]).toEqual([
        kind,
        200,
        false,
        "string",
      ]);
    }
  }, 60_000);

  it("arrives after an outage of all five, none lost, and Elastic holds each document once", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const settings = await receivers("outage");
    for (const body of Object.values(settings)) await create(key, body);
    for (const kind of Object.keys(settings))
      await siem.fault(`outage-${kind}`, { mode: "reset_after", times: 2 });
    await relay.send(key, events("outage", 600));
    for (const kind of Object.keys(settings)) await arrived(`outage-${kind}`, "outage", 600);
    expect(new Set((await arrived("outage-elastic", "outage", 600)).values())).toEqual(new Set([1]));
    expect((await siem.summary("outage-webhook")).violations).toEqual([]);
  }, 120_000);
});

describe("provider clocks", () => {
  it("a backlog over forty hours drains into CloudWatch without one rejected call, and what Datadog would lose is parked", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const { cloudwatch = {}, datadog = {} } = await receivers("clock");
    // Group and stream are there beforehand: the calls that find out that they are missing would be refused ones.
    await siem.configure("clock-cloudwatch", { groups: { audit: ["stream"] } });
    await create(key, {
      ...cloudwatch,
      config: { region: "us-east-1", log_group: "audit", log_stream: "stream" },
    });
    const dd = await create(key, datadog);
    const step = (40 * 3_600_000) / 4_000;
    const start = Date.now() - 40 * 3_600_000;
    await relay.send(
      key,
      events("clock", 4_000, (n) => ({ timestamp: new Date(start + n * step).toISOString() })),
    );
    await arrived("clock-cloudwatch", "clock", 4_000);
    expect(await siem.summary("clock-cloudwatch")).toMatchObject({ refused: 0, violations: [] });
    const parked = await eventually(async () => {
      const { body } = await relay.call("GET", `/v1/audit/siem/${dd}/dead-letters?limit=1`, { key });
      const [first] = body["data"] as Json[];
      return first;
    });
    expect(parked).toMatchObject({ reason: "outside_window" });
    expect((await siem.summary("clock-datadog")).violations).toEqual([]);
  }, 120_000);
});

describe("routes", () => {
  it("send each event to the index of the first route that matches, and nothing that none matches", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    const { splunk = {} } = await receivers("routes");
    const routes = [
      { match: "incident.*", index: "itsm_incidents" },
      { match: "user.*" },
      { match: "ai.*", enabled: false },
    ];
    await create(key, { ...splunk, routes, config: { index: "main" } });
    const actions = ["incident.create", "user.login", "ai.query", "scan.start"];
    await relay.send(
      key,
      events("routes", 4, (n) => ({ action: actions[n] })),
    );
    await arrived("routes-splunk", "routes", 2);
    const index = async (id: string): Promise<unknown> => (await siem.event("routes-splunk", id))[0]?.index;
    expect([await index("routes-0"), await index("routes-1")]).toEqual(["itsm_incidents", "main"]);
  }, 60_000);
});

describe("a webhook secret that is rotated", () => {
  it("is accepted by a receiver that knows either, while both are signed with", async ({ expect }) => {
    const { key } = await relay.tenant();
    const { webhook = {} } = await receivers("rotate");
    const id = await create(key, webhook);
    await relay.call("PATCH", `/v1/audit/siem/${id}`, {
      key,
      body: { secret: "the-next-shared-secret", previous_secret_ttl_seconds: 600 },
    });
    await relay.send(key, events("old", 3));
    await arrived("rotate-webhook", "old", 3);
    await siem.configure("rotate-webhook", { secrets: ["the-next-shared-secret"] });
    await relay.send(key, events("new", 3));
    await arrived("rotate-webhook", "new", 3);
    expect((await siem.summary("rotate-webhook")).refused).toBe(0);
  }, 60_000);
});

describe("Splunk's acknowledgement", () => {
  const STANDS: readonly [string, Json][] = [
    ["one indexer", {}],
    ["two indexers behind a round-robin with cookies", { indexers: 2, cookies: true }],
    ["two indexers behind a round-robin without cookies", { indexers: 2, cookies: false }],
  ];

  for (const [name, stand] of STANDS) {
    it(`confirms every batch, and calls none indexed before: ${name}`, async ({ expect }) => {
      const { key } = await relay.tenant();
      const instance = `ack-${name.replaceAll(/[^a-z]+/g, "-")}`;
      await siem.splunk(instance, { tokens: [{ token: HEC_TOKEN, acknowledge: true }], ...stand });
      const endpoint = `${simulator.url}/${instance}/services/collector`;
      const hec = await create(key, { provider: "splunk", endpoint, token: HEC_TOKEN });
      const batches = await relay.send(key, events("ack", 3_000));
      const counts = async (batch: string): Promise<Json> => {
        const { body } = await relay.call("GET", `/v1/audit/batches/${batch}`, { key });
        return ((body["destinations"] as Json[])[0]?.["counts"] ?? {}) as Json;
      };
      await arrived(instance, "ack", 3_000);
      expect((await counts(batches[0] ?? ""))["indexed"]).toBe(0);
      for (const batch of batches) await eventually(async () => (await counts(batch))["indexed"] === 1_000);
      expect(new Set((await arrived(instance, "ack", 3_000)).values())).toEqual(new Set([1]));
      const { body } = await relay.call("GET", `/v1/audit/siem/${hec}`, { key });
      expect(body).toMatchObject({ status: "active", backlog: { events: 0 } });
    }, 90_000);
  }

  it("survives a SIGKILL: what was accepted and not yet indexed is asked about again, and a failing /ack proves nothing", async ({
    expect,
  }) => {
    const { key } = await relay.tenant();
    await siem.splunk("ack-kill", { tokens: [{ token: HEC_TOKEN, acknowledge: true }] });
    await siem.fault("ack-kill", { mode: "html", paths: ["ack"] });
    const endpoint = `${simulator.url}/ack-kill/services/collector`;
    const hec = await create(key, { provider: "splunk", endpoint, token: HEC_TOKEN });
    const [batch] = await relay.send(key, events("ack-kill", 500));
    await eventually(async () => {
      const { body } = await relay.call("GET", `/v1/audit/batches/${batch}`, { key });
      return ((body["destinations"] as Json[])[0]?.["counts"] as Json | undefined)?.["accepted"] === 500;
    });
    await relay.kill();
    await relay.start();
    const backlog = async (): Promise<unknown> =>
      ((await relay.call("GET", `/v1/audit/siem/${hec}`, { key })).body["backlog"] as Json)["events"];
    expect(await backlog()).toBeGreaterThanOrEqual(500);
    await siem.recover("ack-kill");
    await eventually(async () => (await backlog()) === 0);
    expect(new Set((await arrived("ack-kill", "ack-kill", 500)).values())).toEqual(new Set([1]));
  }, 120_000);
});
