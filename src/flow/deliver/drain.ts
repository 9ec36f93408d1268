/**
 * Stage 4, deliver: send, retry, set aside, give up. It has custody of what it has taken until the provider has it or
 * it is a visible dead letter. It knows neither endpoints nor tables of the relay: a connector and a door are given to it.
 */
import { byteLength } from "../../base/bytes.ts";
import type { Clock, EpochMs } from "../../base/clock.ts";
import { unreachable } from "../../base/result.ts";
import type { Outcome, ProviderWords, Trouble } from "../../model/delivery.ts";
import type { RelayEvent } from "../../model/event.ts";
import type { HttpAnswer, Send } from "../../model/http.ts";
import type { ParkReason } from "../../model/lane.ts";
import type { Connector } from "../../model/provider.ts";
import { mergeManifests, type Segment, sliceManifest } from "./chunk.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { failed, type Health, permits, slowed, succeeded } from "./health.ts";
import type { Attempt, Ledger } from "./ledger.ts";
import type { Outbox, TakenChunk } from "./outbox.ts";

/** Where a lane delivers to. */
export interface Target {
  readonly connector: Connector;
  readonly indexFor: (action: string) => string | null;
}

export interface DrainDeps {
  readonly now: Clock;
  readonly random: () => number;
  readonly send: Send;
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly deadLetters: DeadLetters;
  /** Statements inside commit together or not at all. */
  atomically(work: () => void): void;
  /** Null while delivery is switched off or the settings are not known yet. */
  target(): Target | null;
  health(): Health;
  setHealth(health: Health): void;
  /** Told after each request has been settled; sees to the alarm and the log. */
  settled(attempt: Attempt): void;
  /** A bug in the relay itself. */
  complain(what: string, error: unknown): void;
}

interface Request {
  readonly chunks: readonly TakenChunk[];
  readonly events: readonly RelayEvent[];
  readonly startedAt: EpochMs;
}

interface Answered {
  readonly outcome: Outcome;
  readonly bytes: number;
  readonly answer: HttpAnswer | null;
}

/** What settling decided, for the record. */
interface Settlement {
  readonly deliveredFlags: readonly boolean[];
  readonly parked: number;
  readonly trouble: Trouble | null;
}

/** Smallest body that a "too large" can teach a lane to keep to; below it single events decide. */
const MIN_LEARNED_BYTES = 20_000;

export class Drain {
  readonly #deps: DrainDeps;
  readonly #inFlight = new Set<Request>();
  readonly #travelling = new Set<number>();
  #waiters: (() => void)[] = [];
  /** Body size that the destination was seen to accept at most; forgotten when its settings change. */
  #learnedBytes = Number.POSITIVE_INFINITY;

  constructor(deps: DrainDeps) {
    this.#deps = deps;
  }

  /** Rows under way: nobody else may touch them. */
  get travelling(): ReadonlySet<number> {
    return this.#travelling;
  }

  /** Manifests under way. */
  travellingManifests(): readonly (readonly Segment[])[] {
    return [...this.#inFlight].flatMap(({ chunks }) => chunks.map(({ manifest }) => manifest));
  }

  forgetLimits(): void {
    this.#learnedBytes = Number.POSITIVE_INFINITY;
  }

  /** Starts as many requests as health allows. Returns at once; each request goes on by itself. */
  pump(): void {
    for (;;) {
      const target = this.#deps.target();
      const { window, events } = permits(this.#deps.health(), this.#deps.now());
      if (target === null || this.#inFlight.size >= window) return;
      const { limits, envelopeBytes } = target.connector;
      const chunks = this.#deps.outbox.take({
        events: Math.min(limits.events, events),
        bytes: Math.min(limits.bytes, this.#learnedBytes),
        envelopeBytes,
        exclude: this.#travelling,
      });
      if (chunks === null) return;
      void this.#run(
        { chunks, events: chunks.flatMap((chunk) => chunk.events), startedAt: this.#deps.now() },
        target,
      );
    }
  }

  /** Resolves when no request is under way and none may be started now. */
  idle(): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async #run(request: Request, target: Target): Promise<void> {
    this.#inFlight.add(request);
    for (const { id } of request.chunks) this.#travelling.add(id);
    try {
      const answered = await this.#ask(request, target);
      this.#settle(request, answered);
    } catch (error) {
      // Nothing was settled, so everything still waits; knocking again at once would spin.
      this.#deps.complain("settle.failed", error);
      this.#fail(request, {
        trouble: "provider_error",
        message: "The relay could not record an answer",
        held: false,
      });
    } finally {
      this.#inFlight.delete(request);
      for (const { id } of request.chunks) this.#travelling.delete(id);
    }
    this.pump();
    if (this.#inFlight.size > 0) return;
    for (const resume of this.#waiters.splice(0)) resume();
  }

  async #ask({ events }: Request, { connector, indexFor }: Target): Promise<Answered> {
    try {
      const spec = connector.encode(events, { now: this.#deps.now(), indexFor });
      const bytes = byteLength(spec.body ?? "");
      const answer = await this.#deps.send(spec);
      return { outcome: connector.interpret(answer, { events: events.length, bytes }), bytes, answer };
    } catch (error) {
      this.#deps.complain("adapter.failed", error);
      const words = {
        httpStatus: null,
        code: null,
        message: "The relay failed to encode or to read the answer",
      };
      return { outcome: { kind: "fault", words }, bytes: 0, answer: null };
    }
  }

  #settle(request: Request, { outcome, bytes, answer }: Answered): void {
    const { ledger, now } = this.#deps;
    let attempt: Attempt | null = null;
    this.#deps.atomically(() => {
      const settlement = this.#apply(request, outcome, bytes);
      const { retryAt } = this.#deps.health();
      attempt = {
        at: now(),
        outcome: outcome.kind,
        trouble: settlement.trouble,
        words: outcome.words,
        events: request.events.length,
        bytes,
        latency: answer?.latency ?? 0,
        retryAt: settlement.trouble === null ? null : retryAt,
        maybeTaken: outcome.kind === "retry" && outcome.maybeTaken,
        manifest: carriedSegments(request.chunks),
        delivered: deliveredSegments(request.chunks, settlement.deliveredFlags),
        parked: settlement.parked,
        acceptedAt: Math.min(...request.chunks.map(({ acceptedAt }) => acceptedAt)),
      };
      ledger.record(attempt);
    });
    if (attempt !== null) this.#deps.settled(attempt);
  }

  /** The policy, one arm an outcome. Every arm leaves each event delivered, parked or waiting. */
  #apply(request: Request, outcome: Outcome, bytes: number): Settlement {
    const { outbox } = this.#deps;
    const { chunks, events } = request;
    const none = events.map(() => false);
    switch (outcome.kind) {
      case "delivered":
        outbox.remove(chunks);
        this.#succeed();
        if (outcome.slowDown) this.#deps.setHealth(slowed(this.#deps.health()));
        return { deliveredFlags: events.map(() => true), parked: 0, trouble: null };
      case "retry":
        outbox.countAttempt(chunks);
        this.#fail(request, {
          trouble: outcome.trouble,
          message: outcome.words.message,
          held: false,
          retryAfter: outcome.retryAfter,
        });
        return { deliveredFlags: none, parked: 0, trouble: outcome.trouble };
      case "hold": {
        const flags = events.map((_, index) => index < outcome.committed);
        outbox.settle(
          chunks,
          flags.map((taken) => !taken),
        );
        outbox.countAttempt(chunks);
        this.#fail(request, { trouble: outcome.trouble, message: outcome.words.message, held: true });
        return { deliveredFlags: flags, parked: 0, trouble: outcome.trouble };
      }
      case "isolate":
        return this.#isolate(request, outcome);
      case "split":
        this.#learnedBytes = Math.max(MIN_LEARNED_BYTES, Math.floor(bytes / 2));
        return this.#halveOrPark(request, "too_large", outcome.words);
      case "fault": {
        const parked = this.#park(request, { reason: "relay_fault", words: outcome.words });
        outbox.remove(chunks);
        return { deliveredFlags: none, parked, trouble: null };
      }
      default:
        return unreachable(outcome);
    }
  }

  /** One event is at fault: what came before it is there, it is set aside, and the rest goes on at once. */
  #isolate(request: Request, outcome: Outcome & { kind: "isolate" }): Settlement {
    const { offender, committed, words } = outcome;
    if (offender === null) return this.#halveOrPark(request, "refused", words);
    const flags = request.events.map((_, index) => index < committed);
    const parked = this.#park(request, { reason: "refused", words }, (index) => index === offender);
    this.#deps.outbox.settle(
      request.chunks,
      request.events.map((_, index) => index >= committed && index !== offender),
    );
    this.#succeed();
    return { deliveredFlags: flags, parked, trouble: null };
  }

  /** The provider does not say which event it is: try each half by itself. A single one has been found. */
  #halveOrPark(request: Request, reason: ParkReason, words: ProviderWords): Settlement {
    const deliveredFlags = request.events.map(() => false);
    this.#succeed();
    if (request.events.length > 1) {
      this.#deps.outbox.halve(request.chunks);
      return { deliveredFlags, parked: 0, trouble: null };
    }
    const parked = this.#park(request, { reason, words });
    this.#deps.outbox.remove(request.chunks);
    return { deliveredFlags, parked, trouble: null };
  }

  #park(
    { chunks }: Request,
    { reason, words }: { reason: ParkReason; words: ProviderWords },
    which: (index: number) => boolean = () => true,
  ): number {
    const now = this.#deps.now();
    let first = 0;
    let parked = 0;
    for (const chunk of chunks) {
      const offset = first;
      const attempted = { ...chunk, attempts: chunk.attempts + 1 };
      parked += this.#deps.deadLetters.park(attempted, { reason, words, now }, (position) =>
        which(offset + position),
      );
      first += chunk.events.length;
    }
    return parked;
  }

  #succeed(): void {
    this.#deps.setHealth(succeeded(this.#deps.health(), this.#deps.now()));
  }

  #fail(
    { startedAt }: Request,
    what: { trouble: Trouble; message: string; held: boolean; retryAfter?: number | null },
  ): void {
    const { now, random } = this.#deps;
    const failure = { ...what, retryAfter: what.retryAfter ?? null, startedAt };
    this.#deps.setHealth(failed(this.#deps.health(), failure, { now: now(), random }));
  }
}

function carriedSegments(chunks: readonly TakenChunk[]): readonly Segment[] {
  return mergeManifests(
    chunks.map(({ manifest, acceptedAt }) =>
      manifest.map(([batchId, part, count]): Segment => [batchId, part, count, acceptedAt]),
    ),
  );
}

function deliveredSegments(chunks: readonly TakenChunk[], flags: readonly boolean[]): readonly Segment[] {
  let at = 0;
  return mergeManifests(
    chunks.map(({ manifest, events }) => {
      const own = flags.slice(at, at + events.length);
      at += events.length;
      return sliceManifest(manifest, own);
    }),
  );
}
