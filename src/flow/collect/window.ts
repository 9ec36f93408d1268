import type { EpochMs } from "../../base/clock.ts";

/*
 * Polling reads a search window by window. This folder promises that every second of index time is read once it is
 * certain to be complete, again for as long as the overlap says, and that what is read reaches `raise` before
 * the place of reading moves on. What a notable means, and where incidents live, is for others.
 */

/** Whole epoch seconds on Splunk's clock, which need not be ours. */
export type SplunkSecond = number;

/** What Splunk's clock said, and when that was by ours. */
export interface ClockReading {
  readonly splunk: SplunkSecond;
  /** Splunk read its clock between these two. */
  readonly askedAt: EpochMs;
  readonly answeredAt: EpochMs;
}

/**
 * Seconds of index time that are read together: `from` belongs to them, `to` does not. Frozen when it is opened, so
 * that pages do not shift while they are turned. `goal` is where the whole ends of which this is a slice.
 */
export interface Span {
  readonly from: SplunkSecond;
  readonly to: SplunkSecond;
  readonly goal: SplunkSecond;
}

export interface OpeningFacts {
  /** Where everything before was read; null before the first poll. */
  readonly checkpoint: SplunkSecond | null;
  /** The reading with which the span before was opened. */
  readonly last: ClockReading | null;
  readonly reading: ClockReading;
  readonly overlapSeconds: number;
}

/**
 * The next span: from the checkpoint, less the overlap, to Splunk's now. The second that is running is left for the
 * next time, because it can still grow.
 *
 * Should Splunk's clock have been put back since the last reading, index times repeat: then the span begins as far
 * back as the clock can have stood since, which is its present time less the time that passed by our clock.
 */
export function openSpan({ checkpoint, last, reading, overlapSeconds }: OpeningFacts): Span {
  const to = reading.splunk;
  const passed = last === null ? 0 : Math.ceil(Math.max(0, reading.answeredAt - last.askedAt) / 1_000);
  const since = Math.min(checkpoint ?? to, to - passed);
  return { from: since - overlapSeconds, to, goal: to };
}

/** The first half of a span that holds more than can be read at once; null for a single second. */
export function halve(span: Span): Span | null {
  const seconds = span.to - span.from;
  return seconds <= 1 ? null : { ...span, to: span.from + Math.floor(seconds / 2) };
}

/** What comes after a slice that has been read, without overlap and without a gap; null when the goal is reached. */
export function nextSlice({ from, to, goal }: Span): Span | null {
  // Twice as wide, because the crowd that made slices necessary may be over.
  return to >= goal ? null : { from: to, to: Math.min(goal, to + 2 * Math.max(1, to - from)), goal };
}
