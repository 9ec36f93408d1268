/**
 * All lanes of a destination behind the face of one, so that nobody who asks learns how many there are. What their
 * answers come to together is decided in `flow/gather`; here is who is asked.
 */
import { everSpread } from "./base/spread.ts";
import { gatherFates, gatherFlushes, gatherStats, total } from "./flow/gather/counts.ts";
import { deliveryOfShard, letterOfShard, rowOfLetter, selectionOfShard } from "./flow/gather/ids.ts";
import { gatherPage, type Reading } from "./flow/gather/page.ts";
import { gatherReports } from "./flow/gather/report.ts";
import type {
  DeadLetter,
  DeliveryRecord,
  DestinationCalls,
  LaneCalls,
  LaneMarks,
  LanePage,
  MarkedPage,
} from "./model/lane.ts";

/**
 * @param lanes by shard; every lane that the destination ever had, at least one
 * @param inUse how many of them take new batches
 */
export function laneGroup(lanes: readonly LaneCalls[], inUse: number): DestinationCalls {
  const [only, ...others] = lanes;
  return only !== undefined && others.length === 0 ? oneLane(only) : severalLanes(lanes, inUse);
}

/** One lane: its own answers, and one request for each question. */
function oneLane(lane: LaneCalls): DestinationCalls {
  return {
    configure: (tenantId, destinationId, revision) => lane.configure(tenantId, destinationId, revision),
    report: () => lane.report(),
    deliveries: async (after, limit) => marked(await lane.deliveries(after?.[0] ?? null, limit)),
    stats: () => lane.stats(),
    deadLetters: async (after, limit) => marked(await lane.deadLetters(after?.[0] ?? null, limit)),
    replay: (selection) => lane.replay(selection),
    discard: (selection) => lane.discard(selection),
    close: (within) => lane.close(within),
    batch: (batchId) => lane.batch(batchId),
  };
}

/** Where one of several does not answer the whole is not known: a part of it would pass for all. */
function severalLanes(lanes: readonly LaneCalls[], inUse: number): DestinationCalls {
  const each = <T>(ask: (lane: LaneCalls, shard: number) => Promise<T>): Promise<T[]> => all(lanes.map(ask));
  return {
    async configure(tenantId, destinationId, revision) {
      await each((lane) => lane.configure(tenantId, destinationId, revision));
    },
    report: async () => gatherReports(await each((lane) => lane.report()), inUse),
    async deliveries(after, limit) {
      const asked = lanes.map(
        (lane) => (before: number | null, size: number) => lane.deliveries(before, size),
      );
      const { items, next } = await gatherPage(asked, after, limit, DELIVERIES);
      return { items: items.map(({ shard, item }) => deliveryOfShard(shard, item)), next };
    },
    stats: async () => gatherStats(await each((lane) => lane.stats())),
    async deadLetters(after, limit) {
      const asked = lanes.map(
        (lane) => (before: number | null, size: number) => lane.deadLetters(before, size),
      );
      const { items, next } = await gatherPage(asked, after, limit, DEAD_LETTERS);
      return { items: items.map(({ shard, item }) => letterOfShard(shard, item)), next };
    },
    async replay(selection) {
      const counts = await each(async (lane, shard) => {
        const own = selectionOfShard(shard, selection);
        return own === null ? 0 : lane.replay(own);
      });
      return total(counts);
    },
    async discard(selection) {
      const counts = await each(async (lane, shard) => {
        const own = selectionOfShard(shard, selection);
        return own === null ? 0 : lane.discard(own);
      });
      return total(counts);
    },
    close: async (within) => gatherFlushes(await each((lane) => lane.close(within))),
    async batch(batchId) {
      // The number of lanes may have been any when it was taken.
      const held = everSpread(batchId, lanes.length).flatMap((shard) => lanes[shard] ?? []);
      return gatherFates(await all(held.map((lane) => lane.batch(batchId))));
    },
  };
}

const DELIVERIES: Reading<DeliveryRecord> = { rowOf: ({ id }) => id, at: ({ at }) => at };
const DEAD_LETTERS: Reading<DeadLetter> = { rowOf: rowOfLetter, at: ({ parkedAt }) => parkedAt };

function marked<T>({ items, next }: LanePage<T>): MarkedPage<T> {
  const marks: LaneMarks | null = next === null ? null : [next];
  return { items, next: marks };
}

/** Lets every lane do its part before a failure of one is told. */
async function all<T>(asked: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(asked);
  return Promise.all(asked);
}
