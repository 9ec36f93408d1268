import type { EpochMs } from "../../base/clock.ts";

/** Shares of a limit at which a tenant is told that its backlog will cost events. */
const LEVELS = [95, 80, 50] as const;

export type WarningLevel = (typeof LEVELS)[number] | 0;

/** How far a backlog has come towards something that loses events. */
export interface BacklogFacts {
  readonly now: EpochMs;
  /** When the oldest waiting event was accepted, and until when it is tried. */
  readonly oldestAt: EpochMs;
  readonly windowMs: number;
  /** When the oldest waiting event happened, and how old the provider takes it; null where it takes any age. */
  readonly oldestEventAt: EpochMs;
  readonly maxAgeMs: number | null;
  readonly bytes: number;
  readonly maxBytes: number;
}

/** Which limit is nearest, and the highest level that it has passed. */
export interface Warning {
  readonly level: WarningLevel;
  readonly limit: "delivery_window" | "provider_age" | "outbox";
}

/**
 * The warning that a backlog deserves now.
 *
 * An event that was old when it arrived says nothing about the backlog, so the provider's age is measured by what
 * waiting has added: an event accepted at the age of 17 h has used up an 18 h limit to 94 % without anybody's fault.
 */
export function backlogWarning(facts: BacklogFacts): Warning {
  const { now, oldestAt, windowMs, oldestEventAt, maxAgeMs, bytes, maxBytes } = facts;
  const shares: readonly [Warning["limit"], number][] = [
    ["delivery_window", (now - oldestAt) / windowMs],
    ["provider_age", ageShare({ now, oldestAt, oldestEventAt, maxAgeMs })],
    ["outbox", bytes / maxBytes],
  ];
  const [limit, share] = shares.reduce((worst, one) => (one[1] > worst[1] ? one : worst));
  return { limit, level: LEVELS.find((level) => share * 100 >= level) ?? 0 };
}

function ageShare({
  now,
  oldestAt,
  oldestEventAt,
  maxAgeMs,
}: Pick<BacklogFacts, "now" | "oldestAt" | "oldestEventAt" | "maxAgeMs">): number {
  if (maxAgeMs === null) return 0;
  const left = maxAgeMs - Math.max(0, oldestAt - oldestEventAt);
  return left <= 0 ? 0 : (now - oldestAt) / left;
}
