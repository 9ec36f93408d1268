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

/** As sent with the content type "text" or "bytes". */
type Body = string | Uint8Array<ArrayBuffer>;

interface Sent {
  readonly body: Body;
  readonly contentType?: string;
}

/** Batches that the relay handles at once, as the platform would scale its consumers up. */
const MAX_CONCURRENCY = 2;
/** A queue with messages always has an alarm this near, which starts it again after a restart. */
const SAFETY_NET_MS = 2_000;
/** How long a send waits for others to be written with. */
const GATHER_MS = 1;
/** Waiting messages that are held in memory; above it, in SQLite alone. */
const MAX_READY_BYTES = 32_000_000;
/** Of those, read back at a time. */
const ROWS_AT_ONCE = 100;

function sizeOf(body: Body): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
}

/** What the relay binds as its producer. */
export class QueueProducer extends WorkerEntrypoint<QueueEnv> {
  /** As the hosted queue tells it; the oldest message is not looked up. */
  async metrics(): Promise<{ backlogCount: number }> {
    return { backlogCount: await this.env.QUEUES.getByName(this.env.PRODUCER_QUEUE).depth() };
  }

  async sendBatch(messages: readonly Sent[]): Promise<void> {
    const sizes = messages.map(({ body }) => sizeOf(body));
    if (messages.length > MAX_BATCH_MESSAGES)
      throw new Error(`A batch of ${messages.length} messages exceeds the limit of 100`);
    if (sizes.some((size) => size > MAX_MESSAGE_BYTES))
      throw new Error("A message exceeds the limit of 128 KB");
    if (sizes.reduce((sum, size) => sum + size, 0) > MAX_BATCH_BYTES)
      throw new Error("A batch exceeds the limit of 256 KB");
    await this.env.QUEUES.getByName(this.env.PRODUCER_QUEUE).enqueue(messages.map(({ body }) => body));
  }
}

/** A message that waits or is being handled. */
interface Waiting {
  readonly id: number;
  readonly body: Body;
  readonly sentAt: number;
  readonly attempts: number;
}

/**
 * One queue. Every message is in SQLite before its sender hears of it; those that will be handled next are in memory as
 * well, so that in the ordinary course nothing is read back.
 */
export class DurableQueue extends DurableObject<QueueEnv> {
  readonly #sql: SqlStorage;
  /** In the order of their ids. Everything behind the last of them is in SQLite alone. */
  #ready: Waiting[] = [];
  #readyBytes = 0;
  /** Ids of those in SQLite that are not due yet, and when they are. */
  readonly #delayed = new Map<number, number>();
  #nextId: number;
  /** The last message that memory has seen: those behind it are read when there is room. */
  #seenId = 0;
  /** Sends that wait to be written together. */
  #sends: {
    readonly bodies: readonly Body[];
    readonly done: () => void;
    readonly failed: (error: unknown) => void;
  }[] = [];
  #running = 0;
  /** What is ready has waited long enough for a fuller batch. */
  #isDue = false;
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
         sent_at INTEGER NOT NULL, body BLOB NOT NULL)`,
    );
    // Not the largest that is left: an id that is used again would be taken for a message that is known already.
    const [last] = this.#sql.exec("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").toArray();
    this.#nextId = 1 + Number(last?.["seq"] ?? 0);
    this.#load();
  }

  /**
   * Sends that arrive while others are being written are written together, in one commit: a commit costs a `fsync`, and
   * nobody is answered before it.
   */
  async enqueue(bodies: readonly Body[]): Promise<void> {
    if (this.#strikes("refuse")) throw new Error("The queue takes nothing (a fault that was asked for)");
    await new Promise<void>((done, failed) => {
      this.#sends.push({ bodies, done, failed });
      if (this.#sends.length === 1) void scheduler.wait(GATHER_MS).then(() => this.#write());
    });
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
    this.#isDue = true;
    this.#pump();
  }

  get #consumer(): ConsumerSettings | null {
    return this.env.CONSUMERS[this.ctx.id.name ?? ""] ?? null;
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    void this.ctx.storage.setAlarm(Date.now() + SAFETY_NET_MS);
  }

  /** Statements without an `await` between them are one commit, and answers wait for it. */
  #write(): void {
    const sends = this.#sends;
    this.#sends = [];
    try {
      for (const { bodies } of sends) for (const body of bodies) this.#keep(body);
    } catch (error) {
      for (const { failed } of sends) failed(error);
      return;
    }
    this.#arm();
    for (const { done } of sends) done();
    this.#pump();
  }

  #keep(body: Body): void {
    const now = Date.now();
    for (let copies = this.#strikes("duplicate") ? 2 : 1; copies > 0; copies -= 1) {
      const id = this.#nextId;
      this.#nextId += 1;
      const notBefore = now + this.#faults.delay;
      this.#sql.exec("INSERT INTO messages VALUES (?, ?, 0, ?, ?)", id, notBefore, now, body);
      // In memory only if nothing before it is in SQLite alone, or it would overtake that.
      if (this.#seenId === id - 1 && this.#readyBytes <= MAX_READY_BYTES)
        this.#see({ id, body, sentAt: now, attempts: 0 }, notBefore);
    }
  }

  #see(message: Waiting, notBefore: number): void {
    this.#seenId = Math.max(this.#seenId, message.id);
    if (notBefore > Date.now()) {
      this.#delayed.set(message.id, notBefore);
      return;
    }
    this.#ready.push(message);
    this.#readyBytes += sizeOf(message.body);
  }

  /** Reads what is in SQLite alone, as much as memory may hold. */
  #load(): void {
    const now = Date.now();
    const due = [...this.#delayed].flatMap(([id, notBefore]) => (notBefore <= now ? [id] : []));
    if (due.length > 0) {
      const rows = this.#sql
        .exec("SELECT * FROM messages WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(due))
        .toArray();
      for (const id of due) this.#delayed.delete(id);
      this.#seeAll(rows);
    }
    while (this.#seenId < this.#nextId - 1 && this.#readyBytes <= MAX_READY_BYTES) {
      // To its end: a query that is left before it stays open, and the write-ahead log grows meanwhile.
      const rows = this.#sql
        .exec("SELECT * FROM messages WHERE id > ? ORDER BY id LIMIT ?", this.#seenId, ROWS_AT_ONCE)
        .toArray();
      this.#seeAll(rows);
      if (rows.length < ROWS_AT_ONCE && this.#readyBytes <= MAX_READY_BYTES) this.#seenId = this.#nextId - 1;
    }
  }

  /** Until memory is full; the rest of delayed ones goes back to where it was. */
  #seeAll(rows: Iterable<Record<string, SqlStorageValue>>): void {
    for (const row of rows) {
      const [id, notBefore] = [Number(row["id"]), Number(row["not_before"])];
      if (this.#readyBytes > MAX_READY_BYTES) {
        if (id > this.#seenId) return;
        this.#delayed.set(id, notBefore);
        continue;
      }
      const [body, attempts] = [row["body"], Number(row["attempts"])];
      const whole = body instanceof ArrayBuffer ? new Uint8Array(body) : String(body);
      this.#see({ id, body: whole, sentAt: Number(row["sent_at"]), attempts }, notBefore);
    }
  }

  /** A full batch goes at once, a smaller one when its time is up. */
  #pump(): void {
    const consumer = this.#consumer;
    if (consumer === null) return;
    while (this.#running < MAX_CONCURRENCY) {
      if (this.#ready.length < consumer.maxBatchSize) this.#load();
      if (this.#ready.length === 0) {
        this.#isDue = false;
        return;
      }
      if (this.#ready.length < consumer.maxBatchSize && !this.#isDue) break;
      this.#running += 1;
      void this.#dispatch(this.#ready.splice(0, consumer.maxBatchSize), consumer);
    }
    if (this.#ready.length === 0 || this.#isDue || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#isDue = true;
      this.#pump();
    }, consumer.maxBatchTimeout * 1_000);
  }

  async #dispatch(batch: readonly Waiting[], consumer: ConsumerSettings): Promise<void> {
    for (const { body } of batch) this.#readyBytes -= sizeOf(body);
    const messages = batch.map(({ id, attempts, sentAt, body }) => ({
      id: this.#nameOf(id),
      timestamp: new Date(sentAt),
      attempts: attempts + 1,
      body,
    }));
    let retryAll = false;
    let delays = new Map<string, number>();
    for (const tell of this.#watchers.splice(0)) tell();
    try {
      const result = await this.env.RELAY.queue(this.ctx.id.name ?? "", messages);
      retryAll = result.outcome !== "ok" || result.retryBatch.retry;
      delays = new Map(result.retryMessages.map(({ msgId, delaySeconds }) => [msgId, delaySeconds ?? 0]));
    } catch {
      retryAll = true;
    }
    if (this.#strikes("loseAcks")) retryAll = true;
    const done: number[] = [];
    const dead: Waiting[] = [];
    for (const message of batch) {
      const delay = retryAll ? 1 : delays.get(this.#nameOf(message.id));
      if (delay === undefined) done.push(message.id);
      else if (message.attempts + 1 > consumer.maxRetries && consumer.deadLetterQueue !== undefined)
        dead.push(message);
      else this.#postpone(message.id, Date.now() + delay * 1_000);
    }
    if (dead.length > 0 && consumer.deadLetterQueue !== undefined) {
      await this.env.QUEUES.getByName(consumer.deadLetterQueue).enqueue(dead.map(({ body }) => body));
      done.push(...dead.map(({ id }) => id));
    }
    this.#forget(done);
    this.#running -= 1;
    this.#pump();
  }

  /** A message's id as others see it: like the platform's, no two queues give the same. */
  #nameOf(id: number): string {
    return `${this.ctx.id.name}/${id}`;
  }

  #postpone(id: number, until: number): void {
    this.#delayed.set(id, until);
    this.#sql.exec("UPDATE messages SET attempts = attempts + 1, not_before = ? WHERE id = ?", until, id);
  }

  #forget(ids: readonly number[]): void {
    if (ids.length === 0) return;
    this.#sql.exec("DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(ids));
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
