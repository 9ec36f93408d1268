import { env } from "cloudflare:workers";
import { beforeEach, describe, it } from "vitest";
import { days } from "../../src/base/clock.ts";
import { createDestinationStore, STILL_OWED_DAYS } from "../../src/store/destinations.ts";
import { createTenantStore } from "../../src/store/tenants.ts";
import { destination } from "../support/builders.ts";

const NOW = days(1_000);
const destinations = createDestinationStore(env.DB, () => NOW);
const first = { limit: 10, cursor: null };

beforeEach(async () => {
  await env.DB.exec("DELETE FROM destinations");
  await env.DB.exec("DELETE FROM credentials");
  await env.DB.exec("DELETE FROM tenants");
  const tenants = createTenantStore(env.DB);
  await tenants.insert({ id: "ten_a", name: "A", createdAt: 1 });
  await tenants.insert({ id: "ten_b", name: "B", createdAt: 1 });
});

describe("destinations", () => {
  it("are read as they were written, routes and reason included", async ({ expect }) => {
    const full = destination({
      routes: [{ match: "incident.*", index: "itsm_incidents", enabled: true }],
      config: { index: "main", nested: { list: [1, "ü", null] } },
      status: "degraded",
      statusReason: { code: "unreachable", message: "refused", since: 5 },
      disabledAt: 7,
      enabled: false,
    });
    await destinations.insert(full);
    expect(await destinations.get("ten_a", "siem_1")).toEqual(full);
    await destinations.insert(destination({ id: "siem_2", routes: "categories" }));
    expect((await destinations.get("ten_a", "siem_2"))?.routes).toBe("categories");
  });

  it("are invisible to every other tenant, in every query", async ({ expect }) => {
    await destinations.insert(destination());
    expect(await destinations.get("ten_b", "siem_1")).toBeNull();
    expect((await destinations.page("ten_b", first)).items).toEqual([]);
    expect(await destinations.count("ten_b")).toBe(0);
    expect(await destinations.forFanOut("ten_b")).toEqual([]);
    expect(await destinations.update(destination({ tenantId: "ten_b", revision: 2 }), 1)).toBe(false);
    expect(await destinations.markDeleted("ten_b", "siem_1", 9)).toBe(false);
    await destinations.reportStatus("ten_b", "siem_1", 0, { status: "failed", reason: null });
    await destinations.reportStatus("ten_b", "siem_1", 1, { status: "failed", reason: null });
    await destinations.remove("ten_b", "siem_1");
    expect(await destinations.get("ten_a", "siem_1")).toEqual(destination());
  });

  it("are read for fanning out of several tenants at once, as they are of each alone", async ({ expect }) => {
    const tenants = ["ten_a", "ten_b"];
    for (const [index, tenantId] of ["ten_a", "ten_b", "ten_a"].entries()) {
      await destinations.insert(destination({ id: `siem_${index}`, tenantId, createdAt: 10 - index }));
    }
    const all = await destinations.forFanOutOf(tenants);
    for (const tenantId of tenants) expect(all.get(tenantId)).toEqual(await destinations.forFanOut(tenantId));
    expect([...(await destinations.forFanOutOf(["ten_b"])).keys()]).toEqual(["ten_b"]);
    const many = Array.from({ length: 250 }, (_, n) => `ten_${n}`);
    expect([...(await destinations.forFanOutOf([...many, "ten_a"])).keys()]).toEqual(["ten_a"]);
  });

  it("are written only over the revision that was read", async ({ expect }) => {
    await destinations.insert(destination());
    expect(await destinations.update(destination({ name: "one", revision: 2 }), 1)).toBe(true);
    expect(await destinations.update(destination({ name: "two", revision: 2 }), 1)).toBe(false);
    expect((await destinations.get("ten_a", "siem_1"))?.name).toBe("one");
  });

  it("show what the lane reports without counting it as a change", async ({ expect }) => {
    await destinations.insert(destination());
    const reason = { code: "throttled", message: "429", since: 3 } as const;
    await destinations.reportStatus("ten_a", "siem_1", 0, { status: "degraded", reason });
    const found = await destinations.get("ten_a", "siem_1");
    expect(found).toEqual(destination({ status: "degraded", statusReason: reason }));
    await destinations.reportStatus("ten_a", "siem_1", 0, { status: "active", reason: null });
    expect((await destinations.get("ten_a", "siem_1"))?.statusReason).toBeNull();
  });

  it("are as well as the worst of their lanes in use, whichever reports last", async ({ expect }) => {
    await destinations.insert(destination({ config: { shards: 3 }, mostShards: 3 }));
    const say = (shard: number, status: "active" | "degraded" | "failed", since = 0) =>
      destinations.reportStatus("ten_a", "siem_1", shard, {
        status,
        reason: status === "active" ? null : { code: "throttled", message: `lane ${shard}`, since },
      });
    const told = async () => {
      const found = await destinations.get("ten_a", "siem_1");
      return [found?.status, found?.statusReason?.message ?? null];
    };
    await say(2, "failed", 5);
    await say(0, "active");
    expect(await told()).toEqual(["failed", "lane 2"]);
    await Promise.all([say(0, "degraded", 7), say(1, "failed", 4)]);
    expect(await told()).toEqual(["failed", "lane 1"]);
    await say(1, "active");
    expect(await told()).toEqual(["failed", "lane 2"]);
    await say(2, "active");
    expect(await told()).toEqual(["degraded", "lane 0"]);
    await say(0, "active");
    expect(await told()).toEqual(["active", null]);
    await say(2, "failed");
    const lowered = destination({ config: { shards: 2 }, mostShards: 3, revision: 2 });
    expect(await destinations.update(lowered, 1)).toBe(true);
    expect(await told()).toEqual(["active", null]);
  });

  it("remember the most lanes that they ever had", async ({ expect }) => {
    const most = async () => (await destinations.get("ten_a", "siem_1"))?.mostShards;
    await destinations.insert(destination({ config: { shards: 4 } }));
    expect(await most()).toBe(4);
    await destinations.update(destination({ config: { shards: 8 }, revision: 2 }), 1);
    await destinations.update(destination({ config: {}, revision: 3 }), 2);
    expect(await most()).toBe(8);
    expect((await destinations.allIds(first)).items[0]).toMatchObject({ config: {}, mostShards: 8 });
  });

  it("are marked when deleted, once, and cannot be changed any more", async ({ expect }) => {
    await destinations.insert(destination());
    expect(await destinations.markDeleted("ten_a", "siem_1", 9)).toBe(true);
    expect(await destinations.markDeleted("ten_a", "siem_1", 10)).toBe(false);
    expect(await destinations.get("ten_a", "siem_1")).toMatchObject({ deletedAt: 9, revision: 2 });
    expect((await destinations.page("ten_a", first)).items).toEqual([]);
    expect(await destinations.count("ten_a")).toBe(0);
    expect(await destinations.update(destination({ revision: 3 }), 2)).toBe(false);
    await destinations.remove("ten_a", "siem_1");
    expect(await destinations.get("ten_a", "siem_1")).toBeNull();
  });

  it("take part in fanning out for 15 days after they were switched off or deleted", async ({ expect }) => {
    const recent = NOW - days(STILL_OWED_DAYS) + 1;
    const old = NOW - days(STILL_OWED_DAYS);
    await destinations.insert(destination({ id: "on" }));
    await destinations.insert(destination({ id: "off", enabled: false, disabledAt: recent }));
    await destinations.insert(destination({ id: "off-old", enabled: false, disabledAt: old }));
    await destinations.insert(destination({ id: "gone", deletedAt: recent }));
    await destinations.insert(destination({ id: "gone-old", deletedAt: old }));
    await destinations.insert(
      destination({ id: "off-then-gone", enabled: false, disabledAt: old, deletedAt: recent }),
    );
    const found = await destinations.forFanOut("ten_a");
    expect(found.map(({ id }) => id).toSorted()).toEqual(["gone", "off", "off-then-gone", "on"]);
  });

  it("page over all tenants for the operator, without the deleted", async ({ expect }) => {
    await destinations.insert(destination({ id: "siem_a", createdAt: 1 }));
    await destinations.insert(destination({ id: "siem_b", tenantId: "ten_b", createdAt: 2 }));
    await destinations.insert(destination({ id: "siem_c", createdAt: 3, deletedAt: 4 }));
    const one = await destinations.allIds({ limit: 1, cursor: null });
    expect(one.items).toMatchObject([{ id: "siem_b", tenantId: "ten_b", provider: "splunk", enabled: true }]);
    const two = await destinations.allIds({ limit: 1, cursor: one.next });
    expect(two.items.map(({ id }) => id)).toEqual(["siem_a"]);
    expect(two.next).toBeNull();
  });

  it("refuse to be read from a row that does not hold what it should", async ({ expect }) => {
    await destinations.insert(destination());
    await env.DB.exec("UPDATE destinations SET config = 'not json'");
    await expect(destinations.get("ten_a", "siem_1")).rejects.toThrow();
  });
});
