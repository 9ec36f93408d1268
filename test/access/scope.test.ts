import fc from "fast-check";
import { describe, it } from "vitest";
import { beyondGrant, hasScope, mayGrant } from "../../src/access/scope.ts";
import { type Principal, SCOPES, type Scope } from "../../src/model/tenant.ts";

const holding = (...scopes: Scope[]): Principal => ({
  kind: "key",
  keyId: "key_1",
  tenantId: "ten_1",
  scopes,
  signingSecret: null,
});
const scope = fc.constantFrom(...SCOPES);
const scopes = fc.uniqueArray(scope);

describe("a scope", () => {
  it("is held when it is on the list, or the star is", ({ expect }) => {
    fc.assert(
      fc.property(scopes, scope, (own, asked) => {
        expect(hasScope(holding(...own), asked)).toBe(own.includes("*") || own.includes(asked));
      }),
    );
  });

  it("is not held by default, nor by the operator", ({ expect }) => {
    for (const asked of SCOPES) {
      expect(hasScope(holding(), asked)).toBe(false);
      expect(hasScope({ kind: "operator" }, asked)).toBe(false);
    }
  });
});

describe("a grant", () => {
  it("never gives a new key what the granting one cannot do", ({ expect }) => {
    fc.assert(
      fc.property(scopes, scopes, scope, (own, asked, use) => {
        if (!mayGrant(own, asked)) return;
        expect(!hasScope(holding(...asked), use) || hasScope(holding(...own), use)).toBe(true);
      }),
    );
  });

  it("of the star needs the star, not every scope of today", ({ expect }) => {
    expect(
      mayGrant(
        SCOPES.filter((one) => one !== "*"),
        ["*"],
      ),
    ).toBe(false);
    expect(mayGrant(["*"], ["*", "events:write"])).toBe(true);
  });

  it("names what goes too far", ({ expect }) => {
    expect(beyondGrant(["keys:write"], ["keys:write", "audit:read", "*"])).toEqual(["audit:read", "*"]);
    expect(beyondGrant(["*"], [...SCOPES])).toEqual([]);
  });
});
