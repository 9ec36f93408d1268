import { inspect } from "node:util";
import { it } from "vitest";
import { Secret } from "../../src/base/secret.ts";

it("a secret shows itself to whoever asks for it, and to nothing that prints", ({ expect }) => {
  const secret = new Secret("t0ps3cret");
  expect(secret.reveal()).toBe("t0ps3cret");
  const shown = [`${secret}`, JSON.stringify({ secret }), inspect(secret), inspect({ deep: { secret } })];
  for (const text of shown) expect(text).not.toContain("t0ps3cret");
  expect(Object.keys(secret)).toEqual([]);
  expect(structuredClone({ ...secret })).toEqual({});
});
