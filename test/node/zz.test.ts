import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { CLOUDWATCH_TABLE } from "../../src/providers/shared/cloudwatch-codes.ts";
import { HEC_CODES } from "../../src/providers/shared/hec-codes.ts";
import { STATUS_TABLE } from "../../src/providers/shared/status.ts";
import { QUICK_TENANTS, TENANTS } from "../prove/destinations.ts";
import { FAULTS } from "../prove/faults.ts";
import {
  type Complaint,
  type DestinationFact,
  type EventFact,
  type Facts,
  judge,
  type Rule,
} from "../prove/judge.ts";
import { Oracle } from "../prove/oracle.ts";
import { faultTable, figuresOf, replaced } from "../prove/report.ts";
import { run } from "../prove/run.ts";
import { schedule } from "../prove/schedule.ts";
import { shrink } from "../prove/shrink.ts";

/** The bounded run: always the same faults, in half a minute. `npm run prove` is the long one. */
const SEED = "judge";
const BOUNDED_MS = 14_000;

const event = (id: string, more: Partial<EventFact> = {}): EventFact => ({
  ...{ id, tenant: "t", state: "acknowledged", sentAt: 100, endedAt: 200, answers: [] },
  ...more,
});

const healthy = (): DestinationFact => ({
  ...{ name: "siem", tenant: "t", arrived: new Map([["a", 1]]), deadLetters: [], excuses: [] },
  ...{
    own: new Set<string>(),
    untold: new Map(),
    damaged: [],
    brokenRules: [],
    flushed: null,
    interrupted: 0,
  },
  live: {
    counters: { taken: 1, delivered: 1, possiblyDuplicated: 0, deadLetters: 0, replayed: 0 },
    ...{ waiting: 0, status: "active", freshMs: 900 },
  },
});

const facts = (destination: Partial<DestinationFact> = {}, more: Partial<Facts> = {}): Facts => ({
  events: [event("a")],
  destinations: [{ ...healthy(), ...destination }],
  queue: { waiting: 0, dead: 0, stranded: 0 },
  expectsDuplicates: false,
  ...more,
});

const counters = (more: object) => ({
  live: { ...healthy().live, counters: { ...healthy().live?.counters, ...more } } as DestinationFact["live"],
});
const live = (more: object) => ({ live: { ...healthy().live, ...more } as DestinationFact["live"] });
const letter = (eventId: string, message = "Invalid data format") => ({
  eventId,
  reason: "refused",
  message,
});
const broken = (complaints: readonly Complaint[]): readonly Rule[] => complaints.map(({ rule }) => rule);

describe("the judge", () => {
  it("has nothing to say when every promise was kept", ({ expect }) => {
    expect(judge(facts())).toEqual([]);
  });

  it("accepts a dead letter with a reason in the place of an arrival", ({ expect }) => {
    const parked = {
      arrived: new Map(),
      deadLetters: [letter("a")],
      ...counters({ delivered: 0, deadLetters: 1 }),
    };
    expect(judge(facts(parked))).toEqual([]);
  });

  it("does not miss what nobody was promised", ({ expect }) => {
    const nobody = [
      event("b", { state: "unknown" }),
      event("c", { state: "issued" }),
      event("d", { tenant: "u" }),
    ];
    expect(judge(facts({}, { events: [event("a"), ...nobody] }))).toEqual([]);
    const off = {
      excuses: [{ from: 150, to: 300 }],
      arrived: new Map(),
      ...counters({ taken: 0, delivered: 0 }),
    };
    expect(judge(facts(off))).toEqual([]);
  });

  const bad: readonly (readonly [what: string, rule: Rule, facts: Facts])[] = [
    ["an acknowledged event is nowhere", "kept", facts({}, { events: [event("a"), event("lost")] })],
    [
      "an event from just before it was switched off is nowhere",
      "kept",
      facts({ excuses: [{ from: 201, to: 300 }] }, { events: [event("a"), event("lost")] }),
    ],
    [
      "a dead letter has no message",
      "explained",
      facts({ deadLetters: [letter("a", "")], ...counters({ taken: 1, delivered: 0, deadLetters: 1 }) }),
    ],
    [
      "something arrived that nobody sent",
      "issued",
      facts({
        arrived: new Map([
          ["a", 1],
          ["strange", 1],
        ]),
        ...counters({ taken: 2, delivered: 2 }),
      }),
    ],
    ["an event of another tenant arrived", "issued", facts({}, { events: [event("a", { tenant: "u" })] })],
    ["a refused event arrived", "issued", facts({}, { events: [event("a", { state: "refused" })] })],
    ["a text was changed", "intact", facts({ damaged: ["a"] })],
    [
      "events still wait",
      "unstuck",
      facts({ ...live({ waiting: 1, counters: { ...healthy().live?.counters, taken: 2 } }) }),
    ],
    ["a destination stays degraded", "unstuck", facts(live({ status: "degraded" }))],
    ["a message stays on the queue", "unstuck", facts({}, { queue: { waiting: 1, dead: 0, stranded: 0 } })],
    ["a message was stranded", "unstuck", facts({}, { queue: { waiting: 0, dead: 0, stranded: 1 } })],
    ["the fresh event is late", "fresh", facts(live({ freshMs: 5_001 }))],
    ["the fresh event never comes", "fresh", facts(live({ freshMs: null }))],
    ["nothing arrived twice, although it had to", "ambiguity", facts({}, { expectsDuplicates: true })],
    ["an event arrived twice without a cause", "bounded", facts({ arrived: new Map([["a", 2]]) })],
    ["a lane counts an event twice", "counted", facts(counters({ taken: 2, delivered: 2 }))],
    ["a lane counts more than it has", "counted", facts(counters({ delivered: 0 }))],
    ["a dead letter is counted and not listed", "counted", facts(counters({ deadLetters: 1, delivered: 0 }))],
    [
      "a deletion told of dead letters that are not there",
      "counted",
      facts({ live: null, flushed: { flushed: 1, deadLettered: 1 } }),
    ],
    [
      "a deletion told of more than arrived",
      "counted",
      facts({ live: null, flushed: { flushed: 2, deadLettered: 0 } }),
    ],
    ["a vendor's rule was broken", "lawful", facts({ brokenRules: ["too_old: a log 19 h old"] })],
  ];

  it.for(bad)("complains when %s", ([, rule, given], { expect }) => {
    expect(broken(judge(given))).toContain(rule);
  });

  it.for([
    ["lost answers", counters({ possiblyDuplicated: 1 })],
    ["a crash", { interrupted: 1 }],
    ["a replay", counters({ replayed: 1 })],
  ] as const)("lets %s explain a second copy", ([, more], { expect }) => {
    expect(judge(facts({ arrived: new Map([["a", 2]]), ...more }))).toEqual([]);
  });
});

describe("the oracle", () => {
  it("knows a text again that the relay has completed, and none that was changed", ({ expect }) => {
    const oracle = new Oracle("seed");
    const { event: issued, text } = oracle.issue("t", true);
    const completed = `${text.slice(0, -1)},"tenant_id":"t"}`;
    expect(oracle.isIntact(issued, completed)).toBe(true);
    expect(oracle.isIntact(issued, completed.replace("user-", "user-9"))).toBe(false);
    expect(oracle.recognise(completed)).toBe(issued);
    const rewritten = JSON.stringify(JSON.parse(completed.replace("{", "{ ")));
    expect(oracle.numberedIn(rewritten)).toBe(issued);
    expect(oracle.numberedIn('{"service":"sluice"}')).toBeNull();
  });

  it("writes the same text for the same seed", ({ expect }) => {
    expect(new Oracle("x").textOf(7, true)).toBe(new Oracle("x").textOf(7, true));
    expect(new Oracle("x").textOf(7, true)).not.toBe(new Oracle("y").textOf(7, true));
  });
});

describe("the schedule", () => {
  const plan = { destinations: TENANTS.flat(), durationMs: 600_000, haste: 1 };

  it("is decided by the seed", ({ expect }) => {
    expect(schedule({ ...plan, seed: "x" })).toEqual(schedule({ ...plan, seed: "x" }));
    expect(schedule({ ...plan, seed: "x" })).not.toEqual(schedule({ ...plan, seed: "y" }));
  });

  it("has every kind of fault in ten minutes", ({ expect }) => {
    const kinds = new Set(schedule({ ...plan, seed: "x" }).map(({ fault }) => fault));
    expect(FAULTS.map(({ name }) => name).filter((name) => !kinds.has(name))).toEqual([]);
  });

  it("names every kind once, and says what an operator sees of it", ({ expect }) => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
    for (const { name } of FAULTS) {
      const literally = name.replaceAll(/[^\w ]/g, (sign) => `\\${sign}`);
      expect(faultTable()).toMatch(new RegExp(`[|,] ${literally}[, ]`));
    }
    for (const { does, operatorSees } of FAULTS)
      expect([does, operatorSees].join()).toMatch(/^\S.+\.,\S.+\.$/);
  });
});

describe("the kinds of faults", () => {
  const names = new Set(FAULTS.map(({ name }) => name));

  it("are those that were promised", ({ expect }) => {
    const promised = [
      ...["relay killed", "relay stopped", "lane evicted", "lane aborted", "clock jumps"],
      ...["queue redelivers", "queue duplicates", "queue refuses some sends", "queue full"],
      ...["hang", "reset mid-body", "acknowledgements lost", "indexers swapped"],
    ];
    expect(promised.filter((name) => !names.has(name))).toEqual([]);
  });

  it("are every code of every provider's table", ({ expect }) => {
    const hec = HEC_CODES.map(({ code }) => code).filter((code) => code !== 0);
    expect(hec.filter((code) => !names.has(`hec ${code}`) && !names.has(`hec ${code} (poison)`))).toEqual([]);
    const aws = CLOUDWATCH_TABLE.flatMap(({ types }) => types);
    expect(aws.filter((type) => !names.has(`cloudwatch ${type}`))).toEqual([]);
    for (const status of [400, 403, 409, 429, 503]) expect(names).toContain(`elastic item ${status}`);
    const decided = STATUS_TABLE.filter(({ from, to }) => from === to).map(({ from }) => from);
    const alike = /^http 5[23]\d/; // Cloudflare's, of which one stands for all that were never talked to
    expect(decided.filter((status) => !names.has(`http ${status}`) && !alike.test(`http ${status}`))).toEqual(
      [],
    );
  });

  it("are on the page, word for word", ({ expect }) => {
    const page = readFileSync("docs/reliability.md", "utf8");
    expect(page).toBe(replaced(page, "faults", faultTable()));
  });
});

describe("the search for a shorter history", () => {
  it("finds the two steps that matter among many", async ({ expect }) => {
    const steps = Array.from({ length: 40 }, (_, index) => index);
    const needs = async (part: readonly number[]) => part.includes(7) && part.includes(31);
    expect(await shrink(steps, needs, () => true)).toEqual([7, 31]);
  });

  it("stops when its time is over", async ({ expect }) => {
    expect(
      await shrink(
        [1, 2, 3],
        async () => true,
        () => false,
      ),
    ).toEqual([1, 2, 3]);
  });
});

it("the report replaces its own part of a page and nothing else", ({ expect }) => {
  const page = "before\n<!-- report -->\nold\n<!-- /report -->\nafter";
  expect(replaced(page, "report", "new")).toBe("before\n<!-- report -->\n\nnew\n\n<!-- /report -->\nafter");
  expect(() => replaced(page, "faults", "new")).toThrow("faults");
});

describe("the relay, while everything around it fails", () => {
  it("loses nothing, invents nothing, and is well again at once", async ({ expect }) => {
    const notes: string[] = [];
    const steps = schedule({
      seed: SEED,
      destinations: QUICK_TENANTS.flat(),
      durationMs: BOUNDED_MS,
      haste: 0.35,
    });
    const result = await run({
      ...{ seed: SEED, tenants: QUICK_TENANTS, steps, durationMs: BOUNDED_MS, eventsPerSecond: 700 },
      ...{ maxBatch: 300, compareEvery: 5, freshTries: 3, note: (what) => console.log(Date.now(), what) },
    });
    expect(judge(result.facts), `seed ${SEED}: npm run prove -- --minutes 1 --seed ${SEED}`).toEqual([]);
    const { kinds, accepted, duplicated } = figuresOf(result);
    expect(kinds).toBeGreaterThanOrEqual(12);
    expect(accepted).toBeGreaterThanOrEqual(5_000);
    expect(duplicated).toBeGreaterThan(0);
  }, 180_000);
});
