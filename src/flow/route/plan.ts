import type { DestinationSettings } from "../../model/destination.ts";
import { actionOfLine } from "../../model/event.ts";
import type { BatchPart, Submission } from "../../model/lane.ts";
import { packLines, unpackLines } from "../../model/lines.ts";
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
      .flatMap((part) => (all ? [part] : wantedOf(part, (action) => decide(action).wanted)));
    if (owed.length === 0) return [];
    const { id, tenantId, revision } = destination;
    return [{ tenantId, destinationId: id, revision, parts: owed }];
  });
}

/** What is left of a part; nothing is packed again where all of it is. */
function wantedOf(part: BatchPart, isWanted: (action: string) => boolean): readonly BatchPart[] {
  const lines = unpackLines(part.lines.packed);
  const wanted = lines.filter((line) => isWanted(actionOfLine(line)));
  if (wanted.length === lines.length) return [part];
  return wanted.length === 0 ? [] : [{ ...part, lines: packLines(wanted) }];
}

function isOwed(destination: DestinationSettings, part: BatchPart): boolean {
  if (destination.deletedAt !== null && part.acceptedAt > destination.deletedAt) return false;
  if (destination.enabled) return true;
  return destination.disabledAt !== null && part.acceptedAt <= destination.disabledAt;
}
