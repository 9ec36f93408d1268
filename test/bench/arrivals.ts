import { SimulatorClient } from "../simulator/client.ts";

/** What destinations have received, counted at the destinations. */
export interface Arrived {
  /** Copies, over all destinations. */
  readonly events: number;
  /** Different events at each destination, summed over the destinations. */
  readonly distinct: number;
}

const POLL_MS = 20;
/** Without an arrival for this long, what is missing is counted as lost. */
const PATIENCE_MS = 45_000;

export class Arrivals {
  readonly #simulator: SimulatorClient;
  readonly #instances: readonly string[];

  constructor(simulatorUrl: string, instances: readonly string[]) {
    this.#simulator = new SimulatorClient(simulatorUrl);
    this.#instances = instances;
  }

  async now(): Promise<Arrived> {
    const counts = await Promise.all(this.#instances.map((name) => this.#simulator.counts(name)));
    return {
      events: counts.reduce((sum, { events }) => sum + events, 0),
      distinct: counts.reduce((sum, { distinct }) => sum + distinct, 0),
    };
  }

  /** Waits until there are so many, or until nothing more comes. @returns what there is, and since when */
  async until(distinct: number): Promise<Arrived & { readonly at: number }> {
    let last = await this.now();
    let at = Date.now();
    while (last.distinct < distinct && Date.now() - at < PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const next = await this.now();
      if (next.events > last.events) at = Date.now();
      last = next;
    }
    return { ...last, at };
  }

  /**
   * Waits until nothing has come for a while: the making of a tenant is on its own audit stream too, and those events
   * must not be counted among the ones that were sent.
   */
  async settled(quietMs: number): Promise<Arrived> {
    for (let last = await this.now(); ; ) {
      await new Promise((resolve) => setTimeout(resolve, quietMs));
      const next = await this.now();
      if (next.events === last.events) return next;
      last = next;
    }
  }

  /** Rules of the vendor that were broken, and requests that were refused. */
  async complaints(): Promise<readonly string[]> {
    const summaries = await Promise.all(this.#instances.map((name) => this.#simulator.summary(name)));
    return summaries.flatMap(({ name, refused, violations }) => [
      ...(refused > 0 ? [`${name}: ${refused} requests refused`] : []),
      ...violations.map(({ rule, count, detail }) => `${name}: ${rule} ${count}x, ${detail}`),
    ]);
  }
}
