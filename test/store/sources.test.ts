import { env } from "cloudflare:workers";
import { beforeEach, describe, it } from "vitest";
import { createSourceStore } from "../../src/store/sources.ts";
import { createTenantStore } from "../../src/store/tenants.ts";
import { source } from "../support/fake-sources.ts";

const sources = createSourceStore(env.DB);
const first = { limit: 10, cursor: null };
const idsOf = (found: readonly { readonly source: { readonly id: string } }[]) =>
  found.map((each) => each.source.id);

beforeEach(async () => {
  for (const table of ["source_secrets", "sources", "tenants"]) await env.DB.exec(`DELETE FROM ${table}`);
  const tenants = createTenantStore(env.DB);
  await tenants.insert({ id: "ten_a", name: "A", createdAt: 1 });
  await tenants.insert({ id: "ten_b", name: "B", createdAt: 1 });
});

describe("sources", () => {
  it("are read as they were written", async ({ expect }) => {
    const full = source({
      config: { secret_header: "X-StackFlow-Secret", hmac: { header: "X-H" }, allow_path_secret: false },
      fieldMapping: { short_description: "rule_name" },
      enabled: false,
      lastSeenAt: 7,
      alerts: 3,
      status: "degraded",
      statusReason: { code: "timeout", message: "slow", since: 5 },
    });
    await sources.insert(full, ["m1"]);
    expect(await sources.get("ten_a", "src_1")).toEqual(full);
    expect(await sources.findById("src_1")).toEqual(full);
    expect(await sources.findByMacs(["m0", "m1"])).toEqual([{ mac: "m1", source: full }]);
  });

  it("are invisible to every other tenant, in every query of a tenant", async ({ expect }) => {
    await sources.insert(source(), ["m1"]);
    expect(await sources.get("ten_b", "src_1")).toBeNull();
    expect((await sources.page("ten_b", first)).items).toEqual([]);
    expect(await sources.count("ten_b")).toBe(0);
    expect(await sources.hasMac("ten_b", ["m1"], "")).toBe(false);
    const stolen = source({ tenantId: "ten_b", revision: 2, sealedSecrets: "stolen" });
    expect(await sources.update(stolen, ["m2"], 1)).toBe(false);
    expect(await sources.markDeleted("ten_b", "src_1", 9)).toBe(false);
    await sources.reportStatus("ten_b", "src_1", { status: "degraded", reason: null, seenAt: 9 });
    expect(await sources.get("ten_a", "src_1")).toEqual(source());
    expect(idsOf(await sources.findByMacs(["m1", "m2"]))).toEqual(["src_1"]);
  });

  it("are written only over the revision that was read, and are then found by their new secrets alone", async ({
    expect,
  }) => {
    await sources.insert(source(), ["m1", "m2"]);
    const next = source({ revision: 2, name: "B", sealedSecrets: "sealed-2" });
    expect(await sources.update(next, ["m2", "m3"], 1)).toBe(true);
    const late = source({ revision: 2, name: "C", sealedSecrets: "sealed-3" });
    expect(await sources.update(late, ["m4"], 1)).toBe(false);
    expect(await sources.get("ten_a", "src_1")).toEqual(next);
    const found = await sources.findByMacs(["m1", "m2", "m3", "m4"]);
    expect(found.map(({ mac }) => mac)).toEqual(["m2", "m3"]);
  });

  it("keep what was counted meanwhile when they are changed", async ({ expect }) => {
    await sources.insert(source(), []);
    await env.DB.exec("UPDATE sources SET alerts = 5, last_seen_at = 9");
    await sources.update(source({ revision: 2, sealedSecrets: "sealed-2" }), [], 1);
    expect(await sources.get("ten_a", "src_1")).toMatchObject({ alerts: 5, lastSeenAt: 9, revision: 2 });
  });

  it("that are deleted are found by no alert, and stay readable for their incidents", async ({ expect }) => {
    await sources.insert(source(), ["m1"]);
    expect(await sources.markDeleted("ten_a", "src_1", 9)).toBe(true);
    expect(await sources.markDeleted("ten_a", "src_1", 10)).toBe(false);
    expect(await sources.findById("src_1")).toBeNull();
    expect(await sources.findByMacs(["m1"])).toEqual([]);
    expect([await sources.count("ten_a"), (await sources.page("ten_a", first)).items]).toEqual([0, []]);
    expect(await sources.get("ten_a", "src_1")).toMatchObject({ deletedAt: 9, revision: 2 });
    expect(await sources.update(source({ revision: 3, sealedSecrets: "x" }), ["m1"], 2)).toBe(false);
  });

  it("tell whether another one of the tenant has a secret", async ({ expect }) => {
    await sources.insert(source(), ["m1"]);
    await sources.insert(source({ id: "src_2", tenantId: "ten_b" }), ["m1"]);
    expect(await sources.hasMac("ten_a", ["m0", "m1"], "src_9")).toBe(true);
    expect(await sources.hasMac("ten_a", ["m1"], "src_1")).toBe(false);
    expect(idsOf(await sources.findByMacs(["m1"]))).toEqual(["src_1", "src_2"]);
  });

  it("take what their poller says without becoming another revision", async ({ expect }) => {
    await sources.insert(source({ kind: "splunk_es" }), []);
    const reason = { code: "unreachable" as const, message: "refused", since: 5 };
    await sources.reportStatus("ten_a", "src_1", { status: "active", reason: null, seenAt: 8 });
    await sources.reportStatus("ten_a", "src_1", { status: "degraded", reason, seenAt: null });
    expect(await sources.get("ten_a", "src_1")).toMatchObject({
      status: "degraded",
      statusReason: reason,
      lastSeenAt: 8,
      revision: 1,
      updatedAt: 1_000,
    });
  });

  it("that are polled and switched on are listed for the schedule, over all tenants", async ({ expect }) => {
    await sources.insert(source({ id: "src_1", kind: "splunk_es" }), []);
    await sources.insert(source({ id: "src_2", kind: "splunk_es", tenantId: "ten_b" }), []);
    await sources.insert(source({ id: "src_3", kind: "splunk_es", enabled: false }), []);
    await sources.insert(source({ id: "src_4" }), []);
    await sources.insert(source({ id: "src_5", kind: "splunk_es", deletedAt: 9 }), []);
    expect((await sources.polled(first)).items.map(({ id }) => id)).toEqual(["src_2", "src_1"]);
  });
});
