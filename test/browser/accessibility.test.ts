import { gzipSync } from "node:zlib";
import type { Page, Response } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { type Furnished, furnish, placesOf } from "./furnish.ts";
import { accessibilityFaults, describeInBrowser, Stage } from "./support.ts";

const DESKTOP = { width: 1_280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** Dialogs and what opens in place, by what opens them. */
const OPENED: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  incident: ["Close"],
  source: ["Delete", "Rotate secret", "Sign out everywhere"],
  keys: [/^Revoke SOC/],
  vault: [/^Rotate Splunk/, /^Show values/, /^Delete Splunk/],
  "destination-deliveries": [/^\d\d:\d\d:\d\d/],
  "destination-dead-letters": ["user.update", /^Replay all/, "Discard all"],
  "destination-settings": ["Pause", "Delete destination"],
};

describeInBrowser("the console for everybody", () => {
  const stage = new Stage();
  let found: Furnished;
  beforeAll(async () => {
    await stage.open();
    found = await furnish(stage);
  });
  afterAll(() => stage.close());

  it.concurrent("has no accessibility fault on any page, light and dark, on a desktop and on a phone", async ({
    expect,
  }) => {
    const { page, context, complaints } = await stage.signIn();
    await stage.enter(page, "Acme Bank");
    for (const [name, place] of Object.entries(placesOf(found))) {
      await stage.goTo(page, place);
      expect(await faultsEverywhere(page), name).toEqual([]);
    }
    expect(complaints).toEqual([]);
    await context.close();
  }, 120_000);

  it.concurrent("has none with dialogs, details and menus open, nor where there is nothing yet", async ({
    expect,
  }) => {
    const { page, context } = await stage.signIn();
    await stage.enter(page, "Acme Bank");
    const places = placesOf(found);
    for (const [name, openers] of Object.entries(OPENED)) {
      for (const opener of openers) {
        await page.goto("about:blank");
        await stage.goTo(page, places[name] ?? "");
        await page.getByRole("button", { name: opener }).first().click();
        expect(await faultsTwice(page), `${name}: ${opener}`).toEqual([]);
      }
    }
    for (const name of ["keys", "vault", "destination-form"]) {
      await stage.goTo(page, places[name] ?? "");
      for (const summary of await page.locator("summary").all()) await summary.click();
      expect(await faultsTwice(page), name).toEqual([]);
    }
    await page.setViewportSize(PHONE);
    await page.getByRole("button", { name: "Menu" }).click();
    expect(await accessibilityFaults(page), "menu").toEqual([]);
    await stage.relay.call("POST", "/v1/tenants", { body: { name: "Nothing in it yet" } });
    await stage.enter(page, "Nothing in it yet");
    for (const name of ["overview", "incidents", "destinations", "sources", "keys", "vault"]) {
      await stage.goTo(page, places[name] ?? "");
      expect(await faultsTwice(page), `${name}, empty`).toEqual([]);
    }
    await context.close();
  }, 120_000);

  it.concurrent("never scrolls sideways as a whole, however narrow the screen", async ({ expect }) => {
    const { page, context } = await stage.signIn(undefined, { ...PHONE, width: 320 });
    await stage.enter(page, "Acme Bank");
    for (const [name, place] of Object.entries(placesOf(found))) {
      await stage.goTo(page, place);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      expect(width, name).toBeLessThanOrEqual(320);
    }
    await context.close();
  });

  it.concurrent("adds a destination with the keyboard alone, the focus always in sight", async ({
    expect,
  }) => {
    const { page, context } = await stage.signIn(found.key);
    await stage.goTo(page, "#/settings/audit/siem");
    await tabTo(page, "Add destination");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Add destination" }).waitFor();
    await tabTo(page, "Splunk HTTP Event Collector");
    await page.keyboard.press("Enter");
    await page.getByLabel("HEC URL").waitFor();
    const order = [];
    order.push(await tabTo(page, "Name"));
    await page.keyboard.type("By keyboard");
    order.push(await tabTo(page, "HEC URL"));
    await page.keyboard.type(stage.siem.endpoint("well"));
    order.push(await tabTo(page, "HEC token"));
    await page.keyboard.type("00000000-0000-4000-8000-00000000c0de");
    order.push(await tabTo(page, "Test connection"));
    await page.keyboard.press("Enter");
    await page.getByText("The connection works").waitFor();
    order.push(await tabTo(page, "Save destination"));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "By keyboard" }).waitFor();
    expect(order.every((steps) => steps > 0 && steps < 12)).toBe(true); // forwards, without a way round
    await context.close();
  });

  it("replays a dead letter with the keyboard alone; the dialog keeps the focus and gives it back", async ({
    expect,
  }) => {
    const { page, context } = await stage.signIn(found.key);
    await stage.goTo(page, `#/settings/audit/siem/${found.poisonedId}/dead-letters`);
    await tabTo(page, "Replay all (2)");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    for (let at = 0; at < 5; at += 1) {
      const focused = await page.evaluate(FOCUSED);
      if (focused !== "") expect(["Cancel", "Replay"]).toContain(focused); // or in the browser's own bar
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await page.evaluate(FOCUSED)).toBe("Replay all (2)");
    await stage.siem.recover("poisoned");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo(page, "Replay");
    await page.keyboard.press("Enter");
    await page.getByText("2 events wait for delivery again.").waitFor();
    expect(await page.evaluate("document.activeElement !== document.body")).toBe(true);
    await context.close();
  });

  it.concurrent("loads within 150 kB, everything that a first visit asks for", async ({ expect }) => {
    const context = await stage.context();
    const page = await context.newPage();
    const answers: Response[] = [];
    page.on("response", (answer) => answers.push(answer));
    await page.goto("/console", { waitUntil: "networkidle" });
    await page.getByLabel("API key or operator token").waitFor();
    const sizes = await Promise.all(answers.map(sizeOf));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(answers.length).toBeLessThanOrEqual(5); // the document, a script, a style sheet, who is signed in
    expect(answers.map((answer) => new URL(answer.url()).host)).toEqual(
      answers.map(() => new URL(stage.relay.url).host),
    );
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(150_000);
    await context.close();
  });
});

/** As it travels from Cloudflare, whose edge compresses; the relay on this machine does not. */
async function sizeOf(answer: Response): Promise<number> {
  const { responseHeadersSize } = await answer.request().sizes();
  return responseHeadersSize + gzipSync(await answer.body()).byteLength;
}

/** In both colours and both sizes, without going there anew. */
function faultsEverywhere(page: Page): Promise<readonly string[]> {
  return faultsIn(page, [
    [DESKTOP, "light"],
    [DESKTOP, "dark"],
    [PHONE, "light"],
    [PHONE, "dark"],
  ]);
}

/** Each colour once, and each size once. */
function faultsTwice(page: Page): Promise<readonly string[]> {
  return faultsIn(page, [
    [DESKTOP, "light"],
    [PHONE, "dark"],
  ]);
}

async function faultsIn(
  page: Page,
  looks: readonly (readonly [size: { width: number; height: number }, colorScheme: "light" | "dark"])[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [size, colorScheme] of looks) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    const found = await accessibilityFaults(page);
    faults.push(...found.map((fault) => `${size.width} wide, ${colorScheme}: ${fault}`));
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light" });
  return faults;
}

/** The name of what has the focus: its label, or its own words. */
const FOCUSED = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return "";
  return (element.labels?.[0] ?? element).textContent.trim();
})()`;

/** Whether what has the focus is on the screen, and marked. */
const IS_IN_SIGHT = `(() => {
  const element = document.activeElement;
  const { top, bottom, width } = element.getBoundingClientRect();
  const isMarked = getComputedStyle(element).outlineStyle !== "none";
  return isMarked && width > 0 && bottom > 0 && top < innerHeight;
})()`;

/** Presses Tab until that has the focus. @returns how often */
async function tabTo(page: Page, name: string): Promise<number> {
  for (let steps = 1; steps <= 60; steps += 1) {
    await page.keyboard.press("Tab");
    const focused = String(await page.evaluate(FOCUSED));
    if (focused === "") continue;
    if (!(await page.evaluate(IS_IN_SIGHT))) throw new Error(`The focus on "${focused}" cannot be seen`);
    if (focused.startsWith(name)) return steps;
  }
  throw new Error(`"${name}" cannot be reached with the keyboard`);
}
