import { it } from "vitest";
import { createToldMarks } from "../src/told-marks.ts";

const mark = (revision: number) => ({ incidentId: "inc_1", revision });

/** Marks by a clock moved by hand, whose pauses end when the test says so. */
function start() {
  const world = {
    at: 0,
    written: [] as number[][],
    logged: [] as string[],
    isDown: false,
    wake: [] as (() => void)[],
  };
  const works: Promise<void>[] = [];
  const told = createToldMarks({
    now: () => world.at,
    sleep: () => new Promise((resolve) => world.wake.push(resolve)),
    markTold: async (changes) => {
      if (world.isDown) throw new Error("D1 is down");
      world.written.push(changes.map(({ revision }) => revision));
    },
    later: (work) => works.push(work()),
    log: (what) => world.logged.push(what),
  });
  const settle = async (): Promise<void> => {
    for (const wake of world.wake.splice(0)) wake();
    await Promise.all(works);
  };
  return { world, told, settle };
}

it("marks of many requests are written together, after the answers", async ({ expect }) => {
  const { world, told, settle } = start();
  told([mark(1)]);
  told([mark(2), mark(3)]);
  expect(world.written).toEqual([]);
  await settle();
  expect(world.written).toEqual([[1, 2, 3]]);
  told([mark(4)]);
  await settle();
  expect(world.written).toEqual([[1, 2, 3], [4]]);
});

it("marks whose writer was cut off are written by the next one", async ({ expect }) => {
  const { world, told } = start();
  told([mark(1)]);
  world.wake.splice(0); // it never wakes
  world.at = 9_999;
  told([mark(2)]);
  expect(world.wake).toHaveLength(0);
  world.at = 10_000;
  told([mark(3)]);
  for (const wake of world.wake.splice(0)) wake();
  await new Promise((resolve) => setTimeout(resolve));
  expect(world.written).toEqual([[1, 2, 3]]);
});

it("marks that cannot be written are only complained of: the schedule tells again, and lanes notice", async ({
  expect,
}) => {
  const { world, told, settle } = start();
  world.isDown = true;
  told([mark(1)]);
  await settle();
  expect(world.logged).toEqual(["incident.mark_failed"]);
});
