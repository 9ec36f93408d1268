import { type Clock, type DurationMs, type EpochMs, seconds } from "./base/clock.ts";
import type { ToldChange } from "./store/incidents.ts";

/** Marks are gathered for that long, so that a storm of alerts costs few statements beyond its own. */
const GATHERED_FOR: DurationMs = seconds(1);
/** Whoever should have written by then was cut off; the next one takes over. */
const CUT_OFF_AFTER: DurationMs = seconds(10);

export interface ToldMarkDeps {
  readonly now: Clock;
  markTold(changes: readonly ToldChange[], at: EpochMs): Promise<void>;
  sleep(duration: DurationMs): Promise<void>;
  /** Does something after the answer, in its own time. */
  later(work: () => Promise<void>): void;
  log(what: string, facts: Readonly<Record<string, unknown>>): void;
}

/**
 * Remembers that the queue has the events of some changes, after the answer and for many requests at once. A mark
 * that gets lost, because the isolate ended, costs a second telling, which lanes notice; so does an alert that comes
 * again before its mark is written.
 */
export function createToldMarks(deps: ToldMarkDeps): (changes: readonly ToldChange[]) => void {
  let waiting: ToldChange[] = [];
  let since: EpochMs | null = null;
  const write = async (): Promise<void> => {
    await deps.sleep(GATHERED_FOR);
    const taken = waiting;
    waiting = [];
    since = null;
    try {
      await deps.markTold(taken, deps.now());
    } catch (error) {
      deps.log("incident.mark_failed", { changes: taken.length, error });
    }
  };
  return (changes) => {
    waiting.push(...changes);
    const now = deps.now();
    if (since !== null && now - since < CUT_OFF_AFTER) return;
    since = now;
    deps.later(write);
  };
}
