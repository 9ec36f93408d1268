import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { z } from "zod";
import { days, hours, minutes } from "../src/base/clock.ts";
import { err } from "../src/base/result.ts";
import type { Source } from "../src/model/source.ts";
import type { Poller } from "../src/poller.ts";
import { createSourceStore } from "../src/store/sources.ts";
import { createTenantStore } from "../src/store/tenants.ts";
import { apiDeps, incidentDepsOf, pollerDepsOf } from "../src/wire.ts";
import { pollerDeps } from "../src/wire-poller.ts";
import type { SplunkSearchConfig } from "./simulator/control.ts";
import { SplunkSearch } from "./simulator/splunk-search-core.ts";
import { searchFetch } from "./simulator/splunk-search-fetch.ts";
import { makeNotables } from "./simulator/splunk-search-notables.ts";
import { source } from "./support/builders.ts";
import { aNotable } from "./support/poller.ts";

const sources = createSourceStore(env.DB);
/** So far ahead of the runtime's own clock that no alarm comes by itself. */
const FIRST = Date.UTC(2031, 0, 1, 12);

let now = FIRST;
let made = 0;
let written: string[] = [];

beforeEach(() => {
  now = FIRST;
  written = [];
  vi.spyOn(Date, "now").mockImplementation(() => now);
  vi.spyOn(Math, "random").mockReturnValue(0.999);
  for (const level of ["info", "error"] as const)
    vi.spyOn(console, level).mockImplementation((line) => void written.push(String(line)));
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A source in the database, its poller, and the Splunk that it reads. */
class Scene {
  readonly splunk: SplunkSearch;
  /** Answers in Splunk's place. */
  instead: (() => Response) | null = null;
  asked = 0;
  readonly #config: SplunkSearchConfig;
  source: Source;

  constructor(config: SplunkSearchConfig = {}) {
    this.#config = { tokens: ["t"], polls_until_done: 0, ...config };
    this.splunk = new SplunkSearch(this.#config);
    made += 1;
    this.source = source({
      id: `src_${made}`,
      tenantId: `ten_${made}`,
      kind: "splunk_es",
      config: { rest_url: "https://splunk.example.com:8089" },
      lastSeenAt: null,
    });
    const answer = searchFetch(this.splunk, { now: () => now });
    vi.stubGlobal("fetch", async (input: string, init?: RequestInit) => {
      this.asked += 1;
      return this.instead?.() ?? answer(input, init);
    });
  }

  async start(about: Partial<Source> = {}, secrets: object = { token: "t" }): Promise<this> {
    const { id, tenantId } = this.source;
    await createTenantStore(env.DB).insert({ id: tenantId, name: "Test", createdAt: FIRST });
    const binding = { tenantId, recordId: id, purpose: "source-secrets" as const };
    const sealed = await apiDeps(env, "https://relay.example.com").seal(binding, JSON.stringify(secrets));
    this.source = { ...this.source, ...about, sealedSecrets: sealed };
    await sources.insert(this.source, []);
    await this.poller.configure(tenantId, id, this.source.revision);
    return this;
  }

  get poller(): DurableObjectStub<Poller> {
    return env.POLLERS.getByName(`${this.source.tenantId}/${this.source.id}`);
  }

  splunkIs(config: Partial<SplunkSearchConfig>): void {
    this.splunk.configure({ ...this.#config, ...config });
  }

  /** A person changes the source. */
  async change(about: Partial<Source>): Promise<void> {
    const { revision } = this.source;
    this.source = { ...this.source, ...about, revision: revision + 1 };
    await sources.update(this.source, [], revision);
    await this.poller.configure(this.source.tenantId, this.source.id, this.source.revision);
  }

  /** Lets the next alarm ring, at its time. @returns when that was, or null when none is set */
  async wake(): Promise<number | null> {
    const at = await this.alarmAt();
    if (at === null) return null;
    now = Math.max(now, at);
    await runDurableObjectAlarm(this.poller);
    return at;
  }

  async wakeUntil(end: number): Promise<void> {
    for (let at = await this.alarmAt(); at !== null && at <= end; at = await this.alarmAt())
      await this.wake();
    now = Math.max(now, end);
  }

  alarmAt(): Promise<number | null> {
    return runInDurableObject(this.poller, (_, state) => state.storage.getAlarm());
  }

  async stored(): Promise<Source> {
    const stored = await sources.get(this.source.tenantId, this.source.id);
    if (stored === null) throw new Error("The source is not in the database");
    return stored;
  }

  /** Incidents of the tenant as they are in the database. */
  async incidents(): Promise<readonly Row[]> {
    const { results } = await env.DB.prepare(
      "SELECT number, occurrences, alert->>'event_id' AS event_id, priority FROM incidents WHERE tenant_id = ? ORDER BY number",
    )
      .bind(this.source.tenantId)
      .all();
    return results.map((row) => Row.parse(row));
  }
}

const Row = z.object({
  number: z.number(),
  occurrences: z.number(),
  event_id: z.string(),
  priority: z.string(),
});
type Row = z.infer<typeof Row>;

describe("notables", () => {
  it("are all incidents and each is one: 5,000 of them, a third indexed late, over two restarts, a 401 hour and a clock 3 minutes off", async ({
    expect,
  }) => {
    const scene = new Scene({ clock_offset_ms: -minutes(3) });
    const theirs = FIRST - minutes(3);
    const notables = makeNotables({
      count: 5_000,
      lateShare: 1 / 3,
      maxLateSeconds: 14 * 60,
      startAt: theirs / 1_000 - 600,
      spanSeconds: 3 * 3_600,
    });
    scene.splunk.notables.load(notables);
    await scene.start();
    await scene.wakeUntil(FIRST + minutes(31));
    await evictDurableObject(scene.poller);
    await scene.wakeUntil(FIRST + minutes(70));
    // The hour in which the token is none.
    scene.splunkIs({ clock_offset_ms: -minutes(3), tokens: ["another"] });
    await scene.wakeUntil(FIRST + minutes(130));
    expect(await scene.stored()).toMatchObject({
      status: "degraded",
      statusReason: { code: "credentials_rejected" },
    });
    scene.splunkIs({ clock_offset_ms: -minutes(3) });
    await scene.poller.pollNow();
    // Killed in the middle of what piled up: the first page is in the database, the rest is not.
    let pages = 0;
    const answer = fetch;
    vi.stubGlobal("fetch", async (input: string, init?: RequestInit) => {
      if (input.endsWith("/results") && ++pages === 2) throw new Error("Network connection lost.");
      return answer(input, init);
    });
    await scene.wake();
    expect((await scene.poller.report()).reason?.code).toBe("unreachable");
    await evictDurableObject(scene.poller);
    await scene.wakeUntil(FIRST + hours(4));
    const incidents = await scene.incidents();
    expect(incidents).toHaveLength(5_000);
    expect(incidents.map(({ number }) => number)).toEqual(notables.map((_, index) => index + 1));
    expect(new Set(incidents.map(({ event_id }) => event_id))).toEqual(
      new Set(notables.map(({ event_id }) => event_id)),
    );
    expect(incidents.filter(({ occurrences }) => occurrences !== 1)).toEqual([]);
    expect(await scene.stored()).toMatchObject({ status: "active", statusReason: null, alerts: 5_000 });
    expect(await scene.poller.report()).toMatchObject({ notables: 5_000, failures: 0 });
  }, 120_000);

  it("that an analyst changes count once more, on the same incident", async ({ expect }) => {
    const scene = await new Scene().start();
    const at = FIRST / 1_000 - 60;
    scene.splunk.notables.load([{ ...aNotable("n-1"), _time: at, _indextime: at }]);
    await scene.wake();
    scene.splunk.notables.update(aNotable("n-1").event_id, { urgency: "critical", owner: "kim" });
    await scene.wake();
    expect(await scene.incidents()).toMatchObject([{ occurrences: 2 }]);
  });
});

describe("the alarm", () => {
  it("comes at the source's interval, and at once when a person asks", async ({ expect }) => {
    const scene = await new Scene().start({
      config: { rest_url: "https://splunk.example.com:8089", poll_interval_minutes: 7 },
    });
    expect(await scene.wake()).toBe(FIRST);
    expect(await scene.alarmAt()).toBe(FIRST + minutes(7));
    expect(await scene.poller.report()).toMatchObject({
      status: "active",
      lastPolledAt: FIRST,
      checkpoint: FIRST,
      nextPollAt: FIRST + minutes(7),
    });
    now += minutes(1);
    await scene.poller.pollNow();
    expect(await scene.alarmAt()).toBe(FIRST + minutes(1));
  });

  it("is set anew whatever fails: Splunk, the database, the secrets", async ({ expect }) => {
    const scene = await new Scene().start();
    scene.instead = () => new Response("", { status: 500 });
    await scene.wake();
    expect(await scene.alarmAt()).toBeGreaterThan(now);
    scene.instead = null;
    await env.DB.exec("ALTER TABLE sources RENAME TO sources_away");
    await scene.wake();
    await env.DB.exec("ALTER TABLE sources_away RENAME TO sources");
    expect(written.join()).toContain("alarm.failed");
    expect(await scene.alarmAt()).toBeGreaterThan(now);
    await scene.change({ sealedSecrets: "v1.nonsense" });
    await scene.wake();
    expect(await scene.stored()).toMatchObject({
      status: "degraded",
      statusReason: { code: "config_rejected" },
    });
    expect(await scene.alarmAt()).toBeGreaterThan(now);
  });

  it("backs off up to a quarter of an hour, at once where a person has to act, and comes at once after a change", async ({
    expect,
  }) => {
    const scene = await new Scene().start();
    const pausesOf = async (failures: number): Promise<readonly number[]> => {
      const pauses: number[] = [];
      while (pauses.length < failures) {
        await scene.wake();
        pauses.push(((await scene.alarmAt()) ?? 0) - now);
      }
      return pauses;
    };
    scene.instead = () => new Response("", { status: 500 });
    const busy = await pausesOf(9);
    expect(busy[0]).toBeLessThanOrEqual(5_000);
    expect(busy.toSorted((one, other) => one - other)).toEqual(busy);
    expect(busy.at(-1)).toBeGreaterThan(minutes(14));
    scene.instead = null;
    scene.splunkIs({ tokens: ["another"] });
    const held = await pausesOf(3);
    expect(Math.min(...held)).toBeGreaterThan(minutes(14));
    expect(Math.max(...busy, ...held)).toBeLessThanOrEqual(minutes(15));
    const { statusReason } = await scene.stored();
    expect(statusReason).toMatchObject({ code: "credentials_rejected" });
    expect(statusReason?.since).toBeLessThan(now - minutes(14));
    scene.splunkIs({});
    await scene.change({ name: "renamed" });
    expect(await scene.alarmAt()).toBe(now);
    await scene.wake();
    expect(await scene.stored()).toMatchObject({ status: "active", statusReason: null, lastSeenAt: now });
  });

  it("asks nothing of Splunk while the source is off, and reads what it missed when it is on again", async ({
    expect,
  }) => {
    const scene = await new Scene().start();
    await scene.wake();
    await scene.change({ enabled: false });
    await scene.wake();
    const { asked } = scene;
    await scene.wakeUntil(FIRST + hours(13));
    expect(scene.asked).toBe(asked);
    expect((await scene.poller.report()).nextPollAt).toBeNull();
    const at = FIRST / 1_000 + 3_600;
    scene.splunk.notables.load([{ ...aNotable("n-1"), _time: at, _indextime: at }]);
    await scene.change({ enabled: true });
    await scene.wake();
    expect(await scene.incidents()).toHaveLength(1);
  });

  it("is not set any more when the source is deleted, and nothing is left", async ({ expect }) => {
    const scene = await new Scene().start();
    await scene.wake();
    await sources.markDeleted(scene.source.tenantId, scene.source.id, now);
    await scene.poller.configure(scene.source.tenantId, scene.source.id, 2);
    await scene.wake();
    expect(await scene.alarmAt()).toBeNull();
    expect(await scene.poller.report()).toMatchObject({ checkpoint: null, lastPolledAt: null, notables: 0 });
  });

  it("is found again by a schedule that tells what is known already", async ({ expect }) => {
    const scene = await new Scene().start();
    await scene.wake();
    const { tenantId, id, revision } = scene.source;
    const before = await scene.alarmAt();
    await scene.poller.configure(tenantId, id, revision);
    expect(await scene.alarmAt()).toBe(before);
    await runInDurableObject(scene.poller, (_, state) => state.storage.deleteAlarm());
    await scene.poller.configure(tenantId, id, revision);
    expect(await scene.alarmAt()).toBe(now);
  });
});

describe("a status", () => {
  it("is written when it changes, and once an hour while polling works", async ({ expect }) => {
    const scene = await new Scene().start();
    const said = vi.spyOn(env.DB, "prepare");
    const writes = (): number =>
      said.mock.calls.filter(([sql]) => /UPDATE sources SET status/.test(sql)).length;
    await scene.wakeUntil(FIRST + minutes(59));
    expect(writes()).toBeLessThanOrEqual(1);
    expect(await scene.stored()).toMatchObject({ lastSeenAt: FIRST });
    await scene.wakeUntil(FIRST + minutes(70));
    expect((await scene.stored()).lastSeenAt).toBeGreaterThan(FIRST + minutes(59));
  });
});

describe("a test", () => {
  it("says stage by stage what works, and takes nothing", async ({ expect }) => {
    const scene = await new Scene({ clock_offset_ms: minutes(3) }).start();
    const at = FIRST / 1_000 - 3_600;
    scene.splunk.notables.load([{ ...aNotable("n-1"), _time: at, _indextime: at }]);
    const report = await scene.poller.examine();
    expect(report).toMatchObject({ ok: true, hint: null });
    expect(report.checks.map(({ name, ok }) => [name, ok])).toEqual(
      ["address", "tls", "credentials", "clock", "search", "rows"].map((name) => [name, true]),
    );
    expect(report.checks.find(({ name }) => name === "clock")?.detail).toContain("180 s ahead of ours");
    expect(report.checks.find(({ name }) => name === "rows")?.detail).toContain("1 rows");
    expect(await scene.incidents()).toEqual([]);
  });

  const troubles: readonly (readonly [what: string, answer: () => Response, check: string, hint: RegExp])[] =
    [
      ["Splunk Web", () => new Response("", { status: 303 }), "management_port", /8089/],
      ["a page", () => new Response("<html></html>"), "management_port", /8089/],
      [
        "HEC",
        () => Response.json({ text: "Not found", code: 404 }, { status: 404 }),
        "management_port",
        /8089/,
      ],
      [
        "a wrong token",
        () => Response.json({ messages: [{ type: "ERROR", text: "Unauthorized" }] }, { status: 401 }),
        "credentials",
        /capability/,
      ],
      ["a certificate of one's own", () => new Response("", { status: 526 }), "tls", /public authority/],
      ["nobody", () => new Response("", { status: 523 }), "address", /firewall/],
    ];

  it.for(troubles)("knows %s", async ([, answer, check, hint], { expect }) => {
    const scene = await new Scene().start();
    scene.instead = answer;
    const report = await scene.poller.examine();
    expect(report).toMatchObject({ ok: false, hint: expect.stringMatching(hint) });
    expect(report.checks.find(({ ok }) => !ok)?.name).toBe(check);
  });

  it("knows a macro that is not seen, and rows and texts that polling cannot do well with", async ({
    expect,
  }) => {
    const blind = await new Scene({ macros: [] }).start();
    expect(await blind.poller.examine()).toMatchObject({
      ok: false,
      message: expect.stringContaining("macro 'notable'"),
      hint: expect.stringContaining("`app`"),
    });
    const rest_url = "https://splunk.example.com:8089";
    const search = "index=notable | search earliest=-1d | table rule_name";
    const vague = await new Scene().start({ config: { rest_url, search } });
    const at = FIRST / 1_000 - days(1) / 2_000;
    vague.splunk.notables.load([{ ...aNotable("n-1"), _time: at, _indextime: at }]);
    const report = await vague.poller.examine();
    expect(report.ok).toBe(true);
    expect(report.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(["rows", "time_bounds"]);
  });
});

it("does not take a vault that is out of reach for secrets that are wrong", async ({ expect }) => {
  const { openSecrets } = pollerDeps(env, {
    ...pollerDepsOf(env),
    log: () => undefined,
    raising: incidentDepsOf(env),
    open: async ({ id }) => err({ reason: id === "src_far" ? "unavailable" : "malformed" }),
  });
  await expect(openSecrets(source({ id: "src_far" }))).rejects.toThrow("out of reach");
  expect(await openSecrets(source({ id: "src_bad" }))).toEqual(err("sealed secrets: malformed"));
});

it("shows no secret, neither in a report nor in a line of the log", async ({ expect }) => {
  const scene = await new Scene().start({}, { username: "sluice", password: "s3cr3t-of-splunk" });
  await scene.wake();
  const told = JSON.stringify([
    await scene.poller.report(),
    await scene.poller.examine(),
    await scene.stored(),
    written,
  ]);
  expect(told).toContain("credentials_rejected");
  expect(told).not.toContain("s3cr3t");
  expect(told).not.toContain(btoa("sluice:s3cr3t-of-splunk"));
});
