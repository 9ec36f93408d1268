/**
 * How events become messages, rows and requests. The numbers are those of the relay's source, which a program beside the
 * Worker does not import; the tests compare them with what the meter counts.
 */

/** What completing an event adds to it: id, tenant, hash; and its line repeats id, time and action. */
const LINE_OVERHEAD_BYTES = 268;
/** What one message may hold, and its header line. */
const MESSAGE_BYTES = 63_900;
const HEADER_BYTES = 150;
/** A queue operation, and the platform's own part of a message. */
const OPERATION_BYTES = 64_000;
const PLATFORM_BYTES = 100;
/** One row of a lane's outbox. */
const ROW_EVENTS = 1_000;
const ROW_BYTES = 600_000;
/** What one request to a SIEM holds: that of Splunk's HTTP Event Collector, with the envelope of each event at most. */
const REQUEST_EVENTS = 1_000;
const REQUEST_BYTES = 1_000_000;
const ENVELOPE_BYTES = 400;

/** What one request of a producer becomes on the queue. */
export interface Packed {
  readonly messages: number;
  /** Queue operations of each kind: writes, and as many reads and deletes. */
  readonly operations: number;
}

/** @param events of one request @param eventBytes of one event as sent */
export function packed(events: number, eventBytes: number): Packed {
  const line = eventBytes + LINE_OVERHEAD_BYTES;
  const each = Math.max(1, Math.floor((MESSAGE_BYTES - HEADER_BYTES) / line));
  const messages = Math.ceil(events / each);
  const bytes = HEADER_BYTES + line * Math.min(each, events);
  return { messages, operations: messages * Math.ceil((bytes + PLATFORM_BYTES) / OPERATION_BYTES) };
}

/** What one call of a lane writes and sends. */
export interface Handled {
  readonly rows: number;
  readonly requests: number;
}

/** @param events that the call hands over; a part of one counts as one */
export function handled(events: number, eventBytes: number): Handled {
  const line = eventBytes + LINE_OVERHEAD_BYTES;
  const each = Math.max(1, Math.min(ROW_EVENTS, Math.floor(ROW_BYTES / line)));
  const perRequest = Math.min(REQUEST_EVENTS, Math.floor(REQUEST_BYTES / (line + ENVELOPE_BYTES)));
  const rows = Math.max(1, Math.ceil(events / each));
  const last = events - (rows - 1) * each;
  let requests = 1;
  let filled = 0;
  // Rows travel whole and in order, as many as fit.
  for (let row = 1; row <= rows; row += 1) {
    const size = row === rows ? last : each;
    if (filled > 0 && filled + size > perRequest) {
      requests += 1;
      filled = 0;
    }
    filled += size;
  }
  return { rows, requests };
}
