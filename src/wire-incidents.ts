/** What incidents and their sources ask for, from `Env`. Part of the composition root. */
import { waitUntil } from "cloudflare:workers";
import { type Clock, systemClock } from "./base/clock.ts";
import type { ProduceDeps } from "./flow/queue/produce.ts";
import type { ChangeDeps, RaiseDeps, SweepDeps } from "./incidents.ts";
import type { Log } from "./observe/log.ts";
import { createIncidentStore, type IncidentStore } from "./store/incidents.ts";

/** What `wire.ts` has made already. */
export interface Wired extends ProduceDeps {
  readonly log: Log;
}

export type IncidentDeps = RaiseDeps & ChangeDeps & SweepDeps & { readonly incidents: IncidentStore };

/** For `raiseIncidents`, `changeIncident` and `sweepUntold`. */
export function incidentDeps(env: Env, { log, sendBatch }: Wired, now: Clock = systemClock): IncidentDeps {
  return {
    now,
    sendBatch,
    incidents: createIncidentStore(env.DB),
    later: (work) => waitUntil(work()),
    log: (what, facts) => log("error", what, facts),
  };
}
