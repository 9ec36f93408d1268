/**
 * The judge: what was promised, against what both ends say. Pure: facts in, complaints out, so that it can be shown
 * facts that are wrong and has to notice.
 */
import type { State } from "./oracle.ts";

export interface EventFact {
  readonly id: string | null;
  readonly tenant: string;
  readonly state: State;
  /** From the first request that carried it until the answer that ended it. */
  readonly sentAt: number;
  readonly endedAt: number;
  /** Of its producer's requests, for whoever looks into a failure. */
  readonly answers: readonly string[];
}

export interface Letter {
  readonly eventId: string;
  readonly reason: string;
  readonly message: string;
}

/** A time in which a destination was owed nothing new: not yet made, switched off, deleted. */
export interface Excuse {
  readonly from: number;
  readonly to: number;
}

export interface Counters {
  readonly taken: number;
  readonly delivered: number;
  readonly possiblyDuplicated: number;
  /** Dead letters that wait for a person. */
  readonly deadLetters: number;
  /** Dead letters that were ever put back. */
  readonly replayed: number;
}

export interface DestinationFact {
  readonly name: string;
  readonly tenant: string;
  /** Copies of each id that the provider holds. */
  readonly arrived: ReadonlyMap<string, number>;
  readonly deadLetters: readonly Letter[];
  readonly excuses: readonly Excuse[];
  /** Ids of the relay's own events, of its administration, by what is written in them. */
  readonly own: ReadonlySet<string>;
  /** Arrived, with a number of the oracle's in it, under an id that the relay chose and could not tell. */
  readonly untold: ReadonlyMap<string, EventFact>;
  /** Copies whose text is not what was sent. */
  readonly damaged: readonly string[];
  /** Broken rules of the vendor's, as the simulator saw them. */
  readonly brokenRules: readonly string[];
  /** Null for one that was deleted: nobody counts for it any more. */
  readonly live: {
    readonly counters: Counters;
    readonly waiting: number;
    readonly status: string;
    /** From the 202 until it was there, with nothing else going on; null when it did not come. */
    readonly freshMs: number | null;
  } | null;
  /** What its deletion said; null where it was not deleted, or where the answer was lost. */
  readonly flushed: { readonly flushed: number; readonly deadLettered: number } | null;
  /** Events of requests that were under way when the relay or the lane fell. */
  readonly interrupted: number;
}

export interface Facts {
  readonly events: readonly EventFact[];
  readonly destinations: readonly DestinationFact[];
  readonly queue: { readonly waiting: number; readonly dead: number; readonly stranded: number };
  /** Faults that leave no choice but to deliver twice were injected, so there must be duplicates. */
  readonly expectsDuplicates: boolean;
}

export interface Complaint {
  readonly rule: Rule;
  readonly destination: string | null;
  readonly message: string;
  /** Some of the events concerned. */
  readonly ids: readonly string[];
}

export const RULES = {
  kept: "Every acknowledged event arrived, or is a visible dead letter",
  explained: "Every dead letter says why",
  issued: "Every event that arrived was issued, to that tenant, and not refused",
  intact: "What arrived is what was sent, byte for byte",
  unstuck: "Nothing stays stuck once the faults are over",
  fresh: "A fresh event flows within 5 seconds",
  ambiguity: "There were duplicates: the faults were not too gentle",
  bounded: "Every duplicate has a cause: an answer that was lost, a crash, a replay",
  counted: "The relay's counters agree with both ends",
  lawful: "No rule of a vendor was broken",
} as const;
export type Rule = keyof typeof RULES;

export const FRESH_WITHIN_MS = 5_000;
/** Of what arrived, and on top of what has a cause: none is allowed without. */
export const MAX_DUPLICATE_SHARE = 0.25;
const SHOWN = 5;

export function judge(facts: Facts): readonly Complaint[] {
  const tenants = Map.groupBy(facts.events, ({ tenant }) => tenant);
  const byId = new Map(
    facts.events.flatMap((event) => (event.id === null ? [] : [[event.id, event] as const])),
  );
  return [
    ...facts.destinations.flatMap((destination) => [
      ...kept(destination, tenants.get(destination.tenant) ?? []),
      ...explained(destination),
      ...issued(destination, byId),
      ...intact(destination),
      ...flowing(destination),
      ...bounded(destination),
      ...counted(destination),
    ]),
    ...queued(facts),
    ...ambiguous(facts),
  ];
}

function kept(destination: DestinationFact, events: readonly EventFact[]): Complaint[] {
  const { arrived, deadLetters, excuses } = destination;
  const dead = new Set(deadLetters.map(({ eventId }) => eventId));
  const lost = events.filter(
    ({ id, state, sentAt, endedAt }) =>
      state === "acknowledged" &&
      (id === null || (!arrived.has(id) && !dead.has(id))) &&
      !excuses.some(({ from, to }) => sentAt <= to && endedAt >= from),
  );
  return complain(
    "kept",
    destination,
    lost.map(({ id }) => id ?? "(no id)"),
    "lost",
  );
}

function explained(destination: DestinationFact): Complaint[] {
  const mute = destination.deadLetters.filter(({ reason, message }) => reason === "" || message === "");
  return complain(
    "explained",
    destination,
    mute.map(({ eventId }) => eventId),
    "without a reason",
  );
}

function issued(destination: DestinationFact, byId: ReadonlyMap<string, EventFact>): Complaint[] {
  const { tenant, arrived, deadLetters, own, untold } = destination;
  const seen = [...arrived.keys(), ...deadLetters.map(({ eventId }) => eventId)];
  const strange = seen.filter((id) => {
    const event = byId.get(id) ?? untold.get(id);
    if (event === undefined) return !own.has(id);
    return event.tenant !== tenant || event.state === "refused";
  });
  return complain(
    "issued",
    destination,
    strange,
    "that were never issued, belong to another tenant or were refused",
  );
}

function intact(destination: DestinationFact): Complaint[] {
  return [
    ...complain("intact", destination, destination.damaged, "changed on the way"),
    ...complain("lawful", destination, destination.brokenRules, "rules broken"),
  ];
}

function flowing(destination: DestinationFact): Complaint[] {
  const { name, live } = destination;
  if (live === null) return [];
  const { waiting, status, freshMs } = live;
  const complaints: Complaint[] = [];
  if (waiting > 0 || status !== "active")
    complaints.push({
      rule: "unstuck",
      destination: name,
      message: `${waiting} events wait; ${status}`,
      ids: [],
    });
  if (freshMs === null || freshMs > FRESH_WITHIN_MS) {
    const message =
      freshMs === null ? "the fresh event did not arrive" : `the fresh event took ${freshMs} ms`;
    complaints.push({ rule: "fresh", destination: name, message, ids: [] });
  }
  return complaints;
}

export function duplicatesOf({ arrived }: Pick<DestinationFact, "arrived">): number {
  let copies = 0;
  for (const count of arrived.values()) copies += count;
  return copies - arrived.size;
}

function bounded(destination: DestinationFact): Complaint[] {
  const { name, live, interrupted, arrived } = destination;
  if (live === null) return [];
  const duplicates = duplicatesOf(destination);
  const { possiblyDuplicated, replayed } = live.counters;
  const explainable = possiblyDuplicated + interrupted + replayed;
  const complaints: Complaint[] = [];
  if (duplicates > explainable) {
    const message = `${duplicates} duplicates, of which ${explainable} can be explained (${possiblyDuplicated} by lost answers, ${interrupted} by crashes, ${replayed} by replays)`;
    complaints.push({ rule: "bounded", destination: name, message, ids: repeated(arrived) });
  }
  if (duplicates > Math.max(5_000, arrived.size * MAX_DUPLICATE_SHARE)) {
    const message = `${duplicates} duplicates of ${arrived.size} events`;
    complaints.push({ rule: "bounded", destination: name, message, ids: repeated(arrived) });
  }
  return complaints;
}

function repeated(arrived: ReadonlyMap<string, number>): string[] {
  return [...arrived]
    .filter(([, count]) => count > 1)
    .map(([id]) => id)
    .slice(0, SHOWN);
}

/**
 * An event is taken once, however often it is sent, handed over or delivered. So what a lane has taken, delivered and
 * set aside are the events that the provider and the list of dead letters show, each counted once.
 */
function counted(destination: DestinationFact): Complaint[] {
  const { name, live, arrived, deadLetters } = destination;
  if (live === null) return flushCounted(destination);
  const { taken, delivered, deadLetters: dead } = live.counters;
  const ids = new Set([...arrived.keys(), ...deadLetters.map(({ eventId }) => eventId)]);
  const messages: string[] = [];
  if (dead !== deadLetters.length)
    messages.push(`${dead} dead letters counted, ${deadLetters.length} listed`);
  if (taken !== delivered + dead + live.waiting)
    messages.push(
      `${taken} taken, but ${delivered} delivered, ${dead} dead letters and ${live.waiting} waiting`,
    );
  if (taken !== ids.size)
    messages.push(`${taken} taken, but ${ids.size} different events have arrived or are dead letters`);
  return messages.map((message) => ({ rule: "counted", destination: name, message, ids: [] }));
}

function flushCounted({ name, flushed, deadLetters, arrived }: DestinationFact): Complaint[] {
  if (flushed === null) return [];
  const messages: string[] = [];
  if (flushed.deadLettered > deadLetters.length)
    messages.push(
      `its deletion told of ${flushed.deadLettered} dead letters, and ${deadLetters.length} are listed`,
    );
  if (flushed.flushed > [...arrived.values()].reduce((sum, count) => sum + count, 0))
    messages.push(`its deletion told of ${flushed.flushed} flushed events, more than ever arrived`);
  return messages.map((message) => ({ rule: "counted", destination: name, message, ids: [] }));
}

function queued({ queue }: Facts): Complaint[] {
  const { waiting, dead, stranded } = queue;
  if (waiting + dead + stranded === 0) return [];
  const message = `${waiting} messages on the queue, ${dead} on the dead-letter queue, ${stranded} stranded`;
  return [{ rule: "unstuck", destination: null, message, ids: [] }];
}

function ambiguous({ destinations, expectsDuplicates }: Facts): Complaint[] {
  if (!expectsDuplicates || destinations.some((destination) => duplicatesOf(destination) > 0)) return [];
  return [{ rule: "ambiguity", destination: null, message: "not one event arrived twice", ids: [] }];
}

function complain(rule: Rule, { name }: DestinationFact, ids: readonly string[], what: string): Complaint[] {
  if (ids.length === 0) return [];
  return [{ rule, destination: name, message: `${ids.length} ${what}`, ids: ids.slice(0, SHOWN) }];
}
