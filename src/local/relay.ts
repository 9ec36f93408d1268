import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } from "wrangler";
import { bundle } from "./bundle.ts";

/** For `npm run prove` alone: the local runtime then obeys orders to misbehave, see `openFaultHook`. */
const faults = process.env["SLUICE_FAULTS"] === "true";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface RelayOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Everything that must survive a restart. */
  readonly stateDir: string;
  /** Variables and secrets on top of those in wrangler.toml. */
  readonly vars: Readonly<Record<string, string>>;
}

export interface RunningRelay {
  readonly url: string;
  stop(): Promise<void>;
}

/** What is used of wrangler's reading of wrangler.toml. */
interface WorkerOptions {
  readonly compatibilityDate: string;
  readonly compatibilityFlags: string[];
  readonly bindings: Record<string, string>;
  readonly d1Databases: Record<string, { id: string }>;
  readonly durableObjects: Record<string, { className: string; useSQLite: boolean }>;
  readonly queueConsumers: Record<string, Record<string, string | number>>;
  readonly cronTriggers: string[];
}

/** Starts the Worker of wrangler.toml on this machine, with a durable queue, and applies what is missing of the D1 migrations. */
export async function startRelay({ host, port, stateDir, vars }: RelayOptions): Promise<RunningRelay> {
  const wrangler = unstable_getMiniflareWorkerOptions(join(ROOT, "wrangler.toml"));
  const options = wrangler.workerOptions as unknown as WorkerOptions; // wrangler types it as an index of unknowns
  const [relay, queue] = await Promise.all([
    bundle(join(ROOT, "src/index.ts")),
    bundle(join(ROOT, "src/local/worker/queue.ts")),
  ]);
  const resourcePersistencePath = join(stateDir, "runtime");
  await migrate({ resourcePersistencePath, d1Databases: options.d1Databases });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.ERROR),
      resourcePersistencePath,
      telemetry: { enabled: false },
      cf: false,
      handleStructuredLogs: ({ message }) => process.stdout.write(`${message}\n`),
      workers: [
        {
          name: "sluice",
          modules: [
            ...(faults ? [{ type: "ESModule" as const, path: "faulty.mjs", contents: FAULTY_ENTRY }] : []),
            { type: "ESModule", path: "sluice.mjs", contents: relay },
          ],
          compatibilityDate: options.compatibilityDate,
          compatibilityFlags: options.compatibilityFlags,
          bindings: { ...options.bindings, ...vars },
          d1Databases: options.d1Databases,
          durableObjects: options.durableObjects,
          serviceBindings: { EVENTS: { name: "local-queue", entrypoint: "QueueProducer" } },
          // Straight to the Worker: Miniflare's own entry would cost two thirds of the throughput.
          unsafeDirectSockets: [{ host, port }],
        },
        {
          name: "local-queue",
          modules: [{ type: "ESModule", path: "queue.mjs", contents: queue }],
          compatibilityDate: options.compatibilityDate,
          compatibilityFlags: ["nodejs_compat", "service_binding_extra_handlers"],
          durableObjects: { QUEUES: { className: "DurableQueue", useSQLite: true } },
          serviceBindings: { RELAY: "sluice" },
          // Through JSON, because settings that wrangler.toml leaves out are there as `undefined`.
          bindings: {
            CONSUMERS: JSON.parse(JSON.stringify(options.queueConsumers)),
            PRODUCER_QUEUE: "sluice-events",
            ...(faults ? { FAULTS: "true" } : {}),
          },
        },
      ],
    }),
  );
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL("sluice");
  if (faults) await openFaultHook({ miniflare, relayUrl: url.origin, stateDir });
  return { url: url.origin, stop: () => miniflare.dispose() };
}

const RELAY_MODULE = "./sluice.mjs";
const CLOCK_PATH = "/_faults/clock";
const ABORT_PATH = "/_faults/abort";

/**
 * The Worker as it is, on a clock that can be set: everything that it asks the time is shifted, and alarms are shifted
 * back, because the runtime keeps its own time. Entry of the local relay with `SLUICE_FAULTS=true`, never otherwise.
 */
const FAULTY_ENTRY = `
import worker, { Lane as RealLane } from "${RELAY_MODULE}";
let shift = 0;
const RealDate = Date;
globalThis.Date = class Date extends RealDate {
  constructor(...given) { if (given.length === 0) super(RealDate.now() + shift); else super(...given); }
  static now() { return RealDate.now() + shift; }
};
let isPatched = false;
function patch(storage) {
  if (isPatched) return;
  isPatched = true;
  const prototype = Object.getPrototypeOf(storage);
  const { setAlarm, getAlarm } = prototype;
  prototype.setAlarm = function (at, options) { return setAlarm.call(this, Number(at) - shift, options); };
  prototype.getAlarm = async function (options) {
    const at = await getAlarm.call(this, options);
    return at === null ? null : at + shift;
  };
}
export class Lane extends RealLane {
  constructor(ctx, env) { patch(ctx.storage); super(ctx, env); }
  fall() { this.ctx.abort("A fault that was asked for"); }
}
export default {
  ...worker,
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "${CLOCK_PATH}") shift = Number(searchParams.get("ms"));
    else if (pathname === "${ABORT_PATH}") await env.LANES.getByName(searchParams.get("lane")).fall().catch(() => {});
    else return worker.fetch(request, env, ctx);
    return new Response(null, { status: 204 });
  },
};
`;

/**
 * A loopback port for orders to misbehave; its address is in the file `faults.url` of the state folder.
 *
 * `POST /queue` takes `QueueFaults`; `GET /queue` tells how much waits; `GET /next-batch` answers when the queue is about
 * to hand over a batch; `POST /evict` takes `{"lane"}` and sends that object out of memory once its requests are
 * answered, `POST /abort` at once; `POST /clock` takes `{"ms"}`, which the Worker's clock is ahead from then on.
 */
async function openFaultHook(hook: {
  readonly miniflare: Miniflare;
  readonly relayUrl: string;
  readonly stateDir: string;
}): Promise<void> {
  const { miniflare, relayUrl, stateDir } = hook;
  const queue = await miniflare.getWorker("local-queue");
  const acts: Readonly<Record<string, (order: string) => Promise<string>>> = {
    "POST /queue": async (body) =>
      (await queue.fetch("http://queue/misbehave", { method: "POST", body })).text(),
    "GET /queue": async () => (await queue.fetch("http://queue/")).text(),
    "GET /next-batch": async () => (await queue.fetch("http://queue/next-batch")).text(),
    "POST /evict": async (order) => {
      const { lane } = JSON.parse(order) as { lane: string }; // from `npm run prove` alone, like the next
      await miniflare.unsafeEvictDurableObject("sluice", "Lane", { name: lane });
      return "{}";
    },
    "POST /abort": async (order) => {
      const { lane } = JSON.parse(order) as { lane: string };
      await fetch(`${relayUrl}${ABORT_PATH}?lane=${encodeURIComponent(lane)}`);
      return "{}";
    },
    "POST /clock": async (order) => {
      const { ms } = JSON.parse(order) as { ms: number };
      await fetch(`${relayUrl}${CLOCK_PATH}?ms=${ms}`);
      return "{}";
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const act = acts[`${request.method} ${request.url}`];
    try {
      response.end(act === undefined ? "{}" : await act(Buffer.concat(chunks).toString("utf8")));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const { port } = server.address() as AddressInfo; // a server that listens on a port has an address of this form
  writeFileSync(join(stateDir, "faults.url"), `http://127.0.0.1:${port}`);
}

/**
 * Applies migrations in the order of their names, each once, and keeps score in the same table as wrangler does.
 * In a runtime of its own, so that the relay does not listen before its tables are there.
 */
async function migrate(storage: {
  readonly resourcePersistencePath: string;
  readonly d1Databases: WorkerOptions["d1Databases"];
}): Promise<void> {
  const script = "export default { fetch: () => new Response() }";
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...storage,
      log: new Log(LogLevel.ERROR),
      telemetry: { enabled: false },
      cf: false,
      workers: [{ name: "migrate", modules: true, script, d1Databases: storage.d1Databases }],
    }),
  );
  try {
    const db = await miniflare.getD1Database("DB", "migrate");
    await db.exec(
      "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY, name TEXT UNIQUE, applied_at TEXT)",
    );
    const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
    const applied = new Set(results.map(({ name }) => name));
    const folder = join(ROOT, "src/store/migrations");
    const missing = readdirSync(folder).filter((name) => name.endsWith(".sql") && !applied.has(name));
    for (const name of missing.sort()) {
      const statements = unstable_splitSqlQuery(readFileSync(join(folder, name), "utf8"));
      await db.batch([
        ...statements.map((statement) => db.prepare(statement)),
        db.prepare("INSERT INTO d1_migrations (name, applied_at) VALUES (?, datetime('now'))").bind(name),
      ]);
    }
  } finally {
    await miniflare.dispose();
  }
}
