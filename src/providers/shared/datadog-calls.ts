import { z } from "zod";
import { type DurationMs, type EpochMs, hours, minutes } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { Outcome } from "../../model/delivery.ts";
import type { HttpAnswer, HttpRequestSpec } from "../../model/http.ts";
import { isWorthCompressing } from "./compress.ts";
import type { Performed } from "./perform.ts";

/** What Datadog's three kinds of direct calls have in common. */
export interface DatadogCalls {
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly read: (answer: HttpAnswer, what: string) => Outcome;
}

export function call(
  { headers, gzip, read }: DatadogCalls,
  { url, body, what, mayCompress }: Pick<HttpRequestSpec, "url"> & Call,
): Performed {
  const request = { method: "POST", url, headers, body } as const;
  return ok({
    request: mayCompress ? { ...request, gzip: gzip && isWorthCompressing(body) } : request,
    interpret: (answer) => read(answer, what),
  });
}

interface Call {
  readonly body: string;
  /** What is sent, for people. */
  readonly what: string;
  /** Whether this API documents compressed bodies. */
  readonly mayCompress: boolean;
}

export const limitedText = (what: string, maxCharacters: number) =>
  z
    .string({ error: `Expected ${what} as text` })
    .min(1, `Expected ${what}, not an empty text`)
    .max(maxCharacters, `Expected ${what} of at most ${maxCharacters} characters`);

/** @see https://docs.datadoghq.com/getting_started/tagging/ (read 2026-11) */
export const Tags = z
  .array(z.string().regex(/^[^\s,][^,\n]{0,199}$/, "Expected a tag like env:production, without commas"))
  .max(100, "Expected at most 100 tags");

/** The last second of the year 9999: whatever is larger is in milliseconds. */
export const LAST_SECOND = 253_402_300_799;

/** Events and logs; the margin is for the way there and for clocks that differ. */
const MAX_AGE: DurationMs = hours(18) - minutes(5);

export const TOO_OLD = "Expected a time within the last 18 hours: Datadog takes nothing older";

export function isTooOld(at: EpochMs, now: EpochMs): boolean {
  return now - at > MAX_AGE;
}
