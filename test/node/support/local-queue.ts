/**
 * The local queue with a consumer of the tests' own, as a process that can be killed.
 *
 *   node test/node/support/local-queue.ts <state folder>
 *
 * Prints the consumer's address. It sends what it is asked to, keeps a list of what it was handed, and does with a message
 * what the message's own text says: `retry <n> <seconds>` gives it back so many times.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "../../../src/local/bundle.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const QUEUE = "events";

/** Message: a number, a line break, its text, and as many spaces as it is to be long. */
const CONSUMER = `
let seen = [];
let held = null;
const decoder = new TextDecoder();
function message(number, text, bytes) {
  const body = new Uint8Array(Math.max(bytes, 40)).fill(32);
  new TextEncoder().encodeInto(number + "\\n" + text + "\\n", body);
  return { body, contentType: "bytes" };
}
const acts = {
  async send(env, { sends, bytes = 0 }) {
    await Promise.all(sends.map((texts) => env.EVENTS.sendBatch(texts.map(([number, text]) => message(number, text, bytes)))));
  },
  async sendText(env, { body }) {
    await env.EVENTS.sendBatch([{ body, contentType: "text" }]);
  },
  async flood(env, { from, count, bytes }) {
    for (let number = from; number < from + count; number += 2) {
      await env.EVENTS.sendBatch([message(number, "", bytes), message(number + 1, "", bytes)]);
    }
  },
  hold() {
    held = [];
  },
  /** What is held now; with "step" it goes on holding what comes next. */
  release(env, { step }) {
    for (const go of held ?? []) go();
    held = step === true ? [] : null;
  },
  seen: () => seen,
  status: async (env) => (await env.STATUS.fetch("http://queue/")).json(),
  slow: async (env, { ms }) => (await env.STATUS.fetch("http://queue/?slow=" + ms)).json(),
};
export default {
  async fetch(request, env) {
    const act = acts[new URL(request.url).pathname.slice(1)];
    try {
      return Response.json((await act(env, await request.json())) ?? {});
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
  async queue({ queue, messages }) {
    // The timer keeps the runtime from taking this for a handler that hangs.
    if (held !== null) await Promise.race([new Promise((go) => held.push(go)), scheduler.wait(60_000)]);
    for (const { id, body, attempts, timestamp, ack, retry } of messages) {
      const bytes = typeof body === "string" ? null : new Uint8Array(body);
      const [number, text = ""] = bytes === null ? ["0", body] : decoder.decode(bytes).split("\\n");
      seen.push({ id, queue, number: Number(number), text, attempts, at: Date.now(), sentAt: timestamp.getTime(), bytes: bytes?.byteLength ?? null });
      const [act, times, seconds] = text.split(" ");
      if (act === "retry" && attempts <= Number(times)) messages.find((one) => one.id === id).retry({ delaySeconds: Number(seconds) });
      else messages.find((one) => one.id === id).ack();
    }
  },
};`;

/** Tells, beside what the queue does, how many turns of its loop have written something; `slow` is how much longer it waits. */
const COUNTED = `
import { DurableQueue as RealQueue } from "./queue.mjs";
export { QueueProducer } from "./queue.mjs";
let turns = 0;
let isOpen = false;
let slow = 0;
const wait = scheduler.wait.bind(scheduler);
scheduler.wait = (ms) => wait(ms + slow);
export class DurableQueue extends RealQueue {
  constructor(ctx, env) {
    const prototype = Object.getPrototypeOf(ctx.storage.sql);
    const { exec } = prototype;
    if (!exec.isCounted) {
      prototype.exec = function (text, ...given) {
        if (text.startsWith("INSERT") && !isOpen) {
          turns += 1;
          isOpen = true;
          queueMicrotask(() => { isOpen = false; });
        }
        return exec.call(this, text, ...given);
      };
      prototype.exec.isCounted = true;
    }
    super(ctx, env);
  }
  async turns() { return turns; }
}
export default {
  async fetch(request, env) {
    slow = Number(new URL(request.url).searchParams.get("slow") ?? slow);
    const queue = env.QUEUES.getByName(env.PRODUCER_QUEUE);
    const dead = env.QUEUES.getByName(env.PRODUCER_QUEUE + "-dead");
    return Response.json({ depth: await queue.depth(), dead: await dead.depth(), turns: await queue.turns() });
  },
};`;

const common = { compatibilityDate: "2026-11-01", compatibilityFlags: ["nodejs_compat"] };
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    log: new Log(LogLevel.ERROR),
    telemetry: { enabled: false },
    cf: false,
    resourcePersistencePath: process.argv[2] ?? "",
    workers: [
      {
        name: "consumer",
        modules: [{ type: "ESModule", path: "consumer.mjs", contents: CONSUMER }],
        serviceBindings: { EVENTS: { name: "queue", entrypoint: "QueueProducer" }, STATUS: "queue" },
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        ...common,
      },
      {
        name: "queue",
        modules: [
          { type: "ESModule", path: "counted.mjs", contents: COUNTED },
          {
            type: "ESModule",
            path: "queue.mjs",
            contents: await bundle(join(ROOT, "src/local/worker/queue.ts")),
          },
        ],
        ...common,
        compatibilityFlags: ["nodejs_compat", "service_binding_extra_handlers"],
        durableObjects: { QUEUES: { className: "DurableQueue", useSQLite: true } },
        serviceBindings: { RELAY: "consumer" },
        bindings: {
          CONSUMERS: {
            [QUEUE]: {
              ...{ maxBatchSize: 10, maxBatchTimeout: 0.1, maxRetries: 2 },
              deadLetterQueue: `${QUEUE}-dead`,
            },
          },
          PRODUCER_QUEUE: QUEUE,
        },
      },
    ],
  }),
);
await miniflare.ready;
const { origin } = await miniflare.unsafeGetDirectURL("consumer");
console.log(`ready at ${origin}`);
