import type { DurationMs } from "../base/clock.ts";
import type { SendFailureReason } from "../model/http.ts";

/** Why a `fetch` threw, in words of ours: the runtime's own text can repeat a header, and so a secret. */
export interface SendFailure {
  readonly reason: SendFailureReason;
  readonly message: string;
  readonly maybeTaken: boolean;
}

interface Circumstances {
  readonly url: URL;
  readonly timedOut: boolean;
  readonly timeoutMs: DurationMs;
}

/**
 * What the runtime's message stands for. Tried on workerd 1.20261102 against real sockets, 2026-11:
 *
 * | what happens                                           | what `fetch` throws                  |
 * |---|---|
 * | refused, reset, closed or garbage before the answer    | `Network connection lost.`           |
 * | name not found; TLS handshake or certificate refused   | `internal error; reference = …`      |
 * | no answer until the signal fires                       | what the signal was aborted with     |
 *
 * So a refused connection cannot be told from one that broke after sending, and counts as perhaps taken.
 * On Cloudflare most of these come as statuses 520 to 530 instead. The other rows are texts of other versions.
 */
const ROWS: readonly { readonly says: RegExp; readonly is: SendFailure }[] = [
  {
    says: /^invalid (?:header|url)/i,
    is: { reason: "unreachable", message: "The request could not be made", maybeTaken: false },
  },
  {
    says: /subrequests/i,
    is: {
      reason: "unreachable",
      message: "The relay reached its own limit of outgoing requests",
      maybeTaken: false,
    },
  },
  {
    says: /certificate|\btls\b|\bssl\b|handshake/i,
    is: { reason: "tls", message: "No TLS connection could be set up", maybeTaken: false },
  },
  {
    says: /dns|lookup|resolve|not known|ENOTFOUND/i,
    is: { reason: "unreachable", message: "The host name does not resolve", maybeTaken: false },
  },
  {
    says: /refused|unreachable|no route/i,
    is: { reason: "unreachable", message: "The connection was refused", maybeTaken: false },
  },
];

export function failureOf(error: unknown, { url, timedOut, timeoutMs }: Circumstances): SendFailure {
  const { name, message } = error instanceof Error ? error : new Error("");
  if (timedOut || name === "TimeoutError" || name === "AbortError")
    return { reason: "timeout", message: `No answer within ${timeoutMs / 1_000} s`, maybeTaken: true };
  const row = ROWS.find(({ says }) => says.test(message));
  if (row !== undefined) return row.is;
  if (/^internal error/i.test(message)) return internalError(url);
  return {
    reason: "reset",
    message: "The connection was refused or broke before an answer came",
    maybeTaken: true,
  };
}

/** Name or TLS: an address that needs no resolving leaves TLS alone. In any other case nobody knows. */
function internalError(url: URL): SendFailure {
  const isResolved = url.hostname === "localhost" || /^(?:\[.*\]|[\d.]+)$/.test(url.hostname);
  if (url.protocol === "https:" && isResolved)
    return { reason: "tls", message: "No TLS connection could be set up", maybeTaken: false };
  const tls = url.protocol === "https:" ? ", or its certificate is not trusted" : "";
  return { reason: "unreachable", message: `The host name does not resolve${tls}`, maybeTaken: true };
}
