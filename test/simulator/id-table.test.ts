import { describe, it } from "vitest";
import { IdTable } from "./id-table.ts";

const id = (number: number): string => `evt_01978a0c-4f2e-7${String(number).padStart(3, "0")}-8${number}`;

function add(table: IdTable, text: string, at = 0): boolean {
  const bytes = Buffer.from(text);
  return table.add(bytes, 0, bytes.length, at);
}

describe("the table of ids", () => {
  it("tells every id from every other, also after it has grown many times", ({ expect }) => {
    const table = new IdTable();
    const count = 300_000;
    for (let number = 0; number < count; number++) add(table, id(number));
    expect(table.size).toBe(count);
    for (let number = 0; number < count; number++) add(table, id(number));
    expect(table.size).toBe(count);
  });

  it("reads an id where it lies among other bytes", ({ expect }) => {
    const table = new IdTable();
    table.add(Buffer.from("..evt_1.."), 2, 7, 0);
    expect(add(table, "evt_1")).toBe(false);
    expect(add(table, "evt_2")).toBe(true);
  });

  it("remembers when an id came first, and not when it came again", ({ expect }) => {
    const table = new IdTable();
    add(table, "a", 1_700_000_000_000);
    add(table, "b", 1_700_000_000_250);
    add(table, "a", 1_700_000_000_900);
    expect(["a", "b", "c"].map((each) => table.firstSeen(each))).toEqual([
      1_700_000_000_000,
      1_700_000_000_250,
      null,
    ]);
  });
});
