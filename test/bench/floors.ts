import { FLOOR_SHAPES, FLOORS, type Floor } from "./cases.ts";
import type { LoadResult } from "./load/job.ts";
import type { Bench } from "./measure.ts";
import { Meter, per } from "./meter.ts";
import { runtimeOf, start } from "./processes.ts";

/** One run against a Worker that does next to nothing. */
export interface FloorRun {
  /** Which run of the cases it was measured in, from 0. */
  readonly run: number;
  readonly shape: string;
  readonly floor: Floor;
  /** Events a second. */
  readonly accepted: number;
  readonly cpuPerMillion: number | null;
  readonly busy: number | null;
  readonly loadBusy: number | null;
  readonly remarks: readonly string[];
}

const WARM_UP_SECONDS = 0.3;

/** Each of the shapes against every floor, once, in one runtime. */
export async function measureFloors(
  bench: Bench,
  {
    run,
    shapes,
    seconds,
  }: { readonly run: number; readonly shapes: ReadonlySet<string> | null; readonly seconds: number },
): Promise<readonly FloorRun[]> {
  const child = await start("test/bench/runtime.ts", ["--worker", "floor"], {
    side: "relay",
    ready: /^\{"url":"([^"]+)"/m,
  });
  const runtime = runtimeOf(child.pid);
  const runs: FloorRun[] = [];
  try {
    for (const { name, shape, connections } of FLOOR_SHAPES.filter(
      (each) => shapes?.has(each.name) ?? true,
    )) {
      for (const floor of FLOORS) {
        const job = {
          url: `${child.ready}/${floor}`,
          headers: {},
          signingSecret: null,
          shape,
          connections,
          rate: null,
          samplesIds: false,
        };
        await bench.generator.ask<LoadResult>({ ...job, until: { seconds: WARM_UP_SECONDS } });
        const meter = new Meter(bench, runtime);
        const load = await bench.generator.ask<LoadResult>({ ...job, until: { seconds } });
        const used = meter.read();
        const wall = (load.endedAt - load.startedAt) / 1_000;
        const failures = Object.entries(load.statuses).filter(([status]) => status !== "202");
        runs.push({
          run,
          shape: name,
          floor,
          accepted: load.accepted / wall,
          cpuPerMillion: per(used.runtime, load.accepted / 1_000_000),
          busy: per(used.runtime, wall),
          loadBusy: used.load === null ? null : (used.load - load.preparing) / wall,
          remarks: failures.map(([status, count]) => `${count} requests answered ${status}`),
        });
      }
    }
  } finally {
    await child.stop();
  }
  return runs;
}
