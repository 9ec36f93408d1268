import { SimulatorClient } from "../simulator/client.ts";

/** What destinations have received, counted at the destinations. */
export interface Arrived {
  /** Copies, over all destinations. */
  readonly events: number;
  /** Different events at each destination, summed over the destinations. */
  readonly distinct: number;
  /** When the first came since the last mending, and the last: epoch milliseconds, at the destinations. */
  readonly firstAt: number | null;
  readonly lastAt: number | null;
}

/** Arrivals carry their own times, so nothing is gained by asking more often, and asking takes time of the load's core. */
const POLL_MS = 50;
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
    const each = await Promise.all(this.#instances.map((name) => this.#simulator.arrivals(name)));
    const sum = (read: (one: (typeof each)[number]) => number): number =>
      each.reduce((total, one) => total + read(one), 0);
    const firsts = each.flatMap(({ first_at }) => first_at ?? []);
    const lasts = each.flatMap(({ last_at }) => last_at ?? []);
    return {
      events: sum(({ events }) => events),
      distinct: sum(({ distinct }) => distinct),
      firstAt: firsts.length === 0 ? null : Math.min(...firsts),
      lastAt: lasts.length === 0 ? null : Math.max(...lasts),
    };
  }

  /** Waits until there are so many, or until nothing more comes. @returns what there is, and since when */
  async until(distinct: number): Promise<Arrived & { readonly at: number }> {
    let last = await this.now();
    let changedAt = Date.now();
    while (last.distinct < distinct && Date.now() - changedAt < PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const next = await this.now();
      if (next.events > last.events) changedAt = Date.now();
      last = next;
    }
    return { ...last, at: last.lastAt ?? changedAt };
  }

  /**
   * Waits until nothing has come for a while: the making of a tenant is on its own audit stream too, and those events
   * must not be counted among the ones that were sent.
   *
   * @throws when it never becomes quiet: the same events come again and again
   */
  async settled(quietMs: number): Promise<Arrived> {
    const giveUpAt = Date.now() + PATIENCE_MS;
    for (let last = await this.now(); ; ) {
      if (Date.now() > giveUpAt) throw new Error("Nothing is sent, and yet events keep coming");
      await new Promise((resolve) => setTimeout(resolve, quietMs));
      const next = await this.now();
      if (next.events === last.events) return next;
      last = next;
    }
  }

  /**
   * Rules of the vendor that were broken, and requests that were refused.
   *
   * @param mayRefuse some were to be refused or left unanswered
   */
  async complaints({ mayRefuse }: { readonly mayRefuse: boolean }): Promise<readonly string[]> {
    const summaries = await Promise.all(this.#instances.map((name) => this.#simulator.summary(name)));
    return summaries.flatMap(({ name, refused, violations }) => [
      ...(refused > 0 && !mayRefuse ? [`${name}: ${refused} requests refused`] : []),
      ...violations.map(({ rule, count, detail }) => `${name}: ${rule} ${count}x, ${detail}`),
    ]);
  }

  /** When each of these events first came, for each destination; null for what never came. */
  async firstSeen(ids: readonly string[]): Promise<readonly (readonly (number | null)[])[]> {
    return Promise.all(this.#instances.map((name) => this.#simulator.firstSeen(name, ids)));
  }
}
