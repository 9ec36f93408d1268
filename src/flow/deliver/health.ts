import type { DurationMs, EpochMs } from "../../base/clock.ts";
import type { Trouble } from "../../model/delivery.ts";
import type { StatusReason } from "../../model/destination.ts";
import type { StatusChange } from "../../model/lane.ts";
import { nextDelay } from "./backoff.ts";

/** Requests under way at once to a destination in good health; the platform allows an object six connections. */
export const MAX_WINDOW = 4;
/** Events of the single request that tries a destination after a failure. Small: it will probably fail. */
export const PROBE_EVENTS = 25;
/** Changes of status that are remembered. */
const MAX_CHANGES = 50;

/**
 * The breaker of one destination, which is also its public status.
 *
 * Closed while `retryAt` is null: up to `window` requests at once, doubling with each success up to the maximum.
 * Open otherwise: nothing until `retryAt`, then one small request. Backoff belongs to the lane and not to a request:
 * a thousand waiting batches are one destination that is down, not a thousand reasons to knock.
 */
export interface Health {
  readonly status: "active" | "degraded" | "failed";
  readonly reason: StatusReason | null;
  readonly failures: number;
  readonly retryAt: EpochMs | null;
  /** When the last failure was noted; answers to requests that began before say nothing new. */
  readonly failedAt: EpochMs | null;
  readonly window: number;
  readonly changes: readonly StatusChange[];
}

export const HEALTHY: Health = {
  status: "active",
  reason: null,
  failures: 0,
  retryAt: null,
  failedAt: null,
  window: MAX_WINDOW,
  changes: [],
};

export interface Failure {
  readonly trouble: Trouble;
  /** The provider's words, for `status_reason.message`. */
  readonly message: string;
  readonly retryAfter: DurationMs | null;
  /** The settings are at fault, not the destination. */
  readonly held: boolean;
  /** When the request that failed began. */
  readonly startedAt: EpochMs;
}

/** The destination took something, or at least answered to the point. */
export function succeeded(health: Health, now: EpochMs): Health {
  const window = health.retryAt === null ? Math.min(MAX_WINDOW, health.window * 2) : 1;
  const well = { ...health, failures: 0, retryAt: null, failedAt: null, window };
  return change(well, { at: now, status: "active", reason: null });
}

/** A failure of several requests at once counts once: only those begun since the last noted failure are news. */
export function failed(
  health: Health,
  failure: Failure,
  { now, random }: { now: EpochMs; random: () => number },
): Health {
  if (health.failedAt !== null && failure.startedAt < health.failedAt) return health;
  const failures = health.failures + 1;
  const delay = nextDelay(failures, { hint: failure.retryAfter, held: failure.held, random });
  const since = health.reason?.code === failure.trouble ? health.reason.since : now;
  const reason = { code: failure.trouble, message: failure.message, since };
  const status = health.status === "failed" || failure.trouble === "gone" ? "failed" : "degraded";
  return change(
    { ...health, failures, retryAt: now + delay, failedAt: now, window: 1 },
    { at: now, status, reason },
  );
}

/** Something stayed undelivered for the whole window and became a dead letter. Younger events are still tried. */
export function expired(health: Health, now: EpochMs): Health {
  const message = health.reason?.message ?? "Events could not be delivered in time";
  const since = health.reason?.since ?? now;
  return change(health, { at: now, status: "failed", reason: { code: "expired", message, since } });
}

/** The destination was changed, so the old trouble says nothing: try at once. The status changes when an attempt has shown it. */
export function reset(health: Health, now: EpochMs): Health {
  if (health.retryAt === null) return health;
  return { ...health, failures: 0, retryAt: now, failedAt: now };
}

/** Slower for a while, because the destination says that it is filling up. */
export function slowed(health: Health): Health {
  return { ...health, window: 1 };
}

/** How many requests may be under way now, and of how many events each. */
export function permits(health: Health, now: EpochMs): { readonly window: number; readonly events: number } {
  if (health.retryAt === null) return { window: health.window, events: Number.POSITIVE_INFINITY };
  return { window: now >= health.retryAt ? 1 : 0, events: PROBE_EVENTS };
}

function change(health: Health, to: StatusChange): Health {
  if (health.status === to.status && health.reason?.code === to.reason?.code) {
    return { ...health, reason: to.reason };
  }
  return {
    ...health,
    status: to.status,
    reason: to.reason,
    changes: [...health.changes, to].slice(-MAX_CHANGES),
  };
}
