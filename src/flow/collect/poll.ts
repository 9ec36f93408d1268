import { type DurationMs, seconds } from "../../base/clock.ts";
import type { IncidentDraft } from "../../model/incident.ts";
import type { Mappings } from "../../model/incident-draft.ts";
import { type Refusal, refusal } from "./answer.ts";
import { readSplunkClock, type SplunkClock } from "./clock.ts";
import type { Place, PollMemory, Window } from "./memory.ts";
import { readNotable } from "./notable.ts";
import { MAX_ROWS, pageRows, type ReadDeps, readPage } from "./read.ts";
import { halve, nextSlice, openSpan, type Span } from "./window.ts";

/** Pages that one round reads before it lets others have their turn; a full one raises 5,000 incidents. */
export const PAGES_PER_ROUND = 10;
/** Between two rounds that look at a job. */
const LOOK_AGAIN: DurationMs = seconds(10);
/** A search that is too slow over this many seconds is not slow because of what it finds. */
const MIN_SLOW_SLICE = 60;
/** Times that a search without a job is gone through, until it shows nothing new: its rows move while pages are turned. */
const MAX_PASSES = 3;

export interface CollectDeps extends ReadDeps {
  readonly mappings: Mappings;
  /** Several writes or none. */
  atomically(work: () => void): void;
  /** Makes incidents of what is new. Resolves when they are durable; a repeat changes nothing. */
  raise(drafts: readonly IncidentDraft[]): Promise<void>;
}

/** How far one round of bounded work came. */
export type Round = {
  /** Notables that were raised. */
  readonly fresh: number;
  /** Rows that were read. */
  readonly rows: number;
  readonly clock: SplunkClock | null;
} & (
  | { readonly kind: "done" }
  | { readonly kind: "unfinished"; readonly again: DurationMs }
  | { readonly kind: "failed"; readonly failure: Refusal }
);

/**
 * Reads on from where the last round stopped, for at most `PAGES_PER_ROUND` pages.
 *
 * The order is the guarantee. A window is stored before its first page; a page's notables are durable before the place
 * moves past it; the checkpoint moves when the window is through. A crash anywhere repeats a page at worst, and
 * repeated notables are known by their keys: here, and again where incidents live.
 */
export async function collect(deps: CollectDeps): Promise<Round> {
  const { memory } = deps;
  const count = { fresh: 0, rows: 0, clock: null as SplunkClock | null };
  const failed = (failure: Refusal): Round => ({ kind: "failed", failure, ...count });
  if (memory.place.window === null) {
    const clock = await readSplunkClock(deps.client, deps.now);
    if (!clock.ok) return failed(clock.error);
    count.clock = clock.value;
    open(deps, clock.value);
  }
  for (let page = 0; page < PAGES_PER_ROUND; page += 1) {
    const { window } = memory.place;
    if (window === null) return { kind: "done", ...count };
    const step = await readPage(window, deps);
    if (!step.ok) {
      const failure = await giveWay(step.error, deps);
      if (failure === null) continue;
      return failed(failure);
    }
    switch (step.value.kind) {
      case "waiting":
        return { kind: "unfinished", again: LOOK_AGAIN, ...count };
      case "crowded": {
        const failure = await divide(window, deps);
        if (failure !== null) return failed(failure);
        break;
      }
      case "end":
        await finish(deps);
        break;
      case "rows":
        count.rows += step.value.rows.length;
        count.fresh += await take(step.value.rows, deps);
        break;
    }
  }
  return memory.place.window === null
    ? { kind: "done", ...count }
    : { kind: "unfinished", again: 0, ...count };
}

function open({ memory, settings, atomically }: CollectDeps, reading: SplunkClock): void {
  const { checkpoint, reading: last } = memory.place;
  const overlapSeconds = settings.lookback_minutes * 60;
  const span = openSpan({ checkpoint, last, reading, overlapSeconds });
  atomically(() => {
    memory.set("place", { checkpoint, reading, window: fresh(span) });
    memory.forgetSeen(span.from);
  });
}

function fresh(span: Span): Window {
  return { ...span, offset: 0, job: null, pass: 1, fresh: 0 };
}

/** Raises what is new on a page, then moves past it. */
async function take(rows: readonly unknown[], deps: CollectDeps): Promise<number> {
  const { memory, mappings, raise, atomically } = deps;
  const notables = new Map(
    rows.flatMap((row) => {
      const notable = readNotable(row, mappings, deps.now());
      return notable === null ? [] : [[notable.key, notable.draft] as const];
    }),
  );
  const unseen = memory.unseen([...notables.keys()]);
  // Splunk shows the newest first; incidents are numbered from the oldest.
  const drafts = [...notables]
    .filter(([key]) => unseen.has(key))
    .map(([, draft]) => draft)
    .reverse();
  if (drafts.length > 0) await raise(drafts);
  // After raising: a crash here raises the page again, and the keys say that it was counted before.
  atomically(() => {
    const { place } = memory;
    if (place.window === null) return;
    const { window } = place;
    memory.remember([...unseen], window.goal);
    memory.set("notables", (memory.get("notables") ?? 0) + drafts.length);
    const offset = window.offset + rows.length;
    memory.set("place", { ...place, window: { ...window, offset, fresh: window.fresh + drafts.length } });
  });
  return drafts.length;
}

/** A slice is through: once more where its rows may have moved, else on to the next, and at the goal the checkpoint moves. */
async function finish({ memory, settings, client }: CollectDeps): Promise<void> {
  const { place } = memory;
  const { window } = place;
  if (window === null) return;
  const mayHaveMoved = settings.mode === "oneshot" && window.offset > pageRows(memory) && window.fresh > 0;
  if (mayHaveMoved && window.pass < MAX_PASSES) {
    memory.set("place", { ...place, window: { ...window, offset: 0, pass: window.pass + 1, fresh: 0 } });
    return;
  }
  const slice = nextSlice(window);
  memory.set(
    "place",
    slice === null ? { ...place, checkpoint: window.goal, window: null } : { ...place, window: fresh(slice) },
  );
  if (window.job !== null) await client.cancel(window.job);
}

/** More rows than Splunk shows: half of the time, from its first row. */
async function divide(window: Window, { memory, client }: CollectDeps): Promise<Refusal | null> {
  const half = halve(window);
  if (half === null) {
    const message = `More than ${MAX_ROWS} rows were indexed within one second; narrow the search`;
    return refusal("search_rejected", message, { held: true });
  }
  const place: Place = { ...memory.place, window: fresh(half) };
  memory.set("place", place);
  if (window.job !== null) await client.cancel(window.job);
  return null;
}

/** What a failure means for the next try of the same slice. @returns null where that try can be made at once */
async function giveWay(failure: Refusal, { memory, settings, client }: CollectDeps): Promise<Refusal | null> {
  if (failure.what === "too_large") return smallerPage(failure, memory);
  const { place } = memory;
  const { window } = place;
  if (window === null) return failure;
  const { job } = window;
  const isSlow =
    failure.what === "too_slow" || (failure.trouble === "timeout" && settings.mode === "oneshot");
  // What Splunk complains of inside a 200 belongs to the job: the same job would say the same again.
  const isSpoiled = failure.what === "missing" || (failure.httpStatus ?? 999) < 300;
  if (isSlow && window.to - window.from > 2 * MIN_SLOW_SLICE) {
    memory.set("place", { ...place, window: fresh(halve(window) ?? window) });
  } else if (isSlow || (job !== null && isSpoiled)) {
    // Another job may show its rows in another order, so from its first row.
    memory.set("place", { ...place, window: { ...window, job: null, offset: 0 } });
  }
  if (isSlow && job !== null) await client.cancel(job);
  if (failure.what !== "missing" || job === null) return failure;
  const message = "The search job was gone before all of its rows were read; it is made again";
  return refusal("provider_error", message, { httpStatus: failure.httpStatus });
}

function smallerPage(failure: Refusal, memory: PollMemory): Refusal | null {
  const rows = pageRows(memory);
  memory.set("page_rows", Math.max(1, Math.floor(rows / 2)));
  if (rows > 1) return null;
  const message = "A single row is too large to be read; leave out fields with `| fields` or `| table`";
  return { ...failure, trouble: "search_rejected", held: true, message };
}
