/**
 * Reads the body of `/services/collector/event` as Splunk does: object by object, each indexed at once,
 * so that what precedes a bad object stays indexed.
 *
 * Observed on Splunk Enterprise 10.4 and Cloud 10.5, identically (2026-11): codes 6, 12, 13 and 15 name
 * the bad object from 0; code 7 names the one after it; an unknown envelope key ends the reading under a
 * 200; an object with `fields` and no `event` is skipped under a 200.
 */
import type { Mould } from "./hec-mould.ts";
import { isText, memberValue, ObjectReader, ObjectScan, scalarMember, skipSpace } from "./json-scan.ts";

export interface EnvelopeRules {
  /** Indexes of the token; null: any. */
  readonly indexes: ReadonlySet<string> | null;
  /** Checks the inside of scalars too, at the price of parsing. */
  readonly strict: boolean;
  /** What envelopes looked like so far; those like it are not all read. Null: each is. */
  readonly mould: Mould | null;
  readonly poison: { readonly pattern: string; readonly code: number } | null;
  /** Number of the first object not to be taken; Infinity to take all. */
  readonly stopAt: number;
}

/** Where the parts of one envelope are in the body; -1 for an absent one. */
export interface Envelope {
  readonly start: number;
  readonly end: number;
  readonly event: number;
  readonly eventEnd: number;
  readonly fields: number;
  readonly index: string | null;
  /** Where the text of the event's id is, if that is known without reading the event. */
  readonly id: { readonly start: number; readonly end: number } | null;
}

export interface EnvelopeSink {
  take(envelope: Envelope): void;
  /** A rule that Splunk tolerates to be broken, or a broken one: see the README. */
  violate(rule: string, detail: string): void;
}

export interface Verdict {
  readonly code: number;
  readonly eventNumber: number | null;
  readonly taken: number;
  readonly poisoned: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** With a mould, one of so many is read in full, and parsed. */
const SAMPLE = 16;

/** Where each known key was in the envelope being read. */
interface Members {
  time: number;
  index: number;
  event: number;
  fields: number;
  unknown: number;
}

export function readEnvelopes(body: Buffer, rules: EnvelopeRules, sink: EnvelopeSink): Verdict {
  const reader = new ObjectReader(body);
  const { scan } = reader;
  let taken = 0;
  let number = 0;
  const verdict = (code: number, eventNumber: number | null, poisoned = false): Verdict => ({
    code,
    eventNumber,
    taken,
    poisoned,
  });
  const mould = rules.poison === null && !reader.isArray ? rules.mould : null;
  for (let step = nextStep(); step !== "end"; number++, step = nextStep()) {
    if (number >= rules.stopAt) return verdict(0, null);
    if (step === "moulded") continue;
    const isStrict = rules.strict || (mould !== null && number % SAMPLE === 0);
    if (step === "bad" || (isStrict && !isJson(body, scan))) return verdict(6, number);
    const members = membersOf(body, scan);
    if (members.unknown >= 0) {
      const key = body.toString("utf8", scan.keyStart(members.unknown), scan.keyEnd(members.unknown));
      sink.violate("unknown_envelope_key", `"${key}" in object ${number} discards it and all that follows`);
      return number === 0 ? verdict(5, null) : verdict(0, null);
    }
    if (members.event < 0 && members.fields >= 0) {
      sink.violate("fields_without_event", `object ${number} has fields and no event, and is skipped`);
      continue;
    }
    const fault = faultOf(body, scan, members);
    if (fault !== 0) return verdict(fault, number);
    const index = members.index < 0 ? null : quoted(body, scan, members.index);
    if (rules.indexes !== null && index !== null && !rules.indexes.has(index)) return verdict(7, number + 1);
    if (rules.poison !== null && contains(body, scan, members.event, rules.poison.pattern)) {
      const { code } = rules.poison;
      return verdict(code, code === 7 ? number + 1 : number, true);
    }
    judge(body, scan, members, sink);
    const envelope = {
      start: scan.start,
      end: scan.end,
      event: scan.valueStart(members.event),
      eventEnd: scan.valueEnd(members.event),
      fields: members.fields < 0 ? -1 : scan.valueStart(members.fields),
      index,
      id: null,
    };
    mould?.learn(body, envelope, idBytes(body, envelope));
    sink.take(envelope);
    taken++;
  }
  return number === 0 ? verdict(5, null) : verdict(0, null);

  function nextStep(): "object" | "end" | "bad" | "moulded" {
    const at = skipSpace(body, reader.at);
    const fitting =
      mould === null || number % SAMPLE === 0 || number >= rules.stopAt ? null : mould.fit(body, at);
    if (fitting === null) return reader.next();
    reader.passTo(fitting.end);
    sink.take(fitting);
    taken++;
    return "moulded";
  }
}

/** Where the text of the event's own id is; null if it has none, or one that has to be read to be known. */
export function idBytes(
  body: Buffer,
  { event, id }: Pick<Envelope, "event" | "id">,
): { readonly start: number; readonly end: number } | null {
  if (id !== null) return id;
  const value = memberValue(body, event, "id");
  if (value < 0 || body[value] !== QUOTE) return null;
  let end = value + 1;
  while (body[end] !== QUOTE) if (body[end++] === BACKSLASH) return null;
  return { start: value + 1, end };
}

/** The event's own id: `event.id` of an object, else `fields.event_id`, else null. */
export function eventId(body: Buffer, { event, fields }: Pick<Envelope, "event" | "fields">): string | null {
  return scalarMember(body, event, "id") ?? (fields < 0 ? null : scalarMember(body, fields, "event_id"));
}

const members: Members = { time: -1, index: -1, event: -1, fields: -1, unknown: -1 };
const inner = new ObjectScan();

function membersOf(body: Buffer, scan: ObjectScan): Members {
  members.time = members.index = members.event = members.fields = members.unknown = -1;
  for (let member = 0; member < scan.count; member++) {
    const start = scan.keyStart(member);
    const end = scan.keyEnd(member);
    if (isText(body, start, end, "event")) members.event = member;
    else if (isText(body, start, end, "time")) members.time = member;
    else if (isText(body, start, end, "index")) members.index = member;
    else if (isText(body, start, end, "fields")) members.fields = member;
    else if (!isMetadata(body, start, end)) {
      members.unknown = member;
      break;
    }
  }
  return members;
}

function isMetadata(body: Buffer, start: number, end: number): boolean {
  return (
    isText(body, start, end, "host") ||
    isText(body, start, end, "source") ||
    isText(body, start, end, "sourcetype")
  );
}

/** Result code of a bad envelope, 0 for a good one. `null` as event and a time that is no number are inferred. */
function faultOf(body: Buffer, scan: ObjectScan, { event, fields, time }: Members): number {
  if (event < 0) return 12;
  const start = scan.valueStart(event);
  const length = scan.valueEnd(event) - start;
  if (length === 4 && isText(body, start, start + 4, "null")) return 12;
  if (length === 2 && body[start] === QUOTE) return 13;
  if (fields >= 0 && !isFlat(body, scan.valueStart(fields))) return 15;
  if (time >= 0 && integerDigits(body, scan, time) === 0) return 6;
  return 0;
}

/** Scalars, and lists of scalars (multivalue fields). */
function isFlat(body: Buffer, start: number): boolean {
  if (!inner.read(body, start)) return false;
  for (let member = 0; member < inner.count; member++) {
    const at = inner.valueStart(member);
    if (body[at] === 0x7b) return false;
    if (body[at] === 0x5b) {
      const list = body.toString("utf8", at + 1, inner.valueEnd(member) - 1);
      if (/[[{]/.test(list.replace(/"(?:[^"\\]|\\.)*"/g, ""))) return false;
    }
  }
  return true;
}

function judge(body: Buffer, scan: ObjectScan, { time, index }: Members, sink: EnvelopeSink): void {
  if (time < 0) sink.violate("time_missing", "an envelope without `time` gets the time of receipt");
  else if (integerDigits(body, scan, time) >= 12) {
    const value = body.toString("latin1", scan.valueStart(time), scan.valueEnd(time));
    sink.violate("time_in_milliseconds", `time ${value} is not in epoch seconds`);
  }
  if (index >= 0 && body[scan.valueStart(index)] !== QUOTE)
    sink.violate("index_not_string", "`index` must be a string");
}

/** Digits before the point of `1700000000.123` or `"1700000000"`; 0 for what is no such number. */
function integerDigits(body: Buffer, scan: ObjectScan, member: number): number {
  let at = scan.valueStart(member);
  let end = scan.valueEnd(member);
  if (body[at] === QUOTE) {
    at++;
    end--;
  }
  let digits = 0;
  let dots = 0;
  for (; at < end; at++) {
    const byte = body[at] ?? 0;
    if (byte === 0x2e) dots++;
    else if (byte < 0x30 || byte > 0x39) return 0;
    else if (dots === 0) digits++;
  }
  return dots > 1 ? 0 : digits;
}

function quoted(body: Buffer, scan: ObjectScan, member: number): string {
  const start = scan.valueStart(member);
  const isString = body[start] === QUOTE;
  return body.toString("utf8", isString ? start + 1 : start, scan.valueEnd(member) - (isString ? 1 : 0));
}

function contains(body: Buffer, scan: ObjectScan, member: number, pattern: string): boolean {
  return body.subarray(scan.valueStart(member), scan.valueEnd(member)).includes(pattern);
}

function isJson(body: Buffer, scan: ObjectScan): boolean {
  try {
    JSON.parse(body.toString("utf8", scan.start, scan.end));
    return true;
  } catch {
    return false;
  }
}
