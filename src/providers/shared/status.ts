import type { Outcome, Trouble } from "../../model/delivery.ts";
import type { HttpAnswer } from "../../model/http.ts";
import type { HttpFailure, HttpResponse } from "./reply.ts";
import { retryAfter } from "./retry-after.ts";
import { wordsOf } from "./words.ts";

/** What statuses from `from` to `to` come to when the provider's own code says nothing. */
export interface StatusRow {
  readonly from: number;
  readonly to: number;
  readonly becomes:
    | { readonly kind: "retry"; readonly trouble: Trouble; readonly maybeTaken: boolean }
    | { readonly kind: "hold"; readonly trouble: Trouble }
    | { readonly kind: "split" };
  /** Why this and nothing else. */
  readonly because: string;
  /** For the person whose destination it is. */
  readonly says: string;
}

const again = (trouble: Trouble, maybeTaken: boolean) => ({ kind: "retry", trouble, maybeTaken }) as const;
const hold = (trouble: Trouble) => ({ kind: "hold", trouble }) as const;

/**
 * The default table: the first row that holds the status decides.
 *
 * Statuses 520 to 530 are Cloudflare's, about a server that it could not reach or understand: they come from a
 * destination behind Cloudflare, and from the outgoing `fetch` of a Worker.
 * @see https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
 */
// biome-ignore format: a table is read by rows
export const STATUS_TABLE: readonly StatusRow[] = [
  { from: 300, to: 399, becomes: hold("config_rejected"), because: "redirects are never followed: one could lead inside, and 301 to 303 lose the body", says: "the address redirects elsewhere, as a login page does" },
  { from: 401, to: 401, becomes: hold("credentials_rejected"), because: "tokens rotate: keep the events until it is replaced", says: "the credentials were not accepted" },
  { from: 403, to: 403, becomes: hold("credentials_rejected"), because: "as 401; also a token that was switched off", says: "the credentials are not allowed to do this" },
  { from: 404, to: 405, becomes: hold("config_rejected"), because: "another service or path: no event is at fault", says: "the path does not exist there, or is something else" },
  { from: 408, to: 408, becomes: again("timeout", true), because: "says that the body was late, but a proxy may say it for the server", says: "the server waited too long for the request" },
  { from: 410, to: 410, becomes: hold("gone"), because: "switched off on purpose, and retrying is unwelcome", says: "the address is gone for good" },
  { from: 413, to: 413, becomes: { kind: "split" }, because: "nothing is read of a body that is too large", says: "the request is too large" },
  { from: 425, to: 425, becomes: again("provider_error", false), because: "by definition refused before it was processed", says: "the server wants the request again later" },
  { from: 429, to: 429, becomes: again("throttled", false), because: "refused before it was processed", says: "too many requests" },
  { from: 400, to: 499, becomes: hold("config_rejected"), because: "unknown refusals are kept: parking good events over a proxy's setting would be worse than waiting", says: "the request was refused" },
  { from: 503, to: 503, becomes: again("provider_error", false), because: "the server, or the balancer before it, takes nothing", says: "the service is unavailable" },
  { from: 504, to: 504, becomes: again("timeout", true), because: "a proxy gave up waiting; the server may have gone on", says: "a gateway waited too long for the server" },
  { from: 521, to: 521, becomes: again("unreachable", false), because: "the connection was refused", says: "the server refuses connections" },
  { from: 522, to: 522, becomes: again("timeout", true), because: "no connection, or connected and then no acknowledgement", says: "the server does not answer" },
  { from: 523, to: 523, becomes: again("unreachable", false), because: "no way to the server", says: "the server cannot be reached" },
  { from: 524, to: 524, becomes: again("timeout", true), because: "connected and sent, and no answer", says: "the server took too long to answer" },
  { from: 525, to: 525, becomes: again("tls_untrusted", false), because: "the TLS handshake failed, so nothing was sent", says: "no TLS connection could be set up" },
  { from: 526, to: 526, becomes: again("tls_untrusted", false), because: "the certificate was refused, so nothing was sent", says: "the certificate is not trusted" },
  { from: 530, to: 530, becomes: again("unreachable", false), because: "mostly a name that does not resolve (error 1016)", says: "the host name does not resolve, or the host is not there" },
  { from: 520, to: 530, becomes: again("unreachable", true), because: "connected, and then broken off or not understood", says: "the connection to the server broke" },
  { from: 500, to: 599, becomes: again("provider_error", true), because: "may have failed after taking the events", says: "the service failed" },
  { from: 0, to: 999, becomes: again("provider_error", true), because: "an answer that proves nothing: not even a success is believed without the provider's own body", says: "the answer is not the provider's" },
];

/** The row of a status; the last row holds every status. */
export function statusRow(status: number): StatusRow {
  const row = STATUS_TABLE.find(({ from, to }) => from <= status && status <= to);
  return row ?? (STATUS_TABLE[STATUS_TABLE.length - 1] as StatusRow); // the table is not empty
}

/** @param message replaces the table's words where the provider's own are better */
export function outcomeOfStatus(
  answer: HttpResponse,
  message?: string,
  code: string | number | null = null,
): Outcome {
  const { becomes, says } = statusRow(answer.status);
  const words = wordsOf(answer, message ?? `HTTP ${answer.status}: ${says}`, code);
  if (becomes.kind === "split") return { kind: "split", words };
  if (becomes.kind === "hold")
    return { kind: "hold", trouble: becomes.trouble, committed: 0, offender: null, words };
  return { ...becomes, retryAfter: retryAfter(answer.headers), words };
}

const TROUBLE_OF_FAILURE = {
  unreachable: "unreachable",
  reset: "unreachable",
  timeout: "timeout",
  tls: "tls_untrusted",
} as const;

/** No usable answer. An address that our own policy blocks will be blocked again, so that one is held. */
export function outcomeOfFailure(answer: HttpFailure): Outcome {
  const { reason, message, maybeTaken } = answer;
  const words = wordsOf(answer, message);
  if (reason === "blocked")
    return { kind: "hold", trouble: "config_rejected", committed: 0, offender: null, words };
  return { kind: "retry", trouble: TROUBLE_OF_FAILURE[reason], retryAfter: null, maybeTaken, words };
}

/** Whether Cloudflare or the door says that the server itself was never talked to. */
export function connectTrouble(answer: HttpAnswer): Trouble | null {
  if (answer.kind === "failure")
    return answer.reason === "blocked" ? "config_rejected" : TROUBLE_OF_FAILURE[answer.reason];
  if (answer.status < 520 || answer.status > 530) return null;
  const { becomes } = statusRow(answer.status);
  return becomes.kind === "retry" ? becomes.trouble : null;
}
