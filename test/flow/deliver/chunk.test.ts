import fc from "fast-check";
import { describe, it } from "vitest";
import { byteLength, utf8 } from "../../../src/base/bytes.ts";
import {
  CHUNK_BYTES,
  CHUNK_EVENTS,
  cutChunks,
  mergeManifests,
  type Segment,
  segmentAt,
  sliceManifest,
} from "../../../src/flow/deliver/chunk.ts";
import { type RelayEvent, toLine } from "../../../src/model/event.ts";
import type { BatchPart } from "../../../src/model/lane.ts";
import { concat } from "../../../src/model/lines.ts";
import type { RequestLimits } from "../../../src/model/provider.ts";
import { anEvent, aPart, aPartOf, linesOf } from "../../support/lines.ts";

const aManifest = fc.array(
  fc.tuple(fc.constantFrom("bat_a", "bat_b"), fc.nat({ max: 2 }), fc.integer({ min: 1, max: 6 })),
  { maxLength: 8 },
);

/** One entry an event: `batch/part`. What every function here must agree with. */
const eventsOf = (manifest: readonly Segment[]): string[] =>
  manifest.flatMap(([batchId, part, count]) => Array.from({ length: count }, () => `${batchId}/${part}`));

const aManifestAndKeep = aManifest.chain((manifest) => {
  const { length } = eventsOf(manifest);
  return fc.tuple(fc.constant(manifest), fc.array(fc.boolean(), { minLength: length, maxLength: length }));
});

describe("a slice of a manifest", () => {
  it("counts exactly the kept events, in their order", ({ expect }) => {
    fc.assert(
      fc.property(aManifestAndKeep, ([manifest, keep]) => {
        const kept = eventsOf(manifest).filter((_, index) => keep[index]);
        expect(eventsOf(sliceManifest(manifest, keep))).toEqual(kept);
      }),
    );
  });

  it("has no empty segment", ({ expect }) => {
    fc.assert(
      fc.property(aManifestAndKeep, ([manifest, keep]) => {
        for (const [, , count] of sliceManifest(manifest, keep)) expect(count).toBeGreaterThan(0);
      }),
    );
  });

  it("and the slice of the others make up the whole", ({ expect }) => {
    fc.assert(
      fc.property(aManifestAndKeep, ([manifest, keep]) => {
        const others = keep.map((kept) => !kept);
        const both = [...sliceManifest(manifest, keep), ...sliceManifest(manifest, others)];
        expect(eventsOf(both).sort()).toEqual(eventsOf(manifest).sort());
      }),
    );
  });
});

describe("merged manifests", () => {
  it("say the same of every event in fewer words", ({ expect }) => {
    fc.assert(
      fc.property(fc.array(aManifest, { maxLength: 4 }), (manifests) => {
        const merged = mergeManifests(manifests);
        expect(eventsOf(merged)).toEqual(manifests.flatMap(eventsOf));
        for (const [index, [batchId, part]] of merged.entries()) {
          const next = merged[index + 1];
          expect([next?.[0], next?.[1]]).not.toEqual([batchId, part]);
        }
      }),
    );
  });

  it("keep when the events were accepted, where that is said", ({ expect }) => {
    const given: readonly (readonly Segment[])[] = [
      [
        ["bat_a", 0, 2, 10],
        ["bat_b", 0, 1, 20],
      ],
      [["bat_b", 0, 3, 20]],
    ];
    expect(mergeManifests(given)).toEqual([
      ["bat_a", 0, 2, 10],
      ["bat_b", 0, 4, 20],
    ]);
  });

  it("do not change what was given", ({ expect }) => {
    const given: readonly (readonly Segment[])[] = [[["bat_a", 0, 2]], [["bat_a", 0, 3]]];
    expect(mergeManifests(given)).toEqual([["bat_a", 0, 5]]);
    expect(given).toEqual([[["bat_a", 0, 2]], [["bat_a", 0, 3]]]);
  });
});

describe("the segment at a position", () => {
  it("is that of the event there", ({ expect }) => {
    fc.assert(
      fc.property(aManifest, (manifest) => {
        const found = eventsOf(manifest).map((_, position) => segmentAt(manifest, position));
        expect(found.map(([batchId, part]) => `${batchId}/${part}`)).toEqual(eventsOf(manifest));
      }),
    );
  });

  it("outside the manifest is a bug and throws", ({ expect }) => {
    expect(() => segmentAt([["bat_a", 0, 2]], 2)).toThrow("outside its manifest");
    expect(() => segmentAt([], 0)).toThrow("outside its manifest");
  });
});

describe("a row", () => {
  it("carries the time of its oldest event, in whatever order parts come", ({ expect }) => {
    const chunks = cutChunks([
      aPart("late", 1, { acceptedAt: 1_030_000 }),
      aPart("early", 1, { acceptedAt: 1_000_000 }),
    ]);
    expect(chunks.map(({ acceptedAt }) => acceptedAt)).toEqual([1_000_000]);
  });

  it("of its own is what an event gets that is larger than a row", ({ expect }) => {
    const notes = ["a", "x".repeat(CHUNK_BYTES + 1), "b"];
    const events = notes.map((note, index) => anEvent(`evt_${index}`, { note }));
    const chunks = cutChunks([aPartOf("bat_a", events)]);
    expect(chunks.map((chunk) => linesOf([chunk]))).toEqual(events.map((event) => [toLine(event)]));
  });

  it("knows the earliest time of its events, in whatever order they happened", ({ expect }) => {
    const happened = (at: number): RelayEvent => ({ ...anEvent(`evt_${at}`), at });
    const parts = [aPartOf("bat_a", [50, -7, 90].map(happened)), aPartOf("bat_b", [happened(3)])];
    expect(cutChunks(parts).map(({ firstEventAt }) => firstEventAt)).toEqual([-7]);
  });

  it("names a part again where the part goes on from the row before", ({ expect }) => {
    const manifests = cutChunks([aPart("bat_a", CHUNK_EVENTS + 50, { part: 4 })]).map(
      ({ manifest }) => manifest,
    );
    expect(manifests).toEqual([[["bat_a", 4, CHUNK_EVENTS]], [["bat_a", 4, 50]]]);
  });

  it("holds parts as they came, unread, one behind the other", ({ expect }) => {
    const unreadable = (part: BatchPart): BatchPart => ({
      ...part,
      lines: { ...part.lines, packed: utf8(`packed lines of ${part.batchId}`) },
    });
    const parts = [aPart("bat_a", 2), aPart("bat_b", 3, { part: 5 })].map(unreadable);
    const [row, ...more] = cutChunks(parts);
    expect(more).toEqual([]);
    expect(row).toEqual({
      ...{ acceptedAt: 1_000_000, firstEventAt: parts[0]?.lines.firstAt, events: 5 },
      bytes: parts.reduce((sum, { lines }) => sum + lines.bytes, 0),
      manifest: [
        ["bat_a", 0, 2],
        ["bat_b", 5, 3],
      ],
      packed: concat(parts.map(({ lines }) => lines.packed)),
    });
  });

  it("holds exactly what fits, by number and by bytes before compression", ({ expect }) => {
    const parts = [aPart("bat_a", 4), aPart("bat_b", 6), aPart("bat_c", 1)];
    const bytes = parts.slice(0, 2).reduce((sum, { lines }) => sum + lines.bytes, 0);
    const events = (most: RequestLimits): readonly number[] =>
      cutChunks(parts, most).map((row) => row.events);
    expect(events({ events: 11, bytes: 100_000 })).toEqual([11]);
    expect(events({ events: 10, bytes: 100_000 })).toEqual([10, 1]);
    expect(events({ events: 9, bytes: 100_000 })).toEqual([4, 7]);
    expect(events({ events: 100, bytes })).toEqual([10, 1]);
    expect(events({ events: 100, bytes: bytes - 1 })).toEqual([4, 7]);
  });

  it("is what a part larger than the provider's limits is unpacked and cut into, its neighbours left as they are", ({
    expect,
  }) => {
    const some = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });
    const limits = fc.record({
      events: fc.integer({ min: 1, max: 300 }),
      bytes: fc.integer({ min: 200, max: 30_000 }),
    });
    fc.assert(
      fc.property(some, limits, (counts, most) => {
        const parts = counts.map((count, index) => aPart(`bat_${index}`, count, { part: index }));
        const rows = cutChunks(parts, most);
        expect(linesOf(rows)).toEqual(linesOf(parts));
        expect(rows.flatMap(({ manifest }) => eventsOf(manifest))).toEqual(
          parts.flatMap(({ batchId, part, lines }) => Array(lines.count).fill(`${batchId}/${part}`)),
        );
        for (const row of rows) {
          const lines = linesOf([row]);
          expect([row.events, row.bytes]).toEqual([lines.length, byteLength(lines.join("\n")) + 1]);
          expect(row.events).toBeLessThanOrEqual(most.events);
          expect(row.bytes).toBeLessThanOrEqual(most.bytes);
        }
        const whole = parts.filter(({ lines }) => lines.count <= most.events && lines.bytes <= most.bytes);
        for (const { lines } of whole)
          expect(rows.some(({ packed }) => Buffer.from(packed).includes(Buffer.from(lines.packed)))).toBe(
            true,
          );
      }),
      { numRuns: 50 },
    );
  });

  it("is smaller for a provider that takes less in a request", ({ expect }) => {
    const rows = cutChunks([aPart("bat_a", 30)], { events: 10, bytes: 100_000 });
    expect(rows.map(({ events }) => events)).toEqual([10, 10, 10]);
    const small = cutChunks([aPart("bat_a", 30)], { events: 1_000, bytes: 1_000 });
    expect(small.every(({ bytes }) => bytes <= 1_000)).toBe(true);
  });
});
