import type { EpochMs } from "../../base/clock.ts";
import { bytesOf, concat, FRAME_BYTES, packWritten, type WrittenLines } from "../../model/lines.ts";
import { encodePart } from "./message.ts";

/**
 * Queue operations are billed per 64 KB written, read and deleted, so small parts share a message up to that.
 * @see https://developers.cloudflare.com/queues/platform/pricing/ (read 2026-11)
 */
const TARGET_MESSAGE_BYTES = 63_900;
/**
 * Limits of one `sendBatch`: 256 KB, and 100 messages, which so few bytes never are once messages are filled.
 * @see https://developers.cloudflare.com/queues/platform/limits/ (read 2026-11)
 */
const MAX_SEND_BYTES = 255_000;
/** The platform's own share of each message. */
const MESSAGE_OVERHEAD_BYTES = 100;

/** Bytes on their way to a queue; `size` is how the platform counts them. */
export interface Sized {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly size: number;
}

export interface ProduceDeps {
  /** @param batchId of the first batch, which decides for all where there are several queues */
  sendBatch(
    messages: readonly { readonly body: Uint8Array<ArrayBuffer>; readonly contentType: "bytes" }[],
    batchId: string,
  ): Promise<unknown>;
}

export interface Outgoing {
  readonly tenantId: string;
  readonly batchId: string;
  readonly acceptedAt: EpochMs;
  readonly lines: WrittenLines;
}

/**
 * Cuts a batch into parts, ready to be sent. The cut depends on the lengths of the lines alone, so a repeated request with
 * the same idempotency key is cut in the same places, and lanes recognise its parts.
 */
export function pack(outgoing: Outgoing): readonly Sized[] {
  const { tenantId, batchId, acceptedAt, lines } = outgoing;
  return cut(lines).map(([from, to]) => {
    const part = {
      batchId,
      part: partNumber(from, to - from),
      acceptedAt,
      lines: packWritten(lines, from, to),
    };
    const body = encodePart({ tenantId, part });
    return { body, size: body.byteLength + MESSAGE_OVERHEAD_BYTES };
  });
}

/**
 * Where parts begin and end: as few as hold all, and about as large as each other, since a small rest would travel and wait
 * badly filled. A part is at most one frame, so that it fits into a message even where nothing in it shrinks; audit events
 * shrink to a fifth, and a message then holds three parts. No event is larger than a frame.
 */
function cut(lines: WrittenLines): readonly (readonly [from: number, to: number])[] {
  const count = lines.ends.length;
  const bytes = bytesOf(lines, 0, count);
  const even = bytes / Math.ceil(bytes / FRAME_BYTES);
  const cuts: [number, number][] = [];
  let from = 0;
  for (let line = 0; line < count; line += 1) {
    if (line > from && bytesOf(lines, from, line + 1) > FRAME_BYTES) {
      cuts.push([from, line]);
      from = line;
    }
    if (bytesOf(lines, from, line + 1) < even && line < count - 1) continue;
    cuts.push([from, line + 1]);
    from = line + 1;
  }
  return cuts;
}

/**
 * Says which events of the batch a part holds: two parts of the same number hold the same, even where another version of
 * the relay, with another compression, would cut in other places. Before 2026-11-21 parts were counted from 0, so these
 * numbers begin where those ended.
 *
 * @param from position of the first, 0 to 999
 * @param count 1 to 1,000
 */
export function partNumber(from: number, count: number): number {
  return (from + 1) * 1_024 + count;
}

/** Puts parts together to messages, in order: as many as one billed operation carries. */
function fill(all: readonly Sized[]): readonly Sized[] {
  return together(all, TARGET_MESSAGE_BYTES).map((some) => {
    const [first, ...more] = some;
    if (first !== undefined && more.length === 0) return first;
    const body = concat(some.map((one) => one.body));
    return { body, size: body.byteLength + MESSAGE_OVERHEAD_BYTES };
  });
}

/** Groups neighbours up to a size; what exceeds it alone is a group by itself. */
function together(all: readonly Sized[], most: number): readonly (readonly Sized[])[] {
  const groups: Sized[][] = [];
  let current: Sized[] = [];
  let sum = 0;
  for (const one of all) {
    if (current.length > 0 && sum + one.size > most) {
      groups.push(current);
      current = [];
      sum = 0;
    }
    current.push(one);
    sum += one.size;
  }
  if (current.length > 0) groups.push(current);
  return groups;
}

/** Messages for each call, within the platform's limits. */
export function group(all: readonly Sized[]): readonly (readonly Sized[])[] {
  return together(fill(all), MAX_SEND_BYTES);
}

/**
 * Puts a batch on the queue.
 *
 * All or "not accepted": when one of several calls fails, what went before is delivered all the same, and the producer
 * that tries again delivers it twice unless it gave an idempotency key. That is the at-least-once side of the bargain.
 *
 * @returns whether the queue has all of it
 */
export function produce(outgoing: Outgoing, deps: ProduceDeps): Promise<boolean> {
  return produceAll([outgoing], deps);
}

/** The same for several batches in as few calls as the limits allow. */
export function produceAll(batches: readonly Outgoing[], deps: ProduceDeps): Promise<boolean> {
  return send(batches.flatMap(pack), batches[0]?.batchId ?? "", deps);
}

/** Sends parts that are ready. @returns whether the queue has all of them */
export async function send(all: readonly Sized[], batchId: string, deps: ProduceDeps): Promise<boolean> {
  const sends = group(all).map((messages) =>
    deps.sendBatch(
      messages.map(({ body }) => ({ body, contentType: "bytes" })),
      batchId,
    ),
  );
  const results = await Promise.allSettled(sends);
  return results.every(({ status }) => status === "fulfilled");
}
