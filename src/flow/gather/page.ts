/**
 * Gather: what several lanes of one destination say, as if one had said it. It knows what lanes answer, and neither
 * where they are nor how many are in use.
 */
import type { EpochMs } from "../../base/clock.ts";
import type { LaneMarks, LanePage, MarkedPage } from "../../model/lane.ts";

/** One lane's list, newest first: what is below a position, at most so many. */
export type AskPage<T> = (before: number | null, limit: number) => Promise<LanePage<T>>;

export interface Reading<T> {
  /** The row's number in its own lane. */
  rowOf(item: T): number;
  at(item: T): EpochMs;
}

/** An item and the shard that it is of. */
export interface Gathered<T> {
  readonly shard: number;
  readonly item: T;
}

/**
 * One page of several lists, newest first.
 *
 * The position is one mark for each lane, so nothing is told twice or left out, whatever the clocks of the lanes say and
 * however many rows come or go meanwhile. A lane is asked for its share of the page first, and for twice as much each
 * time that it runs out: a page holds at most about three times as many items as it shows, whatever their size.
 */
export async function gatherPage<T>(
  lanes: readonly AskPage<T>[],
  after: LaneMarks | null,
  limit: number,
  reading: Reading<T>,
): Promise<MarkedPage<Gathered<T>>> {
  const share = Math.min(limit, Math.ceil(limit / lanes.length) + 1);
  const sources = lanes.map((ask, shard) => new Source(ask, after?.[shard] ?? null, share));
  const items: Gathered<T>[] = [];
  while (items.length < limit) {
    await Promise.all(sources.map((source) => source.fill()));
    const shard = newest(sources, reading);
    if (shard === null) return { items, next: null };
    const item = sources[shard]?.take(reading);
    if (item !== undefined) items.push({ shard, item });
  }
  const isOver = sources.every((source) => source.isOver);
  return { items, next: isOver ? null : sources.map((source) => source.mark(reading)) };
}

/** Which list has the newest item in front; of equally new ones the first. */
function newest<T>(sources: readonly Source<T>[], { at }: Reading<T>): number | null {
  let found: number | null = null;
  let latest = Number.NEGATIVE_INFINITY;
  for (const [shard, { front }] of sources.entries()) {
    if (front === undefined || at(front) <= latest) continue;
    found = shard;
    latest = at(front);
  }
  return found;
}

/** One lane's list while a page is made of it. */
class Source<T> {
  readonly #ask: AskPage<T>;
  #ahead: readonly T[] = [];
  /** Where to ask on; undefined when the lane has no more. */
  #from: number | null | undefined;
  #size: number;
  #mark: number | null;

  constructor(ask: AskPage<T>, mark: number | null, size: number) {
    this.#ask = ask;
    this.#mark = mark;
    this.#size = size;
    // Rows count from 1, so below these marks there is nothing to ask for.
    this.#from = mark !== null && mark <= 1 ? undefined : mark;
  }

  get front(): T | undefined {
    return this.#ahead[0];
  }

  get isOver(): boolean {
    return this.#ahead.length === 0 && this.#from === undefined;
  }

  async fill(): Promise<void> {
    if (this.#ahead.length > 0 || this.#from === undefined) return;
    const { items, next } = await this.#ask(this.#from, this.#size);
    this.#ahead = items;
    this.#from = next ?? undefined;
    this.#size *= 2;
  }

  take({ rowOf }: Reading<T>): T | undefined {
    const [item, ...rest] = this.#ahead;
    this.#ahead = rest;
    if (item !== undefined) this.#mark = rowOf(item);
    return item;
  }

  /** Of what has come to a lane since the first page nothing is told: it is newer than what was. */
  mark({ rowOf }: Reading<T>): number {
    if (this.#mark !== null) return this.#mark;
    return this.front === undefined ? 0 : rowOf(this.front) + 1;
  }
}
