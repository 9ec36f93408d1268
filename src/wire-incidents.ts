/** What incidents and their sources ask for, from `Env`. Part of the composition root. */
import { waitUntil } from "cloudflare:workers";
import { type Clock, systemClock } from "./base/clock.ts";
import type { ProduceDeps } from "./flow/queue/produce.ts";
import type { ChangeDeps, RaiseDeps, SweepDeps } from "./incidents.ts";
import type { Log } from "./observe/log.ts";
import { createIncidentStore, type IncidentStore } from "./store/incidents.ts";
import { createToldMarks } from "./told-marks.ts";

/** What `wire.ts` has made already. */
export interface Wired extends ProduceDeps {
  readonly log: Log;
}

export type IncidentDeps = RaiseDeps & ChangeDeps & SweepDeps & { readonly incidents: IncidentStore };

/** For `raiseIncidents`, `changeIncident` and `sweepUntold`. */
export function incidentDeps(env: Env, { log, sendBatch }: Wired, now: Clock = systemClock): IncidentDeps {
  const incidents = createIncidentStore(env.DB);
  const complain = (what: string, facts: Readonly<Record<string, unknown>>): void =>
    log("error", what, facts);
  const told = createToldMarks({
    now,
    markTold: (changes, at) => incidents.markTold(changes, at),
    sleep: (duration) => scheduler.wait(duration),
    later: (work) => waitUntil(work()),
    log: complain,
  });
  return { now, sendBatch, incidents, told, log: complain };
}
