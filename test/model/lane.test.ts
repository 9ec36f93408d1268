import { describe, it } from "vitest";
import { DeadLetterSelection } from "../../src/model/lane.ts";

describe("a selection of dead letters", () => {
  const table: readonly (readonly [string, unknown, boolean])[] = [
    ["ids", { ids: ["dl_1", "evt_1"] }, true],
    ["as many ids as may be named", { ids: Array(1_000).fill("dl_1") }, true],
    ["all", { all: true }, true],
    ["a range", { from: "2026-06-30T00:00:00Z", to: "2026-06-30T14:00:00+02:00" }, true],
    ["an open end", { from: "2026-06-30T00:00:00Z" }, true],
    ["an open start", { to: "2026-06-30T00:00:00Z" }, true],
    ["nothing", {}, false],
    ["no ids", { ids: [] }, false],
    ["an empty id", { ids: [""] }, false],
    ["too many ids", { ids: Array(1_001).fill("dl_1") }, false],
    ["not all", { all: false }, false],
    ["ids and all", { ids: ["dl_1"], all: true }, false],
    ["all and a range", { all: true, from: "2026-06-30T00:00:00Z" }, false],
    ["a time without an offset", { from: "2026-06-30T00:00:00" }, false],
    ["a misspelt end", { from: "2026-06-30T00:00:00Z", until: "2026-07-01T00:00:00Z" }, false],
  ];

  it.for(table)("by %s: %s", ([, selection, valid], { expect }) => {
    expect(DeadLetterSelection.safeParse(selection).success).toBe(valid);
  });
});
