import { gzipSync } from "node:zlib";
import { utf8 } from "../base/bytes.ts";
import type { Clock, DurationMs } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import type { HttpAnswer, HttpRequestSpec, Send } from "../model/http.ts";
import { untilAborted } from "./abort.ts";
import { readCapped } from "./body.ts";
import { failureOf } from "./failure.ts";

/*
 * The only door to the outside. It promises that whatever happens out there comes back as a value, in bounded
 * time and bounded memory, and that no address is called that the guard refuses. What an answer means, and
 * whether to try again, is for others to say.
 */

/** Longer than any provider's documented processing, and short enough that a hanging one holds nothing up for long. */
export const SEND_TIMEOUT_MS: DurationMs = 30_000;
/** Of an answer this much is read; the rest is cancelled. HEC's and Datadog's answers are below 1 KiB. */
export const MAX_ANSWER_BYTES = 65_536;
/** What a request may ask to be read instead: a page of search results. An object has 128 MB for everything. */
export const MAX_LARGE_ANSWER_BYTES = 8_000_000;
/** What a request may ask to be waited: a search that is answered when it is done. */
export const MAX_PATIENCE_MS: DurationMs = 120_000;

/**
 * Level 1: on batches of audit events half the processor time of the default level for 7 % more bytes. A window of 8 kB
 * and not 32: a fifth less time again for 2 % more bytes, because its tables stay in the cache (measured in workerd,
 * 600 kB of events, 2026-11). Bytes out are not billed.
 */
const GZIP = { level: 1, windowBits: 13 };

export interface SendDeps {
  readonly fetch: typeof fetch;
  /** Answers the address as it may be called, or a sentence saying why not. */
  readonly guard: (url: string) => Result<URL, string>;
  readonly now: Clock;
  readonly timeoutMs?: DurationMs;
}

export function createSend(deps: SendDeps): Send {
  const { fetch, guard, now } = deps; // taken out: the platform's `fetch` refuses a foreign `this`
  return async (request) => {
    const startedAt = now();
    const timeoutMs = Math.min(request.patience ?? deps.timeoutMs ?? SEND_TIMEOUT_MS, MAX_PATIENCE_MS);
    const maxBytes = Math.min(request.maxAnswerBytes ?? MAX_ANSWER_BYTES, MAX_LARGE_ANSWER_BYTES);
    const allowed = guard(request.url);
    if (!allowed.ok)
      return { kind: "failure", reason: "blocked", message: allowed.error, maybeTaken: false, latency: 0 };
    const controller = new AbortController();
    // A timer of our own and not AbortSignal.timeout: that one could not be taken back, and a pending timer
    // keeps a Durable Object in memory.
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      const { signal } = controller;
      const response = await untilAborted(fetch(allowed.value.href, requestInit(request, signal)), signal);
      const body = await readCapped(response, { maxBytes, signal });
      const latency = now() - startedAt;
      const headers = headersOf(response.headers, now());
      return { kind: "response", status: response.status, headers, ...body, latency };
    } catch (error) {
      const failure = failureOf(error, {
        url: allowed.value,
        timedOut: controller.signal.aborted,
        timeoutMs,
      });
      return { kind: "failure", ...failure, latency: now() - startedAt };
    } finally {
      clearTimeout(timer);
    }
  };
}

function requestInit(request: HttpRequestSpec, signal: AbortSignal): RequestInit {
  const headers: Record<string, string> = { "user-agent": "Sluice", ...request.headers };
  if (request.gzip === true) headers["content-encoding"] = "gzip";
  const init = { method: request.method, headers, redirect: "manual", signal } as const;
  if (request.body === undefined) return init;
  // Bytes and not a stream, so that the length is sent, which older proxies insist on.
  const body = request.gzip === true ? gzipSync(request.body, GZIP) : utf8(request.body);
  return { ...init, body };
}

/** Several `Set-Cookie` stay apart, by line breaks: a comma would be ambiguous. A missing `Date` is filled in (RFC 9110, 6.6.1). */
function headersOf(headers: Headers, at: number): Extract<HttpAnswer, { kind: "response" }>["headers"] {
  const plain: Record<string, string> = { date: new Date(at).toUTCString() };
  for (const [name, value] of headers) plain[name.toLowerCase()] = value;
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) plain["set-cookie"] = cookies.join("\n");
  return plain;
}
