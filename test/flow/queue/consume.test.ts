import fc from "fast-check";
import { describe, it } from "vitest";
import { utf8 } from "../../../src/base/bytes.ts";
import { minutes, seconds } from "../../../src/base/clock.ts";
import { type ConsumeDeps, consume, handOverDelay, type Message } from "../../../src/flow/queue/consume.ts";
import { encodePart } from "../../../src/flow/queue/message.ts";
import type { BatchPart } from "../../../src/model/lane.ts";
import { concat } from "../../../src/model/lines.ts";
import { aPart } from "../../support/lines.ts";

/** Everything that happened, in order: `handed ten_1`, `ack m1`, `retry m2 in 2 s`. */
type Story = string[];

function aMessage(story: Story, id: string, body: unknown, attempts = 1): Message {
  return {
    id,
    body,
    attempts,
    ack: () => story.push(`ack ${id}`),
    retry: ({ delaySeconds }) => story.push(`retry ${id} in ${delaySeconds} s`),
  };
}

const bodyOf = (tenantId: string, batchId: string, part = 0): Uint8Array<ArrayBuffer> =>
  encodePart({ tenantId, part: aPart(batchId, 2, { part }) });
/** A message of several parts, each written `ten_1/bat_1`. */
const sharedBy = (...names: readonly string[]): Uint8Array<ArrayBuffer> =>
  concat(
    names.map((name) => {
      const [tenantId = "", batchId = ""] = name.split("/");
      return bodyOf(tenantId, batchId);
    }),
  );

/** Lanes that take everything but the batches named, and all of nothing for a tenant that is down. */
function lanes(story: Story, { refused = [], down = [] }: { refused?: string[]; down?: string[] } = {}) {
  const handed = new Map<string, readonly BatchPart[]>();
  const deps: ConsumeDeps = {
    async handOver(tenantId, parts) {
      await Promise.resolve();
      story.push(`handed ${tenantId}`);
      handed.set(tenantId, parts);
      if (down.includes(tenantId)) throw new Error("database unreachable");
      return { failed: new Set(parts.filter(({ batchId }) => refused.includes(batchId))) };
    },
    complain: (what, facts) => story.push(`${what} ${String(facts["reason"] ?? facts["error"])}`),
  };
  return { deps, handed };
}

describe("one delivery of the queue", () => {
  it("is acknowledged only after the lanes have it", async ({ expect }) => {
    const story: Story = [];
    await consume([aMessage(story, "m1", bodyOf("ten_1", "bat_1"))], lanes(story).deps);
    expect(story).toEqual(["handed ten_1", "ack m1"]);
  });

  it("hands a tenant's parts over in one call, in the order in which they came", async ({ expect }) => {
    const story: Story = [];
    const { deps, handed } = lanes(story);
    const messages = [
      aMessage(story, "m1", bodyOf("ten_1", "bat_1")),
      aMessage(story, "m2", bodyOf("ten_2", "bat_2")),
      aMessage(story, "m3", bodyOf("ten_1", "bat_3", 1)),
    ];
    await consume(messages, deps);
    expect(handed.get("ten_1")).toEqual([aPart("bat_1", 2), aPart("bat_3", 2, { part: 1 })]);
    expect(handed.get("ten_2")).toEqual([aPart("bat_2", 2)]);
    expect(story.filter((event) => event.startsWith("handed"))).toHaveLength(2);
  });

  it("is not held back by one bad message", async ({ expect }) => {
    const story: Story = [];
    const messages = [
      aMessage(story, "good", bodyOf("ten_1", "bat_1")),
      aMessage(story, "bad", { surprising: true }),
      aMessage(story, "also good", bodyOf("ten_1", "bat_2")),
    ];
    await consume(messages, lanes(story).deps);
    expect(story).toEqual([
      "message.unreadable neither text nor bytes",
      "retry bad in 2 s",
      "handed ten_1",
      "ack good",
      "ack also good",
    ]);
  });

  it("of a version that nobody knows yet is retried and never acknowledged", async ({ expect }) => {
    const story: Story = [];
    const newer = bodyOf("ten_1", "bat_1");
    newer.set(utf8('{"v":3'));
    await consume([aMessage(story, "newer", newer, 3)], lanes(story).deps);
    expect(story).toEqual(["message.unreadable unknown version or header", "retry newer in 8 s"]);
  });

  it("repeats exactly the parts that some lane could not take", async ({ expect }) => {
    const story: Story = [];
    const messages = ["bat_1", "bat_2", "bat_3"].map((batch) =>
      aMessage(story, batch, bodyOf("ten_1", batch)),
    );
    await consume(messages, lanes(story, { refused: ["bat_2"] }).deps);
    expect(story).toEqual(["handed ten_1", "ack bat_1", "retry bat_2 in 2 s", "ack bat_3"]);
  });

  it("delays only the tenant whose hand-over fails", async ({ expect }) => {
    const story: Story = [];
    const messages = [
      aMessage(story, "a1", bodyOf("ten_a", "bat_1")),
      aMessage(story, "b1", bodyOf("ten_b", "bat_2")),
      aMessage(story, "a2", bodyOf("ten_a", "bat_3")),
    ];
    await consume(messages, lanes(story, { down: ["ten_a"] }).deps);
    expect(story.filter((event) => /^(ack|retry) /.test(event)).sort()).toEqual([
      "ack b1",
      "retry a1 in 2 s",
      "retry a2 in 2 s",
    ]);
    expect(story).toContain("hand_over.failed Error: database unreachable");
  });

  it("acknowledges one tenant's messages while another's lanes are slow", async ({ expect }) => {
    const story: Story = [];
    const slow = Promise.withResolvers<void>();
    const acked = Promise.withResolvers<void>();
    const quick = { ...aMessage(story, "quick", bodyOf("ten_b", "bat_2")), ack: () => acked.resolve() };
    const done = consume([aMessage(story, "slow", bodyOf("ten_a", "bat_1")), quick], {
      async handOver(tenantId) {
        if (tenantId === "ten_a") await slow.promise;
        return { failed: new Set() };
      },
      complain: () => undefined,
    });
    await acked.promise;
    expect(story).toEqual([]);
    slow.resolve();
    await done;
    expect(story).toEqual(["ack slow"]);
  });

  it("settles every message exactly once, whatever fails", async ({ expect }) => {
    const kinds = fc.array(fc.constantFrom("fine", "refused", "down", "unreadable"), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(kinds, async (list) => {
        const story: Story = [];
        const messages = list.map((kind, index) => {
          const tenant = kind === "down" ? "ten_down" : `ten_${index % 3}`;
          const body = kind === "unreadable" ? "?" : bodyOf(tenant, kind === "refused" ? "no" : "yes", index);
          return aMessage(story, String(index), body);
        });
        await consume(messages, lanes(story, { refused: ["no"], down: ["ten_down"] }).deps);
        const settled = story.filter((event) => /^(ack|retry) /.test(event)).sort();
        const expected = list.map((kind, index) =>
          kind === "fine" ? `ack ${index}` : `retry ${index} in 2 s`,
        );
        expect(settled).toEqual(expected.sort());
      }),
      { numRuns: 50 },
    );
  });
});

describe("a message of several parts", () => {
  const settled = (story: Story): string[] => story.filter((event) => /^(ack|retry) /.test(event));

  it("is handed over to every tenant that it concerns, with what else came for each", async ({ expect }) => {
    const story: Story = [];
    const { deps, handed } = lanes(story);
    const messages = [
      aMessage(story, "m1", sharedBy("ten_1/bat_1", "ten_2/bat_2", "ten_1/bat_3")),
      aMessage(story, "m2", bodyOf("ten_2", "bat_4")),
    ];
    await consume(messages, deps);
    const batches = [...handed].map(([tenant, parts]) => [tenant, parts.map(({ batchId }) => batchId)]);
    expect(batches).toEqual([
      ["ten_1", ["bat_1", "bat_3"]],
      ["ten_2", ["bat_2", "bat_4"]],
    ]);
    expect(story).toEqual(["handed ten_1", "handed ten_2", "ack m1", "ack m2"]);
  });

  it("is acknowledged only after the last of its tenants has all of it", async ({ expect }) => {
    const story: Story = [];
    const slow = Promise.withResolvers<void>();
    const quick = Promise.withResolvers<void>();
    const done = consume([aMessage(story, "m1", sharedBy("ten_quick/bat_1", "ten_slow/bat_2"))], {
      async handOver(tenantId) {
        if (tenantId === "ten_slow") await slow.promise;
        else quick.resolve();
        return { failed: new Set() };
      },
      complain: () => undefined,
    });
    await quick.promise;
    await Promise.resolve();
    expect(story).toEqual([]);
    slow.resolve();
    await done;
    expect(story).toEqual(["ack m1"]);
  });

  it("comes again as a whole when a lane could not take one of its parts", async ({ expect }) => {
    for (const position of [0, 1, 2]) {
      const story: Story = [];
      const names = ["yes", "yes", "yes"].with(position, "no").map((batch) => `ten_1/${batch}`);
      const messages = [
        aMessage(story, "m1", sharedBy(...names)),
        aMessage(story, "m2", sharedBy("ten_1/yes")),
      ];
      await consume(messages, lanes(story, { refused: ["no"] }).deps);
      expect(settled(story)).toEqual(["retry m1 in 2 s", "ack m2"]);
    }
  });

  it("comes again when one of its tenants cannot be served, and no other message does", async ({
    expect,
  }) => {
    const story: Story = [];
    const messages = [
      aMessage(story, "both", sharedBy("ten_up/bat_1", "ten_down/bat_2")),
      aMessage(story, "up", sharedBy("ten_up/bat_3", "ten_too/bat_4")),
      aMessage(story, "down", sharedBy("ten_down/bat_5")),
    ];
    await consume(messages, lanes(story, { down: ["ten_down"] }).deps);
    expect(settled(story).sort()).toEqual(["ack up", "retry both in 2 s", "retry down in 2 s"]);
  });

  it("is settled once, and acknowledged exactly when every part of every tenant was taken", async ({
    expect,
  }) => {
    const part = fc.constantFrom("ten_1/yes", "ten_2/yes", "ten_3/yes", "ten_1/no", "ten_down/yes");
    const some = fc.array(fc.array(part, { minLength: 1, maxLength: 6 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(some, async (list) => {
        const story: Story = [];
        const messages = list.map((names, index) => aMessage(story, String(index), sharedBy(...names)));
        await consume(messages, lanes(story, { refused: ["no"], down: ["ten_down"] }).deps);
        const expected = list.map((names, index) =>
          names.some((name) => /no|down/.test(name)) ? `retry ${index} in 2 s` : `ack ${index}`,
        );
        expect(settled(story).sort()).toEqual(expected.sort());
      }),
      { numRuns: 50 },
    );
  });

  it("is handed over in no part where one of them cannot be read", async ({ expect }) => {
    const story: Story = [];
    const body = concat([sharedBy("ten_1/bat_1"), sharedBy("ten_2/bat_2").slice(0, -1)]);
    await consume([aMessage(story, "m1", body)], lanes(story).deps);
    expect(story).toEqual(["message.unreadable incomplete", "retry m1 in 2 s"]);
  });
});

describe("the pause before a message comes again", () => {
  it("starts at two seconds and doubles", ({ expect }) => {
    expect([1, 2, 3, 4].map(handOverDelay)).toEqual([2, 4, 8, 16].map(seconds));
  });

  it("never grows beyond a quarter of an hour", ({ expect }) => {
    expect(handOverDelay(10)).toBe(minutes(15));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (attempts) => {
        expect(handOverDelay(attempts)).toBeLessThanOrEqual(minutes(15));
        expect(handOverDelay(attempts + 1)).toBeGreaterThanOrEqual(handOverDelay(attempts));
      }),
    );
  });
});
