import fc from "fast-check";
import { describe, it } from "vitest";
import { hours, minutes } from "../../../src/base/clock.ts";
import { TAKEN_WINDOW, Taken } from "../../../src/flow/deliver/taken.ts";

const START = 1_000_000;

describe("what a lane has taken", () => {
  it("is remembered by batch and part, and nothing is taken for something else", ({ expect }) => {
    const name = fc.tuple(fc.constantFrom("bat_a", "bat_a/1", "bat_", "1", ""), fc.nat({ max: 12 }));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 30 }), fc.array(name), (added, asked) => {
        const taken = new Taken(START);
        for (const [batchId, part] of added) taken.add(batchId, part, START);
        for (const [batchId, part] of [...added, ...asked]) {
          expect(taken.has(batchId, part)).toBe(added.some(([id, n]) => id === batchId && n === part));
        }
      }),
    );
  });

  it("is remembered for at least a day, however parts come in", ({ expect }) => {
    const pauses = fc.array(fc.integer({ min: 0, max: hours(30) }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(pauses, (list) => {
        const taken = new Taken(START);
        const addedAt: number[] = [];
        let now = START;
        for (const [part, pause] of list.entries()) {
          now += pause;
          taken.add("bat_a", part, now);
          addedAt.push(now);
          for (const [earlier, at] of addedAt.entries()) {
            if (now - at < TAKEN_WINDOW) expect(taken.has("bat_a", earlier)).toBe(true);
          }
        }
      }),
    );
  });

  it("is forgotten when two days' worth of others have come", ({ expect }) => {
    const taken = new Taken(START);
    taken.add("bat_old", 0, START);
    taken.add("bat_new", 0, START + TAKEN_WINDOW);
    expect(taken.has("bat_old", 0)).toBe(true);
    taken.add("bat_newer", 0, START + 2 * TAKEN_WINDOW);
    expect(taken.has("bat_old", 0)).toBe(false);
    expect(taken.has("bat_new", 0)).toBe(true);
  });

  it("is bounded: of a flood, at least the latest hundred thousand parts are remembered", ({ expect }) => {
    const taken = new Taken(START);
    const flood = 250_000;
    for (let part = 0; part < flood; part += 1) taken.add("bat_a", part, START + minutes(1));
    expect(taken.has("bat_a", 0)).toBe(false);
    expect(taken.has("bat_a", flood - 100_000)).toBe(true);
    expect(taken.has("bat_a", flood - 1)).toBe(true);
  });
});
