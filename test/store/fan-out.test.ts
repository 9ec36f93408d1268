import { describe, it } from "vitest";
import type { DestinationSettings } from "../../src/model/destination.ts";
import { fanOutReader } from "../../src/store/fan-out.ts";
import { destination } from "../support/builders.ts";

/** A store with one destination for each tenant. `isBroken` spoils what is asked for together. */
function aStore({ isBroken = false } = {}) {
  const queries: string[][] = [];
  const of = (tenantId: string): DestinationSettings[] => [destination({ tenantId })];
  return {
    queries,
    async forFanOut(tenantId: string) {
      queries.push([tenantId]);
      if (tenantId === "ten_broken") throw new Error("a row that cannot be read");
      return of(tenantId);
    },
    async forFanOutOf(tenantIds: readonly string[]) {
      queries.push([...tenantIds]);
      if (isBroken) throw new Error("a row that cannot be read");
      return new Map(tenantIds.map((tenantId) => [tenantId, of(tenantId)]));
    },
  };
}

const tenantsOf = (found: readonly DestinationSettings[]): string[] => found.map(({ tenantId }) => tenantId);

describe("destinations that are asked for in the same turn", () => {
  it("come with one query, each tenant its own", async ({ expect }) => {
    const store = aStore();
    const read = fanOutReader(store);
    const found = await Promise.all(["ten_a", "ten_b", "ten_a"].map(read));
    expect(found.map(tenantsOf)).toEqual([["ten_a"], ["ten_b"], ["ten_a"]]);
    expect(store.queries).toEqual([["ten_a", "ten_b"]]);
  });

  it("of a single tenant come as they always did, and later ones are read anew", async ({ expect }) => {
    const store = aStore();
    const read = fanOutReader(store);
    await read("ten_a");
    await read("ten_a");
    expect(store.queries).toEqual([["ten_a"], ["ten_a"]]);
  });

  it("are asked for alone where that fails, so that one tenant's row holds up nobody else", async ({
    expect,
  }) => {
    const read = fanOutReader(aStore({ isBroken: true }));
    const found = await Promise.allSettled(["ten_a", "ten_broken", "ten_b"].map(read));
    expect(found.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });
});
