import { parseJson } from "../../base/json.ts";
import type { Outcome, RefusedEvent, Trouble } from "../../model/delivery.ts";
import type { HttpAnswer } from "../../model/http.ts";
import { type HttpResponse, isHtml, type JsonObject, jsonObject } from "./reply.ts";
import { retryAfter } from "./retry-after.ts";
import { outcomeOfFailure, outcomeOfStatus } from "./status.ts";
import { MAX_MESSAGE_CHARACTERS, providerText, wordsOf } from "./words.ts";

/**
 * Answers of `_bulk`: a status for the request, and inside a 200 one for every document, in order.
 *
 * @see https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk (read 2026-11)
 */

/** Elastic's words about a failure, `{"type":"mapper_parsing_exception","reason":"…"}`. */
export interface ElasticError {
  readonly type: string | null;
  readonly reason: string;
}

interface Item {
  readonly status: number;
  readonly error: ElasticError;
}

interface Sent {
  readonly events: number;
}

// --- One document ---------------------------------------------------------------------------------------

type Fate =
  | { readonly is: "taken" }
  | { readonly is: "refused" }
  | { readonly is: "waiting" | "held"; readonly trouble: Trouble };

/** Faults of the target that Elastic reports as 400 of each document: none of them is at fault, and all are kept. */
const TARGET_TYPES: ReadonlySet<string> = new Set([
  "index_closed_exception",
  "invalid_index_name_exception",
  "validation_exception", // "this cluster currently has [1000]/[1000] maximum shards open", when the index is created
]);
const TARGET_REASONS = /^(?:pipeline with id \[.*\] does not exist|no write index is defined for alias )/;

/**
 * What became of a document. 409 is success: a document with this id is there, which is what `create` with our id
 * means by sending it again. Statuses that are about access or the target say nothing about the document.
 */
function fateOf({ status, error }: Item): Fate {
  if ((status >= 200 && status < 300) || status === 409) return { is: "taken" };
  if (status === 429) return { is: "waiting", trouble: "throttled" };
  if (status === 408 || status >= 500) return { is: "waiting", trouble: "provider_error" };
  if (status === 400 || status === 413)
    return isAboutTarget(error) ? { is: "held", trouble: "config_rejected" } : { is: "refused" };
  const isAccess = (status === 401 || status === 403) && error.type !== "cluster_block_exception";
  return { is: "held", trouble: isAccess ? "credentials_rejected" : "config_rejected" };
}

function isAboutTarget({ type, reason }: ElasticError): boolean {
  return (type !== null && TARGET_TYPES.has(type)) || TARGET_REASONS.test(reason);
}

// --- The whole answer -----------------------------------------------------------------------------------

export function readBulkAnswer(answer: HttpAnswer, sent: Sent, secrets: readonly string[]): Outcome {
  if (answer.kind === "failure") return outcomeOfFailure(answer);
  if (answer.status !== 200) return readRefusal(answer, secrets);
  const items = itemsOf(answer, secrets);
  if (items === null || items.length > sent.events || (items.length < sent.events && !answer.bodyIncomplete))
    return unbelieved(answer, items, sent);
  // A broken-off answer says nothing of the rest; sent again, what was taken answers 409.
  return items.length === 0 ? unbelieved(answer, items, sent) : readItems(answer, items, sent);
}

function readItems(answer: HttpResponse, items: readonly Item[], sent: Sent): Outcome {
  const fates = items.map(fateOf);
  const firstOpen = fates.findIndex(({ is }) => is !== "taken");
  if (firstOpen < 0 && items.length === sent.events)
    return { kind: "delivered", slowDown: false, ackId: null, words: wordsOf(answer, "HTTP 200") };

  const held = fates.findIndex(({ is }) => is === "held");
  const hold = fates[held];
  if (hold?.is === "held") {
    const words = itemWords(answer, `HTTP 200, event ${held + 1} of ${sent.events}`, items[held]);
    return { kind: "hold", trouble: hold.trouble, committed: firstOpen, offender: held, words };
  }
  const indexes = (is: Fate["is"]) => fates.flatMap((fate, index) => (fate.is === is ? [index] : []));
  const delivered = indexes("taken");
  const refused = indexes("refused").map((index) => refusal(index, items[index]));
  const waiting = fates.find((fate) => fate.is === "waiting");
  const left = sent.events - delivered.length - refused.length;
  const said = `HTTP 200: ${delivered.length} of ${sent.events} taken, ${refused.length} refused, ${left} to be sent again`;
  const telling = items[fates.findIndex(({ is }) => is === (waiting === undefined ? "refused" : "waiting"))];
  return {
    kind: "partial",
    delivered,
    refused,
    trouble: waiting?.is === "waiting" ? waiting.trouble : null,
    retryAfter: retryAfter(answer.headers),
    words: itemWords(answer, said, telling),
  };
}

function itemWords(answer: HttpResponse, said: string, item: Item | undefined) {
  return wordsOf(
    answer,
    item === undefined ? said : `${said}; ${sentenceOf(item)}`,
    item?.error.type ?? null,
  );
}

function refusal(index: number, item: Item | undefined): RefusedEvent {
  return {
    index,
    code: item?.error.type ?? item?.status ?? null,
    message: (item === undefined ? "" : sentenceOf(item)).slice(0, MAX_MESSAGE_CHARACTERS).toWellFormed(),
  };
}

function sentenceOf({ status, error: { type, reason } }: Item): string {
  return [`status ${status}`, type, reason].filter((part) => part !== null && part !== "").join(": ");
}

/** A 200 that does not answer for every document proves nothing, not even that the server was Elasticsearch. */
function unbelieved(answer: HttpResponse, items: readonly Item[] | null, sent: Sent): Outcome {
  const what = answer.bodyIncomplete
    ? "an answer that broke off"
    : isHtml(answer)
      ? "a web page"
      : items === null
        ? "no answer of _bulk"
        : `${items.length} results for ${sent.events} events`;
  return {
    kind: "retry",
    trouble: "provider_error",
    retryAfter: retryAfter(answer.headers),
    maybeTaken: true,
    words: wordsOf(answer, `HTTP 200 with ${what}, where one result for each event was expected.`),
  };
}

/** Refusals of the whole request that only a malformed body can cause; the body is the relay's work. */
const FAULTS: ReadonlySet<string> = new Set([
  "parse_exception",
  "x_content_parse_exception",
  "json_parse_exception",
  "json_e_o_f_exception",
]);
const FAULT_REASONS =
  /^(?:Malformed action\/metadata line|Action\/metadata line|The bulk request must be terminated by a newline)/;

function readRefusal(answer: HttpResponse, secrets: readonly string[]): Outcome {
  const { type, reason } = elasticError(answer, secrets);
  const said = [type, reason].filter((part) => part !== null && part !== "").join(": ");
  const message = said === "" ? undefined : `HTTP ${answer.status}: ${said}`;
  if (answer.status === 400 && ((type !== null && FAULTS.has(type)) || FAULT_REASONS.test(reason)))
    return { kind: "fault", words: wordsOf(answer, message ?? "HTTP 400", type) };
  return outcomeOfStatus(answer, message, type);
}

// --- Reading --------------------------------------------------------------------------------------------

/** Elastic's error of a request, or of OpenSearch and the balancers before either; the text of a page is never repeated. */
export function elasticError(answer: HttpResponse, secrets: readonly string[]): ElasticError {
  const body = jsonObject(answer);
  return errorOf(body?.["error"] ?? body?.["message"] ?? body?.["Message"], secrets);
}

function errorOf(value: unknown, secrets: readonly string[]): ElasticError {
  if (typeof value === "string") return { type: null, reason: providerText(value, secrets) };
  if (!isObject(value)) return { type: null, reason: "" };
  const { type, reason } = value as { readonly type?: unknown; readonly reason?: unknown }; // unknown stays unknown
  return {
    type: typeof type === "string" && type !== "" ? providerText(type, secrets).slice(0, 100) : null,
    reason: typeof reason === "string" ? providerText(reason, secrets) : "",
  };
}

/** Null for anything but a list of results as `_bulk` gives them. */
function itemsOf(answer: HttpResponse, secrets: readonly string[]): readonly Item[] | null {
  const body = answer.bodyIncomplete ? completed(answer.body) : jsonObject(answer);
  const items = body?.["items"];
  if (body === null || typeof body["errors"] !== "boolean" || !Array.isArray(items)) return null;
  const read = items.map((item: unknown) => itemOf(item, secrets));
  return read.every((item) => item !== null) ? read : null;
}

function itemOf(value: unknown, secrets: readonly string[]): Item | null {
  const [result] = isObject(value) ? Object.values(value) : [];
  if (!isObject(result)) return null;
  const { status, error } = result as { readonly status?: unknown; readonly error?: unknown }; // unknown stays unknown
  if (typeof status !== "number" || !Number.isInteger(status)) return null;
  return { status, error: errorOf(error, secrets) };
}

/**
 * The whole results at the beginning of an answer that broke off. A thousand refusals exceed what is read of an
 * answer, so without this a replay of a full request, where every document answers 409, would never come to an end.
 * Quotes inside Elastic's texts are escaped, so the mark between two results is found nowhere else.
 */
function completed(body: string): JsonObject | null {
  const cut = body.lastIndexOf('},{"create":');
  const parsed = parseJson(cut < 0 ? "" : `${body.slice(0, cut + 1)}]}`);
  return parsed.ok && isObject(parsed.value) ? parsed.value : null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
