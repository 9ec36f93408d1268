import { type DurationMs, type EpochMs, hours } from "../../base/clock.ts";
import { PartSet } from "./part-set.ts";

/** A lane ignores a part that it has taken within this time. */
export const TAKEN_WINDOW: DurationMs = hours(24);
/** Parts remembered in each of the two generations; beyond it the older generation goes early. 2.6 MB each. */
const MAX_PER_GENERATION = 100_000;

/**
 * Remembers which batch parts a lane has taken, so that a redelivered queue message or a repeated request changes nothing.
 *
 * Exact and never approximate: a false "already taken" would be a lost event. In memory only, in two generations;
 * after a restart it is filled again from the outbox, the dead letters and the receipts.
 */
export class Taken {
  #current = new PartSet();
  #previous = new PartSet();
  #turnedAt: EpochMs;

  constructor(now: EpochMs) {
    this.#turnedAt = now;
  }

  has(batchId: string, part: number): boolean {
    return this.#current.has(batchId, part) || this.#previous.has(batchId, part);
  }

  add(batchId: string, part: number, now: EpochMs): void {
    if (now - this.#turnedAt >= TAKEN_WINDOW || this.#current.size >= MAX_PER_GENERATION) {
      this.#previous = this.#current;
      this.#current = new PartSet();
      this.#turnedAt = now;
    }
    this.#current.add(batchId, part);
  }
}
