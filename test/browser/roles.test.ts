import type { Page } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { type Furnished, furnish, placesOf } from "./furnish.ts";
import { accessibilityFaults, describeInBrowser, type Signed, Stage } from "./support.ts";

/** What a page offers to somebody who may only look: reading further, filtering, copying and taking a copy away. */
const HARMLESS =
  /^(Copy|Search|Follow|Newer|Older|Export as NDJSON|Menu|Skip to the content|Sign out|Sign out everywhere)$/;

describeInBrowser("who may do what in the console", () => {
  const stage = new Stage();
  let found: Furnished;
  beforeAll(async () => {
    await stage.open();
    found = await furnish(stage);
  });
  afterAll(() => stage.close());

  it.concurrent("says in the relay's words what is wrong with a key", async ({ expect }) => {
    const context = await stage.context();
    const page = await context.newPage();
    await page.goto("/console");
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByLabel("API key or operator token").fill("sl_live_wrong_wrong_wrong_wrong_wrong_wrong");
    await page.getByLabel("API key or operator token").press("Enter");
    await page.getByRole("alert").getByText("neither a key that works nor the operator token").waitFor();
    await context.close();
  });

  it.concurrent("lets the operator make a tenant and enter it, and leaves no way in after signing out", async ({
    expect,
  }) => {
    const { page, context, complaints } = await stage.signIn();
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

  it.concurrent("lets a viewer see every page, and shows no control that changes anything", async ({
    expect,
  }) => {
    const { page, context, complaints } = await stage.signIn(found.viewerKey);
    const { tenants: _, nowhere: __, ...places } = placesOf(found);
    const seen: Record<string, string> = {};
    for (const [name, place] of Object.entries(places)) {
      await stage.goTo(page, place);
      seen[name] = (await page.getByRole("heading", { level: 1 }).textContent()) ?? "";
      expect(await harmfulControls(page), name).toEqual([]);
    }
    const refused = "This key may not do that";
    expect(seen).toMatchObject({
      overview: "Overview",
      batch: "Batch",
      incident: found.incident,
      destinations: "SIEM destinations",
      "destination-deliveries": "Compliance archive",
      "destination-dead-letters": "Compliance archive",
      "destination-new": refused,
      "destination-edit": refused,
      "source-new": refused,
      keys: refused,
      vault: refused,
    });
    await stage.goTo(page, places["destination-dead-letters"] ?? "");
    await page.getByRole("cell", { name: /evt-poison-1/ }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  it.concurrent("offers on the same pages to whoever may what a viewer does not see", async ({ expect }) => {
    const { page, context } = await stage.signIn(found.key);
    const places = placesOf(found);
    for (const name of [
      "incident",
      "destinations",
      "destination-dead-letters",
      "destination-settings",
      "keys",
    ]) {
      await stage.goTo(page, places[name] ?? "");
      expect(await harmfulControls(page), name).not.toEqual([]);
    }
    await context.close();
  });

  it.concurrent("refuses at the API what the page does not offer", async ({ expect }) => {
    const { page, context } = await stage.signIn(found.viewerKey);
    const attempts = [
      ["PATCH", `/v1/audit/siem/${found.wellId}`, { enabled: false }],
      ["DELETE", `/v1/audit/siem/${found.wellId}`, undefined],
      ["POST", `/v1/audit/siem/${found.poisonedId}/replay`, { all: true }],
      ["PATCH", `/v1/incidents/${found.incident}`, { state: "closed" }],
      ["POST", "/v1/keys", { name: "mine", scopes: ["events:write"] }],
      ["POST", "/v1/audit/events", { action: "user.login", actor_id: "me" }],
    ] as const;
    for (const [method, path, body] of attempts) {
      const answer = await callAs(page, method, path, body);
      expect([path, answer.status, answer.code]).toEqual([path, 403, "missing_scope"]);
    }
    await context.close();
  });

  it.concurrent("signs out everywhere: another browser's next look finds nobody signed in", async ({
    expect,
  }) => {
    const { key } = await stage.relay.tenant(); // others are signed in with the other one meanwhile
    const [here, there, operator] = await Promise.all([stage.signIn(key), stage.signIn(key), stage.signIn()]);
    await here.page.getByRole("button", { name: "Sign out everywhere" }).click();
    await here.page
      .getByRole("dialog")
      .getByRole("button", { name: "Sign out everywhere", exact: true })
      .click();
    await here.page.getByRole("button", { name: "Sign in" }).waitFor();
    await there.page.getByRole("button", { name: "Sign in" }).waitFor(); // it looks by itself, every few seconds
    expect((await callAs(operator.page, "GET", "/v1/tenants")).status).toBe(200);
    await Promise.all([here, there, operator].map(({ context }) => context.close()));
  });

  it.concurrent("refuses what another site's page asks for with the cookie, or without the token", async ({
    expect,
  }) => {
    const { page, context } = await stage.signIn(found.key);
    const before = await keys(stage, found.key);
    const forged = { name: "forged", scopes: ["*"] };
    // The same machine under another name: another site, with the same cookie jar behind it.
    const other = stage.relay.url.replace("127.0.0.1", "localhost");
    const elsewhere = await context.newPage();
    await elsewhere.goto(`${other}/healthz`);
    const answered = await elsewhere.evaluate(
      async ([url, body]) =>
        fetch(`${url}/v1/keys`, {
          method: "POST",
          mode: "no-cors",
          credentials: "include",
          headers: { "content-type": "text/plain" },
          body: body ?? "",
        }).then(
          () => "sent",
          () => "stopped",
        ),
      [stage.relay.url, JSON.stringify(forged)] as const,
    );
    expect(["sent", "stopped"]).toContain(answered);
    const plain = await page.evaluate(
      async (body) =>
        (
          await fetch("/v1/keys", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body,
          })
        ).status,
      JSON.stringify(forged),
    );
    expect(plain).toBe(403);
    expect(await keys(stage, found.key)).toEqual(before);
    await context.close();
  });

  it.concurrent("leads the operator from one tenant to another, and mixes up nothing", async ({ expect }) => {
    const { page, context, complaints } = await stage.signIn();
    await stage.relay.call("POST", "/v1/tenants", { body: { name: "Beta Corp" } });
    await stage.enter(page, "Acme Bank");
    await page.getByRole("link", { name: "SOC Splunk, Frankfurt" }).waitFor();
    await page.reload(); // who is in the menu is read once
    await page.getByLabel("Tenant").selectOption({ label: "Beta Corp" });
    await page.getByRole("heading", { name: "Send your first event" }).waitFor();
    expect(await page.getByText("SOC Splunk, Frankfurt").count()).toBe(0);
    await page.getByLabel("Tenant").selectOption({ label: "Acme Bank" });
    await page.getByRole("link", { name: "SOC Splunk, Frankfurt" }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

/** Names of buttons and links in the page that do more than show. */
async function harmfulControls(page: Page): Promise<readonly string[]> {
  const buttons = await page
    .locator("button:not([aria-expanded]), summary, input[type=submit]")
    .allTextContents();
  const links = await page
    .locator("main a")
    .evaluateAll((all) => all.map((link) => link.getAttribute("href") ?? ""));
  return [
    ...buttons.map((text) => text.trim()).filter((text) => !HARMLESS.test(text) && text !== "Routes"),
    ...links.filter((href) => /\/(new|edit)\b/.test(href)),
  ];
}

/** As a script in the console's own page would, with its cookie and token. */
async function callAs(
  page: Signed["page"],
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly code: string | null }> {
  return page.evaluate(
    async ([way, to, sent]) => {
      const session = (await (await fetch("/console/session")).json()) as { csrf_token: string };
      const answer = await fetch(to, {
        method: way,
        headers: { "content-type": "application/json", "x-csrf-token": session.csrf_token },
        ...(sent === null ? {} : { body: sent }),
      });
      const told = (await answer.json().catch(() => ({}))) as { code?: string };
      return { status: answer.status, code: told.code ?? null };
    },
    [method, path, body === undefined ? null : JSON.stringify(body)] as const,
  );
}

async function keys(stage: Stage, key: string): Promise<readonly string[]> {
  const { body } = await stage.relay.call("GET", "/v1/keys?limit=100", { key });
  return (body["data"] as readonly { name: string }[]).map(({ name }) => name);
}
