import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { days, hours, minutes, seconds } from "../src/base/clock.ts";
import type { Lane } from "../src/lane.ts";
import type { Destination } from "../src/model/destination.ts";
import type { BatchPart, LaneReport } from "../src/model/lane.ts";
import { createDestinationStore } from "../src/store/destinations.ts";
import { createTenantStore } from "../src/store/tenants.ts";
import { apiDeps } from "../src/wire.ts";
import { destination } from "./support/builders.ts";
import { aPart } from "./support/lines.ts";

const tenants = createTenantStore(env.DB);
const destinations = createDestinationStore(env.DB);

/** What Splunk does with the next request. */
type Mood = "well" | "busy" | "silent";

/** The world outside, for the destinations of one test: lanes of earlier tests go on trying, and find it busy. */
class Splunk {
  mood: Mood = "well";
  readonly arrived: string[] = [];
  readonly #hosts = new Set<string>();

  addressFor(id: string): string {
    const url = new URL(`https://${id.replace("_", "-")}.example.com:8088`);
    this.#hosts.add(url.host);
    return url.origin;
  }

  readonly fetch = async (input: string, init?: RequestInit): Promise<Response> => {
    if (!this.#hosts.has(new URL(input).host)) return new Response(null, { status: 503 });
    const body = init?.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : "";
    while (this.mood === "silent") await scheduler.wait(5);
    if (this.mood === "busy") return Response.json({ text: "Server is busy", code: 9 }, { status: 503 });
    this.arrived.push(...[...body.matchAll(/"event":\{"id":"([^"]+)"/g)].map(([, id = ""]) => id));
    return Response.json({ text: "Success", code: 0 });
  };
}

let splunk = new Splunk();
let made = 0;
/** Lines of the log. */
let written: string[] = [];

beforeEach(() => {
  splunk = new Splunk();
  vi.stubGlobal("fetch", splunk.fetch);
  written = [];
  for (const level of ["info", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line) => void written.push(String(line)));
  }
  // The longest pause after a failure, so that no alarm comes by itself while a test looks.
  vi.spyOn(Math, "random").mockReturnValue(0.999);
});

afterEach(() => {
  splunk.mood = "well";
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A destination of a tenant of its own, whose secrets open. Its row is there unless `isSaved` is false. */
async function aDestination(
  about: Partial<Destination> = {},
  { isSaved = true }: { isSaved?: boolean } = {},
): Promise<Destination> {
  made += 1;
  const [id, tenantId] = [`siem_${made}`, `ten_${made}`];
  await tenants.insert({ id: tenantId, name: "Acme", createdAt: 1 });
  const full = destination({
    id,
    tenantId,
    endpoint: splunk.addressFor(id),
    config: { gzip: false },
    sealedSecrets: await sealed({ id, tenantId }),
    ...about,
  });
  if (isSaved) await destinations.insert(full);
  return full;
}

function sealed({ id, tenantId }: Pick<Destination, "id" | "tenantId">): Promise<string> {
  const { seal } = apiDeps(env, "https://relay.example.com");
  const binding = { tenantId, recordId: id, purpose: "destination-secrets" } as const;
  return seal(binding, JSON.stringify({ token: "your-hec-token" }));
}

function laneOf({ tenantId, id }: Destination): DurableObjectStub<Lane> {
  return env.LANES.getByName(`${tenantId}/${id}`);
}

/** Gives the lane parts that were accepted just now, unless they say otherwise. */
function submit(to: Destination, ...parts: readonly BatchPart[]) {
  return laneOf(to).submit({ tenantId: to.tenantId, destinationId: to.id, revision: to.revision, parts });
}

const fresh = (batchId: string, count: number, more: Partial<BatchPart> = {}): BatchPart =>
  aPart(batchId, count, { acceptedAt: Date.now(), ...more });

/** The lane's report as soon as it is as it should be. */
function reported(of: Destination, isSo: (report: LaneReport) => boolean): Promise<LaneReport> {
  return vi.waitFor(
    async () => {
      const report = await laneOf(of).report();
      if (!isSo(report)) throw new Error(`Not yet: ${JSON.stringify(report)}`);
      return report;
    },
    { interval: 10, timeout: 3_000 },
  );
}

/** Mends what is wrong outside, and saves the destination anew, which makes its lane try at once. */
async function mend(what: Destination, about: Partial<Destination> = {}): Promise<void> {
  splunk.mood = "well";
  const revision = what.revision + 1;
  await destinations.update({ ...what, ...about, revision }, what.revision);
  await laneOf(what).configure(what.tenantId, what.id, revision);
}

const isIdle = ({ backlog }: LaneReport): boolean => backlog.events === 0;
const isInTrouble = ({ reason }: LaneReport): boolean => reason !== null;

function execute(on: Destination, ...statements: readonly string[]): Promise<void> {
  return runInDurableObject(laneOf(on), (_, { storage }) => {
    for (const statement of statements) storage.sql.exec(statement);
  });
}

const alarmOf = (of: Destination): Promise<number | null> =>
  runInDurableObject(laneOf(of), (_, { storage }) => storage.getAlarm());

/** Puts a trigger in the way of writes to a table. */
const breakTable = (table: string, on: "INSERT" | "DELETE"): string =>
  `CREATE TRIGGER broken BEFORE ${on} ON ${table} BEGIN SELECT RAISE(ABORT, 'disk full'); END`;

const age = (on: Destination, by: number): Promise<void> =>
  execute(on, `UPDATE outbox SET accepted_at = accepted_at - ${by}`);

describe("a lane", () => {
  it("delivers what it is given, says so and owes nothing any more", async ({ expect }) => {
    const to = await aDestination();
    expect(await submit(to, fresh("bat_a", 3))).toEqual({ taken: 3, repeated: 0, unwanted: 0 });
    const report = await reported(to, isIdle);
    expect(splunk.arrived).toEqual(["bat_a-0", "bat_a-1", "bat_a-2"]);
    expect(report).toMatchObject({ status: "active", reason: null, nextAttemptAt: null, firstLossAt: null });
    expect(report.totals).toMatchObject({ taken: 3, delivered: 3, attempts: 1 });
  });

  // A known defect: the log gets the attempt as it was before its pause was known. Fixed when this fails.
  it("says in its log when it tries again", async ({ expect }) => {
    const to = await aDestination();
    splunk.mood = "busy";
    await submit(to, fresh("bat_a", 1));
    const { nextAttemptAt } = await reported(to, isInTrouble);
    const [delivery] = (await laneOf(to).deliveries(null, 1)).items;
    const logged = written.find((line) => line.includes(`"${to.id}"`) && line.includes("delivery.attempted"));
    expect(delivery?.retryAt).toBe(nextAttemptAt);
    expect(JSON.parse(logged ?? "{}")).toMatchObject({ outcome: "retry", retry_at_ms: nextAttemptAt });
  });

  it("that was evicted goes on with what it owed", async ({ expect }) => {
    const to = await aDestination();
    splunk.mood = "busy";
    await submit(to, fresh("bat_a", 2));
    const before = await reported(to, isInTrouble);
    await evictDurableObject(laneOf(to));
    expect(await laneOf(to).report()).toEqual(before);
    splunk.mood = "well";
    await execute(to, "UPDATE facts SET value = json_set(value, '$.retryAt', 0) WHERE key = 'health'");
    await evictDurableObject(laneOf(to));
    await runDurableObjectAlarm(laneOf(to));
    await reported(to, isIdle);
    expect(splunk.arrived).toEqual(["bat_a-0", "bat_a-1"]);
  });
});

describe("a repeated submission", () => {
  /** Where the events of the first one are when the second comes. */
  const places: readonly (readonly [string, (to: Destination) => Promise<unknown>])[] = [
    ["wait", () => Promise.resolve()],
    ["are delivered", (to) => mend(to)],
    [
      "are dead letters",
      async (to) => {
        await age(to, hours(25));
        await runDurableObjectAlarm(laneOf(to));
      },
    ],
  ];

  it.for(places)(
    "is recognised while the first one's events %s, and after a restart",
    async ([, bring], { expect }) => {
      const to = await aDestination();
      splunk.mood = "busy";
      const part = fresh("bat_a", 2);
      await submit(to, part);
      await reported(to, isInTrouble);
      await bring(to);
      const recognised = { taken: 0, repeated: 2, unwanted: 0 };
      expect(await submit(to, part)).toEqual(recognised);
      await evictDurableObject(laneOf(to));
      expect(await submit(to, part)).toEqual(recognised);
      expect(await submit(to, fresh("bat_a", 2, { part: 1 }))).toMatchObject({ taken: 2, repeated: 0 });
    },
  );

  it("takes a part once although one hand-over holds it twice", async ({ expect }) => {
    const to = await aDestination();
    const part = fresh("bat_twice", 3);
    expect(await submit(to, part, part)).toEqual({ taken: 3, repeated: 3, unwanted: 0 });
    await reported(to, isIdle);
    expect((await laneOf(to).report()).totals.taken).toBe(3);
  });

  it("of one that could not be written is taken, and nothing is counted twice", async ({ expect }) => {
    const to = await aDestination({ enabled: false, disabledAt: Date.now() + hours(1) });
    await submit(to, fresh("bat_a", 1));
    await execute(to, breakTable("outbox", "INSERT"));
    const part = fresh("bat_b", 2);
    await submit(to, part).then(
      () => expect.unreachable("The lane took what it could not write"),
      () => undefined,
    );
    await execute(to, "DROP TRIGGER broken");
    expect(await submit(to, part)).toEqual({ taken: 2, repeated: 0, unwanted: 0 });
    expect((await laneOf(to).report()).backlog.events).toBe(3);
  });
});

describe("a destination that is switched off", () => {
  it("takes only what was accepted before, keeps it, and is not in trouble", async ({ expect }) => {
    const disabledAt = Date.now() - minutes(5);
    const to = await aDestination({ enabled: false, disabledAt });
    const owed = fresh("bat_a", 2, { acceptedAt: disabledAt });
    const late = fresh("bat_b", 3, { acceptedAt: disabledAt + 1 });
    expect(await submit(to, owed, late)).toEqual({ taken: 2, repeated: 0, unwanted: 3 });
    expect(splunk.arrived).toEqual([]);
    expect(await laneOf(to).report()).toMatchObject({
      status: "active",
      nextAttemptAt: null,
      firstLossAt: disabledAt + hours(24),
      backlog: { events: 2 },
    });
    expect(await laneOf(to).batch("bat_b")).toBeNull();
  });

  it("delivers what it was owed when it is switched on again", async ({ expect }) => {
    const to = await aDestination({ enabled: false, disabledAt: Date.now() });
    await submit(to, fresh("bat_a", 2, { acceptedAt: Date.now() - seconds(9) }));
    await mend(to, { enabled: true, disabledAt: null });
    await reported(to, isIdle);
    expect(splunk.arrived).toEqual(["bat_a-0", "bat_a-1"]);
  });
});

describe("a lane whose destination cannot be read yet", () => {
  it("keeps the events, does not say that it is paused, and delivers when it can be read", async ({
    expect,
  }) => {
    const to = await aDestination({}, { isSaved: false });
    expect(await submit(to, fresh("bat_a", 2))).toEqual({ taken: 2, repeated: 0, unwanted: 0 });
    const report = await laneOf(to).report();
    expect(report.backlog.events).toBe(2);
    expect(report.nextAttemptAt).not.toBeNull();
    expect(await alarmOf(to)).toBeLessThanOrEqual(Date.now() + seconds(30));
    await evictDurableObject(laneOf(to));
    await destinations.insert(to);
    await runDurableObjectAlarm(laneOf(to));
    await reported(to, isIdle);
    expect(splunk.arrived).toEqual(["bat_a-0", "bat_a-1"]);
  });

  it("because the database fails keeps the events too", async ({ expect }) => {
    const to = await aDestination();
    await env.DB.exec("ALTER TABLE destinations RENAME TO unreachable");
    try {
      expect(await submit(to, fresh("bat_a", 2))).toMatchObject({ taken: 2 });
      await runDurableObjectAlarm(laneOf(to));
      expect((await laneOf(to).report()).backlog.events).toBe(2);
      expect(await alarmOf(to)).not.toBeNull();
    } finally {
      await env.DB.exec("ALTER TABLE unreachable RENAME TO destinations");
    }
    await runDurableObjectAlarm(laneOf(to));
    await reported(to, isIdle);
  });
});

describe("a lane whose sealed secrets do not open", () => {
  it("shows that its settings are at fault, here and in the list, and is not active", async ({ expect }) => {
    const to = await aDestination({ sealedSecrets: "v1.sealed" });
    await submit(to, fresh("bat_a", 2));
    const report = await laneOf(to).report();
    expect(report).toMatchObject({
      status: "degraded",
      reason: { code: "config_rejected" },
      backlog: { events: 2 },
    });
    expect(report.nextAttemptAt).not.toBeNull();
    await vi.waitFor(async () =>
      expect(await destinations.get(to.tenantId, to.id)).toMatchObject({
        status: "degraded",
        statusReason: { code: "config_rejected" },
      }),
    );
    await evictDurableObject(laneOf(to));
    expect((await laneOf(to).report()).status).toBe("degraded");
  });

  it("delivers as soon as they are saved anew", async ({ expect }) => {
    const to = await aDestination({ sealedSecrets: "v1.sealed" });
    await submit(to, fresh("bat_a", 2));
    await mend(to, { sealedSecrets: await sealed(to) });
    const report = await reported(to, isIdle);
    expect(report).toMatchObject({ status: "active", reason: null });
    expect(splunk.arrived).toHaveLength(2);
  });
});

describe("a destination that our own policy does not let us call", () => {
  it("keeps everything and says that its settings are at fault", async ({ expect }) => {
    const to = await aDestination({ endpoint: "http://127.0.0.1:1/" });
    await submit(to, fresh("bat_a", 2));
    const report = await reported(to, isInTrouble);
    expect(report).toMatchObject({
      status: "degraded",
      reason: { code: "config_rejected" },
      backlog: { events: 2 },
    });
  });
});

describe("an event that waits for a day", () => {
  it("becomes a dead letter, the status says so, and a younger one goes on waiting", async ({ expect }) => {
    const to = await aDestination();
    splunk.mood = "busy";
    await submit(to, fresh("bat_old", 2));
    await reported(to, isInTrouble);
    await age(to, hours(24));
    await submit(to, fresh("bat_young", 1));
    await runDurableObjectAlarm(laneOf(to));
    const report = await laneOf(to).report();
    expect(report).toMatchObject({ status: "failed", deadLetters: 2, backlog: { events: 1 } });
    expect(report.totals).toMatchObject({ taken: 3, parked: 2, delivered: 0 });
    const { items } = await laneOf(to).deadLetters(null, 10);
    expect(items.map(({ eventId, reason }) => [eventId, reason])).toEqual([
      ["bat_old-1", "expired"],
      ["bat_old-0", "expired"],
    ]);
    expect(await laneOf(to).batch("bat_old")).toMatchObject({ buffered: 0, expired: 2, parked: 0 });
    expect(await laneOf(to).batch("bat_young")).toMatchObject({ buffered: 1, expired: 0 });
  });

  it("can be replayed once the destination is well, which makes it active again", async ({ expect }) => {
    const to = await aDestination();
    splunk.mood = "busy";
    await submit(to, fresh("bat_a", 2));
    await reported(to, isInTrouble);
    await age(to, hours(24));
    await runDurableObjectAlarm(laneOf(to));
    await reported(to, isIdle);
    await mend(to);
    expect(await laneOf(to).replay({ all: true })).toBe(2);
    const report = await reported(to, (seen) => isIdle(seen) && seen.totals.delivered === 2);
    expect(report).toMatchObject({ status: "active", reason: null, deadLetters: 0 });
    expect(report.totals).toMatchObject({ taken: 2, delivered: 2, parked: 2, replayed: 2 });
    expect(splunk.arrived).toEqual(["bat_a-0", "bat_a-1"]);
  });
});

describe("a destination that is deleted", () => {
  /** Deleted with events that cannot be delivered. */
  async function aClosedLane(): Promise<{ to: Destination; deletedAt: number }> {
    const to = await aDestination();
    splunk.mood = "busy";
    await submit(to, fresh("bat_a", 2, { acceptedAt: Date.now() - seconds(9) }));
    await reported(to, isInTrouble);
    const deletedAt = Date.now();
    await destinations.markDeleted(to.tenantId, to.id, deletedAt);
    await laneOf(to).close(300);
    return { to, deletedAt };
  }

  it("keeps as dead letters what could not be delivered any more", async ({ expect }) => {
    const { to } = await aClosedLane();
    const { items } = await laneOf(to).deadLetters(null, 10);
    expect(items.map(({ reason }) => reason)).toEqual(["destination_deleted", "destination_deleted"]);
    expect(await laneOf(to).report()).toMatchObject({ backlog: { events: 0 }, nextAttemptAt: null });
  });

  it("delivers what it owes before it goes", async ({ expect }) => {
    const to = await aDestination();
    splunk.mood = "busy";
    await submit(to, fresh("bat_a", 2));
    await reported(to, isInTrouble);
    splunk.mood = "well";
    await destinations.markDeleted(to.tenantId, to.id, Date.now());
    expect(await laneOf(to).close(300)).toEqual({ flushed: 2, deadLettered: 0 });
    expect(splunk.arrived).toHaveLength(2);
  });

  it("keeps what was accepted before and comes after, and takes nothing newer", async ({ expect }) => {
    const { to, deletedAt } = await aClosedLane();
    splunk.mood = "well";
    const owed = fresh("bat_b", 1, { acceptedAt: deletedAt });
    const late = fresh("bat_c", 4, { acceptedAt: deletedAt + 1 });
    expect(await submit(to, owed, late)).toEqual({ taken: 1, repeated: 0, unwanted: 4 });
    expect((await laneOf(to).deadLetters(null, 1)).items).toMatchObject([
      { eventId: "bat_b-0", reason: "destination_deleted" },
    ]);
    await evictDurableObject(laneOf(to));
    expect(await submit(to, owed, late)).toEqual({ taken: 0, repeated: 1, unwanted: 4 });
    expect(await laneOf(to).report()).toMatchObject({ deadLetters: 3, backlog: { events: 0 } });
    expect(splunk.arrived).toEqual([]);
  });

  it("sets aside what still travelled when its answer has come", async ({ expect }) => {
    const to = await aDestination();
    splunk.mood = "silent";
    await submit(to, fresh("bat_a", 2));
    await destinations.markDeleted(to.tenantId, to.id, Date.now());
    expect(await laneOf(to).close(100)).toEqual({ flushed: 0, deadLettered: 2 });
    splunk.mood = "busy";
    const report = await reported(to, isIdle);
    expect(report.deadLetters).toBe(2);
  });

  it("notices it by itself where nobody could tell it", async ({ expect }) => {
    const to = await aDestination({ sealedSecrets: "v1.sealed" });
    await submit(to, fresh("bat_a", 1));
    await destinations.markDeleted(to.tenantId, to.id, Date.now());
    await execute(to, "DELETE FROM outbox");
    await evictDurableObject(laneOf(to));
    await runDurableObjectAlarm(laneOf(to));
    expect(await submit(to, fresh("bat_b", 1, { acceptedAt: Date.now() + 1 }))).toMatchObject({
      unwanted: 1,
    });
    const [closed] = await runInDurableObject(laneOf(to), (_, { storage }) =>
      storage.sql.exec("SELECT key FROM facts WHERE key = 'closed_at'").toArray(),
    );
    expect(closed).toBeDefined();
  });

  it("is forgotten seven days later, dead letters, row and all", async ({ expect }) => {
    const { to } = await aClosedLane();
    expect(await alarmOf(to)).not.toBeNull();
    await execute(to, `UPDATE facts SET value = value - ${days(7)} WHERE key = 'closed_at'`);
    await evictDurableObject(laneOf(to));
    await runDurableObjectAlarm(laneOf(to)).catch(() => undefined); // it ends itself
    expect(await destinations.get(to.tenantId, to.id)).toBeNull();
    expect(await laneOf(to).report()).toMatchObject({ deadLetters: 0, totals: { taken: 0 } });
    expect(await alarmOf(to)).toBeNull();
  });

  // A known defect: nothing can be delivered, and yet the flush waits for all of its time. Fixed when this fails.
  it("does not keep the caller waiting for what cannot be delivered, being switched off", async ({
    expect,
  }) => {
    const to = await aDestination({ enabled: false, disabledAt: Date.now() });
    await submit(to, fresh("bat_a", 2, { acceptedAt: Date.now() - seconds(9) }));
    await destinations.markDeleted(to.tenantId, to.id, Date.now());
    const startedAt = Date.now();
    expect(await laneOf(to).close(seconds(4))).toEqual({ flushed: 0, deadLettered: 2 });
    expect(Date.now() - startedAt).toBeLessThan(seconds(3));
  });
});

describe("a destination that was changed", () => {
  it("is tried at once instead of at the end of its pause", async ({ expect }) => {
    const to = await aDestination({ endpoint: "http://127.0.0.1:1/" });
    await submit(to, fresh("bat_a", 2));
    const before = await reported(to, isInTrouble);
    expect(before.nextAttemptAt).toBeGreaterThan(Date.now() + seconds(5));
    await mend(to, { endpoint: splunk.addressFor(to.id) });
    const report = await reported(to, isIdle);
    expect(report).toMatchObject({ status: "active", reason: null });
    expect(report.changes.map(({ status }) => status)).toEqual(["degraded", "active"]);
    expect(splunk.arrived).toHaveLength(2);
  });

  it("is read when a submission shows that there is something newer", async ({ expect }) => {
    const to = await aDestination({ endpoint: "http://127.0.0.1:1/" });
    await submit(to, fresh("bat_a", 1));
    await reported(to, isInTrouble);
    const changed = { ...to, endpoint: splunk.addressFor(to.id), revision: 2 };
    await destinations.update(changed, 1);
    await submit(changed, fresh("bat_b", 1));
    await reported(to, isIdle);
    expect(splunk.arrived).toEqual(["bat_a-0", "bat_b-0"]);
  });
});

describe("the fate of a batch", () => {
  it("goes from waiting over travelling to delivered", async ({ expect }) => {
    const to = await aDestination();
    const acceptedAt = Date.now() - seconds(3);
    expect(await laneOf(to).batch("bat_a")).toBeNull();
    splunk.mood = "silent";
    await submit(to, fresh("bat_a", 2, { acceptedAt }));
    expect(await laneOf(to).batch("bat_a")).toMatchObject({
      buffered: 0,
      sent: 2,
      accepted: 0,
      attempts: 0,
      bufferedAt: acceptedAt,
    });
    splunk.mood = "well";
    await reported(to, isIdle);
    expect(await laneOf(to).batch("bat_a")).toMatchObject({
      buffered: 0,
      sent: 0,
      accepted: 2,
      attempts: 1,
      bufferedAt: acceptedAt,
      parkedAt: null,
    });
  });

  it("goes from waiting to set aside, and knows since when it was whose", async ({ expect }) => {
    const to = await aDestination();
    splunk.mood = "busy";
    const acceptedAt = Date.now() - seconds(3);
    await submit(to, fresh("bat_a", 2, { acceptedAt }));
    await reported(to, isInTrouble);
    const waiting = await laneOf(to).batch("bat_a");
    expect(waiting).toMatchObject({
      buffered: 2,
      sent: 0,
      parked: 0,
      bufferedAt: acceptedAt,
      parkedAt: null,
    });
    expect(waiting?.attempts).toBeGreaterThan(0);
    await destinations.markDeleted(to.tenantId, to.id, Date.now());
    await laneOf(to).close(100);
    const parked = await laneOf(to).batch("bat_a");
    expect(parked).toMatchObject({ buffered: 0, sent: 0, accepted: 0, parked: 2, bufferedAt: acceptedAt });
    expect(parked?.parkedAt).toBeGreaterThan(acceptedAt);
  });
});

describe("while anything waits", () => {
  it("an alarm is set, within half a minute or for the end of the pause", async ({ expect }) => {
    const to = await aDestination();
    splunk.mood = "silent";
    await submit(to, fresh("bat_a", 1));
    expect(await alarmOf(to)).toBeLessThanOrEqual(Date.now() + seconds(30));
    splunk.mood = "busy";
    const { nextAttemptAt } = await reported(to, isInTrouble);
    expect(await alarmOf(to)).toBeLessThanOrEqual(nextAttemptAt ?? 0);
  });

  it("an alarm is set again although its handler fails", async ({ expect }) => {
    const to = await aDestination({ endpoint: "http://127.0.0.1:1/" });
    await submit(to, fresh("bat_a", 1));
    await reported(to, isInTrouble);
    await age(to, hours(25));
    await execute(to, breakTable("dead_letters", "INSERT"));
    for (let time = 0; time < 8; time += 1) {
      expect(await runDurableObjectAlarm(laneOf(to))).toBe(true);
      expect(await alarmOf(to)).not.toBeNull();
    }
    expect(await laneOf(to).report()).toMatchObject({ backlog: { events: 1 }, deadLetters: 0 });
    await execute(to, "DROP TRIGGER broken");
    await runDurableObjectAlarm(laneOf(to));
    expect(await laneOf(to).report()).toMatchObject({ backlog: { events: 0 }, deadLetters: 1 });
  });

  it("an alarm is set although the destination is switched off, to look at the backlog every hour", async ({
    expect,
  }) => {
    const to = await aDestination({ enabled: false, disabledAt: Date.now() });
    await submit(to, fresh("bat_a", 1, { acceptedAt: Date.now() - hours(2) }));
    const at = (await alarmOf(to)) ?? 0;
    expect(Math.abs(at - (Date.now() + hours(1)))).toBeLessThan(60_000);
  });

  it("its tenant is warned once a level on the way to losing events, and anew after it was mended", async ({
    expect,
  }) => {
    const to = await aDestination({ enabled: false, disabledAt: Date.now() });
    await submit(to, fresh("bat_a", 1, { acceptedAt: Date.now() - hours(1) }));
    const warnedAfter = async (age: number): Promise<unknown> => {
      await execute(
        to,
        `UPDATE outbox SET accepted_at = ${Date.now() - age}, first_event_at = ${Date.now() - age}`,
      );
      await runDurableObjectAlarm(laneOf(to));
      return runInDurableObject(laneOf(to), (_, { storage }) => {
        return storage.sql.exec("SELECT value FROM facts WHERE key = 'warned'").toArray()[0]?.["value"];
      });
    };
    expect(await warnedAfter(hours(11))).toBeUndefined();
    expect(await warnedAfter(hours(13))).toBe("50");
    expect(await warnedAfter(hours(23))).toBe("95");
    expect(await warnedAfter(hours(25))).toBe("0");
  });
});
