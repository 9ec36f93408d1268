import type { DurationMs } from "../base/clock.ts";
import { SluiceError } from "./errors.ts";
import type { FetchAnswer, Settings } from "./options.ts";
import { isRecord, readFaults } from "./receipt.ts";
import { nextDelay, readRetryAfter } from "./retry.ts";
import { signRequest } from "./standard-webhooks.ts";

export interface Call {
  readonly method: "GET" | "POST";
  /** From the base URL on, like `/v1/audit/events`. */
  readonly path: string;
  /** JSON, the very same bytes at each attempt. */
  readonly body?: string;
  /** Names the request for the relay, the same at each attempt. */
  readonly idempotencyKey?: string;
  /** Which refusals are tried again: `safe` where repeating changes nothing, `refused` only where nothing was done. */
  readonly again: "safe" | "refused";
  readonly signal?: AbortSignal | undefined;
}

/** One call to the relay, retries included. @returns the JSON of the 2xx. @throws SluiceError for everything else */
export type Transport = (call: Call) => Promise<unknown>;

export function createTransport(settings: Settings): Transport {
  return async (call) => {
    for (let attempts = 1; ; attempts++) {
      const outcome = await attempt(settings, call);
      if (!(outcome instanceof SluiceError)) return outcome.body;
      const failure = outcome.with({ attempts, idempotencyKey: call.idempotencyKey ?? null });
      if (attempts >= settings.retry.maxAttempts || !isWorthAnother(failure, call.again)) throw failure;
      const { retry, random } = settings;
      await settings.sleep(nextDelay(attempts, { retry, hint: failure.retryAfterMs, random }), call.signal);
    }
  };
}

function isWorthAnother({ code, status }: SluiceError, again: Call["again"]): boolean {
  if (status === 429) return true;
  if (again === "refused") return false;
  return code === "network" || code === "timeout" || (status !== null && status >= 500);
}

async function attempt(settings: Settings, call: Call): Promise<{ readonly body: unknown } | SluiceError> {
  let answer: FetchAnswer;
  let text: string;
  const deadline = AbortSignal.timeout(settings.timeoutMs);
  const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
  const request = await requestOf(settings, call, signal);
  try {
    answer = await settings.fetch(settings.baseUrl + call.path, request);
    text = await answer.text();
  } catch (cause) {
    call.signal?.throwIfAborted();
    return lost(cause, settings.timeoutMs);
  }
  const body = parse(text);
  if (answer.status >= 200 && answer.status < 300 && body !== undefined) return { body };
  return refusalOf(answer, body, readRetryAfter(answer.headers.get("retry-after"), settings.now()));
}

async function requestOf(settings: Settings, call: Call, signal: AbortSignal) {
  const { method, body, idempotencyKey } = call;
  const headers: Record<string, string> = { "x-api-key": settings.apiKey, accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (idempotencyKey !== undefined) headers["idempotency-key"] = idempotencyKey;
  if (settings.signingSecret !== null && body !== undefined && idempotencyKey !== undefined) {
    // Signed anew at each attempt, because the relay takes no old ones; the id stays.
    const message = { id: idempotencyKey, at: settings.now(), body };
    Object.assign(headers, await signRequest(settings.signingSecret, message));
  }
  return { method, headers, redirect: "manual", signal, ...(body === undefined ? {} : { body }) } as const;
}

function lost(cause: unknown, timeoutMs: DurationMs): SluiceError {
  const isLate = cause instanceof Error && cause.name === "TimeoutError";
  return isLate
    ? new SluiceError(`No answer within ${timeoutMs} ms`, { code: "timeout", status: null, cause })
    : new SluiceError("The relay cannot be reached", { code: "network", status: null, cause });
}

/** A problem document says what is wrong; anything else did not come from a relay. */
function refusalOf(answer: FetchAnswer, body: unknown, retryAfterMs: DurationMs | null): SluiceError {
  const { status } = answer;
  if (isRecord(body) && typeof body["code"] === "string") {
    const detail = typeof body["detail"] === "string" ? body["detail"] : body["code"];
    return new SluiceError(detail, {
      code: body["code"],
      status,
      errors: readFaults(body["errors"]),
      retryAfterMs,
    });
  }
  const message = `Expected an answer of a relay, got status ${status}: check baseUrl`;
  return new SluiceError(message, { code: "unexpected_answer", status, retryAfterMs });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
