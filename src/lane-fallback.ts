import type { Clock, EpochMs } from "./base/clock.ts";
import type { Facts } from "./lane-facts.ts";
import type { Connector } from "./model/provider.ts";

interface Use {
  /** The end of the secrets' time, which also tells one rotation from another. */
  readonly until: EpochMs;
  readonly uses: number;
  readonly usedAt: EpochMs;
}

/**
 * The secrets before the last rotation: until their date they stand in where the provider refuses the new ones, and
 * each time is counted, so that a person sees whether anything still depends on them.
 */
export class Fallback {
  readonly #now: Clock;
  readonly #facts: Facts;
  #connector: Connector | null = null;
  #until: EpochMs | null = null;
  #use: Use | null;
  /** The last answer was to the old secrets, so what is asked about it later goes with them too. */
  #isInUse = false;

  constructor(now: Clock, facts: Facts) {
    this.#now = now;
    this.#facts = facts;
    this.#use = facts.get<Use>("fallback");
  }

  set(connector: Connector | null, until: EpochMs | null): void {
    this.#connector = connector;
    this.#until = until;
    this.#isInUse = false;
  }

  /** Null once their time is over. */
  get connector(): Connector | null {
    return this.#until !== null && this.#now() < this.#until ? this.#connector : null;
  }

  get inUse(): Connector | null {
    return this.#isInUse ? this.connector : null;
  }

  answeredBy(which: "present" | "previous"): void {
    this.#isInUse = which === "previous";
    if (!this.#isInUse || this.#until === null) return;
    const uses = this.#use?.until === this.#until ? this.#use.uses : 0;
    this.#use = { until: this.#until, uses: uses + 1, usedAt: this.#now() };
    this.#facts.set("fallback", this.#use);
  }

  /** Since the last rotation. */
  report(): { readonly uses: number; readonly usedAt: EpochMs | null } {
    const isOfThis = this.#use !== null && this.#use.until === this.#until;
    return {
      uses: isOfThis ? (this.#use?.uses ?? 0) : 0,
      usedAt: isOfThis ? (this.#use?.usedAt ?? null) : null,
    };
  }
}
