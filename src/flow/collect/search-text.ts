import { ES_APP, type PolledSearch } from "../../model/polled-search.ts";

/**
 * What is asked where the source has no search of its own. The macro joins what analysts changed (status, owner,
 * urgency) to each notable. Enterprise Security 8 calls them findings and keeps the macro; titles are looked for under
 * that name as well. `_raw` repeats what the fields say.
 *
 * @see https://github.com/demisto/content/blob/master/Packs/SplunkPy/Integrations/SplunkPy/README.md (read 2026-11)
 */
const DEFAULT_SEARCH: Readonly<Record<PolledSearch["es_version"], string>> = {
  7: "search `notable` | eval rule_name=coalesce(rule_name, source), rule_title=coalesce(rule_title, rule_name) | fields - _raw",
  8: "search `notable` | eval rule_name=coalesce(rule_name, finding_name, source), rule_title=coalesce(rule_title, finding_title, rule_name) | fields - _raw",
};

/** Reads Splunk's clock without touching an index. */
export const CLOCK_SEARCH = "| makeresults | eval now=now() | fields now";

/** The search as Splunk takes it: a text that begins with neither a pipe nor `search` means `search`. */
export function searchText({ search, es_version }: Pick<PolledSearch, "search" | "es_version">): string {
  if (search === undefined) return DEFAULT_SEARCH[es_version];
  const text = search.trim();
  return /^(?:\||search\s)/i.test(text) ? text : `search ${text}`;
}

/** The app in whose context the search runs; null for the user's own. */
export function searchApp({ search, app }: Pick<PolledSearch, "search" | "app">): string | null {
  return app ?? (search === undefined ? ES_APP : null);
}

/**
 * A bound of time inside the text, which Splunk puts above the bounds of the request, or null. One by event time
 * hides what is indexed late; one by index time hides what an outage left behind.
 */
export function ownTimeBound(text: string): string | null {
  const unquoted = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return /(?<![\w.])(?:_index_)?(?:earliest|latest)\s*=\s*[^\s|)]+/i.exec(unquoted)?.[0] ?? null;
}
