import type { Outcome } from "../../model/delivery.ts";
import type { HttpAnswer } from "../../model/http.ts";
import type { HttpResponse } from "./reply.ts";
import { outcomeOfFailure, outcomeOfStatus, statusRow } from "./status.ts";
import { providerText, wordsOf } from "./words.ts";

/** Where a receiver's status means something else, or wants other words, than the table of `status.ts` has. */
interface WebhookRow {
  readonly from: number;
  readonly to: number;
  /** Absent: what the table says. */
  readonly becomes?: "delivered" | "isolate";
  readonly because: string;
  readonly says: string;
}

/**
 * A receiver of anybody's making: only its status is looked at, and its body is never repeated, since the words are
 * shown to people who may not be its owners.
 */
// biome-ignore format: a table is read by rows
export const WEBHOOK_ROWS: readonly WebhookRow[] = [
  { from: 200, to: 299, becomes: "delivered", because: "there is no body that a receiver would have to answer", says: "" },
  { from: 300, to: 399, because: "redirects are never followed: the one who set the address has to know where events go", says: "the address answers with a redirect; redirects are not followed" },
  { from: 400, to: 400, becomes: "isolate", because: "says that the content is wrong: one event may be, and is found by halves", says: "the receiver refuses the content" },
  { from: 401, to: 401, because: "the secret is not the receiver's, or it wants credentials that a webhook has not", says: "the receiver does not accept the signature" },
  { from: 403, to: 403, because: "as 401", says: "the receiver does not accept the signature" },
  { from: 422, to: 422, becomes: "isolate", because: "as 400", says: "the receiver refuses the content" },
];

/** What the answer to a delivery comes to. */
export function readWebhookAnswer(answer: HttpAnswer, secrets: readonly string[]): Outcome {
  if (answer.kind === "failure") return outcomeOfFailure(answer);
  const row = WEBHOOK_ROWS.find(({ from, to }) => from <= answer.status && answer.status <= to);
  if (row?.becomes === "delivered")
    return {
      kind: "delivered",
      slowDown: false,
      ackId: null,
      words: wordsOf(answer, `HTTP ${answer.status}`),
    };
  const says = row?.says ?? statusRow(answer.status).says;
  const message = `HTTP ${answer.status}${mediaType(answer, secrets)}: ${says}`;
  if (row?.becomes === "isolate")
    return { kind: "isolate", committed: 0, offender: null, words: wordsOf(answer, message) };
  return outcomeOfStatus(answer, message);
}

/** ` (text/html)`: tells a gateway's page from the receiver's own answer. Nothing where there is none to show. */
function mediaType({ headers }: HttpResponse, secrets: readonly string[]): string {
  const type = /^[a-z0-9!#$&^_.+-]{1,40}\/[a-z0-9!#$&^_.+-]{1,60}/i.exec(headers["content-type"] ?? "")?.[0];
  return type === undefined ? "" : ` (${providerText(type.toLowerCase(), secrets)})`;
}
