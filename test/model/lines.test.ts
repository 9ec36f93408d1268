import fc from "fast-check";
import { describe, it } from "vitest";
import { byteLength, utf8 } from "../../src/base/bytes.ts";
import { fromLine, type RelayEvent, toLine } from "../../src/model/event.ts";
import { concat, packEvents, packLines, unpackLines } from "../../src/model/lines.ts";
import { anEvent } from "../support/lines.ts";

/** As in `model/lines.ts`. */
const HEADER_BYTES = 5;
const FRAME_BYTES = 125_000;

/** Characters that look random and are the same in each run: 1 byte each and hardly to be compressed. */
function noise(length: number, seed = 1): string {
  let state = seed;
  let text = "";
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += String.fromCharCode(35 + ((state >>> 8) % 57)) + String.fromCharCode(35 + ((state >>> 16) % 57));
  }
  return text.slice(0, length).replaceAll("\\", "/");
}

/** Events of so many bytes each, as lines. */
function ofBytes(bytes: number, count: number, pad: (length: number, seed: number) => string): RelayEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const empty = byteLength(toLine(anEvent(`e-${index}`, { pad: "" })));
    return anEvent(`e-${index}`, { pad: pad(Math.max(0, bytes - empty), index + 1) });
  });
}

const same = (length: number): string => "x".repeat(length);

/** Whether each frame is compressed, and its length before that is not looked at. */
function frames(packed: Uint8Array): readonly boolean[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const found: boolean[] = [];
  for (let at = 0; at < packed.byteLength; at += HEADER_BYTES + view.getUint32(at + 1)) {
    found.push(view.getUint8(at) === 1);
  }
  return found;
}

const anyEvents = fc
  .array(
    fc.record({ pad: fc.string({ unit: "binary", maxLength: 300 }), times: fc.integer({ min: 1, max: 60 }) }),
    {
      minLength: 1,
      maxLength: 60,
    },
  )
  .map((all) =>
    all.map(({ pad, times }, index) => anEvent(`e-${index}`, { pad: pad.toWellFormed().repeat(times) })),
  );

describe("packed lines", () => {
  it("come back as they were, whatever is in them", ({ expect }) => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        expect(unpackLines(packEvents(events).packed)).toEqual(events.map(toLine));
      }),
    );
  });

  it("are the same whether the events were read or not", ({ expect }) => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        expect(packLines(events.map(toLine))).toEqual(packEvents(events));
      }),
      { numRuns: 30 },
    );
  });

  it("say how many they are, how long they were, and when the earliest happened", ({ expect }) => {
    fc.assert(
      fc.property(anyEvents, fc.array(fc.integer({ min: 0, max: 2e12 })), (events, times) => {
        const timed = events.map((event, index) => ({ ...event, at: times[index] ?? event.at }));
        const { count, bytes, firstAt } = packEvents(timed);
        expect(count).toBe(timed.length);
        expect(bytes).toBe(timed.reduce((sum, event) => sum + byteLength(toLine(event)) + 1, 0));
        expect(firstAt).toBe(Math.min(...timed.map(({ at }) => at)));
      }),
      { numRuns: 50 },
    );
  });

  it("put together are the packed form of all", ({ expect }) => {
    fc.assert(
      fc.property(fc.array(anyEvents, { maxLength: 5 }), (groups) => {
        const whole = concat(groups.map((events) => packEvents(events).packed));
        expect(unpackLines(whole)).toEqual(groups.flat().map(toLine));
      }),
      { numRuns: 50 },
    );
    expect(concat([]).byteLength).toBe(0);
  });

  const sizes = [1, 2].flatMap((count) =>
    [-1, 0, 1, 2].map((more) => [Math.floor(FRAME_BYTES / count) + more - (count - 1), count] as const),
  );

  it.for([
    ...sizes.filter(([, count]) => count > 1),
    [100_000, 1],
    [100_000, 3],
    [500, 1_000],
    [100, 1_000],
    [7_999, 1],
    [8_000, 1],
  ] as const)(
    "come back: %i bytes each, %i of them, whether they shrink or not",
    ([bytes, count], { expect }) => {
      for (const pad of [same, noise]) {
        const events = ofBytes(bytes, count, pad);
        const lines = packEvents(events);
        expect(lines.bytes).toBe(events.reduce((sum, event) => sum + byteLength(toLine(event)) + 1, 0));
        expect(unpackLines(lines.packed)).toEqual(events.map(toLine));
        // Never more than what they were, but for a header each.
        expect(lines.packed.byteLength).toBeLessThanOrEqual(lines.bytes + HEADER_BYTES * count);
      }
    },
  );

  it("are compressed where it is worth it, in frames that are no longer than one may be", ({ expect }) => {
    expect(frames(packEvents(ofBytes(500, 4, same)).packed)).toEqual([false]);
    expect(frames(packEvents(ofBytes(500, 100, same)).packed)).toEqual([true]);
    expect(frames(packEvents(ofBytes(62_499, 2, same)).packed)).toEqual([true]);
    expect(frames(packEvents(ofBytes(62_500, 2, same)).packed)).toEqual([true, true]);
    expect(frames(packEvents(ofBytes(100_000, 1, noise)).packed)).toEqual([false]);
  });

  it("hold a line with a lone half of a pair as its UTF-8, which has U+FFFD there", ({ expect }) => {
    const { packed } = packEvents([
      anEvent("e-0", { pad: "" }),
      { ...anEvent("e-1"), json: '{"a":"\ud800"}' },
    ]);
    expect(unpackLines(packed)[1]).toContain('{"a":"\ufffd"}');
  });
});

describe("packed lines that changed since", () => {
  const events = ofBytes(200, 60, (length, seed) => noise(length / 4, seed) + same(length - length / 4));
  const lines = events.map(toLine);
  const { packed } = packEvents(events);

  it("are never read as other lines, whichever bit of a compressed frame was flipped", ({ expect }) => {
    expect(frames(packed)).toEqual([true]);
    let refused = 0;
    for (let at = 0; at < packed.byteLength; at += 1) {
      const changed = packed.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      try {
        expect(unpackLines(changed), `byte ${at}`).toEqual(lines); // a few bits mean nothing
      } catch (error) {
        if (error instanceof Error && error.name === "AssertionError") throw error;
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(packed.byteLength * 0.95);
  });

  it("are never read when they end too early", ({ expect }) => {
    for (let length = 1; length < packed.byteLength; length += 7) {
      expect(() => unpackLines(packed.subarray(0, length)), `${length} bytes`).toThrow();
    }
    const small = packEvents([anEvent("e-0")]).packed;
    for (let length = 1; length < small.byteLength; length += 1) {
      expect(() => unpackLines(small.subarray(0, length)), `${length} bytes`).toThrow();
    }
  });

  it("are never read when they are no UTF-8", ({ expect }) => {
    const { packed: plain } = packEvents([anEvent("e-0", { pad: "é" })]);
    const at = plain.indexOf(0xc3);
    const changed = plain.slice();
    changed[at] = 0xff;
    expect(() => unpackLines(changed)).toThrow();
  });

  it("are read from the middle of other bytes too", ({ expect }) => {
    const around = concat([utf8("before"), packed, utf8("behind")]);
    expect(unpackLines(around.subarray(6, 6 + packed.byteLength))).toEqual(events.map(toLine));
  });
});

it("lines that nobody has read yet keep the time that they carry", ({ expect }) => {
  const event = anEvent("e-0");
  expect(fromLine(toLine(event)).at).toBe(event.at);
  expect(packLines([toLine(event)]).firstAt).toBe(event.at);
});
