import fc from "fast-check";
import { describe, it } from "vitest";
import { byteLength } from "../../../src/base/bytes.ts";
import { CHUNK_BYTES, CHUNK_EVENTS, cutChunks, mergeManifests } from "../../../src/flow/deliver/chunk.ts";
import { type Fate, Outbox, type TakenChunk } from "../../../src/flow/deliver/outbox.ts";
import { aPart } from "../../support/lines.ts";
import { inStorage } from "../../support/storage.ts";

const limits = { events: 1_000, bytes: 1_000_000, envelopeBytes: () => 0, exclude: new Set<number>() };
const idsOf = (chunks: readonly TakenChunk[] | null): string[] =>
  (chunks ?? []).flatMap(({ events }) => events.map(({ id }) => id));

describe("cutting parts into rows", () => {
  it("keeps every line in order within the bounds of a row, and the manifest counts it", ({ expect }) => {
    const part = fc.record({ id: fc.constantFrom("a", "b", "c"), count: fc.integer({ min: 1, max: 600 }) });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (specs) => {
        const parts = specs.map(({ id, count }, index) => aPart(id, count, { part: index }));
        const chunks = cutChunks(parts);
        expect(chunks.flatMap(({ lines }) => lines)).toEqual(parts.flatMap(({ lines }) => lines));
        for (const chunk of chunks) {
          expect(chunk.events).toBe(chunk.lines.length);
          expect(chunk.events).toBeLessThanOrEqual(CHUNK_EVENTS);
          expect(chunk.bytes).toBe(chunk.lines.reduce((sum, line) => sum + byteLength(line) + 1, 0));
          expect(chunk.bytes).toBeLessThanOrEqual(CHUNK_BYTES);
          expect(chunk.manifest.reduce((sum, [, , count]) => sum + count, 0)).toBe(chunk.events);
        }
        const counted = mergeManifests(chunks.map(({ manifest }) => manifest));
        expect(counted).toEqual(
          parts.map(({ batchId, part: number, lines }) => [batchId, number, lines.length]),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("does not let events that were accepted far apart expire together", ({ expect }) => {
    const chunks = cutChunks([aPart("a", 1), aPart("b", 1, { acceptedAt: 1_000_000 + 61_000 })]);
    expect(chunks.map(({ acceptedAt }) => acceptedAt)).toEqual([1_000_000, 1_061_000]);
  });
});

describe("the outbox", () => {
  it("gives the oldest events first and several rows together as far as a request reaches", async ({
    expect,
  }) => {
    await inStorage(({ sql }) => {
      const outbox = new Outbox(sql);
      for (const batch of ["a", "b", "c"]) outbox.append(cutChunks([aPart(batch, 250)]));
      const taken = outbox.take({ ...limits, events: 550 });
      expect(idsOf(taken)).toEqual([...idsFrom("a", 250), ...idsFrom("b", 250)]);
    });
  });

  it("takes a row that is larger than a request by itself rather than never", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const outbox = new Outbox(sql);
      outbox.append(cutChunks([aPart("a", 250)]));
      expect(idsOf(outbox.take({ ...limits, events: 10 }))).toHaveLength(250);
    });
  });

  it("leaves alone what travels already", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const outbox = new Outbox(sql);
      for (const [batch, count] of [
        ["a", 250],
        ["b", 10],
      ] as const)
        outbox.append(cutChunks([aPart(batch, count)]));
      const first = outbox.take({ ...limits, events: 250 }) ?? [];
      const exclude = new Set(first.map(({ id }) => id));
      expect(idsOf(outbox.take({ ...limits, exclude }))).toEqual(idsFrom("b", 10));
    });
  });

  it("finds everything again after a restart, in the same order", async ({ expect }) => {
    await inStorage(({ sql }) => {
      new Outbox(sql).append(cutChunks([aPart("a", 3), aPart("b", 3)]));
      const again = new Outbox(sql);
      expect(again.events).toBe(6);
      expect(idsOf(again.take(limits))).toEqual([...idsFrom("a", 3), ...idsFrom("b", 3)]);
      again.append(cutChunks([aPart("c", 1)]));
      expect(idsOf(again.take(limits)).at(-1)).toBe("c-0");
    });
  });

  it("forgets exactly the settled events and keeps the rest in place", async ({ expect }) => {
    await inStorage((storage) => {
      fc.assert(
        fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 700 }), (keep) => {
          storage.sql.exec("DELETE FROM outbox");
          const outbox = new Outbox(storage.sql);
          outbox.append(cutChunks([aPart("a", keep.length)]));
          const taken = outbox.take(limits) ?? [];
          outbox.settle(
            taken,
            keep.map((stays) => (stays ? "waits" : "gone")),
          );
          const left = idsFrom("a", keep.length).filter((_, index) => keep[index]);
          expect(idsOf(outbox.take(limits))).toEqual(left);
          expect(outbox.events).toBe(left.length);
          expect(new Outbox(storage.sql).bytes).toBe(outbox.bytes);
        }),
        { numRuns: 25 },
      );
    });
  });

  it("sets events aside until they are confirmed, and brings them back in their place when they are not", async ({
    expect,
  }) => {
    await inStorage((storage) => {
      const fate = fc.constantFrom("waits", "gone", "awaits");
      fc.assert(
        fc.property(fc.array(fate, { minLength: 1, maxLength: 600 }), fc.boolean(), (fates, isConfirmed) => {
          storage.sql.exec("DELETE FROM outbox");
          const outbox = new Outbox(storage.sql);
          outbox.append(cutChunks([aPart("a", fates.length)]));
          outbox.settle(outbox.take(limits) ?? [], fates as Fate[], 7);
          const left = (...which: string[]) =>
            idsFrom("a", fates.length).filter((_, n) => which.includes(fates[n] ?? ""));
          const waiting = () => [...idsOf(outbox.take(limits))].sort();
          expect(waiting()).toEqual(left("waits").sort());
          expect(outbox.events).toBe(left("waits", "awaits").length);
          if (isConfirmed) outbox.complete(7);
          else outbox.release(7);
          expect(waiting()).toEqual(left("waits", ...(isConfirmed ? [] : ["awaits"])).sort());
          expect([new Outbox(storage.sql).events, new Outbox(storage.sql).bytes]).toEqual([
            outbox.events,
            outbox.bytes,
          ]);
        }),
        { numRuns: 40 },
      );
    });
  });

  it("halves a refused request until single events travel alone, in order and without losing one", async ({
    expect,
  }) => {
    await inStorage(({ sql }) => {
      const outbox = new Outbox(sql);
      outbox.append(cutChunks([aPart("a", 260), aPart("later", 5)]));
      const order: string[] = [];
      for (let requests = 0; requests < 2_000; requests += 1) {
        const taken = outbox.take(limits);
        if (taken === null) break;
        const ids = idsOf(taken);
        if (ids.length > 1 && ids.some((id) => id.startsWith("a"))) outbox.halve(taken);
        else {
          order.push(...ids);
          outbox.remove(taken);
        }
      }
      expect(order).toEqual([...idsFrom("a", 260), ...idsFrom("later", 5)]);
      expect([outbox.events, outbox.bytes]).toEqual([0, 0]);
    });
  });
});

function idsFrom(batch: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${batch}-${index}`);
}
