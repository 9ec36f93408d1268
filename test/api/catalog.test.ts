import { it } from "vitest";
import { KNOWN_ACTIONS } from "../../src/api/known-actions.ts";
import { CATEGORIES } from "../../src/model/catalog.ts";
import { ACTION_PATTERN } from "../../src/model/event.ts";
import { FakeApi } from "../support/fake-api.ts";

it("lists known event names, each once and acceptable, with category and default index", async ({
  expect,
}) => {
  const api = new FakeApi();
  const { body } = await api.json("GET", "/v1/audit/catalog", { key: api.key("ten_a", ["audit:read"]) });
  expect(body.data).toHaveLength(KNOWN_ACTIONS.length);
  expect(new Set(body.data.map(({ action }) => action)).size).toBe(KNOWN_ACTIONS.length);
  expect(body.data.filter(({ action }) => !ACTION_PATTERN.test(String(action)))).toEqual([]);
  const entry = (name: string) => body.data.find(({ action }) => action === name);
  expect(entry("user.login")).toMatchObject({
    category: "auth",
    default_index: "itsm_auth",
    enabled_by_default: true,
  });
  expect(entry("api-key.create")).toMatchObject({ default_index: "itsm_api", enabled_by_default: false });
  expect(entry("scan.start")).toMatchObject({ category: null, default_index: null });
});

it("has an event for every category", ({ expect }) => {
  for (const { name, actions } of CATEGORIES) {
    const some = KNOWN_ACTIONS.some(([action]) =>
      actions.some((glob) => action.startsWith(glob.slice(0, -1))),
    );
    expect([name, some]).toEqual([name, true]);
  }
  expect(CATEGORIES.flatMap(({ actions }) => actions).filter((glob) => !glob.endsWith(".*"))).toEqual([]);
});
