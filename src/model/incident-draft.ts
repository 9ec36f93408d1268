import { sha256Hex } from "../base/bytes.ts";
import { type EpochMs, minutes, seconds } from "../base/clock.ts";
import { canonicalJson } from "../base/json.ts";
import { type AlertRecord, cut, fieldTexts, firstText, fitRecord } from "./alert-record.ts";
import { type IncidentDraft, MAX_SHORT_DESCRIPTION_CHARACTERS, type Priority } from "./incident.ts";
import type { Source } from "./source.ts";

/** What is taken for an incident of an alert's message; the alert itself keeps more. */
const MAX_MESSAGE_CHARACTERS = 4_000;
const MAX_NAME_CHARACTERS = 512;
const MAX_WORD_CHARACTERS = 200;
const UNMAPPED_PRIORITY: Priority = "P3";

/** Where one kind of alert has what: the first of the names that has a text counts. Dots reach into objects. */
export interface DraftFields {
  readonly shortDescription: readonly string[];
  readonly ciIdentifier: readonly string[];
  readonly sourceIp: readonly string[];
  /** An explicit priority; it wins over the severity. */
  readonly priority: readonly string[];
  readonly severity: readonly string[];
  readonly assignmentGroup: readonly string[];
  readonly searchName: readonly string[];
  readonly message: readonly string[];
}

/** What the mappings do not say. */
export type DraftFacts = Pick<IncidentDraft, "alertKey" | "proof" | "dedupScope" | "at"> & {
  readonly fields: DraftFields;
  /** Set where the kind knows better than the source's `dedup_fields`, like a notable's own id. */
  readonly dedupKey?: string;
};

export type Mappings = Pick<Source, "severityMapping" | "fieldMapping" | "dedupFields">;

/**
 * What an alert or a notable says, by the mappings of its source.
 *
 * A field that the source maps but the alert lacks falls back to where its kind usually has it: an alert that
 * differs from what was expected still makes an incident that can be read.
 */
export function draftIncident(record: AlertRecord, mappings: Mappings, facts: DraftFacts): IncidentDraft {
  const { alertKey, proof, dedupScope, at, fields } = facts;
  const { fieldMapping } = mappings;
  const text = (names: readonly string[], characters: number): string | null => {
    const found = firstText(record, names);
    return found === null ? null : cut(found, characters);
  };
  const severity = text(fields.severity, MAX_WORD_CHARACTERS);
  const searchName = text(fields.searchName, MAX_NAME_CHARACTERS);
  const message = text(fields.message, MAX_MESSAGE_CHARACTERS);
  const title = firstText(record, mapped(fieldMapping.short_description, fields.shortDescription));
  return {
    alertKey,
    proof,
    dedupKey: facts.dedupKey ?? dedupKeyOf(record, mappings.dedupFields),
    dedupScope,
    at,
    shortDescription: oneLine(title ?? searchName ?? message ?? "Splunk alert"),
    priority: statedPriority(record, fields.priority) ?? priorityOf(severity, mappings.severityMapping),
    severity,
    assignmentGroup: text(fields.assignmentGroup, MAX_WORD_CHARACTERS),
    ciIdentifier: text(mapped(fieldMapping.ci_identifier, fields.ciIdentifier), MAX_NAME_CHARACTERS),
    sourceIp: text(mapped(fieldMapping.source_ip, fields.sourceIp), MAX_WORD_CHARACTERS),
    searchName,
    message,
    alert: fitRecord(record),
  };
}

function mapped(name: string | undefined, usual: readonly string[]): readonly string[] {
  return name === undefined ? usual : [name, ...usual];
}

function oneLine(text: string): string {
  return cut(text.replaceAll(/\s+/g, " "), MAX_SHORT_DESCRIPTION_CHARACTERS);
}

/** The first of these fields that says `P1` to `P4`, or `1` to `4`; another text in one of them does not count. */
function statedPriority(record: AlertRecord, names: readonly string[]): Priority | null {
  const stated = names.map((name) => /^p?([1-4])$/i.exec(firstText(record, [name]) ?? "")?.[1]);
  const digit = stated.find((each) => each !== undefined);
  return digit === undefined ? null : (`P${digit}` as Priority); // the pattern admits no other
}

/** @param severity compared in lower case; P3 for one that is not mapped */
export function priorityOf(severity: string | null, mapping: Mappings["severityMapping"]): Priority {
  const wanted = severity?.toLowerCase();
  const entry = Object.entries(mapping).find(([name]) => name.toLowerCase() === wanted);
  return entry?.[1] ?? UNMAPPED_PRIORITY;
}

/**
 * The key under which alerts are the same trouble: a hash over the fields' values, absent ones included. An alert
 * that has none of the fields is the same only as one that is equal throughout.
 *
 * @param record as `tameRecord` gives it
 */
export function dedupKeyOf(record: AlertRecord, names: readonly string[]): string {
  const values = names.map((name) => [name, fieldTexts(record, name)] as const);
  const isNamed = values.some(([, texts]) => texts.length > 0);
  return contentHash(isNamed ? values : withoutRun(record));
}

/** Without what names one run of a search: it differs from alert to alert of the same trouble. */
function withoutRun(record: AlertRecord): AlertRecord {
  const { sid: _sid, results_link: _link, search_uri: _uri, timestamp: _time, ...rest } = record;
  return rest;
}

/** Hex SHA-256 of the RFC 8785 form of a tame value: equal values have equal hashes, whatever the order of their fields. */
export function contentHash(value: unknown): string {
  const canonical = canonicalJson(value);
  if (canonical === null) throw new Error("A tame value has a canonical form");
  return sha256Hex(canonical);
}

/** A clock that is a little ahead is not yet wrong. */
const AHEAD = minutes(5);
const EARLIEST = Date.UTC(2000, 0, 1);

/**
 * A time as Splunk writes it: epoch seconds, with a fraction or without (`$trigger_time$`, `_time`), or ISO 8601
 * with an offset.
 *
 * @param text null when there is none
 * @returns `now` for anything else, for the future and for what is before the year 2000
 */
export function splunkTime(text: string | null, now: EpochMs): EpochMs {
  const at = timeIn(text ?? "");
  if (Number.isNaN(at) || at < EARLIEST || at > now + AHEAD) return now;
  return Math.floor(at);
}

function timeIn(text: string): number {
  if (/^\d{9,11}(?:\.\d{1,9})?$/.test(text)) return seconds(Number(text));
  return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/i.test(text)
    ? Date.parse(text.replace(" ", "T").replace(/([+-]\d\d)(\d\d)$/, "$1:$2"))
    : Number.NaN;
}
