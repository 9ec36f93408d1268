import { type Clock, type DurationMs, days, minutes } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { PolledSearch } from "../../model/polled-search.ts";
import { contentOf, type JsonObject, type Refusal, type Reply, refusal } from "./answer.ts";
import type { Job, PollMemory, Window } from "./memory.ts";
import { searchText } from "./search-text.ts";
import type { SplunkClient } from "./splunk-client.ts";
import type { Span } from "./window.ts";

/** Rows of one page, unless they turned out to be too large. */
export const PAGE_ROWS = 500;
/**
 * Rows of one search beyond which Splunk may keep the rest to itself.
 * @see limits.conf, `maxresultrows` of [restapi] and [searchresults] (read 2026-11)
 */
export const MAX_ROWS = 50_000;
/** A job that takes longer is given up, and a smaller slice is tried. */
export const JOB_PATIENCE: DurationMs = minutes(10);
/** Looks at a job within one round, and the pauses before each. After these the object goes to sleep in between. */
const LOOKS: readonly DurationMs[] = [0, 250, 500, 1_000, 2_000];
/** A notable may claim to have happened after it was indexed. */
const EVENT_TIME_AHEAD = days(1) / 1_000;

export interface ReadDeps {
  readonly now: Clock;
  sleep(duration: DurationMs): Promise<void>;
  readonly client: SplunkClient;
  readonly settings: PolledSearch;
  readonly memory: PollMemory;
}

export type Step =
  | { readonly kind: "rows"; readonly rows: readonly unknown[] }
  | { readonly kind: "end" }
  | { readonly kind: "waiting" }
  /** More rows than Splunk shows. */
  | { readonly kind: "crowded" };

/** The next page, or why there is none. */
export async function readPage(window: Window, deps: ReadDeps): Promise<Result<Step, Refusal>> {
  if (window.offset >= MAX_ROWS) return ok({ kind: "crowded" });
  return deps.settings.mode === "oneshot" ? readOneshot(window, deps) : readJob(window, deps);
}

async function readOneshot(window: Window, { client, settings, memory }: ReadDeps) {
  const page = { count: pageRows(memory), offset: window.offset };
  const reply = await client.oneshot({ ...searchForm(window, settings), ...page });
  if (!reply.ok) return reply;
  const rows = rowsOf(reply.value.json);
  if (rows === null) return strange(reply.value);
  // A page that is not full proves nothing: Splunk's own limit may be lower. An empty one does.
  return ok<Step>(rows.length === 0 ? { kind: "end" } : { kind: "rows", rows });
}

async function readJob(window: Window, deps: ReadDeps): Promise<Result<Step, Refusal>> {
  const { client, memory } = deps;
  const job = await doneJob(window, deps);
  if (!job.ok) return job;
  if (job.value === null || job.value.rows === null) return ok({ kind: "waiting" });
  if (job.value.rows >= MAX_ROWS) return ok({ kind: "crowded" });
  if (window.offset >= job.value.rows) return ok({ kind: "end" });
  const reply = await client.results(job.value, { offset: window.offset, count: pageRows(memory) });
  if (!reply.ok) return reply;
  const isPatient = deps.now() - job.value.startedAt < JOB_PATIENCE;
  if (reply.value.status === 204 && isPatient) return ok({ kind: "waiting" });
  const rows = rowsOf(reply.value.json);
  if (rows === null || rows.length === 0) return strange(reply.value);
  return ok({ kind: "rows", rows });
}

/** The slice's job once it is done, else null. Made where there is none. */
async function doneJob(window: Window, deps: ReadDeps): Promise<Result<Job | null, Refusal>> {
  const { client, memory, settings, now, sleep } = deps;
  let { job } = window;
  if (job === null) {
    const made = await client.createJob({
      ...searchForm(window, settings),
      max_count: MAX_ROWS,
      timeout: JOB_PATIENCE / 1_000,
    });
    if (!made.ok) return made;
    job = { ...made.value, startedAt: now(), rows: null };
    keepJob(memory, job);
  }
  if (job.rows !== null) return ok(job);
  for (const pause of LOOKS) {
    if (pause > 0) await sleep(pause);
    const reply = await client.status(job);
    if (!reply.ok) return reply;
    const content = contentOf(reply.value.json);
    const failure = { httpStatus: reply.value.status };
    if (isTrue(content["isFailed"]) || content["dispatchState"] === "FAILED")
      return err(refusal("provider_error", "The search job failed, and Splunk does not say why", failure));
    if (isTrue(content["isDone"])) {
      job = { ...job, rows: Number(content["resultCount"] ?? 0) };
      keepJob(memory, job);
      return ok(job);
    }
  }
  if (now() - job.startedAt < JOB_PATIENCE) return ok(null);
  const message = `The search was not done within ${JOB_PATIENCE / 60_000} minutes`;
  return err(refusal("timeout", message, { what: "too_slow" }));
}

function keepJob(memory: PollMemory, job: Job | null): void {
  const { place } = memory;
  if (place.window !== null) memory.set("place", { ...place, window: { ...place.window, job } });
}

export function pageRows(memory: PollMemory): number {
  return memory.get("page_rows") ?? PAGE_ROWS;
}

export function searchForm({ from, to }: Span, settings: PolledSearch) {
  const back = settings.event_time_lookback_days * 86_400;
  return {
    search: searchText(settings),
    // By index time, so that what is indexed late is found; by event time only so far that Splunk opens few buckets.
    index_earliest: from,
    index_latest: to,
    earliest_time: from - back,
    latest_time: to + EVENT_TIME_AHEAD,
  };
}

export function rowsOf(json: JsonObject): readonly unknown[] | null {
  const rows = json["results"];
  return Array.isArray(rows) ? rows : null;
}

function strange({ status }: Reply): Result<never, Refusal> {
  const message = "Splunk's answer holds no rows where it said there were some";
  return err(refusal("provider_error", message, { httpStatus: status }));
}

/** Splunk writes booleans as such, and in some versions as 0 and 1. */
function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === "1";
}
