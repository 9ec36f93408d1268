import { describe, it } from "vitest";
import { deadLetter, destination } from "../support/builders.ts";
import { ADMIN_TOKEN, FakeApi, type FetchOptions } from "../support/fake-api.ts";

const operator = { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } };

async function walk(api: FakeApi, path: string, options: FetchOptions, between = () => {}) {
  const ids: unknown[] = [];
  let cursor: unknown = null;
  let pages = 0;
  do {
    const query = cursor === null ? "?limit=3" : `?limit=3&cursor=${cursor}`;
    const { status, body, text } = await api.json("GET", path + query, options);
    if (status !== 200) throw new Error(text);
    ids.push(...body.data.map(({ id }) => id));
    cursor = body["next_cursor"];
    between();
    pages += 1;
  } while (cursor !== null && pages < 20);
  return ids;
}

describe("a list", () => {
  it("shows each entry once, newest first, while others are inserted", async ({ expect }) => {
    const api = new FakeApi();
    for (let n = 0; n < 8; n += 1) {
      await api.destinations.insert(destination({ id: `siem_${n}`, createdAt: Math.floor(n / 3) }));
    }
    let inserted = 100;
    const ids = await walk(api, "/v1/audit/siem", { key: api.key("ten_a") }, () => {
      inserted += 1;
      void api.destinations.insert(destination({ id: `siem_${inserted}`, createdAt: inserted }));
    });
    expect(ids).toEqual([7, 6, 5, 4, 3, 2, 1, 0].map((n) => `siem_${n}`));
  });

  it("has 50 entries by default and at most 100", async ({ expect }) => {
    const api = new FakeApi();
    for (let n = 0; n < 120; n += 1) {
      await api.tenants.insert({ id: `ten_${n}`, name: "t", createdAt: n });
    }
    const count = async (query: string) =>
      (await api.json("GET", `/v1/tenants${query}`, operator)).body.data.length;
    expect(await count("")).toBe(50);
    expect(await count("?limit=100")).toBe(100);
    expect(await count("?limit=1&limit=100&unknown=1")).toBe(1);
    expect(new Set(await walk(api, "/v1/tenants", operator)).size).toBe(60); // twenty pages of three
  });

  it("of a lane pages as well", async ({ expect }) => {
    const api = new FakeApi();
    await api.destinations.insert(destination());
    api.lane("ten_a", "siem_1").letters = [8, 7, 6, 5, 4, 3, 2].map((n) => deadLetter({ id: `dl_${n}` }));
    const ids = await walk(api, "/v1/audit/siem/siem_1/dead-letters", { key: api.key("ten_a") });
    expect(ids).toEqual([8, 7, 6, 5, 4, 3, 2].map((n) => `dl_${n}`));
  });
});

describe("a cursor", () => {
  it("is refused when edited, in any character", async ({ expect }) => {
    const api = new FakeApi();
    const key = api.key("ten_a");
    await api.destinations.insert(destination({ id: "siem_1" }));
    await api.destinations.insert(destination({ id: "siem_2" }));
    const { body } = await api.json("GET", "/v1/audit/siem?limit=1", { key });
    const cursor = String(body["next_cursor"]);
    const get = async (edited: string) =>
      (await api.json("GET", `/v1/audit/siem?limit=1&cursor=${edited}`, { key })).status;
    expect(await get(cursor)).toBe(200);
    for (let at = 0; at < cursor.length; at += 1) {
      const other = cursor.charAt(at) === "A" ? "B" : "A";
      expect(await get(cursor.slice(0, at) + other + cursor.slice(at + 1))).toBe(422);
    }
    expect(await get(cursor.slice(0, -1))).toBe(422);
    expect(await get(`${cursor}A`)).toBe(422);
  });

  it("belongs to one list of one tenant", async ({ expect }) => {
    const api = new FakeApi();
    for (const tenantId of ["ten_a", "ten_b"]) {
      await api.destinations.insert(destination({ id: `siem_${tenantId}1`, tenantId }));
      await api.destinations.insert(destination({ id: `siem_${tenantId}2`, tenantId }));
    }
    const { body } = await api.json("GET", "/v1/audit/siem?limit=1", { key: api.key("ten_a") });
    const query = `?cursor=${body["next_cursor"]}`;
    expect((await api.json("GET", `/v1/audit/siem${query}`, { key: api.key("ten_b") })).status).toBe(422);
    expect((await api.json("GET", `/v1/keys${query}`, { key: api.key("ten_a") })).status).toBe(422);
  });
});
