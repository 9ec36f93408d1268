import fc from "fast-check";
import { describe, it } from "vitest";
import { matcher, matches } from "../../../src/flow/route/match.ts";
import { CATEGORIES } from "../../../src/model/catalog.ts";
import type { Route } from "../../../src/model/destination.ts";

const route = (match: string, more: Partial<Route> = {}): Route => ({ match, enabled: true, ...more });

describe("a glob", () => {
  const table: readonly (readonly [glob: string, action: string, wanted: boolean])[] = [
    ["user.login", "user.login", true],
    ["user.login", "user.logins", false],
    ["user.login", "a.user.login", false],
    ["user.*", "user.login", true],
    ["user.*", "user.", true],
    ["user.*", "user", false],
    ["user.*", "users.login", false],
    ["incident.*", "incident.note.add", true],
    ["*.delete", "user.delete", true],
    ["*.delete", "user.key.delete", true],
    ["*.delete", "user.deleted", false],
    ["*", "anything.at.all", true],
    ["**", "anything.at.all", true],
    ["user.*.delete", "user.key.delete", true],
    ["user.*.delete", "user.delete", false],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["*key*", "api-key.create", true],
    ["*key*", "apikey", true],
    ["*key*", "api.create", false],
    ["a*bc*c", "a.bc", false],
    ["a*bc*c", "a.bcc", true],
    ["user.login", "userxlogin", false],
    ["user?login", "user.login", false],
    ["", "user.login", false],
  ];

  it.for(table)("%s against %s: %s", ([glob, action, wanted], { expect }) => {
    expect(matches(glob, action)).toBe(wanted);
  });

  it("means what the regular expression with `.*` for each star means", ({ expect }) => {
    const text = (unit: readonly string[], maxLength: number) =>
      fc.array(fc.constantFrom(...unit), { maxLength }).map((letters) => letters.join(""));
    fc.assert(
      fc.property(text(["a", "b", ".", "*"], 8), text(["a", "b", "."], 12), (glob, action) => {
        const translated = new RegExp(`^${glob.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
        expect(matches(glob, action)).toBe(translated.test(action));
      }),
      { numRuns: 3_000 },
    );
  });

  it("cannot be made to take exponential time", ({ expect }) => {
    // As a regular expression this does not end within a lifetime.
    expect(matches(`${"a*".repeat(99)}b`, "a".repeat(200))).toBe(false);
    expect(matches(`${"*a".repeat(5_000)}*b*`, "a".repeat(100_000))).toBe(false);
    expect(matches(`${"*a".repeat(5_000)}*`, "a".repeat(100_000))).toBe(true);
  });
});

describe("a destination", () => {
  it("without routes wants everything, under its own index", ({ expect }) => {
    expect(matcher([])("user.login")).toEqual({ wanted: true, index: null });
  });

  it("with routes wants only what one of them matches", ({ expect }) => {
    const decide = matcher([route("user.*"), route("api.*")]);
    expect(decide("user.login")).toEqual({ wanted: true, index: null });
    expect(decide("api.call")).toEqual({ wanted: true, index: null });
    expect(decide("incident.create")).toEqual({ wanted: false });
  });

  it("sends to the index of the route", ({ expect }) => {
    const decide = matcher([route("user.*", { index: "auth" }), route("*")]);
    expect(decide("user.login")).toEqual({ wanted: true, index: "auth" });
    expect(decide("api.call")).toEqual({ wanted: true, index: null });
  });

  it("lets the first route that matches decide, and one that is switched off decides no", ({ expect }) => {
    const off = route("user.login", { enabled: false });
    expect(matcher([off, route("user.*")])("user.login")).toEqual({ wanted: false });
    expect(matcher([off, route("user.*")])("user.logout")).toEqual({ wanted: true, index: null });
    expect(matcher([route("user.*"), off])("user.login")).toEqual({ wanted: true, index: null });
  });

  it("decides the same for the thousandth time as for the first, however many actions there are", ({
    expect,
  }) => {
    const decide = matcher([route("user.*", { index: "auth" }), route("*.delete")]);
    const actions = Array.from(
      { length: 5_000 },
      (_, index) => [`user.a${index}`, `key${index}.delete`, `key${index}.create`][index % 3],
    ).map(String);
    const first = actions.map(decide);
    expect(actions.map(decide)).toEqual(first);
    const expected = [{ wanted: true, index: "auth" }, { wanted: true, index: null }, { wanted: false }];
    expect(first).toEqual(actions.map((_, index) => expected[index % 3]));
  });
});

describe("the categories of the catalogue", () => {
  const table: readonly (readonly [action: string, index: string | null])[] = [
    ["incident.create", "itsm_incidents"],
    ["incident.note.add", "itsm_incidents"],
    ["change.approve", "itsm_changes"],
    ["user.login", "itsm_auth"],
    ["auth.token.issue", "itsm_auth"],
    ["organization.auth.enable", "itsm_auth"],
    ["organization.rename", null],
    ["ai.prompt", null],
    ["api.call", null],
    ["api-key.create", null],
    ["siem.test_connection", null],
  ];

  it.for(table)("%s goes to %s", ([action, index], { expect }) => {
    expect(matcher("categories")(action)).toEqual(
      index === null ? { wanted: false } : { wanted: true, index },
    );
  });

  it("never claim the same action twice", ({ expect }) => {
    const globs = CATEGORIES.flatMap(({ actions }) => actions);
    for (const glob of globs) {
      const action = glob.replaceAll("*", "some.thing");
      const claims = CATEGORIES.filter(({ actions }) => actions.some((other) => matches(other, action)));
      expect(claims.map(({ name }) => name)).toHaveLength(1);
    }
  });
});
