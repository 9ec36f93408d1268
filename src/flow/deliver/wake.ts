import { type DurationMs, type EpochMs, hours, seconds } from "../../base/clock.ts";
import { DELIVERY_WINDOW_HOURS } from "../../model/lane.ts";
import type { Health } from "./health.ts";

/**
 * A lane with waiting events always has an alarm this near, even while requests are under way: if the platform evicts
 * it in the middle, the alarm starts it again. Each armed alarm is one billed row, hence not nearer.
 */
export const SAFETY_NET: DurationMs = seconds(30);
/** How often a lane with nothing to deliver wakes to forget what is too old. */
export const HOUSEKEEPING: DurationMs = hours(6);

/** How often a backlog that nothing else moves is looked at, to warn before it costs an event. */
export const BACKLOG_LOOK: DurationMs = hours(1);

export interface WakeFacts {
  readonly now: EpochMs;
  readonly health: Health;
  /** When the oldest waiting event was accepted; null when nothing waits. */
  readonly oldestAt: EpochMs | null;
  /** Delivery is switched off: only expiry matters. */
  readonly paused: boolean;
  /** When the provider has to be asked for acknowledgements; null when none is pending. */
  readonly pollAt: EpochMs | null;
  /** Receipts, dead letters or counters exist that will be too old one day. */
  readonly hasHistory: boolean;
}

/** When the lane must wake next, at the latest: the earliest reason wins. Null: nothing will ever be due. */
export function nextWake({ now, health, oldestAt, paused, pollAt, hasHistory }: WakeFacts): EpochMs | null {
  const reasons: EpochMs[] = [];
  if (oldestAt !== null) {
    reasons.push(Math.min(oldestAt + hours(DELIVERY_WINDOW_HOURS), now + BACKLOG_LOOK));
    if (!paused) reasons.push(Math.max(now, health.retryAt ?? now + SAFETY_NET));
  }
  if (pollAt !== null) reasons.push(Math.max(now, pollAt));
  if (hasHistory) reasons.push(now + HOUSEKEEPING);
  return reasons.length === 0 ? null : Math.min(...reasons);
}
