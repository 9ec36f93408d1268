import { describe, it } from "vitest";
import { minutes } from "../src/base/clock.ts";
import { type RemindDeps, remindPollers } from "../src/pollers.ts";

const HOUR = Date.UTC(2026, 10, 20, 12);

function world(count: number, isDown: (id: string) => boolean = () => false) {
  const all = Array.from({ length: count }, (_, at) => ({
    id: `src_${at}`,
    tenantId: "ten_a",
    revision: 3,
    createdAt: at,
  }));
  const told: string[] = [];
  const logged: string[] = [];
  const deps: RemindDeps = {
    polled: async ({ limit, cursor }) => {
      const from = cursor === null ? 0 : cursor.at;
      const items = all.slice(from, from + limit);
      return { items, next: from + limit < count ? { at: from + limit, id: "" } : null };
    },
    poller: (tenantId, sourceId) => ({
      configure: async (...about) => {
        if (isDown(sourceId)) throw new Error("down");
        told.push([tenantId, sourceId, ...about].join());
      },
    }),
    log: (what) => void logged.push(what),
  };
  return { deps, told, logged };
}

describe("pollers", () => {
  it("are reminded once an hour, all of them, whichever do not answer", async ({ expect }) => {
    const { deps, told, logged } = world(250, (id) => id === "src_7");
    for (let at = 0; at < 60; at += 5) await remindPollers(HOUR + minutes(at), deps);
    expect(told).toHaveLength(249);
    expect(told[0]).toBe("ten_a,src_0,ten_a,src_0,3");
    expect(logged).toEqual(["source.poller_not_reminded"]);
  });

  it("do not stop the schedule when the database is away", async ({ expect }) => {
    const { deps, logged } = world(1);
    const polled = async () => {
      throw new Error("D1 is away");
    };
    await remindPollers(HOUR, { ...deps, polled });
    expect(logged).toEqual(["source.pollers_not_reminded"]);
  });
});
