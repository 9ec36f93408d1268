import fc from "fast-check";
import { describe, it } from "vitest";
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

  it("is smaller for a provider that takes less in a request", ({ expect }) => {
    const rows = cutChunks([aPart("bat_a", 30)], { events: 10, bytes: 100_000 });
    expect(rows.map(({ events }) => events)).toEqual([10, 10, 10]);
    const small = cutChunks([aPart("bat_a", 30)], { events: 1_000, bytes: 1_000 });
    expect(small.every(({ bytes }) => bytes <= 1_000)).toBe(true);
  });
});
