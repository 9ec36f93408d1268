import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SimulatorClient } from "../simulator/client.ts";
import { type Child, moveTo, runtimeOf, start } from "./processes.ts";

const ADMIN_TOKEN = "adm_bench";
const SPLUNK_TOKEN = "00000000-0000-4000-8000-0000000b3ac4";
const INGEST_PATH = "/v1/audit/events";

/** A relay of its own on an empty state, and what is needed to use and to watch it. */
export interface Relay {
  readonly url: string;
  readonly adminToken: string;
  /** Process id of the runtime, null where it cannot be found. */
  readonly runtime: number | null;
  /** Everything that it keeps. */
  readonly stateDir: string;
  stop(): Promise<void>;
}

/** Relays for one case after another, started two at a time because starting takes as long as measuring. */
export class Relays {
  #spare: (Relay & { readonly pid: number }) | null = null;

  /** @param isLast no other will be needed */
  async next({ isLast }: { readonly isLast: boolean }): Promise<Relay> {
    const spare = this.#spare;
    this.#spare = null;
    if (spare !== null) {
      moveTo("relay", [spare.pid, spare.runtime]);
      return spare;
    }
    if (isLast) return startRelayProcess();
    const [one, other] = await Promise.all([startRelayProcess(), startRelayProcess("spare")]);
    this.#spare = other;
    return one;
  }

  async stop(): Promise<void> {
    await this.#spare?.stop();
    this.#spare = null;
  }
}

/** The relay exactly as `npm start` runs it. */
export async function startRelayProcess(
  side: "relay" | "spare" = "relay",
): Promise<Relay & { readonly pid: number }> {
  const stateDir = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const child = await start("src/local/start.ts", ["--bare"], {
    side,
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
    pid: child.pid,
    adminToken: ADMIN_TOKEN,
    runtime: runtimeOf(child.pid),
    stateDir,
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
  return { url, inspector, adminToken: ADMIN_TOKEN, runtime, stateDir, stop: stopper(child, stateDir) };
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
  /** Null where requests need no signature. */
  readonly signingSecret: string | null;
  /** Ids of the destinations, and the simulator's instances that they are. */
  readonly destinations: readonly string[];
  readonly instances: readonly string[];
}

export interface TenantOptions {
  readonly destinations: number;
  readonly signed?: boolean;
  /** Indexer acknowledgement, which the relay follows by itself. */
  readonly acknowledged?: boolean;
}

let tenants = 0;

export async function makeTenant(
  relay: Relay,
  simulatorUrl: string,
  options: TenantOptions,
): Promise<Tenant> {
  tenants += 1;
  const simulator = new SimulatorClient(simulatorUrl);
  const operator = { authorization: `Bearer ${relay.adminToken}` };
  const tenant = await call("POST", `${relay.url}/v1/tenants`, operator, { name: `Bench ${tenants}` });
  const key = await call("POST", `${relay.url}/v1/tenants/${tenant["id"]}/keys`, operator, {
    name: "bench",
    scopes: ["*"],
    require_signature: options.signed === true,
  });
  const headers = { "x-api-key": String(key["key"]) };
  const signingSecret = options.signed === true ? String(key["signing_secret"]) : null;
  const instances = Array.from(
    { length: options.destinations },
    (_, index) => `bench-${tenants}-${index + 1}`,
  );
  const destinations: string[] = [];
  for (const name of instances) {
    const base = await simulator.splunk(name, {
      count_only: true,
      ids: "hashed",
      tokens: [{ token: SPLUNK_TOKEN, acknowledge: options.acknowledged === true }],
    });
    const destination = await call("POST", siemUrl(relay), headers, {
      provider: "splunk",
      name,
      endpoint: `${base}/services/collector`,
      token: SPLUNK_TOKEN,
    });
    destinations.push(String(destination["id"]));
  }
  return { url: `${relay.url}${INGEST_PATH}`, headers, signingSecret, destinations, instances };
}

/** Events that a destination's lane holds, those that wait for an acknowledgement too; null when it does not say in time. */
export async function backlogOf(
  relay: Relay,
  { headers }: Tenant,
  destination: string,
): Promise<number | null> {
  const { backlog } = await call("GET", `${siemUrl(relay)}/${destination}`, headers);
  return (backlog as { readonly events: number } | null)?.events ?? null; // as src/api/destination-view.ts has it
}

/** A change of its settings makes a lane try at once, whatever its backoff says. */
export async function tryNow(relay: Relay, { headers }: Tenant, destination: string): Promise<void> {
  await call("PATCH", `${siemUrl(relay)}/${destination}`, headers, { name: "mended" });
}

function siemUrl({ url }: Relay): string {
  return `${url}/v1/audit/siem`;
}

async function call(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}
