import { ok, type Result } from "../../base/result.ts";
import type { Refusal, RejectedEvent } from "../../model/ingest.ts";
import { writeLines } from "../../model/lines.ts";
import { textOf } from "./body.ts";
import { eventsOf } from "./events.ts";
import { eventIdsOf } from "./idempotency.ts";
import { itemsOf } from "./items.ts";
import type { OnePassContext, Taken } from "./one-pass.ts";

export interface LongWayContext extends OnePassContext {
  readonly onInvalid: "refuse" | "skip";
}

export interface TakenWithRejected extends Taken {
  /** With `skip`: what was left out. */
  readonly rejected: readonly RejectedEvent[];
}

/**
 * The rule of what is accepted, step by step: decode, parse, check, complete, hash. For every body that the one pass
 * declines, and the only one that has words for what is wrong.
 *
 * @param body after decompression
 */
export function takeTheLongWay(
  body: Uint8Array,
  context: LongWayContext,
): Result<TakenWithRejected, Refusal> {
  const { tenantId, format, now, eventIds, onInvalid } = context;
  const text = textOf(body);
  if (!text.ok) return text;
  const items = itemsOf(text.value, format);
  if (!items.ok) return items;
  const made = eventsOf(items.value, { tenantId, now, onInvalid, eventId: eventIdsOf(eventIds) });
  if (!made.ok) return made;
  const { events, rejected } = made.value;
  return ok({ ids: events.map(({ id }) => id), lines: writeLines(events), rejected });
}
