import { afterAll, beforeAll, it } from "vitest";
import { accessibilityFaults, describeInBrowser, Stage } from "./support.ts";

const TOKEN = "00000000-0000-4000-8000-00000000c0de";
const NEXT = "00000000-0000-4000-8000-00000000beef";

describeInBrowser("shorter stories in the console", () => {
  const stage = new Stage();
  beforeAll(async () => {
    await stage.open();
    await stage.siem.splunk("soc", { tokens: [{ token: TOKEN }, { token: NEXT }] });
  });
  afterAll(() => stage.close());

  it.concurrent("seals a credential, shows who uses it, and gives it new values only once the destination takes them", async ({
    expect,
  }) => {
    const { key } = await stage.relay.tenant();
    const { page, context, complaints } = await stage.signIn(key);
    await stage.goTo(page, "#/settings/vault");
    await page.getByText("Seal a credential", { exact: true }).click();
    await page.getByLabel("Name").fill("Splunk HEC");
    await page.getByRole("textbox", { name: "API key" }).fill(TOKEN);
    await page.getByRole("button", { name: "Seal", exact: true }).click();
    const sealed = await page.getByText(/Splunk HEC is sealed as cred_/).textContent();
    const [id = ""] = /cred_\w+/.exec(sealed ?? "") ?? [];
    const body = { provider: "splunk", name: "SOC", endpoint: stage.siem.endpoint("soc"), credential_id: id };
    expect((await stage.relay.call("POST", "/v1/audit/siem", { key, body })).status).toBe(201);

    await stage.goTo(page, "#/settings/keys");
    await stage.goTo(page, "#/settings/vault");
    await page.getByRole("row").filter({ hasText: id }).getByRole("link", { name: "SOC" }).waitFor();
    await page.getByRole("button", { name: "Rotate Splunk HEC" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("API key").fill("00000000-0000-4000-8000-00000000bad0");
    await dialog.getByRole("button", { name: "Try and rotate" }).click();
    await dialog
      .getByRole("alert")
      .getByText(/SOC \(siem_\w+\) refuses them/)
      .waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog.getByLabel("API key").fill(NEXT);
    await dialog.getByRole("button", { name: "Try and rotate" }).click();
    await page.getByText(/Splunk HEC has new values \(version 2\)\. The old ones stand in until/).waitFor();

    await page.getByRole("button", { name: "Delete Splunk HEC" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await dialog
      .getByRole("alert")
      .getByText(/It is in use by SOC/)
      .waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(await page.content()).not.toContain(NEXT);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it.concurrent("shows a credential's values on request only, and takes them off the page again", async ({
    expect,
  }) => {
    const { key } = await stage.relay.tenant();
    const sealing = {
      name: "Partner API",
      credential_type: "bearer",
      values: { token: "value-of-the-test" },
    };
    await stage.relay.call("POST", "/api/v2/vault/seal", { key, body: sealing });
    const { page, context } = await stage.signIn(key);
    await stage.goTo(page, "#/settings/vault");
    await page.getByRole("button", { name: "Show values of Partner API" }).click();
    await page.getByRole("dialog").getByText("is recorded as the event").waitFor();
    expect(await page.content()).not.toContain("value-of-the-test");
    await page.getByRole("dialog").getByRole("button", { name: "Show them" }).click();
    await page.getByText("value-of-the-test").waitFor();
    await page.getByRole("button", { name: "Hide them" }).click();
    expect(await page.content()).not.toContain("value-of-the-test");
    await context.close();
  });

  it.concurrent("offers no values of the vault to a key without the scope for them", async ({ expect }) => {
    const { key, id } = await stage.relay.tenant();
    const sealing = { name: "Partner API", credential_type: "bearer", values: { token: "x" } };
    await stage.relay.call("POST", "/api/v2/vault/seal", { key, body: sealing });
    const body = { name: "sealer", scopes: ["vault:seal"] };
    const sealer = await stage.relay.call("POST", `/v1/tenants/${id}/keys`, { body });
    const { page, context } = await stage.signIn(String(sealer.body["key"]));
    await stage.goTo(page, "#/settings/vault");
    await page.getByRole("button", { name: "Rotate Partner API" }).waitFor();
    expect(await page.getByRole("button", { name: /^Show values/ }).count()).toBe(0);
    await context.close();
  });

  it.concurrent("leads an empty tenant to its first event, and notices when it has arrived", async ({
    expect,
  }) => {
    const { key } = await stage.relay.tenant();
    const fresh = await stage.signIn(key);
    const steps = fresh.page.getByRole("region", { name: "Send your first event" });
    await steps.getByText("As soon as there is a destination").waitFor();
    const body = { provider: "splunk", endpoint: stage.siem.endpoint("soc"), token: TOKEN };
    await stage.relay.call("POST", "/v1/audit/siem", { key, body });
    await steps.getByText("Waiting for the event").waitFor();
    await steps.getByRole("button", { name: "Make a key and put it in" }).click();
    await steps.getByText("The key is in the command").waitFor();
    const command = (await steps.locator("code").first().textContent()) ?? "";
    const [own = ""] = /sl_live_\w+/.exec(command) ?? [];
    const [, event = ""] = /-d '(.+)'/.exec(command) ?? [];
    const sent = await stage.relay.call("POST", "/v1/audit/events", { key: own, body: event });
    expect(sent.status).toBe(202);
    await steps.getByText("It has arrived").waitFor();
    expect(fresh.complaints).toEqual([]);
    await fresh.context.close();
  });
});
