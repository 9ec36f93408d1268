import { utf8 } from "../base/bytes.ts";
import type { EpochMs } from "../base/clock.ts";
import { compress, decompress } from "../base/zstd.ts";
import { fromLine, isLine, type RelayEvent, toLine } from "./event.ts";

/**
 * Event lines (`model/event.ts`) as they wait and travel, at least one. Whoever needs no single event passes them on as
 * they are.
 *
 * Packed, they are frames, one behind the other: a byte that says whether the frame is compressed (1) or not (0), the
 * length of the rest in four bytes, most significant first, and the lines as UTF-8, joined by line breaks. So the packed
 * forms of several, put together, are the packed form of all.
 */
export interface Lines {
  readonly count: number;
  /** UTF-8 bytes before compression, one more for each line. */
  readonly bytes: number;
  /** The earliest of the events' own times. */
  readonly firstAt: EpochMs;
  readonly packed: Uint8Array<ArrayBuffer>;
}

const HEADER_BYTES = 5;
/** Most bytes of a frame before compression. A single line that is longer is a frame that is not compressed. */
const FRAME_BYTES = 125_000;
/** Below it compressing takes longer than carrying the bytes; between 1 and 100 events of the usual size. */
const WORTH_COMPRESSING_BYTES = 8_000;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function packEvents(events: readonly RelayEvent[]): Lines {
  const frames: Uint8Array[] = [];
  const bytes = addFrames(events, frames);
  let firstAt = Number.POSITIVE_INFINITY;
  for (const { at } of events) firstAt = Math.min(firstAt, at);
  return { count: events.length, bytes, firstAt, packed: concat(frames) };
}

/** The same for lines that nobody has read yet. */
export function packLines(lines: readonly string[]): Lines {
  return packEvents(lines.map(fromLine));
}

/** @returns the bytes before compression */
function addFrames(events: readonly RelayEvent[], frames: Uint8Array[]): number {
  // One long text that is flattened once: joining an array of lines flattens each of them first.
  let text = "";
  for (const event of events) text += text === "" ? toLine(event) : `\n${toLine(event)}`;
  const plain = utf8(text);
  if (plain.byteLength > FRAME_BYTES && events.length > 1) {
    const middle = Math.ceil(events.length / 2);
    return addFrames(events.slice(0, middle), frames) + addFrames(events.slice(middle), frames);
  }
  const isWorth = plain.byteLength >= WORTH_COMPRESSING_BYTES && plain.byteLength <= FRAME_BYTES;
  const small = isWorth ? compress(plain) : null;
  const content = small ?? plain;
  const header = new Uint8Array(HEADER_BYTES);
  new DataView(header.buffer).setUint32(1, content.byteLength);
  header[0] = small === null ? 0 : 1;
  frames.push(header, content);
  return plain.byteLength + 1;
}

/** Puts packed lines together. */
export function concat(packed: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(packed.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of packed) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** @throws for bytes that `packLines` did not make, and for such that changed since */
export function unpackLines(packed: Uint8Array): readonly string[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const found: (readonly string[])[] = [];
  for (let at = 0; at < packed.byteLength; ) {
    const end = at + HEADER_BYTES + view.getUint32(at + 1);
    if (end > packed.byteLength) throw new Error("A frame that ends too early");
    const content = packed.subarray(at + HEADER_BYTES, end);
    const plain = view.getUint8(at) === 1 ? decompress(content, FRAME_BYTES) : content;
    found.push(decoder.decode(plain).split("\n"));
    at = end;
  }
  return found.length === 1 ? (found[0] ?? []) : found.flat();
}

/** Whether these are event lines, as many as is said: for what comes from outside this isolate. Takes as long as unpacking. */
export function areReadable({ count, packed }: Lines): boolean {
  try {
    const lines = unpackLines(packed);
    return lines.length === count && lines.every(isLine);
  } catch {
    return false;
  }
}
