import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } from "wrangler";
import { bundle, WASM_MODULES } from "./bundle.ts";
import { buildConsole, consoleFile } from "./console.ts";
import { FAULTY_ENTRY, hasFaults, openFaultHook } from "./faults.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** How often the Worker's schedule runs; the platform's cron of wrangler.toml says the same. */
const SCHEDULE_MS = 5 * 60_000;
/**
 * In megabytes: V8 collects an isolate's old objects for the first time when there are so many. It would wait for some 30,
 * which takes the isolates around the relay (the local queue, Miniflare's own) minutes in which their dead objects hold
 * native memory as well; once it has collected, it knows how few are alive. Of this machine alone: the platform has no flags.
 */
const V8_FLAGS = "--initial-old-space-size=4";
/** What the runtime says of any such flag, once for each of its programs: they are compiled anew, which takes 0.1 s. */
const SAID_OF_FLAGS = "NOSENTRY per-isolate bootstrap compile cache";

export interface RelayOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Everything that must survive a restart. */
  readonly stateDir: string;
  /** Variables and secrets on top of those in wrangler.toml. */
  readonly vars: Readonly<Record<string, string>>;
  /** Another configuration than the repository's `wrangler.toml`. */
  readonly config?: string;
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
  readonly queueProducers: Record<string, { queueName: string }>;
  readonly queueConsumers: Record<string, Record<string, string | number>>;
}

/** Starts the Worker of wrangler.toml on this machine, with a durable queue, and applies what is missing of the D1 migrations. */
export async function startRelay({
  host,
  port,
  stateDir,
  vars,
  config = join(ROOT, "wrangler.toml"),
}: RelayOptions): Promise<RunningRelay> {
  const wrangler = unstable_getMiniflareWorkerOptions(config);
  const options = wrangler.workerOptions as unknown as WorkerOptions; // wrangler types it as an index of unknowns
  const queues = Object.entries(options.queueProducers).map(([binding, { queueName }]) => ({
    binding,
    queueName,
    name: binding === "EVENTS" ? "local-queue" : `local-queue-${binding.toLowerCase()}`,
  }));
  const [relay, queue] = await Promise.all([
    bundle(join(ROOT, "src/index.ts")),
    bundle(join(ROOT, "src/local/worker/queue.ts")),
    buildConsole(),
  ]);
  const resourcePersistencePath = join(stateDir, "runtime");
  await migrate({ resourcePersistencePath, d1Databases: options.d1Databases });
  process.env["MINIFLARE_WORKERD_V8_FLAGS"] ??= V8_FLAGS; // Miniflare's only way to hand them on
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.ERROR),
      resourcePersistencePath,
      telemetry: { enabled: false },
      cf: false,
      handleStructuredLogs: ({ message }) => {
        if (!message.startsWith(SAID_OF_FLAGS)) process.stdout.write(`${message}\n`);
      },
      workers: [
        {
          name: "sluice",
          modules: [
            ...(hasFaults ? [{ type: "ESModule" as const, path: "faulty.mjs", contents: FAULTY_ENTRY }] : []),
            { type: "ESModule", path: "sluice.mjs", contents: relay },
            ...WASM_MODULES,
          ],
          compatibilityDate: options.compatibilityDate,
          compatibilityFlags: options.compatibilityFlags,
          bindings: { ...options.bindings, ...vars },
          d1Databases: options.d1Databases,
          durableObjects: options.durableObjects,
          serviceBindings: {
            ...Object.fromEntries(
              queues.map(({ binding, name }) => [binding, { name, entrypoint: "QueueProducer" }]),
            ),
            ASSETS: consoleFile,
          },
          // Straight to the Worker: Miniflare's own entry would cost two thirds of the throughput.
          unsafeDirectSockets: [{ host, port }],
        },
        // One for each queue that is bound, with storage of its own.
        ...queues.map(({ name, queueName }) => ({
          name,
          modules: [{ type: "ESModule" as const, path: "queue.mjs", contents: queue }],
          compatibilityDate: options.compatibilityDate,
          compatibilityFlags: ["nodejs_compat", "service_binding_extra_handlers"],
          durableObjects: { QUEUES: { className: "DurableQueue", useSQLite: true } },
          serviceBindings: { RELAY: "sluice" },
          // Through JSON, because settings that wrangler.toml leaves out are there as `undefined`.
          bindings: {
            CONSUMERS: JSON.parse(JSON.stringify(options.queueConsumers)),
            PRODUCER_QUEUE: queueName,
            ...(hasFaults ? { FAULTS: "true" } : {}),
          },
        })),
      ],
    }),
  );
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL("sluice");
  if (hasFaults) await openFaultHook({ miniflare, relayUrl: url.origin, stateDir });
  const worker = await miniflare.getWorker("sluice");
  // A run that fails is over with the next one, as on the platform.
  const runSchedule = (): void => void worker.scheduled({}).catch(() => undefined);
  runSchedule(); // what an earlier start left undone need not wait
  const schedule = setInterval(runSchedule, SCHEDULE_MS);
  const stop = (): Promise<void> => {
    clearInterval(schedule);
    return miniflare.dispose();
  };
  return { url: url.origin, stop };
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
