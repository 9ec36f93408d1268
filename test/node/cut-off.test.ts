import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { describe, it } from "vitest";
import { bundle, WASM_MODULES } from "../../src/local/bundle.ts";
import { eventually } from "./support/relay.ts";
import { openWorld } from "./support/world.ts";

/*
 * Requests of an isolate send to the queue for one another, so a client that goes away may be the one that everybody else
 * waits for. Told from outside, because cutting a request off is the runtime's business.
 */

const TOKEN = "11111111-1111-4111-8111-111111111111";
const CLIENTS = 60;
const REQUESTS_EACH = 20;
/** Milliseconds from 0 until a connection is cut: before, while and after the relay sends to its queue. */
const CUT_WITHIN = 25;
/** Milliseconds after which those who wait for a leader give up (`PATIENCE`). */
const PATIENCE = 5_000;

const { relay, simulator, siem } = await openWorld();

/** Numbers from 0 to 1 that look random and are the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Outcomes {
  /** Ids whose sender was told that they were taken. */
  readonly taken: readonly string[];
  readonly refused: readonly string[];
  readonly cut: number;
  /** Milliseconds that the slowest of those took who stayed. */
  readonly slowest: number;
}

/**
 * Clients that send one event after the other; every third of them cuts each of its requests at some moment.
 *
 * @param send the status, null if it was cut off
 */
async function crowd(
  send: (id: string, cutAfter: number | null) => Promise<number | null>,
): Promise<Outcomes> {
  const taken: string[] = [];
  const refused: string[] = [];
  let [cut, slowest] = [0, 0];
  const client = async (number: number): Promise<void> => {
    const next = numbers(number + 1);
    const stays = number % 3 !== 0;
    for (let n = 0; n < REQUESTS_EACH; n += 1) {
      const id = `cut-${number}-${n}`;
      const startedAt = performance.now();
      const status = await send(id, stays ? null : next() * CUT_WITHIN);
      if (status === 202) taken.push(id);
      else if (status === null) cut += 1;
      else refused.push(`${id}: ${status}`);
      if (stays) slowest = Math.max(slowest, performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  return { taken, refused, cut, slowest };
}

async function splunk(name: string, key: string): Promise<void> {
  await siem.splunk(name, { tokens: [{ token: TOKEN }] });
  const endpoint = `${simulator.url}/${name}/services/collector`;
  const body = { provider: "splunk", endpoint, token: TOKEN };
  const made = await relay.call("POST", "/v1/audit/siem", { key, body });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
}

/** One event to the relay over a connection that may be cut. */
async function post(key: string, id: string, cutAfter: number | null): Promise<number | null> {
  const { signal, abort } = cutter();
  const sent = fetch(`${relay.url}/v1/audit/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ id, action: "user.login", actor_id: "u" }),
    signal,
  }).then(async (response) => {
    await response.arrayBuffer();
    return response.status;
  });
  if (cutAfter !== null) void pause(cutAfter).then(abort);
  return sent.catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
}

function cutter(): { readonly signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

describe("clients that cut their connections", () => {
  it("hold nobody up who stays, and take no accepted event with them", async ({ expect }) => {
    const { key } = await relay.tenant();
    await splunk("cut-off", key);
    const { taken, refused, cut, slowest } = await crowd((id, cutAfter) => post(key, id, cutAfter));
    expect(refused).toEqual([]);
    expect(cut).toBeGreaterThan(CLIENTS);
    expect(slowest).toBeLessThan(PATIENCE);
    const { ids } = await eventually(async () => {
      const found = await siem.events("cut-off");
      return taken.every((id) => Object.hasOwn(found.ids, id)) && found;
    });
    expect(taken.filter((id) => ids[id] !== 1)).toEqual([]);
  }, 120_000);
});

/** A send of its own takes some time; what it has carried is told. */
const SENDER = `
import { waitUntil } from "cloudflare:workers";
import { GroupCommit } from "./commit.mjs";
const commits = new GroupCommit({ sleep: (ms) => scheduler.wait(ms), keep: waitUntil });
let sends = 0;
const held = [];
export default {
  async fetch(request) {
    const id = new URL(request.url).searchParams.get("id");
    if (id === null) return Response.json({ sends, held });
    const text = new TextEncoder().encode(id);
    const lines = { text, ends: [text.byteLength], times: [0] };
    const isSent = await commits.produce({ tenantId: "ten_a", batchId: id, acceptedAt: 0, lines }, {
      async sendBatch(messages) {
        sends += 1;
        await scheduler.wait(10);
        for (const { body } of messages) held.push(...new TextDecoder().decode(body).match(/cut-\\d+-\\d+(?=","part")/g));
      },
    });
    return new Response(null, { status: isSent ? 202 : 503 });
  },
};`;

/** Cuts requests off as the platform does when a client goes; a server on a socket only notices when it answers. */
const FRONT = `
export default {
  async fetch({ url }, { SENDER }) {
    const cut = new URL(url).searchParams.get("cut");
    if (cut === null) return SENDER.fetch(url);
    const controller = new AbortController();
    const sent = SENDER.fetch(url, { signal: controller.signal }).then(
      ({ status }) => new Response(null, { status }),
      () => new Response(null, { status: 499 }),
    );
    await scheduler.wait(Number(cut));
    controller.abort();
    return sent;
  },
};`;

describe("requests that the platform cuts off", () => {
  it("hold nobody up who stays: the one whose turn it is to send for all sends", async ({ expect }) => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const commit = await bundle(join(root, "src/flow/queue/commit.ts"));
    const common = { compatibilityDate: "2026-11-01", compatibilityFlags: ["nodejs_compat"] };
    const warnings: string[] = [];
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        telemetry: { enabled: false },
        cf: false,
        handleStructuredLogs: ({ message }) => void warnings.push(message),
        workers: [
          {
            name: "front",
            modules: [{ type: "ESModule", path: "front.mjs", contents: FRONT }],
            serviceBindings: { SENDER: "sender" },
            unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
            ...common,
          },
          {
            name: "sender",
            modules: [
              { type: "ESModule", path: "sender.mjs", contents: SENDER },
              { type: "ESModule", path: "commit.mjs", contents: commit },
              ...WASM_MODULES,
            ],
            ...common,
          },
        ],
      }),
    );
    try {
      await miniflare.ready;
      const url = await miniflare.unsafeGetDirectURL("front");
      const { taken, refused, cut, slowest } = await crowd(async (id, cutAfter) => {
        const query = new URLSearchParams({ id, ...(cutAfter === null ? {} : { cut: String(cutAfter) }) });
        const { status } = await fetch(new URL(`/?${query}`, url));
        return status === 499 ? null : status;
      });
      const { sends, held } = (await (await fetch(url)).json()) as { sends: number; held: readonly string[] };
      expect(refused).toEqual([]);
      expect(cut).toBeGreaterThan(CLIENTS);
      expect(slowest).toBeLessThan(PATIENCE);
      expect(taken.filter((id) => !held.includes(id))).toEqual([]);
      expect(sends).toBeLessThan((taken.length + cut) / 3);
      expect(warnings).toEqual([]);
    } finally {
      await miniflare.dispose();
    }
  }, 120_000);
});
