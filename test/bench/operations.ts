import { NO_USAGE, perMillion, plus, type Usage } from "../../src/cost/prices.ts";
import { SimulatorClient } from "../simulator/client.ts";
import { Arrivals } from "./arrivals.ts";
import type { LoadJob, LoadResult } from "./load/job.ts";
import type { Bench } from "./measure.ts";
import { makeTenant, type Relay, startSpecialRelay, type Tenant } from "./relay.ts";

/** What a million events take of everything that is billed. */
export interface Operations {
  readonly eventsPerRequest: number;
  readonly destinations: number;
  /** Events that were counted. */
  readonly events: number;
  readonly perMillion: Usage;
}

/**
 * Requests of one round, for each number of events a request. A round is one delivery of the queue, as full as its 100
 * messages allow, and the next begins when everything has arrived: so counts do not depend on how fast this machine is.
 */
export const ROUND: Readonly<Record<number, number>> = { 1: 100, 10: 100, 100: 50, 1000: 7 };
export const DESTINATIONS = [1, 5] as const;
const WARM_UP_ROUNDS = 1;
const ROUNDS = 5;
/** What a destination takes to answer in the benchmark: an object is billed for the wait. */
const ANSWER_MS = 100;
const POLL_MS = 20;
/** Nothing of a round takes longer; what is missing then is counted as it is, and does not add up. */
const PATIENCE_MS = 45_000;

/** The meter's reading, with what it knows beside the bill. */
export interface Reading extends Usage {
  readonly destinationRequests: number;
}

type Load = (job: LoadJob) => Promise<LoadResult>;

/** The relay with a meter on its bindings, on an empty state. */
export function startCountedRelay(): Promise<Relay> {
  return startSpecialRelay("counted");
}

/** Sends rounds of one tenant's events and reads the meter. */
export class Counter {
  readonly #relay: Relay;
  readonly #load: Load;
  readonly #tenant: Tenant;
  readonly #arrivals: Arrivals;

  constructor(relay: Relay, simulatorUrl: string, { tenant, load }: { tenant: Tenant; load: Load }) {
    this.#relay = relay;
    this.#load = load;
    this.#tenant = tenant;
    this.#arrivals = new Arrivals(simulatorUrl, tenant.instances);
  }

  /** What one round takes, until nothing of it is under way any more. @returns the accepted events with it */
  async round(eventsPerRequest: number): Promise<{ readonly events: number; readonly usage: Usage }> {
    const requests = ROUND[eventsPerRequest] ?? 10;
    const before = await this.quiet(0);
    await fetch(`${this.#relay.url}/_bench/usage`, { method: "DELETE" });
    const { accepted } = await this.#load({
      url: this.#tenant.url,
      headers: this.#tenant.headers,
      shape: { events: eventsPerRequest, gzip: false },
      connections: Math.min(requests, 50),
      until: { requests },
      rate: null,
      samplesIds: false,
    });
    await this.quiet(before + accepted * this.#tenant.instances.length);
    return { events: accepted, usage: await this.read() };
  }

  /**
   * Delivers what is on the queue, and waits until so many events have arrived and every request to a destination has been
   * settled (its line in the log is the last thing that a lane does). @returns the events that have arrived
   */
  async quiet(distinct: number): Promise<number> {
    const deadline = Date.now() + PATIENCE_MS;
    await fetch(`${this.#relay.url}/_bench/deliver`, { method: "POST" });
    for (;;) {
      const reading = await this.read();
      const isQuiet = reading.logLines >= reading.destinationRequests;
      const arrived = (await this.#arrivals.now()).distinct;
      if ((isQuiet && arrived >= distinct) || Date.now() > deadline) return arrived;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** What has been used since the last round began. */
  async read(): Promise<Reading> {
    const response = await fetch(`${this.#relay.url}/_bench/usage`);
    return (await response.json()) as Reading; // of our own meter
  }
}

export async function countOperations(bench: Bench): Promise<readonly Operations[]> {
  const relay = await startCountedRelay();
  const counted: Operations[] = [];
  const load: Load = (job) => bench.generator.ask<LoadResult>(job);
  try {
    for (const destinations of DESTINATIONS) {
      const tenant = await makeTenant(relay, bench.simulatorUrl, { destinations, keepsTimes: false });
      const simulator = new SimulatorClient(bench.simulatorUrl);
      for (const name of tenant.instances) await simulator.fault(name, { mode: "slow", ms: ANSWER_MS });
      const counter = new Counter(relay, bench.simulatorUrl, { tenant, load });
      for (const eventsPerRequest of Object.keys(ROUND).map(Number)) {
        counted.push({ eventsPerRequest, destinations, ...(await countRounds(counter, eventsPerRequest)) });
      }
      for (const name of tenant.instances) await simulator.remove(name);
    }
  } finally {
    await relay.stop();
  }
  return counted;
}

async function countRounds(
  counter: Counter,
  eventsPerRequest: number,
): Promise<Pick<Operations, "events" | "perMillion">> {
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await counter.round(eventsPerRequest);
  let usage = NO_USAGE;
  let events = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const counted = await counter.round(eventsPerRequest);
    usage = plus(usage, counted.usage);
    events += counted.events;
  }
  return { events, perMillion: perMillion(usage, events) };
}
