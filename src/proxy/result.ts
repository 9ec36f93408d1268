import { unreachable } from "../base/result.ts";
import type { Outcome, RefusedEvent, Trouble } from "../model/delivery.ts";
import type { ProxyResult } from "../model/envelope.ts";
import type { HttpAnswer } from "../model/http.ts";

/**
 * What a call came to, in one word:
 *
 * - `delivered`: the provider took it.
 * - a reason code of destinations (`throttled`, `credentials_rejected`, …): it did not, for that reason.
 * - `partial`: it took some of the events. `refused`: it does not want this one. `too_large`: as a whole.
 * - `malformed`: it says that the request is, which is the relay's mistake.
 */
export type CallOutcome = "delivered" | Trouble | "partial" | "refused" | "too_large" | "malformed";

/** Refused events that a message names; the provider's own answer stands beside it. */
const NAMED_EVENTS = 5;

/** What happened at the provider, beside what its answer means. */
export interface Performed {
  readonly answer: HttpAnswer;
  readonly outcome: Outcome;
}

/** Everything that a caller learns of a call. `body` is the provider's own answer, which has been through `withoutSecrets`. */
export function resultOf(
  { answer, outcome }: Performed,
  about: { readonly operation: string; readonly integrationId: string; readonly body: string | null },
): ProxyResult {
  const { words } = outcome;
  return {
    ok: outcome.kind === "delivered",
    operation: about.operation,
    integration_id: about.integrationId,
    http_status: words.httpStatus,
    provider_code: words.code,
    message: messageOf(outcome),
    outcome: wordFor(outcome),
    maybe_taken: isMaybeTaken(outcome),
    latency_ms: answer.latency,
    body: about.body,
  };
}

function wordFor(outcome: Outcome): CallOutcome {
  switch (outcome.kind) {
    case "delivered":
      return "delivered";
    case "retry":
    case "hold":
      return outcome.trouble;
    case "isolate":
      return outcome.committed > 0 ? "partial" : "refused";
    case "partial":
      return outcome.delivered.length > 0 ? "partial" : (outcome.trouble ?? "refused");
    case "split":
      return "too_large";
    case "fault":
      return "malformed";
    default:
      return unreachable(outcome);
  }
}

/** Whether the call may have had an effect, so that the same again may have it twice. */
function isMaybeTaken(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case "retry":
      return outcome.maybeTaken;
    case "hold":
    case "isolate":
      return outcome.committed > 0;
    case "partial":
      return outcome.delivered.length > 0;
    case "delivered":
    case "split":
    case "fault":
      return false;
    default:
      return unreachable(outcome);
  }
}

/** The provider's words; where events of one call fared differently, which. Positions are the payload's. */
function messageOf(outcome: Outcome): string {
  const { message } = outcome.words;
  if (outcome.kind === "partial") return partialMessage(outcome, message);
  if (outcome.kind !== "hold" && outcome.kind !== "isolate") return message;
  const parts = [
    outcome.committed > 0 ? `The first ${outcome.committed} events were taken, the rest was not.` : "",
    outcome.offender === null ? "" : `At fault is events.${outcome.offender}.`,
  ];
  return [message, ...parts.filter((part) => part !== "")].join(" ");
}

function partialMessage(
  { delivered, refused }: Extract<Outcome, { kind: "partial" }>,
  message: string,
): string {
  const listed = refused.slice(0, NAMED_EVENTS).map(nameOf).join("; ");
  const more = refused.length > NAMED_EVENTS ? `; and ${refused.length - NAMED_EVENTS} more` : "";
  const unwanted = refused.length === 0 ? "" : ` Refused: ${listed}${more}.`;
  return `${message} Taken: ${delivered.length}.${unwanted} What is named in neither was not taken.`;
}

function nameOf({ index, code, message }: RefusedEvent): string {
  return `events.${index} (${code === null ? "" : `${code}: `}${message})`;
}
