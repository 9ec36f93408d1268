/**
 * Stage 4, deliver: send, retry, set aside, give up. It has custody of what it has taken until the provider has it or
 * it is a visible dead letter. It knows neither endpoints nor tables of the relay: a connector and a door are given to it.
 */
import { byteLength } from "../../base/bytes.ts";
import type { Clock, EpochMs } from "../../base/clock.ts";
import type { Outcome } from "../../model/delivery.ts";
import type { RelayEvent } from "../../model/event.ts";
import type { HttpAnswer, Send } from "../../model/http.ts";
import type { Connector, Selection, Session } from "../../model/provider.ts";
import { mergeManifests, type Segment, sliceManifest } from "./chunk.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { failed, type Health, permits, slowed, succeeded } from "./health.ts";
import { type Judgement, judge, type Parked } from "./judge.ts";
import type { Attempt, Ledger } from "./ledger.ts";
import { bodyBytes, type Fate, type Outbox, type TakenChunk } from "./outbox.ts";

/** Where a lane delivers to. */
export interface Target {
  readonly connector: Connector;
  /** With the secrets before the last rotation, while these stand in for refused ones. */
  readonly fallback?: () => Connector | null;
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
  /** Where the next request belongs; undefined where the provider confirms nothing later. */
  ticket?(): SessionTicket;
  /** Nothing more is to be sent until some of what was taken is confirmed. */
  isFull?(): boolean;
  /** The provider has taken events and will confirm them under `ackId`. @returns the id under which they wait */
  awaiting?(taken: TakenRequest): number;
  /** Which secrets the provider has answered to, other than by refusing them. */
  answeredBy?(which: "present" | "previous"): void;
  /** Told after each request has been settled; sees to the alarm and the log. */
  settled(attempt: Attempt): void;
  /** A bug in the relay itself. */
  complain(what: string, error: unknown): void;
}

/** Where a request belongs, as far as the drain has to know. */
export type SessionTicket = Session & { readonly heard: number };

/** A request that the provider has taken and will confirm. */
export interface TakenRequest {
  readonly ticket: SessionTicket;
  readonly ackId: number;
  readonly answer: HttpAnswer;
  readonly deliveryId: number;
  readonly sentAt: EpochMs;
}

interface Request {
  readonly chunks: readonly TakenChunk[];
  /** What is sent, in the order in which it is sent. */
  readonly events: readonly RelayEvent[];
  /** Where each sent event lies among the events of the chunks. */
  readonly positions: readonly number[];
  readonly startedAt: EpochMs;
}

interface Answered {
  readonly outcome: Outcome;
  readonly bytes: number;
  readonly answer: HttpAnswer | null;
  /** Of the request that was answered. */
  readonly ticket: SessionTicket | undefined;
  readonly sentAt: EpochMs;
}

/** Smallest body that a "too large" can teach a lane to keep to; below it single events decide. */
const MIN_LEARNED_BYTES = 20_000;
/** Times that one attempt may mend something and send again. CloudWatch needs two: the stream, then the group. */
const MAX_REPAIRS = 2;

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
      const { window } = permits(this.#deps.health(), this.#deps.now());
      if (target === null || this.#inFlight.size >= window || this.#deps.isFull?.()) return;
      const request = this.#next(target.connector);
      if (request === null) return;
      void this.#run(request, target);
    }
  }

  /** Resolves when no request is under way and none may be started now. */
  idle(): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /**
   * The next request: the rows that expire first, as many as fit, and of their events those that may travel now.
   * Rows go in the order of acceptance, except that for a provider with a limit of age old events overtake younger
   * ones; within a row events keep their order unless the provider has one of its own.
   */
  #next(connector: Connector): Request | null {
    const { outbox, health, now } = this.#deps;
    const { limits, envelopeBytes, joins = true, maxAge = null } = connector;
    const permitted = permits(health(), now()).events;
    for (;;) {
      const chunks = outbox.take({
        events: joins ? Math.min(limits.events, permitted) : 1,
        bytes: Math.min(limits.bytes, this.#learnedBytes),
        envelopeBytes,
        exclude: this.#travelling,
        maxAge,
      });
      if (chunks === null) return null;
      const offered = chunks.flatMap(({ events }) => events);
      const { send, park } = connector.select?.(offered, now()) ?? everything(offered);
      if (park.length > 0) {
        this.#parkBeforehand(chunks, park);
        continue;
      }
      // A delivery whose id must stay the same is not cut down to a probe.
      const most = joins ? Math.min(limits.events, permitted) : limits.events;
      const positions = this.#withinBytes(send.slice(0, most), chunks, connector);
      const events = positions.flatMap((position) => offered[position] ?? []);
      return { chunks, events, positions, startedAt: now() };
    }
  }

  /** As many of them, from the front, as one body holds; at least one. A row can hold more than a body when envelopes are large. */
  #withinBytes(
    positions: readonly number[],
    chunks: readonly TakenChunk[],
    { limits, envelopeBytes, joins = true }: Connector,
  ): readonly number[] {
    const limit = joins ? Math.min(limits.bytes, this.#learnedBytes) : limits.bytes;
    if (chunks.reduce((sum, chunk) => sum + bodyBytes(chunk, envelopeBytes), 0) <= limit) return positions;
    const offered = chunks.flatMap(({ events }) => events);
    let bytes = 0;
    for (const [index, position] of positions.entries()) {
      const event = offered[position];
      if (event !== undefined) bytes += byteLength(event.json) + envelopeBytes(event);
      if (bytes > limit && index > 0) return positions.slice(0, index);
    }
    return positions;
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
      const verdict = { kind: "trouble", trouble: "provider_error", held: false, retryAfter: null } as const;
      this.#noteHealth(request, { verdict }, "The relay could not record an answer");
    } finally {
      this.#inFlight.delete(request);
      for (const { id } of request.chunks) this.#travelling.delete(id);
    }
    this.pump();
    if (this.#inFlight.size > 0) return;
    for (const resume of this.#waiters.splice(0)) resume();
  }

  async #ask({ events }: Request, target: Target): Promise<Answered> {
    try {
      return await this.#askAndMend(events, target);
    } catch (error) {
      this.#deps.complain("adapter.failed", error);
      const words = {
        httpStatus: null,
        code: null,
        message: "The relay failed to encode or to read the answer",
      };
      const sentAt = this.#deps.now();
      return { outcome: { kind: "fault", words }, bytes: 0, answer: null, ticket: undefined, sentAt };
    }
  }

  /**
   * Where the provider refuses the secrets, at once with those before them: nothing was taken. The new ones are tried
   * first each time, so that they are used as soon as they work; until then each delivery costs a request more.
   */
  async #askAndMend(events: readonly RelayEvent[], target: Target): Promise<Answered> {
    const answered = await this.#askWith(target.connector, events, target.indexFor);
    if (!areRefused(answered.outcome)) {
      this.#deps.answeredBy?.("present");
      return answered;
    }
    const before = target.fallback?.() ?? null;
    if (before === null) return answered;
    const again = await this.#askWith(before, events, target.indexFor);
    if (areRefused(again.outcome)) return answered;
    this.#deps.answeredBy?.("previous");
    const { words } = again.outcome;
    const message = `${words.message} (with the previous credential)`;
    return { ...again, outcome: { ...again.outcome, words: { ...words, message } } };
  }

  /** Sends; where the provider says what is missing, makes it and sends once more. */
  async #askWith(
    connector: Connector,
    events: readonly RelayEvent[],
    indexFor: Target["indexFor"],
  ): Promise<Answered> {
    const { now, send } = this.#deps;
    for (let round = 0; ; round += 1) {
      const ticket = connector.acknowledgement === undefined ? undefined : this.#deps.ticket?.();
      const sentAt = now();
      const session = ticket === undefined ? {} : { session: ticket };
      const spec = await connector.encode(events, { now: sentAt, indexFor, ...session });
      const bytes = byteLength(spec.body ?? "");
      const sent = { events: events.length, bytes };
      const answer = await send(spec);
      const context = { now: now(), indexFor };
      const mending =
        round < MAX_REPAIRS ? await connector.repair?.requests(answer, round, context) : undefined;
      if (mending === undefined || mending.length === 0) {
        return { outcome: connector.interpret(answer, sent), bytes, answer, ticket, sentAt };
      }
      for (const request of mending) {
        const mended = await send(request);
        if (!connector.repair?.isMended(mended))
          return { outcome: connector.interpret(mended, sent), bytes, answer: mended, ticket, sentAt };
      }
    }
  }

  #settle(request: Request, answered: Answered): void {
    const { ledger, outbox, now } = this.#deps;
    const { chunks, positions } = request;
    const { outcome, bytes, answer } = answered;
    const judgement = judge(outcome, request.events.length);
    const { verdict } = judgement;
    const ack = this.#awaitedAck(answered, judgement.ackId);
    const fates = chunks.flatMap(({ events }) => events.map((): Fate => "waits"));
    const isDelivered = fates.map(() => false);
    for (const [index, position] of positions.entries()) {
      if (!judgement.isDelivered(index)) continue;
      isDelivered[position] = true;
      fates[position] = ack === null ? "gone" : "awaits";
    }
    for (const { index } of judgement.park) fates[positions[index] ?? -1] = "gone";
    const hasTaken = isDelivered.some(Boolean);
    const attempt: Attempt = {
      at: now(),
      outcome: outcome.kind,
      trouble: verdict.kind === "trouble" ? verdict.trouble : null,
      words: outcome.words,
      events: request.events.length,
      bytes,
      latency: answer?.latency ?? 0,
      retryAt: null,
      maybeTaken: outcome.kind === "retry" && outcome.maybeTaken,
      manifest: carriedSegments(chunks, positions),
      delivered: segmentsOf(chunks, isDelivered),
      parked: judgement.park.length,
      acceptedAt: Math.min(...chunks.map(({ acceptedAt }) => acceptedAt)),
      awaitsAck: ack !== null && hasTaken,
    };
    let retryAt: EpochMs | null = null;
    this.#deps.atomically(() => {
      this.#park(request, judgement.park);
      this.#noteHealth(request, judgement, outcome.words.message);
      if (verdict.kind === "trouble") retryAt = this.#deps.health().retryAt;
      const deliveryId = ledger.record({ ...attempt, retryAt });
      const pendingId =
        ack === null || !hasTaken ? null : (this.#deps.awaiting?.({ ...ack, deliveryId }) ?? null);
      outbox.settle(chunks, fates, pendingId);
      if (verdict.kind === "trouble") outbox.countAttempt(chunks);
      if (judgement.halve) outbox.halve(chunks);
      if (outcome.kind === "split") this.#learnedBytes = Math.max(MIN_LEARNED_BYTES, Math.floor(bytes / 2));
    });
    this.#deps.settled({ ...attempt, retryAt });
  }

  /** What is needed to ask for the confirmation, where there will be one. */
  #awaitedAck(
    { ticket, answer, sentAt }: Answered,
    ackId: number | null,
  ): Omit<TakenRequest, "deliveryId"> | null {
    if (ackId === null || ticket === undefined || answer === null || this.#deps.awaiting === undefined)
      return null;
    return { ticket, ackId, answer, sentAt };
  }

  /** Events that the provider would throw away: parked before they are sent, with a record of their own. */
  #parkBeforehand(chunks: readonly TakenChunk[], park: Selection["park"]): void {
    const { ledger, outbox, now } = this.#deps;
    const words = (message: string) => ({ httpStatus: null, code: null, message });
    const parked = park.map(
      ({ index, message }): Parked => ({ index, reason: "outside_window", words: words(message) }),
    );
    const isParked = chunks.flatMap(({ events }) => events.map(() => false));
    for (const { index } of park) isParked[index] = true;
    const attempt: Attempt = {
      at: now(),
      outcome: "parked",
      trouble: null,
      words: words(park[0]?.message ?? ""),
      events: park.length,
      bytes: 0,
      latency: 0,
      retryAt: null,
      maybeTaken: false,
      manifest: segmentsOf(chunks, isParked),
      delivered: [],
      parked: park.length,
      acceptedAt: Math.min(...chunks.map(({ acceptedAt }) => acceptedAt)),
      awaitsAck: false,
    };
    this.#deps.atomically(() => {
      this.#park({ chunks, positions: isParked.map((_, position) => position) }, parked);
      outbox.settle(
        chunks,
        isParked.map((is) => (is ? "gone" : "waits")),
      );
      ledger.record(attempt);
    });
    this.#deps.settled(attempt);
  }

  #park({ chunks, positions }: Pick<Request, "chunks" | "positions">, parked: readonly Parked[]): void {
    if (parked.length === 0) return;
    const now = this.#deps.now();
    const byPosition = new Map(parked.map((one) => [positions[one.index], one]));
    let first = 0;
    for (const chunk of chunks) {
      const offset = first;
      first += chunk.events.length;
      this.#deps.deadLetters.park({ ...chunk, attempts: chunk.attempts + 1 }, now, (position) => {
        return byPosition.get(offset + position) ?? null;
      });
    }
  }

  #noteHealth({ startedAt }: Request, { verdict }: Pick<Judgement, "verdict">, message: string): void {
    const { now, random, health, setHealth } = this.#deps;
    if (verdict.kind === "trouble") {
      const { trouble, held, retryAfter } = verdict;
      setHealth(failed(health(), { trouble, message, held, retryAfter, startedAt }, { now: now(), random }));
    } else {
      const well = succeeded(health(), now());
      setHealth(verdict.slowDown ? slowed(well) : well);
    }
  }
}

function areRefused(outcome: Outcome): boolean {
  return outcome.kind === "hold" && outcome.trouble === "credentials_rejected" && outcome.committed === 0;
}

function everything(offered: readonly RelayEvent[]): Selection {
  return { send: offered.map((_, index) => index), park: [] };
}

/** What a request carries, each segment with the time at which it was accepted. */
function carriedSegments(chunks: readonly TakenChunk[], positions: readonly number[]): readonly Segment[] {
  const isSent = chunks.flatMap(({ events }) => events.map(() => false));
  for (const position of positions) isSent[position] = true;
  return mergeManifests(
    slices(chunks, isSent).map(({ manifest, acceptedAt }) =>
      manifest.map(([batchId, part, count]): Segment => [batchId, part, count, acceptedAt]),
    ),
  );
}

function segmentsOf(chunks: readonly TakenChunk[], flags: readonly boolean[]): readonly Segment[] {
  return mergeManifests(slices(chunks, flags).map(({ manifest }) => manifest));
}

function slices(chunks: readonly TakenChunk[], flags: readonly boolean[]) {
  let at = 0;
  return chunks.map(({ manifest, events, acceptedAt }) => {
    const own = flags.slice(at, at + events.length);
    at += events.length;
    return { manifest: sliceManifest(manifest, own), acceptedAt };
  });
}
