import type { Outcome } from "../../model/delivery.ts";
import type { HttpAnswer } from "../../model/http.ts";
import { type HttpResponse, isHtml, type JsonObject, jsonObject } from "./reply.ts";
import { wholeSeconds } from "./retry-after.ts";
import { outcomeOfFailure, outcomeOfStatus } from "./status.ts";
import { providerText, wordsOf } from "./words.ts";

const WRONG_KEY =
  "The API key is not valid at this site: keys belong to one site and organisation, and an application key is no API key.";

/**
 * Datadog has no codes of its own: the HTTP status decides, by the table of `shared/status.ts`, with these rows
 * of its own. A 2xx is believed with no body or a JSON one, since a login page is 200 as well. 400 names no log,
 * so the engine finds the offender by halves.
 *
 * @param what was sent, for people
 */
export function readAnswer(answer: HttpAnswer, secrets: readonly string[], what = "a log"): Outcome {
  if (answer.kind === "failure") return outcomeOfFailure(answer);
  const { status, headers } = answer;
  const said = providerText(complaint(jsonObject(answer)), secrets);
  const message = said === "" ? undefined : `HTTP ${status}: ${said}`;
  if (status >= 200 && status < 300 && isIntake(answer))
    return { kind: "delivered", slowDown: false, ackId: null, words: wordsOf(answer, `HTTP ${status}`) };
  if (status === 400)
    return {
      kind: "isolate",
      committed: 0,
      offender: null,
      words: wordsOf(answer, message ?? `HTTP 400: ${what} was refused`),
    };
  if (status === 401 || status === 403)
    return outcomeOfStatus(answer, `${message ?? `HTTP ${status}`}. ${WRONG_KEY}`);
  const outcome = outcomeOfStatus(answer, message);
  // The limit's own header (https://docs.datadoghq.com/api/latest/rate-limits/, read 2026-11) where there is no `Retry-After`.
  if (outcome.kind === "retry" && status === 429 && outcome.retryAfter === null)
    return { ...outcome, retryAfter: wholeSeconds(headers["x-ratelimit-reset"]) };
  return outcome;
}

/** 202 is the intake's own status, and stands even when its body broke off. */
function isIntake(answer: HttpResponse): boolean {
  if (isHtml(answer)) return false;
  return (
    answer.status === 202 ||
    (answer.body.trim() === "" && !answer.bodyIncomplete) ||
    jsonObject(answer) !== null
  );
}

/** `{"errors":["…"]}`, `{"errors":[{"title","detail"}]}` or `{"error":"…"}`. */
function complaint(body: JsonObject | null): string {
  const errors = body?.["errors"];
  const first: unknown = Array.isArray(errors) ? errors[0] : (body?.["error"] ?? body?.["message"]);
  if (typeof first === "string") return first;
  if (typeof first !== "object" || first === null) return "";
  const { detail, title } = first as { detail?: unknown; title?: unknown }; // any object may be asked for these
  return typeof detail === "string" ? detail : typeof title === "string" ? title : "";
}
