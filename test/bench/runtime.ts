/**
 * Runs one Worker in Miniflare the way `src/local/relay.ts` runs the relay: `floor`, `counted` or `relay` (for the profiler).
 *
 *   node test/bench/runtime.ts --worker counted --state-dir <folder>
 *
 * Prints one JSON line when it is ready: the Worker's address and the inspector's.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { beside, bundle, WASM_MODULES } from "../../src/local/bundle.ts";
import { startRelay } from "../../src/local/relay.ts";
import { localSecrets } from "../../src/local/secrets.ts";
import { ROOT } from "./processes.ts";

const { values } = parseArgs({
  options: {
    worker: { type: "string", default: "floor" },
    "state-dir": { type: "string", default: "" },
    inspect: { type: "boolean", default: false },
  },
});

type WorkerSettings = Parameters<typeof convertV4MiniflareOptions>[0];

const shared = {
  log: new Log(LogLevel.ERROR),
  telemetry: { enabled: false },
  cf: false,
  handleStructuredLogs: ({ message }: { message: string }) => void process.stderr.write(`${message}\n`),
  ...(values.inspect ? { inspectorPort: 0 } : {}),
} as const;
const address = { host: "127.0.0.1", port: 0 };

const miniflare = new Miniflare(convertV4MiniflareOptions(await settings()));
await miniflare.ready;
const url = await miniflare.unsafeGetDirectURL("sluice");
const inspector = values.inspect ? await miniflare.getInspectorURL() : null;
console.log(JSON.stringify({ url: url.origin, inspector: inspector?.href ?? null }));

async function stop(): Promise<void> {
  await miniflare.dispose();
  process.exit(0);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());
process.once("disconnect", () => void stop());

async function settings(): Promise<WorkerSettings> {
  return values.worker === "floor" ? floorSettings() : relaySettings(values.worker, values["state-dir"]);
}

async function floorSettings(): Promise<WorkerSettings> {
  const contents = await bundle(join(ROOT, "test/bench/worker/floor.ts"));
  const modules = [{ type: "ESModule", path: "floor.mjs", contents }] as const;
  const worker = { name: "sluice", modules: [...modules], compatibilityDate: "2026-11-01" };
  return { ...shared, workers: [{ ...worker, unsafeDirectSockets: [address] }] };
}

/** The settings of `src/local/relay.ts` with another entry. */
async function relaySettings(worker: string, stateDir: string): Promise<WorkerSettings> {
  const secrets = localSecrets(stateDir);
  const adminToken = process.env["ADMIN_TOKEN"] || secrets.ADMIN_TOKEN;
  const vars = {
    ...secrets,
    ADMIN_TOKEN: adminToken,
    ALLOW_INSECURE_DESTINATIONS: "true",
    LOG_LEVEL: worker === "counted" ? "info" : "error", // its lines are counted, not written
  };
  // Once as usual and without load, because this also makes the tables.
  const tables = await startRelay({ ...address, stateDir, vars });
  await tables.stop();
  const wrangler = unstable_getMiniflareWorkerOptions(join(ROOT, "wrangler.toml"));
  const options = wrangler.workerOptions as unknown as {
    compatibilityDate: string;
    compatibilityFlags: string[];
    bindings: Record<string, string>;
    d1Databases: Record<string, { id: string }>;
    durableObjects: Record<string, { className: string; useSQLite: boolean }>;
    queueConsumers: Record<string, unknown>;
  }; // as in src/local/relay.ts
  const queue = await bundle(join(ROOT, "src/local/worker/queue.ts"));
  return {
    ...shared,
    resourcePersistencePath: join(stateDir, "runtime"),
    workers: [
      {
        name: "sluice",
        modules: [{ type: "ESModule", path: "sluice.mjs", contents: await bundled(worker) }, ...WASM_MODULES],
        compatibilityDate: options.compatibilityDate,
        compatibilityFlags: options.compatibilityFlags,
        bindings: { ...options.bindings, ...vars },
        d1Databases: options.d1Databases,
        durableObjects: options.durableObjects,
        serviceBindings: { EVENTS: { name: "local-queue", entrypoint: "QueueProducer" } },
        unsafeDirectSockets: [address],
      },
      {
        name: "local-queue",
        modules: [{ type: "ESModule", path: "queue.mjs", contents: queue }],
        compatibilityDate: options.compatibilityDate,
        compatibilityFlags: ["nodejs_compat", "service_binding_extra_handlers"],
        durableObjects: { QUEUES: { className: "DurableQueue", useSQLite: true } },
        serviceBindings: { RELAY: "sluice" },
        bindings: {
          CONSUMERS: JSON.parse(JSON.stringify(options.queueConsumers)),
          PRODUCER_QUEUE: "sluice-events",
        },
      },
    ],
  };
}

async function bundled(worker: string): Promise<string> {
  const entry = join(ROOT, "src/index.ts");
  if (worker !== "counted") return bundle(entry);
  const result = await build({
    entryPoints: [join(ROOT, "test/bench/worker/counted.ts")],
    alias: { "relay:entry": entry },
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    plugins: [beside],
    write: false,
    logLevel: "silent",
  });
  return result.outputFiles[0]?.text ?? "";
}
