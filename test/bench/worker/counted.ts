/**
 * The relay with a meter on every binding: the same code, and beside it the count of what the platform would bill.
 *
 * `GET /_bench/usage` tells the count, `DELETE` sets it to zero. Bundled by the benchmark, never deployed.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import relay, { type MessageBatch, type QueueMessage, Lane as RelayLane, type SqlCursor } from "relay:entry";
import type { Usage } from "../pricing.ts";

export { Poller } from "relay:entry";

/** Worker CPU is not counted here but measured from outside. */
type Counts = { -readonly [Name in Exclude<keyof Usage, "workerCpuMs">]: number };

function none(): Counts {
  return {
    requests: 0,
    consumerInvocations: 0,
    queueWrites: 0,
    queueReads: 0,
    queueDeletes: 0,
    objectRequests: 0,
    alarms: 0,
    alarmsSet: 0,
    objectRowsRead: 0,
    objectRowsWritten: 0,
    objectActiveMs: 0,
    databaseRowsRead: 0,
    databaseRowsWritten: 0,
  };
}

// Worker and objects share one isolate here, so one count serves all of them.
let counts = none();

// --- Queue ----------------------------------------------------------------------------------------------

/** A queue operation is billed for each started 64 KB, and about 100 bytes of a message are the platform's own. */
const CHUNK_BYTES = 64_000;
const OVERHEAD_BYTES = 100;

function chunksOf(body: unknown): number {
  return Math.ceil((Buffer.byteLength(String(body)) + OVERHEAD_BYTES) / CHUNK_BYTES);
}

interface Queue {
  sendBatch(messages: readonly { readonly body: unknown }[]): Promise<unknown>;
}

function countedQueue(queue: Queue): Queue {
  const sendBatch = (messages: readonly { readonly body: unknown }[]): Promise<unknown> => {
    for (const { body } of messages) counts.queueWrites += chunksOf(body);
    return queue.sendBatch(messages);
  };
  return methods(queue, { sendBatch });
}

/** Each delivery of a message is a read, and its acknowledgement a delete. */
function countedMessage(message: QueueMessage): QueueMessage {
  const chunks = chunksOf(message.body);
  counts.queueReads += chunks;
  const { id, timestamp, body, attempts } = message;
  return {
    ...{ id, timestamp, body, attempts },
    ack() {
      counts.queueDeletes += chunks;
      message.ack();
    },
    retry: (options) => message.retry(options),
  };
}

// --- Database -------------------------------------------------------------------------------------------

interface Result {
  readonly results: readonly unknown[];
  readonly meta: { readonly rows_read?: number; readonly rows_written?: number };
}

interface Statement {
  bind(...values: readonly unknown[]): Statement;
  all(): Promise<Result>;
}

interface Database {
  prepare(query: string): Statement;
}

function countedDatabase(database: Database): Database {
  return methods(database, { prepare: (query: string) => countedStatement(database.prepare(query)) });
}

function countedStatement(statement: Statement): Statement {
  const all = async (): Promise<Result> => {
    const result = await statement.all();
    counts.databaseRowsRead += result.meta.rows_read ?? 0;
    counts.databaseRowsWritten += result.meta.rows_written ?? 0;
    return result;
  };
  return methods(statement, {
    bind: (...values: readonly unknown[]) => countedStatement(statement.bind(...values)),
    all,
    run: all,
    first: async () => (await all()).results[0] ?? null,
  });
}

// --- Objects --------------------------------------------------------------------------------------------

interface Namespace {
  getByName(name: string, options?: object): object;
}

/** Each method call on a stub is one billed request. */
function countedNamespace(namespace: Namespace): Namespace {
  const counted = (stub: object): object =>
    new Proxy(stub, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return (...values: readonly unknown[]): unknown => {
          counts.objectRequests += 1;
          return Reflect.apply(method, target, values);
        };
      },
    });
  return methods(namespace, {
    getByName: (name: string, options?: object) => counted(namespace.getByName(name, options)),
  });
}

/** Time in which at least one of several overlapping things is going on. */
class Activity {
  #open = 0;
  #since = 0;

  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open === 0) this.#since = Date.now();
    this.#open += 1;
    try {
      return await work();
    } finally {
      this.#open -= 1;
      if (this.#open === 0) counts.objectActiveMs += Date.now() - this.#since;
    }
  }
}

/** Whose work it is that calls out: an object is billed while a call of its own is pending. */
const working = new AsyncLocalStorage<Activity>();
const plainFetch = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const activity = working.getStore();
  return activity === undefined ? plainFetch(input, init) : activity.during(() => plainFetch(input, init));
};

/**
 * Cursors whose rows are not counted yet: a `SELECT` knows them only when it has been read. They are settled at the next
 * statement of the same object, because no other request may touch them; the last one of all stays uncounted.
 */
const cursors = new WeakMap<object, SqlCursor>();

function settle(sql: object, next: SqlCursor): void {
  const last = cursors.get(sql);
  counts.objectRowsRead += last?.rowsRead ?? 0;
  counts.objectRowsWritten += last?.rowsWritten ?? 0;
  cursors.set(sql, next);
}

let isMetered = false;

export class Lane extends RelayLane {
  readonly #activity: Activity;

  constructor(ctx: ConstructorParameters<typeof RelayLane>[0], env: object) {
    meter(ctx.storage);
    const activity = new Activity();
    super(ctx, countedEnv(env));
    this.#activity = activity;
  }

  override submit(submission: object): Promise<unknown> {
    return this.#work(() => super.submit(submission));
  }

  override configure(tenantId: string, destinationId: string, revision: number): Promise<void> {
    return this.#work(() => super.configure(tenantId, destinationId, revision));
  }

  override alarm(): Promise<void> {
    counts.alarms += 1;
    return this.#work(() => super.alarm());
  }

  #work<T>(work: () => Promise<T>): Promise<T> {
    return this.#activity.during(() => working.run(this.#activity, work));
  }
}

/** On the prototypes, because the platform's own objects cannot be wrapped and handed to its base class. */
function meter(storage: ConstructorParameters<typeof RelayLane>[0]["storage"]): void {
  if (isMetered) return;
  isMetered = true;
  const sql: typeof storage.sql = Object.getPrototypeOf(storage.sql);
  const { exec } = sql;
  sql.exec = function counted(...call) {
    const cursor = exec.apply(this, call);
    settle(this, cursor);
    return cursor;
  };
  const alarms: typeof storage = Object.getPrototypeOf(storage);
  const { setAlarm } = alarms;
  alarms.setAlarm = function counted(...call) {
    counts.alarmsSet += 1;
    return setAlarm.apply(this, call);
  };
}

// --- The entry ------------------------------------------------------------------------------------------

/** The same thing with some methods replaced; the others are called on the thing itself. */
function methods<T extends object>(thing: T, replaced: object): T {
  return new Proxy(thing, {
    get(target, name) {
      const own: unknown = Reflect.get(name in replaced ? replaced : target, name);
      return typeof own === "function" && !(name in replaced) ? own.bind(target) : own;
    },
  });
}

const environments = new WeakMap<object, object>();

function countedEnv(env: object): object {
  const known = environments.get(env);
  if (known !== undefined) return known;
  const { DB, EVENTS, LANES } = env as { DB: Database; EVENTS: Queue; LANES: Namespace }; // as in wrangler.toml
  const counted = {
    ...env,
    DB: countedDatabase(DB),
    EVENTS: countedQueue(EVENTS),
    LANES: countedNamespace(LANES),
  };
  environments.set(env, counted);
  return counted;
}

export default {
  fetch(request: Request, env: object, ctx: object): Promise<Response> | Response {
    if (new URL(request.url).pathname === "/_bench/usage") {
      if (request.method === "DELETE") counts = none();
      return Response.json(counts);
    }
    counts.requests += 1;
    return relay.fetch(request, countedEnv(env), ctx);
  },
  async queue(batch: MessageBatch, env: object): Promise<void> {
    counts.consumerInvocations += 1;
    await relay.queue({ queue: batch.queue, messages: batch.messages.map(countedMessage) }, countedEnv(env));
  },
  scheduled: (controller: object, env: object) => relay.scheduled(controller, countedEnv(env)),
};
