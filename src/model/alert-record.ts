import { byteLength } from "../base/bytes.ts";
import { MAX_ALERT_BYTES } from "./incident.ts";

/** What Splunk said of one alert or notable, safe to walk, hash and store: see `tameRecord`. */
export type AlertRecord = Readonly<Record<string, unknown>>;

/** Levels of one alert. Splunk's own have two; deeper input would exhaust the stack of whoever walks it. */
export const MAX_ALERT_DEPTH = 32;
/** Characters of one text, where the whole is too large to be kept as it is. */
const SHORTENED_CHARACTERS = 1_000;

/**
 * A copy without what some later reader would stumble over: halves of surrogate pairs, the NUL at which SQLite
 * ends a text, numbers beyond a double, and a field that means an object's prototype.
 *
 * @returns null for anything but an object, and for one that is nested too deep
 */
export function tameRecord(value: unknown): AlertRecord | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  if (isDeeperThan(value, MAX_ALERT_DEPTH)) return null;
  return tame(value) as AlertRecord; // an object gives an object
}

function tame(value: unknown): unknown {
  if (typeof value === "string") return tameText(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(tame);
  const named = Object.entries(value).filter(([name]) => name !== "__proto__");
  return Object.fromEntries(named.map(([name, inner]) => [tameText(name), tame(inner)]));
}

function tameText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "");
}

/** With a list of its own, because the sender chooses the depth. */
function isDeeperThan(root: object, limit: number): boolean {
  const waiting: (readonly [value: unknown, level: number])[] = [[root, 1]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [value, level] = next;
    if (typeof value !== "object" || value === null) continue;
    if (level > limit) return true;
    for (const inner of Object.values(value)) waiting.push([inner, level + 1]);
  }
  return false;
}

/**
 * As much of an alert as `MAX_ALERT_BYTES` holds: nearly always all of it; else its fields in their order, long
 * texts cut, until the room is used up, and `_truncated: true`.
 */
export function fitRecord(record: AlertRecord): AlertRecord {
  if (byteLength(JSON.stringify(record)) <= MAX_ALERT_BYTES) return record;
  return { ...fill(record, MAX_ALERT_BYTES - byteLength('{"_truncated":true}')), _truncated: true };
}

/** The fields that fit into so many bytes; of an object among them, as Splunk's `result` is one, again those that fit. */
function fill(record: AlertRecord, bytes: number): AlertRecord {
  const kept: [string, unknown][] = [];
  let room = bytes;
  for (const [name, value] of Object.entries(record)) {
    const short = shorten(value);
    const part = sizeOf(name, short) > room && isFields(short) ? fill(short, room - sizeOf(name, {})) : short;
    const size = sizeOf(name, part);
    if (size > room) continue;
    kept.push([name, part]);
    room -= size;
  }
  return Object.fromEntries(kept);
}

function sizeOf(name: string, value: unknown): number {
  return byteLength(JSON.stringify({ [name]: value }));
}

function isFields(value: unknown): value is AlertRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shorten(value: unknown): unknown {
  if (typeof value === "string") return cut(value, SHORTENED_CHARACTERS);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, 10).map(shorten);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner)]));
}

/** A text of at most so many characters, with an ellipsis where it was longer. */
export function cut(text: string, characters: number): string {
  return text.length <= characters
    ? text
    : `${text
        .slice(0, characters - 1)
        .toWellFormed()
        .replace(/\ufffd$/, "")}…`;
}

/** A Splunk token that nothing took the place of, like `$result.severity$`: the field is absent. */
const UNEXPANDED = /^\$[A-Za-z_][\w.:{}@| -]*\$$/;

/**
 * The texts of a field: of a multivalue field all of them, and numbers and booleans as they are written.
 * Empty ones and unexpanded tokens are none.
 */
export function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((each) => (Array.isArray(each) ? [] : textsOf(each)));
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  if (typeof value !== "string") return [];
  const text = value.trim();
  return text === "" || UNEXPANDED.test(text) ? [] : [text];
}

/**
 * The texts under a name: a field of the record itself, else along the dots of the name, else a field of the
 * record's `result`, where Splunk's own alerts have theirs.
 */
export function fieldTexts(record: AlertRecord, name: string): readonly string[] {
  for (const value of [own(record, name), along(record, name.split(".")), own(record["result"], name)]) {
    const texts = textsOf(value);
    if (texts.length > 0) return texts;
  }
  return [];
}

/** The first text under the first of these names that has one, or null. */
export function firstText(record: AlertRecord, names: readonly string[]): string | null {
  for (const name of names) {
    const [text] = fieldTexts(record, name);
    if (text !== undefined) return text;
  }
  return null;
}

function along(record: unknown, names: readonly string[]): unknown {
  return names.reduce(own, record);
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
