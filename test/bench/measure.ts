import { SimulatorClient } from "../simulator/client.ts";
import { Arrivals } from "./arrivals.ts";
import { drainBacklogs } from "./backlog.ts";
import type { Case } from "./cases.ts";
import type { LoadJob, LoadResult } from "./load/job.ts";
import { type Child, peakMegabytes } from "./processes.ts";
import { makeTenant, type Relay, type Tenant } from "./relay.ts";
import type { Run } from "./run.ts";
import { underLoad } from "./steady.ts";

/** The processes that load the relay and that it delivers to; they outlive the relays. */
export interface Bench {
  readonly generator: Child;
  readonly simulator: Child;
  readonly simulatorUrl: string;
}

export interface MeasureOptions {
  /** How long a load lasts. */
  readonly seconds: number;
  /** Events of the large backlog. */
  readonly backlog: number;
  /** Requests a second of a paced load. */
  readonly rate: number;
}

/** A relay with a tenant, warm, and what watches it. */
export interface Scene {
  readonly bench: Bench;
  readonly which: Case;
  readonly relay: Relay;
  readonly tenant: Tenant;
  readonly arrivals: Arrivals;
  /** The case's load, without an end. */
  readonly job: Omit<LoadJob, "until">;
}

/** At full load also where the case is paced: what is not yet compiled would be measured otherwise. */
const WARM_UP_SECONDS = 1;
const QUIET_MS = 300;

/** @param relay fresh; stopped at the end */
export async function measure(
  { bench, which, relay }: Pick<Scene, "bench" | "which" | "relay">,
  options: MeasureOptions,
): Promise<Run> {
  try {
    const scene = await warmScene({ bench, which, relay });
    const run =
      which.kind === "backlog"
        ? await drainBacklogs(scene, options.backlog)
        : await underLoad(scene, options);
    return { ...run, peakMegabytes: peakMegabytes(relay.runtime) };
  } finally {
    await relay.stop();
    await forgetDestinations(bench);
  }
}

/** Makes a tenant and warms the relay up, until everything that was sent for that has arrived. */
export async function warmScene({
  bench,
  which,
  relay,
}: Pick<Scene, "bench" | "which" | "relay">): Promise<Scene> {
  const tenant = await makeTenant(relay, bench.simulatorUrl, which);
  const arrivals = new Arrivals(bench.simulatorUrl, tenant.instances);
  const job = {
    url: tenant.url,
    headers: tenant.headers,
    signingSecret: tenant.signingSecret,
    shape: which.shape,
    connections: which.connections,
    rate: null,
    samplesIds: false,
  };
  const warmUp = await bench.generator.ask<LoadResult>({ ...job, until: { seconds: WARM_UP_SECONDS } });
  await arrivals.until(warmUp.accepted * which.destinations);
  await arrivals.settled(QUIET_MS);
  return { bench, which, relay, tenant, arrivals, job };
}

export async function forgetDestinations({ simulatorUrl }: Bench): Promise<void> {
  const simulator = new SimulatorClient(simulatorUrl);
  for (const { name } of await simulator.list()) if (name.startsWith("bench-")) await simulator.remove(name);
}
