/** Which fault strikes what, and when: decided by the seed alone, before anything runs. */
import type { Named } from "./destinations.ts";
import type { Track } from "./fault-kind.ts";
import { FAULTS } from "./faults.ts";
import { type Random, seeded, shuffled } from "./random.ts";

export interface Step {
  /** Milliseconds from the start of the run. */
  readonly at: number;
  readonly fault: string;
  /** Name of the destination it strikes or is aimed at. */
  readonly target: string;
  readonly lastsMs: number;
}

export interface Plan {
  readonly seed: string;
  readonly destinations: readonly Named[];
  readonly durationMs: number;
  /** Time between two faults of a track, times this: below 1 for a short run. */
  readonly haste: number;
}

/** Pause between two faults of a track, in milliseconds. */
const GAPS: Readonly<Record<Track, readonly [number, number]>> = {
  relay: [14_000, 26_000],
  queue: [3_000, 9_000],
  lane: [2_000, 6_000],
  control: [3_000, 8_000],
  destination: [1_500, 5_000],
};
const FIRST_AT = 1_500;
/** No relay falls in the last seconds: the traffic after it is part of the proof. */
const LAST_FALL_MS = 6_000;

export function schedule(plan: Plan): readonly Step[] {
  const random = seeded(`${plan.seed}/schedule`);
  const tracks: readonly Track[] = ["relay", "queue", "lane", "control"];
  const steps = [
    ...tracks.flatMap((track) => stepsOf(plan, { track, destination: null, random: random.fork(track) })),
    ...plan.destinations.flatMap((destination) =>
      stepsOf(plan, { track: "destination", destination, random: random.fork(destination.name) }),
    ),
  ];
  return steps.sort((a, b) => a.at - b.at);
}

function stepsOf(
  { destinations, durationMs, haste }: Plan,
  { track, destination, random }: { track: Track; destination: Named | null; random: Random },
): Step[] {
  const kinds = FAULTS.filter(
    ({ track: own, providers }) =>
      own === track && (destination === null || (providers?.includes(destination.provider) ?? true)),
  );
  const until = track === "relay" ? durationMs - LAST_FALL_MS : durationMs;
  const steps: Step[] = [];
  let deck: readonly (typeof kinds)[number][] = [];
  let at = FIRST_AT + random.between(0, 1_500);
  if (track === "relay") at += 2_500;
  while (at < until) {
    if (deck.length === 0) deck = shuffled(kinds, random);
    const [kind, ...rest] = deck;
    deck = rest;
    if (kind === undefined) break;
    const lastsMs = random.between(...kind.lasts);
    const target = destination ?? random.pick(destinations);
    steps.push({ at: Math.round(at), fault: kind.name, target: target.name, lastsMs });
    const [low, high] = GAPS[track];
    at += lastsMs + random.between(low, high) * haste;
  }
  return steps;
}
