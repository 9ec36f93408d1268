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
export const FRAME_BYTES = 125_000;
/** Below it compressing takes longer than carrying the bytes; between 1 and 100 events of the usual size. */
const WORTH_COMPRESSING_BYTES = 8_000;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The same lines as text: how they are made, before they are packed. */
export interface WrittenLines {
  /** UTF-8, joined by line breaks. */
  readonly text: Uint8Array;
  /** Where each line ends in the text, in bytes; its line break stands there. */
  readonly ends: ArrayLike<number>;
  /** Each event's own time. */
  readonly times: ArrayLike<EpochMs>;
}

/** @param events at least one */
export function writeLines(events: readonly RelayEvent[]): WrittenLines {
  // One long text that is flattened once: joining an array of lines flattens each of them first.
  let lines = "";
  for (const event of events) lines += lines === "" ? toLine(event) : `\n${toLine(event)}`;
  const text = utf8(lines);
  const ends: number[] = [];
  for (let end = text.indexOf(LINE_BREAK); end >= 0; end = text.indexOf(LINE_BREAK, end + 1)) ends.push(end);
  ends.push(text.byteLength);
  return { text, ends, times: events.map(({ at }) => at) };
}

const LINE_BREAK = 0x0a;

/** Bytes of the lines from one up to another, one more for each. */
export function bytesOf({ ends }: WrittenLines, from: number, to: number): number {
  return (ends[to - 1] ?? 0) + 1 - beginOf(ends, from);
}

function beginOf(ends: ArrayLike<number>, line: number): number {
  return line === 0 ? 0 : (ends[line - 1] ?? 0) + 1;
}

/** Packs the lines from one up to another, at least one; by default all. */
export function packWritten(written: WrittenLines, from = 0, to = written.ends.length): Lines {
  const frames: Uint8Array[] = [];
  addFrames(written, from, to, frames);
  let firstAt = Number.POSITIVE_INFINITY;
  for (let line = from; line < to; line += 1) firstAt = Math.min(firstAt, written.times[line] ?? firstAt);
  return { count: to - from, bytes: bytesOf(written, from, to), firstAt, packed: concat(frames) };
}

export function packEvents(events: readonly RelayEvent[]): Lines {
  return packWritten(writeLines(events));
}

/** The same for lines that nobody has read yet. */
export function packLines(lines: readonly string[]): Lines {
  return packEvents(lines.map(fromLine));
}

function addFrames(written: WrittenLines, from: number, to: number, frames: Uint8Array[]): void {
  const bytes = bytesOf(written, from, to) - 1;
  if (bytes > FRAME_BYTES && to - from > 1) {
    const middle = Math.ceil((from + to) / 2);
    addFrames(written, from, middle, frames);
    addFrames(written, middle, to, frames);
    return;
  }
  const begin = beginOf(written.ends, from);
  const plain = written.text.subarray(begin, begin + bytes);
  const isWorth = bytes >= WORTH_COMPRESSING_BYTES && bytes <= FRAME_BYTES;
  const small = isWorth ? compress(plain) : null;
  const content = small ?? plain;
  const header = new Uint8Array(HEADER_BYTES);
  new DataView(header.buffer).setUint32(1, content.byteLength);
  header[0] = small === null ? 0 : 1;
  frames.push(header, content);
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
