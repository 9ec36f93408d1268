/** One run: producers and faults at the same time, then peace, then the facts. */
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import canonicalize from "canonicalize";
import { type Answer, eventually, type Json } from "../node/support/relay.ts";
import type { Named } from "./destinations.ts";
import { faultNamed } from "./faults.ts";
import {
  type Counters,
  type DestinationFact,
  type EventFact,
  type Facts,
  FRESH_WITHIN_MS,
  type Letter,
} from "./judge.ts";
import { type IssuedEvent, Oracle } from "./oracle.ts";
import { emptyTally, keyFor, Producer, type Tally } from "./producers.ts";
import { seeded } from "./random.ts";
import type { Step } from "./schedule.ts";
import { type Live, type Tenant, World } from "./world.ts";

export interface RunPlan {
  readonly seed: string;
  readonly tenants: readonly (readonly Named[])[];
  readonly steps: readonly Step[];
  readonly durationMs: number;
  readonly eventsPerSecond: number;
  readonly maxBatch: number;
  /** Every copy of every n-th id is compared with what was sent. */
  readonly compareEvery: number;
  /** Fresh events of which one has to be in time; more than 1 where other work shares the machine. */
  readonly freshTries: number;
  note(what: string): void;
}

export interface Struck {
  readonly step: Step;
  readonly startedAt: number;
  endedAt: number;
  /** It met at least one request, or was done to the relay itself. */
  hasStruck: boolean;
  /** From the end of the fault to the next sign of health; null where another fault came first. */
  recoveryMs: number | null;
  error: string | null;
}

export interface RunResult {
  readonly facts: Facts;
  readonly struck: readonly Struck[];
  readonly tally: Tally;
  readonly startedAt: number;
  /** From the end of the faults until nothing was under way. */
  readonly settledMs: number;
}

/** Longer than the longest wait for an acknowledgement that will not come. */
const QUIET_WITHIN_MS = 300_000;
const FRESH_PATIENCE_MS = 20_000;
const RECOVERY_PATIENCE_MS = 120_000;
const COMPARED_AT_ONCE = 24;

export async function run(plan: RunPlan): Promise<RunResult> {
  const world = new World();
  const oracle = new Oracle(plan.seed);
  try {
    await world.open();
    const tenants = await setUp(world, plan);
    const producers = await producersOf(world, { oracle, tenants, plan });
    const startedAt = Date.now();
    let isOver = false;
    const pace = {
      eventsPerSecond: plan.eventsPerSecond / producers.length,
      maxBatch: plan.maxBatch,
      isOver: () => isOver,
    };
    const traffic = Promise.all(producers.map((producer) => producer.run(pace)));
    const [struck] = await Promise.all([
      strikeAll(world, { oracle, plan, startedAt }),
      pause(plan.durationMs).then(() => {
        isOver = true;
      }),
    ]);
    plan.note("faults are over: mending");
    const mendedAt = Date.now();
    await world.mend();
    await traffic;
    await world.isQuiet(QUIET_WITHIN_MS);
    const settledMs = Date.now() - mendedAt;
    plan.note(`quiet after ${settledMs} ms: fresh events, then the facts`);
    const fresh = await sendFresh(world, { oracle, tenants, tries: plan.freshTries });
    const facts = await collect(world, { oracle, fresh, plan, struck });
    return { facts, struck, tally: sum(producers.map(({ tally }) => tally)), startedAt, settledMs };
  } finally {
    await world.close();
  }
}

async function setUp(world: World, { tenants }: RunPlan): Promise<readonly Tenant[]> {
  const made: Tenant[] = [];
  for (const [index, specs] of tenants.entries()) {
    const tenant = await world.addTenant(`Tenant ${index}`);
    for (const spec of specs) await world.addDestination(tenant, spec);
    made.push(tenant);
  }
  return made;
}

/** For each tenant one producer with a plain key and one that signs. */
async function producersOf(
  world: World,
  { oracle, tenants, plan }: { oracle: Oracle; tenants: readonly Tenant[]; plan: RunPlan },
): Promise<readonly Producer[]> {
  const random = seeded(`${plan.seed}/producers`);
  const made: Producer[] = [];
  for (const tenant of tenants) {
    for (const isSigned of [false, false, true]) {
      const key = await keyFor(world, tenant, isSigned);
      made.push(new Producer(world, oracle, { tenant, key, random: random.fork(String(made.length)) }));
    }
  }
  return made;
}

// --- Faults -----------------------------------------------------------------------------------------------

interface Striking {
  readonly oracle: Oracle;
  readonly plan: RunPlan;
  readonly startedAt: number;
}

/** Each track by itself, in order: a step that is late begins when the one before it has ended. */
async function strikeAll(world: World, striking: Striking): Promise<readonly Struck[]> {
  const tracks = Map.groupBy(striking.plan.steps, ({ fault, target }) => {
    const { track } = faultNamed(fault);
    return track === "destination" ? target : track;
  });
  const struck = await Promise.all([...tracks.values()].map((steps) => strikeTrack(world, steps, striking)));
  return struck.flat().sort((a, b) => a.startedAt - b.startedAt);
}

async function strikeTrack(world: World, steps: readonly Step[], striking: Striking): Promise<Struck[]> {
  const { plan, startedAt } = striking;
  const all: Struck[] = [];
  for (const step of steps) {
    await pause(Math.max(0, startedAt + step.at - Date.now()));
    if (Date.now() > startedAt + plan.durationMs) break; // earlier ones took their time
    const target = world.destinations.find(({ spec }) => spec.name === step.target);
    if (target === undefined) throw new Error(`There is no destination called ${step.target}`);
    all.push(await strike(world, { step, target, striking }));
  }
  return all;
}

async function strike(
  world: World,
  { step, target, striking }: { step: Step; target: Live; striking: Striking },
): Promise<Struck> {
  const { plan, oracle } = striking;
  const kind = faultNamed(step.fault);
  const random = seeded(`${plan.seed}/${step.fault}/${step.target}/${step.at}`);
  const one: Struck = {
    ...{ step, startedAt: Date.now(), endedAt: 0, hasStruck: false, recoveryMs: null, error: null },
  };
  try {
    const hold = () => pause(step.lastsMs);
    one.hasStruck = (await kind.run({ world, target, random, hold })) ?? true;
  } catch (error) {
    one.error = String(error).slice(0, 300);
    plan.note(`${step.fault} at ${step.target}: ${one.error}`);
  }
  one.endedAt = Date.now();
  void watchRecovery(world, {
    one,
    target,
    oracle,
    isRelay: kind.track === "relay" || kind.track === "queue",
  });
  return one;
}

/** Of the relay: the next 202. Of a destination: the next delivery. Counted only where nothing helped. */
async function watchRecovery(
  world: World,
  watch: { one: Struck; target: Live; oracle: Oracle; isRelay: boolean },
): Promise<void> {
  const { one, target, oracle, isRelay } = watch;
  const from = isRelay ? one.startedAt : one.endedAt;
  const isWell = async (): Promise<boolean> => {
    if (isRelay) return oracle.acknowledgedAt > one.endedAt - 50;
    const { last_delivered_at: at } = await world.view(target);
    return typeof at === "string" && Date.parse(at) > one.endedAt;
  };
  for (const deadline = Date.now() + RECOVERY_PATIENCE_MS; Date.now() < deadline; await pause(500)) {
    const { fault } = await world.siem.summary(target.spec.name).catch(() => ({ fault: null }));
    if (!isRelay && fault !== null) return; // the next fault came first
    if (!(await isWell().catch(() => false))) continue;
    one.recoveryMs = Date.now() - from;
    return;
  }
}

// --- The facts --------------------------------------------------------------------------------------------

type Fresh = ReadonlyMap<Live, number | null>;

/** One event to each tenant, with nothing else going on: how long until each of its destinations has it? */
async function sendFresh(
  world: World,
  { oracle, tenants, tries }: { oracle: Oracle; tenants: readonly Tenant[]; tries: number },
): Promise<Fresh> {
  const fresh = new Map<Live, number | null>();
  for (const tenant of tenants) {
    for (let left = tries; left > 0; left -= 1) {
      const times = await sendFreshTo(world, oracle, tenant);
      for (const [live, time] of times) fresh.set(live, time);
      if ([...times.values()].every((time) => time !== null && time <= FRESH_WITHIN_MS)) break;
    }
  }
  await world.isQuiet(10_000); // what arrived is recorded a moment later
  return fresh;
}

async function sendFreshTo(world: World, oracle: Oracle, tenant: Tenant): Promise<Fresh> {
  const { event, text } = oracle.issue(tenant.id, true);
  event.sentAt = Date.now();
  const answer = await world.call("POST", "/v1/audit/events", { key: tenant.key, body: text });
  if (answer.status !== 202) throw new Error(`The fresh event was answered ${answer.status}`);
  event.endedAt = Date.now();
  event.state = "acknowledged";
  const own = world.destinations.filter((live) => live.tenant.id === tenant.id && !live.isDeleted);
  const times = own.map(async (live) => {
    const hasIt = async () => (await world.siem.event(live.spec.name, event.id ?? "")).length > 0;
    const came = await eventually(hasIt, FRESH_PATIENCE_MS).catch(() => false);
    return [live, came ? Date.now() - event.endedAt : null] as const;
  });
  return new Map(await Promise.all(times));
}

interface Collecting {
  readonly oracle: Oracle;
  readonly fresh: Fresh;
  readonly plan: RunPlan;
  readonly struck: readonly Struck[];
}

async function collect(world: World, collecting: Collecting): Promise<Facts> {
  const { oracle, struck } = collecting;
  const metrics = parseMetrics(await world.metrics());
  const destinations: DestinationFact[] = [];
  for (const live of world.destinations)
    destinations.push(await factOf(world, live, { ...collecting, metrics }));
  const { depth, dead } = await world.queueDepth();
  return {
    events: oracle.events.map(eventFact),
    destinations,
    queue: { waiting: depth, dead, stranded: metrics.get("sluice_stranded_messages", null) },
    expectsDuplicates:
      struck.filter(({ step, hasStruck }) => hasStruck && faultNamed(step.fault).isAmbiguous === true)
        .length > 3,
  };
}

function eventFact({ id, tenant, state, sentAt, endedAt, answers }: IssuedEvent): EventFact {
  return { id, tenant, state, sentAt, endedAt, answers };
}

async function factOf(
  world: World,
  live: Live,
  { oracle, fresh, plan, metrics }: Collecting & { readonly metrics: Metrics },
): Promise<DestinationFact> {
  const { spec, tenant } = live;
  const { ids } = await world.siem.events(spec.name);
  const summary = await world.siem.summary(spec.name);
  const arrived = new Map(Object.entries(ids).filter(([id]) => id !== "-"));
  const deadLetters = await lettersOf(world, live);
  const compared = await compare(world, live, { oracle, plan, ids: [...arrived.keys()] });
  for (const { eventId, event } of deadLetters) {
    if (event["service"] === "sluice") compared.own.add(eventId);
    // Of a request without an answer: set aside at a deleted destination, its events may have arrived nowhere there.
    const issued = oracle.find(eventId) === null ? oracle.numberedIn(JSON.stringify(event)) : null;
    if (issued !== null) compared.untold.set(eventId, eventFact(issued));
  }
  const waiting = live.isDeleted ? null : ((await world.view(live)) as { backlog: Json; status: string });
  return {
    ...{ name: spec.name, tenant: tenant.id, arrived, deadLetters, excuses: live.excuses, ...compared },
    brokenRules: [
      ...summary.violations
        .filter(({ rule }) => !spec.brokenThen.includes(rule))
        .map(({ rule, detail }) => `${rule}: ${detail}`),
      ...(summary.anonymous > 0 ? [`${summary.anonymous} events without an id`] : []),
    ],
    live:
      waiting === null
        ? null
        : {
            counters: countersOf(metrics, live.id),
            waiting: Number(waiting.backlog["events"]),
            status: waiting.status,
            freshMs: fresh.get(live) ?? null,
          },
    flushed: live.flushed,
    interrupted: live.interrupted,
  };
}

async function lettersOf(world: World, { id, tenant }: Live): Promise<(Letter & { readonly event: Json })[]> {
  const letters: (Letter & { readonly event: Json })[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/v1/audit/siem/${id}/dead-letters?limit=100${more}`;
    const { body }: Answer = await world.call("GET", path, { key: tenant.key });
    for (const letter of body["data"] as Json[]) {
      const { event_id: eventId, reason, message, event } = letter;
      letters.push({
        ...{ eventId: String(eventId), reason: String(reason ?? ""), message: String(message ?? "") },
        event: event as Json,
      });
    }
    cursor = typeof body["next_cursor"] === "string" ? body["next_cursor"] : null;
  }
  return letters;
}

interface Compared {
  readonly own: Set<string>;
  readonly untold: Map<string, EventFact>;
  readonly damaged: string[];
}

/** Reads copies back from the provider: what is unknown always, of the rest every n-th. */
async function compare(
  world: World,
  { spec }: Live,
  { oracle, plan, ids }: { oracle: Oracle; plan: RunPlan; ids: readonly string[] },
): Promise<Compared> {
  const compared: Compared = { own: new Set(), untold: new Map(), damaged: [] };
  const waiting = ids.filter((id, index) => index % plan.compareEvery === 0 || oracle.find(id) === null);
  const worker = async (): Promise<void> => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const copies = await world.siem.event(spec.name, id);
      for (const copy of copies) judgeText(spec.textOf(copy), { id, oracle, compared });
    }
  };
  await Promise.all(Array.from({ length: COMPARED_AT_ONCE }, worker));
  return compared;
}

function judgeText(
  text: string,
  { id, oracle, compared }: { id: string; oracle: Oracle; compared: Compared },
): void {
  const event = oracle.find(id);
  if (event === null) {
    const issued = oracle.recognise(text);
    if (issued !== null) compared.untold.set(id, eventFact(issued));
    else if (text.includes('"service":"sluice"')) compared.own.add(id);
  } else if (!oracle.isIntact(event, text)) compared.damaged.push(id);
  if (!hasItsHash(text)) compared.damaged.push(id);
}

/** As a stranger would recompute it from what the SIEM shows (RFC 8785, SHA-256). */
function hasItsHash(text: string): boolean {
  try {
    const { integrity_hash: hash, ...event } = JSON.parse(text) as Json;
    const canonical = canonicalize(event) ?? "";
    return hash === `sha256:${createHash("sha256").update(canonical).digest("hex")}`;
  } catch {
    return false;
  }
}

interface Metrics {
  get(name: string, destination: string | null): number;
}

function parseMetrics(text: string): Metrics {
  return {
    get(name, destination) {
      const line = text
        .split("\n")
        .find(
          (each) =>
            /^\w+/.exec(each)?.[0] === name && (destination === null || each.includes(`"${destination}"`)),
        );
      if (line === undefined) throw new Error(`No ${name} of ${destination}`);
      return Number(line.slice(line.lastIndexOf(" ") + 1));
    },
  };
}

function countersOf(metrics: Metrics, id: string): Counters {
  return {
    taken: metrics.get("sluice_events_taken_total", id),
    delivered: metrics.get("sluice_events_delivered_total", id),
    possiblyDuplicated: metrics.get("sluice_events_possibly_duplicated_total", id),
    deadLetters: metrics.get("sluice_dead_letters", id),
    replayed: metrics.get("sluice_events_replayed_total", id),
  };
}

function sum(tallies: readonly Tally[]): Tally {
  const total = emptyTally();
  for (const tally of tallies) {
    for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += tally[name];
  }
  return total;
}
