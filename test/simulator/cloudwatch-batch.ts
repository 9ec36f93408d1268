/** What PutLogEvents demands of a batch, and what it throws away of a good one. */
import { isUtf8 } from "node:buffer";
import type { AwsFault } from "./cloudwatch-signature.ts";
import { parsedOrNull } from "./hec-describe.ts";
import { isRecord } from "./shape.ts";

const MAX_EVENTS = 10_000;
const MAX_BATCH_BYTES = 1_048_576;
const MAX_EVENT_BYTES = 1_048_576;
const BYTES_PER_EVENT = 26;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_AGE_MS = 14 * DAY_MS;
const MAX_AHEAD_MS = 2 * HOUR_MS;

export interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

export interface Batch {
  readonly group: string;
  readonly stream: string;
  readonly events: readonly LogEvent[];
}

export interface Place {
  readonly group: string;
  /** Null where the call names none. */
  readonly stream: string | null;
}

/** Which events of a batch in order are thrown away: from either end. */
export interface Rejected {
  /** Exclusive. */
  readonly tooOldEnd: number;
  /** Exclusive. */
  readonly expiredEnd: number;
  /** Inclusive. */
  readonly tooNewStart: number;
}

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: AwsFault };

export function readInput(body: Buffer): Read<Record<string, unknown>> {
  const input = isUtf8(body) ? parsedOrNull(body.toString("utf8")) : null;
  return isRecord(input)
    ? good(input)
    : bad("SerializationException", "Unexpected token or bytes in the body");
}

export function readPlace(input: Record<string, unknown>, needsStream: boolean): Read<Place> {
  const { logGroupName: group, logStreamName: stream } = input;
  if (typeof group !== "string" || !/^[._/#A-Za-z0-9-]{1,512}$/.test(group))
    return constraint(
      "logGroupName",
      group,
      "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
    );
  if (!needsStream) return good({ group, stream: null });
  if (typeof stream !== "string" || !/^[^:*]{1,512}$/.test(stream))
    return constraint("logStreamName", stream, "Member must satisfy regular expression pattern: [^:*]*");
  return good({ group, stream });
}

export function readEvents(input: Record<string, unknown>): Read<readonly LogEvent[]> {
  const { logEvents: given } = input;
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_EVENTS)
    return constraint("logEvents", "[...]", `Member must have length less than or equal to ${MAX_EVENTS}`);
  const events: LogEvent[] = [];
  for (const [index, item] of given.entries()) {
    const { timestamp, message, ...more } = isRecord(item) ? item : {};
    if (typeof timestamp !== "number" || !Number.isInteger(timestamp) || timestamp < 0)
      return constraint(`logEvents.${index + 1}.member.timestamp`, timestamp, "Member must be a time from 0");
    if (typeof message !== "string" || message === "")
      return constraint(`logEvents.${index + 1}.member.message`, message, "Member must have length from 1");
    if (Object.keys(more).length > 0)
      return bad("SerializationException", `no ${Object.keys(more).join()} in a log event`);
    events.push({ timestamp, message });
  }
  return good(events);
}

/** Sizes and order. The span is of those events alone that are not thrown away. */
export function checkBatch(
  events: readonly LogEvent[],
  { tooOldEnd, expiredEnd, tooNewStart }: Rejected,
): AwsFault | null {
  let total = 0;
  let before = 0;
  for (const { timestamp, message } of events) {
    const bytes = Buffer.byteLength(message) + BYTES_PER_EVENT;
    if (bytes > MAX_EVENT_BYTES)
      return invalid(`Log event too large: ${bytes} bytes exceeds limit of ${MAX_EVENT_BYTES}`);
    if (timestamp < before)
      return invalid("Log events in a single PutLogEvents request must be in chronological order.");
    before = timestamp;
    total += bytes;
  }
  if (total > MAX_BATCH_BYTES)
    return invalid(`Upload too large: ${total} bytes exceeds limit of ${MAX_BATCH_BYTES}`);
  const valid = events.slice(Math.max(tooOldEnd, expiredEnd), tooNewStart);
  if ((valid.at(-1)?.timestamp ?? 0) - (valid[0]?.timestamp ?? 0) > DAY_MS)
    return invalid(
      "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
    );
  return null;
}

/** @param retentionDays of the log group; null keeps for ever */
export function rejectedOf(
  events: readonly LogEvent[],
  { now, retentionDays }: { now: number; retentionDays: number | null },
): Rejected {
  const endOf = (isRejected: (time: number) => boolean): number =>
    events.findLastIndex(({ timestamp }) => isRejected(timestamp)) + 1;
  const tooNew = events.findIndex(({ timestamp }) => timestamp > now + MAX_AHEAD_MS);
  return {
    tooOldEnd: endOf((time) => time < now - MAX_AGE_MS),
    expiredEnd: retentionDays === null ? 0 : endOf((time) => time < now - retentionDays * DAY_MS),
    tooNewStart: tooNew < 0 ? events.length : tooNew,
  };
}

export function invalid(message: string): AwsFault {
  return { type: "InvalidParameterException", message };
}

function good<T>(value: T): Read<T> {
  return { ok: true, value };
}

function bad(type: string, message: string): Read<never> {
  return { ok: false, fault: { type, message } };
}

function constraint(member: string, value: unknown, rule: string): Read<never> {
  const shown = `1 validation error detected: Value '${String(value)}' at '${member}' failed to satisfy constraint: ${rule}`;
  return { ok: false, fault: invalid(shown) };
}
