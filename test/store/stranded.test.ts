import { env } from "cloudflare:workers";
import { beforeEach, it } from "vitest";
import { createStrandedStore } from "../../src/store/stranded.ts";

beforeEach(async () => {
  await env.DB.exec("DELETE FROM stranded");
});

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

it("gives the message longest untried its turn, and one that was tried in vain goes behind all others", async ({
  expect,
}) => {
  const stranded = createStrandedStore(env.DB);
  for (const [at, id] of ["m0", "m1", "m2"].entries()) {
    await stranded.put({ id, tenantId: null, reason: "unreadable", body: "?", at });
  }
  const turn = async (): Promise<string | undefined> => (await stranded.oldest(1))[0]?.id;
  const turns: (string | undefined)[] = [];
  for (let now = 10; now < 15; now += 1) {
    const id = await turn();
    turns.push(id);
    await stranded.postpone(id ?? "", now);
  }
  expect(turns).toEqual(["m0", "m1", "m2", "m0", "m1"]);
  await stranded.put({ id: "new", tenantId: null, reason: "unreadable", body: "?", at: 11 });
  expect(await turn()).toBe("new");
});

it("does not forget since when a message waits because it was tried again", async ({ expect }) => {
  const stranded = createStrandedStore(env.DB);
  await stranded.put({ id: "m1", tenantId: null, reason: "unreadable", body: "?", at: 5 });
  await stranded.postpone("m1", 500);
  expect((await stranded.oldest(1))[0]?.at).toBe(5);
});
