import type { EpochMs } from "../../src/base/clock.ts";
import { cutChunks } from "../../src/flow/deliver/chunk.ts";
import { DeadLetters } from "../../src/flow/deliver/dead-letters.ts";
import { Drain } from "../../src/flow/deliver/drain.ts";
import { HEALTHY, type Health } from "../../src/flow/deliver/health.ts";
import { type Attempt, Ledger } from "../../src/flow/deliver/ledger.ts";
import { Outbox } from "../../src/flow/deliver/outbox.ts";
import type { Outcome, ProviderWords } from "../../src/model/delivery.ts";
import type { HttpAnswer } from "../../src/model/http.ts";
import type { BatchPart } from "../../src/model/lane.ts";
import type { Connector } from "../../src/model/provider.ts";

export const words: ProviderWords = { httpStatus: 200, code: 0, message: "Success" };
export const delivered: Extract<Outcome, { kind: "delivered" }> = {
  kind: "delivered",
  words,
  slowDown: false,
  ackId: null,
};
export const unavailable: Extract<Outcome, { kind: "retry" }> = {
  kind: "retry",
  words: { httpStatus: 503, code: 9, message: "Server is busy" },
  trouble: "provider_error",
  retryAfter: null,
  maybeTaken: false,
};

/** Answers one request, given the ids that it carries. */
export type Script = (ids: readonly string[], now: EpochMs) => Outcome;

/**
 * A lane without its Durable Object: the real outbox, ledger and drain over real SQLite, with a provider that answers by
 * a script and a clock that moves when it is told to.
 */
export class TestLane {
  now: EpochMs = 1_000_000;
  enabled = true;
  script: Script;
  /** What the provider does differently from the plain one. */
  provider: Partial<Connector> = {};
  /** Ids of each request, in order. */
  readonly requests: string[][] = [];
  /** Ids that the provider has taken, in order, repeats included. */
  arrived: string[] = [];
  readonly attempts: Attempt[] = [];
  readonly complaints: string[] = [];
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetters;
  readonly drain: Drain;
  health: Health = HEALTHY;
  readonly #storage: DurableObjectStorage;
  readonly #crash = Promise.withResolvers<void>();
  #answersLeft = Number.POSITIVE_INFINITY;
  #encodingsLeft = Number.POSITIVE_INFINITY;

  constructor(storage: DurableObjectStorage, script: Script = () => delivered) {
    this.#storage = storage;
    this.script = script;
    this.outbox = new Outbox(storage.sql);
    this.ledger = new Ledger(storage.sql);
    this.deadLetters = new DeadLetters(storage.sql);
    this.drain = new Drain({
      now: () => this.now,
      random: () => 0.5,
      // The answer repeats the body, so that each answer is read against its own request.
      send: ({ body = "" }) => this.#answer(body),
      outbox: this.outbox,
      ledger: this.ledger,
      deadLetters: this.deadLetters,
      atomically: (work) => {
        if (this.#answersLeft < 0) throw new Error("crashed"); // the dead write nothing
        storage.transactionSync(work);
      },
      target: () => (this.enabled ? { connector: this.#connector(), indexFor: () => null } : null),
      health: () => this.health,
      setHealth: (health) => {
        this.health = health;
      },
      settled: (attempt) => this.attempts.push(attempt),
      complain: (what) => this.complaints.push(what),
    });
  }

  take(...parts: readonly BatchPart[]): void {
    this.outbox.append(cutChunks(parts));
  }

  /** Lets the lane work as long as there is something to do, moving the clock from one attempt to the next. */
  async run({ until = Number.POSITIVE_INFINITY, steps = 10_000 } = {}): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      this.drain.pump();
      await this.drain.idle();
      if (this.outbox.events === 0) return;
      const next = Math.max(this.now + 1, this.health.retryAt ?? 0);
      if (next > until) return;
      this.now = next;
    }
    throw new Error("The lane did not come to rest");
  }

  /** From the `count`-th answer on the provider still acts, but the lane hears nothing any more: it has crashed. */
  crashAfter(count: number): void {
    this.#answersLeft = count;
  }

  /** The same while the `count`-th request is being encoded: nothing of it leaves. */
  crashBeforeSending(count: number): void {
    this.#encodingsLeft = count;
  }

  /** Resolves when the crash has happened, or when there was nothing left to crash in. */
  get crashed(): Promise<unknown> {
    return Promise.race([this.#crash.promise, this.drain.idle()]);
  }

  /** The answer repeats the body, so that each answer is read against its own request. */
  async #answer(body: string): Promise<HttpAnswer> {
    this.#answersLeft -= 1;
    if (this.#answersLeft >= 0) {
      return { kind: "response", status: 200, headers: {}, body, bodyIncomplete: false, latency: 5 };
    }
    this.arrived.push(...body.split(" "));
    this.#crash.resolve();
    return new Promise(() => undefined);
  }

  /** The same lane after a restart: memory gone, storage kept. */
  restarted(): TestLane {
    const again = new TestLane(this.#storage, this.script);
    again.now = this.now;
    again.health = this.health;
    again.arrived = this.arrived; // what the provider has does not go away
    return again;
  }

  #connector(): Connector {
    return {
      kind: "scripted",
      origin: "https://siem.example",
      limits: { events: 1_000, bytes: 1_000_000 },
      publicConfig: {},
      envelopeBytes: () => 0,
      encode: (events) => {
        this.#encodingsLeft -= 1;
        if (this.#encodingsLeft < 0) {
          this.#answersLeft = -1; // whatever still travels is not heard of any more
          this.#crash.resolve();
          return new Promise(() => undefined);
        }
        const ids = events.map(({ id }) => id);
        this.requests.push(ids);
        return { method: "POST", url: "https://siem.example", headers: {}, body: ids.join(" ") };
      },
      interpret: (answer) => {
        const ids = answer.kind === "response" ? answer.body.split(" ") : [];
        const outcome = this.script(ids, this.now);
        const taken =
          outcome.kind === "delivered"
            ? ids.length
            : outcome.kind === "isolate" || outcome.kind === "hold"
              ? outcome.committed
              : 0;
        if (outcome.kind === "partial")
          this.arrived.push(...outcome.delivered.flatMap((index) => ids[index] ?? []));
        this.arrived.push(...ids.slice(0, taken));
        return outcome;
      },
      probe: () => [],
      perform: () => ({ ok: false, error: [] }),
      ...this.provider,
    };
  }
}
