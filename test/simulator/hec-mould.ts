/**
 * Recognises an envelope that is shaped like the one before it, at a third of the price of reading it.
 *
 * For load tests alone: one sender's envelopes differ in time and event and in nothing else. Whatever does not fit is
 * read in full, and so is every sixteenth that fits (`hec-envelopes.ts`): a rule broken by all is found at once, one
 * broken now and then soon.
 */
import { isText } from "./json-scan.ts";

const HEAD = '{"time":';
const ID_KEY = ',"id":"';
const QUOTE = 0x22;
const NEWLINE = 0x0a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const POINT = 0x2e;
/** Epoch seconds; more digits are milliseconds, which is a broken rule and not to be let through here. */
const MAX_DIGITS = 11;

interface Span {
  start: number;
  end: number;
}

export interface MouldedEnvelope extends Span {
  event: number;
  eventEnd: number;
  readonly fields: -1;
  index: string | null;
  id: Span | null;
}

/** An envelope that was read. */
interface ReadEnvelope extends Readonly<Span> {
  readonly event: number;
  readonly eventEnd: number;
  readonly fields: number;
  readonly index: string | null;
}

export class Mould {
  /** From after the time to the event. */
  #middle = Buffer.alloc(0);
  /** Bytes of the event from the text of its id on, and of that text; 0 without one. */
  #idTail = 0;
  #idLength = 0;
  readonly #id: Span = { start: 0, end: 0 };
  readonly #found: MouldedEnvelope = {
    ...{ start: 0, end: 0, event: 0, eventEnd: 0 },
    ...{ fields: -1, index: null, id: null },
  };

  /**
   * Learns from an envelope that was read and found good; one whose time is not first, or event not last, teaches nothing.
   *
   * @param id where the text of the event's id is
   */
  learn(
    body: Buffer,
    { start, end, event, eventEnd, fields, index }: ReadEnvelope,
    id: Readonly<Span> | null,
  ): void {
    this.#middle = Buffer.alloc(0);
    const time = timeEnd(body, start);
    if (time < 0 || fields >= 0 || eventEnd !== end - 1) return;
    this.#middle = Buffer.from(body.subarray(time, event));
    this.#found.index = index;
    this.#idTail = id === null ? 0 : eventEnd - id.start;
    this.#idLength = id === null ? 0 : id.end - id.start;
  }

  /** @returns where its parts are, until the next call; null if it must be read */
  fit(body: Buffer, start: number): Readonly<MouldedEnvelope> | null {
    const middle = this.#middle;
    if (middle.length === 0) return null;
    const time = timeEnd(body, start);
    if (time < 0) return null;
    for (let at = 0; at < middle.length; at++) if (body[time + at] !== middle[at]) return null;
    const event = time + middle.length;
    // No line break can be inside JSON text but between its parts, where this sender has none.
    const newline = body.indexOf(NEWLINE, event);
    const end = newline < 0 ? body.length : newline;
    const isClosed = body[end - 1] === CLOSE_BRACE && body[end - 2] === CLOSE_BRACE;
    if (body[event] !== OPEN_BRACE || !isClosed || end - 2 <= event) return null;
    const found = this.#found;
    found.start = start;
    found.end = end;
    found.event = event;
    found.eventEnd = end - 1;
    found.id = this.#idIn(body, found);
    return found;
  }

  /** The id is as far from the end as in the envelope before, where a relay appends it; null if it is not there. */
  #idIn(body: Buffer, { event, eventEnd }: MouldedEnvelope): Span | null {
    const id = this.#id;
    id.start = eventEnd - this.#idTail;
    id.end = id.start + this.#idLength;
    const key = id.start - ID_KEY.length;
    if (this.#idTail === 0 || key <= event || body[id.end] !== QUOTE) return null;
    return isText(body, key, id.start, ID_KEY) ? id : null;
  }
}

/** Just after `1700000000.123` of `{"time":1700000000.123`; -1 if it begins in another way. */
function timeEnd(body: Buffer, start: number): number {
  if (!isText(body, start, start + HEAD.length, HEAD)) return -1;
  const first = start + HEAD.length;
  const point = digitsEnd(body, first);
  if (point === first || point - first > MAX_DIGITS) return -1;
  if (body[point] !== POINT) return point;
  const end = digitsEnd(body, point + 1);
  return end === point + 1 ? -1 : end;
}

function digitsEnd(body: Buffer, from: number): number {
  let at = from;
  while ((body[at] ?? 0) >= 0x30 && (body[at] ?? 0) <= 0x39) at++;
  return at;
}
