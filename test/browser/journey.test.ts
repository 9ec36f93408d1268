import type { Page } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { describeInBrowser, type Signed, Stage } from "./support.ts";

const TOKEN = "00000000-0000-4000-8000-00000000c0de";
const POISON = "poison-pill";

/* One story, told in the order in which it happens; each part goes on where the one before ended. */
describeInBrowser("from an empty tenant to a pipe that was broken and is mended", () => {
  const stage = new Stage();
  let signed: Signed;
  let page: Page;
  beforeAll(async () => {
    await stage.open();
    await stage.siem.splunk("soc", { tokens: [{ token: TOKEN, default_index: "main" }] });
    const { key } = await stage.relay.tenant();
    signed = await stage.signIn(key);
    page = signed.page;
    page.setDefaultTimeout(20_000);
  });
  afterAll(() => stage.close());

  const follow = (name: string): Promise<void> =>
    page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
  const press = (name: string | RegExp): Promise<void> => page.getByRole("button", { name }).click();
  const row = (name: string) => page.getByRole("row").filter({ hasText: name });

  it("names the token as what is wrong, before anything is saved", async () => {
    await page.getByRole("heading", { name: "Send your first event" }).waitFor();
    await follow("Audit › SIEM");
    await page.getByRole("link", { name: "Add destination" }).first().click();
    await page.getByRole("link", { name: /^Splunk HTTP Event Collector/ }).click();
    await page.getByLabel("Name").fill("SOC Splunk");
    await page.getByLabel("HEC URL").fill(stage.siem.endpoint("soc"));
    await page.getByLabel("HEC token").fill("00000000-0000-4000-8000-00000000bad0");
    await press("Test connection");
    await page.getByText("The connection does not work yet.").waitFor();
    await page
      .getByRole("listitem")
      .filter({ hasText: /^Failed: token/i })
      .waitFor();
  });

  it("takes the right token, and saves", async () => {
    await page.getByLabel("HEC token").fill(TOKEN);
    await press("Test connection");
    await page.getByText("The connection works: the test event was taken.").waitFor();
    await press("Save destination");
    await page.getByRole("heading", { level: 1, name: "SOC Splunk" }).waitFor();
  });

  it("follows a test event until the provider has it", async () => {
    await follow("Events");
    await press("Send");
    await page.getByRole("heading", { level: 1, name: "Batch" }).waitFor();
    await row("SOC Splunk").getByText("Taken by the provider").waitFor();
  });

  it("says at the top of the overview that the SIEM fails, and what to do", async () => {
    await stage.siem.fault("soc", { mode: "status", status: 503 });
    await follow("Events");
    await press("Send");
    await row("SOC Splunk").getByText("Durably kept, and tried again").waitFor();
    await follow("Overview");
    await page.getByRole("heading", { name: "Needs you (1)" }).waitFor();
    await page.getByRole("listitem").filter({ hasText: "The provider fails" }).waitFor();
    await row("SOC Splunk").getByText("degraded", { exact: true }).waitFor();
  });

  it("shows without a reload that it is mended, and that nothing is left behind", async () => {
    await stage.siem.recover("soc");
    await page.getByText("Nothing needs you.").waitFor();
    await row("SOC Splunk").getByText("active", { exact: true }).waitFor();
  });

  it("keeps what the provider refuses, and replays it once the cause is gone", async () => {
    await stage.siem.fault("soc", { mode: "poison", pattern: POISON });
    await follow("Events");
    await page.getByLabel("Metadata").fill(JSON.stringify({ note: POISON }));
    await press("Send");
    await row("SOC Splunk").getByText("Set aside as a dead letter").waitFor();
    await follow("Overview");
    await page.getByRole("link", { name: "See the dead letters" }).click();
    await row("user.login").getByText("Invalid data format").waitFor();
    await stage.siem.recover("soc");
    await press("Replay all (1)");
    await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
    await page.getByText("1 event waits for delivery again.").waitFor();
    await page.getByRole("heading", { name: "There are no dead letters" }).waitFor();
    await stage.siem.waitFor("soc", ({ distinct }) => distinct >= 3, 20_000);
  });

  it("turns a Splunk alert into an incident, and lets a person resolve it", async ({ expect }) => {
    await follow("Sources");
    await page.getByRole("link", { name: "Add source" }).click();
    await page.getByLabel("Name").fill("SOC alerts");
    await press("Add source");
    const code = (label: string) => page.getByRole("region", { name: label, exact: true }).locator("code");
    const secret = (await code("Secret").textContent()) ?? "";
    const url = (await code("Webhook URL").textContent()) ?? "";
    await page.getByRole("link", { name: "I have copied it: go on" }).click();
    await page.getByText("Waiting for the first alert").waitFor();
    const [call] = await stage.siem.fire("soc", {
      url,
      search_name: "Brute force",
      headers: { "X-Sluice-Secret": secret },
    });
    expect(call?.status).toBe(201);
    await page.getByText("active", { exact: true }).waitFor();
    await follow("Incidents");
    await row("Brute force").getByRole("link", { name: "INC0000001" }).click();
    await press("Acknowledge");
    await page.getByText("acknowledged", { exact: true }).first().waitFor();
    await press("Resolve");
    await page.getByRole("button", { name: "Reopen" }).waitFor();
    await page.getByRole("list", { name: "Timeline" }).getByText("Resolved", { exact: true }).waitFor();
    expect(signed.complaints).toEqual([]);
  });
});
