/**
 * The parts of the platform that the relay stands on, as far as their speed matters: a queue with its consumers, and an
 * object with a lane in it. Numbers of the platform are its published limits, those of the lane were measured
 * (docs/scale.md names both).
 */
import type { Time } from "./time.ts";

/** @see https://developers.cloudflare.com/queues/platform/limits/ (read 2026-11) */
export const QUEUE_MESSAGES_PER_SECOND = 5_000;
export const QUEUE_CONSUMERS = 250;
/** The relay's `wrangler.toml`. */
export const BATCH_MESSAGES = 100;
const BATCH_TIMEOUT_MS = 1_000;
/** An object is single-threaded: soft limit. @see https://developers.cloudflare.com/durable-objects/platform/limits/ (read 2026-11) */
const OBJECT_REQUESTS_PER_SECOND = 1_000;
/** Reading the destinations, and the way to an object and back. Assumed. */
const CONSUMER_MS = 10;

/**
 * An object's thread, for events of 500 bytes as sent: processor time of the local runtime, measured through the real lane
 * on one core on 2026-11-21. docs/scale.md says how.
 */
const TAKE_CALL_MS = 0.25;
const TAKE_PART_MS = 0.008;
const TAKE_EVENT_MS = 0.000_36;
const SEND_CALL_MS = 1.13;
const SEND_EVENT_MS = 0.004_65;
/** The lane's own bound on requests under way. */
export const WINDOW = 4;
/** Events of 500 bytes in one request: a row of the outbox holds whole parts of a hundred up to 640,000 bytes. */
export const REQUEST_EVENTS = 800;

/** One lane: a thread that takes and sends in turn, and requests that wait for the SIEM. */
export class SimulatedLane {
  delivered = 0;
  busyMs = 0;
  readonly #time: Time;
  readonly #answerMs: number;
  #freeAt = 0;
  #nextCallAt = 0;
  #waiting = 0;
  #underWay = 0;

  constructor(time: Time, answerMs: number) {
    this.#time = time;
    this.#answerMs = answerMs;
  }

  /** Takes parts of so many events each into the outbox, then calls back. */
  submit(parts: readonly number[], taken: () => void): void {
    const events = parts.reduce((sum, each) => sum + each, 0);
    // The platform's own bound on requests to an object, besides what they cost its thread.
    const admittedAt = Math.max(this.#time.now, this.#nextCallAt);
    this.#nextCallAt = admittedAt + 1_000 / OBJECT_REQUESTS_PER_SECOND;
    this.#time.after(admittedAt - this.#time.now, () =>
      this.#work(TAKE_CALL_MS + TAKE_PART_MS * parts.length + TAKE_EVENT_MS * events, () => {
        this.#waiting += events;
        taken();
        this.#pump();
      }),
    );
  }

  #pump(): void {
    while (this.#underWay < WINDOW && this.#waiting > 0) {
      const events = Math.min(REQUEST_EVENTS, this.#waiting);
      this.#waiting -= events;
      this.#underWay += 1;
      this.#work(SEND_CALL_MS + SEND_EVENT_MS * events, () => {
        this.#time.after(this.#answerMs, () => {
          this.delivered += events;
          this.#underWay -= 1;
          this.#pump();
        });
      });
    }
  }

  /** One thing after another, as a thread does. */
  #work(cost: number, done: () => void): void {
    this.#freeAt = Math.max(this.#time.now, this.#freeAt) + cost;
    this.busyMs += cost;
    this.#time.after(this.#freeAt - this.#time.now, done);
  }
}

/** One queue with its consumers: messages in, batches out. */
export class SimulatedQueue<M> {
  /** Messages. */
  taken = 0;
  refused = 0;
  mostConsumers = 0;
  readonly #time: Time;
  readonly #handOver: (batch: readonly M[], done: () => void) => void;
  #waiting: M[] = [];
  #consumers = 0;
  #flushAt: number | null = null;
  #second = -1;
  #inSecond = 0;

  constructor(time: Time, handOver: (batch: readonly M[], done: () => void) => void) {
    this.#time = time;
    this.#handOver = handOver;
  }

  /** @returns false: too many in this second, as `send` would refuse */
  send(message: M): boolean {
    const second = Math.floor(this.#time.now / 1_000);
    if (second !== this.#second) [this.#second, this.#inSecond] = [second, 0];
    this.#inSecond += 1;
    if (this.#inSecond > QUEUE_MESSAGES_PER_SECOND) {
      this.refused += 1;
      return false;
    }
    this.taken += 1;
    this.#waiting.push(message);
    if (this.#waiting.length >= BATCH_MESSAGES) this.#deliver();
    else if (this.#flushAt === null) this.#flushLater();
    return true;
  }

  #flushLater(): void {
    const at = this.#time.now + BATCH_TIMEOUT_MS;
    this.#flushAt = at;
    this.#time.after(BATCH_TIMEOUT_MS, () => {
      if (this.#flushAt !== at) return;
      this.#flushAt = null;
      this.#deliver();
    });
  }

  #deliver(): void {
    this.#flushAt = null;
    while (this.#waiting.length > 0 && this.#consumers < QUEUE_CONSUMERS) {
      const batch = this.#waiting.slice(0, BATCH_MESSAGES);
      this.#waiting = this.#waiting.slice(BATCH_MESSAGES);
      this.#consumers += 1;
      this.mostConsumers = Math.max(this.mostConsumers, this.#consumers);
      this.#time.after(CONSUMER_MS, () =>
        this.#handOver(batch, () => {
          this.#consumers -= 1;
          if (this.#waiting.length >= BATCH_MESSAGES) this.#deliver();
          else if (this.#waiting.length > 0 && this.#flushAt === null) this.#flushLater();
        }),
      );
      if (this.#waiting.length < BATCH_MESSAGES) break;
    }
    if (this.#waiting.length > 0 && this.#flushAt === null && this.#consumers < QUEUE_CONSUMERS)
      this.#flushLater();
  }
}
