import { SimulatorClient } from "../simulator/client.ts";
import { Arrivals, type Arrived } from "./arrivals.ts";
import type { LoadJob, LoadResult, Sample } from "./load/job.ts";
import type { MeasureOptions, Scene } from "./measure.ts";
import { Meter, per } from "./meter.ts";
import { backlogOf } from "./relay.ts";
import { judged, NOTHING, type Run } from "./run.ts";
import { type Percentiles, percentiles } from "./statistics.ts";

/** Of the paced part of a case that has both. */
const PACED_SECONDS = 2;
const CONFIRM_POLL_MS = 50;
/** Acknowledgements that take longer count as lost, for the relay too. */
const CONFIRM_PATIENCE_MS = 60_000;

/** A load, until everything has arrived where it can; then what hung is mended, and everything must arrive. */
export async function underLoad(scene: Scene, options: MeasureOptions): Promise<Run> {
  const { bench, which, tenant, arrivals } = scene;
  const simulator = new SimulatorClient(bench.simulatorUrl);
  const [first = "", ...others] = tenant.instances;
  const well = which.hangs ? new Arrivals(bench.simulatorUrl, others) : arrivals;
  const wellCount = which.hangs ? others.length : tenant.instances.length;
  if (which.hangs) await simulator.fault(first, { mode: "hang" });

  const meter = new Meter(bench, scene.relay.runtime);
  const before = await arrivals.now();
  const wellBefore = await well.now();
  const full = which.kind === "latency" ? null : await saturate(scene, { well, wellCount, options });
  const isPaced = which.kind === "latency" || which.pacedToo === true;
  const paced = isPaced
    ? await pace(scene, { well, wellCount, options, sent: full?.load.accepted ?? 0, before: wellBefore })
    : null;
  const accepted = (full?.load.accepted ?? 0) + (paced?.load.accepted ?? 0);
  const confirmedAfter = which.acknowledged ? await untilConfirmed(scene) : null;
  // Asking and letting go are part of the price, and come after the last arrival.
  const cpuPerMillion = per(meter.read().runtime, accepted / 1_000_000);
  const mendedAt = Date.now();
  if (which.hangs) await simulator.recover(first);
  const after = await arrivals.until(before.distinct + accepted * which.destinations);
  return {
    ...NOTHING,
    ...(paced?.run ?? {}),
    ...(full?.run ?? {}),
    ...(which.acknowledged ? { cpuPerMillion } : {}),
    deliveryP50: paced?.latencies?.p50 ?? null,
    deliveryP99: paced?.latencies?.p99 ?? null,
    confirmedAfter,
    recoveredAfter: which.hangs ? (after.at - mendedAt) / 1_000 : null,
    ...judged({
      expected: accepted * which.destinations,
      distinct: after.distinct - before.distinct,
      copies: after.events - before.events,
      statuses: sumOf(full?.load.statuses ?? {}, paced?.load.statuses ?? {}),
      complaints: [
        ...(await arrivals.complaints({ mayRefuse: which.hangs === true })),
        ...(which.acknowledged && confirmedAfter === null ? ["not everything was confirmed"] : []),
      ],
    }),
  };
}

interface Watched {
  /** The destinations that are well. */
  readonly well: Arrivals;
  readonly wellCount: number;
  readonly options: MeasureOptions;
}

interface Part {
  readonly load: LoadResult;
  readonly run: Partial<Run>;
}

/** As much as goes. */
async function saturate(scene: Scene, { well, wellCount, options }: Watched): Promise<Part> {
  return watched(scene, { well, wellCount }, { ...scene.job, until: { seconds: options.seconds } });
}

/** At a rate, with latencies. Where there was a full load before, its figures are not this part's to give. */
async function pace(
  scene: Scene,
  { well, wellCount, options, sent, before }: Watched & { readonly sent: number; readonly before: Arrived },
): Promise<Part & { readonly latencies: Percentiles | null }> {
  await well.until(before.distinct + sent * wellCount);
  const seconds = scene.which.kind === "latency" ? options.seconds : PACED_SECONDS;
  const job = { ...scene.job, until: { seconds }, rate: options.rate, samplesIds: true };
  const part = await watched(scene, { well, wellCount }, job);
  return { ...part, latencies: await deliveryLatencies(well, part.load.samples) };
}

async function watched(
  { bench, relay }: Scene,
  { well, wellCount }: Pick<Watched, "well" | "wellCount">,
  job: LoadJob,
): Promise<Part> {
  const before = await well.now();
  const meter = new Meter(bench, relay.runtime);
  const load = await bench.generator.ask<LoadResult>(job);
  const during = meter.read();
  const meanwhile = await well.now();
  const after = await well.until(before.distinct + load.accepted * wellCount);
  const whole = meter.read();
  const wall = (load.endedAt - load.startedAt) / 1_000;
  const untilLast = Math.max((after.at - load.startedAt) / 1_000, wall);
  const delivered = (after.events - before.events) / untilLast;
  const run = {
    accepted: load.accepted / wall,
    delivered,
    deliveredMeanwhile: (meanwhile.events - before.events) / wall,
    deliveredEach: delivered / wellCount,
    cpuPerMillion: per(whole.runtime, load.accepted / 1_000_000),
    busy: per(during.runtime, wall),
    loadBusy: during.load === null ? null : Math.max(0, during.load - load.preparing) / wall,
    answerP50: load.latencies?.p50 ?? null,
    answerP99: load.latencies?.p99 ?? null,
  };
  return { load, run };
}

/** When sampled events arrived, against when they were accepted. Both clocks are this machine's. */
async function deliveryLatencies(well: Arrivals, samples: readonly Sample[]): Promise<Percentiles | null> {
  const seen = await well.firstSeen(samples.map(({ id }) => id));
  return percentiles(
    seen.flatMap((times) =>
      times.flatMap((at, index) => (at === null ? [] : at - (samples[index]?.acceptedAt ?? at))),
    ),
  );
}

/** An event waits in its lane until it is confirmed. @returns seconds from the last arrival, null if that never came */
async function untilConfirmed({ relay, tenant, arrivals }: Scene): Promise<number | null> {
  const [destination = ""] = tenant.destinations;
  const { lastAt } = await arrivals.now();
  const giveUpAt = Date.now() + CONFIRM_PATIENCE_MS;
  while (Date.now() < giveUpAt) {
    if ((await backlogOf(relay, tenant, destination)) === 0)
      return (Date.now() - (lastAt ?? Date.now())) / 1_000;
    await new Promise((resolve) => setTimeout(resolve, CONFIRM_POLL_MS));
  }
  return null;
}

function sumOf(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const statuses = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries(
    [...statuses].map((status) => [status, (one[status] ?? 0) + (other[status] ?? 0)]),
  );
}
