import { unreachable } from "../../base/result.ts";
import type { Outcome } from "../../model/delivery.ts";
import type { HttpAnswer } from "../../model/http.ts";
import { HEC_CODES, type HecCode } from "./hec-codes.ts";
import { type HttpResponse, isHtml, jsonObject } from "./reply.ts";
import { retryAfter } from "./retry-after.ts";
import { outcomeOfFailure, outcomeOfStatus } from "./status.ts";
import { providerText, wordsOf } from "./words.ts";

/** Splunk Cloud answers a body above this with code 6, number 0, where others answer 413 (seen on 10.5, 2026-11). */
export const CLOUD_BODY_BYTES = 5_000_000;

/** What HEC says in its JSON. */
export interface HecReply {
  readonly code: number;
  readonly text: string;
  readonly ackId: number | null;
  /** `invalid-event-number`, from 0; which object it names depends on the code. */
  readonly eventNumber: number | null;
}

export interface Sent {
  readonly events: number;
  readonly bytes: number;
}

/** Null for anything that is not HEC's: pages, proxies' JSON, half an answer. */
export function readHecReply(answer: HttpAnswer): HecReply | null {
  if (answer.kind === "failure") return null;
  const body = jsonObject(answer);
  const code = count(body?.["code"]);
  if (body === null || code === null) return null;
  const text = typeof body["text"] === "string" ? body["text"] : "";
  return { code, text, ackId: count(body["ackId"]), eventNumber: count(body["invalid-event-number"]) };
}

/**
 * What an answer to events comes to.
 *
 * A success counts only with HEC's own code: a login page and half an answer are 200 as well. In a refusal the
 * code decides over the status, and the status table decides where there is no known code.
 */
export function readHecAnswer(answer: HttpAnswer, sent: Sent, secrets: readonly string[]): Outcome {
  if (answer.kind === "failure") return outcomeOfFailure(answer);
  const reply = readHecReply(answer);
  const row = reply === null ? undefined : HEC_CODES[reply.code];
  const isSuccess = answer.status >= 200 && answer.status < 300;
  const isTaken = row?.asks.act === "taken";
  if (reply === null || row === undefined || isSuccess !== isTaken || row.asks.act === "status")
    return withoutCode(answer, { reply, sent, secrets });
  return byCode(answer, { reply, row, sent, secrets });
}

interface Known {
  readonly reply: HecReply;
  readonly row: HecCode;
  readonly sent: Sent;
  readonly secrets: readonly string[];
}

function byCode(answer: HttpResponse, { reply, row, sent, secrets }: Known): Outcome {
  const { asks } = row;
  const text = providerText(reply.text || row.meaning, secrets);
  const words = wordsOf(answer, row.explain === undefined ? text : `${text}. ${row.explain}`, reply.code);
  switch (asks.act) {
    case "taken":
      return { kind: "delivered", slowDown: asks.slowDown, ackId: reply.ackId, words };
    case "retry":
      return { kind: "retry", ...troubleOf(asks), retryAfter: retryAfter(answer.headers), words };
    case "hold":
      return { kind: "hold", trouble: asks.trouble, committed: 0, offender: null, words };
    case "index": {
      const offender = within(reply.eventNumber === null ? null : reply.eventNumber - 1, sent);
      return {
        kind: "hold",
        trouble: "config_rejected",
        committed: offender ?? 0,
        offender,
        ackId: reply.ackId,
        words,
      };
    }
    case "isolate": {
      if (reply.code === 6 && reply.eventNumber === 0 && sent.bytes > CLOUD_BODY_BYTES)
        return { kind: "split", words };
      const offender = within(reply.eventNumber, sent);
      return { kind: "isolate", committed: offender ?? 0, offender, ackId: reply.ackId, words };
    }
    case "fault":
      return { kind: "fault", words };
    case "status":
      return outcomeOfStatus(answer, undefined, reply.code);
    default:
      return unreachable(asks);
  }
}

/** A code that we do not know, or none. One that names an event is believed: finding it by halves is safe. */
function withoutCode(
  answer: HttpResponse,
  { reply, sent, secrets }: { reply: HecReply | null; sent: Sent; secrets: readonly string[] },
): Outcome {
  const code = reply?.code ?? null;
  if (answer.status === 400 && within(reply?.eventNumber ?? null, sent) !== null) {
    const words = wordsOf(answer, providerText(reply?.text ?? "", secrets), code);
    return { kind: "isolate", committed: 0, offender: null, words };
  }
  return outcomeOfStatus(answer, foreignWords(answer, reply, secrets), code);
}

/** Words for an answer that is not, or not quite, HEC's. The text of a page is never repeated. */
function foreignWords(
  answer: HttpResponse,
  reply: HecReply | null,
  secrets: readonly string[],
): string | undefined {
  const { status } = answer;
  const said = reply === null ? "" : ` "${providerText(reply.text, secrets).slice(0, 200)}"`;
  if ((status >= 300 && status < 400) || status === 404 || status === 405)
    return `HTTP ${status}${said}: this is not HEC, so port or path are wrong. HEC listens on 8088, or on 443 at Splunk Cloud; 8000 is Splunk Web and 8089 the management port.`;
  if (status === 415)
    return "HTTP 415: the content encoding was refused; set gzip to false for this destination.";
  if (status === 400 || (status >= 200 && status < 300)) {
    const what = answer.bodyIncomplete
      ? "an answer that broke off"
      : isHtml(answer)
        ? "a web page"
        : "no answer of HEC";
    return `HTTP ${status} with ${reply === null ? what : `code ${reply.code}`}${said}, where HEC's JSON with a known code was expected.`;
  }
  return reply === null || reply.text === "" ? undefined : `HTTP ${status}${said}`;
}

function troubleOf(row: Extract<HecCode["asks"], { act: "retry" }>) {
  return { trouble: row.trouble, maybeTaken: row.maybeTaken };
}

function within(index: number | null, sent: Sent): number | null {
  return index !== null && index >= 0 && index < sent.events ? index : null;
}

function count(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
