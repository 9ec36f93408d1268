import { type DurationMs, seconds } from "../../base/clock.ts";

/**
 * `Retry-After` in both its forms (RFC 9110, 10.2.3): whole seconds, or a date.
 *
 * A date is read against the answer's own `Date`, so that neither clock has to be right and none has to be
 * passed in. The wish is not capped here: that is the engine's policy.
 *
 * @param headers names in lower case
 * @returns null when absent or unreadable, 0 for a date that has passed
 */
export function retryAfter(headers: Readonly<Record<string, string>>): DurationMs | null {
  const wish = headers["retry-after"]?.trim();
  if (wish === undefined || wish === "") return null;
  if (/^\d+$/.test(wish)) return wholeSeconds(wish);
  const until = httpDate(wish);
  const from = httpDate(headers["date"]);
  return until === null || from === null ? null : Math.max(0, until - from);
}

/** Seconds as digits, like Datadog's `x-ratelimit-reset`; null for anything else. */
export function wholeSeconds(text: string | undefined): DurationMs | null {
  if (text === undefined || !/^\d{1,15}$/.test(text.trim())) return null;
  return seconds(Number(text));
}

/** All three forms of an HTTP date begin with a weekday, which tells them from numbers that `Date.parse` would take. */
function httpDate(text: string | undefined): number | null {
  if (text === undefined || !/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/i.test(text.trim())) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
