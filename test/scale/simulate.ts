/**
 * How much one destination carries, by the number of its lanes and of the deployment's queues: the relay's own decisions
 * (`spread`, `plan`) over simulated queues and objects. A seed decides everything, so the same numbers come each time.
 */
import { spread } from "../../src/base/spread.ts";
import { plan } from "../../src/flow/route/plan.ts";
import type { DestinationSettings } from "../../src/model/destination.ts";
import type { BatchPart } from "../../src/model/lane.ts";
import { type Random, seeded } from "../prove/random.ts";
import {
  BATCH_MESSAGES,
  QUEUE_CONSUMERS,
  QUEUE_MESSAGES_PER_SECOND,
  REQUEST_EVENTS,
  SimulatedLane,
  SimulatedQueue,
  WINDOW,
} from "./parts.ts";
import { Time } from "./time.ts";

export interface Setting {
  readonly lanes: number;
  readonly queues: number;
  /** Of a request, which is one message. */
  readonly events: number;
  /** What the SIEM takes to answer. */
  readonly answerMs: number;
}

export interface Carried {
  /** The highest rate, in events, that is delivered as fast as it comes. */
  readonly eventsPerSecond: number;
  /** What is full at that rate. */
  readonly bound: "requests under way" | "the lane's thread" | "the queue" | "consumers";
  /** Shares of the busiest lane and queue, from 0 to 1. */
  readonly thread: number;
  /** Of the events that full requests could have under way. */
  readonly underWay: number;
  readonly queue: number;
  /** Calls to all lanes for one delivery of the queue. */
  readonly callsPerDelivery: number;
}

interface Run {
  readonly isCarried: boolean;
  readonly thread: number;
  readonly underWay: number;
  readonly queue: number;
  readonly consumers: number;
  readonly callsPerDelivery: number;
}

const WARM_UP_MS = 2_000;
const MEASURED_MS = 4_000;
/** Full deliveries of each queue that are measured at least: one that is just under way at the end must not matter. */
const MEASURED_DELIVERIES = 100;
/** Steps of the search: the highest rate is right to 1/64 of what is possible at all. */
const STEPS = 7;
/** Of what is offered. The rest is chance: batches that are under way when the time is up. */
const CARRIED_SHARE = 0.98;

/** Searches for the highest rate that is carried. */
export function highestRate(setting: Setting, seed = "scale"): Carried {
  const { lanes, queues, events, answerMs } = setting;
  const possible = (lanes * WINDOW * REQUEST_EVENTS * 1_000) / answerMs / events;
  const most = Math.min(QUEUE_MESSAGES_PER_SECOND * queues, possible);
  let [carried, refused] = [0, most];
  let best: Run | null = null;
  for (let step = 0; step < STEPS; step += 1) {
    const rate = step === 0 ? most * 0.995 : (carried + refused) / 2;
    const run = simulate(setting, rate, seeded(seed));
    if (run.isCarried) [carried, best] = [rate, run];
    else refused = rate;
    if (step === 0 && run.isCarried) break;
  }
  if (best === null) throw new Error("Not even a little is carried");
  const { thread, underWay, queue, callsPerDelivery } = best;
  return {
    eventsPerSecond: carried * setting.events,
    bound: boundOf(best),
    thread,
    underWay,
    queue,
    callsPerDelivery,
  };
}

function boundOf({ thread, underWay, queue, consumers }: Run): Carried["bound"] {
  const shares = [
    ["requests under way", underWay],
    ["the lane's thread", thread],
    ["the queue", queue],
    ["consumers", consumers],
  ] as const;
  return shares.reduce((fullest, each) => (each[1] > fullest[1] ? each : fullest))[0];
}

/** @param rate messages a second, over all queues, evenly */
function simulate(
  { lanes: count, queues: queueCount, events, answerMs }: Setting,
  rate: number,
  random: Random,
): Run {
  const time = new Time();
  const destination = aDestination(count);
  const lanes = Array.from({ length: count }, () => new SimulatedLane(time, answerMs));
  // What is in them plays no part: a destination without routes gets them as they are.
  const lines = { count: events, bytes: 0, firstAt: 0, packed: new Uint8Array() };
  let [deliveries, calls] = [0, 0];
  const queues = Array.from(
    { length: queueCount },
    () =>
      new SimulatedQueue<BatchPart>(time, (batch, done) => {
        const owed = plan([destination], batch);
        deliveries += 1;
        calls += owed.length;
        let left = owed.length;
        for (const { shard, submission } of owed) {
          const taken = (): void => {
            left -= 1;
            if (left === 0) done();
          };
          lanes[shard]?.submit(
            submission.parts.map(({ lines }) => lines.count),
            taken,
          );
        }
      }),
  );
  const produce = (): void => {
    const batchId = aBatchId(random);
    queues[spread(batchId, queueCount)]?.send({ batchId, part: 0, acceptedAt: 0, lines });
    time.after((1_000 / rate) * (0.5 + random.next()), produce);
  };
  const measuredMs = Math.max(
    MEASURED_MS,
    (MEASURED_DELIVERIES * BATCH_MESSAGES * queueCount * 1_000) / rate,
  );
  produce();
  time.run(WARM_UP_MS);
  const before = lanes.map(({ delivered, busyMs }) => ({ delivered, busyMs }));
  const takenBefore = queues.map(({ taken }) => taken);
  time.run(WARM_UP_MS + measuredMs);
  const grown = (what: "delivered" | "busyMs"): number[] =>
    lanes.map((lane, shard) => lane[what] - (before[shard]?.[what] ?? 0));
  const delivered = grown("delivered").reduce((sum, each) => sum + each, 0);
  const offered = (rate * measuredMs) / 1_000;
  const sent = queues.map(({ taken }, index) => taken - (takenBefore[index] ?? 0));
  return {
    isCarried: delivered >= CARRIED_SHARE * offered * events && queues.every(({ refused }) => refused === 0),
    thread: Math.max(...grown("busyMs")) / measuredMs,
    underWay: (Math.max(...grown("delivered")) * answerMs) / measuredMs / WINDOW / REQUEST_EVENTS,
    queue: Math.max(...sent) / ((QUEUE_MESSAGES_PER_SECOND * measuredMs) / 1_000),
    consumers: Math.max(...queues.map(({ mostConsumers }) => mostConsumers)) / QUEUE_CONSUMERS,
    callsPerDelivery: calls / deliveries,
  };
}

function aBatchId(random: Random): string {
  const word = (): string =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return `bat_${word()}${word()}${word()}${word()}`;
}

function aDestination(shards: number): DestinationSettings {
  return {
    ...{ id: "siem_1", tenantId: "ten_1", provider: "splunk", name: "Splunk", endpoint: "", origin: null },
    ...{ enabled: true, config: { shards }, routes: [], allowedOperations: [], credentialId: "cred_1" },
    ...{ revision: 1, createdAt: 0, updatedAt: 0, disabledAt: null, deletedAt: null, mostShards: shards },
    ...{ status: "active", statusReason: null },
  };
}
