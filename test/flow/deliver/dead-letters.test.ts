import { describe, it } from "vitest";
import { isoTime } from "../../../src/base/clock.ts";
import { cutChunks } from "../../../src/flow/deliver/chunk.ts";
import { DeadLetters, type Parking } from "../../../src/flow/deliver/dead-letters.ts";
import type { TakenChunk } from "../../../src/flow/deliver/outbox.ts";
import { fromLine } from "../../../src/model/event.ts";
import type { BatchPart, DeadLetter, DeadLetterSelection } from "../../../src/model/lane.ts";
import { anEvent, aPart, linesOf } from "../../support/lines.ts";
import { inStorage } from "../../support/storage.ts";

const NOON = Date.parse("2026-06-30T12:00:00Z");

/** Rows of an outbox that have been tried twice. */
const chunksOf = (parts: readonly BatchPart[]): readonly TakenChunk[] =>
  cutChunks(parts).map((chunk, id) => ({
    ...{ ...chunk, id, attempts: 2 },
    events: linesOf([chunk]).map(fromLine),
  }));

const refusal: Parking = {
  reason: "refused",
  words: { httpStatus: 400, code: 6, message: "Invalid data format" },
};

function park(
  deadLetters: DeadLetters,
  parts: readonly BatchPart[],
  { now = NOON, ...more }: Partial<Parking> & { now?: number } = {},
): void {
  for (const chunk of chunksOf(parts)) deadLetters.park(chunk, now, () => ({ ...refusal, ...more }));
}

const eventIds = (parts: readonly BatchPart[]): string[] => linesOf(parts).map((line) => fromLine(line).id);

/** What a selection takes out, as event ids in the order in which they come. */
function takeOut(deadLetters: DeadLetters, selection: DeadLetterSelection): string[] {
  const taken: string[] = [];
  const count = deadLetters.takeOut(selection, (parts) => taken.push(...eventIds(parts)), NOON);
  if (count !== taken.length) throw new Error(`${count} counted, ${taken.length} taken`);
  return taken;
}

const kept = (deadLetters: DeadLetters): string[] =>
  deadLetters
    .page(null, 10_000)
    .items.map(({ eventId }) => eventId)
    .reverse();

describe("an event that is set aside", () => {
  it("keeps the reason, the provider's own words and the whole event", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 1)]);
      expect(deadLetters.page(null, 10).items).toEqual([
        {
          id: "dl_1",
          eventId: "bat_a-0",
          batchId: "bat_a",
          action: "user.login",
          reason: "refused",
          message: "Invalid data format",
          httpStatus: 400,
          providerCode: "6",
          attempts: 2,
          acceptedAt: 1_000_000,
          parkedAt: NOON,
          event: anEvent("bat_a-0").json,
        },
      ]);
    });
  });

  it("without an answer has neither status nor code", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      const words = { httpStatus: null, code: null, message: "Not delivered within 24 hours" };
      park(deadLetters, [aPart("bat_a", 1)], { reason: "expired", words });
      expect(deadLetters.page(null, 1).items[0]).toMatchObject({
        httpStatus: null,
        providerCode: null,
        reason: "expired",
      });
    });
  });

  it("leaves its neighbours alone, and belongs to its own part of its own batch", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      const [chunk] = chunksOf([aPart("bat_a", 2), aPart("bat_b", 2, { part: 3 })]);
      if (chunk === undefined) throw new Error("No chunk");
      const isRefused = (position: number): boolean => position === 1 || position === 2;
      expect(deadLetters.park(chunk, NOON, (at) => (isRefused(at) ? refusal : null))).toBe(2);
      expect(deadLetters.count).toBe(2);
      expect(deadLetters.page(null, 10).items.map(({ eventId, batchId }) => [eventId, batchId])).toEqual([
        ["bat_b-0", "bat_b"],
        ["bat_a-1", "bat_a"],
      ]);
      expect([...deadLetters.parts()].sort()).toEqual([
        ["bat_a", 0, 0],
        ["bat_b", 3, 0],
      ]);
    });
  });

  it("keeps its own reason beside others of the same request", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      const [chunk] = chunksOf([aPart("bat_a", 2)]);
      if (chunk === undefined) throw new Error("No chunk");
      const words = { httpStatus: null, code: null, message: "Older than 18 hours" };
      const reasons: readonly Parking[] = [refusal, { reason: "outside_window", words }];
      expect(deadLetters.park(chunk, NOON, (position) => reasons[position] ?? null)).toBe(2);
      expect(deadLetters.page(null, 10).items.map(({ reason, message }) => [reason, message])).toEqual([
        ["outside_window", "Older than 18 hours"],
        ["refused", "Invalid data format"],
      ]);
    });
  });

  it("is still there after a restart", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 3)]);
      const again = new DeadLetters(sql);
      expect(again.count).toBe(3);
      expect(again.page(null, 10)).toEqual(deadLetters.page(null, 10));
    });
  });
});

describe("the list of dead letters", () => {
  it("comes newest first, a page at a time, each once, while new ones arrive", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 7)]);
      const seen: string[] = [];
      let before: number | null = null;
      do {
        const page = deadLetters.page(before, 3);
        seen.push(...page.items.map(({ eventId }) => eventId));
        before = page.next;
        park(deadLetters, [aPart("bat_new", 1)]);
      } while (before !== null);
      expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((index) => `bat_a-${index}`));
    });
  });

  it("has no next page after exactly the last one", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 3)]);
      expect(deadLetters.page(null, 3).next).toBeNull();
      expect(deadLetters.page(null, 2).next).not.toBeNull();
    });
  });
});

describe("taking dead letters out", () => {
  it("by their own ids takes exactly those", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 4)]);
      expect(takeOut(deadLetters, { ids: ["dl_2", "dl_4"] })).toEqual(["bat_a-1", "bat_a-3"]);
      expect(kept(deadLetters)).toEqual(["bat_a-0", "bat_a-2"]);
      expect([deadLetters.count, new DeadLetters(sql).count]).toEqual([2, 2]);
    });
  });

  it("by event ids takes exactly those, and both kinds may be mixed", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 4)]);
      expect(takeOut(deadLetters, { ids: ["bat_a-3", "dl_1"] })).toEqual(["bat_a-0", "bat_a-3"]);
      expect(kept(deadLetters)).toEqual(["bat_a-1", "bat_a-2"]);
    });
  });

  it("takes an event that was parked more than once each time it was", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 1), aPart("bat_a", 1)]);
      expect(takeOut(deadLetters, { ids: ["bat_a-0"] })).toEqual(["bat_a-0", "bat_a-0"]);
    });
  });

  it("takes each once, however often it is named", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 2)]);
      expect(takeOut(deadLetters, { ids: ["dl_1", "bat_a-0", "dl_1"] })).toEqual(["bat_a-0"]);
    });
  });

  it("takes nothing for ids that are not there or cannot be", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 2)]);
      const ids = ["dl_99", "dl_", "dl_x", "dl_-1", "dl_99999999999999999999", "1", "%", "nobody"];
      expect(takeOut(deadLetters, { ids })).toEqual([]);
      expect(deadLetters.count).toBe(2);
    });
  });

  it("takes as many ids as a selection may name", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 1_100)]);
      const ids = Array.from({ length: 1_000 }, (_, index) => `bat_a-${index}`);
      expect(takeOut(deadLetters, { ids })).toEqual(ids);
      expect(deadLetters.count).toBe(100);
    });
  });

  it("comes oldest first for a whole page of ids, which a list shows newest first", async ({ expect }) => {
    const cases = [1, 40, 41, 100, 1_000].flatMap((count) => [
      { count, idOf: ({ id }: DeadLetter) => id },
      { count, idOf: ({ eventId }: DeadLetter) => eventId },
      { count, idOf: ({ id, eventId }: DeadLetter) => (id.endsWith("3") ? id : eventId) },
    ]);
    for (const { count, idOf } of cases) {
      await inStorage(({ sql }) => {
        const deadLetters = new DeadLetters(sql);
        park(deadLetters, [aPart("bat_a", count)]);
        const ids = deadLetters.page(null, count).items.map(idOf);
        expect(takeOut(deadLetters, { ids })).toEqual(eventIds([aPart("bat_a", count)]));
      });
    }
  });

  it("takes nothing for what only looks like the number of a dead letter", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 20)]);
      const ids = [
        "dl_1e1",
        "dl_0x1",
        "dl_1.0",
        "dl_01",
        "dl_+1",
        "dl_ 1",
        "dl_1 ",
        "dl_1\n",
        "DL_1",
        "dl_0",
      ];
      expect(takeOut(deadLetters, { ids })).toEqual([]);
      expect(deadLetters.count).toBe(20);
    });
  });

  it("takes all of them, oldest first, a bounded page at a time", async ({ expect }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 1_500), aPart("bat_b", 1_000)]);
      const pages: string[][] = [];
      const count = deadLetters.takeOut({ all: true }, (parts) => pages.push(eventIds(parts)), NOON);
      expect(count).toBe(2_500);
      expect(pages.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
      expect(pages.flat()).toEqual(eventIds([aPart("bat_a", 1_500), aPart("bat_b", 1_000)]));
      expect(deadLetters.count).toBe(0);
    });
  });

  it("by time takes those parked from a moment on and before another", async ({ expect }) => {
    const cases: readonly (readonly [DeadLetterSelection, readonly string[]])[] = [
      [{ from: isoTime(NOON + 1) }, ["b-0", "c-0"]],
      [{ to: isoTime(NOON + 1) }, ["a-0"]],
      [{ from: isoTime(NOON), to: isoTime(NOON + 2) }, ["a-0", "b-0"]],
      [{ from: isoTime(NOON + 1), to: isoTime(NOON + 1) }, []],
      [{ from: "2026-06-30T14:00:00.002+02:00" }, ["c-0"]],
    ];
    for (const [selection, expected] of cases) {
      await inStorage(({ sql }) => {
        const deadLetters = new DeadLetters(sql);
        for (const [index, batch] of ["a", "b", "c"].entries()) {
          park(deadLetters, [aPart(batch, 1)], { now: NOON + index });
        }
        expect(takeOut(deadLetters, selection)).toEqual(expected);
        expect(deadLetters.count).toBe(3 - expected.length);
      });
    }
  });

  it("gives them a new day to be delivered in, under the batch and part that they came from", async ({
    expect,
  }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      const parts = [aPart("bat_a", 2), aPart("bat_a", 1, { part: 1 }), aPart("bat_b", 1)];
      park(deadLetters, parts);
      const taken: BatchPart[] = [];
      deadLetters.takeOut({ all: true }, (page) => taken.push(...page), NOON);
      expect(taken).toEqual(parts.map((part) => ({ ...part, acceptedAt: NOON })));
    });
  });

  it("keeps what could not be used: nothing is deleted before it has been handed on", async ({ expect }) => {
    await inStorage((storage) => {
      const deadLetters = new DeadLetters(storage.sql);
      park(deadLetters, [aPart("bat_a", 2)]);
      const full = (): never => {
        throw new Error("disk full");
      };
      expect(() => deadLetters.takeOut({ all: true }, full, NOON)).toThrow("disk full");
      expect([deadLetters.count, new DeadLetters(storage.sql).count]).toEqual([2, 2]);
    });
  });
});

describe("the id of a dead letter", () => {
  it("is never used again, not even when all have been taken out and the lane has restarted", async ({
    expect,
  }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 3)]);
      takeOut(deadLetters, { all: true });
      const again = new DeadLetters(sql);
      park(again, [aPart("bat_a", 1)]);
      expect(again.page(null, 10).items.map(({ id }) => id)).toEqual(["dl_4"]);
    });
  });
});

describe("the fate of a batch", () => {
  it("counts expired events apart from the other dead letters, and knows when the last was parked", async ({
    expect,
  }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 2)]);
      park(deadLetters, [aPart("bat_a", 3, { part: 1 })], { reason: "expired", now: NOON + 5 });
      park(deadLetters, [aPart("bat_b", 1)], { now: NOON + 9 });
      expect(deadLetters.fate("bat_a")).toEqual({ parked: 2, expired: 3, parkedAt: NOON + 5 });
    });
  });

  it("is nothing for a batch without dead letters, and for one whose dead letters were taken out", async ({
    expect,
  }) => {
    await inStorage(({ sql }) => {
      const deadLetters = new DeadLetters(sql);
      park(deadLetters, [aPart("bat_a", 1)]);
      takeOut(deadLetters, { ids: ["bat_a-0"] });
      const nothing = { parked: 0, expired: 0, parkedAt: null };
      expect([deadLetters.fate("bat_a"), deadLetters.fate("bat_x")]).toEqual([nothing, nothing]);
    });
  });
});
