/**
 * The documents that splunkd answers with.
 *
 * Shapes of jobs, results and exports: captured from Splunk Enterprise 10.6.0.5 by the tests of panoramicdata's
 * `Splunk.Api`. Refusals and their words: measured on 10.4.2 by the conformance tests of mockdr/mockdr, and on 10.4.4
 * (an unknown command is a 400, an `eval` that cannot run an empty export). The answer to a login: the comments of
 * Go clients that string-match it. XML, which is what comes without `output_mode=json`, is only sketched here.
 * @see https://github.com/mockdr/mockdr (read 2026-11)
 */
import type { SearchMessage } from "./control.ts";
import type { Row } from "./splunk-search-eval.ts";
import type { Found } from "./splunk-search-run.ts";
import { exportTime, isoTime } from "./splunk-search-time.ts";

export interface SearchReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `event_id` of each row served; null for a row without one. */
  readonly served?: readonly (string | null)[];
  /** The fault struck. */
  readonly struck?: boolean;
}

export interface Job {
  readonly sid: string;
  readonly search: string;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly found: Found;
  /** Epoch ms of the last look, from which it lives on. */
  usedAt: number;
  /** Looks that found it not done. */
  polls: number;
}

const JSON_HEADERS = { "content-type": "application/json; charset=UTF-8", server: "Splunkd" };
const XML_HEADERS = { "content-type": "text/xml; charset=UTF-8", server: "Splunkd" };

export function reply(status: number, value: unknown, { isXml = false } = {}): SearchReply {
  return isXml
    ? {
        status,
        headers: XML_HEADERS,
        body: `<?xml version="1.0" encoding="UTF-8"?>\n<response>${xml(value)}</response>`,
      }
    : { status, headers: JSON_HEADERS, body: JSON.stringify(value) };
}

export function said(status: number, message: SearchMessage & { code?: string }, isXml = false): SearchReply {
  return reply(status, { messages: [message] }, { isXml });
}

/** Not ready yet: no body at all. */
export function noContent(): SearchReply {
  return { status: 204, headers: { server: "Splunkd" }, body: "" };
}

export interface Page {
  readonly offset: number;
  readonly rows: readonly Row[];
  readonly columns: readonly string[];
  readonly messages: readonly SearchMessage[];
}

/** Every value is a text, or a list of texts. */
export function resultsOf({ offset, rows, columns, messages }: Page): unknown {
  return {
    preview: false,
    init_offset: offset,
    messages,
    fields: columns.map((name) => ({ name })),
    results: rows.map((row) => shown(row, isoTime)),
    highlighted: {},
  };
}

/**
 * One object on each line. Previews come first and are to be ignored; the last line of each set says so.
 * Without rows, one line without a result.
 */
export function exportOf({ rows, messages, isFailed }: Found, previews: number): string {
  const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
  const said = messages.length === 0 ? "" : line({ messages });
  // Observed: a job that fails streams nothing, or its messages alone.
  if (isFailed) return said;
  const set = (from: readonly Row[], preview: boolean): string =>
    from
      .map((row, offset) => {
        const last = offset === from.length - 1 ? { lastrow: true } : {};
        return line({ preview, offset, ...last, result: shown(row, exportTime) });
      })
      .join("");
  const shownFirst = rows.slice(0, previews);
  return (
    said +
    set(shownFirst, true) +
    (rows.length === 0 ? line({ preview: false, lastrow: true }) : set(rows, false))
  );
}

function shown(row: Row, time: (seconds: number) => string): Record<string, unknown> {
  const entries = Object.entries(row).map(([name, value]) => {
    if (typeof value !== "number") return [name, value];
    return [name, name === "_time" ? time(value) : textOfNumber(value)];
  });
  return Object.fromEntries(entries);
}

function textOfNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(6);
}

const STATES = ["QUEUED", "PARSING", "RUNNING"] as const;

/** @param isDone whether the job has been looked at often enough */
export function jobEntry(job: Job, { isDone, ttlSeconds }: { isDone: boolean; ttlSeconds: number }): unknown {
  const { found, sid, search, createdAt } = job;
  const state = STATES[Math.min(Math.max(job.polls - 2, 0), STATES.length - 1)] ?? "RUNNING";
  const published = isoTime(createdAt / 1000);
  return feed("search/jobs", search, {
    published,
    content: {
      dispatchState: isDone ? (found.isFailed ? "FAILED" : "DONE") : state,
      isDone,
      isFailed: isDone && found.isFailed,
      isFinalized: false,
      isPaused: false,
      doneProgress: isDone ? 1 : 0,
      eventCount: isDone ? found.rows.length : 0,
      resultCount: isDone ? found.rows.length : 0,
      scanCount: isDone ? found.rows.length : 0,
      runDuration: 0.014,
      sid,
      ttl: ttlSeconds,
      search,
      messages: isDone ? found.messages : [],
    },
  });
}

/** The envelope that splunkd puts around every object. */
export function feed(path: string, name: string, more: { published?: string; content: object }): unknown {
  const id = `https://splunk.test:8089/services/${path}`;
  return {
    links: {},
    origin: id,
    generator: { build: "86587d4e3b27", version: "10.6.0" },
    entry: [{ name, id, links: {}, author: "admin", ...more }],
    paging: { total: 1, perPage: 30, offset: 0 },
    messages: [],
  };
}

function xml(value: unknown, tag?: string): string {
  if (Array.isArray(value)) return value.map((one) => xml(one, tag)).join("");
  const inside =
    typeof value === "object" && value !== null
      ? Object.entries(value)
          .map(([name, one]) => xml(one, name))
          .join("")
      : String(value ?? "")
          .replaceAll("&", "&amp;")
          .replaceAll("<", "&lt;");
  return tag === undefined ? inside : `<${tag}>${inside}</${tag}>`;
}
