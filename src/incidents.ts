/**
 * Incidents: alerts in, events out.
 *
 * The database has a change of an incident before anything is told of it. The change then waits there as untold until
 * the queue has its event. What a crash cuts off in between is told when its alert comes again, as it does from a poller
 * whose page was cut off and from a sender that tries again. The rest the schedule tells later. All of it goes under the
 * same ids, which lanes recognise.
 */
import { type Clock, minutes } from "./base/clock.ts";
import { ID_PREFIX, newId } from "./base/ids.ts";
import { err, ok, type Result } from "./base/result.ts";
import { type ProduceDeps, produceAll } from "./flow/queue/produce.ts";
import { fitRecord } from "./model/alert-record.ts";
import {
  type Incident,
  type IncidentChange,
  type IncidentChangeKind,
  type IncidentDraft,
  type IncidentState,
  type RaisedIncident,
  TRANSITIONS,
} from "./model/incident.ts";
import { changeIds, type IncidentNews, incidentEvent } from "./model/incident-event.ts";
import { writeLines } from "./model/lines.ts";
import type { Source } from "./model/source.ts";
import { type IncidentStore, requestIdOf, type Settled, type ToldChange } from "./store/incidents.ts";

export type RaisingSource = Pick<Source, "id" | "tenantId" | "name" | "kind">;

export interface TellDeps extends ProduceDeps {
  readonly now: Clock;
  /** Remembers that the queue has the events of these changes; in its own time, nobody waits for it. */
  told(changes: readonly ToldChange[]): void;
  log(what: string, facts: Readonly<Record<string, unknown>>): void;
}

export interface RaiseDeps extends TellDeps {
  readonly incidents: Pick<IncidentStore, "raise">;
}

export interface ChangeDeps extends TellDeps {
  readonly incidents: Pick<IncidentStore, "get" | "live" | "change">;
}

export interface SweepDeps extends Omit<TellDeps, "told"> {
  readonly incidents: Pick<IncidentStore, "untold" | "countUntold" | "markTold" | "prune">;
}

/**
 * Makes alerts into incidents, and tells of each that counted and of each repeat whose first time was left untold. All
 * of them count or none: this rejects when the database does not take them.
 *
 * @param drafts up to a few hundred; alerts of one source, in the order in which they came
 * @returns what became of each, in the same order
 */
export async function raiseIncidents(
  source: RaisingSource,
  drafts: readonly IncidentDraft[],
  deps: RaiseDeps,
): Promise<readonly RaisedIncident[]> {
  const at = deps.now();
  const alerts = drafts.map((draft) => ({
    draft: { ...draft, alert: fitRecord(draft.alert) },
    incidentId: newId(ID_PREFIX.incident, at),
  }));
  const { raised, news } = await deps.incidents.raise({ requestId: requestIdOf(at), source, alerts, at });
  await tell(news, deps);
  return raised;
}

/** What a person wants of an incident; what is absent stays as it is. */
export interface WantedChange {
  readonly state?: IncidentState | undefined;
  readonly priority?: Incident["priority"] | undefined;
  /** Null clears it. */
  readonly assignmentGroup?: string | null | undefined;
  readonly note?: string | undefined;
}

export type Actor = Pick<IncidentChange, "actorId" | "actorType">;

export type ChangeRefusal =
  | { readonly reason: "not_found" }
  | { readonly reason: "illegal"; readonly from: IncidentState; readonly legal: readonly IncidentState[] }
  /** It cannot be opened again, because its alerts have opened another one since. */
  | { readonly reason: "succeeded"; readonly by: Incident }
  /** Others were quicker each time. */
  | { readonly reason: "busy" };

/** Times that a change is tried over what others have just written. */
const MAX_TRIES = 5;

/** What happened, by the state that it led to. */
const KIND_OF: Readonly<Record<IncidentState, IncidentChangeKind>> = {
  open: "reopen",
  acknowledged: "acknowledge",
  resolved: "resolve",
  closed: "close",
};

/**
 * Changes an incident and tells of it. Decided anew over each state that it is written over, so that of two people
 * at once both succeed where the second change is legal after the first.
 */
export async function changeIncident(
  name: { readonly tenantId: string; readonly id: string },
  wanted: WantedChange & { readonly actor: Actor },
  deps: ChangeDeps,
): Promise<Result<Incident, ChangeRefusal>> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const present = await deps.incidents.get(name.tenantId, name.id);
    if (present === null) return err({ reason: "not_found" });
    const to = wanted.state ?? present.state;
    if (to !== present.state && !TRANSITIONS[present.state].includes(to)) {
      return err({ reason: "illegal", from: present.state, legal: TRANSITIONS[present.state] });
    }
    const after = settled(present, wanted, deps.now());
    const changes = linesOf(present, after, wanted);
    if (changes.length === 0) return ok(present);
    const write = { ...name, at: deps.now(), before: present, after, changes };
    const news = await deps.incidents.change(write);
    if (news !== null) {
      await tell(news, deps);
      return ok(news.at(-1)?.incident ?? present);
    }
    const live = after.state === "open" ? await deps.incidents.live(present) : null;
    if (live !== null && live.id !== present.id) return err({ reason: "succeeded", by: live });
  }
  return err({ reason: "busy" });
}

type After = Settled & Pick<Incident, "acknowledgedAt" | "resolvedAt" | "closedAt">;

/** Opening again forgets that anybody had seen to it: it waits for somebody once more. */
function settled(present: Incident, wanted: WantedChange, at: number): After {
  const state = wanted.state ?? present.state;
  const isMove = state !== present.state;
  const isReopened = isMove && state === "open";
  const since = (own: IncidentState, before: number | null): number | null =>
    isReopened ? null : isMove && state === own ? at : before;
  return {
    state,
    priority: wanted.priority ?? present.priority,
    assignmentGroup: wanted.assignmentGroup === undefined ? present.assignmentGroup : wanted.assignmentGroup,
    acknowledgedAt: since("acknowledged", present.acknowledgedAt),
    resolvedAt: since("resolved", present.resolvedAt),
    closedAt: since("closed", present.closedAt),
  };
}

type Line = Pick<IncidentChange, "kind" | "actorId" | "actorType" | "changes" | "note">;

/** One line for the state, one for the other fields; the note goes with the first, or alone. */
function linesOf(before: Settled, after: Settled, { actor, note }: WantedChange & { actor: Actor }): Line[] {
  const other: Record<string, { from: unknown; to: unknown }> = {};
  if (after.priority !== before.priority) other["priority"] = { from: before.priority, to: after.priority };
  if (after.assignmentGroup !== before.assignmentGroup) {
    other["assignment_group"] = { from: before.assignmentGroup, to: after.assignmentGroup };
  }
  const told: Pick<Line, "kind" | "changes">[] = [];
  if (after.state !== before.state) {
    told.push({ kind: KIND_OF[after.state], changes: { state: { from: before.state, to: after.state } } });
  }
  if (Object.keys(other).length > 0) told.push({ kind: "update", changes: other });
  if (told.length === 0 && note !== undefined) told.push({ kind: "note", changes: {} });
  return told.map((line, index) => ({ ...line, ...actor, note: index === 0 ? (note ?? null) : null }));
}

/** A change that is still untold after that long was forgotten by whoever made it. */
export const TELLING_TAKES = minutes(1);
/** Changes that are read at once; each brings its incident's latest alert. */
const SWEEP_READS = 100;
/** Changes that one run of the schedule tells. */
const MAX_SWEPT = 2_000;
/** Rows that one run of the schedule forgets. */
const MAX_PRUNED = 5_000;

/** For the schedule: tells what was left untold, and forgets alerts too old to come again. Never rejects. */
export async function sweepUntold(deps: SweepDeps): Promise<void> {
  try {
    let told = 0;
    for (let isDone = false; !isDone && told < MAX_SWEPT; ) {
      const news = await deps.incidents.untold(deps.now() - TELLING_TAKES, SWEEP_READS);
      isDone = news.length < SWEEP_READS;
      if (!(await produceNews(news, deps))) break;
      await deps.incidents.markTold(news.map(nameOf), deps.now());
      told += news.length;
    }
    const left = await countUntold(deps);
    if (told > 0 || left > 0) deps.log("incident.events_swept", { told, untold: left });
    await deps.incidents.prune(deps.now(), MAX_PRUNED);
  } catch (error) {
    deps.log("incident.sweep_failed", { error });
  }
}

/** How many changes should have been told by now and are not known to be. */
export function countUntold({ now, incidents }: Pick<SweepDeps, "now" | "incidents">): Promise<number> {
  return incidents.countUntold(now() - TELLING_TAKES);
}

/** Puts events on the queue, and remembers after the answer that it did. Never rejects: the change stands. */
async function tell(news: readonly IncidentNews[], deps: TellDeps): Promise<void> {
  if (await produceNews(news, deps)) deps.told(news.map(nameOf));
}

/** A batch for each event, because a batch's name follows from the change that it tells. */
async function produceNews(news: readonly IncidentNews[], deps: Omit<TellDeps, "told">): Promise<boolean> {
  if (news.length === 0) return true;
  try {
    const acceptedAt = deps.now();
    const batches = news.map((each) => ({
      tenantId: each.incident.tenantId,
      batchId: changeIds(each.change.incidentId, each.incident.revision, each.change.at).batch,
      acceptedAt,
      lines: writeLines([incidentEvent(each)]),
    }));
    if (await produceAll(batches, deps)) return true;
    deps.log("incident.untold", { changes: news.length });
  } catch (error) {
    deps.log("incident.untold", { changes: news.length, error });
  }
  return false;
}

function nameOf({ incident, change }: IncidentNews): ToldChange {
  return { incidentId: change.incidentId, revision: incident.revision };
}
