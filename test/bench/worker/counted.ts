/**
 * The relay with a meter on every binding: the same code, and beside it the count of what the platform would bill.
 *
 * `GET /_bench/usage` tells the count, `DELETE` sets it to zero; `POST /_bench/deliver` delivers what is on the queue.
 * Bundled by the benchmark, never deployed.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import relay, { type QueueMessage, Lane as RelayLane, type SqlCursor } from "relay:entry";
import { NO_USAGE, type Usage } from "../../../src/cost/prices.ts";

export { Poller } from "relay:entry";

/**
 * What cannot be seen at a binding stays 0: CPU is measured from outside, storage grows over days, and the relay has no
 * bucket. Pollers are not metered, because none runs here.
 */
type Counts = { -readonly [Name in keyof Usage]: number };

function none(): Counts {
  return { ...NO_USAGE };
}

// Worker and objects share one isolate here, so one count serves all of them.
let counts = none();

// --- Queue ----------------------------------------------------------------------------------------------

/** A queue operation is billed for each started 64 KB, and about 100 bytes of a message are the platform's own. */
const CHUNK_BYTES = 64_000;
const OVERHEAD_BYTES = 100;

function chunksOf(body: unknown): number {
  const bytes = body instanceof Uint8Array ? body.byteLength : Buffer.byteLength(String(body));
  return Math.ceil((bytes + OVERHEAD_BYTES) / CHUNK_BYTES);
}

interface Queue {
  sendBatch(messages: readonly { readonly body: unknown }[]): Promise<unknown>;
}

/** Messages of one delivery at most, as in wrangler.toml. */
const DELIVERY_MESSAGES = 100;
/** Written and not delivered yet. */
let held: QueueMessage[] = [];
let written = 0;

/**
 * Keeps messages in memory until they are asked for, in place of a queue with a clock: so a delivery is as full as it can
 * be, and not as full as this machine was quick.
 */
function heldQueue(queue: Queue): Queue {
  const sendBatch = async (messages: readonly { readonly body: unknown }[]): Promise<void> => {
    for (const { body } of messages) {
      counts.queueWrites += chunksOf(body);
      written += 1;
      held.push(heldMessage(String(written), body));
    }
  };
  return methods(queue, { sendBatch });
}

/** Each delivery of a message is a read, and its acknowledgement a delete. */
function heldMessage(id: string, body: unknown, attempts = 1): QueueMessage {
  return {
    ...{ id, timestamp: new Date(), body, attempts },
    ack() {
      counts.queueDeletes += chunksOf(body);
    },
    retry: () => void held.push(heldMessage(id, body, attempts + 1)),
  };
}

/** Delivers what waits, and waits for the lanes to have it. What they could not take is there again for the next time. */
async function deliverHeld(env: object): Promise<void> {
  const messages = held;
  held = [];
  for (let at = 0; at < messages.length; at += DELIVERY_MESSAGES) {
    const batch = messages.slice(at, at + DELIVERY_MESSAGES);
    counts.consumerInvocations += 1;
    for (const { body } of batch) counts.queueReads += chunksOf(body);
    await relay.queue({ queue: "sluice-events", messages: batch }, countedEnv(env));
  }
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
  batch(statements: readonly Statement[]): Promise<readonly Result[]>;
}

function countedDatabase(database: Database): Database {
  return methods(database, {
    prepare: (query: string) => countedStatement(database.prepare(query)),
    batch: async (statements: readonly Statement[]) => {
      const results = await database.batch(statements.map((statement) => plain.get(statement) ?? statement));
      for (const result of results) countRows(result);
      return results;
    },
  });
}

/** The platform takes its own statements only. */
const plain = new WeakMap<Statement, Statement>();

function countRows({ meta }: Result): void {
  counts.databaseRowsRead += meta.rows_read ?? 0;
  counts.databaseRowsWritten += meta.rows_written ?? 0;
}

function countedStatement(statement: Statement): Statement {
  const all = async (): Promise<Result> => {
    const result = await statement.all();
    countRows(result);
    return result;
  };
  const counted = methods(statement, {
    bind: (...values: readonly unknown[]) => countedStatement(statement.bind(...values)),
    all,
    run: all,
    first: async () => (await all()).results[0] ?? null,
  });
  plain.set(counted, statement);
  return counted;
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
  if (activity === undefined) return plainFetch(input, init);
  return activity.during(() => plainFetch(input, init));
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

  override async submit(submission: object): Promise<{ readonly taken: number }> {
    const count = await this.#work(() => super.submit(submission));
    owed += count.taken;
    return count;
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

// --- Logs -----------------------------------------------------------------------------------------------

/** Events that lanes have taken and not settled yet: nothing is under way when it is 0. */
let owed = 0;

/** Counted and not written: a line for each request to a destination would bury the one about a fault. */
console.info = (line: unknown) => {
  counts.logLines += 1;
  const { outcome, events } = JSON.parse(String(line)) as { outcome?: unknown; events?: unknown }; // src/observe/log.ts
  if (outcome === "delivered") owed -= Number(events);
};

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
    EVENTS: heldQueue(EVENTS),
    LANES: countedNamespace(LANES),
  };
  environments.set(env, counted);
  return counted;
}

export default {
  async fetch(request: Request, env: object, ctx: object): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/_bench/deliver") await deliverHeld(env);
    if (pathname.startsWith("/_bench/")) {
      if (request.method === "DELETE") counts = none();
      return Response.json({ usage: counts, underWay: owed + held.length });
    }
    counts.requests += 1;
    return relay.fetch(request, countedEnv(env), ctx);
  },
  scheduled(controller: object, env: object): Promise<void> {
    counts.scheduledInvocations += 1;
    return relay.scheduled(controller, countedEnv(env));
  },
};
