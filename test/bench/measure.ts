import { SimulatorClient } from "../simulator/client.ts";
import { Arrivals } from "./arrivals.ts";
import { BACKLOG_EVENTS, type Case } from "./cases.ts";
import type { LoadJob, LoadResult, Sample } from "./load/job.ts";
import { type Child, cpuSeconds, peakMegabytes } from "./processes.ts";
import { makeTenant, startRelayProcess, type Tenant } from "./relay.ts";
import { percentiles } from "./statistics.ts";

/** The processes that load the relay and that it delivers to; they outlive the relays. */
export interface Bench {
  readonly generator: Child;
  readonly simulator: Child;
  readonly simulatorUrl: string;
}

/** One run of one case; null where it was not looked at. */
export interface Run {
  /** Events a second answered 202 while the load lasted. */
  readonly accepted: number | null;
  /** Copies a second, from the start of the load until the last one had arrived. */
  readonly delivered: number | null;
  /** Copies a second that arrived while the load lasted. */
  readonly deliveredMeanwhile: number | null;
  /** Processor seconds of the whole runtime for a million accepted events, until the last one had arrived. */
  readonly cpuPerMillion: number | null;
  /** Share of its core that the runtime had while the load lasted. */
  readonly busy: number | null;
  /** The same of the load generator and the simulator together; near 1, they are what is measured. */
  readonly loadBusy: number | null;
  readonly peakMegabytes: number | null;
  /** Milliseconds to the 202. */
  readonly answerP50: number | null;
  readonly answerP99: number | null;
  /** Milliseconds from the 202 to the destination. */
  readonly deliveryP50: number | null;
  readonly deliveryP99: number | null;
  /** Seconds from the recovery of a destination to the first arrival, and to the last. */
  readonly resumedAfter: number | null;
  readonly recoveredAfter: number | null;
  /** Accepted and never arrived; must be 0. */
  readonly lost: number;
  /** Copies beyond the first. */
  readonly duplicates: number;
  /** Everything unusual, in words. */
  readonly remarks: readonly string[];
}

const NOTHING: Run = {
  accepted: null,
  delivered: null,
  deliveredMeanwhile: null,
  cpuPerMillion: null,
  busy: null,
  loadBusy: null,
  peakMegabytes: null,
  answerP50: null,
  answerP99: null,
  deliveryP50: null,
  deliveryP99: null,
  resumedAfter: null,
  recoveredAfter: null,
  lost: 0,
  duplicates: 0,
  remarks: [],
};

const WARM_UP_SECONDS = 1.5;
const QUIET_MS = 300;

/** @param rate requests a second for the latency case */
export async function measure(
  bench: Bench,
  which: Case,
  options: { seconds: number; rate: number },
): Promise<Run> {
  const relay = await startRelayProcess();
  try {
    const isLatency = which.kind === "latency";
    const tenant = await makeTenant(relay, bench.simulatorUrl, {
      destinations: which.destinations,
      keepsTimes: isLatency,
    });
    const arrivals = new Arrivals(bench.simulatorUrl, tenant.instances);
    const job: LoadJob = {
      ...{ url: tenant.url, headers: tenant.headers, shape: which.shape, connections: which.connections },
      until: { seconds: WARM_UP_SECONDS },
      rate: null,
      samplesIds: false,
    };
    const scene: Scene = { bench, which, tenant, arrivals, job, runtime: relay.runtime };
    const warmUp = await bench.generator.ask<LoadResult>({ ...job, rate: isLatency ? options.rate : null });
    await arrivals.until(warmUp.accepted * which.destinations);
    await arrivals.settled(QUIET_MS);
    const run = which.kind === "backlog" ? await backlog(scene) : await steady(scene, options);
    return { ...run, peakMegabytes: peakMegabytes(relay.runtime) };
  } finally {
    await relay.stop();
    const simulator = new SimulatorClient(bench.simulatorUrl);
    for (const { name } of await simulator.list())
      if (name.startsWith("bench-")) await simulator.remove(name);
  }
}

interface Scene {
  readonly bench: Bench;
  readonly which: Case;
  readonly tenant: Tenant;
  readonly arrivals: Arrivals;
  readonly job: LoadJob;
  readonly runtime: number | null;
}

async function steady(scene: Scene, { seconds, rate }: { seconds: number; rate: number }): Promise<Run> {
  const { bench, which, arrivals, job, runtime } = scene;
  const isLatency = which.kind === "latency";
  const before = await arrivals.now();
  const meter = new Meter(bench, runtime);
  const load = await bench.generator.ask<LoadResult>({
    ...job,
    until: { seconds },
    rate: isLatency ? rate : null,
    samplesIds: isLatency,
  });
  const meanwhile = await arrivals.now();
  const during = meter.read();
  const after = await arrivals.until(before.distinct + load.accepted * which.destinations);
  const whole = meter.read();
  const wall = (load.endedAt - load.startedAt) / 1_000;
  const untilLast = (after.at - load.startedAt) / 1_000;
  const latencies = isLatency ? await deliveryLatencies(scene, load.samples) : null;
  return {
    ...NOTHING,
    accepted: load.accepted / wall,
    delivered: (after.events - before.events) / Math.max(untilLast, wall),
    deliveredMeanwhile: (meanwhile.events - before.events) / wall,
    cpuPerMillion: whole.runtime === null ? null : (whole.runtime / load.accepted) * 1_000_000,
    busy: during.runtime === null ? null : during.runtime / wall,
    loadBusy: during.load === null ? null : during.load / wall,
    answerP50: load.latencies?.p50 ?? null,
    answerP99: load.latencies?.p99 ?? null,
    deliveryP50: latencies?.p50 ?? null,
    deliveryP99: latencies?.p99 ?? null,
    ...(await fates(scene, load, before, after)),
  };
}

/** Fills the outbox while the destination answers 503, then mends it. */
async function backlog(scene: Scene): Promise<Run> {
  const { bench, which, tenant, arrivals, job, runtime } = scene;
  const simulator = new SimulatorClient(bench.simulatorUrl);
  const before = await arrivals.now();
  for (const name of tenant.instances) await simulator.fault(name, { mode: "status", status: 503 });
  const requests = BACKLOG_EVENTS / which.shape.events;
  const load = await bench.generator.ask<LoadResult>({ ...job, until: { requests } });
  await new Promise((resolve) => setTimeout(resolve, 2_000)); // the queue's own batch timeout: let it all reach the lane
  const meter = new Meter(bench, runtime);
  const mendedAt = Date.now();
  for (const name of tenant.instances) await simulator.recover(name);
  const first = await arrivals.until(before.distinct + 1);
  const after = await arrivals.until(before.distinct + load.accepted * which.destinations);
  const whole = meter.read();
  return {
    ...NOTHING,
    accepted: load.accepted / ((load.endedAt - load.startedAt) / 1_000),
    delivered: (after.events - first.events) / ((after.at - first.at) / 1_000),
    cpuPerMillion: whole.runtime === null ? null : (whole.runtime / load.accepted) * 1_000_000,
    resumedAfter: (first.at - mendedAt) / 1_000,
    recoveredAfter: (after.at - mendedAt) / 1_000,
    answerP50: load.latencies?.p50 ?? null,
    answerP99: load.latencies?.p99 ?? null,
    ...(await fates(scene, load, before, after)),
  };
}

async function fates(
  { which, arrivals }: Scene,
  load: LoadResult,
  before: { events: number; distinct: number },
  after: { events: number; distinct: number },
): Promise<Pick<Run, "lost" | "duplicates" | "remarks">> {
  const distinct = after.distinct - before.distinct;
  const missing = load.accepted * which.destinations - distinct;
  const statuses = Object.entries(load.statuses).filter(([status]) => status !== "202");
  const complaints = which.kind === "backlog" ? [] : await arrivals.complaints();
  return {
    lost: Math.max(0, missing),
    duplicates: after.events - before.events - distinct,
    remarks: [
      ...statuses.map(
        ([status, count]) =>
          `${count} requests answered ${status === "0" ? "with a broken connection" : status}`,
      ),
      ...(missing < 0 ? [`${-missing} events arrived without having been accepted`] : []),
      ...complaints,
    ],
  };
}

/** When sampled events arrived, against when they were accepted. Both clocks are this machine's. */
async function deliveryLatencies(
  { bench, tenant }: Scene,
  samples: readonly Sample[],
): Promise<{ readonly p50: number; readonly p99: number } | null> {
  const simulator = new SimulatorClient(bench.simulatorUrl);
  const [instance = ""] = tenant.instances;
  const latencies: number[] = [];
  for (const { id, acceptedAt } of samples) {
    const [copy] = await simulator.event(instance, id);
    if (copy !== undefined) latencies.push(copy.received_at - acceptedAt);
  }
  return percentiles(latencies);
}

/** Processor time since it was made. */
export class Meter {
  readonly #runtime: number | null;
  readonly #load: readonly number[];
  readonly #before: { readonly runtime: number | null; readonly load: number | null };

  constructor({ generator, simulator }: Bench, runtime: number | null) {
    this.#runtime = runtime;
    this.#load = [generator.pid, simulator.pid];
    this.#before = this.#now();
  }

  read(): { readonly runtime: number | null; readonly load: number | null } {
    const now = this.#now();
    const since = (name: "runtime" | "load"): number | null => {
      const [start, end] = [this.#before[name], now[name]];
      return start === null || end === null ? null : end - start;
    };
    return { runtime: since("runtime"), load: since("load") };
  }

  #now(): { readonly runtime: number | null; readonly load: number | null } {
    const load = this.#load.map(cpuSeconds);
    return {
      runtime: cpuSeconds(this.#runtime),
      load: load.includes(null) ? null : load.reduce<number>((sum, each) => sum + (each ?? 0), 0),
    };
  }
}
