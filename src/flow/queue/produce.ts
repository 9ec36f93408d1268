import { byteLength } from "../../base/bytes.ts";
import type { EpochMs } from "../../base/clock.ts";
import { packLines } from "../../model/lines.ts";
import { encodeMessage } from "./message.ts";

/**
 * What a part holds before it is compressed. Queue operations are billed per 64 KB written, read and deleted, and audit
 * events shrink to a fifth or less, so that a message of this is nearly always one operation. Not more, because a
 * consumer that has to look into a part holds all of it in memory.
 * @see https://developers.cloudflare.com/queues/platform/pricing/ (read 2026-11)
 */
export const PART_BYTES = 256_000;

/** Limits of one `sendBatch`: 100 messages, 256 KB. @see https://developers.cloudflare.com/queues/platform/limits/ (read 2026-11) */
const MAX_SEND_MESSAGES = 100;
const MAX_SEND_BYTES = 255_000;
/** Of one message, 128 KB with the platform's own share. */
const MAX_MESSAGE_BYTES = 127_000;
/** The platform's own share of each message. */
const MESSAGE_OVERHEAD_BYTES = 100;

export interface ProduceDeps {
  sendBatch(
    messages: readonly { readonly body: Uint8Array<ArrayBuffer>; readonly contentType: "bytes" }[],
  ): Promise<unknown>;
}

export interface Outgoing {
  readonly tenantId: string;
  readonly batchId: string;
  readonly acceptedAt: EpochMs;
  readonly lines: readonly string[];
}

interface Packed {
  readonly body: Uint8Array<ArrayBuffer>;
  /** As the platform counts them. */
  readonly bytes: number;
}

/**
 * Cuts a batch into messages. The cut depends on the lengths of the lines alone, so a repeated request with the same
 * idempotency key is cut in the same places, and lanes recognise its parts.
 */
export function pack(outgoing: Outgoing): readonly Packed[] {
  return cut(outgoing.lines).flatMap(([from, to]) => messages(outgoing, from, to));
}

/** Where parts begin and end. A single line larger than a part is one by itself. */
function cut(lines: readonly string[]): readonly (readonly [from: number, to: number])[] {
  const characters = lines.reduce((sum, line) => sum + line.length + 1, 0);
  if (characters * MAX_UTF8_BYTES <= PART_BYTES) return [[0, lines.length]];
  const cuts: [number, number][] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, line] of lines.entries()) {
    const lineBytes = byteLength(line) + 1;
    if (index > from && bytes + lineBytes > PART_BYTES) {
      cuts.push([from, index]);
      from = index;
      bytes = 0;
    }
    bytes += lineBytes;
  }
  cuts.push([from, lines.length]);
  return cuts;
}

/** A UTF-16 unit is at most 3 bytes, so that most requests need no counting. */
const MAX_UTF8_BYTES = 3;

/** One message, or the halves of what does not shrink enough to be one. */
function messages(outgoing: Outgoing, from: number, to: number): readonly Packed[] {
  const { tenantId, batchId, acceptedAt, lines } = outgoing;
  const part = {
    batchId,
    part: partNumber(from, to - from),
    acceptedAt,
    lines: packLines(lines.slice(from, to)),
  };
  const body = encodeMessage({ tenantId, part });
  const bytes = body.byteLength + MESSAGE_OVERHEAD_BYTES;
  if (bytes <= MAX_MESSAGE_BYTES || to - from === 1) return [{ body, bytes }];
  const middle = Math.ceil((from + to) / 2);
  return [...messages(outgoing, from, middle), ...messages(outgoing, middle, to)];
}

/**
 * Says which events of the batch a part holds: two parts of the same number hold the same, even where another version of
 * the relay, with another compression, would cut in other places.
 *
 * @param from position of the first, 0 to 999
 * @param count 1 to 1,000
 */
export function partNumber(from: number, count: number): number {
  return from * 1_024 + count;
}

/** Groups messages into calls within the platform's limits, in order. */
export function group(packed: readonly Packed[]): readonly (readonly Packed[])[] {
  const groups: Packed[][] = [];
  let current: Packed[] = [];
  let bytes = 0;
  for (const message of packed) {
    if (
      current.length > 0 &&
      (current.length >= MAX_SEND_MESSAGES || bytes + message.bytes > MAX_SEND_BYTES)
    ) {
      groups.push(current);
      current = [];
      bytes = 0;
    }
    current.push(message);
    bytes += message.bytes;
  }
  if (current.length > 0) groups.push(current);
  return groups;
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
export async function produceAll(batches: readonly Outgoing[], deps: ProduceDeps): Promise<boolean> {
  const sends = group(batches.flatMap(pack)).map((together) =>
    deps.sendBatch(together.map(({ body }) => ({ body, contentType: "bytes" }))),
  );
  const results = await Promise.allSettled(sends);
  return results.every(({ status }) => status === "fulfilled");
}
