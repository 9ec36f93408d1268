import { byteLength } from "../../base/bytes.ts";
import type { EpochMs } from "../../base/clock.ts";
import { encodeMessage, headerLine } from "./message.ts";

/**
 * Queue operations are billed per 64 KB written, read and deleted, so a message is filled up to that and no further:
 * less filled costs operations, more filled rounds up to the next 64 KB. About 100 bytes of a message are the platform's.
 * @see https://developers.cloudflare.com/queues/platform/pricing/ (read 2026-11)
 */
export const TARGET_MESSAGE_BYTES = 63_900;

/** Limits of one `sendBatch`: 100 messages, 256 KB. @see https://developers.cloudflare.com/queues/platform/limits/ (read 2026-11) */
const MAX_SEND_MESSAGES = 100;
const MAX_SEND_BYTES = 255_000;
/** The platform's own share of each message. */
const MESSAGE_OVERHEAD_BYTES = 100;

export interface ProduceDeps {
  /** @param batchId of the first batch, which decides for all where there are several queues */
  sendBatch(
    messages: readonly { readonly body: string; readonly contentType: "text" }[],
    batchId: string,
  ): Promise<unknown>;
}

export interface Outgoing {
  readonly tenantId: string;
  readonly batchId: string;
  readonly acceptedAt: EpochMs;
  readonly lines: readonly string[];
}

interface Packed {
  readonly body: string;
  readonly bytes: number;
}

/**
 * Cuts a batch into messages. The cut depends on the lengths of the lines alone, so a repeated request with the same
 * idempotency key is cut in the same places, and lanes recognise its parts.
 */
export function pack({ tenantId, batchId, acceptedAt, lines }: Outgoing): readonly Packed[] {
  const headerBytes = byteLength(headerLine(tenantId, { batchId, part: 1_000, acceptedAt }));
  const packed: Packed[] = [];
  let from = 0;
  let bytes = headerBytes;
  const close = (to: number): void => {
    const part = { batchId, part: packed.length, acceptedAt, lines: lines.slice(from, to) };
    packed.push({ body: encodeMessage({ tenantId, part }), bytes: bytes + MESSAGE_OVERHEAD_BYTES });
    from = to;
    bytes = headerBytes;
  };
  for (const [index, line] of lines.entries()) {
    const lineBytes = byteLength(line) + 1;
    if (index > from && bytes + lineBytes > TARGET_MESSAGE_BYTES) close(index);
    bytes += lineBytes;
  }
  if (from < lines.length) close(lines.length);
  return packed;
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
  const [{ batchId } = { batchId: "" }] = batches;
  const sends = group(batches.flatMap(pack)).map((messages) =>
    deps.sendBatch(
      messages.map(({ body }) => ({ body, contentType: "text" })),
      batchId,
    ),
  );
  const results = await Promise.allSettled(sends);
  return results.every(({ status }) => status === "fulfilled");
}
