import fc from "fast-check";
import { describe, it } from "vitest";
import { byteLength, toBase64 } from "../../../src/base/bytes.ts";
import { decodeMessage, type QueuedPart } from "../../../src/flow/queue/message.ts";
import {
  group,
  type Outgoing,
  type ProduceDeps,
  pack,
  partNumber,
  produce,
  produceAll,
  type Sized,
} from "../../../src/flow/queue/produce.ts";
import {
  MAX_EVENT_BYTES,
  MAX_EVENTS_PER_REQUEST,
  type RelayEvent,
  toLine,
} from "../../../src/model/event.ts";
import { bytesOf as bytesOfLines, FRAME_BYTES, writeLines } from "../../../src/model/lines.ts";
import { seeded } from "../../prove/random.ts";
import { linesOf } from "../../support/lines.ts";

/** What the platform refuses, with the 100 bytes that it counts to each message, and what it bills as one operation. */
const PLATFORM = { messageBytes: 128_000, callMessages: 100, callBytes: 256_000, overhead: 100 };
const OPERATION_BYTES = 64_000;
/** An event of the largest size with everything filled in. */
const MAX_JSON_BYTES = MAX_EVENT_BYTES + 1_000;

const outgoing = (events: readonly RelayEvent[], more: Partial<Outgoing> = {}): Outgoing => ({
  tenantId: "ten_018f3a",
  batchId: "bat_0123456789abcdef0123456789abcdef",
  acceptedAt: 1_782_822_896_789,
  lines: writeLines(events),
  ...more,
});

/** What fills an event up: a character that repeats, of one byte or of two, or noise, which does not shrink. */
type Filling = "x" | "é" | "noise";

function noise(bytes: number, seed: string): string {
  const random = seeded(seed);
  const some = Uint8Array.from({ length: Math.ceil((bytes * 3) / 4) }, () => random.between(0, 255));
  return toBase64(some).slice(0, bytes);
}

/** An event of so many bytes of JSON, numbered so that order shows. */
function event(index: number, bytes: number, filling: Filling = "x"): RelayEvent {
  const json = (note: string): string => `{"n":"${note}"}`;
  const room = Math.max(0, bytes - json("").length);
  const note =
    filling === "noise" ? noise(room, `${index}`) : filling.repeat(Math.floor(room / byteLength(filling)));
  return { id: `evt_${index}`, at: 1, action: "a.b", json: json(note) };
}

const events = (count: number, bytes: number, filling: Filling = "x"): readonly RelayEvent[] =>
  Array.from({ length: count }, (_, index) => event(index, bytes, filling));

const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 40, max: 900 }) },
  { weight: 3, arbitrary: fc.integer({ min: 10_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 63_500, max: MAX_JSON_BYTES }) },
);
const specs = (...fillings: readonly Filling[]) =>
  fc.array(fc.record({ size, filling: fc.constantFrom(...fillings) }), { minLength: 1, maxLength: 60 });
const made = (list: readonly { size: number; filling: Filling }[]): readonly RelayEvent[] =>
  list.map((one, index) => event(index, one.size, one.filling));
/** Events of many sizes; some of characters that are two bytes each, some that do not shrink. */
const someEvents = specs("x", "é", "noise").map(made);

/** A queue that remembers each call and lets those fail whose number is given. */
function aQueue(failing: readonly number[] = []) {
  const calls: Uint8Array[][] = [];
  const names: string[] = [];
  const deps: ProduceDeps = {
    async sendBatch(messages, batchId) {
      calls.push(messages.map(({ body }) => body));
      names.push(batchId);
      if (failing.includes(calls.length - 1)) throw new Error("Queue is overloaded");
    },
  };
  return { ...deps, calls, names };
}

function partsOf(body: Uint8Array): readonly QueuedPart[] {
  const decoded = decodeMessage(body);
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value;
}

/** Which events of the batch each part holds, by what is in it. */
const cutsOf = (batch: Outgoing): readonly string[] =>
  pack(batch).map(({ body }) => {
    const ids = linesOf(partsOf(body).map(({ part }) => part)).map((line) => line.split("\t")[0]);
    return `${ids[0]} to ${ids.at(-1)}, ${ids.length} in all`;
  });

describe("putting a batch on the queue", () => {
  it("brings every event, in order, in parts whose numbers say which events they hold", async ({
    expect,
  }) => {
    await fc.assert(
      fc.asyncProperty(someEvents, async (batch) => {
        const queue = aQueue();
        expect(await produce(outgoing(batch), queue)).toBe(true);
        const parts = queue.calls.flat().flatMap(partsOf);
        expect(linesOf(parts.map(({ part }) => part))).toEqual(batch.map(toLine));
        let from = 0;
        for (const { tenantId, part } of parts) {
          const { tenantId: tenant, batchId } = outgoing(batch);
          expect([tenantId, part.batchId]).toEqual([tenant, batchId]);
          expect(part.part).toBe(partNumber(from, part.lines.count));
          from += part.lines.count;
        }
      }),
      { numRuns: 60 },
    );
  });

  it("never makes a message or a call that the platform refuses", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(someEvents, async (batch) => {
        const queue = aQueue();
        await produce(outgoing(batch), queue);
        for (const bodies of queue.calls) {
          const sizes = bodies.map(({ byteLength: bytes }) => bytes + PLATFORM.overhead);
          expect(Math.max(...sizes)).toBeLessThanOrEqual(PLATFORM.messageBytes);
          expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(PLATFORM.callBytes);
          expect(bodies.length).toBeLessThanOrEqual(PLATFORM.callMessages);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("stays, where parts share a message, within what is billed as one operation", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(someEvents, { minLength: 1, maxLength: 5 }), async (batches) => {
        const queue = aQueue();
        await produceAll(
          batches.map((batch) => outgoing(batch)),
          queue,
        );
        for (const body of queue.calls.flat()) {
          if (partsOf(body).length === 1) continue;
          expect(body.byteLength + PLATFORM.overhead).toBeLessThanOrEqual(OPERATION_BYTES);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("fills a message as long as the next part fits", ({ expect }) => {
    fc.assert(
      fc.property(fc.array(someEvents, { minLength: 1, maxLength: 5 }), (batches) => {
        const parts = batches.flatMap((batch) => pack(outgoing(batch)));
        const messages = group(parts).flat();
        let next = 0;
        for (const { body } of messages) {
          const held = partsOf(body).length;
          const open = parts.slice(next, next + held);
          next += held;
          const following = parts[next];
          if (following === undefined) break;
          const sum = [...open, following].reduce((total, part) => total + part.size, 0);
          expect(sum).toBeGreaterThan(OPERATION_BYTES - PLATFORM.overhead);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("takes one operation for a hundred events of 500 bytes", async ({ expect }) => {
    const queue = aQueue();
    // Of one kind, as audit events are; what tells them apart are ids, times and hashes.
    const one = (index: number): RelayEvent => {
      const hash = noise(64, `${index}`);
      const about = { action: "user.login", actor_id: `user-${index}`, service: "trust-registry", hash };
      const json = JSON.stringify({ ...about, note: "a sentence that is the same in each. ".repeat(9) });
      return { id: `evt_${index}`, at: index, action: "user.login", json };
    };
    const batch = Array.from({ length: 100 }, (_, index) => one(index));
    expect(Math.min(...batch.map(({ json }) => byteLength(json)))).toBeGreaterThan(450);
    await produce(outgoing(batch), queue);
    expect(queue.calls.map((bodies) => bodies.length)).toEqual([1]);
    expect(queue.calls[0]?.[0]?.byteLength).toBeLessThan(OPERATION_BYTES / 3);
  });

  it("takes one operation even for a thousand events where they shrink enough", ({ expect }) => {
    const [first, ...more] = group(pack(outgoing(events(1_000, 500)))).flat();
    expect([first !== undefined && first.size <= OPERATION_BYTES, more]).toEqual([true, []]);
  });

  it("carries an event of the largest size in one message, beside others and alone, whether it shrinks or not", ({
    expect,
  }) => {
    for (const filling of ["x", "noise"] as const) {
      const batch = [event(0, 100_000), event(1, MAX_JSON_BYTES, filling), event(2, 90_000)];
      const parts = pack(outgoing(batch)).map(({ body }) => linesOf(partsOf(body).map(({ part }) => part)));
      expect(parts.flat()).toEqual(batch.map(toLine));
      const [large] = pack(outgoing([event(0, MAX_JSON_BYTES, filling)]));
      expect(large?.size).toBeLessThanOrEqual(PLATFORM.messageBytes);
    }
  });

  it("counts the bytes of each message as the platform does", ({ expect }) => {
    fc.assert(
      fc.property(someEvents, (batch) => {
        const parts = pack(outgoing(batch));
        for (const { body, size: counted } of [...parts, ...group(parts).flat()])
          expect(counted).toBe(body.byteLength + PLATFORM.overhead);
      }),
      { numRuns: 30 },
    );
  });
});

describe("where a batch is cut", () => {
  it("depends on the lengths of the events alone, so that a lane recognises the parts of a repeat", ({
    expect,
  }) => {
    const batches = specs("x", "é", "noise");
    fc.assert(
      fc.property(batches, fc.nat({ max: 86_400_000 * 30 }), (list, later) => {
        const events = made(list);
        const others = events.map((one) => ({
          ...one,
          json: one.json.replace(/[a-zé]/g, (letter) => ({ x: "y", é: "ü", y: "x" })[letter] ?? letter),
        }));
        const first = outgoing(events);
        const again = { ...outgoing(others), acceptedAt: first.acceptedAt + later };
        expect(cutsOf(again)).toEqual(cutsOf(first));
        expect(numbersOf(again)).toEqual(numbersOf(first));
      }),
      { numRuns: 60 },
    );
  });

  it("gives as few parts as hold all, each within its bytes", ({ expect }) => {
    fc.assert(
      fc.property(someEvents, (batch) => {
        const parts = pack(outgoing(batch)).flatMap(({ body }) => partsOf(body));
        for (const { part } of parts) expect(part.lines.bytes).toBeLessThanOrEqual(FRAME_BYTES);
        // Where events are small beside a part; large ones fill parts badly.
        const lines = writeLines(batch);
        const bytes = bytesOfLines(lines, 0, batch.length);
        const isFine = batch.every(({ json }) => byteLength(json) < 1_000);
        if (isFine) expect(parts.length).toBeLessThanOrEqual(Math.ceil((bytes + 2_000) / FRAME_BYTES));
      }),
      { numRuns: 100 },
    );
  });

  it("gives parts about as large as each other, not full ones and a rest", ({ expect }) => {
    const counts = (count: number): readonly number[] =>
      pack(outgoing(events(count, 700))).flatMap(({ body }) =>
        partsOf(body).map(({ part }) => part.lines.count),
      );
    expect(counts(100)).toEqual([100]);
    for (const count of [180, 250, 500, 1_000]) {
      const all = counts(count);
      expect(all.reduce((sum, each) => sum + each)).toBe(count);
      expect(Math.max(...all) - Math.min(...all), all.join()).toBeLessThanOrEqual(all.length);
    }
  });
});

const numbersOf = (batch: Outgoing): readonly number[] =>
  pack(batch).flatMap(({ body }) => partsOf(body).map(({ part }) => part.part));

describe("the number of a part", () => {
  const most = MAX_EVENTS_PER_REQUEST;

  it("is no other part's of the batch, however that may be cut", ({ expect }) => {
    const numbers = new Set<number>();
    let parts = 0;
    for (let from = 0; from < most; from += 1)
      for (let count = 1; from + count <= most; count += 1) {
        numbers.add(partNumber(from, count));
        parts += 1;
      }
    expect(numbers.size).toBe(parts);
    expect(Math.max(...[partNumber(0, most), partNumber(most - 1, 1)])).toBeLessThan(2 ** 31);
  });

  it("is not that of a part with other events that an earlier relay cut, or a repeat across an update would lose them", ({
    expect,
  }) => {
    // It counted parts from 0, at most one an event.
    for (const count of [1, 2, most]) expect(partNumber(0, count)).toBeGreaterThanOrEqual(most);
  });
});

describe("several batches at once", () => {
  it("share messages, each part under its own tenant and batch, in order", async ({ expect }) => {
    const queue = aQueue();
    const batches = Array.from({ length: 40 }, (_, index) =>
      outgoing([event(index, 300)], { tenantId: `ten_${index % 3}`, batchId: `bat_${index}` }),
    );
    expect(await produceAll(batches, queue)).toBe(true);
    expect(queue.calls.map((bodies) => bodies.length)).toEqual([1]);
    const parts = queue.calls.flat().flatMap(partsOf);
    expect(parts.map(({ tenantId, part }) => [tenantId, part.batchId])).toEqual(
      batches.map(({ tenantId, batchId }) => [tenantId, batchId]),
    );
    expect(queue.names).toEqual(["bat_0"]);
  });

  it("that are none need no call", async ({ expect }) => {
    const queue = aQueue();
    expect(await produceAll([], queue)).toBe(true);
    expect(queue.calls).toEqual([]);
  });
});

describe("grouping parts into messages and these into calls", () => {
  const parts = (sizes: readonly number[]): readonly Sized[] =>
    sizes.map((bytes, index) => ({
      body: new Uint8Array(bytes - PLATFORM.overhead).fill(index % 251),
      size: bytes,
    }));
  const bytesOf = (all: readonly Sized[]): readonly number[] => all.flatMap(({ body }) => [...body]);

  it("keeps every byte, in order, within all limits", ({ expect }) => {
    const sizes = fc.array(fc.integer({ min: 110, max: 128_000 }), { maxLength: 12 });
    const many = fc.array(fc.integer({ min: 110, max: 3_000 }), { maxLength: 300 });
    fc.assert(
      fc.property(fc.oneof(sizes, many), (list) => {
        const given = parts(list);
        const calls = group(given);
        expect(Buffer.compare(Buffer.from(bytesOf(calls.flat())), Buffer.from(bytesOf(given)))).toBe(0);
        for (const call of calls) {
          expect(call.length).toBeGreaterThan(0);
          expect(call.length).toBeLessThanOrEqual(PLATFORM.callMessages);
          expect(call.reduce((sum, one) => sum + one.size, 0)).toBeLessThanOrEqual(PLATFORM.callBytes);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("never needs a call of more than a hundred messages, however small the parts are", ({ expect }) => {
    for (const bytes of [110, 450, 31_000, 32_000, 63_900, 64_000]) {
      const calls = group(parts(Array.from({ length: 600 }, () => bytes)));
      expect(Math.max(...calls.map(({ length }) => length))).toBeLessThanOrEqual(PLATFORM.callMessages);
    }
  });
});

describe("a queue that fails", () => {
  const batch = events(12, 60_000, "noise");

  it("in one of several calls has not accepted the batch", async ({ expect }) => {
    const whole = aQueue();
    expect(await produce(outgoing(batch), whole)).toBe(true);
    expect(whole.calls.length).toBeGreaterThan(2);
    for (const failing of whole.calls.keys()) {
      expect(await produce(outgoing(batch), aQueue([failing]))).toBe(false);
    }
  });

  it("is never a reason to throw", async ({ expect }) => {
    expect(await produce(outgoing([event(0, 40)]), aQueue([0]))).toBe(false);
  });
});
