/**
 * Prints what sealing, unsealing and signing cost in the runtime, in microseconds of processor time.
 *
 *   node src/local/bootstrap.mjs test/bench/vault.ts
 */
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "../../src/local/bundle.ts";
import { cpuSeconds, ROOT, runtimeOf } from "./processes.ts";

/** Enough for the compiler to have done its work, and for the clock's ticks of 10 ms not to matter. */
const WARM_UP = 100;
const SECONDS = 2;
const RUNS = 3;

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    log: new Log(LogLevel.ERROR),
    telemetry: { enabled: false },
    cf: false,
    workers: [
      {
        name: "vault",
        modules: [
          {
            type: "ESModule",
            path: "vault.mjs",
            contents: await bundle(join(ROOT, "test/bench/worker/vault.ts")),
          },
        ],
        compatibilityDate: "2026-11-01",
        compatibilityFlags: ["nodejs_compat"],
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  }),
);
await miniflare.ready;
const url = await miniflare.unsafeGetDirectURL("vault");
const runtime = runtimeOf(process.pid);

function ask(work: string, times: number): Promise<Response> {
  const asked = new URL(url);
  asked.searchParams.set("work", work);
  asked.searchParams.set("times", String(times));
  return fetch(asked);
}

/** @returns microseconds of processor time for each */
async function measure(work: string): Promise<number> {
  const startedAt = performance.now();
  await ask(work, WARM_UP);
  const times = Math.max(
    10,
    Math.ceil((WARM_UP * SECONDS * 1_000) / Math.max(1, performance.now() - startedAt)),
  );
  const before = cpuSeconds(runtime) ?? Number.NaN;
  await ask(work, times);
  return (((cpuSeconds(runtime) ?? Number.NaN) - before) / times) * 1_000_000;
}

const kinds = (await (await fetch(url)).json()) as string[]; // the list that the Worker answers with
for (const work of kinds) {
  const runs: number[] = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await measure(work));
  const sorted = runs.toSorted((a, b) => a - b);
  console.log(
    `${work.padEnd(24)} ${Math.round(sorted[1] ?? Number.NaN)} µs  (${sorted.map(Math.round).join(", ")})`,
  );
}
await miniflare.dispose();
