import { env } from "cloudflare:workers";
import { beforeEach, describe, it } from "vitest";
import { createTenantStore } from "../../src/store/tenants.ts";

const tenants = createTenantStore(env.DB);

beforeEach(async () => {
  await env.DB.exec("DELETE FROM tenants");
});

describe("tenants", () => {
  it("are read as they were written", async ({ expect }) => {
    await tenants.insert({ id: "ten_1", name: "Acme", createdAt: 5 });
    expect(await tenants.get("ten_1")).toEqual({ id: "ten_1", name: "Acme", createdAt: 5 });
    expect(await tenants.get("ten_2")).toBeNull();
  });

  it("are listed newest first, each once, while others are inserted between two pages", async ({
    expect,
  }) => {
    for (let n = 0; n < 7; n += 1) {
      await tenants.insert({ id: `ten_${n}`, name: "t", createdAt: Math.floor(n / 2) });
    }
    const seen: string[] = [];
    let cursor: Awaited<ReturnType<typeof tenants.page>>["next"] = null;
    do {
      const page: Awaited<ReturnType<typeof tenants.page>> = await tenants.page({ limit: 2, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
      await tenants.insert({ id: `ten_new${seen.length}`, name: "t", createdAt: 100 });
    } while (cursor !== null);
    expect(seen).toEqual(["ten_6", "ten_5", "ten_4", "ten_3", "ten_2", "ten_1", "ten_0"]);
  });

  it("give no next position when the last page is exactly full", async ({ expect }) => {
    await tenants.insert({ id: "ten_1", name: "t", createdAt: 1 });
    await tenants.insert({ id: "ten_2", name: "t", createdAt: 2 });
    expect((await tenants.page({ limit: 2, cursor: null })).next).toBeNull();
  });
});
