import { env } from "cloudflare:workers";
import { beforeEach, describe, it } from "vitest";
import { days, minutes } from "../src/base/clock.ts";
import { decodeMessage } from "../src/flow/queue/message.ts";
import {
  type ChangeDeps,
  changeIncident,
  countUntold,
  type RaiseDeps,
  raiseIncidents,
  type SweepDeps,
  sweepUntold,
  type WantedChange,
} from "../src/incidents.ts";
import { fromLine, MAX_EVENT_BYTES, type RelayEvent } from "../src/model/event.ts";
import { INCIDENT_STATES, type Incident, type IncidentState, TRANSITIONS } from "../src/model/incident.ts";
import { viewIncident } from "../src/model/incident-event.ts";
import { createIncidentStore, type ToldChange } from "../src/store/incidents.ts";
import { createSourceStore } from "../src/store/sources.ts";
import { createTenantStore } from "../src/store/tenants.ts";
import { incidentDraft, source } from "./support/builders.ts";
import { linesOf } from "./support/lines.ts";

const NOW = days(20_000);
const SOURCE = source();
const actor = { actorId: "key_1", actorType: "API_KEY" } as const;

beforeEach(async () => {
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
  await createTenantStore(env.DB).insert({ id: "ten_a", name: "A", createdAt: 1 });
  await createSourceStore(env.DB).insert(SOURCE, []);
});

interface Queued {
  readonly tenantId: string;
  readonly batchId: string;
  readonly event: RelayEvent;
  readonly json: Readonly<Record<string, unknown>>;
}

/** The real store, and a queue in memory that can fail. */
class World implements RaiseDeps, ChangeDeps, SweepDeps {
  at = NOW;
  readonly incidents = createIncidentStore(env.DB);
  readonly queued: Queued[] = [];
  readonly calls: number[] = [];
  readonly logged: string[] = [];
  /** Marks that are not written yet. */
  marks: ToldChange[] = [];
  isQueueDown = false;

  readonly now = (): number => this.at;

  async sendBatch(messages: readonly { readonly body: Uint8Array }[]): Promise<void> {
    if (this.isQueueDown) throw new Error("the queue is down");
    this.calls.push(messages.length);
    for (const { body } of messages) {
      const decoded = decodeMessage(body);
      if (!decoded.ok) throw new Error(decoded.error);
      for (const { tenantId, part } of decoded.value) {
        const [line = "", ...more] = linesOf([part]);
        if (more.length > 0) throw new Error("One event a batch was expected");
        const event = fromLine(line);
        const json = JSON.parse(event.json) as Queued["json"];
        this.queued.push({ tenantId, batchId: part.batchId, event, json });
      }
    }
  }

  told(changes: readonly ToldChange[]): void {
    this.marks.push(...changes);
  }

  async writeMarks(): Promise<void> {
    await this.incidents.markTold(this.marks, this.at);
    this.marks = [];
  }

  log(what: string): void {
    this.logged.push(what);
  }

  raise(...abouts: readonly Parameters<typeof incidentDraft>[0][]) {
    return raiseIncidents(SOURCE, abouts.map(incidentDraft), this);
  }

  async opened(): Promise<Incident> {
    const [raised] = await this.raise({});
    if (raised === undefined) throw new Error("Nothing was raised");
    return raised.incident;
  }

  change(id: string, wanted: WantedChange) {
    return changeIncident({ tenantId: "ten_a", id }, { ...wanted, actor }, this);
  }

  /** The state that a change leads to, or why it does not. */
  async moved(id: string, state: IncidentState): Promise<string> {
    const changed = await this.change(id, { state });
    return changed.ok ? changed.value.state : changed.error.reason;
  }

  kinds(): string[] {
    return this.queued.map(({ event }) => event.action);
  }
}

describe("alerts", () => {
  it("become events on their tenant's stream, whole, one for each that counted", async ({ expect }) => {
    const world = new World();
    const raised = await world.raise({ alertKey: "a" }, { alertKey: "a" }, { alertKey: "b" });
    expect(raised.map(({ outcome }) => outcome)).toEqual(["created", "resent", "recurred"]);
    expect(world.kinds()).toEqual(["incident.create", "incident.recur"]);
    expect(world.calls).toEqual([1]); // small events share a message
    const [create, recur] = world.queued;
    const incident = raised[0]?.incident;
    if (incident === undefined) throw new Error("Nothing was raised");
    expect(recur?.tenantId).toBe("ten_a");
    expect(recur?.json).toEqual({
      id: expect.stringMatching(/^evt_[0-9a-f]{8}-[0-9a-f]{4}-7/),
      timestamp: new Date(NOW).toISOString(),
      tenant_id: "ten_a",
      actor_type: "SOURCE",
      actor_id: "src_1",
      action: "incident.recur",
      resource_type: "incident",
      resource_id: incident.id,
      service: "sluice",
      outcome: "SUCCESS",
      metadata: {
        incident: viewIncident(incident),
        revision: 2,
        changes: {},
        note: null,
        source: { id: "src_1", name: "SOC", kind: "splunk_alert" },
      },
      integrity_hash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    expect(create?.json["metadata"]).toMatchObject({ incident: { occurrences: 1, state: "open" } });
    expect(new Set(world.queued.map(({ batchId }) => batchId)).size).toBe(2);
    expect(world.queued.every(({ batchId }) => /^bat_[0-9a-f]{32}$/.test(batchId))).toBe(true);
    expect(world.logged).toEqual([]);
  });

  it("travel in as few calls as the queue allows", async ({ expect }) => {
    const world = new World();
    await world.raise(...Array.from({ length: 250 }, (_, index) => ({ dedupKey: `d-${index}` })));
    expect(world.queued).toHaveLength(250);
    expect(world.calls.length).toBeLessThan(3);
    expect(world.calls.reduce((sum, messages) => sum + messages, 0)).toBeLessThan(10);
  });

  it("of the largest kind make an event within its limit", async ({ expect }) => {
    const world = new World();
    const long = '\u2028"'.repeat(2_000);
    const alert = Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`field ${at}`, long]));
    const texts = {
      shortDescription: long.slice(0, 512),
      message: long,
      searchName: long.slice(0, 512),
      alert,
    };
    const [raised] = await world.raise(texts);
    expect(raised?.incident.alert).toMatchObject({ _truncated: true });
    await world.change(raised?.incident.id ?? "", { note: long, assignmentGroup: long.slice(0, 200) });
    for (const { event } of world.queued) expect(Buffer.byteLength(event.json)).toBeLessThan(MAX_EVENT_BYTES);
    expect(world.queued).toHaveLength(2);
  });

  it("count although the queue is down, and are told by the schedule: once, under the same ids", async ({
    expect,
  }) => {
    const world = new World();
    const heard = new World();
    await heard.raise({});
    world.isQueueDown = true;
    const [raised] = await world.raise({ dedupKey: "other" }, { dedupKey: "other" });
    expect(raised?.outcome).toBe("created");
    expect([world.queued, world.marks, world.logged]).toEqual([[], [], ["incident.untold"]]);
    world.isQueueDown = false;
    world.at = NOW + minutes(1);
    await sweepUntold(world);
    expect(world.queued).toEqual([]); // whoever made the change may still be telling it
    world.at = NOW + minutes(1) + 1;
    expect(await countUntold(world)).toBe(3);
    await sweepUntold(world);
    expect(world.kinds().toSorted()).toEqual(["incident.create", "incident.create", "incident.recur"]);
    expect(world.logged.slice(1)).toEqual(["incident.events_swept"]);
    const again = heard.queued[0];
    expect(world.queued).toContainEqual(again);
    await sweepUntold(world);
    expect(world.queued).toHaveLength(3);
    expect(await countUntold(world)).toBe(0);
  });

  it("that come again are told at once where whoever took them first was cut off, and no others", async ({
    expect,
  }) => {
    const world = new World();
    const heard = new World(); // over the same database, and its marks are never written
    const keyed = (name: string) => ({ dedupKey: "one", alertKey: name });
    const cutOff = [keyed("a"), keyed("b"), { dedupKey: "two", proof: "p" }, { dedupKey: "three" }] as const;
    await heard.raise(...cutOff);
    world.at += 7;
    world.isQueueDown = true;
    await world.raise({ dedupKey: "one", alertKey: "later" });
    world.isQueueDown = false;
    world.at += 7;
    const raised = await world.raise(...cutOff.slice(0, 3), keyed("c"));
    expect(raised.map(({ outcome }) => outcome)).toEqual(["resent", "resent", "replayed", "recurred"]);
    const [last, ...left] = world.queued.toReversed();
    expect(left).toHaveLength(3);
    expect(left).toEqual(expect.arrayContaining(heard.queued.slice(0, 3)));
    expect(last?.json["metadata"]).toMatchObject({ incident: { occurrences: 4 }, revision: 4 });
    await world.writeMarks();
    world.at += minutes(10);
    expect(await countUntold(world)).toBe(2);
  });

  it("are not told again once it is noted that they were", async ({ expect }) => {
    const world = new World();
    const alerts = [{ alertKey: "a" }, { proof: "b" }];
    await world.raise(...alerts);
    await world.writeMarks();
    world.at += minutes(10);
    await world.raise(...alerts);
    await sweepUntold(world);
    expect(world.queued).toHaveLength(2);
    expect(world.logged).toEqual([]);
  });
});

describe("the schedule", () => {
  it("tells however many there are, some at a time", async ({ expect }) => {
    const world = new World();
    world.isQueueDown = true;
    await world.raise(...Array.from({ length: 230 }, () => ({})));
    world.isQueueDown = false;
    world.at += minutes(5);
    await sweepUntold(world);
    expect(new Set(world.queued.map(({ event }) => event.id)).size).toBe(230);
    expect(await countUntold(world)).toBe(0);
  });

  it("leaves everything where it is while the queue is down, and says how much", async ({ expect }) => {
    const world = new World();
    world.isQueueDown = true;
    await world.raise({}, {});
    world.at += minutes(5);
    await sweepUntold(world);
    expect(await countUntold(world)).toBe(2);
    expect(world.logged).toEqual(["incident.untold", "incident.untold", "incident.events_swept"]);
  });

  it("survives a database that does not answer", async ({ expect }) => {
    const world = new World();
    const incidents = { ...world.incidents, untold: () => Promise.reject(new Error("D1 is down")) };
    await sweepUntold({
      ...world,
      incidents,
      now: world.now,
      sendBatch: async () => undefined,
      log: (what) => world.log(what),
    });
    expect(world.logged).toEqual(["incident.sweep_failed"]);
  });
});

describe("a change of state", () => {
  const path: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
    open: [],
    acknowledged: ["acknowledged"],
    resolved: ["resolved"],
    closed: ["closed"],
  };
  const pairs = INCIDENT_STATES.flatMap((from) => INCIDENT_STATES.map((to) => [from, to] as const));

  it.for(pairs)(
    "from %s to %s is legal, or nothing, or refused with what would be legal",
    async ([from, to], { expect }) => {
      const world = new World();
      const { id } = await world.opened();
      for (const step of path[from]) expect(await world.moved(id, step)).toBe(step);
      const before = await world.incidents.get("ten_a", id);
      const told = world.queued.length;
      const changed = await world.change(id, { state: to });
      if (from === to) {
        expect(changed).toEqual({ ok: true, value: before });
        expect(world.queued).toHaveLength(told);
      } else if (TRANSITIONS[from].includes(to)) {
        expect(changed).toMatchObject({ ok: true, value: { state: to } });
        expect(world.queued).toHaveLength(told + 1);
      } else {
        expect(changed).toEqual({ ok: false, error: { reason: "illegal", from, legal: TRANSITIONS[from] } });
        expect(await world.incidents.get("ten_a", id)).toEqual(before);
        expect(world.queued).toHaveLength(told);
      }
    },
  );

  it("is dated, and opening again forgets the dates", async ({ expect }) => {
    const world = new World();
    const { id } = await world.opened();
    const dates = async () => {
      const found = await world.incidents.get("ten_a", id);
      return [found?.acknowledgedAt, found?.resolvedAt, found?.closedAt, found?.updatedAt];
    };
    world.at = 1;
    await world.moved(id, "acknowledged");
    world.at = 2;
    await world.moved(id, "resolved");
    expect(await dates()).toEqual([1, 2, null, 2]);
    world.at = 3;
    await world.moved(id, "open");
    expect(await dates()).toEqual([null, null, null, 3]);
    world.at = 4;
    await world.moved(id, "closed");
    expect(await dates()).toEqual([null, null, 4, 4]);
    const kinds = ["create", "acknowledge", "resolve", "reopen", "close"].map((kind) => `incident.${kind}`);
    expect(world.kinds()).toEqual(kinds);
  });

  it("makes a later alert open a new incident, beside which the old one stays closed", async ({ expect }) => {
    const world = new World();
    const { id } = await world.opened();
    await world.moved(id, "resolved");
    const next = await world.opened();
    expect(next.number).toBe(2);
    const refused = await world.change(id, { state: "open" });
    expect(refused).toMatchObject({ ok: false, error: { reason: "succeeded", by: { id: next.id } } });
  });
});

describe("a change", () => {
  it("of state and other fields is two lines, and the note goes with the first", async ({ expect }) => {
    const world = new World();
    const { id } = await world.opened();
    const changed = await world.change(id, {
      state: "acknowledged",
      priority: "P1",
      assignmentGroup: null,
      note: "mine",
    });
    expect(changed).toMatchObject({
      ok: true,
      value: { priority: "P1", assignmentGroup: null, revision: 3 },
    });
    expect(
      world.queued.slice(1).map(({ json }) => [json["action"], json["actor_id"], json["metadata"]]),
    ).toMatchObject([
      [
        "incident.acknowledge",
        "key_1",
        { changes: { state: { from: "open", to: "acknowledged" } }, note: "mine" },
      ],
      [
        "incident.update",
        "key_1",
        {
          changes: { priority: { from: "P2", to: "P1" }, assignment_group: { from: "SOC", to: null } },
          note: null,
          incident: { state: "acknowledged", priority: "P1", assignment_group: null },
        },
      ],
    ]);
  });

  it("that changes nothing is none, and a note alone is a note", async ({ expect }) => {
    const world = new World();
    const before = await world.opened();
    const same = { state: "open", priority: "P2", assignmentGroup: "SOC" } as const;
    expect(await world.change(before.id, same)).toEqual({ ok: true, value: before });
    expect(await world.change(before.id, {})).toEqual({ ok: true, value: before });
    expect(world.kinds()).toEqual(["incident.create"]);
    await world.change(before.id, { ...same, note: "seen" });
    expect(world.kinds()).toEqual(["incident.create", "incident.note"]);
    expect(world.queued[1]?.json["metadata"]).toMatchObject({ note: "seen", changes: {} });
  });

  it("of what is not there, or another tenant's, is not found", async ({ expect }) => {
    const world = new World();
    const { id } = await world.opened();
    expect(await world.moved("inc_none", "closed")).toBe("not_found");
    const theirs = await changeIncident({ tenantId: "ten_b", id }, { state: "closed", actor }, world);
    expect(theirs).toEqual({ ok: false, error: { reason: "not_found" } });
  });

  it("of many people at once: each lands or is refused, and the timeline has exactly those that landed", async ({
    expect,
  }) => {
    const world = new World();
    const { id } = await world.opened();
    const states = ["acknowledged", "resolved", "acknowledged", "closed", "resolved", "open"] as const;
    const results = await Promise.all([
      ...states.map((state) => world.change(id, { state })),
      ...[1, 2, 3].map((n) => world.change(id, { note: `note ${n}` })),
      world.raise({}),
    ]);
    const timeline = await world.incidents.timeline("ten_a", id, { limit: 100, before: null });
    expect(world.kinds().toSorted()).toEqual(timeline.items.map(({ kind }) => `incident.${kind}`).toSorted());
    const refusals = results.flatMap((result) => ("ok" in result && !result.ok ? [result.error.reason] : []));
    expect(refusals.every((reason) => reason === "illegal" || reason === "busy")).toBe(true);
    let state = "open";
    for (const { changes } of timeline.items.toReversed()) {
      const move = changes["state"];
      if (move === undefined) continue;
      expect(move.from).toBe(state); // no change was written over one that it had not seen
      state = String(move.to);
    }
    expect((await world.incidents.get("ten_a", id))?.state).toBe(state);
  });

  it("gives up when others are quicker each time", async ({ expect }) => {
    const world = new World();
    const { id } = await world.opened();
    const incidents = { ...world.incidents, change: async () => null };
    const wanted = { priority: "P1", actor } as const;
    const deps = {
      ...world,
      incidents,
      now: world.now,
      sendBatch: async () => undefined,
      told: () => undefined,
      log: () => undefined,
    };
    expect(await changeIncident({ tenantId: "ten_a", id }, wanted, deps)).toEqual({
      ok: false,
      error: { reason: "busy" },
    });
  });
});
