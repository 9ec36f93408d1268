import fc from "fast-check";
import { describe, it } from "vitest";
import { matcher } from "../../../src/flow/route/match.ts";
import { plan } from "../../../src/flow/route/plan.ts";
import type { Destination, Route } from "../../../src/model/destination.ts";
import { actionOfLine } from "../../../src/model/event.ts";
import type { BatchPart, Submission } from "../../../src/model/lane.ts";
import { destination } from "../../support/builders.ts";
import { anEvent, aPart, aPartOf, linesOf } from "../../support/lines.ts";

const ACCEPTED = 1_000_000;
const aDestination = (id: string, about: Partial<Destination> = {}): Destination =>
  destination({ id, ...about });
const only = (match: string): Route[] => [{ match, enabled: true }];
const mixed = (batchId: string, actions: readonly string[]): BatchPart => {
  const events = actions.map((action, index) => anEvent(`${batchId}-${index}`, { action }));
  return aPartOf(batchId, events, { acceptedAt: ACCEPTED });
};
const submissionsOf = (destinations: readonly Destination[], parts: readonly BatchPart[]): Submission[] =>
  plan(destinations, parts).map(({ submission }) => submission);
const idsOf = (destinations: readonly Destination[], parts: readonly BatchPart[]): string[] =>
  submissionsOf(destinations, parts).map(({ destinationId }) => destinationId);

describe("who is owed a part that was accepted at a moment", () => {
  const at = { before: ACCEPTED - 1, same: ACCEPTED, after: ACCEPTED + 1 };
  const table: readonly (readonly [who: string, settings: Partial<Destination>, owed: boolean])[] = [
    ["is switched on", {}, true],
    ["was switched off long ago and on again", { disabledAt: at.before }, true],
    ["was switched off before", { enabled: false, disabledAt: at.before }, false],
    ["was switched off in the same millisecond", { enabled: false, disabledAt: at.same }, true],
    ["was switched off afterwards", { enabled: false, disabledAt: at.after }, true],
    ["has never been switched on", { enabled: false }, false],
    ["was deleted before", { deletedAt: at.before }, false],
    ["was deleted in the same millisecond", { deletedAt: at.same }, true],
    ["was deleted afterwards", { deletedAt: at.after }, true],
    [
      "was switched off before and deleted afterwards",
      { enabled: false, disabledAt: at.before, deletedAt: at.after },
      false,
    ],
    [
      "was switched off and deleted afterwards",
      { enabled: false, disabledAt: at.after, deletedAt: at.after },
      true,
    ],
  ];

  it.for(table)("a destination that %s", ([, settings, owed], { expect }) => {
    const part = aPart("bat_1", 2, { acceptedAt: ACCEPTED });
    expect(idsOf([aDestination("siem_1", settings)], [part])).toEqual(owed ? ["siem_1"] : []);
  });

  it("is asked of each part by itself", ({ expect }) => {
    const early = aPart("bat_early", 1, { acceptedAt: ACCEPTED });
    const late = aPart("bat_late", 1, { acceptedAt: ACCEPTED + 2 });
    const [submission] = submissionsOf([aDestination("siem_1", { deletedAt: ACCEPTED + 1 })], [early, late]);
    expect(submission?.parts).toEqual([early]);
  });
});

describe("a plan", () => {
  it("owes each destination the lines that its routes want, in their order", ({ expect }) => {
    const part = mixed("bat_1", ["user.login", "api.call", "user.logout"]);
    const [users, all] = submissionsOf(
      [aDestination("siem_users", { routes: only("user.*") }), aDestination("siem_all")],
      [part],
    );
    const lines = linesOf([part]);
    expect(linesOf(users?.parts ?? [])).toEqual([lines[0], lines[2]]);
    expect(all?.parts).toEqual([part]);
  });

  it("passes on untouched a part that a destination wants whole, and packs what is left of others anew", ({
    expect,
  }) => {
    const parts = [mixed("bat_1", ["user.login", "user.logout"]), mixed("bat_2", ["user.login", "api.call"])];
    const destinations = [
      aDestination("siem_all"),
      aDestination("siem_users", { routes: only("user.*") }),
      aDestination("siem_every", { routes: only("*") }),
    ];
    const [all, users, every] = submissionsOf(destinations, parts).map(({ parts: owed }) => owed);
    for (const [index, part] of parts.entries()) {
      expect(all?.[index]).toBe(part);
      expect(every?.[index]).toBe(part);
    }
    expect(users?.[0]).toBe(parts[0]);
    expect(users?.[1]).toEqual(mixed("bat_2", ["user.login"]));
  });

  it("does not look into parts of which a destination wants everything", ({ expect }) => {
    const part = aPart("bat_1", 2);
    const unreadable = { ...part, lines: { ...part.lines, packed: new Uint8Array([1]) } };
    const [submission] = submissionsOf([aDestination("siem_all")], [unreadable]);
    expect(submission?.parts[0]).toBe(unreadable);
  });

  it("knows the earliest time of what it leaves of a part", ({ expect }) => {
    const [first, second] = [anEvent("evt_1"), { ...anEvent("evt_2", { action: "api.call" }), at: 5_000 }];
    const part = aPartOf("bat_1", [{ ...first, at: 3_000 }, second]);
    const [submission] = submissionsOf([aDestination("siem_1", { routes: only("api.*") })], [part]);
    expect(submission?.parts.map(({ lines }) => [lines.count, lines.firstAt])).toEqual([[1, 5_000]]);
  });

  it("keeps batch, part number and time of what it leaves of a part, so that a lane recognises it", ({
    expect,
  }) => {
    const part = { ...mixed("bat_1", ["user.login", "api.call"]), part: 7 };
    const [submission] = submissionsOf([aDestination("siem_1", { routes: only("api.*") })], [part]);
    expect(
      submission?.parts.map(({ batchId, part: number, acceptedAt }) => [batchId, number, acceptedAt]),
    ).toEqual([["bat_1", 7, ACCEPTED]]);
  });

  it("leaves out parts of which nothing is wanted, and destinations that are owed nothing", ({ expect }) => {
    const parts = [mixed("bat_1", ["user.login"]), mixed("bat_2", ["api.call"])];
    const destinations = [
      aDestination("siem_api", { routes: only("api.*") }),
      aDestination("siem_none", { routes: only("change.*") }),
    ];
    expect(submissionsOf(destinations, parts)).toEqual([
      { tenantId: "ten_a", destinationId: "siem_api", revision: 1, parts: [parts[1]] },
    ]);
    expect(submissionsOf([], parts)).toEqual([]);
    expect(submissionsOf(destinations, [])).toEqual([]);
  });

  it("says which revision it has seen", ({ expect }) => {
    const [submission] = submissionsOf([aDestination("siem_1", { revision: 41 })], [aPart("bat_1", 1)]);
    expect(submission?.revision).toBe(41);
  });

  it("takes the categories of the catalogue where a destination asks for them", ({ expect }) => {
    const part = mixed("bat_1", ["ai.prompt", "incident.create", "user.login"]);
    const [submission] = submissionsOf([aDestination("siem_1", { routes: "categories" })], [part]);
    expect(linesOf(submission?.parts ?? [])).toEqual(linesOf([part]).slice(1));
  });

  it("owes exactly the wanted lines, nothing twice and in order", ({ expect }) => {
    const action = fc.constantFrom("user.login", "user.delete", "api.call", "change.open");
    const routes = fc.array(
      fc.record({ match: fc.constantFrom("user.*", "*.delete", "api.call", "*"), enabled: fc.boolean() }),
      { maxLength: 3 },
    );
    const batches = fc.array(fc.array(action, { minLength: 1, maxLength: 10 }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(routes, { maxLength: 4 }), batches, (tables, lists) => {
        const destinations = tables.map((table, index) => aDestination(`siem_${index}`, { routes: table }));
        const parts = lists.map((actions, index) => mixed(`bat_${index}`, actions));
        const planned = new Map(
          submissionsOf(destinations, parts).map((submission) => [
            submission.destinationId,
            submission.parts,
          ]),
        );
        for (const { id, routes: table } of destinations) {
          const decide = matcher(table);
          const wanted = linesOf(parts).filter((line) => decide(actionOfLine(line)).wanted);
          expect(linesOf(planned.get(id) ?? [])).toEqual(wanted);
          expect(planned.has(id)).toBe(wanted.length > 0);
        }
      }),
    );
  });
});

describe("a destination with several lanes", () => {
  const sharded = (shards: number): Destination => aDestination("siem_1", { config: { shards } });
  const parts = Array.from({ length: 200 }, (_, batch) =>
    [0, 1].map((part) => ({ ...aPart(`bat_${batch}`, 1), part })),
  ).flat();

  it("owes each lane its batches, all parts of one together, in their order and none twice", ({ expect }) => {
    const owed = plan([sharded(4)], parts);
    expect(owed.map(({ shard }) => shard).sort()).toEqual([0, 1, 2, 3]);
    const lanes = new Map<string, number>();
    for (const { shard, submission } of owed) {
      for (const { batchId } of submission.parts) {
        expect(lanes.get(batchId) ?? shard).toBe(shard);
        lanes.set(batchId, shard);
      }
      expect(submission.parts).toEqual(parts.filter(({ batchId }) => lanes.get(batchId) === shard));
    }
    expect(lanes.size).toBe(200);
  });

  it("sends a repeated batch to the lane that had it", ({ expect }) => {
    const once = plan([sharded(8)], parts.slice(0, 1));
    const again = plan([sharded(8)], [...parts].reverse());
    const mine = again.filter(({ submission }) =>
      submission.parts.some(({ batchId }) => batchId === "bat_0"),
    );
    expect(mine.map(({ shard }) => shard)).toEqual(once.map(({ shard }) => shard));
  });

  it("with one lane it is one submission, to the first", ({ expect }) => {
    expect(plan([sharded(1)], parts).map(({ shard }) => shard)).toEqual([0]);
    expect(plan([sharded(1)], parts)).toEqual(plan([aDestination("siem_1")], parts));
  });
});
