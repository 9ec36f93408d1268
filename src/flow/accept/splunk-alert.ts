import type { EpochMs } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import {
  type AlertRecord,
  firstText,
  MAX_ALERT_DEPTH,
  tameRecord,
  textsOf,
} from "../../model/alert-record.ts";
import type { IncidentDraft } from "../../model/incident.ts";
import {
  contentHash,
  type DraftFields,
  draftIncident,
  type Mappings,
  splunkTime,
} from "../../model/incident-draft.ts";
import type { Refusal } from "../../model/ingest.ts";
import { parseBounded } from "./bounded.ts";
import { mediaOf } from "./media.ts";
import { mendJson } from "./tolerant-json.ts";

/** Where alerts have what: the template's names first, then what results of a search usually call it. */
const ALERT_FIELDS: DraftFields = {
  shortDescription: [],
  ciIdentifier: ["host", "dest"],
  sourceIp: ["src", "src_ip"],
  priority: ["priority", "stackflow_priority"],
  severity: ["severity", "urgency"],
  assignmentGroup: ["assignment_group", "stackflow_assignment_group"],
  searchName: ["search_name"],
  message: ["message", "_raw"],
};

/**
 * Reads the media type: JSON as `application/json`, as `text/plain` or without a type, because senders of
 * hand-written templates set none or the wrong one. Anything that a browser form can send across sites is refused.
 */
export function alertMedia(headers: Headers): Result<{ readonly gzip: boolean }, Refusal> {
  const type = headers.get("content-type");
  const asJson = new Headers(headers);
  if (type !== null)
    asJson.set("content-type", type.replace(/^\s*text\/plain\s*(?=;|$)/i, "application/json"));
  const media = mediaOf(asJson);
  if (media.ok && media.value.format === "json") return ok({ gzip: media.value.gzip });
  const detail =
    "Expected JSON in UTF-8 with Content-Type application/json, and Content-Encoding gzip or none; nothing was stored";
  return err({ code: "unsupported_media_type", detail });
}

/**
 * The body of an alert as a record: strictly parsed where it is JSON, else mended where a template's unescaped text
 * broke it.
 */
export function parseAlert(text: string): Result<AlertRecord, Refusal> {
  const parsed = parseLeniently(text);
  if (!parsed.ok) return parsed;
  const record = tameRecord(parsed.value);
  if (record !== null) return ok(record);
  const message = `Expected one JSON object, at most ${MAX_ALERT_DEPTH} levels deep`;
  return err({
    code: "invalid_input",
    detail: `${message}; nothing was stored`,
    errors: [{ path: "", message }],
  });
}

function parseLeniently(text: string): Result<unknown, Refusal> {
  const strict = parseBounded(text);
  if (strict.ok) return strict;
  if (strict.error.isTooLarge) {
    return err({ code: "payload_too_large", detail: `${strict.error.message}; nothing was stored` });
  }
  const mended = mendJson(text);
  const second = mended === null ? strict : parseBounded(mended);
  // The parser's words repeat a little of the input, which is somebody's log line.
  return second.ok
    ? second
    : err({ code: "malformed_json", detail: "The body is not valid JSON; nothing was stored" });
}

export interface AlertFacts {
  readonly now: EpochMs;
  /** What must not be shown twice, or null. */
  readonly proof: string | null;
  /** Set where the same body again is certainly the same alert, as one that is signed without a time. */
  readonly isBodyUnique: boolean;
}

/** What an alert says by its source's mappings: Splunk's own body as well as a template's. */
export function draftAlert(record: AlertRecord, mappings: Mappings, facts: AlertFacts): IncidentDraft {
  const { now, proof, isBodyUnique } = facts;
  return draftIncident(record, mappings, {
    alertKey: alertKeyOf(record) ?? (isBodyUnique ? `body:${contentHash(record)}` : null),
    proof,
    dedupScope: "while_open",
    at: splunkTime(firstText(record, ["timestamp", "trigger_time"]), now),
    fields: ALERT_FIELDS,
  });
}

/**
 * What tells a resend from a second alert: the run of the search, and the row that it found. An alert "for each
 * result" has the same `sid` for all of its rows, so the row belongs to the key.
 *
 * @returns null where the body names no run
 */
function alertKeyOf(record: AlertRecord): string | null {
  const [sid] = textsOf(record["sid"]);
  const row = record["result"];
  if (sid !== undefined) return `sid:${contentHash([sid, typeof row === "object" ? row : record])}`;
  return textsOf(record["search_uri"]).length === 0 ? null : `body:${contentHash(record)}`;
}
