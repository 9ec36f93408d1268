import { type EpochMs, isoTime } from "../../base/clock.ts";
import { hashingIn } from "../../base/sha256-many.ts";
import type { WrittenLines } from "../../model/lines.ts";
import { textOf } from "./body.ts";
import type { EventIds } from "./idempotency.ts";
import type { Media } from "./media.ts";
import program from "./one-pass.wasm";

/*
 * The short way through accepting, for bodies in which nothing is out of the ordinary: `one-pass.wasm`, whose source is
 * `src/assembly`, reads the bytes once and writes finished lines, hashes included. It takes a third of the time of
 * parsing, slicing, checking, canonical form and hash one after the other, and leaves the collector nothing to do.
 *
 * The long way stays the rule: it decides whatever this declines, finds the words for what is wrong, and is what a
 * property test holds the outcome of this against, byte for byte.
 */

/** A variable of the program. */
interface Cell {
  readonly value: number;
}

interface Program {
  take(
    bytes: number,
    oneLine: boolean,
    received: EpochMs,
    time: EpochMs,
    ownTime: boolean,
    tenant: number,
  ): number;
  readonly linesAt: Cell;
  readonly linesEnd: Cell;
  readonly idsEnd: Cell;
  readonly isBeyondAscii: Cell;
}

/** Places in the memory, as `src/assembly/layout.ts` gives them out. */
type Places = Readonly<
  Record<
    | "INPUT"
    | "SLACK"
    | "TENANT"
    | "RECEIVED"
    | "ID_TAIL"
    | "IDS"
    | "ENDS"
    | "TIMES"
    | "MAX_EVENTS"
    | "MAX_LINE_OVERHEAD",
    Cell
  >
>;

const PAGE_BYTES = 65_536;
const memory = new WebAssembly.Memory({ initial: 1 });
const { take, linesAt, linesEnd, idsEnd, isBeyondAscii, ...places } = new WebAssembly.Instance(program, {
  env: { memory },
  hash: hashingIn(memory),
}).exports as unknown as Program & Places; // as `src/assembly/one-pass.ts` exports them

const INPUT = places.INPUT.value;
const SLACK = places.SLACK.value;
const MAX_EVENTS = places.MAX_EVENTS.value;
const MAX_LINE_OVERHEAD = places.MAX_LINE_OVERHEAD.value;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Another one once the memory has grown. */
let bytes = new Uint8Array(memory.buffer);

/** Tenants whose ids are written as they are, in JSON and out of it: all that the relay makes. */
const PLAIN_TENANT = /^[A-Za-z0-9_-]{1,128}$/;

export interface OnePassContext {
  readonly tenantId: string;
  readonly format: Media["format"];
  /** Time of receipt. */
  readonly now: EpochMs;
  readonly eventIds: EventIds;
}

export interface Taken {
  /** Of the events, at least one, in the order of the input. */
  readonly ids: readonly string[];
  /** The events in the form in which they travel, in the same order. */
  readonly lines: WrittenLines;
}

/**
 * @param body after decompression, at most `MAX_REQUEST_BYTES`. The memory grows to twice the largest and 2 MB, so 12 MB at
 *   most, and stays so, as WebAssembly's does
 * @returns null where something is out of the ordinary, which need not be wrong
 */
export function takeInOnePass(body: Uint8Array, context: OnePassContext): Taken | null {
  const { tenantId, format, now, eventIds } = context;
  if (!PLAIN_TENANT.test(tenantId)) return null;
  reserve(body.byteLength);
  bytes.set(body, INPUT);
  bytes.fill(0, INPUT + body.byteLength, INPUT + body.byteLength + SLACK);
  write(`"timestamp":"${isoTime(now)}"`, places.RECEIVED.value);
  write(`${eventIds.tail}"`, places.ID_TAIL.value);
  const tenant = write(`"tenant_id":"${tenantId}"`, places.TENANT.value);
  const count = take(
    body.byteLength,
    format === "ndjson",
    now,
    eventIds.time,
    eventIds.prefersOwnTime,
    tenant,
  );
  if (count === 0 || (isBeyondAscii.value !== 0 && !textOf(body).ok)) return null;
  return {
    ids: decoder.decode(bytes.subarray(places.IDS.value, idsEnd.value - 1)).split("\n"),
    lines: {
      text: bytes.slice(linesAt.value, linesEnd.value),
      ends: new Uint32Array(memory.buffer, places.ENDS.value, count).slice(),
      times: new Float64Array(memory.buffer, places.TIMES.value, count).slice(),
    },
  };
}

/** Room for a body and its lines, however many events it has. */
function reserve(body: number): void {
  const lines = body + Math.min(MAX_EVENTS, body) * MAX_LINE_OVERHEAD;
  const missing = INPUT + body + 2 * SLACK + lines - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  if (bytes.byteLength !== memory.buffer.byteLength) bytes = new Uint8Array(memory.buffer);
}

/** @returns bytes; ASCII, so as many as characters */
function write(text: string, at: number): number {
  return encoder.encodeInto(text, bytes.subarray(at, at + text.length)).written;
}
