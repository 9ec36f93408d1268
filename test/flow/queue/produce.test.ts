import fc from "fast-check";
import { describe, it } from "vitest";
import { byteLength } from "../../../src/base/bytes.ts";
import { decodeMessage, headerLine } from "../../../src/flow/queue/message.ts";
import {
  group,
  type Outgoing,
  type ProduceDeps,
  pack,
  produce,
  TARGET_MESSAGE_BYTES,
} from "../../../src/flow/queue/produce.ts";
import { MAX_EVENT_BYTES } from "../../../src/model/event.ts";
import type { BatchPart } from "../../../src/model/lane.ts";

/** What the platform refuses, with the 100 bytes that it counts to each message. */
const PLATFORM = { messageBytes: 128_000, callMessages: 100, callBytes: 256_000, overhead: 100 };
/** An event of the largest size with everything filled in and its line around it. */
const MAX_LINE_BYTES = MAX_EVENT_BYTES + 1_000;

const outgoing = (lines: readonly string[], more: Partial<Outgoing> = {}): Outgoing => ({
  tenantId: "ten_018f3a",
  batchId: "bat_0123456789abcdef0123456789abcdef",
  acceptedAt: 1_782_822_896_789,
  lines,
  ...more,
});

const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 40, max: 900 }) },
  { weight: 3, arbitrary: fc.integer({ min: 10_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 63_500, max: MAX_LINE_BYTES }) },
);
/** An event line of so many bytes, numbered so that order shows, filled up with a character of one byte or of two. */
function aLine(index: number, bytes: number, filling = "x"): string {
  const line = (note: string): string => `evt_${index}\t1\ta.b\t{"n":"${note}"}`;
  const room = Math.max(0, bytes - line("").length);
  return line(filling.repeat(Math.floor(room / byteLength(filling))));
}

/** Lines of many sizes; some of characters that are two bytes each. */
const someLines = fc
  .array(fc.record({ size, wide: fc.boolean() }), { minLength: 1, maxLength: 60 })
  .map((specs) => specs.map((spec, index) => aLine(index, spec.size, spec.wide ? "é" : "x")));

/** A queue that remembers each call and lets those fail whose number is given. */
function aQueue(failing: readonly number[] = []): ProduceDeps & { readonly calls: string[][] } {
  const calls: string[][] = [];
  return {
    calls,
    async sendBatch(messages) {
      calls.push(messages.map(({ body }) => body));
      if (failing.includes(calls.length - 1)) throw new Error("Queue is overloaded");
    },
  };
}

function partOf(body: string): BatchPart {
  const decoded = decodeMessage(body);
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value.part;
}

describe("putting a batch on the queue", () => {
  it("brings every line, in order, in messages numbered from 0", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(someLines, async (lines) => {
        const queue = aQueue();
        expect(await produce(outgoing(lines), queue)).toBe(true);
        const parts = queue.calls.flat().map(partOf);
        expect(parts.flatMap((part) => part.lines)).toEqual(lines);
        expect(parts.map(({ part }) => part)).toEqual(parts.map((_, index) => index));
        expect(new Set(parts.map(({ batchId }) => batchId))).toEqual(new Set([outgoing([]).batchId]));
      }),
      { numRuns: 60 },
    );
  });

  it("stays within what is billed as one operation unless a single event is larger", ({ expect }) => {
    fc.assert(
      fc.property(someLines, (lines) => {
        for (const { body } of pack(outgoing(lines))) {
          const bytes = byteLength(body) + PLATFORM.overhead;
          expect(bytes).toBeLessThanOrEqual(PLATFORM.messageBytes);
          if (partOf(body).lines.length > 1) expect(bytes).toBeLessThanOrEqual(64_000);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("fills a message as long as the next event fits", ({ expect }) => {
    fc.assert(
      fc.property(someLines, (lines) => {
        const bodies = pack(outgoing(lines)).map(({ body }) => body);
        for (const [index, body] of bodies.entries()) {
          const next = bodies[index + 1];
          if (next === undefined) continue;
          // The header is counted with room for a part number of four digits.
          const joined = byteLength(body) + 1 + byteLength(partOf(next).lines[0] ?? "") + 3;
          expect(joined).toBeGreaterThan(TARGET_MESSAGE_BYTES);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("never makes a call that the platform refuses", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(someLines, async (lines) => {
        const queue = aQueue();
        await produce(outgoing(lines), queue);
        for (const bodies of queue.calls) {
          const bytes = bodies.reduce((sum, body) => sum + byteLength(body) + PLATFORM.overhead, 0);
          expect(bytes).toBeLessThanOrEqual(PLATFORM.callBytes);
          expect(bodies.length).toBeLessThanOrEqual(PLATFORM.callMessages);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("takes one message for a thousand small events where they fit", ({ expect }) => {
    expect(pack(outgoing(Array.from({ length: 1_000 }, (_, index) => aLine(index, 60))))).toHaveLength(1);
  });

  it("gives a message of its own to an event of the largest size", ({ expect }) => {
    const lines = [aLine(0, 40), aLine(1, MAX_LINE_BYTES), aLine(2, 40)];
    const parts = pack(outgoing(lines)).map(({ body }) => partOf(body).lines);
    expect(parts).toEqual(lines.map((line) => [line]));
  });

  it("counts the bytes of each message exactly enough to rely on", ({ expect }) => {
    fc.assert(
      fc.property(someLines, (lines) => {
        for (const { body, bytes } of pack(outgoing(lines))) {
          expect(bytes).toBeGreaterThanOrEqual(byteLength(body) + PLATFORM.overhead);
          expect(bytes).toBeLessThanOrEqual(byteLength(body) + PLATFORM.overhead + 10);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("where a batch is cut", () => {
  it("depends on the lengths of the lines alone, so that a lane recognises the parts of a repeat", ({
    expect,
  }) => {
    const cuts = (batch: Outgoing): readonly number[] =>
      pack(batch).map(({ body }) => partOf(body).lines.length);
    fc.assert(
      fc.property(someLines, fc.nat({ max: 86_400_000 * 30 }), (lines, later) => {
        const others = lines.map((line) => line.replaceAll("x", "y").replaceAll("é", "ü"));
        const first = outgoing(lines);
        expect(cuts({ ...first, lines: others, acceptedAt: first.acceptedAt + later })).toEqual(cuts(first));
      }),
      { numRuns: 60 },
    );
  });
});

describe("grouping messages into calls", () => {
  const messages = (sizes: readonly number[]) =>
    sizes.map((bytes, index) => ({ body: String(index), bytes }));

  it("keeps every message, in order, within both limits", ({ expect }) => {
    const sizes = fc.array(fc.integer({ min: 110, max: 128_000 }), { maxLength: 20 });
    const many = fc.array(fc.integer({ min: 110, max: 3_000 }), { maxLength: 400 });
    fc.assert(
      fc.property(fc.oneof(sizes, many), (list) => {
        const packed = messages(list);
        const calls = group(packed);
        expect(calls.flat()).toEqual(packed);
        for (const call of calls) {
          expect(call.length).toBeGreaterThan(0);
          expect(call.length).toBeLessThanOrEqual(PLATFORM.callMessages);
          expect(call.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(PLATFORM.callBytes);
        }
      }),
    );
  });

  it("starts another call after a hundred messages however small they are", ({ expect }) => {
    const calls = group(messages(Array.from({ length: 201 }, () => 110)));
    expect(calls.map(({ length }) => length)).toEqual([100, 100, 1]);
  });
});

describe("a queue that fails", () => {
  const lines = Array.from({ length: 12 }, (_, index) => aLine(index, 60_000));

  it("in one of several calls has not accepted the batch", async ({ expect }) => {
    const whole = aQueue();
    expect(await produce(outgoing(lines), whole)).toBe(true);
    expect(whole.calls.length).toBeGreaterThan(2);
    for (const failing of whole.calls.keys()) {
      expect(await produce(outgoing(lines), aQueue([failing]))).toBe(false);
    }
  });

  it("is never a reason to throw", async ({ expect }) => {
    expect(await produce(outgoing([aLine(0, 40)]), aQueue([0]))).toBe(false);
  });
});

describe("the header", () => {
  it("takes as many bytes for any part of a batch of the largest size as were counted for it", ({
    expect,
  }) => {
    const bytes = (part: number): number =>
      byteLength(headerLine("ten_1", { batchId: "bat_1", part, acceptedAt: 1 }));
    for (const part of [0, 9, 99, 999]) expect(bytes(part)).toBeLessThanOrEqual(bytes(1_000));
  });
});
