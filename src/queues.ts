import { spread } from "./base/spread.ts";

/** Queues that a deployment may bind, as `EVENTS`, `EVENTS_2` … `EVENTS_8`. */
export const MAX_QUEUES = 8;

/** The queues that `wrangler.toml` binds: one, unless a deployment needs more than a queue's messages a second. */
export function queuesOf(env: Env): readonly Queue[] {
  const names = Array.from({ length: MAX_QUEUES - 1 }, (_, index) => `EVENTS_${index + 2}`);
  // The generated types know the bindings of the file as it is in the repository, which has one.
  const further = names.map((name) => Reflect.get(env, name) as Queue | undefined);
  return [env.EVENTS, ...further.filter((queue) => queue !== undefined)];
}

/**
 * All messages of a request go to one queue, and those of its repeats to the same: what is recognised later is
 * recognised in a lane, but a batch should not overtake itself.
 */
export function queueFor(queues: readonly Queue[], batchId: string): Queue {
  const queue = queues[spread(batchId, queues.length)];
  if (queue === undefined) throw new Error("No queue is bound");
  return queue;
}
