import { it } from "vitest";
import { operatorPrincipal } from "../../src/access/operator.ts";
import { Secret } from "../../src/base/secret.ts";

it("the operator is whoever shows the configured token", ({ expect }) => {
  const token = new Secret("a long admin token");
  expect(operatorPrincipal(token, "a long admin token")).toEqual({ kind: "operator" });
  for (const wrong of ["a long admin tokem", "a long admin token ", "a long", "", null]) {
    expect(operatorPrincipal(token, wrong)).toBeNull();
  }
});

it("nobody is the operator when no token is configured, however little is shown", ({ expect }) => {
  for (const presented of ["", "undefined", "null", null]) {
    expect(operatorPrincipal(null, presented)).toBeNull();
    expect(operatorPrincipal(new Secret(""), presented)).toBeNull();
  }
});
