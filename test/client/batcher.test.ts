import { describe, it } from "vitest";
import type { BatcherOptions } from "../../src/client/batcher.ts";
import { createClient } from "../../src/client/client.ts";
import type { SluiceError } from "../../src/client/errors.ts";
import { type Asked, fakeServer, problem, receipt, type Said } from "./fake-server.ts";

const event = (n: number) => ({ action: "record.read", actor_id: "u", n });

function takeAll({ body }: Asked): Said {
  const events: { n: number }[] = JSON.parse(String(body));
  return receipt(...events.map(({ n }) => `evt_${n}`));
}

/** A batcher whose time passes when the test says so. */
function setUp(answers: Parameters<typeof fakeServer>[0] = takeAll, limits: Partial<BatcherOptions> = {}) {
  const timers: (() => void)[] = [];
  const sleep = () => new Promise<void>((resolve) => timers.push(resolve));
  const server = fakeServer(answers, { sleep, retry: { maxAttempts: 1 } });
  const failed: { error: SluiceError; events: readonly unknown[] }[] = [];
  const onError: BatcherOptions["onError"] = (error, events) => void failed.push({ error, events });
  const batcher = createClient(server.options).batcher({ maxEvents: 3, onError, ...limits });
  const sizes = () => server.asked.map(({ body }) => JSON.parse(String(body)).length);
  return { batcher, server, failed, timers, sizes };
}

describe("the batcher", () => {
  it("sends when it is full, and the rest when it is closed", async ({ expect }) => {
    const { batcher, sizes, failed } = setUp();
    for (let n = 0; n < 7; n++) batcher.add(event(n));
    await batcher.close();
    expect(sizes()).toEqual([3, 3, 1]);
    expect(failed).toEqual([]);
  });

  it("sends when the first event has waited long enough", async ({ expect }) => {
    const { batcher, timers, sizes } = setUp();
    batcher.add(event(1));
    batcher.add(event(2));
    expect(timers).toHaveLength(1);
    timers[0]?.();
    await Promise.resolve();
    await batcher.flush();
    expect(sizes()).toEqual([2]);
  });

  it("does not send early for a timer whose batch has gone", async ({ expect }) => {
    const { batcher, timers, sizes } = setUp();
    for (let n = 0; n < 4; n++) batcher.add(event(n));
    timers[0]?.();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    for (let n = 4; n < 6; n++) batcher.add(event(n));
    await batcher.close();
    expect(sizes()).toEqual([3, 3]);
  });

  it("sends when the bytes are enough", async ({ expect }) => {
    const { batcher, sizes } = setUp(takeAll, { maxEvents: 1_000, maxBytes: 120 });
    for (let n = 0; n < 5; n++) batcher.add(event(n));
    await batcher.close();
    expect(sizes()).toEqual([2, 2, 1]);
  });

  it("sends one request at a time, each with a key of its own", async ({ expect }) => {
    const { batcher, server } = setUp();
    for (let n = 0; n < 9; n++) batcher.add(event(n));
    expect(server.asked.length).toBeLessThanOrEqual(1);
    await batcher.flush();
    expect(server.asked.map(({ headers }) => headers["idempotency-key"])).toEqual([
      "key-1",
      "key-2",
      "key-3",
    ]);
  });

  it("takes the event as it was when it was added", async ({ expect }) => {
    const { batcher, server } = setUp();
    const changing = { ...event(1), note: "before" };
    batcher.add(changing);
    changing.note = "after";
    await batcher.close();
    expect(server.asked[0]?.body).toContain("before");
  });

  it("hands back what was not accepted, and goes on with the rest", async ({ expect }) => {
    const { batcher, failed, sizes } = setUp([problem(503, "buffer_unavailable"), receipt("evt_3")]);
    for (let n = 0; n < 4; n++) batcher.add(event(n));
    await batcher.close();
    expect(sizes()).toEqual([3, 1]);
    expect(failed).toMatchObject([
      {
        error: { code: "buffer_unavailable", idempotencyKey: "key-1" },
        events: [event(0), event(1), event(2)],
      },
    ]);
  });

  it("hands back the invalid ones alone", async ({ expect }) => {
    const rejected = [{ index: 1, errors: [{ path: "action", message: "Expected" }] }];
    const { batcher, failed, server } = setUp([
      { status: 202, body: { accepted: 1, ids: ["evt_0"], batch_id: "bat_1", rejected } },
    ]);
    batcher.add(event(0));
    batcher.add(event(1));
    await batcher.close();
    expect(server.asked[0]?.url).toContain("on_invalid=skip");
    expect(failed).toMatchObject([
      { error: { code: "invalid_event", errors: [{ index: 0, path: "action" }] }, events: [event(1)] },
    ]);
  });

  it("holds no more than it may, and says so", async ({ expect }) => {
    const { batcher, sizes } = setUp(takeAll, { maxPendingEvents: 4 });
    for (let n = 0; n < 4; n++) batcher.add(event(n));
    expect(() => batcher.add(event(4))).toThrow(expect.objectContaining({ code: "buffer_full" }));
    await batcher.flush();
    batcher.add(event(5));
    await batcher.close();
    expect(sizes()).toEqual([3, 1, 1]);
  });

  it("takes nothing after it was closed", async ({ expect }) => {
    const { batcher } = setUp();
    await batcher.close();
    expect(() => batcher.add(event(1))).toThrow(expect.objectContaining({ code: "closed" }));
  });

  it("refuses an event that is too large without losing the others", async ({ expect }) => {
    const { batcher, sizes } = setUp();
    batcher.add(event(1));
    const large = { ...event(2), note: "x".repeat(100_000) };
    expect(() => batcher.add(large)).toThrow(expect.objectContaining({ code: "payload_too_large" }));
    await batcher.close();
    expect(sizes()).toEqual([1]);
  });

  it("goes on sending when `onError` throws against its word", async ({ expect }) => {
    const throws = (): never => {
      throw new Error("a bug of the caller");
    };
    const { batcher, sizes } = setUp([problem(503, "unavailable"), receipt("evt_1")], { onError: throws });
    for (let n = 0; n < 4; n++) batcher.add(event(n));
    await batcher.close();
    expect(sizes()).toEqual([3, 1]);
  });

  it.for([
    { maxEvents: 0 },
    { maxEvents: 1_001 },
    { maxBytes: 5_000_001 },
    { maxDelayMs: 0 },
    { maxPendingEvents: 1.5 },
  ])("refuses the limits %j", (limits, { expect }) => {
    expect(() => setUp(takeAll, limits)).toThrow(TypeError);
  });
});
