import { env } from "cloudflare:workers";
import { afterEach, describe, it, vi } from "vitest";
import { utf8 } from "../src/base/bytes.ts";
import { spread } from "../src/base/spread.ts";
import worker from "../src/index.ts";
import { MAX_QUEUES, queuesOf } from "../src/queues.ts";
import { apiDeps } from "../src/wire.ts";
import { eventually, Outside, WholeRelay } from "./support/whole-relay.ts";

/** A queue that keeps what it is given until it is delivered. */
class Recorder {
  readonly bodies: unknown[] = [];

  readonly queue = {
    sendBatch: async (messages: readonly { readonly body: unknown }[]): Promise<void> => {
      this.bodies.push(...messages.map(({ body }) => body));
    },
  } as unknown as Queue; // what the relay uses of one

  /** All of it in one delivery. @returns how many messages were acknowledged */
  async deliver(name: string): Promise<number> {
    let acked = 0;
    const messages = this.bodies.map((body, index) => ({
      ...{ id: `${name}-${index}`, timestamp: new Date(), body, attempts: 1, retry: () => undefined },
      ack: () => {
        acked += 1;
      },
    }));
    const batch = { queue: name, messages, ackAll: () => undefined, retryAll: () => undefined };
    await worker.queue(batch as unknown as MessageBatch, env);
    return acked;
  }
}

function withQueues(count: number): { readonly env: Env; readonly recorders: readonly Recorder[] } {
  const recorders = Array.from({ length: count }, () => new Recorder());
  const bound = recorders.map(({ queue }, index) => [index === 0 ? "EVENTS" : `EVENTS_${index + 1}`, queue]);
  return { env: { ...env, ...Object.fromEntries(bound) }, recorders };
}

/** Accepts one request of events with these ids over the deployment's queues. @returns its batch id */
async function send(
  on: Env,
  tenantId: string,
  { ids, key, pad = "" }: { ids: string[]; key: string; pad?: string },
) {
  const events = ids.map((id) => ({ id, action: "user.login", actor_id: "u", metadata: { pad } }));
  const sent = await apiDeps(on, "https://relay.example.com").ingest({
    ...{ tenantId, keyId: "key_1", signingSecret: null, onInvalid: "refuse" },
    headers: new Headers({ "content-type": "application/json", "idempotency-key": key }),
    body: new Blob([utf8(JSON.stringify({ events }))]).stream(),
  });
  if (!sent.ok) throw new Error(sent.error.detail);
  return sent.value.batchId;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("the queues of a deployment", () => {
  it("are one where one is bound, and as many as are bound, up to eight", ({ expect }) => {
    expect(queuesOf(env)).toHaveLength(1);
    for (const count of [1, 2, MAX_QUEUES]) expect(queuesOf(withQueues(count).env)).toHaveLength(count);
    expect(queuesOf(withQueues(MAX_QUEUES + 1).env)).toHaveLength(MAX_QUEUES);
  });

  it("get whole requests, each its share, and a repeat where its first was", async ({ expect }) => {
    const { env: four, recorders } = withQueues(4);
    const held = () => recorders.map(({ bodies }) => bodies.length);
    const ids = Array.from({ length: 150 }, (_, n) => `evt-${n}`);
    // Forty at random over four: that one gets none happens once in 25,000 runs.
    for (let n = 0; n < 80; n += 1) {
      const key = `request-${Math.floor(n / 2)}`; // every request twice
      const before = held();
      const batchId = await send(four, "ten_a", { ids, key, pad: "x".repeat(1_000) });
      const grown = held().flatMap((count, queue) => (count > (before[queue] ?? 0) ? [queue] : []));
      expect(grown).toEqual([spread(batchId, 4)]);
    }
    expect(held()).not.toContain(0);
  });

  it("are all consumed, whatever their names, and a batch that came through both is taken once", async ({
    expect,
  }) => {
    const outside = new Outside();
    vi.stubGlobal("fetch", outside.fetch);
    const calls = outside.host("queues.example.com", () => Response.json({ text: "Success", code: 0 }));
    const relay = await WholeRelay.withTenant();
    await relay.connect({
      ...{ provider: "splunk", endpoint: "https://queues.example.com", token: "your-hec-token" },
      routes: [{ match: "user.*" }],
    });
    const { env: two, recorders } = withQueues(2);
    const ids = Array.from({ length: 12 }, (_, n) => `evt-${n}`);
    for (const id of ids) await send(two, relay.tenantId, { ids: [id], key: id });
    const [first, second] = recorders;
    expect(first?.bodies.length).toBeGreaterThan(0);
    expect(second?.bodies.length).toBeGreaterThan(0);
    second?.bodies.push(...(first?.bodies ?? []));
    expect(await first?.deliver("sluice-events")).toBe(first?.bodies.length);
    expect(await second?.deliver("sluice-events-2-eu")).toBe(12);
    await eventually(() => calls.flatMap((call) => call.ids).length >= 12);
    expect(calls.flatMap((call) => call.ids).sort()).toEqual([...ids].sort());
  });
});
