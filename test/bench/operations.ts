import { SimulatorClient } from "../simulator/client.ts";
import { Arrivals } from "./arrivals.ts";
import type { LoadJob, LoadResult } from "./load/job.ts";
import type { Bench } from "./measure.ts";
import { perMillion, type Usage } from "./pricing.ts";
import { makeTenant, type Relay, startSpecialRelay } from "./relay.ts";

/** What a million events take of everything that is billed. */
export interface Operations {
  readonly eventsPerRequest: number;
  readonly destinations: number;
  /** Events that were counted. */
  readonly events: number;
  readonly perMillion: Usage;
}

/**
 * Requests of one round. A round is one full delivery of the queue, 100 messages, and the next begins when everything
 * has arrived: so the counts do not depend on how fast this machine is. 100 events of 500 bytes are two messages.
 */
const ROUND: Readonly<Record<number, number>> = { 1: 100, 10: 100, 100: 50, 1000: 8 };
/** Longer than the queue waits for a fuller batch. */
const QUIET_MS = 1_500;
const WARM_UP_ROUNDS = 1;
const ROUNDS = 5;
/** What a destination takes to answer here: an object is billed for the wait. */
const ANSWER_MS = 100;

/** Counts one combination. `workerCpuMs` is left 0: it is measured, not counted. */
async function count(
  bench: Bench,
  relay: Relay,
  { eventsPerRequest, destinations }: { readonly eventsPerRequest: number; readonly destinations: number },
): Promise<Operations> {
  const simulator = new SimulatorClient(bench.simulatorUrl);
  const tenant = await makeTenant(relay, bench.simulatorUrl, { destinations, keepsTimes: false });
  for (const name of tenant.instances) await simulator.fault(name, { mode: "slow", ms: ANSWER_MS });
  const arrivals = new Arrivals(bench.simulatorUrl, tenant.instances);
  const requests = ROUND[eventsPerRequest] ?? 10;
  const job: LoadJob = {
    url: tenant.url,
    headers: tenant.headers,
    shape: { events: eventsPerRequest, gzip: false },
    connections: Math.min(requests, 50),
    until: { requests },
    rate: null,
    samplesIds: false,
  };
  let expected = (await arrivals.settled(QUIET_MS)).distinct;
  let events = 0;
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    if (round === WARM_UP_ROUNDS) {
      await fetch(`${relay.url}/_bench/usage`, { method: "DELETE" });
      events = 0;
    }
    const { accepted } = await bench.generator.ask<LoadResult>(job);
    events += accepted;
    expected += accepted * destinations;
    await arrivals.until(expected);
    await new Promise((resolve) => setTimeout(resolve, 2 * ANSWER_MS)); // the last answers, and what they cause
  }
  const response = await fetch(`${relay.url}/_bench/usage`);
  const usage = { ...((await response.json()) as Usage), workerCpuMs: 0 };
  for (const name of tenant.instances) await simulator.remove(name);
  return { eventsPerRequest, destinations, events, perMillion: perMillion(usage, events) };
}

export async function countOperations(bench: Bench): Promise<readonly Operations[]> {
  const relay = await startSpecialRelay("counted");
  const counted: Operations[] = [];
  try {
    for (const destinations of [1, 5]) {
      for (const eventsPerRequest of [1, 10, 100, 1_000]) {
        counted.push(await count(bench, relay, { eventsPerRequest, destinations }));
      }
    }
  } finally {
    await relay.stop();
  }
  return counted;
}
