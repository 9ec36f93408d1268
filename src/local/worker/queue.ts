/**
 * The local stand-in for Cloudflare Queues.
 *
 * The hosted queue is durable; Miniflare's own keeps messages in memory, so that a killed local relay would lose what it
 * had accepted. This one keeps them in SQLite, enforces the platform's limits, and drives the relay's `queue` handler the
 * way the platform does: batches, per-message acknowledgement, delayed retries, attempts, dead-letter queue.
 * It is part of `npm start` and never deployed. With `SLUICE_FAULTS=true` it can be told to misbehave (`QueueFaults`),
 * for `npm run prove`; otherwise nothing listens for that.
 */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

/** @see https://developers.cloudflare.com/queues/platform/limits/ (read 2026-11) */
const MAX_MESSAGE_BYTES = 128_000;
const MAX_BATCH_MESSAGES = 100;
const MAX_BATCH_BYTES = 256_000;

/** How one queue is consumed; the same settings as in wrangler.toml. */
export interface ConsumerSettings {
  readonly maxBatchSize: number;
  /** Seconds. */
  readonly maxBatchTimeout: number;
  readonly maxRetries: number;
  readonly deadLetterQueue?: string;
}

interface QueueEnv {
  readonly QUEUES: DurableObjectNamespace<DurableQueue>;
  readonly RELAY: Fetcher;
  readonly CONSUMERS: Readonly<Record<string, ConsumerSettings>>;
  readonly PRODUCER_QUEUE: string;
  /** Set by the local runtime alone, with `SLUICE_FAULTS=true`. */
  readonly FAULTS?: string;
}

/** What the hosted queue may do as well, only seldom. Shares are spread evenly: 0.5 is every second one. */
export interface QueueFaults {
  /** Share of sends that are refused. */
  readonly refuse: number;
  /** Share of sends that are stored and reported as failed all the same. */
  readonly lie: number;
  /** Share of messages that are stored twice. */
  readonly duplicate: number;
  /** Share of handled batches whose acknowledgements are lost, so that they come again. */
  readonly loseAcks: number;
  /** Milliseconds that a new message waits before it is delivered. */
  readonly delay: number;
}

const NO_FAULTS: QueueFaults = { refuse: 0, lie: 0, duplicate: 0, loseAcks: 0, delay: 0 };

interface TextMessage {
  readonly body: string;
  readonly contentType?: string;
  readonly delaySeconds?: number;
}

/** Batches that the relay handles at once, as the platform would scale its consumers up. */
const MAX_CONCURRENCY = 2;
/** A queue with messages always has an alarm this near, which starts it again after a restart. */
const SAFETY_NET_MS = 2_000;

/** What the relay binds as its producer. */
export class QueueProducer extends WorkerEntrypoint<QueueEnv> {
  /** As the hosted queue tells it; the oldest message is not looked up. */
  async metrics(): Promise<{ backlogCount: number }> {
    return { backlogCount: await this.env.QUEUES.getByName(this.env.PRODUCER_QUEUE).depth() };
  }

  async send(body: string, options: { contentType?: string } = {}): Promise<void> {
    await this.sendBatch([{ body, ...options }]);
  }

  async sendBatch(messages: readonly TextMessage[]): Promise<void> {
    const sizes = messages.map(({ body }) => Buffer.byteLength(body));
    if (messages.length > MAX_BATCH_MESSAGES)
      throw new Error(`A batch of ${messages.length} messages exceeds the limit of 100`);
    if (sizes.some((size) => size > MAX_MESSAGE_BYTES))
      throw new Error("A message exceeds the limit of 128 KB");
    if (sizes.reduce((sum, size) => sum + size, 0) > MAX_BATCH_BYTES)
      throw new Error("A batch exceeds the limit of 256 KB");
    await this.env.QUEUES.getByName(this.env.PRODUCER_QUEUE).enqueue(messages.map(({ body }) => body));
  }
}

/** One queue: the messages in SQLite, the leases in memory. */
export class DurableQueue extends DurableObject<QueueEnv> {
  readonly #sql: SqlStorage;
  readonly #leased = new Set<number>();
  #running = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #armed = false;
  #faults = NO_FAULTS;
  /** What is left of a whole, per share. */
  readonly #rests = new Map<keyof QueueFaults, number>();
  /** Told when the next batch is about to be handled. */
  #watchers: (() => void)[] = [];

  constructor(ctx: DurableObjectState, env: QueueEnv) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS messages (
         id INTEGER PRIMARY KEY AUTOINCREMENT, not_before INTEGER NOT NULL, attempts INTEGER NOT NULL,
         sent_at INTEGER NOT NULL, body TEXT NOT NULL)`,
    );
  }

  async enqueue(bodies: readonly string[]): Promise<void> {
    if (this.#strikes("refuse")) throw new Error("The queue takes nothing (a fault that was asked for)");
    const now = Date.now();
    const { delay } = this.#faults;
    for (const body of bodies) {
      for (let copies = this.#strikes("duplicate") ? 2 : 1; copies > 0; copies -= 1) {
        this.#sql.exec(
          "INSERT INTO messages (not_before, attempts, sent_at, body) VALUES (?, 0, ?, ?)",
          now + delay,
          now,
          body,
        );
      }
    }
    this.#arm();
    this.#schedule();
    if (this.#strikes("lie")) throw new Error("The queue's answer was lost (a fault that was asked for)");
  }

  /** From now on, until told otherwise or restarted. What is not named is mended. */
  async misbehave(faults: Partial<QueueFaults>): Promise<void> {
    this.#faults = { ...NO_FAULTS, ...faults };
    this.#rests.clear();
  }

  /** Resolves when the next batch is about to be handled. */
  async nextBatch(): Promise<void> {
    await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  #strikes(name: keyof QueueFaults): boolean {
    const sum = (this.#rests.get(name) ?? 0) + this.#faults[name];
    this.#rests.set(name, sum >= 1 ? sum - 1 : sum);
    return sum >= 1;
  }

  /** Messages that wait or are being handled. */
  async depth(): Promise<number> {
    return Number(this.#sql.exec("SELECT COUNT(*) AS depth FROM messages").one()["depth"]);
  }

  override async alarm(): Promise<void> {
    this.#armed = false;
    if ((await this.depth()) === 0) return;
    this.#arm();
    this.#flush();
  }

  get #consumer(): ConsumerSettings | null {
    return this.env.CONSUMERS[this.ctx.id.name ?? ""] ?? null;
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    void this.ctx.storage.setAlarm(Date.now() + SAFETY_NET_MS);
  }

  /** A full batch goes at once, a smaller one when its time is up. */
  #schedule(): void {
    const consumer = this.#consumer;
    if (consumer === null || this.#running >= MAX_CONCURRENCY) return;
    const waiting = this.#sql
      .exec(
        "SELECT COUNT(*) AS waiting FROM (SELECT id FROM messages LIMIT ?)",
        consumer.maxBatchSize + this.#leased.size,
      )
      .one()["waiting"];
    const ready = Number(waiting) - this.#leased.size;
    if (ready >= consumer.maxBatchSize) this.#flush();
    else if (ready > 0 && this.#timer === null) {
      this.#timer = setTimeout(() => this.#flush(), consumer.maxBatchTimeout * 1_000);
    }
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const consumer = this.#consumer;
    if (consumer === null || this.#running >= MAX_CONCURRENCY) return;
    const batch: { id: number; attempts: number; sentAt: number; body: string }[] = [];
    for (const row of this.#sql.exec(
      "SELECT * FROM messages WHERE not_before <= ? ORDER BY id",
      Date.now(),
    )) {
      const id = Number(row["id"]);
      if (this.#leased.has(id)) continue;
      batch.push({
        id,
        attempts: Number(row["attempts"]),
        sentAt: Number(row["sent_at"]),
        body: String(row["body"]),
      });
      if (batch.length >= consumer.maxBatchSize) break;
    }
    if (batch.length === 0) return;
    for (const { id } of batch) this.#leased.add(id);
    this.#running += 1;
    void this.#dispatch(batch, consumer);
  }

  async #dispatch(
    batch: readonly { id: number; attempts: number; sentAt: number; body: string }[],
    consumer: ConsumerSettings,
  ): Promise<void> {
    const name = this.ctx.id.name ?? "";
    const messages = batch.map(({ id, attempts, sentAt, body }) => ({
      id: String(id),
      timestamp: new Date(sentAt),
      attempts: attempts + 1,
      body,
    }));
    let retryAll = false;
    let delays = new Map<string, number>();
    for (const tell of this.#watchers.splice(0)) tell();
    try {
      const result = await this.env.RELAY.queue(name, messages);
      retryAll = result.outcome !== "ok" || result.retryBatch.retry;
      delays = new Map(result.retryMessages.map(({ msgId, delaySeconds }) => [msgId, delaySeconds ?? 0]));
    } catch {
      retryAll = true;
    }
    if (this.#strikes("loseAcks")) retryAll = true;
    const dead: string[] = [];
    const now = Date.now();
    for (const { id, attempts, body } of batch) {
      const delay = retryAll ? 1 : delays.get(String(id));
      if (delay === undefined) this.#sql.exec("DELETE FROM messages WHERE id = ?", id);
      else if (attempts + 1 > consumer.maxRetries && consumer.deadLetterQueue !== undefined) dead.push(body);
      else
        this.#sql.exec(
          "UPDATE messages SET attempts = attempts + 1, not_before = ? WHERE id = ?",
          now + delay * 1_000,
          id,
        );
    }
    if (dead.length > 0 && consumer.deadLetterQueue !== undefined) {
      await this.env.QUEUES.getByName(consumer.deadLetterQueue).enqueue(dead);
      for (const { id, body } of batch)
        if (dead.includes(body)) this.#sql.exec("DELETE FROM messages WHERE id = ?", id);
    }
    for (const { id } of batch) this.#leased.delete(id);
    this.#running -= 1;
    this.#schedule();
  }
}

/** The bound service of the worker itself answers how much is waiting, and takes orders to misbehave where that is allowed. */
export default class QueueStatus extends WorkerEntrypoint<QueueEnv> {
  override async fetch(request: Request): Promise<Response> {
    const queue = this.env.QUEUES.getByName(this.env.PRODUCER_QUEUE);
    const { pathname } = new URL(request.url);
    if (this.env.FAULTS === "true" && pathname === "/misbehave") {
      await queue.misbehave(await request.json<Partial<QueueFaults>>());
    }
    if (this.env.FAULTS === "true" && pathname === "/next-batch") await queue.nextBatch();
    const dead = await this.env.QUEUES.getByName(`${this.env.PRODUCER_QUEUE}-dead`).depth();
    return Response.json({ depth: await queue.depth(), dead });
  }
}
