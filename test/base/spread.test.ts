import fc from "fast-check";
import { describe, it } from "vitest";
import { randomBytes } from "../../src/base/bytes.ts";
import { ID_PREFIX, newId } from "../../src/base/ids.ts";
import { everSpread, spread } from "../../src/base/spread.ts";

const key = fc.string();
const places = fc.integer({ min: 1, max: 32 });

describe("a key that is spread", () => {
  it("has one place, always the same, within range", ({ expect }) => {
    fc.assert(
      fc.property(key, places, (name, count) => {
        const place = spread(name, count);
        expect(place).toBe(spread(name, count));
        expect(Number.isInteger(place) && place >= 0 && place < count).toBe(true);
      }),
    );
  });

  it("stays or goes to the new place when one is added, so that only a share of all moves", ({ expect }) => {
    fc.assert(
      fc.property(key, places, (name, count) => {
        expect([spread(name, count), count]).toContain(spread(name, count + 1));
      }),
    );
  });

  it("was ever only where it can have been, which are few places", ({ expect }) => {
    fc.assert(
      fc.property(key, places, (name, most) => {
        const ever = everSpread(name, most);
        for (let count = 1; count <= most; count += 1) expect(ever).toContain(spread(name, count));
        expect(new Set(ever).size).toBe(ever.length);
      }),
    );
    const asked = Array.from({ length: 1_000 }, (_, n) => everSpread(`bat_${n}`, 32).length);
    expect(asked.reduce((sum, count) => sum + count, 0) / asked.length).toBeLessThan(4.5); // 1 + 1/2 + … + 1/32
  });

  it("keeps its place for ever: what is stored depends on it", ({ expect }) => {
    const ids = ["bat_0", "bat_01978a0c4f2e7d3b8c1a5e6f70819203", "bat_ffffffffffffffffffffffffffffffff"];
    expect(ids.map((id) => [2, 4, 8, 16, 32].map((count) => spread(id, count)))).toEqual([
      [0, 3, 3, 3, 18],
      [1, 1, 1, 9, 23],
      [1, 2, 2, 9, 23],
    ]);
  });
});

/**
 * Pearson's chi-square of counts that should be equal. For 31 degrees of freedom 61.1 is exceeded by one fair spread in
 * a thousand, and for fewer degrees by fewer.
 */
function chiSquare(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
}

describe("real batch ids", () => {
  const made = Array.from({ length: 100_000 }, (_, n) => newId(ID_PREFIX.batch, 1_782_823_696_789 + n));
  const derived = Array.from({ length: 20_000 }, () => ID_PREFIX.batch + hex(randomBytes(16)));

  it.for([2, 4, 8, 16, 32])("spread over %d lanes as evenly as chance does", (count, { expect }) => {
    for (const ids of [made, derived]) {
      const counts = new Array<number>(count).fill(0);
      for (const id of ids) counts[spread(id, count)] = (counts[spread(id, count)] ?? 0) + 1;
      expect(chiSquare(counts)).toBeLessThan(75); // one in 50,000 at 32 lanes
      const fullest = Math.max(...counts) / (ids.length / count);
      expect(fullest).toBeLessThan(1 + 5 * Math.sqrt(count / ids.length));
    }
  });
});

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
