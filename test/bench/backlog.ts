import { SimulatorClient } from "../simulator/client.ts";
import { SMALL_BACKLOG_EVENTS } from "./cases.ts";
import type { LoadResult } from "./load/job.ts";
import type { Scene } from "./measure.ts";
import { Meter, per } from "./meter.ts";
import { backlogOf, tryNow } from "./relay.ts";
import { judged, NOTHING, type Run } from "./run.ts";
import { summarise } from "./statistics.ts";

/** Small drains; the first is not counted, because nothing like it has been compiled before. */
const SMALL_DRAINS = 4;
/** The change that makes the lane try is itself an event of the tenant's. */
const TRY_EVENTS = 1;
const POLL_MS = 200;
/** Without a change for this long, the lane has all that it will get. */
const PATIENCE_MS = 30_000;

/**
 * A few small backlogs and a large one, drained by the same relay one after another: what an event costs that is one
 * of many waiting ones, against one of few.
 *
 * The backoff's random wait is left out: once the destination is mended, it is tried at once, as after a change of its
 * settings.
 */
export async function drainBacklogs(scene: Scene, events: number): Promise<Run> {
  const { arrivals } = scene;
  const before = await arrivals.now();
  const small: Drained[] = [];
  for (let drain = 0; drain < SMALL_DRAINS; drain += 1)
    small.push(await drainOne(scene, SMALL_BACKLOG_EVENTS));
  const large = await drainOne(scene, events);
  const all = [...small, large];
  const after = await arrivals.now();
  const deliveredSmall = summarise(small.slice(1).map(({ rate }) => rate))?.median ?? null;
  const accepted = all.reduce((sum, { load }) => sum + load.accepted, 0);
  const { load } = large;
  return {
    ...NOTHING,
    accepted: per(load.accepted, (load.endedAt - load.startedAt) / 1_000),
    delivered: large.rate,
    deliveredSmall,
    linearity: deliveredSmall === null ? null : per(large.rate, deliveredSmall),
    waiting: large.waiting,
    cpuPerMillion: large.cpuPerMillion,
    loadBusy: large.loadBusy,
    busy: large.busy,
    recoveredAfter: large.recoveredAfter,
    answerP50: load.latencies?.p50 ?? null,
    answerP99: load.latencies?.p99 ?? null,
    ...judged({
      expected: accepted + all.length * TRY_EVENTS,
      distinct: after.distinct - before.distinct,
      copies: after.events - before.events,
      statuses: load.statuses,
      complaints: await arrivals.complaints({ mayRefuse: true }),
    }),
  };
}

interface Drained {
  readonly load: LoadResult;
  /** Copies a second, between the first that arrived and the last. */
  readonly rate: number | null;
  readonly waiting: number;
  readonly cpuPerMillion: number | null;
  readonly busy: number | null;
  readonly loadBusy: number | null;
  readonly recoveredAfter: number;
}

/** Fills the outbox while the destination answers 503, then mends it. */
async function drainOne(scene: Scene, events: number): Promise<Drained> {
  const { bench, which, relay, tenant, arrivals, job } = scene;
  const [instance = ""] = tenant.instances;
  const [destination = ""] = tenant.destinations;
  const simulator = new SimulatorClient(bench.simulatorUrl);
  const before = await arrivals.now();
  await simulator.fault(instance, { mode: "status", status: 503 });
  const requests = Math.ceil(events / which.shape.events);
  const load = await bench.generator.ask<LoadResult>({ ...job, until: { requests } });
  const waiting = await untilWaiting(() => backlogOf(relay, tenant, destination), load.accepted);
  const meter = new Meter(bench, relay.runtime);
  const mendedAt = Date.now();
  await simulator.recover(instance);
  await tryNow(relay, tenant, destination);
  const after = await arrivals.until(before.distinct + load.accepted);
  const used = meter.read();
  const wall = (after.at - mendedAt) / 1_000;
  await arrivals.until(before.distinct + load.accepted + TRY_EVENTS);
  const draining = (after.at - (after.firstAt ?? mendedAt)) / 1_000;
  return {
    load,
    // The first request, where the time begins, is a probe of a few events: no need to take them off.
    rate: per(after.events - before.events, draining),
    waiting,
    cpuPerMillion: per(used.runtime, load.accepted / 1_000_000),
    busy: per(used.runtime, wall),
    loadBusy: per(used.load, wall),
    recoveredAfter: wall,
  };
}

/** Waits until the lane has them all, or gets no more. @returns how many it has */
async function untilWaiting(count: () => Promise<number | null>, events: number): Promise<number> {
  let most = 0;
  let changedAt = Date.now();
  while (most < events && Date.now() - changedAt < PATIENCE_MS) {
    const waiting = await count();
    if (waiting !== null && waiting > most) {
      most = waiting;
      changedAt = Date.now();
    }
    if (most < events) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return most;
}
