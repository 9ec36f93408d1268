import { type DurationMs, seconds } from "../../base/clock.ts";
import { parseJson } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { HttpAnswer } from "../../model/http.ts";
import type { SourceTrouble } from "../../model/source.ts";
import type { PollFailure } from "./health.ts";

export type HttpResponse = Extract<HttpAnswer, { kind: "response" }>;
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Why there is nothing to go on with. `missing`: no such path or job. `too_large`: more than the door lets in.
 * `too_slow`: a search that takes longer than is waited for.
 */
export interface Refusal extends PollFailure {
  readonly what: "failed" | "missing" | "too_large" | "too_slow";
  readonly httpStatus: number | null;
  /** The answer's `Date` header; null where no answer came. */
  readonly date: string | null;
}

/** A refusal that leaves nothing but to try again. */
export function refusal(
  trouble: SourceTrouble,
  message: string,
  about: Partial<Omit<Refusal, "trouble" | "message">> = {},
): Refusal {
  const plain = { what: "failed", held: false, retryAfter: null, httpStatus: null, date: null } as const;
  return { ...plain, ...about, trouble, message };
}

export interface Reply {
  /** `{}` where Splunk has nothing yet (204). */
  readonly json: JsonObject;
  readonly status: number;
  readonly headers: HttpResponse["headers"];
}

/** Characters of Splunk's own words that are shown to people. */
const MAX_WORDS = 300;

const FAILURES = {
  blocked: { trouble: "config_rejected", held: true },
  unreachable: { trouble: "unreachable", held: false },
  reset: { trouble: "unreachable", held: false },
  tls: { trouble: "tls_untrusted", held: false },
  timeout: { trouble: "timeout", held: false },
} as const;

interface StatusRow {
  readonly from: number;
  readonly to: number;
  readonly trouble: SourceTrouble;
  readonly held: boolean;
  readonly says: string;
}

/** The first row that holds the status decides. Statuses 520 to 530 are Cloudflare's, about a server that it cannot reach. */
// biome-ignore format: a table is read by rows
const STATUS_TABLE: readonly StatusRow[] = [
  { from: 200, to: 299, trouble: "config_rejected", held: true, says: "The answer is not that of Splunk's management port" },
  { from: 300, to: 399, trouble: "config_rejected", held: true, says: "The address redirects elsewhere, as Splunk Web does; the management port is usually 8089" },
  { from: 401, to: 401, trouble: "credentials_rejected", held: true, says: "Splunk does not accept the credentials" },
  { from: 402, to: 403, trouble: "credentials_rejected", held: true, says: "Splunk does not let this user search" },
  { from: 404, to: 405, trouble: "config_rejected", held: true, says: "There is no search here; the management port is usually 8089" },
  { from: 408, to: 408, trouble: "timeout", held: false, says: "Splunk waited too long for the request" },
  { from: 429, to: 429, trouble: "throttled", held: false, says: "Too many requests" },
  { from: 400, to: 499, trouble: "search_rejected", held: true, says: "Splunk refuses the search" },
  { from: 503, to: 503, trouble: "provider_error", held: false, says: "Splunk is unavailable" },
  { from: 504, to: 504, trouble: "timeout", held: false, says: "A gateway waited too long for Splunk" },
  { from: 522, to: 522, trouble: "timeout", held: false, says: "The server does not answer" },
  { from: 524, to: 524, trouble: "timeout", held: false, says: "The server took too long to answer" },
  { from: 525, to: 526, trouble: "tls_untrusted", held: false, says: "The certificate is not trusted" },
  { from: 520, to: 530, trouble: "unreachable", held: false, says: "The server cannot be reached" },
];
const LAST_ROW: Omit<StatusRow, "from" | "to"> = {
  trouble: "provider_error",
  held: false,
  says: "Splunk failed",
};
const HEC = "This is Splunk's HTTP Event Collector; the management port is usually 8089";

/** Splunk's words for a search that no later moment will make right, and for one that came at a busy moment. */
const BAD_SEARCH =
  /\bmacro\b|unknown search command|error in '|unable to parse|mismatched|invalid value|not have permission|insufficient|parser/i;
const BUSY = /concurrent|quota|maximum number|throttl/i;

/**
 * What an answer comes to. A success is believed only with Splunk's own JSON and without a message of type ERROR or
 * FATAL: those come inside a 200, beside rows or instead of them, when a part of Splunk did not answer.
 */
export function readReply(answer: HttpAnswer): Result<Reply, Refusal> {
  if (answer.kind === "failure") {
    const { trouble, held } = FAILURES[answer.reason];
    return err(refusal(trouble, answer.message, { held }));
  }
  const { status, headers } = answer;
  const facts = { httpStatus: status, date: headers["date"] ?? null };
  if (status === 204) return ok({ json: {}, status, headers });
  if (status < 300 && answer.bodyIncomplete) {
    const message = "An answer was larger than can be read, or broke off";
    return err(refusal("provider_error", message, { ...facts, what: "too_large" }));
  }
  const json = jsonObject(answer.body);
  if (json !== null && isHec(json)) return err(refusal("config_rejected", HEC, { ...facts, held: true }));
  if (status >= 300 || json === null) return err(refusalOf(answer, json));
  const complaint = complaintIn(json);
  return complaint === null ? ok({ json, status, headers }) : err({ ...spoken(complaint), ...facts });
}

/** The first message of type ERROR or FATAL in an answer, or in its first entry, where a job has its own. */
export function complaintIn(json: JsonObject): string | null {
  const lists = [json["messages"], contentOf(json)["messages"]];
  for (const message of lists.flatMap((list) => (Array.isArray(list) ? list : [list]))) {
    if (!isObject(message)) continue;
    // Jobs of some versions list their messages by type: {"error": ["…"]}.
    for (const type of ["fatal", "error"]) {
      const [text] = [message[type]].flat();
      if (typeof text === "string") return text;
    }
    if (/^(?:ERROR|FATAL)$/i.test(String(message["type"]))) return String(message["text"] ?? "");
  }
  return null;
}

/** Splunk's complaint as a failure: a search that is wrong is held, a crowded or half-dead Splunk is tried again. */
export function spoken(text: string): Refusal {
  const isBusy = BUSY.test(text);
  const isBad = !isBusy && BAD_SEARCH.test(text);
  const trouble = isBusy ? "throttled" : isBad ? "search_rejected" : "provider_error";
  return refusal(trouble, `Splunk says: ${text.slice(0, MAX_WORDS)}`, { held: isBad });
}

/** `content` of the first entry, as Splunk wraps the facts about a job. */
export function contentOf(json: JsonObject): JsonObject {
  const [entry] = Array.isArray(json["entry"]) ? (json["entry"] as readonly unknown[]) : [];
  const content = isObject(entry) ? entry["content"] : undefined;
  return isObject(content) ? content : {};
}

function refusalOf({ status, headers, body }: HttpResponse, json: JsonObject | null): Refusal {
  const words = json === null ? null : wordsIn(json);
  const facts = { httpStatus: status, date: headers["date"] ?? null, retryAfter: retryAfter(headers) };
  // A refusal at a busy moment says so in its words and not in its status.
  if (words !== null && BUSY.test(words)) return { ...spoken(words), ...facts };
  const row = STATUS_TABLE.find(({ from, to }) => from <= status && status <= to) ?? LAST_ROW;
  const what = status === 404 || status === 405 ? "missing" : "failed";
  const page =
    json === null && /<html|<!doctype/i.test(body.slice(0, 1_000)) ? ", with a page for people" : "";
  const message = `HTTP ${status}${page}: ${row.says}${words === null ? "" : ` (${words.slice(0, MAX_WORDS)})`}`;
  return refusal(row.trouble, message, { ...facts, what, held: row.held });
}

function wordsIn(json: JsonObject): string | null {
  const [first] = [json["messages"]].flat() as readonly unknown[];
  const text = isObject(first) ? first["text"] : undefined;
  return typeof text === "string" && text !== "" ? text : null;
}

/** HEC answers everything with a `code` and a `text`. */
function isHec(json: JsonObject): boolean {
  return typeof json["code"] === "number" && typeof json["text"] === "string";
}

/** Whole seconds only; a proxy's wish, since Splunk has none. */
function retryAfter(headers: HttpResponse["headers"]): DurationMs | null {
  const wish = headers["retry-after"]?.trim() ?? "";
  return /^\d{1,6}$/.test(wish) ? seconds(Number(wish)) : null;
}

function jsonObject(text: string): JsonObject | null {
  const parsed = parseJson(text);
  return parsed.ok && isObject(parsed.value) ? parsed.value : null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
