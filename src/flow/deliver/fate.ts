import type { EpochMs } from "../../base/clock.ts";
import type { BatchFate } from "../../model/lane.ts";
import type { Segment } from "./chunk.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Ledger } from "./ledger.ts";
import type { Outbox } from "./outbox.ts";

export interface FateDeps {
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetters;
  /** Manifests under way. */
  readonly travelling: readonly (readonly Segment[])[];
}

/** What became of a batch here, from everything that knows of it; null when nothing does. */
export function fateOf(
  batchId: string,
  { outbox, ledger, deadLetters, travelling }: FateDeps,
): BatchFate | null {
  const { bufferedAt: first, ...receipts } = ledger.receiptsOf(batchId);
  const { parked, expired, parkedAt } = deadLetters.fate(batchId);
  const count = (manifest: readonly Segment[]): number =>
    manifest.reduce((sum, [id, , events]) => sum + (id === batchId ? events : 0), 0);
  let waiting = 0;
  let bufferedAt: EpochMs | null = first;
  for (const { manifest, acceptedAt, isAwaiting } of outbox.manifests()) {
    const events = isAwaiting ? 0 : count(manifest);
    waiting += events;
    if (events > 0) bufferedAt = Math.min(bufferedAt ?? acceptedAt, acceptedAt);
  }
  const known = receipts.accepted + receipts.indexed + receipts.attempts + parked + expired + waiting;
  if (known === 0) return null;
  // A request can carry a part of a row, so this is at most what waits.
  const sent = Math.min(
    waiting,
    travelling.reduce((sum, manifest) => sum + count(manifest), 0),
  );
  return { ...receipts, buffered: waiting - sent, sent, parked, expired, parkedAt, bufferedAt };
}
