import { describe, it } from "vitest";
import type { AlertFiring } from "../simulator/client.ts";
import { eventually, type Json } from "./support/relay.ts";
import { openWorld } from "./support/world.ts";

/*
 * Alerts from outside: a Splunk that fires them, the relay as its own process, and a Splunk that its events go to.
 */

const HEC_TOKEN = "11111111-1111-4111-8111-111111111111";
const INBOUND = "/prod/api/webhooks/inbound/splunk";
/** What is promised from an alert to its incident's event in Splunk. */
const ROUND_TRIP_MS = 5_000;

const { relay, simulator, siem } = await openWorld();

/** A tenant whose events go to a Splunk of that name by the forwarding table. */
async function connected(name: string): Promise<string> {
  const { key } = await relay.tenant();
  await siem.splunk(name, { tokens: [{ token: HEC_TOKEN }] });
  const endpoint = `${simulator.url}/${name}`;
  const body = { provider: "splunk", endpoint, token: HEC_TOKEN, routes: "categories" };
  const made = await relay.call("POST", "/v1/audit/siem", { key, body });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return key;
}

async function source(key: string, about: Json): Promise<Json> {
  const body = { kind: "splunk_alert", name: "SOC Splunk", ...about };
  const made = await relay.call("POST", "/v1/sources", { key, body });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return made.body;
}

async function incidents(key: string): Promise<readonly Json[]> {
  return (await relay.call("GET", "/v1/incidents?limit=100", { key })).body["data"] as readonly Json[];
}

describe("an alert", () => {
  it("by the ITSM guide's curl is an incident, whose event is in itsm_incidents within 5 seconds", async ({
    expect,
  }) => {
    const key = await connected("round-trip");
    await source(key, { secret: "YOUR_SECRET-1", secret_header: "X-StackFlow-Secret" });
    const startedAt = Date.now();
    const response = await fetch(`${relay.url}${INBOUND}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-StackFlow-Secret": "YOUR_SECRET-1" },
      body: '{"search_name":"High Error Rate","severity":"high","host":"app-server-01","message":"Error rate exceeded 10%","stackflow_priority":"P2","stackflow_assignment_group":"Platform Engineering"}',
    });
    const made = (await response.json()) as Json;
    expect([response.status, made]).toEqual([
      201,
      {
        incident_id: expect.stringMatching(/^inc_/),
        number: "INC0000001",
        priority: "P2",
        status: "open",
        deduplicated: false,
      },
    ]);
    expect(await incidents(key)).toMatchObject([
      { id: made["incident_id"], number: "INC0000001", assignment_group: "Platform Engineering" },
    ]);
    const copy = await eventually(async () => {
      const { order } = await siem.events("round-trip");
      const copies = (await Promise.all(order.map((id) => siem.event("round-trip", id)))).flat();
      return copies.find(({ index }) => index === "itsm_incidents");
    });
    expect(Date.now() - startedAt).toBeLessThan(ROUND_TRIP_MS);
    expect(JSON.stringify(copy)).toContain(String(made["incident_id"]));
  });

  it("is taken as Splunk and its apps send it, with each proof, and counted once", async ({ expect }) => {
    const key = await connected("proofs");
    const plain = await source(key, { secret_header: "X-StackFlow-Secret", allow_path_secret: true });
    const signed = await source(key, { hmac: true });
    const at = (made: Json) => `${relay.url}${INBOUND}/${String(made["id"])}`;
    const secret = String(plain["secret"]);
    const firings: readonly AlertFiring[] = [
      { url: at(plain), path_secret: String(plain["path_secret"]) },
      { url: at(plain), body: "template", headers: { "X-StackFlow-Secret": secret } },
      { url: at(plain), body: "template", authorization: `Bearer ${secret}` },
      { url: at(signed), body: "template", hmac: { secret: String(signed["secret"]) } },
    ];
    for (const [index, firing] of firings.entries()) {
      const rows = [{ host: `h${index}`, severity: "critical", message: 'he said "no"\nand C:\\Users left' }];
      const [call] = await siem.fire("proofs", { ...firing, rows, escape: false });
      expect([index, call?.status, call?.answer]).toEqual([index, 201, expect.stringContaining('"P1"')]);
    }
    const rows = ["a", "b", "a"].map((host, row) => ({ host, row: String(row) }));
    const each: AlertFiring = {
      url: at(plain),
      path_secret: String(plain["path_secret"]),
      trigger: "each",
      rows,
      sid: "s1",
    };
    expect((await siem.fire("proofs", each)).map(({ status }) => status)).toEqual([201, 201, 200]);
    expect((await siem.fire("proofs", each)).map(({ status }) => status)).toEqual([200, 200, 200]);
    const occurrences = (await incidents(key)).map((incident) => incident["occurrences"]);
    expect(occurrences.toSorted()).toEqual([1, 1, 1, 1, 1, 2]);
    const refused = await siem.fire("proofs", { url: at(signed), hmac: { secret: "another-secret" } });
    expect(refused.map(({ status }) => status)).toEqual([401]);
    expect((await relay.call("GET", `/v1/sources/${String(plain["id"])}`, { key })).body).toMatchObject({
      status: "active",
      alerts: 6,
    });
    expect(relay.output).not.toContain(String(plain["path_secret"]));
  });

  it("of 500 at the same time from 50 searches is counted, and the numbers have no gap", async ({
    expect,
  }) => {
    const key = await connected("crowd");
    const { secret } = await source(key, {});
    const headers = { "Content-Type": "application/json", "X-Sluice-Secret": String(secret) };
    const send = async (index: number): Promise<number> => {
      const body = JSON.stringify({ search_name: `search-${index % 50}`, host: "h", sid: `s${index}` });
      const response = await fetch(`${relay.url}${INBOUND}`, { method: "POST", headers, body });
      await response.arrayBuffer();
      return response.status;
    };
    const statuses = await Promise.all(Array.from({ length: 500 }, (_, index) => send(index)));
    const count = (status: number) => statuses.filter((each) => each === status).length;
    expect([count(201), count(200)]).toEqual([50, 450]);
    const found = await incidents(key);
    expect(found.map(({ occurrences }) => occurrences)).toEqual(Array.from({ length: 50 }, () => 10));
    const numbers = found.map(({ number }) => Number(String(number).slice(3))).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  }, 120_000);
});
