/**
 * How events become parts, messages, rows and requests. The numbers are those of the relay's source, which a program beside
 * the Worker does not import; the tests compare what comes of them with what the meter counts.
 */

/** What completing an event adds to it: id, tenant, hash; and its line repeats id, time and action. */
const LINE_OVERHEAD_BYTES = 268;
/** A part's line about itself. */
const HEADER_BYTES = 200;
/** A request is cut into parts of about the same size, of at most so many bytes before compression: each a frame. */
const FRAME_BYTES = 125_000;
/** Compressed from here on. */
const COMPRESSED_FROM_BYTES = 8_000;
/** What is left of a frame: `FRAME_LEFT_BYTES` and this share. Measured with events of ordinary audit trails. */
const LEFT_SHARE = 0.175;
const FRAME_LEFT_BYTES = 600;
/** Parts share a message up to this; a larger one is a message by itself. */
const MESSAGE_BYTES = 63_900;
/** Requests of at most so many bytes share a message with others that come while one is being sent. */
const SMALL_BYTES = 16_000;
/** A queue operation, and the platform's own part of a message. */
const OPERATION_BYTES = 64_000;
const PLATFORM_BYTES = 100;
/** One row of a lane's outbox holds whole parts. */
const ROW_EVENTS = 1_000;
const ROW_BYTES = 640_000;
/** What one request to a SIEM holds: that of Splunk's HTTP Event Collector, with the envelope of each event at most. */
const REQUEST_EVENTS = 1_000;
const REQUEST_BYTES = 1_000_000;
const ENVELOPE_BYTES = 400;

/** Events as they come: so many in one request, so large as they are sent. */
export interface Shape {
  readonly eventsPerRequest: number;
  readonly eventBytes: number;
}

/** What one request of a producer becomes on the queue; less than one message where it shares one. */
export interface Queued {
  readonly messages: number;
  /** Queue operations of each kind: writes, and as many reads and deletes. */
  readonly operations: number;
}

/** @param sharing requests that share a message where they are small enough; 1: none does */
export function queued(shape: Shape, sharing: number): Queued {
  const sizes = partsOf(shape).map((events) => storedBytes(events * lineBytes(shape)));
  const [first = 0] = sizes;
  if (sizes.length === 1 && first <= SMALL_BYTES) {
    const together = Math.max(1, Math.min(sharing, Math.floor(MESSAGE_BYTES / first)));
    return { messages: 1 / together, operations: 1 / together };
  }
  const messages = filled(sizes, MESSAGE_BYTES);
  const operations = messages.reduce((sum, bytes) => sum + Math.ceil(bytes / OPERATION_BYTES), 0);
  return { messages: messages.length, operations };
}

/** What one call of a lane writes and sends. */
export interface Handled {
  readonly rows: number;
  readonly requests: number;
}

/** @param requests of producers whose events the call hands over; of the last perhaps a part */
export function handled(shape: Shape, requests: number): Handled {
  const line = lineBytes(shape);
  const whole = Array.from({ length: Math.floor(requests) }, () => partsOf(shape)).flat();
  const rest = (requests % 1) * shape.eventsPerRequest;
  const parts = rest > 0.001 || whole.length === 0 ? [...whole, rest] : whole;
  const most = Math.max(1, Math.min(ROW_EVENTS, ROW_BYTES / line));
  const rows = filled(parts, most);
  const perRequest = Math.min(REQUEST_EVENTS, REQUEST_BYTES / (line + ENVELOPE_BYTES));
  return { rows: rows.length, requests: filled(rows, perRequest).length };
}

function lineBytes({ eventBytes }: Shape): number {
  return eventBytes + LINE_OVERHEAD_BYTES;
}

/** How many events are in each part of a request. */
function partsOf(shape: Shape): readonly number[] {
  const most = Math.max(1, Math.floor(FRAME_BYTES / lineBytes(shape)));
  const parts = Math.ceil(shape.eventsPerRequest / most);
  const each = Math.ceil(shape.eventsPerRequest / parts);
  return Array.from({ length: parts }, (_, part) => Math.min(each, shape.eventsPerRequest - part * each));
}

/** Of a part on the queue, with what is around it. */
function storedBytes(bytes: number): number {
  const left = bytes < COMPRESSED_FROM_BYTES ? bytes : Math.min(bytes, FRAME_LEFT_BYTES + bytes * LEFT_SHARE);
  return HEADER_BYTES + left + PLATFORM_BYTES;
}

/** Puts things into containers in their order, as many whole ones as fit; a larger one is alone. @returns what is in each */
function filled(sizes: readonly number[], most: number): readonly number[] {
  const containers: number[] = [];
  for (const size of sizes) {
    const last = containers.at(-1);
    if (last === undefined || last + size > most) containers.push(size);
    else containers[containers.length - 1] = last + size;
  }
  return containers;
}
