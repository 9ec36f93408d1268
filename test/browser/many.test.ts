import { afterAll, beforeAll, it } from "vitest";
import { describeInBrowser, Stage } from "./support.ts";

const MANY = 500;
const AT_ONCE = 20;
/** From an address to rows that can be read, on two cores that the relay and its 500 lanes share. */
const PATIENCE_MS = 3_000;

describeInBrowser("a tenant with 500 destinations", () => {
  const stage = new Stage();
  let key = "";
  beforeAll(async () => {
    await stage.open();
    key = (await stage.relay.tenant()).key;
    await stage.siem.webhook("sink", { secrets: ["secret-of-the-sink"] });
    const endpoint = stage.siem.endpoint("sink");
    let next = 0;
    const make = async (): Promise<void> => {
      for (let at = next++; at < MANY; at = next++) {
        const name = `Destination ${String(at).padStart(3, "0")}`;
        const body = { provider: "webhook", name, endpoint, secret: "secret-of-the-sink", enabled: false };
        const made = await stage.relay.call("POST", "/v1/audit/siem", { key, body });
        if (made.status !== 201) throw new Error(JSON.stringify(made.body));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, make));
  }, 120_000);
  afterAll(() => stage.close());

  for (const [name, place, rows] of [
    ["the overview", "#/", "Destinations"],
    ["the list", "#/settings/audit/siem", "Destinations"],
  ] as const) {
    it(`has ${name} usable: soon there, few requests, and a page that stays small`, async ({ expect }) => {
      const { page, context, complaints } = await stage.signIn(key);
      await stage.goTo(page, "#/events"); // somewhere else, so that nothing is there yet
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      const startedAt = performance.now();
      await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
      await page.getByRole("region", { name: rows }).getByRole("row").nth(10).waitFor();
      expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MS);
      await stage.goTo(page, place);
      expect(asked.length).toBeLessThanOrEqual(8);
      expect(await page.locator("*").count()).toBeLessThan(1_500);
      await page.getByText("500 destinations", { exact: false }).first().waitFor();
      expect(complaints).toEqual([]);
      await context.close();
    });
  }

  it("finds one of them by its name, and leads page by page to the last", async ({ expect }) => {
    const { page, context } = await stage.signIn(key);
    await stage.goTo(page, "#/settings/audit/siem");
    await page.getByLabel("Search").fill("Destination 417");
    const rows = page.getByRole("region", { name: "Destinations" }).locator("tbody tr");
    await rows.filter({ hasText: "Destination 417" }).waitFor();
    expect(await rows.count()).toBe(1);
    await page.getByLabel("Search").fill("");
    await rows.nth(10).waitFor();
    const seen = new Set<string>();
    for (let turn = 0; turn < 40; turn += 1) {
      for (const name of await rows.locator("td.name a").allTextContents()) seen.add(name);
      const older = page.getByRole("button", { name: "Older" });
      if (!(await older.isEnabled())) break;
      await older.click();
    }
    expect(seen.size).toBe(MANY);
    await context.close();
  });
});
