import type { DestinationSettings } from "../../model/destination.ts";
import { actionOfLine } from "../../model/event.ts";
import type { BatchPart, Submission } from "../../model/lane.ts";
import { matcher } from "./match.ts";

/**
 * What each of a tenant's destinations is owed of some parts, destinations that are owed nothing left out.
 *
 * A destination that was switched off or deleted is still owed what was accepted before that moment.
 */
export function plan(
  destinations: readonly DestinationSettings[],
  parts: readonly BatchPart[],
): readonly Submission[] {
  return destinations.flatMap((destination) => {
    const decide = matcher(destination.routes);
    const all = destination.routes.length === 0;
    const owed = parts
      .filter((part) => isOwed(destination, part))
      .flatMap((part) => {
        const lines = all ? part.lines : part.lines.filter((line) => decide(actionOfLine(line)).wanted);
        return lines.length === 0 ? [] : [{ ...part, lines }];
      });
    if (owed.length === 0) return [];
    const { id, tenantId, revision } = destination;
    return [{ tenantId, destinationId: id, revision, parts: owed }];
  });
}

function isOwed(destination: DestinationSettings, part: BatchPart): boolean {
  if (destination.deletedAt !== null && part.acceptedAt > destination.deletedAt) return false;
  if (destination.enabled) return true;
  return destination.disabledAt !== null && part.acceptedAt <= destination.disabledAt;
}
