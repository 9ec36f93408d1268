import { type DurationMs, days, type EpochMs, hours, isoTime, minutes } from "../../base/clock.ts";
import type { RelayEvent } from "../../model/event.ts";
import type { Selection } from "../../model/provider.ts";

/**
 * What CloudWatch Logs takes: nothing older than 14 days, nothing more than 2 hours ahead, and in one request events
 * in the order of their time that lie at most 24 hours apart.
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html (read 2026-11)
 */
export const MAX_AGE: DurationMs = days(14);
const MAX_AHEAD: DurationMs = hours(2);
const MAX_SPAN: DurationMs = hours(24);

/** For the way there, and for clocks that disagree: what is let through must still be inside when it is judged. */
const AGE_MARGIN: DurationMs = minutes(5);
const AHEAD_MARGIN: DurationMs = minutes(1);

const discards = (what: string, at: EpochMs): string =>
  `CloudWatch Logs throws away events that are more than ${what}, and this event is of ${isoTime(at)}.`;

/**
 * Which events may travel in one request: the oldest first, and as far as one request may span. The rest waits for
 * the next. Events of one time stay in the order in which they came.
 */
export function selectByTime(events: readonly RelayEvent[], now: EpochMs): Selection {
  const oldest = now - MAX_AGE + AGE_MARGIN;
  const newest = now + MAX_AHEAD - AHEAD_MARGIN;
  const timely: { readonly index: number; readonly at: EpochMs }[] = [];
  const park: { readonly index: number; readonly message: string }[] = [];
  for (const [index, { at }] of events.entries()) {
    if (at < oldest) park.push({ index, message: discards("14 days old", at) });
    else if (at > newest) park.push({ index, message: discards("2 hours in the future", at) });
    else timely.push({ index, at });
  }
  timely.sort((left, right) => left.at - right.at);
  const until = (timely[0]?.at ?? 0) + MAX_SPAN;
  return { send: timely.filter(({ at }) => at <= until).map(({ index }) => index), park };
}
