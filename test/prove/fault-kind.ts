/** What a kind of fault is, and what several of them do or show alike. */
import type { Fault } from "../simulator/control.ts";
import type { Random } from "./random.ts";
import type { Live, World } from "./world.ts";

/** Faults of one track never overlap; tracks do. Every destination has one of its own. */
export type Track = "relay" | "queue" | "lane" | "control" | "destination";

export interface Injection {
  readonly world: World;
  /** For the tracks `lane`, `control` and `destination`. */
  readonly target: Live;
  readonly random: Random;
  /** As long as it is to last. */
  hold(): Promise<void>;
}

export interface FaultKind {
  readonly name: string;
  readonly track: Track;
  /** Providers that can behave so; all when absent. */
  readonly providers?: readonly string[];
  /** A receiver that follows it has to get something twice. */
  readonly isAmbiguous?: boolean;
  /** Milliseconds. */
  readonly lasts: readonly [shortest: number, longest: number];
  readonly does: string;
  readonly operatorSees: string;
  /** Injects, holds, lifts. @returns false when it could not strike */
  run(injection: Injection): Promise<boolean | undefined>;
}

export const SHORT = [700, 2_500] as const;
export const LONG = [1_500, 4_500] as const;
/** The instance misbehaves; a lane that backs off is told to try again first, so that the fault strikes. */
export function misbehave(make: (random: Random) => Fault): FaultKind["run"] {
  return async ({ world, target, random, hold }) => {
    const { name } = target.spec;
    await wake(world, target);
    const before = await world.siem.summary(name);
    await world.siem.fault(name, make(random));
    await hold();
    const after = await world.siem.summary(name);
    await world.siem.recover(name);
    return after.requests > before.requests || after.hanging > 0;
  };
}

/** Settings of the instance are others for a while. */
export function reconfigure(changeOf: (target: Live) => object): FaultKind["run"] {
  return async ({ world, target, hold }) => {
    const { spec } = target;
    const change = changeOf(target);
    await wake(world, target);
    const before = await world.siem.summary(spec.name);
    await world.configure(spec, change);
    try {
      await hold();
      const after = await world.siem.summary(spec.name);
      return after.requests > before.requests;
    } finally {
      await world.restore(spec, change);
    }
  };
}

async function wake(world: World, target: Live): Promise<void> {
  const { status } = await world.view(target);
  if (status !== "active") await world.patch(target, { name: `${target.spec.name}, woken` });
}

export const TROUBLE = "`degraded` with `provider_error` and HEC's words; back by itself.";
export const THROTTLED = "`degraded` with `throttled`; the backlog grows for a while and drains by itself.";
export const CREDENTIALS =
  "`degraded` with `credentials_rejected` and HEC's words; nothing is dropped, and a `PATCH` tries at once.";
export const RELAY_FAULT =
  "Dead letters with the reason `relay_fault` and a message that names the header a proxy takes away; replay them.";
export const REFUSED = "Dead letters with the reason `refused` and the provider's words; the rest goes on.";
export const LOST_ANSWER =
  "`degraded` for a moment; `sluice_events_possibly_duplicated_total` rises, and the SIEM may show an event twice.";
