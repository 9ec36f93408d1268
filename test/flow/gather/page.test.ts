import fc from "fast-check";
import { describe, it } from "vitest";
import { gatherPage, type Reading } from "../../../src/flow/gather/page.ts";
import type { LaneMarks, LanePage } from "../../../src/model/lane.ts";

interface Row {
  readonly id: number;
  readonly at: number;
}

const reading: Reading<Row> = { rowOf: ({ id }) => id, at: ({ at }) => at };

/** A lane's list as its own SQLite keeps it: rows from 1, told newest first. Counts what it hands out. */
class List {
  readonly rows: Row[] = [];
  told = 0;
  asked = 0;

  add(at: number): void {
    this.rows.push({ id: this.rows.length + 1, at });
  }

  readonly ask = async (before: number | null, limit: number): Promise<LanePage<Row>> => {
    this.asked += 1;
    const found = this.rows.filter(({ id }) => before === null || id < before).reverse();
    const items = found.slice(0, limit);
    this.told += items.length;
    return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
  };
}

function listsOf(times: readonly (readonly number[])[]): List[] {
  return times.map((each) => {
    const list = new List();
    for (const at of each) list.add(at);
    return list;
  });
}

/** Page after page to the end, doing something between two. */
async function read(lists: readonly List[], limit: number, between: () => void = () => undefined) {
  const rows: string[] = [];
  const times: number[] = [];
  let after: LaneMarks | null = null;
  do {
    const page: Awaited<ReturnType<typeof gatherPage<Row>>> = await gatherPage(
      lists.map(({ ask }) => ask),
      after,
      limit,
      reading,
    );
    if (page.next !== null && page.items.length !== limit)
      throw new Error("A page in the middle is not full");
    rows.push(...page.items.map(({ shard, item }) => `${shard}/${item.id}`));
    times.push(...page.items.map(({ item }) => item.at));
    after = page.next;
    between();
  } while (after !== null);
  return { rows, times };
}

const rising = fc
  .array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 40 })
  .map((times) => [...times].sort((left, right) => left - right));
const lanes = fc.array(rising, { minLength: 1, maxLength: 8 });
const limits = fc.integer({ min: 1, max: 30 });

describe("the pages of several lanes", () => {
  it("tell every row once, newest first, however large a page is", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(lanes, limits, async (times, limit) => {
        const { rows, times: told } = await read(listsOf(times), limit);
        expect([...rows].sort()).toEqual(
          times.flatMap((each, shard) => each.map((_, row) => `${shard}/${row + 1}`)).sort(),
        );
        expect(told).toEqual([...told].sort((left, right) => right - left));
      }),
    );
  });

  it("tell every row once even where a lane's clock ran backwards", async ({ expect }) => {
    const unordered = fc.array(fc.array(fc.integer(), { maxLength: 30 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(unordered, limits, async (times, limit) => {
        const { rows } = await read(listsOf(times), limit);
        expect(new Set(rows).size).toBe(rows.length);
        expect(rows).toHaveLength(times.flat().length);
      }),
    );
  });

  it("are not disturbed by what comes meanwhile, in any lane, one that was empty too", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(lanes, limits, async (times, limit) => {
        const lists = listsOf(times);
        const before = await read(listsOf(times), limit);
        const { rows } = await read(lists, limit, () => {
          for (const list of lists) list.add(2_000);
        });
        expect(rows).toEqual(before.rows);
      }),
    );
  });

  it("go on where they were when lanes were added, with all that those hold", async ({ expect }) => {
    const [first, second] = listsOf([[1, 2, 3, 4], [1]]);
    if (first === undefined || second === undefined) throw new Error("There are two");
    const page = await gatherPage([first.ask], null, 2, reading);
    const rest = await gatherPage([first.ask, second.ask], page.next, 10, reading);
    expect(rest.items.map(({ shard, item }) => `${shard}/${item.id}`)).toEqual(["0/2", "0/1", "1/1"]);
    expect(rest.next).toBeNull();
  });

  it("read at most about three times what they show, however it lies in the lanes", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(lanes, limits, async (times, limit) => {
        const lists = listsOf(times);
        await gatherPage(
          lists.map(({ ask }) => ask),
          null,
          limit,
          reading,
        );
        const told = lists.reduce((sum, list) => sum + list.told, 0);
        expect(told).toBeLessThanOrEqual(3 * limit + 4 * lists.length);
      }),
    );
  });

  it("ask a lane of which all was told no more", async ({ expect }) => {
    const lists = listsOf([[9], [], [1, 2, 3, 4, 5, 6]]);
    await read(lists, 2);
    expect(lists.map(({ asked }) => asked)).toEqual([1, 1, 4]);
  });
});
