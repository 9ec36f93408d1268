import type { DurationMs } from "../../base/clock.ts";
import { unreachable } from "../../base/result.ts";
import type { Outcome, ProviderWords, Trouble } from "../../model/delivery.ts";
import type { ParkReason } from "../../model/lane.ts";

/** An event of the request that is to be set aside. */
export interface Parked {
  /** In the request, from 0. */
  readonly index: number;
  readonly reason: ParkReason;
  readonly words: ProviderWords;
}

/** What an answer means for the destination as a whole. */
export type Verdict =
  | { readonly kind: "well"; readonly slowDown: boolean }
  | {
      readonly kind: "trouble";
      readonly trouble: Trouble;
      readonly held: boolean;
      readonly retryAfter: DurationMs | null;
    };

/** What is to be done about a request: every event of it is delivered, parked, or waits on. */
export interface Judgement {
  /** Taken by the provider, by index in the request. */
  readonly isDelivered: (index: number) => boolean;
  /** What was taken will be confirmed later under this id; null where the answer is the last word. */
  readonly ackId: number | null;
  readonly park: readonly Parked[];
  /** The offender is unknown: try each half by itself. */
  readonly halve: boolean;
  readonly verdict: Verdict;
}

/** Nothing taken, nothing parked, the destination well: what the arms below differ from. */
const NOTHING: Judgement = {
  isDelivered: () => false,
  ackId: null,
  park: [],
  halve: false,
  verdict: { kind: "well", slowDown: false },
};

/**
 * The delivery policy, one arm an outcome; pure.
 *
 * A refusal of single events or of a size is a sign of health: the destination answers to the point.
 *
 * @param sent events in the request, at least 1
 */
export function judge(outcome: Outcome, sent: number): Judgement {
  const { words } = outcome;
  switch (outcome.kind) {
    case "delivered": {
      const { slowDown, ackId } = outcome;
      return { ...NOTHING, isDelivered: () => true, ackId, verdict: { kind: "well", slowDown } };
    }
    case "retry": {
      const { trouble, retryAfter } = outcome;
      return { ...NOTHING, verdict: { kind: "trouble", trouble, held: false, retryAfter } };
    }
    case "hold": {
      const { trouble, committed, ackId = null } = outcome;
      const verdict = { kind: "trouble", trouble, held: true, retryAfter: null } as const;
      return { ...NOTHING, isDelivered: (index) => index < committed, ackId, verdict };
    }
    case "isolate": {
      const { offender, committed, ackId = null } = outcome;
      if (offender === null) return unknownOffender(sent, "refused", words);
      const park = [{ index: offender, reason: "refused", words }] as const;
      return { ...NOTHING, isDelivered: (index) => index < committed, ackId, park };
    }
    case "partial": {
      const delivered = new Set(outcome.delivered);
      const park = outcome.refused.map(({ index, code, message }): Parked => {
        return { index, reason: "refused", words: { httpStatus: words.httpStatus, code, message } };
      });
      const { trouble, retryAfter } = outcome;
      const verdict: Verdict =
        trouble === null ? NOTHING.verdict : { kind: "trouble", trouble, held: false, retryAfter };
      return { ...NOTHING, isDelivered: (index) => delivered.has(index), park, verdict };
    }
    case "split":
      return unknownOffender(sent, "too_large", words);
    case "fault": {
      const park = Array.from(
        { length: sent },
        (_, index): Parked => ({ index, reason: "relay_fault", words }),
      );
      return { ...NOTHING, park };
    }
    default:
      return unreachable(outcome);
  }
}

function unknownOffender(sent: number, reason: ParkReason, words: ProviderWords): Judgement {
  return sent === 1 ? { ...NOTHING, park: [{ index: 0, reason, words }] } : { ...NOTHING, halve: true };
}
