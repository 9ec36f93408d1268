import { type Clock, seconds } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { type Refusal, type Reply, refusal } from "./answer.ts";
import { CLOCK_SEARCH } from "./search-text.ts";
import type { SplunkClient } from "./splunk-client.ts";
import type { ClockReading } from "./window.ts";

/** Splunk's clock, and how it was learned. */
export interface SplunkClock extends ClockReading {
  /** `date_header`: the search for it was refused, so the clock of whatever answers there is taken for Splunk's. */
  readonly by: "search" | "date_header";
}

/** Statuses of a Splunk that refuses this search alone; after any other the next request would fare no better. */
const REFUSED: readonly (number | null)[] = [200, 400, 403];

/**
 * Asks Splunk what time it is. Index times are stamped by Splunk, so no other clock can say up to when they are
 * complete.
 */
export async function readSplunkClock(
  client: SplunkClient,
  now: Clock,
): Promise<Result<SplunkClock, Refusal>> {
  const askedAt = now();
  const reply = await client.oneshot({ search: CLOCK_SEARCH, count: 1 });
  const answeredAt = now();
  const told = reply.ok ? toldBy(reply.value) : null;
  if (told !== null) return ok({ splunk: told, askedAt, answeredAt, by: "search" });
  if (!reply.ok && !isOfThisSearch(reply.error)) return reply;
  const date = Date.parse((reply.ok ? reply.value.headers["date"] : reply.error.date) ?? "");
  if (!Number.isNaN(date)) return ok({ splunk: date / seconds(1), askedAt, answeredAt, by: "date_header" });
  if (!reply.ok) return reply;
  return err(refusal("provider_error", "Splunk does not tell its clock"));
}

function isOfThisSearch({ httpStatus, trouble }: Refusal): boolean {
  return REFUSED.includes(httpStatus) && trouble !== "config_rejected" && trouble !== "throttled";
}

/** Whole seconds: the one that is running does not count. */
function toldBy({ json }: Reply): number | null {
  const [row] = [json["results"]].flat() as readonly unknown[];
  if (typeof row !== "object" || row === null || !("now" in row)) return null;
  const told = Math.floor(Number(row.now));
  return Number.isFinite(told) && told > 0 ? told : null;
}
