import { env } from "cloudflare:workers";
import { it } from "vitest";
import { createStrandedStore } from "../../src/store/stranded.ts";

it("keeps each stranded message once, oldest first, until it is removed", async ({ expect }) => {
  const stranded = createStrandedStore(env.DB);
  const message = { id: "m1", tenantId: "ten_a", reason: "no lane", body: "{}", at: 5 };
  await stranded.put(message);
  await stranded.put({ ...message, reason: "again" });
  await stranded.put({ id: "m0", tenantId: null, reason: "unreadable", body: "\u0000?", at: 3 });
  expect(await stranded.count()).toBe(2);
  expect(await stranded.oldest(1)).toEqual([
    { id: "m0", tenantId: null, reason: "unreadable", body: "\u0000?", at: 3 },
  ]);
  await stranded.remove("m0");
  expect(await stranded.oldest(10)).toEqual([message]);
});
