/** Reads the body of Datadog's logs intake: a JSON array of log items, or one item. */
import { isText, ObjectReader, type ObjectScan, scalar, scalarMember, skipSpace } from "./json-scan.ts";

/** Where one log item and its parts are in the body; -1 for an absent one. */
export interface LogItem {
  readonly start: number;
  readonly end: number;
  readonly message: number;
  readonly messageEnd: number;
  /** The nested attribute `evt`, if there is one. */
  readonly evt: number;
  /** Time of the item by its reserved date attributes, in epoch milliseconds. */
  readonly timeMs: number | null;
}

/**
 * Attributes that Datadog reads as the official date.
 * @see https://docs.datadoghq.com/logs/log_configuration/pipelines/#date-attribute (read 2026-11)
 */
const DATE_ATTRIBUTES = [
  "@timestamp",
  "timestamp",
  "_timestamp",
  "Timestamp",
  "eventTime",
  "date",
  "published_date",
];

/** @returns the items, or a sentence saying why the whole request is a 400 */
export function readLogs(body: Buffer, { strict }: { strict: boolean }): readonly LogItem[] | string {
  if (skipSpace(body, 0) === body.length) return "the body is empty";
  const reader = new ObjectReader(body);
  const { scan } = reader;
  const items: LogItem[] = [];
  for (let step = reader.next(); step !== "end"; step = reader.next()) {
    if (step === "bad") return `entry ${items.length} is not a JSON object`;
    if (!reader.isArray && items.length > 0) return "more than one value outside an array";
    if (strict && !isJson(body, scan)) return `entry ${items.length} is malformed JSON`;
    const message = scan.find(body, "message");
    if (message < 0 || body[scan.valueStart(message)] !== 0x22)
      return `entry ${items.length} needs "message", a string`;
    items.push(itemOf(body, scan, message));
  }
  return items;
}

function itemOf(body: Buffer, scan: ObjectScan, message: number): LogItem {
  const evt = scan.find(body, "evt");
  return {
    start: scan.start,
    end: scan.end,
    message: scan.valueStart(message),
    messageEnd: scan.valueEnd(message),
    evt: evt < 0 ? -1 : scan.valueStart(evt),
    timeMs: timeOf(body, scan) ?? timeInMessage(body, scan, message),
  };
}

function timeOf(body: Buffer, scan: ObjectScan): number | null {
  for (const name of DATE_ATTRIBUTES) {
    const member = scan.find(body, name);
    if (member >= 0) return epochMs(scalar(body, scan.valueStart(member), scan.valueEnd(member)));
  }
  return null;
}

/** A message that is a JSON object has its members read as attributes of the log. */
function timeInMessage(body: Buffer, scan: ObjectScan, message: number): number | null {
  const inner = messageObject(body, scan.valueStart(message), scan.valueEnd(message));
  if (inner === null) return null;
  for (const name of DATE_ATTRIBUTES) {
    const value = scalarMember(inner, 0, name);
    if (value !== null) return epochMs(value);
  }
  return null;
}

/** ISO 8601 or epoch milliseconds; anything else is no date and the time of receipt counts. */
function epochMs(value: string | null): number | null {
  if (value === null || value === "") return null;
  const ms = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : Date.parse(value);
  return Number.isFinite(ms) ? ms : null;
}

/** `id` of a message that is a JSON object, else the attributes `evt.id` (flat or nested) and `id`. */
export function logId(body: Buffer, { start, message, messageEnd, evt }: LogItem): string | null {
  const first = firstIdIn(body, message, messageEnd);
  if (first !== null) return first;
  const inner = messageObject(body, message, messageEnd);
  return (
    (inner === null ? null : scalarMember(inner, 0, "id")) ??
    scalarMember(body, start, "evt.id") ??
    (evt < 0 ? null : scalarMember(body, evt, "id")) ??
    scalarMember(body, start, "id")
  );
}

const FIRST_ID = String.raw`"{\"id\":\"`;
const BACKSLASH = 0x5c;

/** The id of a message that begins with it, read in place; null if it does not, or has escapes within. */
function firstIdIn(body: Buffer, start: number, end: number): string | null {
  const from = start + FIRST_ID.length;
  if (from >= end || !isText(body, start, from, FIRST_ID)) return null;
  const stop = body.indexOf(BACKSLASH, from);
  return stop > from && stop < end && body[stop + 1] === 0x22 ? body.toString("utf8", from, stop) : null;
}

function messageObject(body: Buffer, start: number, end: number): Buffer | null {
  if (body[start + 1] !== 0x7b) return null;
  const text = scalar(body, start, end);
  return text === null ? null : Buffer.from(text);
}

function isJson(body: Buffer, scan: ObjectScan): boolean {
  try {
    JSON.parse(body.toString("utf8", scan.start, scan.end));
    return true;
  } catch {
    return false;
  }
}
