import fc from "fast-check";
import { describe, it } from "vitest";
import { PartSet } from "../../../src/flow/deliver/part-set.ts";

/** Ids that are alike, of the relay's form and of others. */
const batchId = fc.oneof(
  fc
    .tuple(fc.constantFrom("0", "1", "f"), fc.nat({ max: 31 }), fc.constantFrom("0", "1", "8", "f"))
    .map(([fill, at, digit]) => `bat_${fill.repeat(at)}${digit}${fill.repeat(31 - at)}`),
  fc.constantFrom(
    `bat_${"F".repeat(32)}`,
    `bat_${"f".repeat(31)}`,
    `bat_${"f".repeat(33)}`,
    `bat_${"f".repeat(32)}\n`,
    `evt_${"f".repeat(32)}`,
    "bat_",
    "",
  ),
);
const part = fc.oneof(
  fc.nat({ max: 3 }),
  fc.constantFrom(1_025, 1_026_024, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, -1),
);
const id = (number: number): string => `bat_${number.toString(16).padStart(32, "0")}`;

describe("a set of batch parts", () => {
  it("has what was added and nothing else, and counts each once", ({ expect }) => {
    const parts = fc.array(fc.tuple(batchId, part), { maxLength: 60 });
    fc.assert(
      fc.property(parts, parts, (added, asked) => {
        const set = new PartSet();
        for (const [batch, number] of added) set.add(batch, number);
        const known = new Set(added.map((one) => JSON.stringify(one)));
        expect(set.size).toBe(known.size);
        for (const one of [...added, ...asked]) expect(set.has(...one)).toBe(known.has(JSON.stringify(one)));
      }),
    );
  });

  it("still has everything when it has grown, and is as quick when ids count up as when they are random", ({
    expect,
  }) => {
    for (const spread of [1, 0x9e37_79b9]) {
      const set = new PartSet();
      for (let n = 0; n < 100_000; n += 1) set.add(id(n * spread), n % 3);
      expect(set.size).toBe(100_000);
      for (let n = 0; n < 100_000; n += 1) {
        if (!set.has(id(n * spread), n % 3) || set.has(id(n * spread), 3)) expect.fail(`of ${n}`);
      }
    }
  });
});
