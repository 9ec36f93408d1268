import { afterAll, beforeAll, it } from "vitest";
import { ADMIN_TOKEN } from "../node/support/relay.ts";
import { accessibilityFaults, describeInBrowser, Stage } from "./support.ts";

describeInBrowser("signing in to the console", () => {
  const stage = new Stage();
  beforeAll(() => stage.open());
  afterAll(() => stage.close());

  it("says in the relay's words what is wrong with a key", async ({ expect }) => {
    const context = await stage.context();
    const page = await context.newPage();
    await page.goto("/console");
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByLabel("API key or operator token").fill("sl_live_wrong_wrong_wrong_wrong_wrong_wrong");
    await page.getByLabel("API key or operator token").press("Enter");
    await page.getByRole("alert").getByText("neither a key that works nor the operator token").waitFor();
    await context.close();
  });

  it("lets the operator make a tenant and enter it, and leaves no way in after signing out", async ({
    expect,
  }) => {
    const { page, context, complaints } = await stage.signIn(ADMIN_TOKEN);
    await page.getByLabel("Name of a new tenant").fill("Acme <b>bold</b>");
    await page.getByRole("button", { name: "Make tenant" }).click();
    await page.getByRole("button", { name: "Enter Acme <b>bold</b>" }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await page.goto("/console#/tenants");
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});
