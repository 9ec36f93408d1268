import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { hours } from "../src/base/clock.ts";
import type { Destination } from "../src/model/destination.ts";
import type { LaneReport } from "../src/model/lane.ts";
import { createDestinationStore } from "../src/store/destinations.ts";
import { createTenantStore } from "../src/store/tenants.ts";
import { parseRootKey } from "../src/vault/root-key.ts";
import { apiDeps, rewrapKeys } from "../src/wire.ts";
import { destination } from "./support/builders.ts";
import { aPart } from "./support/lines.ts";
import { sealedV1 } from "./support/vault.ts";

/*
 * What a lane does when a credential is rotated, refused, or cannot be opened.
 */

const destinations = createDestinationStore(env.DB);
const OLD = "old-token";
const NEW = "new-token";
/** Tokens that Splunk takes. */
let good = new Set<string>();
/** The token of each request, in order. */
let tried: string[] = [];
let arrived: string[] = [];
let made = 0;

beforeEach(() => {
  [good, tried, arrived] = [new Set([OLD]), [], []];
  vi.stubGlobal("fetch", async (_: string, init?: RequestInit): Promise<Response> => {
    const token = (new Headers(init?.headers).get("authorization") ?? "").replace("Splunk ", "");
    tried.push(token);
    if (!good.has(token)) return Response.json({ text: "Invalid token", code: 4 }, { status: 403 });
    const body = init?.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : "";
    arrived.push(...[...body.matchAll(/"event":\{"id":"([^"]+)"/g)].map(([, id = ""]) => id));
    return Response.json({ text: "Success", code: 0 });
  });
  for (const level of ["info", "error"] as const) vi.spyOn(console, level).mockReturnValue();
  // The longest pause after a failure, so that no alarm comes by itself while a test looks.
  vi.spyOn(Math, "random").mockReturnValue(0.999);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const deps = apiDeps(env, "https://relay.example.com");

/** A destination whose token was rotated just now, both slots sealed. */
async function rotated(about: Partial<Destination> = {}): Promise<Destination> {
  made += 1;
  const [id, tenantId] = [`siem_cred${made}`, `ten_cred${made}`];
  await createTenantStore(env.DB).insert({ id: tenantId, name: "Acme", createdAt: 1 });
  const binding = { tenantId, recordId: id, purpose: "destination-secrets" } as const;
  const seal = (token: string) => deps.seal(binding, JSON.stringify({ token }));
  const full = destination({
    id,
    tenantId,
    endpoint: `https://cred${made}.example.com:8088`,
    config: { gzip: false, acknowledge: false },
    sealedSecrets: await seal(NEW),
    sealedPreviousSecrets: await seal(OLD),
    previousSecretsUntil: Date.now() + hours(24),
    ...about,
  });
  await destinations.insert(full);
  return full;
}

const laneOf = ({ tenantId, id }: Destination) => env.LANES.getByName(`${tenantId}/${id}`);

function submit(to: Destination, batch: string, count = 1) {
  const { tenantId, id: destinationId, revision } = to;
  const parts = [aPart(batch, count, { acceptedAt: Date.now() })];
  return laneOf(to).submit({ tenantId, destinationId, revision, parts });
}

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

const isIdle = ({ backlog }: LaneReport): boolean => backlog.events === 0;

describe("a rotated credential that the provider refuses", () => {
  it("is stood in for by the one before, in the same delivery, and each time is counted", async ({
    expect,
  }) => {
    const to = await rotated();
    await submit(to, "bat_a", 2);
    const report = await reported(to, isIdle);
    expect(tried).toEqual([NEW, OLD]);
    expect(arrived).toEqual(["bat_a-0", "bat_a-1"]);
    expect(report).toMatchObject({
      status: "active",
      fallback: { uses: 1 },
      totals: { delivered: 2, attempts: 1 },
    });
    expect(report.fallback.usedAt).not.toBeNull();
    const { items } = await laneOf(to).deliveries(null, 10);
    expect(items.map(({ outcome, message }) => [outcome, message])).toEqual([
      ["delivered", "Success (with the previous credential)"],
    ]);
  });

  it("is used as soon as it works, and the count stays to be seen", async ({ expect }) => {
    const to = await rotated();
    await submit(to, "bat_a");
    await reported(to, isIdle);
    good.add(NEW);
    tried = [];
    await submit(to, "bat_b");
    const report = await reported(to, isIdle);
    expect(tried).toEqual([NEW]);
    expect(report.fallback).toMatchObject({ uses: 1 });
    await evictDurableObject(laneOf(to));
    expect((await laneOf(to).report()).fallback).toMatchObject({ uses: 1 });
  });

  it("has nobody to stand in for it when its time is over: everything is kept, and the status says so", async ({
    expect,
  }) => {
    const to = await rotated({ previousSecretsUntil: Date.now() - 1 });
    await submit(to, "bat_a");
    const report = await reported(to, ({ status }) => status === "degraded");
    expect(tried).toEqual([NEW]);
    expect(report).toMatchObject({ reason: { code: "credentials_rejected" }, backlog: { events: 1 } });
  });

  it("is not tried twice where both are refused", async ({ expect }) => {
    good.clear();
    const to = await rotated();
    await submit(to, "bat_a");
    const report = await reported(to, ({ status }) => status === "degraded");
    expect(tried).toEqual([NEW, OLD]);
    expect(report).toMatchObject({ reason: { code: "credentials_rejected" }, fallback: { uses: 0 } });
    expect(report.totals.attempts).toBe(1);
  });
});

describe("a rotated credential that works", () => {
  it("is the only one used", async ({ expect }) => {
    good.add(NEW);
    const to = await rotated();
    await submit(to, "bat_a");
    expect(await reported(to, isIdle)).toMatchObject({ fallback: { uses: 0, usedAt: null } });
    expect(tried).toEqual([NEW]);
  });
});

describe("a secret that was sealed in the first format", () => {
  it("is delivered with as it is, sealed anew by the schedule, and delivered with again", async ({
    expect,
  }) => {
    const to = await rotated({ sealedPreviousSecrets: null, previousSecretsUntil: null });
    const root = parseRootKey(env.ROOT_KEY);
    if (!root.ok) throw new Error(root.error.reason);
    const binding = { tenantId: to.tenantId, recordId: to.id, purpose: "destination-secrets" };
    const old = sealedV1(root.value, binding, JSON.stringify({ token: OLD }));
    await env.DB.prepare("UPDATE credentials SET sealed = ? WHERE managed_by = ?").bind(old, to.id).run();
    await submit(to, "bat_a");
    await reported(to, isIdle);
    await rewrapKeys(env);
    const fresh = await destinations.get(to.tenantId, to.id);
    expect(fresh).toMatchObject({ revision: to.revision + 1, sealedSecrets: expect.stringMatching(/^v2\./) });
    await submit({ ...to, revision: to.revision + 1 }, "bat_b");
    await reported(to, ({ totals }) => totals.delivered === 2);
    expect(arrived).toEqual(["bat_a-0", "bat_b-0"]);
    expect(tried).toEqual([OLD, OLD]);
  });
});

describe("a secret that nobody can open now", () => {
  /** A destination whose secrets are sealed to a key of the tenant's that is not there. */
  async function unopened(): Promise<Destination> {
    const to = await rotated({ sealedPreviousSecrets: null, previousSecretsUntil: null });
    await env.DB.prepare(
      "UPDATE credentials SET sealed = replace(sealed, 'v2.1.', 'v2.2.') WHERE tenant_id = ?",
    )
      .bind(to.tenantId)
      .run();
    return to;
  }

  it("costs nothing but time: all is kept, the status says so, and it is tried again soon", async ({
    expect,
  }) => {
    const to = await unopened();
    await submit(to, "bat_a", 3);
    const report = await reported(to, ({ status }) => status === "degraded");
    expect(report).toMatchObject({
      reason: { code: "provider_error" },
      backlog: { events: 3 },
      deadLetters: 0,
    });
    expect(report.reason?.message).toContain("tries again by itself");
    expect(report.nextAttemptAt ?? Number.POSITIVE_INFINITY).toBeLessThan(Date.now() + 5_000);
    expect(tried).toEqual([]);
  });

  it("delivers everything once it opens again, without anybody's help", async ({ expect }) => {
    good.add(NEW);
    const to = await unopened();
    await submit(to, "bat_a", 3);
    await reported(to, ({ status }) => status === "degraded");
    await env.DB.prepare(
      "UPDATE credentials SET sealed = replace(sealed, 'v2.2.', 'v2.1.') WHERE tenant_id = ?",
    )
      .bind(to.tenantId)
      .run();
    await env.DB.prepare("UPDATE destinations SET revision = revision + 1 WHERE id = ?").bind(to.id).run();
    await runInDurableObject(laneOf(to), (_, state) => state.storage.setAlarm(Date.now()));
    await runDurableObjectAlarm(laneOf(to));
    expect(await reported(to, isIdle)).toMatchObject({
      status: "active",
      totals: { delivered: 3, parked: 0 },
    });
    expect(arrived).toHaveLength(3);
  });
});
