import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "./cases.ts";
import type { LoadResult } from "./load/job.ts";
import { decimal, percent, table } from "./markdown.ts";
import { type Bench, forgetDestinations, warmScene } from "./measure.ts";
import { FLAT_SHARE, judgeMemory, type MemorySample, type MemoryVerdict } from "./memory.ts";
import { Meter, per } from "./meter.ts";
import { residentMegabytes } from "./processes.ts";
import { startRelayProcess } from "./relay.ts";
import { judged, NOTHING, type Run } from "./run.ts";
import { percentiles } from "./statistics.ts";

/** Of the throughput measured just before. */
const SHARE = 0.5;
const TRIAL_SECONDS = 5;
const SAMPLE_MS = 3_000;
/** Rows of the table that is printed; the file has every sample. */
const SHOWN = 20;

export interface Soak {
  readonly seconds: number;
  /** Events a second. */
  readonly rate: number;
  readonly run: Run;
  readonly samples: readonly MemorySample[];
  readonly verdict: MemoryVerdict | null;
}

/** A steady load for a long time, with an eye on memory. */
export async function soak(bench: Bench, which: Case, seconds: number): Promise<Soak> {
  const relay = await startRelayProcess();
  try {
    const scene = await warmScene({ bench, which, relay });
    const { arrivals, job } = scene;
    const atFirst = await arrivals.now();
    const trial = await bench.generator.ask<LoadResult>({ ...job, until: { seconds: TRIAL_SECONDS } });
    const tried = await arrivals.until(atFirst.distinct + trial.accepted);
    const rate = (SHARE * trial.accepted) / ((tried.at - trial.startedAt) / 1_000);
    const meter = new Meter(bench, relay.runtime);
    const samples: MemorySample[] = [];
    const startedAt = Date.now();
    const sample = (): void => {
      const resident = residentMegabytes(relay.runtime);
      if (resident === null) return;
      const second = (Date.now() - startedAt) / 1_000;
      samples.push({ second, residentMegabytes: resident, stateMegabytes: folderMegabytes(relay.stateDir) });
    };
    sample();
    const timer = setInterval(sample, SAMPLE_MS);
    const load = await bench.generator.ask<LoadResult>({
      ...job,
      until: { seconds },
      rate: rate / which.shape.events,
      samplesIds: true,
    });
    clearInterval(timer);
    sample();
    const after = await arrivals.until(tried.distinct + load.accepted);
    const used = meter.read();
    const wall = (load.endedAt - load.startedAt) / 1_000;
    const [seen = []] = await arrivals.firstSeen(load.samples.map(({ id }) => id));
    const latencies = percentiles(
      seen.flatMap((at, index) => (at === null ? [] : at - (load.samples[index]?.acceptedAt ?? at))),
    );
    const run: Run = {
      ...NOTHING,
      accepted: load.accepted / wall,
      delivered: (after.events - tried.events) / Math.max(wall, (after.at - load.startedAt) / 1_000),
      cpuPerMillion: per(used.runtime, load.accepted / 1_000_000),
      busy: per(used.runtime, wall),
      loadBusy: per(used.load, wall),
      peakMegabytes: Math.max(...samples.map((each) => each.residentMegabytes)),
      answerP50: load.latencies?.p50 ?? null,
      answerP99: load.latencies?.p99 ?? null,
      deliveryP50: latencies?.p50 ?? null,
      deliveryP99: latencies?.p99 ?? null,
      ...judged({
        expected: trial.accepted + load.accepted,
        distinct: after.distinct - atFirst.distinct,
        copies: after.events - atFirst.events,
        statuses: load.statuses,
        complaints: await arrivals.complaints({ mayRefuse: false }),
      }),
    };
    return { seconds, rate, run, samples, verdict: judgeMemory(samples) };
  } finally {
    await relay.stop();
    await forgetDestinations(bench);
  }
}

export function soakText({ seconds, rate, run, samples, verdict }: Soak): string {
  const every = Math.max(1, Math.ceil(samples.length / SHOWN));
  const shown = samples.filter((_, index) => index % every === 0 || index === samples.length - 1);
  const latency = (value: number | null): string => (value === null ? "–" : `${decimal(value, 1)} ms`);
  return [
    `${decimal(seconds)} s at ${decimal(rate)} events/s: ${decimal(run.accepted ?? 0)} accepted/s, ${decimal(run.delivered ?? 0)} delivered/s, ${decimal(run.cpuPerMillion ?? 0, 1)} CPU s/million;`,
    `202 ${latency(run.answerP50)} p50, ${latency(run.answerP99)} p99; 202→SIEM ${latency(run.deliveryP50)} p50, ${latency(run.deliveryP99)} p99; lost ${run.lost}, duplicates ${run.duplicates}.\n`,
    table(
      ["second", "resident MB", "state folder MB"],
      shown.map((each) => [
        decimal(each.second),
        decimal(each.residentMegabytes),
        decimal(each.stateMegabytes, 1),
      ]),
    ),
    verdictText(verdict),
    ...run.faults,
    ...run.remarks,
    "",
  ].join("\n");
}

function verdictText(verdict: MemoryVerdict | null): string {
  if (verdict === null) return "Memory: too few samples to say anything.";
  const { megabytesPerHour, error, meanMegabytes, growth, isFlat } = verdict;
  const slope = `${megabytesPerHour > 0 ? "+" : ""}${decimal(megabytesPerHour)} ± ${decimal(error)} MB/hour`;
  return `Memory: ${isFlat ? "flat" : "NOT flat"}. Second half: ${slope} around ${decimal(meanMegabytes)} MB, which is ${percent(growth)} over it; flat is below ${percent(FLAT_SHARE, 0)}.`;
}

function folderMegabytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // A journal may be gone since it was listed.
    bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes / 1_000_000;
}
