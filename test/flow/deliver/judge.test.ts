import { describe, it } from "vitest";
import { judge } from "../../../src/flow/deliver/judge.ts";
import type { Outcome } from "../../../src/model/delivery.ts";

const words = { httpStatus: 400, code: 6, message: "Invalid data format" };

/** What becomes of five events: d(elivered), p(arked), w(aits), by outcome. */
const TABLE: readonly [string, Outcome, string, "well" | "retry" | "hold", boolean][] = [
  ["taken", { kind: "delivered", words, slowDown: false, ackId: null }, "ddddd", "well", false],
  [
    "not taken",
    { kind: "retry", words, trouble: "throttled", retryAfter: 5, maybeTaken: false },
    "wwwww",
    "retry",
    false,
  ],
  [
    "wrong settings",
    { kind: "hold", words, trouble: "config_rejected", committed: 0, offender: null },
    "wwwww",
    "hold",
    false,
  ],
  [
    "wrong index, two taken",
    { kind: "hold", words, trouble: "config_rejected", committed: 2, offender: 2 },
    "ddwww",
    "hold",
    false,
  ],
  ["one offender", { kind: "isolate", words, committed: 2, offender: 2 }, "ddpww", "well", false],
  ["an offender somewhere", { kind: "isolate", words, committed: 0, offender: null }, "wwwww", "well", true],
  ["too large", { kind: "split", words }, "wwwww", "well", true],
  [
    "one answer an event",
    {
      kind: "partial",
      words,
      delivered: [0, 3],
      refused: [{ index: 1, code: 400, message: "no" }],
      trouble: null,
      retryAfter: null,
    },
    "dpwdw",
    "well",
    false,
  ],
  [
    "one answer an event, some throttled",
    { kind: "partial", words, delivered: [0, 1, 2], refused: [], trouble: "throttled", retryAfter: 1_000 },
    "dddww",
    "retry",
    false,
  ],
  ["the relay's own fault", { kind: "fault", words }, "ppppp", "well", false],
];

describe("judging an answer", () => {
  for (const [name, outcome, fates, verdict, halve] of TABLE) {
    it(`${name}: ${fates}, ${verdict}${halve ? ", halves are tried" : ""}`, ({ expect }) => {
      const judgement = judge(outcome, 5);
      const parked = new Set(judgement.park.map(({ index }) => index));
      const seen = [0, 1, 2, 3, 4].map((index) =>
        judgement.isDelivered(index) ? "d" : parked.has(index) ? "p" : "w",
      );
      expect(seen.join("")).toBe(fates);
      const { verdict: found } = judgement;
      expect(found.kind === "well" ? "well" : found.held ? "hold" : "retry").toBe(verdict);
      expect(judgement.halve).toBe(halve);
    });
  }

  it("has found the offender when a refused request held one event", ({ expect }) => {
    const refused = judge({ kind: "isolate", words, committed: 0, offender: null }, 1);
    expect(refused).toMatchObject({ halve: false, park: [{ index: 0, reason: "refused", words }] });
    expect(judge({ kind: "split", words }, 1)).toMatchObject({
      halve: false,
      park: [{ index: 0, reason: "too_large" }],
    });
  });

  it("keeps each refused event's own words", ({ expect }) => {
    const refused = [{ index: 1, code: "mapper_parsing_exception", message: "failed to parse" }];
    const { park } = judge(
      { kind: "partial", words, delivered: [], refused, trouble: null, retryAfter: null },
      2,
    );
    expect(park[0]?.words).toEqual({
      httpStatus: 400,
      code: "mapper_parsing_exception",
      message: "failed to parse",
    });
  });
});
