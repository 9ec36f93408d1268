import fc from "fast-check";
import { describe, it } from "vitest";
import { byteLength } from "../../../src/base/bytes.ts";
import { days, hours, minutes } from "../../../src/base/clock.ts";
import { CHUNK_BYTES, CHUNK_EVENTS, cutChunks, mergeManifests } from "../../../src/flow/deliver/chunk.ts";
import { type Fate, Outbox, type TakenChunk } from "../../../src/flow/deliver/outbox.ts";
import { DELIVERY_WINDOW, migrate } from "../../../src/flow/deliver/schema.ts";
import type { BatchPart } from "../../../src/model/lane.ts";
import { delivered, TestLane } from "../../support/lane.ts";
import { anEvent, aPart, aPartOf, linesOf } from "../../support/lines.ts";
import { inStorage } from "../../support/storage.ts";

const limits = {
  events: 1_000,
  bytes: 1_000_000,
  envelopeBytes: () => 0,
  exclude: new Set<number>(),
  maxAge: null,
};
const idsOf = (chunks: readonly TakenChunk[] | null): string[] =>
  (chunks ?? []).flatMap(({ events }) => events.map(({ id }) => id));

describe("cutting parts into rows", () => {
  it("keeps every line in order within the bounds of a row, and the manifest counts it", ({ expect }) => {
    const part = fc.record({ id: fc.constantFrom("a", "b", "c"), count: fc.integer({ min: 1, max: 600 }) });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (specs) => {
        const parts = specs.map(({ id, count }, index) => aPart(id, count, { part: index }));
        const chunks = cutChunks(parts);
        expect(linesOf(chunks)).toEqual(linesOf(parts));
        for (const chunk of chunks) {
          const lines = linesOf([chunk]);
          expect(chunk.events).toBe(lines.length);
          expect(chunk.events).toBeLessThanOrEqual(CHUNK_EVENTS);
          expect(chunk.bytes).toBe(lines.reduce((sum, line) => sum + byteLength(line) + 1, 0));
          expect(chunk.bytes).toBeLessThanOrEqual(CHUNK_BYTES);
          expect(chunk.manifest.reduce((sum, [, , count]) => sum + count, 0)).toBe(chunk.events);
        }
        const counted = mergeManifests(chunks.map(({ manifest }) => manifest));
        expect(counted).toEqual(
          parts.map(({ batchId, part: number, lines }) => [batchId, number, lines.count]),
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
  it("keeps rows as they were packed", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const chunks = cutChunks([aPart("a", 300), aPart("b", 2)]);
      new Outbox(sql).append(chunks);
      const rows = sql.exec("SELECT lines, events, bytes FROM outbox ORDER BY id").toArray();
      expect(
        rows.map(({ lines, ...counts }) => ({
          ...counts,
          lines: lines instanceof ArrayBuffer ? new Uint8Array(lines) : lines,
        })),
      ).toEqual(chunks.map(({ packed, events, bytes }) => ({ events, bytes, lines: packed })));
    });
  });

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

describe("a row that was written before lines were packed", () => {
  /** One row of `a-0` … in text, as the first release wrote it, in front of everything else. */
  function write(sql: SqlStorage, count: number): void {
    const lines = linesOf([aPart("a", count)]);
    sql.exec(
      `INSERT INTO outbox (id, accepted_at, first_event_at, attempts, in_group, awaiting, events, bytes, manifest, lines)
       VALUES (1048576, 1000000, 1782822896789, 2, NULL, NULL, ?, ?, ?, ?)`,
      ...[count, lines.reduce((sum, line) => sum + byteLength(line) + 1, 0)],
      ...[JSON.stringify([["a", 0, count]]), lines.join("\n")],
    );
  }

  it("is read like any other, and travels together with packed ones", async ({ expect }) => {
    await inStorage(({ sql }) => {
      write(sql, 3);
      const outbox = new Outbox(sql);
      outbox.append(cutChunks([aPart("b", 2)]));
      const [text, ...packed] = outbox.take(limits) ?? [];
      expect(text).toEqual({
        ...{ id: 1_048_576, acceptedAt: 1_000_000, attempts: 2, manifest: [["a", 0, 3]] },
        ...{ events: [0, 1, 2].map((n) => anEvent(`a-${n}`)), bytes: aPart("a", 3).lines.bytes },
      });
      expect(idsOf(packed)).toEqual(idsFrom("b", 2));
      outbox.remove([...(text === undefined ? [] : [text]), ...packed]);
      expect([outbox.events, outbox.bytes, outbox.take(limits)]).toEqual([0, 0, null]);
    });
  });

  it("is counted by its bytes, and settled event by event", async ({ expect }) => {
    await inStorage((storage) => {
      const fate = fc.constantFrom<Fate>("waits", "gone", "awaits");
      fc.assert(
        fc.property(fc.array(fate, { minLength: 1, maxLength: 200 }), fc.boolean(), (fates, isConfirmed) => {
          storage.sql.exec("DELETE FROM outbox");
          write(storage.sql, fates.length);
          const outbox = new Outbox(storage.sql);
          expect([outbox.events, outbox.bytes]).toEqual([fates.length, aPart("a", fates.length).lines.bytes]);
          outbox.settle(outbox.take(limits) ?? [], fates, 7);
          if (isConfirmed) outbox.complete(7);
          else outbox.release(7);
          const stays = (one: Fate | undefined) => one === "waits" || (one === "awaits" && !isConfirmed);
          const left = idsFrom("a", fates.length).filter((_, n) => stays(fates[n]));
          expect(idsOf(outbox.take(limits)).sort()).toEqual(left.sort());
          const again = new Outbox(storage.sql);
          expect([again.events, again.bytes]).toEqual([outbox.events, outbox.bytes]);
        }),
        { numRuns: 30 },
      );
    });
  });

  it("is cut in halves until single events travel alone", async ({ expect }) => {
    await inStorage(({ sql }) => {
      write(sql, 37);
      const outbox = new Outbox(sql);
      const order: string[] = [];
      for (let taken = outbox.take(limits); taken !== null; taken = outbox.take(limits)) {
        if (idsOf(taken).length > 1) outbox.halve(taken);
        else {
          order.push(...idsOf(taken));
          outbox.remove(taken);
        }
      }
      expect(order).toEqual(idsFrom("a", 37));
      expect([outbox.events, outbox.bytes]).toEqual([0, 0]);
    });
  });

  it("is delivered by a lane, and what the provider refuses of it is set aside whole and replayed", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      write(storage.sql, 20);
      const words = { httpStatus: 400, code: 6, message: "Invalid data format" };
      const lane = new TestLane(storage, (sent) => {
        const offender = sent.indexOf("a-13");
        return offender < 0 ? delivered : { kind: "isolate", words, committed: offender, offender };
      });
      await lane.run();
      expect(lane.arrived).toEqual(idsFrom("a", 20).filter((id) => id !== "a-13"));
      expect(lane.deadLetters.page(null, 5).items.map(({ event }) => event)).toEqual([anEvent("a-13").json]);
      lane.script = () => delivered;
      lane.deadLetters.takeOut({ all: true }, (parts) => lane.take(...parts), lane.now);
      await lane.run();
      expect(lane.arrived.at(-1)).toBe("a-13");
      expect([lane.outbox.events, lane.outbox.bytes, lane.deadLetters.count]).toEqual([0, 0, 0]);
    });
  });
});

describe("what goes first", () => {
  const NOON = Date.parse("2026-06-30T12:00:00Z");

  /** An event that was accepted and happened so long before noon. */
  const aged = (id: string, accepted: number, happened: number): BatchPart => {
    const event = { ...anEvent(id), at: NOON - happened };
    return aPartOf(id, [event], { acceptedAt: NOON - accepted });
  };

  /** Ids in the order in which rows of one event each are taken. */
  function order(storage: DurableObjectStorage, parts: readonly BatchPart[], maxAge: number | null) {
    storage.sql.exec("DELETE FROM outbox");
    const outbox = new Outbox(storage.sql);
    for (const part of parts) outbox.append(cutChunks([part]));
    const taken: string[] = [];
    for (;;) {
      const chunks = outbox.take({ ...limits, events: 1, maxAge });
      if (chunks === null) return taken;
      taken.push(...idsOf(chunks));
      outbox.remove(chunks);
    }
  }

  it("is what was accepted first, where the provider takes any age", async ({ expect }) => {
    await inStorage((storage) => {
      const parts = [aged("a", hours(3), hours(3)), aged("b", hours(2), days(3)), aged("c", hours(1), 0)];
      expect(order(storage, parts, null)).toEqual(["a", "b", "c"]);
    });
  });

  it("is what the provider would soon be too late for, although it was accepted later", async ({
    expect,
  }) => {
    await inStorage((storage) => {
      const parts = [
        aged("on time", hours(3), hours(3)),
        aged("17 hours late", hours(2), hours(17)),
        aged("a day late", hours(1), days(1)),
        aged("just now", 0, 0),
      ];
      expect(order(storage, parts, hours(18))).toEqual([
        ...["a day late", "17 hours late"],
        ...["on time", "just now"],
      ]);
    });
  });

  it("is what has waited for nearly a day, before what a provider of long memory could still take tomorrow", async ({
    expect,
  }) => {
    await inStorage((storage) => {
      const parts = [
        aged("waited 20 hours", hours(20), hours(20)),
        aged("two days old", 0, days(2)),
        aged("nearly 14 days old", 0, days(14) - hours(1)),
      ];
      expect(order(storage, parts, days(14))).toEqual([
        ...["nearly 14 days old", "waited 20 hours", "two days old"],
      ]);
    });
  });

  it("is never later than a minute behind what expires first, whatever was accepted when", async ({
    expect,
  }) => {
    const one = fc.record({ waited: fc.nat(hours(24)), late: fc.nat(days(15)), isLate: fc.boolean() });
    await inStorage((storage) => {
      fc.assert(
        fc.property(
          fc.array(one, { maxLength: 30 }),
          fc.constantFrom(hours(18), days(14)),
          (rows, maxAge) => {
            const parts = rows
              .sort((left, right) => right.waited - left.waited)
              .map(({ waited, late, isLate }, n) => aged(String(n), waited, waited + (isLate ? late : 0)));
            const lostAt = parts.map(({ acceptedAt, lines: { firstAt } }) =>
              Math.min(acceptedAt + DELIVERY_WINDOW, firstAt + maxAge),
            );
            const taken = order(storage, parts, maxAge).map((id) => lostAt[Number(id)] ?? 0);
            expect(taken).toHaveLength(parts.length);
            for (const [n, at] of taken.entries())
              expect(at).toBeLessThanOrEqual(Math.min(...taken.slice(n)) + minutes(1));
          },
        ),
        { numRuns: 60 },
      );
    });
  });

  it("keeps the halves of a refused request together although they were late", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const outbox = new Outbox(sql);
      for (const part of [aged("next", hours(1), hours(1)), aged("x", 0, hours(9)), aged("y", 0, hours(8))])
        outbox.append(cutChunks([part]));
      outbox.append(cutChunks([aged("z", 0, hours(7))]));
      const maxAge = hours(18);
      outbox.halve(outbox.take({ ...limits, maxAge }) ?? []);
      expect(idsOf(outbox.take({ ...limits, maxAge }))).toEqual(["x", "y"]);
    });
  });

  it("is right in a lane that was made before late rows were told apart", async ({ expect }) => {
    await inStorage((storage) => {
      storage.sql.exec("DROP INDEX outbox_late; DROP INDEX outbox_groups");
      storage.sql.exec("UPDATE facts SET value = '1' WHERE key = 'schema'");
      const before = new Outbox(storage.sql);
      for (const part of [aged("next", 0, 0), aged("late", 0, hours(9))]) before.append(cutChunks([part]));
      migrate(storage);
      const outbox = new Outbox(storage.sql);
      expect(idsOf(outbox.take({ ...limits, maxAge: hours(18) }))).toEqual(["late"]);
    });
  });

  it("costs no more rows read for a large backlog than for a small one", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const read = (backlog: number): number => {
        sql.exec("DELETE FROM outbox");
        const outbox = new Outbox(sql);
        for (let n = 0; n < backlog; n += 1)
          outbox.append(cutChunks([aged(`${n}`, backlog - n, n % 2 === 0 ? 0 : hours(9) + n)]));
        const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
        const counted = new Outbox(watched(sql, cursors));
        cursors.length = 0;
        for (let requests = 0; requests < 20; requests += 1)
          counted.remove(counted.take({ ...limits, events: 5, maxAge: hours(18) }) ?? []);
        return cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
      };
      const [small, large] = [read(200), read(2_000)];
      expect(small).toBeGreaterThan(100);
      expect(large).toBeLessThanOrEqual(small + 20);
    });
  });
});

describe("a query", () => {
  it("is read to its end whatever is taken, so that none stays open until the collector comes", async ({
    expect,
  }) => {
    await inStorage(({ sql }) => {
      const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
      const outbox = new Outbox(watched(sql, cursors));
      for (let n = 0; n < 100; n += 1) {
        // Every second one happened long before it was accepted.
        const event = { ...anEvent(`${n}`), at: 1_000_000 + n - (n % 2) * hours(9) };
        outbox.append(cutChunks([aPartOf(`${n}`, [event], { acceptedAt: 1_000_000 + n })]));
      }
      const left = (): number => cursors.splice(0).filter((cursor) => cursor.next().done !== true).length;
      for (const maxAge of [null, hours(18)]) {
        for (const events of [1, 2, 3, 40, 99, 1_000]) {
          const taken = outbox.take({ ...limits, events, maxAge }) ?? [];
          expect(idsOf(taken)).toHaveLength(Math.min(events, maxAge === null ? 100 : 50));
          const exclude = new Set(taken.map(({ id }) => id));
          outbox.take({ ...limits, events, maxAge, exclude });
          outbox.take({ ...limits, events, maxAge, envelopeBytes: () => 300_000 });
        }
      }
      expect(cursors.length).toBeGreaterThan(100);
      expect(left()).toBe(0);

      outbox.halve(outbox.take({ ...limits, events: 60 }) ?? []);
      outbox.take(limits);
      expect(outbox.acceptedUntil(2_000_000, new Set([2 ** 20]), 3)).toHaveLength(3);
      expect(left()).toBe(0);
    });
  });
});

describe("a row that nobody can read", () => {
  it("stops no row behind it, is complained of once, and waits for a relay that can read it", async ({
    expect,
  }) => {
    await inStorage(({ sql }) => {
      const first = new Outbox(sql);
      for (const batch of ["a", "b", "c"])
        first.append(cutChunks([aPart(batch, 2, { acceptedAt: batch.charCodeAt(0) * 1_000_000 })]));
      const rowOf = (id: number): { id: number; lines: ArrayBuffer } =>
        sql
          .exec<{ id: number; lines: ArrayBuffer }>(
            "SELECT id, lines FROM outbox ORDER BY id LIMIT 1 OFFSET ?",
            id,
          )
          .one();
      const broken = rowOf(1);
      const bytes = new Uint8Array(broken.lines.slice(0));
      bytes[4] = 255; // a frame that is longer than the row
      sql.exec("UPDATE outbox SET lines = ? WHERE id = ?", bytes.buffer, broken.id);

      const complaints: unknown[] = [];
      const outbox = new Outbox(sql, (error) => complaints.push(error));
      expect(idsOf(outbox.take(limits))).toEqual(["a-0", "a-1", "c-0", "c-1"]);
      expect(idsOf(outbox.take(limits))).toEqual(["a-0", "a-1", "c-0", "c-1"]);
      expect(outbox.acceptedUntil(Number.MAX_SAFE_INTEGER, new Set(), 10)).toHaveLength(2);
      expect(complaints).toHaveLength(1);
      expect(outbox.events).toBe(6);

      sql.exec("UPDATE outbox SET lines = ? WHERE id = ?", broken.lines, broken.id);
      expect(idsOf(new Outbox(sql).take(limits))).toEqual(["a-0", "a-1", "b-0", "b-1", "c-0", "c-1"]);
    });
  });

  it("is taken when it is all there is to take, and then nothing is", async ({ expect }) => {
    await inStorage(({ sql }) => {
      new Outbox(sql).append(cutChunks([aPart("a", 2)]));
      sql.exec("UPDATE outbox SET lines = ?", new Uint8Array([9, 9]).buffer);
      expect(new Outbox(sql).take(limits)).toBeNull();
    });
  });
});

/** The same database, whose cursors are kept, because they know how many rows they have read. */
function watched(sql: SqlStorage, cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[]): SqlStorage {
  const exec = (query: string, ...bindings: unknown[]) => {
    const cursor = sql.exec(query, ...bindings);
    cursors.push(cursor);
    return cursor;
  };
  return new Proxy(sql, { get: (target, name) => (name === "exec" ? exec : Reflect.get(target, name)) });
}

function idsFrom(batch: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${batch}-${index}`);
}
