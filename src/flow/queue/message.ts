/**
 * Stage 3, queue: the durable hand-over between accepting and delivering. It knows the form of a message and the
 * platform's limits; what the events mean and who wants them is not its business.
 */

import { z } from "zod";
import { fromBase64, toBase64, utf8 } from "../../base/bytes.ts";
import { parseJson } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { isLine } from "../../model/event.ts";
import type { BatchPart } from "../../model/lane.ts";
import { concat, packLines } from "../../model/lines.ts";

/** A part of a batch on its way to the fan-out. */
export interface QueuedPart {
  readonly tenantId: string;
  readonly part: BatchPart;
}

/** First line of a message. Versioned: a message can wait for days, and be read by a newer relay. */
const Names = z.object({
  tenant: z.string().min(1),
  batch: z.string().min(1),
  part: z.number().int().min(0),
  at: z.number().int(),
});
/** The lines follow as text. Read, no longer written: before 2026-11-21 every message was of this kind. */
const TextHeader = Names.extend({ v: z.literal(1) });
/** The lines follow as `size` bytes, packed: how many, how long before that, and the earliest event's own time. */
const BytesHeader = Names.extend({
  v: z.literal(2),
  count: z.number().int().min(1),
  bytes: z.number().int().min(1),
  first: z.number().int(),
  size: z.number().int().min(1),
});

const LINE_BREAK = 0x0a;
const decoder = new TextDecoder();

/**
 * One part: a line of text that says what it is, then the packed lines. A message is one part or several, one behind the
 * other, of any tenants.
 */
export function encodePart({ tenantId, part }: QueuedPart): Uint8Array<ArrayBuffer> {
  const { count, bytes, firstAt, packed } = part.lines;
  const header = utf8(
    `${JSON.stringify({
      v: 2,
      tenant: tenantId,
      batch: part.batchId,
      part: part.part,
      at: part.acceptedAt,
      count,
      bytes,
      first: firstAt,
      size: packed.byteLength,
    })}\n`,
  );
  return concat([header, packed]);
}

/** @returns at least one part, or why it cannot be read: it is then kept for a person, never dropped */
export function decodeMessage(body: unknown): Result<readonly QueuedPart[], string> {
  if (body instanceof ArrayBuffer) return decodeBytes(new Uint8Array(body));
  if (body instanceof Uint8Array) return decodeBytes(body);
  if (typeof body !== "string") return err("neither text nor bytes");
  if (!body.startsWith(STORED)) return decodeText(body);
  const bytes = fromBase64(body.slice(STORED.length));
  return bytes === null ? err("unreadable base64") : decodeBytes(bytes);
}

const STORED = "base64:";

/** A body as text that `decodeMessage` reads, whatever it is: for a store that keeps text. */
export function storable(body: unknown): string {
  if (body instanceof ArrayBuffer) return STORED + toBase64(new Uint8Array(body));
  if (body instanceof Uint8Array) return STORED + toBase64(body);
  return typeof body === "string" ? body : described(body);
}

/** Of what no relay wrote: at least something to look at. Not everything that a queue carries can be said in JSON. */
function described(body: unknown): string {
  try {
    return JSON.stringify(body) ?? typeof body;
  } catch {
    return Object.prototype.toString.call(body);
  }
}

/** The lines are not looked at: nobody but a relay writes to its queue, and unpacking them is most of the work there is. */
function decodeBytes(message: Uint8Array): Result<readonly QueuedPart[], string> {
  const found: QueuedPart[] = [];
  for (let at = 0; at < message.byteLength; ) {
    const end = message.indexOf(LINE_BREAK, at);
    if (end < 0) return err("no events");
    const header = readHeader(BytesHeader, decoder.decode(message.subarray(at, end)));
    if (!header.ok) return header;
    const { tenant, batch, part, at: acceptedAt, count, bytes, first, size } = header.value;
    at = end + 1 + size;
    if (at > message.byteLength) return err("incomplete");
    const packed = message.slice(end + 1, at) as Uint8Array<ArrayBuffer>; // a copy is never on a shared buffer
    const lines = { count, bytes, firstAt: first, packed };
    found.push({ tenantId: tenant, part: { batchId: batch, part, acceptedAt, lines } });
  }
  return found.length === 0 ? err("no events") : ok(found);
}

function decodeText(body: string): Result<readonly QueuedPart[], string> {
  const end = body.indexOf("\n");
  if (end < 0) return err("no events");
  const header = readHeader(TextHeader, body.slice(0, end));
  if (!header.ok) return header;
  const { tenant, batch, part, at } = header.value;
  const lines = body.slice(end + 1).split("\n");
  // One unreadable line in an outbox would stop its lane, so it must not get there.
  if (!lines.every(isLine)) return err("unreadable events");
  return ok([{ tenantId: tenant, part: { batchId: batch, part, acceptedAt: at, lines: packLines(lines) } }]);
}

function readHeader<T>(schema: z.ZodType<T>, text: string): Result<T, string> {
  const json = parseJson(text);
  if (!json.ok) return err("unreadable header");
  const header = schema.safeParse(json.value);
  return header.success ? ok(header.data) : err("unknown version or header");
}
