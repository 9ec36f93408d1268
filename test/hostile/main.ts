/**
 * `npm run hostile`: a relay as its own process, and two hundred thousand requests that nobody should send.
 *
 *   npm run hostile -- [--requests 200000] [--seed 1] [--route "POST /v1/keys"] [--heavy 0.004] [--only 4711] [--heap]
 *
 * Ends with 1 when an answer was wrong, the relay is not as well as before, or took more memory than it may.
 */
import { parseArgs } from "node:util";
import { RelayProcess } from "../node/support/relay.ts";
import { InspectedRelay } from "./heap.ts";
import { KNOWN_FAILURES } from "./known-failures.ts";
import { HEAVY_SHARE } from "./make.ts";
import { limitHeaps } from "./memory.ts";
import { showCounts } from "./report.ts";
import { run } from "./run.ts";
import { setScene } from "./scene.ts";
import { startSink } from "./sink.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "200000" },
    seed: { type: "string", default: "1" },
    /** Of the bodies, how many may have megabytes; 1 is a test of memory. */
    heavy: { type: "string", default: String(HEAVY_SHARE) },
    route: { type: "string", default: "" },
    /** What each isolate may have; less shows that the limit is one. */
    "heap-megabytes": { type: "string", default: "128" },
    /** Looks into the isolates after each round, through the inspector. */
    heap: { type: "boolean", default: false },
    /** The number of one shot, to see it alone. */
    only: { type: "string" },
  },
});
const seed = number(values.seed);
const only = values.only === undefined ? null : number(values.only);

limitHeaps(number(values["heap-megabytes"]));
const relay = values.heap ? new InspectedRelay() : new RelayProcess();
const sink = await startSink();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void relay.dispose().then(() => process.exit(130)));
}
try {
  await relay.start();
  const scene = await setScene(relay, sink);
  const outcome = await run(relay, sink, scene, {
    seed,
    route: values.route,
    heavyShare: Number(values.heavy),
    requests: only === null ? number(values.requests) : 1,
    from: only ?? 0,
    round: values.heap || values.heavy !== String(HEAVY_SHARE) ? 500 : 8_000,
    log: (line) => console.log(line),
    look: relay instanceof InspectedRelay ? () => look(relay) : undefined,
  });
  const { tally, troubles, resident, known, seconds } = outcome;
  console.log(showCounts("\nRequests by route", tally.byRoute));
  console.log(showCounts("\nRequests by kind", tally.byKind));
  console.log(showCounts("\nAnswers by status", tally.byStatus));
  console.log(`
${tally.sent} requests in ${seconds.toFixed(0)} s (${(tally.sent / seconds).toFixed(0)} a second), seed ${seed}
${tally.cutOff} large bodies were cut off before their end, with the answer lost on the way
Slowest answer: ${tally.slowest.milliseconds.toFixed(0)} ms, ${tally.slowest.route}, ${tally.slowest.kind}
Memory of the whole runtime: ${shown(resident.first)} at first, ${shown(resident.last)} at the end, ${shown(resident.peak)} at most
${sink.requests()} deliveries reached the sink`);
  for (const trouble of troubles) console.log(`✗ ${trouble}`);
  for (const { complaint, shot, count } of tally.failures.values()) {
    console.log(`✗ ${count}× ${shot.route}, ${shot.kind}: ${complaint} (--only ${shot.index})`);
  }
  const isWell = troubles.length === 0 && tally.failures.size === 0;
  for (const { what } of KNOWN_FAILURES) console.log(`Known and not mended: ${what}`);
  const but = known > 0 ? ` but ${known} cases of what is known` : "";
  console.log(isWell ? `\nNothing was wrong${but}.` : "\nSomething was wrong.");
  process.exitCode = isWell ? 0 : 1;
} finally {
  await relay.dispose();
  await sink.close();
}

async function look(inspected: InspectedRelay): Promise<string> {
  const heaps = await inspected.heaps();
  const texts = heaps.map(({ isolate, used, kept, buffers }) => {
    const numbers = [used, kept, buffers].map((each) => each.toFixed(1));
    return `${isolate}: ${numbers[0]} MB used, ${numbers[1]} kept, ${numbers[2]} in buffers`;
  });
  return texts.join("; ");
}

function shown(megabytes: number | null): string {
  return megabytes === null ? "?" : `${Math.round(megabytes)} MB`;
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`Expected a number, got ${text}`);
  process.exit(2);
}
