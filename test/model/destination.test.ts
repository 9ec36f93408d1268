import { describe, it } from "vitest";
import { categoryRoutes } from "../../src/model/catalog.ts";
import { Route, Routes } from "../../src/model/destination.ts";

const isRoutes = (value: unknown): boolean => Routes.safeParse(value).success;

describe("a route", () => {
  it("is switched on unless it says otherwise", ({ expect }) => {
    expect(Route.parse({ match: "user.*" })).toEqual({ match: "user.*", enabled: true });
    expect(Route.parse({ match: "user.*", enabled: false }).enabled).toBe(false);
  });

  const globs: readonly (readonly [string, boolean])[] = [
    ["user.login", true],
    ["incident.*", true],
    ["*.delete", true],
    ["*", true],
    ["api-key.update_role", true],
    ["x".repeat(200), true],
    ["x".repeat(201), false],
    ["", false],
    ["User.*", false],
    ["user.?", false],
    ["user.* ", false],
    ["user.*\n", false],
    ["^user", false],
  ];

  it.for(globs)("for %j: %s", ([match, valid], { expect }) => {
    expect(Route.safeParse({ match }).success).toBe(valid);
  });

  it("with an option that nobody knows is an error and not a silent default", ({ expect }) => {
    expect(Route.safeParse({ match: "user.*", enable: false }).success).toBe(false);
  });

  it("has an index of a sensible length or none", ({ expect }) => {
    const withIndex = (index: unknown): boolean => Route.safeParse({ match: "*", index }).success;
    expect([withIndex("itsm_auth"), withIndex("x".repeat(256))]).toEqual([true, true]);
    expect([withIndex(""), withIndex("x".repeat(257)), withIndex(null)]).toEqual([false, false, false]);
  });
});

describe("the routes of a destination", () => {
  it("are a bounded list, or the catalogue's categories by name", ({ expect }) => {
    const list = (length: number) => Array.from({ length }, () => ({ match: "user.*" }));
    expect([[], list(1), list(100), "categories"].map(isRoutes)).toEqual([true, true, true, true]);
    expect([list(101), "everything", null, {}].map(isRoutes)).toEqual([false, false, false, false]);
  });

  it("that the catalogue makes are such routes themselves", ({ expect }) => {
    expect(Routes.parse(categoryRoutes())).toEqual(categoryRoutes());
  });
});
