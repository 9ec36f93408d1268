import type { HttpAnswer } from "../../model/http.ts";
import type { AckAnswer } from "../../model/provider.ts";
import { readHecReply } from "./hec-reply.ts";
import { jsonObject } from "./reply.ts";

/** "ACK is disabled": the token's switch was turned off since. */
const ACK_DISABLED = 14;

/**
 * Reads `{"acks": {"0": true, …}}`. `true` is told once and `false` may mean "not yet", "forgotten" or "not here", so
 * only `true` says anything. A page, a refusal or half an answer says nothing: it must never count as delivered.
 *
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/about-http-event-collector-indexer-acknowledgment (read 2026-11)
 */
export function readHecAcks(answer: HttpAnswer, ackIds: readonly number[]): AckAnswer {
  if (answer.kind === "failure") return null;
  if (answer.status === 400 && readHecReply(answer)?.code === ACK_DISABLED) return { kind: "off" };
  const acks = answer.status === 200 ? jsonObject(answer)?.["acks"] : null;
  if (typeof acks !== "object" || acks === null) return null;
  const told = acks as Readonly<Record<string, unknown>>;
  return { kind: "answers", indexed: ackIds.filter((id) => told[String(id)] === true) };
}

/** The cookies that an answer sets, as the next request gives them back. Attributes are the balancer's business. */
export function cookieOf(answer: HttpAnswer): string | null {
  const set = answer.kind === "response" ? answer.headers["set-cookie"] : undefined;
  if (set === undefined) return null;
  const pairs = set.split("\n").flatMap((line) => /^\s*([^=;\s]+=[^;]*)/.exec(line)?.[1]?.trim() ?? []);
  return pairs.length === 0 ? null : pairs.join("; ");
}
