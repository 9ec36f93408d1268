/**
 * What is proved: the relay and the simulated SIEMs as processes of their own, and the destinations that join them.
 * Everything here survives a relay that dies in the middle.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ADMIN_TOKEN, type Answer, eventually, type Json, RelayProcess } from "../node/support/relay.ts";
import { SimulatorClient } from "../simulator/client.ts";
import type { Named } from "./destinations.ts";
import type { Excuse } from "./judge.ts";

/** What the local queue can be told, as shares from 0 to 1; explained in `src/local/worker/queue.ts`. */
export interface QueueFaults {
  readonly refuse: number;
  readonly lie: number;
  readonly duplicate: number;
  readonly loseAcks: number;
  /** Milliseconds. */
  readonly delay: number;
}

export interface Tenant {
  readonly id: string;
  readonly key: string;
}

/** A destination of the relay's and the instance behind it. */
export interface Live {
  readonly spec: Named;
  readonly tenant: Tenant;
  readonly id: string;
  readonly excuses: Excuse[];
  /** Events of requests that were under way when something fell. */
  interrupted: number;
  flushed: { readonly flushed: number; readonly deadLettered: number } | null;
  isDeleted: boolean;
}

/** Until the relay answers a question of administration, however often it falls meanwhile. */
const API_PATIENCE_MS = 90_000;
/** Longer than the relay takes to start. */
const ORDER_PATIENCE_MS = 20_000;
/** A request this old has been settled, or its answer was held back on purpose: longer than any fault is in force. */
const SETTLED_AFTER_MS = 12_000;

/** Of the simulator, for settings that a fault changes and an instance does not name. */
const INSTANCE_DEFAULTS: Json = {
  ...{ indexers: 1, cookies: false, balance: "request", now_offset_ms: 0, item_fault: null },
};

export class World {
  readonly relay = new RelayProcess();
  siem = new SimulatorClient("");
  readonly destinations: Live[] = [];
  /** When the Worker's clock was last ahead or behind. */
  clockWasOff: Excuse | null = null;
  #simulator: ChildProcess | null = null;
  /** Only one may start or end the relay at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  async open(): Promise<void> {
    process.env["SLUICE_FAULTS"] = "true"; // inherited by the relay's process
    const [url] = await Promise.all([this.#startSimulator(), this.relay.start()]);
    this.siem = new SimulatorClient(url);
  }

  async close(): Promise<void> {
    this.#simulator?.kill("SIGKILL");
    await this.relay.dispose();
  }

  #startSimulator(): Promise<string> {
    const child = spawn(process.execPath, ["--max-old-space-size=6000", "test/simulator/main.ts"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#simulator = child;
    process.once("exit", () => child.kill("SIGKILL"));
    return new Promise((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`The simulator ended with ${code}`)));
      child.stdout?.on("data", (bytes: Buffer) => {
        const url = /"url":"([^"]+)"/.exec(bytes.toString("utf8"))?.[1];
        if (url !== undefined) resolve(url);
      });
    });
  }

  async addTenant(name: string): Promise<Tenant> {
    const tenant = await this.call("POST", "/v1/tenants", { body: { name } });
    const id = String(tenant.body["id"]);
    const key = await this.call("POST", `/v1/tenants/${id}/keys`, { body: { name: "all", scopes: ["*"] } });
    return { id, key: String(key.body["key"]) };
  }

  async addDestination(tenant: Tenant, spec: Named): Promise<Live> {
    await this.#control("PUT", spec.name, spec.instance);
    const body = spec.settings(this.siem.endpoint(spec.name));
    const made = await this.call("POST", "/v1/audit/siem", { key: tenant.key, body });
    if (made.status !== 201) throw new Error(`${spec.name}: ${made.status} ${JSON.stringify(made.body)}`);
    const live: Live = {
      ...{ spec, tenant, id: String(made.body["id"]), excuses: [] },
      ...{ interrupted: 0, flushed: null, isDeleted: false },
    };
    this.destinations.push(live);
    return live;
  }

  /** Changes settings of the simulator's instance, until `restore`. */
  async configure({ name }: Named, change: object): Promise<void> {
    await this.#control("PATCH", name, change);
  }

  async restore({ name, instance }: Named, change: object): Promise<void> {
    const proper: Json = { ...INSTANCE_DEFAULTS, ...instance };
    await this.#control(
      "PATCH",
      name,
      Object.fromEntries(Object.keys(change).map((key) => [key, proper[key]])),
    );
  }

  async #control(method: string, name: string, body: object): Promise<void> {
    const answer = await fetch(`${this.siem.url}/_control/${name}`, { method, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`simulator: ${method} ${name}: ${answer.status} ${await answer.text()}`);
  }

  /** Asks the relay until it answers; a 5xx is no answer. */
  async call(method: string, path: string, options: { key?: string; body?: unknown } = {}): Promise<Answer> {
    const deadline = Date.now() + API_PATIENCE_MS;
    for (;;) {
      const answer = await this.relay.call(method, path, options).catch(() => null);
      if (answer !== null && answer.status < 500 && answer.status !== 401) return answer;
      if (Date.now() > deadline)
        throw new Error(`${method} ${path} was not answered: ${JSON.stringify(answer?.body ?? null)}`);
      await pause(300);
    }
  }

  /** One scrape. */
  async metrics(): Promise<string> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    return (await fetch(`${this.relay.url}/metrics`, { headers })).text();
  }

  async view({ id, tenant }: Live): Promise<Json> {
    return (await this.call("GET", `/v1/audit/siem/${id}`, { key: tenant.key })).body;
  }

  async patch({ id, tenant }: Live, body: Json): Promise<void> {
    const answer = await this.call("PATCH", `/v1/audit/siem/${id}`, { key: tenant.key, body });
    if (answer.status !== 200) throw new Error(`PATCH: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  // --- What falls -----------------------------------------------------------------------------------------

  /** Ends the relay in that way, and starts it again. @returns when it fell */
  fell(way: "kill" | "stop", downMs: number): Promise<number> {
    const turn = this.#turn.then(async () => {
      const at = Date.now();
      await this.relay[way]();
      await this.noteInterrupted(this.destinations, at);
      await pause(downMs);
      await this.#startAgain();
      return at;
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #startAgain(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.relay.start();
      } catch (error) {
        if (tries === 3) throw error;
        await this.relay.kill();
        await pause(1_000);
      }
    }
  }

  /** What was sent lately and may not have been settled: it will be sent again. */
  async noteInterrupted(fallen: readonly Live[], at: number): Promise<void> {
    for (const live of fallen) {
      if (live.isDeleted) continue;
      const requests = await this.siem.requests(live.spec.name, 1_000);
      for (const request of requests)
        if (request.at >= at - SETTLED_AFTER_MS) live.interrupted += request.events;
    }
  }

  /** An order to the local runtime to misbehave; waits for it where it is down. @returns whether it was heard */
  async order(
    path: "/evict" | "/abort" | "/clock" | "/next-batch" | "/queue",
    body?: object,
  ): Promise<boolean> {
    const heard = () => this.#hook(path, body).then(() => true);
    return eventually(() => heard().catch(() => false), ORDER_PATIENCE_MS).catch(() => false);
  }

  async queue(faults: Partial<QueueFaults>): Promise<boolean> {
    return this.order("/queue", faults);
  }

  async queueDepth(): Promise<{ readonly depth: number; readonly dead: number }> {
    return (await this.#hook("/queue")) as { depth: number; dead: number }; // written by `src/local/worker/queue.ts`
  }

  async #hook(path: string, body?: object): Promise<unknown> {
    const url = readFileSync(join(this.relay.stateDir, "faults.url"), "utf8");
    const answer = await fetch(
      url + path,
      body === undefined ? {} : { method: "POST", body: JSON.stringify(body) },
    );
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${text}`);
    return JSON.parse(text);
  }

  // --- The end of the faults ------------------------------------------------------------------------------

  /** Everything in working order again, and every lane told, because a change makes it try at once. */
  async mend(): Promise<void> {
    await this.#turn;
    await this.order("/clock", { ms: 0 });
    await this.queue({});
    for (const live of this.destinations) {
      await this.siem.recover(live.spec.name);
      if (!live.isDeleted) await this.patch(live, { enabled: true, name: `${live.spec.name}, mended` });
    }
  }

  /** Waits until nothing is under way. @returns whether that came about */
  async isQuiet(withinMs: number): Promise<boolean> {
    const quiet = async (): Promise<boolean> => {
      const { depth, dead } = await this.queueDepth();
      if (depth + dead > 0) return false;
      for (const live of this.destinations) {
        if (live.isDeleted) continue;
        const { backlog, status } = await this.view(live);
        if ((backlog as Json | null)?.["events"] !== 0 || status !== "active") return false;
      }
      return true;
    };
    return eventually(quiet, withinMs).catch(() => false);
  }
}
