import { unreachable } from "../../base/result.ts";
import type { Outcome, RefusedEvent } from "../../model/delivery.ts";
import type { HttpAnswer } from "../../model/http.ts";
import { ACCESS_DENIED, cloudwatchRow } from "./cloudwatch-codes.ts";
import { type HttpResponse, type JsonObject, jsonObject } from "./reply.ts";
import { retryAfter } from "./retry-after.ts";
import { outcomeOfFailure, outcomeOfStatus } from "./status.ts";
import { providerText, wordsOf } from "./words.ts";

/** An error as AWS's JSON protocol writes it. */
export interface AwsError {
  /** Without a namespace before it, and without a link behind it. */
  readonly type: string;
  /** As it came; may repeat a secret. */
  readonly message: string;
}

/** Room for a sentence of ours behind AWS's own within the words. */
const AWS_MESSAGE_CHARACTERS = 320;

/** @returns null for a success, and for an answer that is not AWS's */
export function awsError(answer: HttpAnswer): AwsError | null {
  if (answer.kind === "failure") return null;
  const body = jsonObject(answer);
  const raw = body?.["__type"] ?? answer.headers["x-amzn-errortype"];
  if (typeof raw !== "string") return null;
  const type = raw.slice(raw.lastIndexOf("#") + 1).replace(/:.*$/s, "");
  if (!/^[A-Za-z]{1,100}$/.test(type)) return null;
  return { type, message: text(body?.["message"]) || text(body?.["Message"]) };
}

/** The permission that an AccessDenied names, like `logs:PutLogEvents`. */
export function deniedAction(error: AwsError | null): string | null {
  if (error === null || !ACCESS_DENIED.has(error.type)) return null;
  return /\blogs:[A-Za-z]+/.exec(error.message)?.[0] ?? null;
}

/**
 * What an answer to PutLogEvents, or to one of the calls that create what it needs, comes to.
 *
 * AWS's error type decides, by the table of `cloudwatch-codes.ts`; an unknown one goes by the status. AWS answers
 * everything in JSON, so a success without JSON, and a 400 without a type, is not believed to be AWS's.
 */
export function readCloudwatchAnswer(
  answer: HttpAnswer,
  sent: { readonly events: number },
  secrets: readonly string[],
): Outcome {
  if (answer.kind === "failure") return outcomeOfFailure(answer);
  const error = awsError(answer);
  if (error !== null) return outcomeOfError(answer, error, secrets);
  const { status } = answer;
  if (status >= 200 && status < 300) {
    const body = jsonObject(answer);
    return body === null ? notAws(answer) : outcomeOfSuccess(answer, body, sent.events);
  }
  return status === 400 ? notAws(answer) : outcomeOfStatus(answer);
}

function notAws(answer: HttpResponse): Outcome {
  const words = wordsOf(answer, `HTTP ${answer.status}: the answer is not AWS's own JSON`);
  return {
    kind: "retry",
    trouble: "provider_error",
    maybeTaken: true,
    retryAfter: retryAfter(answer.headers),
    words,
  };
}

function outcomeOfError(answer: HttpResponse, error: AwsError, secrets: readonly string[]): Outcome {
  const { type } = error;
  const said = providerText(error.message, secrets).slice(0, AWS_MESSAGE_CHARACTERS);
  const denied = deniedAction(error);
  const advice = denied === null ? "" : ` Allow ${denied} in the policy of this access key.`;
  const message = `${type}: ${said || "no reason given"}${advice}`;
  const words = wordsOf(answer, message, type);
  const becomes = becomesOf(error);
  if (becomes === null) return outcomeOfStatus(answer, message, type);
  switch (becomes.kind) {
    case "delivered":
      return { kind: "delivered", slowDown: false, ackId: null, words };
    case "retry":
      return { ...becomes, retryAfter: retryAfter(answer.headers), words };
    case "hold":
      return { ...becomes, committed: 0, offender: null, words };
    case "isolate":
      return { kind: "isolate", committed: 0, offender: null, words };
    case "split":
    case "fault":
      return { kind: becomes.kind, words };
    default:
      return unreachable(becomes);
  }
}

/** A signature refused for its age only, which the next attempt mends. */
const TOO_LATE = /^signature (?:expired|not yet current)/i;
/** AWS's words for a bad name: `Value 'x' at 'logGroupName' failed to satisfy constraint`, and its like. */
const NAMES_THE_PLACE = /\blog ?(?:group|stream)/i;
const WHOLE_TOO_LARGE = /^upload too large|'logEvents'.*less than or equal/i;

/**
 * InvalidParameterException is one name for three things, and only its text tells them apart: a log group or stream
 * that cannot be is held, since every event would be refused in turn; a request too large is split; and anything else
 * is about an event that is then found by halves, so that it does not block the others.
 */
function becomesOf({ type, message }: AwsError) {
  const becomes = cloudwatchRow(type)?.becomes ?? null;
  if (becomes?.kind === "hold" && TOO_LATE.test(message))
    return { kind: "retry", trouble: "provider_error", maybeTaken: false } as const;
  if (becomes?.kind !== "parameter") return becomes;
  if (WHOLE_TOO_LARGE.test(message)) return { kind: "split" } as const;
  if (NAMES_THE_PLACE.test(message)) return { kind: "hold", trouble: "config_rejected" } as const;
  return { kind: "isolate" } as const;
}

const REFUSED = {
  tooOld: "CloudWatch Logs discarded the event: it is older than 14 days.",
  expired: "CloudWatch Logs discarded the event: it is older than what the log group retains.",
  tooNew: "CloudWatch Logs discarded the event: it is more than 2 hours in the future.",
} as const;

/**
 * A 200 can throw events away, at either end of the time order in which they were sent: up to the exclusive ends
 * `tooOldLogEventEndIndex` and `expiredLogEventEndIndex`, and from the inclusive `tooNewLogEventStartIndex`.
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_RejectedLogEventsInfo.html (read 2026-11)
 */
function outcomeOfSuccess(answer: HttpResponse, body: JsonObject, events: number): Outcome {
  const words = wordsOf(answer, `HTTP ${answer.status}`);
  const delivered: Outcome = { kind: "delivered", slowDown: false, ackId: null, words };
  const info = body["rejectedLogEventsInfo"];
  if (info === undefined || info === null) return delivered;
  if (typeof info !== "object") return notAws(answer);
  const bounds = new Map<string, unknown>(Object.entries(info));
  const tooOld = bound(bounds.get("tooOldLogEventEndIndex"), 0);
  const expired = bound(bounds.get("expiredLogEventEndIndex"), 0);
  const tooNew = bound(bounds.get("tooNewLogEventStartIndex"), events);
  if (tooOld === null || expired === null || tooNew === null) return notAws(answer);
  const reasonOf = (index: number): keyof typeof REFUSED | null =>
    index < tooOld ? "tooOld" : index < expired ? "expired" : index >= tooNew ? "tooNew" : null;
  const taken: number[] = [];
  const refused: RefusedEvent[] = [];
  for (let index = 0; index < events; index += 1) {
    const reason = reasonOf(index);
    if (reason === null) taken.push(index);
    else refused.push({ index, code: reason, message: REFUSED[reason] });
  }
  if (refused.length === 0) return delivered;
  const message = `HTTP ${answer.status}: ${refused.length} of ${events} events were discarded for their age`;
  return {
    kind: "partial",
    delivered: taken,
    refused,
    trouble: null,
    retryAfter: null,
    words: wordsOf(answer, message),
  };
}

/** @returns null for what is no index: nobody knows then what was thrown away */
function bound(value: unknown, absent: number): number | null {
  if (value === undefined || value === null) return absent;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
