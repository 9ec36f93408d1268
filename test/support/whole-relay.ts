import {
  createExecutionContext,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { gunzipSync } from "node:zlib";
import type { DurationMs, EpochMs } from "../../src/base/clock.ts";
import worker from "../../src/index.ts";
import type { Lane } from "../../src/lane.ts";
import type { BatchPart, LaneReport, Taken } from "../../src/model/lane.ts";

/** Anything that comes back as JSON. */
export type Json = Record<string, unknown>;

/** One request of the relay to a destination. */
export interface Call {
  readonly at: EpochMs;
  readonly path: string;
  readonly headers: Headers;
  /** Decompressed. */
  readonly body: string;
  /** Of the events in it, in order. */
  readonly ids: readonly string[];
}

/** What a destination does with a request. A promise that never resolves is one that hangs. */
export type Behaviour = (call: Call) => Response | Promise<Response>;

/** The world outside: destinations by host, and every request that they got. */
export class Outside {
  /** The relay's clock, where a test moves it. */
  now: EpochMs = Date.now();
  readonly #hosts = new Map<string, { behaviour: Behaviour; readonly calls: Call[] }>();

  /** @returns what the host was asked, which grows */
  host(name: string, behaviour: Behaviour): readonly Call[] {
    const calls = this.#hosts.get(name)?.calls ?? [];
    this.#hosts.set(name, { behaviour, calls });
    return calls;
  }

  readonly fetch = async (input: string, init?: RequestInit): Promise<Response> => {
    const url = new URL(input);
    const host = this.#hosts.get(url.host);
    if (host === undefined) return new Response(null, { status: 503 }); // of an earlier test
    const headers = new Headers(init?.headers);
    const sent = init?.body instanceof Uint8Array ? init.body : new Uint8Array();
    const plain = headers.get("content-encoding") === "gzip" ? gunzipSync(sent) : sent;
    const body = new TextDecoder().decode(plain);
    const ids = [...new Set([...body.matchAll(/"id\\?":\\?"(evt-[^"\\]+)/g)].map(([, id = ""]) => id))];
    const call = { at: this.now, path: url.pathname, headers, body, ids };
    host.calls.push(call);
    return host.behaviour(call);
  };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Empty where the answer is no JSON object. */
  readonly body: Json;
}

/** The relay in this runtime, from its front door on: the API, the queue and the lanes are the real ones. */
export class WholeRelay {
  readonly #key: string;
  readonly tenantId: string;

  private constructor(tenantId: string, key: string) {
    this.tenantId = tenantId;
    this.#key = key;
  }

  static async withTenant(): Promise<WholeRelay> {
    const tenant = await ask(env.ADMIN_TOKEN, "POST", "/v1/tenants", { name: "Acme" });
    const tenantId = String(tenant.body["id"]);
    const made = await ask(env.ADMIN_TOKEN, "POST", `/v1/tenants/${tenantId}/keys`, {
      name: "all",
      scopes: ["*"],
    });
    return new WholeRelay(tenantId, String(made.body["key"]));
  }

  call(method: string, path: string, body?: unknown): Promise<Answer> {
    return ask(this.#key, method, path, body);
  }

  /** @returns the destination's id */
  async connect(settings: Json): Promise<string> {
    const { status, body } = await this.call("POST", "/v1/audit/siem", settings);
    if (status !== 201) throw new Error(JSON.stringify(body));
    return String(body["id"]);
  }

  /** Sends events with these ids. @returns the batch's id */
  async send(ids: readonly string[], more: Json = {}): Promise<string> {
    const events = ids.map((id) => ({ id, action: "user.login", actor_id: "u1", ...more }));
    const { status, body } = await this.call("POST", "/v1/audit/events", { events });
    if (status !== 202) throw new Error(JSON.stringify(body));
    return String(body["batch_id"]);
  }

  async destination(id: string): Promise<Json> {
    return (await this.call("GET", `/v1/audit/siem/${id}`)).body;
  }

  async deadLetters(id: string): Promise<readonly Json[]> {
    return (await this.call("GET", `/v1/audit/siem/${id}/dead-letters`)).body["data"] as Json[];
  }

  async deliveries(id: string): Promise<readonly Json[]> {
    return (await this.call("GET", `/v1/audit/siem/${id}/deliveries`)).body["data"] as Json[];
  }

  /** What became of a batch at a destination. */
  async fate(batchId: string, destinationId: string): Promise<Json> {
    const { body } = await this.call("GET", `/v1/audit/batches/${batchId}`);
    const all = (body["destinations"] ?? []) as Json[];
    return all.find(({ destination_id: id }) => id === destinationId) ?? {};
  }

  /** Gives a lane parts directly, past the queue. */
  async submit(id: string, ...parts: readonly BatchPart[]): Promise<Taken> {
    const taken = await this.#lane(id).submit({
      ...{ tenantId: this.tenantId, destinationId: id, revision: 0, parts },
    });
    await settled();
    return taken;
  }

  report(id: string): Promise<LaneReport> {
    return this.#lane(id).report();
  }

  /** Memory gone, storage kept. */
  evict(id: string): Promise<void> {
    return evictDurableObject(this.#lane(id));
  }

  /** When the lane of a destination will wake. */
  alarm(id: string): Promise<EpochMs | null> {
    return runInDurableObject(this.#lane(id), (_, { storage }) => storage.getAlarm());
  }

  /** Moves the clock to the lane's next alarm, at most to `until`, and lets it wake. @returns whether it did */
  async wake(id: string, outside: Outside, until: EpochMs): Promise<boolean> {
    const at = await this.alarm(id);
    if (at === null || at > until) {
      outside.now = Math.max(outside.now, until);
      return false;
    }
    outside.now = Math.max(outside.now, at);
    await runDurableObjectAlarm(this.#lane(id));
    await settled();
    return true;
  }

  /** Lets time go by for the lane of a destination, alarm after alarm. */
  async pass(id: string, outside: Outside, time: DurationMs): Promise<void> {
    const until = outside.now + time;
    while (await this.wake(id, outside, until));
  }

  #lane(id: string): DurableObjectStub<Lane> {
    return env.LANES.getByName(`${this.tenantId}/${id}`);
  }
}

/** Until what has begun has come to rest: nothing outside takes time unless a test says so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await scheduler.wait(1);
}

/** Waits for something that comes by itself. */
export async function eventually<T>(what: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (let tries = 0; tries < 800; tries += 1) {
    const found = await what();
    if (found) return found;
    await scheduler.wait(10);
  }
  throw new Error("It did not come");
}

/** What the operator reads. */
export function operator(path: string): Promise<Answer> {
  return ask(env.ADMIN_TOKEN, "GET", path);
}

async function ask(key: string | undefined, method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const request = new Request<unknown, IncomingRequestCfProperties>(`https://relay.example.net${path}`, {
    ...{ method, headers, ...init },
  });
  const response = await worker.fetch(request, env, createExecutionContext());
  const text = await response.text();
  return { status: response.status, text, body: text.startsWith("{") ? (JSON.parse(text) as Json) : {} };
}
