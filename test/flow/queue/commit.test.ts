import fc from "fast-check";
import { describe, it } from "vitest";
import type { DurationMs } from "../../../src/base/clock.ts";
import { GroupCommit, PATIENCE } from "../../../src/flow/queue/commit.ts";
import { decodeMessage } from "../../../src/flow/queue/message.ts";
import type { Outgoing, ProduceDeps } from "../../../src/flow/queue/produce.ts";
import { writeLines } from "../../../src/model/lines.ts";
import { anEvent } from "../../support/lines.ts";

type Messages = Parameters<ProduceDeps["sendBatch"]>[0];

/** One call of the queue, which ends when the test says so. */
interface Call {
  readonly messages: Messages;
  /** Of the batches in it, in order. */
  readonly batches: readonly string[];
  readonly batchId: string;
  take(): void;
  refuse(): void;
}

function batchesIn(messages: Messages): readonly string[] {
  return messages.flatMap(({ body }) => {
    const parts = decodeMessage(body);
    if (!parts.ok) throw new Error(parts.error);
    return parts.value.map(({ part }) => part.batchId);
  });
}

/** An isolate with a queue whose calls hang until they are ended, and a clock that stands until it is moved. */
class Isolate {
  readonly calls: Call[] = [];
  readonly kept: Promise<unknown>[] = [];
  /** Batch → what its owner was told; "threw" for an exception. */
  readonly told = new Map<string, boolean | "threw">();
  #timers: { readonly at: number; readonly ring: () => void }[] = [];
  #now = 0;
  readonly commits = new GroupCommit({
    sleep: (duration) =>
      new Promise((ring) => {
        this.#timers.push({ at: this.#now + duration, ring });
      }),
    keep: (promise) => void this.kept.push(promise),
  });

  get timers(): number {
    return this.#timers.length;
  }

  readonly deps: ProduceDeps = {
    sendBatch: (messages, batchId) =>
      new Promise<void>((take, reject) => {
        const refuse = (): void => reject(new Error("overloaded"));
        this.calls.push({ messages, batches: batchesIn(messages), batchId, take, refuse });
      }),
  };

  /** A request of its own. */
  request(outgoing: Outgoing, deps = this.deps): void {
    const told = (what: boolean | "threw"): void => void this.told.set(outgoing.batchId, what);
    void this.commits.produce(outgoing, deps).then(told, () => told("threw"));
  }

  call(index: number): Call {
    const call = this.calls[index];
    if (call === undefined) throw new Error(`There was no call ${index}`);
    return call;
  }

  async pass(time: DurationMs): Promise<void> {
    this.#now += time;
    for (const { at, ring } of this.#timers) if (at <= this.#now) ring();
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    await settled();
  }
}

/** Until everything that was told has been heard. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await null;
}

const NOISE = Array.from({ length: 100_000 }, (_, n) => (Math.imul(n + 1, 2_654_435_761) >>> 8).toString(36));

/** A batch of one event; `about` so many characters of it shrink to three quarters at best. */
function aBatch(batchId: string, about = 0): Outgoing {
  const pad = NOISE.join("").slice(0, about);
  return {
    tenantId: "ten_a",
    batchId,
    acceptedAt: 1_000_000,
    lines: writeLines([anEvent(`${batchId}-0`, { pad })]),
  };
}

describe("a batch that comes while nobody sends", () => {
  it("is sent at once, and its owner is told when the queue has it", async ({ expect }) => {
    const isolate = new Isolate();
    isolate.request(aBatch("a"));
    expect(isolate.call(0)).toMatchObject({ batches: ["a"], batchId: "a" });
    await settled();
    expect(isolate.told.size).toBe(0);
    isolate.call(0).take();
    await settled();
    expect(isolate.told.get("a")).toBe(true);
    expect(isolate.timers).toBe(0);
  });

  it("finds nobody sending again after any end, good or bad", async ({ expect }) => {
    const isolate = new Isolate();
    for (const [index, end] of (["take", "refuse", "take"] as const).entries()) {
      isolate.request(aBatch(`b${index}`));
      isolate.call(index)[end]();
      await settled();
    }
    expect([...isolate.told.values()]).toEqual([true, false, true]);
  });
});

describe("batches that come during a send", () => {
  it("share the next one, in one message, and every owner hears how it ended", async ({ expect }) => {
    const isolate = new Isolate();
    for (const id of ["a", "b", "c", "d"]) isolate.request(aBatch(id));
    await settled();
    expect(isolate.calls).toHaveLength(1);
    isolate.call(0).take();
    await settled();
    expect(isolate.calls).toHaveLength(2);
    expect(isolate.call(1).messages).toHaveLength(1);
    expect(isolate.call(1)).toMatchObject({ batches: ["b", "c", "d"], batchId: "b" });
    expect([...isolate.told]).toEqual([["a", true]]);
    isolate.call(1).take();
    await settled();
    expect([...isolate.told.values()]).toEqual([true, true, true, true]);
  });

  it("keep their tenants, times and events", async ({ expect }) => {
    const isolate = new Isolate();
    isolate.request(aBatch("first"));
    isolate.request({ ...aBatch("b"), tenantId: "ten_b", acceptedAt: 2_000_000 });
    isolate.request({ ...aBatch("c"), tenantId: "ten_c", acceptedAt: 3_000_000 });
    isolate.call(0).take();
    await settled();
    const parts = decodeMessage(isolate.call(1).messages[0]?.body);
    expect(parts.ok && parts.value).toMatchObject([
      { tenantId: "ten_b", part: { batchId: "b", acceptedAt: 2_000_000, lines: { count: 1 } } },
      { tenantId: "ten_c", part: { batchId: "c", acceptedAt: 3_000_000, lines: { count: 1 } } },
    ]);
  });

  it("fail together when their send fails, and nobody else does", async ({ expect }) => {
    const isolate = new Isolate();
    for (const id of ["a", "b", "c"]) isolate.request(aBatch(id));
    isolate.call(0).take();
    await settled();
    isolate.request(aBatch("d"));
    isolate.call(1).refuse();
    await settled();
    isolate.call(2).take();
    await settled();
    expect(Object.fromEntries(isolate.told)).toEqual({ a: true, b: false, c: false, d: true });
  });

  it("are not held up by a send that throws instead of failing", async ({ expect }) => {
    const isolate = new Isolate();
    isolate.request(aBatch("a"));
    const broken: ProduceDeps = {
      sendBatch: () => {
        throw new Error("no queue is bound");
      },
    };
    isolate.request(aBatch("b"), broken);
    isolate.request(aBatch("c"));
    isolate.call(0).take();
    await settled();
    isolate.request(aBatch("d"));
    expect(isolate.call(1).batches).toEqual(["d"]);
    expect(Object.fromEntries(isolate.told)).toEqual({ a: true, b: "threw", c: false });
    isolate.call(1).take();
    await expect(Promise.all(isolate.kept)).resolves.toBeDefined();
  });

  it("go by themselves and at once if they are large", async ({ expect }) => {
    const isolate = new Isolate();
    isolate.request(aBatch("small"));
    isolate.request(aBatch("large", 30_000));
    expect(isolate.call(1).batches).toEqual(["large"]);
    isolate.call(1).refuse();
    await settled();
    expect([...isolate.told]).toEqual([["large", false]]);
  });

  it("are sent as many at a time as one call carries, the rest by the next", async ({ expect }) => {
    const isolate = new Isolate();
    const ids = Array.from({ length: 60 }, (_, n) => `batch-${n}`);
    for (const id of ids) isolate.request(aBatch(id, 20_000));
    for (let call = 0; call < isolate.calls.length; call += 1) {
      expect(isolate.calls).toHaveLength(call + 1); // one at a time
      isolate.call(call).take();
      await settled();
    }
    expect(isolate.calls.flatMap(({ batches }) => batches)).toEqual(ids);
    expect(isolate.calls.length).toBeGreaterThan(3);
    expect(isolate.calls.length).toBeLessThan(10);
    for (const { messages } of isolate.calls) expectWithinLimits(messages, expect);
    expect([...isolate.told.values()]).toEqual(ids.map(() => true));
  });
});

describe("whoever waits for a leader that is lost", () => {
  it("sends by itself after five seconds, and those who come later need not wait", async ({ expect }) => {
    const isolate = new Isolate();
    isolate.request(aBatch("lost"));
    isolate.request(aBatch("b"));
    await isolate.pass(PATIENCE - 1);
    expect(isolate.calls).toHaveLength(1);
    await isolate.pass(1);
    expect(isolate.call(1).batches).toEqual(["b"]);
    isolate.request(aBatch("c"));
    expect(isolate.call(2).batches).toEqual(["c"]);
    for (const index of [1, 2]) isolate.call(index).take();
    await settled();
    expect([...isolate.told]).toEqual([
      ["b", true],
      ["c", true],
    ]);
  });

  it("is taken along by the next one who leads", async ({ expect }) => {
    const isolate = new Isolate();
    isolate.request(aBatch("lost"));
    isolate.request(aBatch("b"));
    await isolate.pass(1_000);
    isolate.request(aBatch("c"));
    await isolate.pass(PATIENCE - 1_000);
    isolate.request(aBatch("d"));
    expect(isolate.call(2).batches).toEqual(["d", "c"]);
  });

  it("waits no longer when the leader was lost between being told and leading", async ({ expect }) => {
    const isolate = new Isolate();
    isolate.request(aBatch("a"));
    let isLost = false;
    const chosen = {
      ...aBatch("chosen"),
      get batchId(): string {
        if (isLost) throw new Error("the request is gone"); // it goes on, but never gets to leading
        return "chosen";
      },
    };
    void isolate.commits.produce(chosen, isolate.deps).catch(() => undefined);
    isLost = true;
    isolate.request(aBatch("b"));
    await isolate.pass(1_000);
    isolate.call(0).take();
    await settled();
    isolate.request(aBatch("c"));
    expect(isolate.calls).toHaveLength(1);
    await isolate.pass(PATIENCE - 1_000);
    expect(isolate.call(1).batches).toEqual(["b"]);
    isolate.request(aBatch("d")); // whom nobody holds up any more
    expect(isolate.call(2).batches).toEqual(["d", "c"]);
  });

  it("is told by a slow leader's end to lead, though another has lost patience before", async ({
    expect,
  }) => {
    const isolate = new Isolate();
    isolate.request(aBatch("slow"));
    isolate.request(aBatch("b"));
    await isolate.pass(PATIENCE - 1);
    isolate.request(aBatch("c"));
    await isolate.pass(1);
    expect(isolate.call(1).batches).toEqual(["b"]);
    isolate.call(0).take();
    await settled();
    expect(isolate.call(2).batches).toEqual(["c"]);
  });

  it("is kept until it has led, though its own client goes away", async ({ expect }) => {
    const isolate = new Isolate();
    isolate.request(aBatch("a"));
    const before = isolate.kept.length;
    isolate.request(aBatch("b"));
    expect(isolate.kept.length).toBe(before + 1);
    let isOver = false;
    void isolate.kept.at(-1)?.then(() => {
      isOver = true;
    });
    await settled();
    expect(isOver).toBe(false);
    isolate.call(0).take();
    await settled();
    expect(isOver).toBe(true);
    expect(isolate.kept.length).toBe(before + 2); // by then its own send is kept
  });
});

function expectWithinLimits(
  messages: Messages,
  expect: (value: number) => { toBeLessThan(n: number): void },
) {
  expect(messages.length).toBeLessThan(101);
  let sum = 0;
  for (const { body } of messages) {
    expect(body.byteLength).toBeLessThan(128_000);
    sum += body.byteLength;
  }
  expect(sum).toBeLessThan(256_000);
}

describe("however requests, sends and lost requests follow upon one another", () => {
  interface Request {
    readonly about: number;
    readonly end: "take" | "refuse" | "hang";
  }
  const requests = fc.array(
    fc.record<Request>({
      about: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 0, max: 500 }) },
        { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 60_000 }) },
      ),
      end: fc.constantFrom("take", "take", "take", "refuse", "hang"),
    }),
    { minLength: 1, maxLength: 25 },
  );

  it("nobody is lost, and nobody is told that the queue has a batch before a send that carried it ended well", async ({
    expect,
  }) => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), requests, async (scheduler, all) => {
        const held = new Set<string>();
        const failed = new Set<string>();
        const hanging = new Set<string>();
        const told = new Map<string, boolean>();
        const commits = new GroupCommit({
          sleep: () => scheduler.schedule(Promise.resolve(), "patience ends"),
          keep: (promise) => void promise.catch(() => undefined),
        });
        const depsOf = ({ end }: Request): ProduceDeps => ({
          async sendBatch(messages) {
            const batches = batchesIn(messages);
            expectWithinLimits(messages, expect);
            if (end === "hang") {
              for (const batch of batches) hanging.add(batch);
              await new Promise(() => undefined);
            }
            await scheduler.schedule(Promise.resolve(), `send of ${batches}`);
            if (end === "take") for (const batch of batches) held.add(batch);
            else for (const batch of batches) failed.add(batch);
            if (end !== "take") throw new Error("overloaded");
          },
        });
        const arrive = async (request: Request, index: number): Promise<void> => {
          await scheduler.schedule(Promise.resolve(), `request ${index}`);
          const batch = `batch-${index}`;
          void commits.produce(aBatch(batch, request.about), depsOf(request)).then((isSent) => {
            expect(isSent ? held : failed).toContain(batch);
            told.set(batch, isSent);
          });
        };
        await Promise.all([...all.map(arrive), scheduler.waitIdle()]);
        await scheduler.waitIdle();
        const untold = all.map((_, index) => `batch-${index}`).filter((batch) => !told.has(batch));
        expect(untold.filter((batch) => !hanging.has(batch))).toEqual([]);
        // Only who sends by a call that hangs may hang: patience has ended for everybody else.
        for (const batch of untold) expect(all[Number(batch.slice(6))]?.end).toBe("hang");
      }),
      { numRuns: 150 },
    );
  });

  it("the isolate comes to rest ready for the next one", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), requests, async (scheduler, all) => {
        const ends = { sleep: () => scheduler.schedule(Promise.resolve()), keep: () => undefined };
        const commits = new GroupCommit(ends);
        const answers = all.map(async ({ about, end }, index) => {
          await scheduler.schedule(Promise.resolve());
          return commits.produce(aBatch(`batch-${index}`, about), {
            async sendBatch() {
              await scheduler.schedule(Promise.resolve());
              if (end === "refuse") throw new Error("overloaded");
            },
          });
        });
        await scheduler.waitFor(Promise.all(answers));
        await scheduler.waitIdle();
        let isAtOnce = false;
        await commits.produce(aBatch("after"), {
          async sendBatch() {
            isAtOnce = true;
          },
        });
        expect(isAtOnce).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
