import type { DurationMs, EpochMs } from "../../base/clock.ts";
import type { RelayEvent } from "../../model/event.ts";
import type { Selection } from "../../model/provider.ts";

/**
 * Parks what a provider would throw away for its age, by the event's own time, and sends the rest in the order offered.
 *
 * @param why one sentence for people about one such event
 */
export function parkOlder(
  events: readonly RelayEvent[],
  { now, than, why }: { now: EpochMs; than: DurationMs; why: (event: RelayEvent) => string },
): Selection {
  const send: number[] = [];
  const park: Selection["park"][number][] = [];
  for (const [index, event] of events.entries()) {
    if (now - event.at > than) park.push({ index, message: why(event) });
    else send.push(index);
  }
  return { send, park };
}
