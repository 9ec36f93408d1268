import type {
  BatchFate,
  DeadLetter,
  DeadLetterSelection,
  DeliveryRecord,
  DestinationCalls,
  LaneMarks,
  LaneReport,
  MarkedPage,
} from "../../src/model/lane.ts";

/** A lane at rest: nothing waits, nothing was ever delivered. */
export const RESTING: LaneReport = {
  status: "active",
  reason: null,
  backlog: { events: 0, bytes: 0, oldestAt: null },
  nextAttemptAt: null,
  firstLossAt: null,
  lastDeliveredAt: null,
  deadLetters: 0,
  fallback: { uses: 0, usedAt: null },
  changes: [],
  activity: { perMinute: new Array(60).fill(0), p50: null, p95: null, latencies: {} },
  totals: {
    taken: 0,
    delivered: 0,
    retried: 0,
    parked: 0,
    replayed: 0,
    discarded: 0,
    attempts: 0,
    possibleDuplicates: 0,
  },
};

/** What a lane is told to say, and what it was asked. Setting `isDown` makes every call fail, `isSlow` never answer. */
export class FakeLane implements DestinationCalls {
  state: LaneReport = RESTING;
  records: DeliveryRecord[] = [];
  letters: DeadLetter[] = [];
  fates = new Map<string, BatchFate>();
  flush = { flushed: 0, deadLettered: 0 };
  isDown = false;
  isSlow = false;
  readonly calls: (readonly unknown[])[] = [];

  async #asked<T>(call: readonly unknown[], answer: () => T): Promise<T> {
    this.calls.push(call);
    if (this.isSlow) await new Promise(() => undefined);
    if (this.isDown) throw new Error("the lane is down");
    return answer();
  }

  configure(tenantId: string, destinationId: string, revision: number) {
    return this.#asked(["configure", tenantId, destinationId, revision], () => undefined);
  }
  report() {
    return this.#asked(["report"], () => this.state);
  }
  deliveries(after: LaneMarks | null, limit: number) {
    return this.#asked(["deliveries", after, limit], () => pageOf(this.records, after, limit));
  }
  stats() {
    return this.#asked(["stats"], () => ({
      minutes: [
        { at: 0, delivered: 5, retried: 1, dead: 0 },
        { at: 60_000, delivered: 7, retried: 0, dead: 2 },
      ],
      p50: 40,
      p95: 900,
      latencies: {},
    }));
  }
  deadLetters(after: LaneMarks | null, limit: number) {
    return this.#asked(["deadLetters", after, limit], () => pageOf(this.letters, after, limit));
  }
  replay(selection: DeadLetterSelection) {
    return this.#asked(["replay", selection], () => this.letters.length);
  }
  discard(selection: DeadLetterSelection) {
    return this.#asked(["discard", selection], () => this.letters.length);
  }
  close(within: number) {
    return this.#asked(["close", within], () => this.flush);
  }
  batch(batchId: string) {
    return this.#asked(["batch", batchId], () => this.fates.get(batchId) ?? null);
  }
}

/** Positions count down from the newest, as a lane's row numbers do. */
function pageOf<T>(items: readonly T[], after: LaneMarks | null, limit: number): MarkedPage<T> {
  const [before] = after ?? [items.length + 1];
  const start = items.length + 1 - (before ?? 0);
  const end = start + limit;
  return { items: items.slice(start, end), next: end < items.length ? [items.length - end + 1] : null };
}
