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
export const ROUND: Readonly<Record<number, number>> = { 1: 100, 10: 100, 100: 100, 1000: 25 };
export const DESTINATIONS = [1, 5] as const;
const WARM_UP_ROUNDS = 1;
const ROUNDS = 5;
/** What a destination takes to answer in the benchmark: an object is billed for the wait. */
const ANSWER_MS = 100;
const POLL_MS = 20;
/** Nothing of a round takes longer. */
const PATIENCE_MS = 45_000;

/** The meter's answer. */
interface Reading {
  readonly usage: Usage;
  /** Messages and events that are not at their destinations, or not settled there. */
  readonly underWay: number;
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

  /** What one round takes, until nothing of it is under way any more. @throws when not every event has arrived once */
  async round(eventsPerRequest: number): Promise<{ readonly events: number; readonly usage: Usage }> {
    const requests = ROUND[eventsPerRequest] ?? 10;
    await this.deliver();
    const before = await this.#arrivals.now();
    await this.#ask("usage", "DELETE");
    const { accepted: events } = await this.#load({
      url: this.#tenant.url,
      headers: this.#tenant.headers,
      signingSecret: this.#tenant.signingSecret,
      shape: { events: eventsPerRequest, gzip: false },
      connections: 1, // requests at the same time may share a message, by chance
      until: { requests },
      rate: null,
      samplesIds: false,
    });
    const usage = await this.deliver();
    const after = await this.#arrivals.now();
    const missing = events * this.#tenant.instances.length - (after.distinct - before.distinct);
    if (missing !== 0 || after.events - before.events !== after.distinct - before.distinct)
      throw new Error(
        `${missing} of ${events} events are missing, or some came twice: the count says nothing`,
      );
    return { events, usage };
  }

  /** Delivers what is on the queue and waits until all of it is settled. @returns what was used since the round began */
  async deliver(): Promise<Usage> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const { usage, underWay } = await this.#ask("deliver", "POST");
      if (underWay === 0) return usage;
      if (Date.now() > deadline) throw new Error(`${underWay} events or messages are still under way`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #ask(what: string, method: string): Promise<Reading> {
    const response = await fetch(`${this.#relay.url}/_bench/${what}`, { method });
    return (await response.json()) as Reading; // of our own meter
  }
}

export async function countOperations(bench: Bench): Promise<readonly Operations[]> {
  const relay = await startCountedRelay();
  const counted: Operations[] = [];
  const load: Load = (job) => bench.generator.ask<LoadResult>(job);
  try {
    for (const destinations of DESTINATIONS) {
      const tenant = await makeTenant(relay, bench.simulatorUrl, { destinations });
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
