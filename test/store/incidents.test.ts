import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeEach, describe, it } from "vitest";
import { days } from "../../src/base/clock.ts";
import { type IncidentDraft, incidentNumber } from "../../src/model/incident.ts";
import {
  ALERTS_KEPT_DAYS,
  createIncidentStore,
  type IncidentFilter,
  requestIdOf,
} from "../../src/store/incidents.ts";
import { createSourceStore } from "../../src/store/sources.ts";
import { createTenantStore } from "../../src/store/tenants.ts";
import { incidentDraft, source } from "../support/builders.ts";
import { IncidentModel } from "../support/incident-model.ts";

const NOW = days(20_000);
const incidents = createIncidentStore(env.DB);
const first = { limit: 10, cursor: null };
const all: IncidentFilter = {
  states: [],
  priorities: [],
  sourceId: null,
  text: null,
  createdFrom: null,
  createdBefore: null,
};
let made = 0;

beforeEach(clear);

async function clear(): Promise<void> {
  for (const table of [
    "incident_changes",
    "incident_proofs",
    "incident_alerts",
    "incidents",
    "source_secrets",
    "sources",
    "tenants",
  ]) {
    await env.DB.exec(`DELETE FROM ${table}`);
  }
  const tenants = createTenantStore(env.DB);
  const sources = createSourceStore(env.DB);
  await tenants.insert({ id: "ten_a", name: "A", createdAt: 1 });
  await tenants.insert({ id: "ten_b", name: "B", createdAt: 1 });
  await sources.insert(source(), []);
  await sources.insert(source({ id: "src_2" }), []);
  await sources.insert(source({ id: "src_b", tenantId: "ten_b" }), []);
}

const owners: Readonly<Record<string, string>> = { src_1: "ten_a", src_2: "ten_a", src_b: "ten_b" };

function request(drafts: readonly IncidentDraft[], { sourceId = "src_1", at = NOW } = {}) {
  return {
    requestId: requestIdOf(at),
    source: { id: sourceId, tenantId: owners[sourceId] ?? "", name: "SOC", kind: "splunk_alert" } as const,
    alerts: drafts.map((draft) => {
      made += 1;
      return { draft, incidentId: `inc_${made}` };
    }),
    at,
  };
}

/** What became of the drafts: `created 1`, `recurred 1`, … with the incident's number. */
async function raise(
  drafts: readonly IncidentDraft[],
  about: { sourceId?: string; at?: number } = {},
): Promise<string[]> {
  const { raised } = await incidents.raise(request(drafts, about));
  return raised.map(({ outcome, incident }) => `${outcome} ${incident.number}`);
}

async function timelineOf(number: number, tenantId = "ten_a"): Promise<string[]> {
  const found = await incidents.byNumber(tenantId, number);
  const { items } = await incidents.timeline(tenantId, found?.id ?? "", { limit: 1_000, before: null });
  return items.map(({ kind }) => kind);
}

const named = (dedupKey: string, about: Partial<IncidentDraft> = {}) => incidentDraft({ dedupKey, ...about });

describe("an alert", () => {
  it("opens an incident that holds all it says", async ({ expect }) => {
    const draft = incidentDraft({ alert: { text: 'ü "quoted" 😀', list: [1, null, { a: true }] } });
    const { raised, news } = await incidents.raise(request([draft]));
    const { alertKey: _key, proof: _proof, dedupKey: _dedup, dedupScope: _scope, at, ...said } = draft;
    const incident = {
      ...said,
      id: expect.stringMatching(/^inc_/),
      tenantId: "ten_a",
      number: 1,
      sourceId: "src_1",
      state: "open",
      occurrences: 1,
      firstSeenAt: at,
      lastSeenAt: at,
      createdAt: NOW,
      updatedAt: NOW,
      acknowledgedAt: null,
      resolvedAt: null,
      closedAt: null,
      revision: 1,
    };
    expect(raised).toEqual([{ incident, outcome: "created" }]);
    expect(await incidents.get("ten_a", raised[0]?.incident.id ?? "")).toEqual(incident);
    expect(news).toMatchObject([
      {
        incident,
        source: { id: "src_1", name: "SOC", kind: "splunk_alert" },
        change: { kind: "create", at: NOW, actorId: "src_1", actorType: "SOURCE", changes: {}, note: null },
      },
    ]);
  });

  it("of the same trouble is one more occurrence, and the incident shows the latest alert", async ({
    expect,
  }) => {
    await raise([incidentDraft({ at: 5_000 })]);
    expect(await raise([incidentDraft({ at: 9_000, alert: { late: 1 }, priority: "P1" })])).toEqual([
      "recurred 1",
    ]);
    expect(await raise([incidentDraft({ at: 2_000, alert: { early: 1 } })])).toEqual(["recurred 1"]);
    expect(await incidents.byNumber("ten_a", 1)).toMatchObject({
      occurrences: 3,
      firstSeenAt: 2_000,
      lastSeenAt: 9_000,
      alert: { late: 1 },
      priority: "P2",
      revision: 3,
    });
    expect(await timelineOf(1)).toEqual(["recur", "recur", "create"]);
  });

  it("that comes again changes nothing, within one request as well", async ({ expect }) => {
    const draft = incidentDraft({ alertKey: "sid-1" });
    expect(await raise([draft, draft])).toEqual(["created 1", "resent 1"]);
    expect(await raise([draft])).toEqual(["resent 1"]);
    expect(await raise([incidentDraft({ alertKey: "sid-2" })])).toEqual(["recurred 1"]);
    expect(await incidents.byNumber("ten_a", 1)).toMatchObject({ occurrences: 2, revision: 2 });
    expect((await createSourceStore(env.DB).get("ten_a", "src_1"))?.alerts).toBe(2);
  });

  it("whose proof was used before is a replay, also of a resend", async ({ expect }) => {
    const draft = incidentDraft({ alertKey: "sid-1", proof: "sig-1" });
    expect(await raise([draft])).toEqual(["created 1"]);
    expect(await raise([draft])).toEqual(["replayed 1"]);
    expect(await raise([{ ...draft, proof: "sig-2" }])).toEqual(["resent 1"]);
    expect(await raise([{ ...draft, proof: "sig-2" }])).toEqual(["replayed 1"]);
    expect(await raise([{ ...draft, alertKey: null, dedupKey: "other", proof: "sig-1" }])).toEqual([
      "replayed 1",
    ]);
    expect(await raise([{ ...draft, alertKey: null, proof: "sig-3" }])).toEqual(["recurred 1"]);
    expect(await incidents.byNumber("ten_a", 1)).toMatchObject({ occurrences: 2 });
  });

  it("shares its proof with the other alerts of its request", async ({ expect }) => {
    const drafts = ["a", "b", "c"].map((name) => named(name, { alertKey: name, proof: "sig-1" }));
    expect(await raise(drafts)).toEqual(["created 1", "created 2", "created 3"]);
    expect(await raise(drafts.slice(1))).toEqual(["replayed 1", "replayed 1"]);
    const many = Array.from({ length: 150 }, (_, index) =>
      named("many", { alertKey: `m-${index}`, proof: "sig-2" }),
    );
    expect((await raise(many)).filter((each) => each === "recurred 4")).toHaveLength(149);
  });

  it("opens a new incident when the old one was resolved, unless it is an update of the same notable", async ({
    expect,
  }) => {
    await raise([named("alert"), named("notable", { dedupScope: "forever" })]);
    await move(1, "open", "resolved");
    await move(2, "open", "closed");
    expect(await raise([named("alert"), named("notable", { dedupScope: "forever" })])).toEqual([
      "created 3",
      "recurred 2",
    ]);
    expect(await incidents.byNumber("ten_a", 2)).toMatchObject({ state: "closed", occurrences: 2 });
  });

  it("is counted at its source, with the time of the latest", async ({ expect }) => {
    await raise([named("a"), named("b"), named("a")]);
    await raise([named("a")], { at: NOW + 5 });
    const found = await createSourceStore(env.DB).get("ten_a", "src_1");
    expect(found).toMatchObject({ alerts: 4, lastSeenAt: NOW + 5, revision: 1 });
    expect(await createSourceStore(env.DB).get("ten_a", "src_2")).toMatchObject({
      alerts: 0,
      lastSeenAt: null,
    });
  });

  it("meets only incidents of its own source", async ({ expect }) => {
    expect(await raise([incidentDraft({ alertKey: "k", proof: "p" })])).toEqual(["created 1"]);
    const again = [incidentDraft({ alertKey: "k", proof: "p" })];
    expect(await raise(again, { sourceId: "src_2" })).toEqual(["created 2"]);
    expect(await raise(again, { sourceId: "src_b" })).toEqual(["created 1"]);
  });
});

async function move(number: number, from: "open" | "resolved", to: "resolved" | "closed" | "open") {
  const found = await incidents.byNumber("ten_a", number);
  if (found === null) throw new Error("There is no such incident");
  return incidents.change({
    tenantId: "ten_a",
    id: found.id,
    at: NOW,
    before: { ...found, state: from },
    after: { ...found, state: to },
    changes: [{ kind: "resolve", actorId: "key_1", actorType: "API_KEY", changes: {}, note: null }],
  });
}

describe("many alerts", () => {
  it("are one transaction with nothing read before it, whatever their number", async ({ expect }) => {
    let batches = 0;
    const counted = new Proxy(env.DB, {
      get(target, name) {
        if (name === "batch") {
          return (statements: D1PreparedStatement[]) => {
            batches += 1;
            return target.batch(statements);
          };
        }
        if (name !== "prepare") throw new Error(`Only prepare and batch are used, not ${String(name)}`);
        return (sql: string) => {
          const statement = target.prepare(sql);
          return {
            bind: (...values: unknown[]) => statement.bind(...values), // a bound statement that ran by itself would have no counter
          };
        };
      },
    });
    const store = createIncidentStore(counted);
    await store.raise(request([incidentDraft()]));
    expect(batches).toBe(1);
    const drafts = Array.from({ length: 250 }, (_, index) => named(`search-${index % 7}`));
    const { raised, news } = await store.raise(request(drafts));
    expect(batches).toBe(2);
    expect([raised.length, news.length]).toEqual([250, 250]);
    await store.raise(request([]));
    expect(batches).toBe(2);
  });

  it("from 50 searches at once get the right counts, and numbers without a gap or a repeat", async ({
    expect,
  }) => {
    const requests = Array.from({ length: 2_000 }, (_, index) => {
      const sourceId = index % 4 === 3 ? "src_b" : "src_1";
      return request([named(`search-${index % 50}`, { alertKey: `sid-${index}` })], {
        sourceId,
        at: NOW + index,
      });
    });
    const raised = (await Promise.all(requests.map((each) => incidents.raise(each)))).map(
      ({ raised: [each] }) => each,
    );
    for (const [tenantId, alerts] of [
      ["ten_a", 1_500],
      ["ten_b", 500],
    ] as const) {
      const rows = await env.DB.prepare(
        "SELECT number, occurrences FROM incidents WHERE tenant_id = ? ORDER BY number",
      )
        .bind(tenantId)
        .all<{ number: number; occurrences: number }>();
      const searches = tenantId === "ten_a" ? 50 : 25;
      expect(rows.results.map(({ number }) => number)).toEqual(
        Array.from({ length: searches }, (_, at) => at + 1),
      );
      expect(rows.results.reduce((sum, { occurrences }) => sum + occurrences, 0)).toBe(alerts);
      const own = raised.filter((each) => each?.incident.tenantId === tenantId);
      expect(own.filter((each) => each?.outcome === "created")).toHaveLength(searches);
      expect(own.filter((each) => each?.outcome === "recurred")).toHaveLength(alerts - searches);
    }
    const lines = await env.DB.prepare(
      `SELECT count(*) AS total, count(DISTINCT c.incident_id || c.revision) AS distinct_lines,
         sum(c.revision > i.revision OR c.revision < 1) AS astray
       FROM incident_changes c JOIN incidents i ON i.id = c.incident_id`,
    ).first();
    expect(lines).toEqual({ total: 2_000, distinct_lines: 2_000, astray: 0 });
  }, 120_000);

  it("of one request keep their order in the timeline, and each tells the count that it made", async ({
    expect,
  }) => {
    await raise([named("a")]);
    const { news } = await incidents.raise(request([named("a"), named("b"), named("a"), named("b")]));
    expect(
      news.map(({ incident, change }) => [
        incident.number,
        change.kind,
        incident.occurrences,
        incident.revision,
      ]),
    ).toEqual([
      [1, "recur", 2, 2],
      [2, "create", 1, 1],
      [1, "recur", 3, 3],
      [2, "recur", 2, 2],
    ]);
  });

  it("whose texts are as long as may be fit the platform's limits", async ({ expect }) => {
    const alert = { text: "€".repeat(10_000) };
    const drafts = Array.from({ length: 120 }, (_, index) => named(`s-${index}`, { alert }));
    expect(await raise(drafts)).toHaveLength(120);
    expect((await incidents.byNumber("ten_a", 120))?.alert).toEqual(alert);
  });
});

describe("whatever comes in whatever order", () => {
  const few = (name: string) => fc.integer({ min: 1, max: 3 }).map((number) => `${name}${number}`);
  const draft = fc
    .record({
      dedupKey: few("d"),
      alertKey: fc.option(few("a"), { nil: null }),
      proof: fc.option(few("p"), { freq: 2, nil: null }),
      at: fc.integer({ min: 1, max: 4 }),
      text: fc.string(),
    })
    // A source is of one kind, so one key is never of both scopes.
    .map(({ text, ...about }) =>
      incidentDraft({
        ...about,
        dedupScope: about.dedupKey === "d3" ? "forever" : "while_open",
        alert: { text },
      }),
    );
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        sourceId: fc.constantFrom("src_1", "src_2"),
        drafts: fc.array(draft, { minLength: 1, maxLength: 5 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        number: fc.integer({ min: 1, max: 4 }),
        to: fc.constantFrom("resolved", "open"),
      }),
    },
  );

  it("outcomes, counts and numbers are those of a plain model", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        await clear();
        const model = new IncidentModel();
        for (const each of steps) {
          if ("drafts" in each) {
            expect(await raise(each.drafts, each)).toEqual(model.raise(each.sourceId, each.drafts));
            continue;
          }
          const present = model.incidents.find(({ number }) => number === each.number);
          if (present === undefined || present.state === each.to) continue;
          const live = model.live(present.sourceId, present.dedupKey);
          const mayMove = each.to === "resolved" || live === undefined || live === present;
          const moved = await move(
            each.number,
            each.to === "open" ? "resolved" : "open",
            each.to === "open" ? "open" : "resolved",
          );
          expect(moved !== null).toBe(mayMove);
          if (mayMove) model.settle(each.number, each.to);
        }
        const { items } = await incidents.page("ten_a", all, { limit: 100, cursor: null });
        const stored = items.toSorted((a, b) => a.number - b.number);
        expect(stored).toMatchObject(
          model.incidents.map(({ dedupKey: _key, dedupScope: _scope, ...shown }) => shown),
        );
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});

const actor = { actorId: "key_1", actorType: "API_KEY" } as const;
const nothing = { changes: {}, note: null };

describe("a change", () => {
  async function opened() {
    const { raised } = await incidents.raise(request([incidentDraft()]));
    const [found] = raised;
    if (found === undefined) throw new Error("Nothing was raised");
    return found.incident;
  }
  const moment = NOW + 7;

  it("is written with its lines, each one revision, and tells the incident as it left it", async ({
    expect,
  }) => {
    const before = await opened();
    const after = {
      ...before,
      state: "acknowledged",
      priority: "P1",
      assignmentGroup: null,
      acknowledgedAt: moment,
    } as const;
    const news = await incidents.change({
      tenantId: "ten_a",
      id: before.id,
      at: moment,
      before,
      after,
      changes: [
        {
          ...actor,
          kind: "acknowledge",
          changes: { state: { from: "open", to: "acknowledged" } },
          note: "mine",
        },
        { ...actor, kind: "update", changes: { priority: { from: "P2", to: "P1" } }, note: null },
      ],
    });
    expect(news?.map(({ change }) => change)).toMatchObject([
      {
        kind: "acknowledge",
        at: moment,
        ...actor,
        changes: { state: { from: "open", to: "acknowledged" } },
        note: "mine",
      },
      { kind: "update", changes: { priority: { from: "P2", to: "P1" } }, note: null },
    ]);
    const now = { ...after, updatedAt: moment, revision: 3 };
    expect(news?.map(({ incident }) => incident)).toEqual([{ ...now, revision: 2 }, now]);
    expect(news?.[0]?.source).toEqual({ id: "src_1", name: "SOC", kind: "splunk_alert" });
    expect(await incidents.get("ten_a", before.id)).toEqual(now);
    expect(await timelineOf(1)).toEqual(["update", "acknowledge", "create"]);
  });

  it("is written only over what was read; an occurrence meanwhile does not matter", async ({ expect }) => {
    const before = await opened();
    const write = (after: typeof before, over = before) =>
      incidents.change({
        tenantId: "ten_a",
        id: before.id,
        at: moment,
        before: over,
        after,
        changes: [{ ...actor, ...nothing, kind: "update" }],
      });
    await raise([incidentDraft()]);
    expect(await write({ ...before, priority: "P1" })).toHaveLength(1);
    expect(await write({ ...before, priority: "P3" })).toBeNull();
    expect(
      await write({ ...before, state: "closed" }, { ...before, priority: "P1", assignmentGroup: null }),
    ).toBeNull();
    expect(await incidents.get("ten_a", before.id)).toMatchObject({
      priority: "P1",
      occurrences: 2,
      revision: 3,
    });
    expect(await timelineOf(1)).toEqual(["update", "recur", "create"]);
  });

  it("does not open an incident again beside the one that its alerts have opened since", async ({
    expect,
  }) => {
    const before = await opened();
    await move(1, "open", "resolved");
    expect((await incidents.live(before))?.id).toBeUndefined();
    expect(await raise([incidentDraft()])).toEqual(["created 2"]);
    expect(await move(1, "resolved", "open")).toBeNull();
    expect((await incidents.live(before))?.number).toBe(2);
    await move(2, "open", "resolved");
    expect(await move(1, "resolved", "open")).not.toBeNull();
    expect(await raise([incidentDraft()])).toEqual(["recurred 1"]);
  });
});

describe("no tenant", () => {
  it("meets another's incidents, in any query", async ({ expect }) => {
    const { raised } = await incidents.raise(request([incidentDraft()]));
    const [{ incident } = { incident: null }] = raised;
    if (incident === null) throw new Error("Nothing was raised");
    const { id } = incident;
    expect(await incidents.get("ten_b", id)).toBeNull();
    expect(await incidents.byNumber("ten_b", 1)).toBeNull();
    expect(await incidents.live({ tenantId: "ten_b", id })).toBeNull();
    expect((await incidents.page("ten_b", all, first)).items).toEqual([]);
    expect((await incidents.timeline("ten_b", id, { limit: 9, before: null })).items).toEqual([]);
    const write = { id, at: NOW, before: incident, after: { ...incident, state: "closed" } as const };
    const changes = [{ ...actor, ...nothing, kind: "close" } as const];
    expect(await incidents.change({ ...write, tenantId: "ten_b", changes })).toBeNull();
    expect(await incidents.get("ten_a", id)).toEqual(incident);
    expect(await timelineOf(1)).toEqual(["create"]);
  });
});

describe("the list", () => {
  it("shows what each filter lets through, newest first", async ({ expect }) => {
    await raise(
      [
        named("a", {
          shortDescription: 'Über 100% "CPU" on DB-1',
          message: null,
          searchName: null,
          priority: "P1",
        }),
      ],
      { at: NOW },
    );
    await raise([named("b", { message: "Brute_Force", searchName: "Logins", shortDescription: "b" })], {
      at: NOW + 1,
    });
    await raise([named("c", { searchName: null, message: null, shortDescription: "c" })], {
      sourceId: "src_2",
      at: NOW + 2,
    });
    await move(2, "open", "resolved");
    const numbers = async (about: Partial<IncidentFilter>) =>
      (await incidents.page("ten_a", { ...all, ...about }, first)).items.map(({ number }) => number);
    expect(await numbers({})).toEqual([3, 2, 1]);
    expect(await numbers({ states: ["open"] })).toEqual([3, 1]);
    expect(await numbers({ states: ["open", "resolved"], priorities: ["P2"] })).toEqual([3, 2]);
    expect(await numbers({ sourceId: "src_2" })).toEqual([3]);
    expect(await numbers({ createdFrom: NOW + 1, createdBefore: NOW + 2 })).toEqual([2]);
    expect(await numbers({ text: '100% "cpu' })).toEqual([1]);
    expect(await numbers({ text: "brute_force" })).toEqual([2]);
    expect(await numbers({ text: "LOGINS" })).toEqual([2]);
    expect(await numbers({ text: "inc0000003" })).toEqual([3]);
    expect(await numbers({ text: incidentNumber(2) })).toEqual([2]);
    expect(await numbers({ text: "%" })).toEqual([1]);
    expect(await numbers({ text: "nowhere" })).toEqual([]);
    expect(await numbers({ text: "b", states: ["open"] })).toEqual([1]);
  });

  it("pages without a gap or a repeat, also the timeline", async ({ expect }) => {
    await raise(["a", "b", "c", "a", "a"].map((name) => named(name)));
    const one = await incidents.page("ten_a", all, { limit: 2, cursor: null });
    const two = await incidents.page("ten_a", all, { limit: 2, cursor: one.next });
    const seen = [...one.items, ...two.items].map(({ number }) => number);
    expect([seen.toSorted(), two.next]).toEqual([[1, 2, 3], null]);
    const id = (await incidents.byNumber("ten_a", 1))?.id ?? "";
    const newer = await incidents.timeline("ten_a", id, { limit: 2, before: null });
    const older = await incidents.timeline("ten_a", id, { limit: 2, before: newer.next });
    expect([...newer.items, ...older.items].map(({ kind }) => kind)).toEqual(["recur", "recur", "create"]);
    expect(older.next).toBeNull();
  });
});

describe("what is untold", () => {
  it("is read as it was told the first time, until it is marked", async ({ expect }) => {
    const { news } = await incidents.raise(request([named("a"), named("a"), named("b")]));
    await raise([named("a")], { at: NOW + 5 });
    expect(await incidents.countUntold(NOW + 5)).toBe(3);
    const found = await incidents.untold(NOW + 5, 10);
    const byName = (a: { change: { id: string } }, b: { change: { id: string } }) =>
      a.change.id < b.change.id ? -1 : 1;
    expect(found.toSorted(byName)).toEqual(news.toSorted(byName));
    expect(await incidents.untold(NOW + 5, 2)).toHaveLength(2);
    const [last] = news.slice(-1);
    await incidents.markTold([{ incidentId: last?.incident.id ?? "", revision: 1 }], NOW + 9);
    expect((await incidents.untold(NOW + 5, 10)).map(({ incident }) => incident.number)).toEqual([1, 1]);
    const left = [...(await incidents.untold(NOW + 6, 10))];
    await incidents.markTold(
      left.map(({ incident: { id, revision } }) => ({ incidentId: id, revision })),
      NOW + 9,
    );
    expect(await incidents.countUntold(NOW + 6)).toBe(0);
  });

  it("is told without its source's name when the source is gone", async ({ expect }) => {
    await raise([incidentDraft()]);
    await env.DB.exec("DELETE FROM sources WHERE id = 'src_1'");
    const [news] = await incidents.untold(NOW + 1, 1);
    expect(news?.source).toEqual({ id: "src_1", name: null, kind: null });
  });
});

it("alerts are forgotten after 30 days, some at a time, and incidents never", async ({ expect }) => {
  const old = ["a", "b", "c"].map((name) => named(name, { alertKey: name, proof: name }));
  await raise(old, { at: NOW - days(ALERTS_KEPT_DAYS) - 1 });
  await raise([named("d", { alertKey: "d" })], { at: NOW - days(ALERTS_KEPT_DAYS) + 1 });
  expect(await incidents.prune(NOW, 2)).toBe(4);
  expect(await incidents.prune(NOW, 2)).toBe(2);
  expect(await incidents.prune(NOW, 2)).toBe(0);
  expect(await raise([...old.slice(0, 1), named("d", { alertKey: "d" })])).toEqual([
    "recurred 1",
    "resent 4",
  ]);
  expect((await incidents.page("ten_a", all, first)).items).toHaveLength(4);
});
