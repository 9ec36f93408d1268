import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { hours, seconds } from "../src/base/clock.ts";
import { spread } from "../src/base/spread.ts";
import { plan } from "../src/flow/route/plan.ts";
import type { BatchPart } from "../src/model/lane.ts";
import { laneName } from "../src/model/shards.ts";
import { createDestinationStore } from "../src/store/destinations.ts";
import { Indexers } from "./support/indexers.ts";
import { aPart } from "./support/lines.ts";
import {
  type Call,
  eventually,
  type Json,
  Outside,
  operator,
  settled,
  WholeRelay,
} from "./support/whole-relay.ts";

/*
 * A destination with several lanes, through the whole Worker: nobody who sends, reads or deletes may notice how many
 * there are.
 */

let outside = new Outside();
let made = 0;

beforeEach(() => {
  outside = new Outside();
  vi.stubGlobal("fetch", outside.fetch);
  vi.spyOn(Math, "random").mockReturnValue(0.999); // the longest pauses, so that nothing is tried again by itself
  for (const level of ["info", "error", "warn"] as const) vi.spyOn(console, level).mockReturnValue(undefined);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const well = () => Response.json({ text: "Success", code: 0 });
const busy = () => Response.json({ text: "Server is busy", code: 9 }, { status: 503 });
/** Every event by itself is refused, so that all become dead letters. */
const refusing = () =>
  Response.json({ text: "Invalid data format", code: 6, "invalid-event-number": 0 }, { status: 400 });

class Story {
  readonly relay: WholeRelay;
  readonly id: string;
  readonly host: string;
  readonly calls: readonly Call[];

  private constructor(relay: WholeRelay, id: string, host: string, calls: readonly Call[]) {
    [this.relay, this.id, this.host, this.calls] = [relay, id, host, calls];
  }

  static async open(shards: number, behave: (call: Call) => Response = well): Promise<Story> {
    made += 1;
    const host = `shards-${made}.example.com`;
    const calls = outside.host(host, behave);
    const relay = await WholeRelay.withTenant();
    const id = await relay.connect({
      ...{ provider: "splunk", endpoint: `https://${host}`, token: "your-hec-token", config: { shards } },
      routes: [{ match: "user.*" }],
    });
    return new Story(relay, id, host, calls);
  }

  get path(): string {
    return `/v1/audit/siem/${this.id}`;
  }

  lane(shard: number) {
    return env.LANES.getByName(laneName(this.relay.tenantId, this.id, shard));
  }

  behave(how: (call: Call) => Response): void {
    outside.host(this.host, how);
  }

  arrived(): string[] {
    return this.calls.flatMap(({ ids }) => ids);
  }

  /** Gives batches of one event each to the lanes as a delivery of the queue does. */
  async take(batches: readonly string[]): Promise<void> {
    const settings = await createDestinationStore(env.DB).forFanOut(this.relay.tenantId);
    const parts: BatchPart[] = batches.map((batchId) => aPart(batchId, 1, { acceptedAt: Date.now() }));
    for (const { shard, submission } of plan(settings, parts)) await this.lane(shard).submit(submission);
    await settled();
  }

  change(config: Json) {
    return this.relay.call("PATCH", this.path, { config });
  }

  /** How much waits in each lane. */
  async waiting(lanes: number): Promise<number[]> {
    const reports = await Promise.all(Array.from({ length: lanes }, (_, shard) => this.lane(shard).report()));
    return reports.map(({ backlog }) => backlog.events);
  }

  async pages(list: string, limit: number): Promise<Json[]> {
    const all: Json[] = [];
    let cursor: unknown = null;
    do {
      const query = cursor === null ? "" : `&cursor=${encodeURIComponent(String(cursor))}`;
      const { status, body, text } = await this.relay.call(
        "GET",
        `${this.path}/${list}?limit=${limit}${query}`,
      );
      if (status !== 200) throw new Error(text);
      all.push(...(body["data"] as Json[]));
      cursor = body["next_cursor"];
    } while (cursor !== null);
    return all;
  }
}

const batches = (count: number, name = "b"): string[] =>
  Array.from({ length: count }, (_, n) => `evt-${name}${n}`);
/** With the names of `batches` as batch ids, the one event of each is `<batch>-0`. */
const eventsOf = (names: readonly string[]): string[] => names.map((name) => `${name}-0`).sort();
const times = <T>(items: readonly Json[], name: string): T[] => items.map((item) => item[name] as T);

describe("a destination with four lanes", () => {
  it("gets the events of many requests once each, through more than one object, and tells of each batch", async ({
    expect,
  }) => {
    const story = await Story.open(4);
    const ids = Array.from({ length: 24 }, (_, n) => `evt-${n}`);
    const sent = await Promise.all(ids.map((id) => story.relay.send([id])));
    await eventually(() => story.arrived().length >= 24);
    expect(story.arrived().sort()).toEqual([...ids].sort());
    const lanes = new Set(sent.map((batchId) => spread(batchId, 4)));
    expect(lanes.size).toBeGreaterThan(1);
    for (const shard of [0, 1, 2, 3]) {
      const report = await story.lane(shard).report();
      expect(report.totals.delivered).toBe(sent.filter((batchId) => spread(batchId, 4) === shard).length);
    }
    for (const batchId of sent) {
      const fate = await story.relay.fate(batchId, story.id);
      expect([fate["state"], fate["attempts"]]).toEqual(["accepted", 1]);
    }
    const { body: stats } = await story.relay.call("GET", `${story.path}/stats`);
    expect(stats["totals"]).toEqual({ delivered: 24, retried: 0, dead: 0 });
    const deliveries = await story.pages("deliveries", 5);
    expect(new Set(times(deliveries, "id")).size).toBe(deliveries.length);
    expect(times<number>(deliveries, "events").reduce((sum, count) => sum + count, 0)).toBe(24);
    const metrics = await operator("/metrics");
    expect(metrics.text).toContain(
      `sluice_events_delivered_total{tenant="${story.relay.tenantId}",destination="${story.id}",provider="splunk"} 24\n`,
    );
  });

  it("recognises a repeated batch, whatever lane it is in", async ({ expect }) => {
    const story = await Story.open(4);
    const names = batches(40);
    await story.take(names);
    await story.take([...names].reverse());
    await eventually(() => story.arrived().length >= 40);
    expect(story.arrived().sort()).toEqual(eventsOf(names));
  });

  it("lists the dead letters of all lanes page by page, and replays or discards the ones that are named", async ({
    expect,
  }) => {
    const story = await Story.open(4, refusing);
    const names = batches(30);
    await story.take(names);
    await eventually(async () => (await story.pages("dead-letters", 100)).length === 30);
    const letters = await story.pages("dead-letters", 7);
    expect(times<string>(letters, "event_id").sort()).toEqual(eventsOf(names));
    const ids = times<string>(letters, "id");
    expect(new Set(ids).size).toBe(30);
    expect(new Set(ids.map((id) => id.split(".")[1] ?? "0")).size).toBe(4);
    const parked = times<string>(letters, "parked_at");
    expect(parked).toEqual([...parked].sort().reverse());

    story.behave(well);
    const before = story.arrived().length;
    const [one, two] = [ids.find((id) => id.endsWith(".1")) ?? "", ids.find((id) => id.endsWith(".2")) ?? ""];
    const named = letters.filter(({ id }) => id === one || id === two);
    const replayed = await story.relay.call("POST", `${story.path}/replay`, { ids: [one, two] });
    expect(replayed.body).toEqual({ replayed: 2 });
    await eventually(() => story.arrived().length === before + 2);
    expect(story.arrived().slice(before).sort()).toEqual(times<string>(named, "event_id").sort());

    const event = times<string>(
      letters.filter((letter) => !named.includes(letter)),
      "event_id",
    )[0];
    const discarded = await story.relay.call("DELETE", `${story.path}/dead-letters`, { ids: [event] });
    expect(discarded.body).toEqual({ discarded: 1 });
    const rest = await story.relay.call("POST", `${story.path}/replay`, { all: true });
    expect(rest.body).toEqual({ replayed: 27 });
    await eventually(() => story.arrived().length === before + 29);
    expect(await story.pages("dead-letters", 100)).toEqual([]);
  });

  it("is as well as its worst lane, in every list", async ({ expect }) => {
    const story = await Story.open(4, busy);
    const [ill = ""] = batches(20).filter((name) => spread(name, 4) === 2);
    await story.take([ill]);
    story.behave(well);
    await story.take(batches(20).filter((name) => spread(name, 4) !== 2));
    await eventually(async () => {
      const { backlog } = await story.relay.destination(story.id);
      return (backlog as Json)["events"] === 1;
    });
    const shown = await story.relay.destination(story.id);
    expect([shown["status"], (shown["status_reason"] as Json)["code"]]).toEqual([
      "degraded",
      "provider_error",
    ]);
    const stored = await createDestinationStore(env.DB).get(story.relay.tenantId, story.id);
    expect(stored?.status).toBe("degraded");
  });

  it("flushes all lanes when it is deleted, and keeps the dead letters of all", async ({ expect }) => {
    const story = await Story.open(4, busy);
    const names = batches(20);
    await story.take(names);
    expect(await story.waiting(4)).not.toContain(0);
    story.behave(well);
    const { body } = await story.relay.call("DELETE", story.path);
    expect(body).toEqual({ flushed: 20, dead_lettered: 0 });
    const after = await Story.open(4, busy);
    await after.take(names);
    const forced = await after.relay.call("DELETE", `${after.path}?force=true`);
    expect(forced.body).toEqual({ flushed: 0, dead_lettered: 20 });
    expect(times<string>(await after.pages("dead-letters", 6), "event_id").sort()).toEqual(eventsOf(names));
  });

  it("is out of every other tenant's reach", async ({ expect }) => {
    const story = await Story.open(4, refusing);
    await story.take(batches(12));
    const stranger = await WholeRelay.withTenant();
    for (const [method, path, body] of [
      ["GET", story.path],
      ["GET", `${story.path}/dead-letters`],
      ["GET", `${story.path}/deliveries`],
      ["GET", `${story.path}/stats`],
      ["POST", `${story.path}/replay`, { all: true }],
      ["POST", `${story.path}/replay`, { ids: ["dl_1.1", "dl_1.2"] }],
      ["DELETE", `${story.path}/dead-letters`, { all: true }],
      ["DELETE", story.path],
      ["PATCH", story.path, { config: { shards: 1 } }],
    ] as const) {
      expect((await stranger.call(method, path, body)).status, `${method} ${path}`).toBe(404);
    }
    expect(await story.pages("dead-letters", 100)).toHaveLength(12);
    expect(laneName("ten_a", "siem_1", 3)).toBe("ten_a/siem_1/3");
  });
});

describe("the number of lanes", () => {
  it("may be lowered while events wait: they are delivered from where they are, and shown until then", async ({
    expect,
  }) => {
    const story = await Story.open(4, busy);
    const names = batches(40);
    await story.take(names);
    const [, , third = 0, fourth = 0] = await story.waiting(4);
    expect(third * fourth).toBeGreaterThan(0);
    vi.mocked(Math.random).mockReturnValue(0); // the next pauses are short
    story.behave(well);
    expect((await story.change({ shards: 1 })).status).toBe(200);
    await eventually(() => story.arrived().length >= 40 && new Set(story.arrived()).size === 40);
    await eventually(async () => (await story.waiting(4)).every((events) => events === 0));
    const shown = await story.relay.destination(story.id);
    expect([shown["status"], shown["backlog"]]).toEqual(["active", { events: 0, bytes: 0, oldest_at: null }]);
    await story.take(batches(10, "later"));
    expect(
      await Promise.all([1, 2, 3].map(async (shard) => (await story.lane(shard).report()).totals.taken)),
    ).toEqual([1, 2, 3].map((shard) => names.filter((name) => spread(name, 4) === shard).length));
  });

  it("may be lowered while dead letters wait: they are listed, and replayed from where they are", async ({
    expect,
  }) => {
    const story = await Story.open(4, refusing);
    const names = batches(20);
    await story.take(names);
    await story.change({ shards: 2 });
    const letters = await story.pages("dead-letters", 3);
    expect(times<string>(letters, "event_id").sort()).toEqual(eventsOf(names));
    expect((await story.relay.destination(story.id))["dead_letters"]).toBe(20);
    story.behave(well);
    const before = story.arrived().length;
    const { body } = await story.relay.call("POST", `${story.path}/replay`, { all: true });
    expect(body).toEqual({ replayed: 20 });
    await eventually(() => story.arrived().length === before + 20);
  });

  it("may be lowered before a deletion, which flushes the lanes out of use as well", async ({ expect }) => {
    const story = await Story.open(4, busy);
    await story.take(batches(20));
    await story.change({ shards: 1 });
    const forced = await story.relay.call("DELETE", `${story.path}?force=true`);
    expect(forced.body).toEqual({ flushed: 0, dead_lettered: 20 });
    expect(await story.pages("dead-letters", 100)).toHaveLength(20);
  });

  it("may be raised at any moment: what waits stays where it is, and is taken once more only by a new lane", async ({
    expect,
  }) => {
    const story = await Story.open(2, busy);
    const names = batches(30);
    await story.take(names);
    await story.change({ shards: 3 });
    await story.take(names);
    const moved = names.filter((name) => spread(name, 3) === 2);
    expect(moved.length).toBeGreaterThan(0);
    expect((await story.waiting(3)).reduce((sum, events) => sum + events, 0)).toBe(30 + moved.length);
  });

  it.for([0, 33, 1.5, "four"])("is refused as %s", async (shards, { expect }) => {
    const story = await Story.open(1);
    const { status, body } = await story.change({ shards });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain("config.shards");
  });
});

describe("the acknowledgements of several lanes", () => {
  it("are asked for in a channel of each lane, so that none takes another's", async ({ expect }) => {
    outside.now = Date.now() + hours(1);
    vi.spyOn(Date, "now").mockImplementation(() => outside.now);
    const splunk = new Indexers(1);
    const story = await Story.open(4);
    outside.host(story.host, splunk.behave);
    const names = batches(12);
    await story.take(names);
    const channels = new Map(
      await Promise.all(
        [0, 1, 2, 3].map(async (shard) => {
          const seen = story.calls.filter(({ ids }) =>
            ids.some((id) => spread(id.replace(/-0$/, ""), 4) === shard),
          );
          return [
            shard,
            new Set(seen.map(({ headers }) => headers.get("x-splunk-request-channel"))),
          ] as const;
        }),
      ),
    );
    const all = [...channels.values()].flatMap((own) => [...own]);
    expect(all).toHaveLength(4);
    expect(new Set(all).size).toBe(4);
    for (const shard of [0, 1, 2, 3]) {
      await runInDurableObject(story.lane(shard), async (lane) => {
        outside.now += seconds(1);
        await lane.alarm();
      });
    }
    await settled();
    expect(await story.waiting(4)).toEqual([0, 0, 0, 0]);
  });
});
