import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, it } from "vitest";
import { highestRate } from "../scale/simulate.ts";
import { TABLES, table } from "../scale/tables.ts";

const page = readFileSync(resolve("docs/scale.md"), "utf8");
const hundred = { events: 100, answerMs: 100 };

describe("a simulated destination", () => {
  it("carries more in proportion to its lanes, until its queue is full", ({ expect }) => {
    const rate = (lanes: number, queues: number) => highestRate({ ...hundred, lanes, queues });
    const one = rate(1, 1);
    expect(one.bound).toBe("requests under way");
    for (const lanes of [2, 4, 8]) {
      const share = rate(lanes, 1).eventsPerSecond / one.eventsPerSecond / lanes;
      expect(share).toBeGreaterThan(0.95);
      expect(share).toBeLessThan(1.05);
    }
    expect(rate(16, 1)).toMatchObject({ bound: "the queue" });
    expect(rate(32, 1)).toMatchObject({ bound: "the queue" });
    expect(rate(32, 2).eventsPerSecond).toBeGreaterThan(1.9 * rate(32, 1).eventsPerSecond);
  });

  it("carries more in proportion to the queues where each event is a message", ({ expect }) => {
    const rate = (queues: number) => highestRate({ lanes: 1, queues, events: 1, answerMs: 100 });
    expect(rate(1)).toMatchObject({ bound: "the queue" });
    expect(rate(2).eventsPerSecond).toBeGreaterThan(1.9 * rate(1).eventsPerSecond);
  });

  it("comes out the same each time", ({ expect }) => {
    const setting = { ...hundred, lanes: 2, queues: 1 };
    expect(highestRate(setting)).toEqual(highestRate(setting));
  });
});

describe("the tables of docs/scale.md", () => {
  it("are what the simulation prints", ({ expect }) => {
    for (const { title } of TABLES) expect(page).toContain(title);
    for (const quick of [
      table("queues", [1, 2], { lanes: 4, events: 1, answerMs: 100 }),
      table("answerMs", [10, 20, 50, 100, 500], { lanes: 1, queues: 1, events: 100 }),
      table("lanes", [1, 2, 4], { queues: 1, ...hundred }),
    ]) {
      const rows = cellsOf(quick);
      expect(cellsOf(page)).toEqual(expect.arrayContaining(rows));
    }
  });
});

/** Rows without what aligns them. */
function cellsOf(text: string): string[] {
  const rows = text.split("\n").filter((line) => line.startsWith("|") && !line.includes("--"));
  return rows.map((row) => row.replace(/ +/g, " "));
}
