import { spread } from "../../base/spread.ts";
import type { DestinationSettings } from "../../model/destination.ts";
import { actionOfLine } from "../../model/event.ts";
import type { BatchPart, Submission } from "../../model/lane.ts";
import { packLines, unpackLines } from "../../model/lines.ts";
import { shardsOf } from "../../model/shards.ts";
import { matcher } from "./match.ts";

/** What one lane is owed, and which of its destination's lanes that is. */
export interface Owed {
  readonly shard: number;
  readonly submission: Submission;
}

/**
 * What each of a tenant's destinations is owed of some parts, destinations that are owed nothing left out.
 *
 * A destination that was switched off or deleted is still owed what was accepted before that moment. Where it has
 * several lanes, the batch id decides which takes a part, so that a repeat reaches the lane that recognises it.
 */
export function plan(
  destinations: readonly DestinationSettings[],
  parts: readonly BatchPart[],
): readonly Owed[] {
  return destinations.flatMap((destination) => {
    const decide = matcher(destination.routes);
    const all = destination.routes.length === 0;
    const owed = parts
      .filter((part) => isOwed(destination, part))
      .flatMap((part) => (all ? [part] : wantedOf(part, (action) => decide(action).wanted)));
    const { id: destinationId, tenantId, revision } = destination;
    return [...byShard(owed, shardsOf(destination.config))].map(([shard, some]) => ({
      shard,
      submission: { tenantId, destinationId, revision, parts: some },
    }));
  });
}

/** What is left of a part; nothing is packed again where all of it is. */
function wantedOf(part: BatchPart, isWanted: (action: string) => boolean): readonly BatchPart[] {
  const lines = unpackLines(part.lines.packed);
  const wanted = lines.filter((line) => isWanted(actionOfLine(line)));
  if (wanted.length === lines.length) return [part];
  return wanted.length === 0 ? [] : [{ ...part, lines: packLines(wanted) }];
}

function byShard(parts: readonly BatchPart[], shards: number): ReadonlyMap<number, readonly BatchPart[]> {
  if (shards === 1) return new Map(parts.length === 0 ? [] : [[0, parts]]);
  return Map.groupBy(parts, ({ batchId }) => spread(batchId, shards));
}

function isOwed(destination: DestinationSettings, part: BatchPart): boolean {
  if (destination.deletedAt !== null && part.acceptedAt > destination.deletedAt) return false;
  if (destination.enabled) return true;
  return destination.disabledAt !== null && part.acceptedAt <= destination.disabledAt;
}
