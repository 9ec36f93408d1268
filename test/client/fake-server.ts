import type { ClientOptions, Fetch } from "../../src/client/options.ts";

/*
 * A relay for the client library's tests: answers what it is told to, one answer a request, and remembers what was
 * asked and how long it was waited for.
 */

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** An answer, or what `fetch` throws. */
export type Said = { readonly status: number; readonly body?: unknown; readonly retryAfter?: string } | Error;

export interface FakeServer {
  readonly options: ClientOptions;
  readonly asked: Asked[];
  /** Milliseconds of each pause. */
  readonly slept: number[];
}

export const NOW = Date.parse("2026-11-21T12:00:30.000Z");

/** The last answer is repeated for ever. */
export function fakeServer(
  answers: readonly Said[] | ((asked: Asked) => Said),
  options: Partial<ClientOptions> = {},
): FakeServer {
  const asked: Asked[] = [];
  const slept: number[] = [];
  const say = (question: Asked): Said => {
    if (typeof answers === "function") return answers(question);
    return answers[Math.min(asked.length, answers.length) - 1] ?? new Error("nothing to say");
  };
  const fetch: Fetch = async (url, { method, headers, body }) => {
    const question = { method, url, headers, body };
    asked.push(question);
    const said = say(question);
    if (said instanceof Error) throw said;
    const text = typeof said.body === "string" ? said.body : JSON.stringify(said.body ?? null);
    const answerHeaders = new Headers(
      said.retryAfter === undefined ? {} : { "retry-after": said.retryAfter },
    );
    return { status: said.status, headers: answerHeaders, text: async () => text };
  };
  let keys = 0;
  return {
    asked,
    slept,
    options: {
      baseUrl: "https://relay.example.com/",
      apiKey: "sl_live_test",
      fetch,
      now: () => NOW,
      random: () => 0.5,
      sleep: async (duration) => void slept.push(duration),
      newIdempotencyKey: () => `key-${++keys}`,
      ...options,
    },
  };
}

export function receipt(...ids: readonly string[]): Said {
  return { status: 202, body: { accepted: ids.length, ids, batch_id: `bat_${ids[0]}` } };
}

export function problem(status: number, code: string, more: object = {}): Said & object {
  return { status, body: { type: "t", title: "T", status, code, detail: `About ${code}.`, ...more } };
}
