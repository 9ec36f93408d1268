import { exports } from "cloudflare:workers";
import { it } from "vitest";

it("runs", async ({ expect }) => {
  const r = await exports.default.fetch("http://x/");
  expect(await r.text()).toBe("hi");
});
