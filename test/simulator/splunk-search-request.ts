/** What a search call asks for: its parameters, and the bounds of time among them. */
import type { Window } from "./splunk-search-terms.ts";
import { splunkTime } from "./splunk-search-time.ts";

export interface SearchRequest {
  readonly method: string;
  /** Below the base URL: `/services/search/v2/jobs`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | null;
  readonly contentType: string | null;
  readonly body: string;
}

/** A body of another type than a form's is not read, and what it holds is missing. */
export function parametersOf({ query, body, contentType }: SearchRequest): URLSearchParams {
  const isForm = contentType === null || /^application\/x-www-form-urlencoded(;|$)/i.test(contentType);
  return new URLSearchParams([...(isForm ? new URLSearchParams(body) : []), ...query]);
}

const BOUNDS = [
  ["earliest_time", "earliest"],
  ["latest_time", "latest"],
  ["index_earliest", "indexEarliest"],
  ["index_latest", "indexLatest"],
] as const;

export function windowOf(given: URLSearchParams, now: number): Window | string {
  const window: { -readonly [bound in keyof Window]: Window[bound] } = {};
  for (const [name, bound] of BOUNDS) {
    const text = given.get(name) ?? "";
    if (text === "") continue;
    const at = splunkTime(text, now);
    if (at === null) return `Invalid ${name}.`;
    window[bound] = at;
  }
  return window;
}

/** A number of seconds stays where it is; `now` and `-5m` move with the clock. */
export function isFixed(time: string | null): boolean {
  return time !== null && /^\d/.test(time);
}

export function wholeIn(given: URLSearchParams, name: string, usual: number): number | null {
  const text = given.get(name) ?? String(usual);
  return /^\d+$/.test(text) ? Number(text) : null;
}
