import type { Delivery, Stats } from "./model.ts";

const STEP_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

export interface Day {
  /** Epoch seconds. */
  readonly times: readonly number[];
  readonly delivered: readonly number[];
  /** Null where there was none, so that nothing is drawn. */
  readonly retried: readonly (number | null)[];
  readonly dead: readonly (number | null)[];
}

/** The whole day in steps of ten minutes; minutes in which nothing happened are absent from the answer and 0 here. */
export function fullDay(minutes: Stats["minutes"], now: number): Day {
  const last = Math.floor(now / STEP_MS);
  const first = last - DAY_MS / STEP_MS + 1;
  const steps = Array.from({ length: last - first + 1 }, () => ({ delivered: 0, retried: 0, dead: 0 }));
  for (const minute of minutes) {
    const step = steps[Math.floor(Date.parse(minute.time) / STEP_MS) - first];
    if (step === undefined) continue;
    step.delivered += minute.delivered;
    step.retried += minute.retried;
    step.dead += minute.dead;
  }
  return {
    times: steps.map((_, at) => ((first + at) * STEP_MS) / 1_000),
    delivered: steps.map(({ delivered }) => delivered),
    retried: steps.map(({ retried }) => retried || null),
    dead: steps.map(({ dead }) => dead || null),
  };
}

export interface Latencies {
  /** Epoch seconds, oldest first. */
  readonly times: readonly number[];
  /** Milliseconds of the requests that were taken, null for the others; and the other way round. */
  readonly taken: readonly (number | null)[];
  readonly refused: readonly (number | null)[];
  readonly median: number | null;
  readonly longest: number | null;
}

/** @param attempts newest first, as the API lists them */
export function latenciesOf(attempts: readonly Delivery[]): Latencies {
  const sent = attempts.filter(({ outcome }) => outcome !== "parked").toReversed();
  const isTaken = ({ outcome }: Delivery): boolean => outcome === "delivered" || outcome === "partial";
  const sorted = sent.map(({ latency_ms }) => latency_ms).toSorted((a, b) => a - b);
  return {
    times: sent.map(({ time }) => Date.parse(time) / 1_000),
    taken: sent.map((each) => (isTaken(each) ? each.latency_ms : null)),
    refused: sent.map((each) => (isTaken(each) ? null : each.latency_ms)),
    median: sorted[Math.floor(sorted.length / 2)] ?? null,
    longest: sorted.at(-1) ?? null,
  };
}
