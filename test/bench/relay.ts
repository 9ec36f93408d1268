import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SimulatorClient } from "../simulator/client.ts";
import { type Child, runtimeOf, start } from "./processes.ts";

const ADMIN_TOKEN = "adm_bench";
const SPLUNK_TOKEN = "00000000-0000-4000-8000-0000000b3ac4";
const INGEST_PATH = "/v1/audit/events";

/** A relay of its own on an empty state, and what is needed to use and to watch it. */
export interface Relay {
  readonly url: string;
  readonly adminToken: string;
  /** Process id of the runtime, null where it cannot be found. */
  readonly runtime: number | null;
  stop(): Promise<void>;
}

/** The relay exactly as `npm start` runs it. */
export async function startRelayProcess(): Promise<Relay> {
  const stateDir = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const child = await start("src/local/start.ts", ["--bare"], {
    side: "relay",
    env: {
      STATE_DIR: stateDir,
      PORT: "0",
      LOG_LEVEL: "error",
      ALLOW_INSECURE_DESTINATIONS: "true",
      ADMIN_TOKEN,
    },
    ready: /ready at (http:\S+)/,
  });
  return {
    url: child.ready,
    adminToken: ADMIN_TOKEN,
    runtime: runtimeOf(child.pid),
    stop: stopper(child, stateDir),
  };
}

/** The relay with a meter on its bindings, or open to the inspector. */
export async function startSpecialRelay(
  worker: "counted" | "relay",
  args: readonly string[] = [],
): Promise<Relay & { readonly inspector: string | null }> {
  const stateDir = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const child = await start("test/bench/runtime.ts", ["--worker", worker, "--state-dir", stateDir, ...args], {
    side: "relay",
    env: { ADMIN_TOKEN },
    ready: /^(\{"url":.*\})$/m,
  });
  const { url, inspector } = JSON.parse(child.ready) as { url: string; inspector: string | null };
  const runtime = runtimeOf(child.pid);
  return { url, inspector, adminToken: ADMIN_TOKEN, runtime, stop: stopper(child, stateDir) };
}

function stopper(child: Child, stateDir: string): () => Promise<void> {
  return async () => {
    await child.stop();
    rmSync(stateDir, { recursive: true, force: true });
  };
}

/** A tenant with some Splunk destinations, each an instance of the simulator. */
export interface Tenant {
  /** Where its events are posted, and with what. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The simulator's instances. */
  readonly instances: readonly string[];
}

let tenants = 0;

export async function makeTenant(
  relay: Relay,
  simulatorUrl: string,
  { destinations, keepsTimes }: { readonly destinations: number; readonly keepsTimes: boolean },
): Promise<Tenant> {
  tenants += 1;
  const simulator = new SimulatorClient(simulatorUrl);
  const operator = { authorization: `Bearer ${relay.adminToken}` };
  const tenant = await post(`${relay.url}/v1/tenants`, operator, { name: `Bench ${tenants}` });
  const key = await post(`${relay.url}/v1/tenants/${tenant["id"]}/keys`, operator, {
    name: "bench",
    scopes: ["*"],
  });
  const headers = { "x-api-key": key["key"] ?? "" };
  const instances = Array.from({ length: destinations }, (_, index) => `bench-${tenants}-${index + 1}`);
  for (const name of instances) {
    const base = await simulator.splunk(name, {
      count_only: !keepsTimes,
      tokens: [{ token: SPLUNK_TOKEN }],
    });
    await post(`${relay.url}/v1/audit/siem`, headers, {
      provider: "splunk",
      name,
      endpoint: `${base}/services/collector`,
      token: SPLUNK_TOKEN,
    });
  }
  return { url: `${relay.url}${INGEST_PATH}`, headers, instances };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: unknown,
): Promise<Record<string, string>> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, string>;
}
