import { byteLength } from "../../base/bytes.ts";
import type { EpochMs } from "../../base/clock.ts";
import type { RelayEvent } from "../../model/event.ts";
import { concat, packEvents } from "../../model/lines.ts";
import { encodePart } from "./message.ts";

/**
 * Queue operations are billed per 64 KB written, read and deleted, so small parts share a message up to that.
 * @see https://developers.cloudflare.com/queues/platform/pricing/ (read 2026-11)
 */
const TARGET_MESSAGE_BYTES = 63_900;
/**
 * What a part holds before it is compressed. Audit events shrink to a fifth or less, so that a part of this is nearly always
 * one operation. Not more, because a consumer that has to look into a part holds all of it in memory.
 */
export const PART_BYTES = 256_000;

/**
 * Limits of one `sendBatch`: 256 KB, and 100 messages, which so few bytes never are once messages are filled.
 * @see https://developers.cloudflare.com/queues/platform/limits/ (read 2026-11)
 */
const MAX_SEND_BYTES = 255_000;
/** Of one message, 128 KB with the platform's own share. */
const MAX_MESSAGE_BYTES = 127_000;
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
  /** At least one. */
  readonly events: readonly RelayEvent[];
}

/**
 * Cuts a batch into parts, ready to be sent. The cut depends on the lengths of the events alone, so a repeated request with
 * the same idempotency key is cut in the same places, and lanes recognise its parts.
 *
 * Except where a part hardly shrinks, so that it has to be halved: whether it has to can depend on the few bytes in which a
 * repeat differs (the time of receipt, hashes). It is then delivered twice, and never lost.
 */
export function pack(outgoing: Outgoing): readonly Sized[] {
  return cut(outgoing.events).flatMap(([from, to]) => parts(outgoing, from, to));
}

/** Where parts begin and end. A single event larger than a part is one by itself. */
function cut(events: readonly RelayEvent[]): readonly (readonly [from: number, to: number])[] {
  const characters = events.reduce((sum, { json }) => sum + json.length, 0);
  if (characters * MAX_UTF8_BYTES <= PART_BYTES) return [[0, events.length]];
  const cuts: [number, number][] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, { json }] of events.entries()) {
    const more = byteLength(json);
    if (index > from && bytes + more > PART_BYTES) {
      cuts.push([from, index]);
      from = index;
      bytes = 0;
    }
    bytes += more;
  }
  cuts.push([from, events.length]);
  return cuts;
}

/** A UTF-16 unit is at most 3 bytes, so that most requests need no counting. */
const MAX_UTF8_BYTES = 3;

/** One part, or the halves of what does not shrink enough to be one. */
function parts(outgoing: Outgoing, from: number, to: number): readonly Sized[] {
  const { tenantId, batchId, acceptedAt, events } = outgoing;
  const part = partNumber(from, to - from);
  const lines = packEvents(events.slice(from, to));
  const body = encodePart({ tenantId, part: { batchId, part, acceptedAt, lines } });
  const size = body.byteLength + MESSAGE_OVERHEAD_BYTES;
  if (size <= MAX_MESSAGE_BYTES || to - from === 1) return [{ body, size }];
  const middle = Math.ceil((from + to) / 2);
  return [...parts(outgoing, from, middle), ...parts(outgoing, middle, to)];
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
