import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, it } from "vitest";
import { spread } from "../../src/base/spread.ts";
import { startRelay } from "../../src/local/relay.ts";
import { SimulatorClient } from "../simulator/client.ts";
import { startSimulator } from "../simulator/server.ts";
import { ADMIN_TOKEN, eventually, type Json } from "./support/relay.ts";

/*
 * A deployment with two queues, which its configuration alone makes of the same program.
 */

const TOKEN = "11111111-1111-4111-8111-111111111111";

/** The repository's configuration with what docs/scale.md says to add. */
const TWO = `${readFileSync(resolve("wrangler.toml"), "utf8").split(/^# -+$/m)[0]}
[[queues.producers]]
binding = "EVENTS_2"
queue = "sluice-events-2"

[[queues.consumers]]
queue = "sluice-events-2"
max_batch_size = 100
max_batch_timeout = 1
max_retries = 100
dead_letter_queue = "sluice-events-2-dead"

[[queues.consumers]]
queue = "sluice-events-2-dead"
max_batch_size = 100
max_batch_timeout = 5
max_retries = 100
`;

const directory = mkdtempSync(join(tmpdir(), "sluice-queues-"));
const config = join(directory, "wrangler.toml");
writeFileSync(config, TWO.replace('main = "src/', `main = "${resolve("src")}/`));
const simulator = await startSimulator();
const relay = await startRelay({
  host: "127.0.0.1",
  port: 0,
  stateDir: join(directory, "state"),
  config,
  vars: {
    ADMIN_TOKEN,
    ROOT_KEY: Buffer.alloc(32, 7).toString("base64"),
    ALLOW_INSECURE_DESTINATIONS: "true",
    LOG_LEVEL: "error",
  },
});
afterAll(async () => {
  await Promise.all([relay.stop(), simulator.close()]);
  rmSync(directory, { recursive: true, force: true });
});

async function call(method: string, path: string, key: string, body?: unknown): Promise<Json> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${relay.url}${path}`, { method, headers, ...init });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer as Json; // the relay answers objects
}

describe("a deployment with two queues", () => {
  it("uses both, consumes both, and every event arrives once", async ({ expect }) => {
    const siem = new SimulatorClient(simulator.url);
    await siem.splunk("queues", { tokens: [{ token: TOKEN }] });
    const { id: tenant } = await call("POST", "/v1/tenants", ADMIN_TOKEN, { name: "Acme" });
    const made = await call("POST", `/v1/tenants/${tenant}/keys`, ADMIN_TOKEN, {
      name: "all",
      scopes: ["*"],
    });
    const key = String(made["key"]);
    const endpoint = `${simulator.url}/queues/services/collector`;
    const destination = { provider: "splunk", endpoint, token: TOKEN, routes: [{ match: "user.*" }] };
    await call("POST", "/v1/audit/siem", key, destination);
    const ids = Array.from({ length: 40 }, (_, n) => `evt-${n}`);
    const sent = await Promise.all(
      ids.map((id) =>
        call("POST", "/v1/audit/events", key, { events: [{ id, action: "user.login", actor_id: "u" }] }),
      ),
    );
    expect(new Set(sent.map((receipt) => spread(String(receipt["batch_id"]), 2))).size).toBe(2);
    const arrived = await eventually(async () => {
      const found = (await siem.events("queues")).ids;
      return Object.keys(found).length === 40 && found;
    });
    expect(arrived).toEqual(Object.fromEntries(ids.map((id) => [id, 1])));
    expect(await call("GET", "/readyz", ADMIN_TOKEN)).toMatchObject({ status: "ready" });
  });
});
