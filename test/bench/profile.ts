import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../../src/local/bundle.ts";
import type { Case } from "./cases.ts";
import type { LoadJob, LoadResult } from "./load/job.ts";
import type { Bench } from "./measure.ts";
import { ROOT } from "./processes.ts";
import { makeTenant, startSpecialRelay } from "./relay.ts";
import { type CallFrame, frameNamer } from "./source-names.ts";

/** A CPU profile as the inspector gives it. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly children?: readonly number[];
    readonly callFrame: CallFrame;
  }[];
  readonly samples: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  /** Of the time in which the isolate was at work. */
  readonly share: number;
  /** With everything that it called. */
  readonly whole: number;
}

export interface Profile {
  readonly isolate: string;
  /** In which it was at work. */
  readonly samples: number;
  readonly top: readonly SelfTime[];
}

const TOP = 40;
const WARM_UP_SECONDS = 3;
const SAMPLING_MICROSECONDS = 200;

/** Profiles both isolates, the relay's and the local queue's, under the load of a case. */
export async function profile(
  bench: Bench,
  which: Case,
  options: { readonly seconds: number; readonly folder: string },
): Promise<readonly Profile[]> {
  const relay = await startSpecialRelay("relay", ["--inspect"]);
  try {
    const tenant = await makeTenant(relay, bench.simulatorUrl, which);
    const { url, headers, signingSecret } = tenant;
    const { shape, connections } = which;
    const job: LoadJob = {
      ...{ url, headers, signingSecret, shape, connections },
      until: { seconds: WARM_UP_SECONDS + options.seconds + 1 },
      rate: null,
      samplesIds: false,
    };
    const load = bench.generator.ask<LoadResult>(job);
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_SECONDS * 1_000));
    const inspector = (relay.inspector ?? "").replace("ws:", "http:");
    const targets = (await (await fetch(new URL("/json", inspector))).json()) as {
      readonly id: string;
      readonly webSocketDebuggerUrl: string;
    }[];
    mkdirSync(options.folder, { recursive: true });
    const profiles = await Promise.all(
      targets
        .filter(({ id }) => /sluice|local-queue/.test(id))
        .map(async ({ id, webSocketDebuggerUrl }) => {
          const taken = await takeProfile(webSocketDebuggerUrl, options.seconds);
          const name = id.replaceAll(/[^a-z-]+/g, "-");
          writeFileSync(join(options.folder, `${which.name}-${name}.cpuprofile`), JSON.stringify(taken));
          const entry = id.includes("local-queue") ? "src/local/worker/queue.ts" : "src/index.ts";
          const nameOf = frameNamer(await bundle(join(ROOT, entry)));
          return { isolate: id, ...selfTimes(taken, nameOf) };
        }),
    );
    await load;
    return profiles;
  } finally {
    await relay.stop();
  }
}

async function takeProfile(url: string, seconds: number): Promise<CpuProfile> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error(`The inspector does not answer at ${url}`)), {
      once: true,
    });
  });
  const waiting = new Map<number, (result: { profile?: CpuProfile }) => void>();
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; result?: { profile?: CpuProfile } };
    if (message.id !== undefined) waiting.get(message.id)?.(message.result ?? {});
  });
  let next = 0;
  const call = (method: string, params: object = {}): Promise<{ profile?: CpuProfile }> =>
    new Promise((resolve) => {
      next += 1;
      waiting.set(next, resolve);
      socket.send(JSON.stringify({ id: next, method, params }));
    });
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: SAMPLING_MICROSECONDS });
  await call("Profiler.start");
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const { profile } = await call("Profiler.stop");
  socket.close();
  if (profile === undefined) throw new Error("The inspector gave no profile");
  return profile;
}

const IDLE = new Set(["(idle)", "(root)"]);

/**
 * Where an isolate spent its time. "(program)" is native code that no script called, like the event loop and I/O.
 *
 * By the number of samples and not by the times between them: an isolate is sampled only while its thread is in it, and
 * the time until the next sample may have been another isolate's.
 */
function selfTimes(
  { nodes, samples }: CpuProfile,
  nameOf: (frame: CallFrame) => string,
): Omit<Profile, "isolate"> {
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const labels = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const own = new Map<string, number>();
  const whole = new Map<string, number>();
  let busy = 0;
  for (const sample of samples) {
    const name = labels.get(sample) ?? "?";
    if (IDLE.has(name)) continue;
    busy += 1;
    own.set(name, (own.get(name) ?? 0) + 1);
    const stack = new Set<string>();
    for (let at: number | undefined = sample; at !== undefined; at = parents.get(at))
      stack.add(labels.get(at) ?? "?");
    for (const each of stack) whole.set(each, (whole.get(each) ?? 0) + 1);
  }
  const names = new Set([...largest(own), ...largest(whole)].filter((name) => !IDLE.has(name)));
  const top = [...names].map((name) => ({
    name,
    share: (own.get(name) ?? 0) / busy,
    whole: (whole.get(name) ?? 0) / busy,
  }));
  return { samples: busy, top: top.sort((left, right) => right.share - left.share) };
}

function largest(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .slice(0, TOP)
    .map(([name]) => name);
}
