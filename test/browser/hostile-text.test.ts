import type { Page } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { ADMIN_TOKEN, eventually, type Json } from "../node/support/relay.ts";
import { ALL, PAYLOADS } from "./payloads.ts";
import { describeInBrowser, Stage } from "./support.ts";

const TOKEN = "00000000-0000-4000-8000-00000000c0de";
/** Names may have so many characters. */
const NAME = 200;

describeInBrowser("text from outside", () => {
  const stage = new Stage();
  beforeAll(async () => {
    await stage.open();
  });
  afterAll(() => stage.close());

  /** A tenant and a browser of one's own, and whatever goes wrong in it. */
  const own = async () => {
    const { key } = await stage.relay.tenant();
    const { page, complaints } = await stage.signIn(key);
    const post = async (path: string, body: Json, by = key): Promise<Json> => {
      const answer = await stage.relay.call("POST", path, { key: by, body });
      if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    const look = async (place: string): Promise<string> => {
      await stage.goTo(page, place);
      return shownOn(page);
    };
    return { key, page, post, look, alarms: watch(page, stage.relay.url, complaints) };
  };
  type Own = Awaited<ReturnType<typeof own>>;
  const splunk = async (post: Own["post"], name: string, more: Json = {}): Promise<string> => {
    await stage.siem.splunk(name, { tokens: [{ token: TOKEN }] });
    const body = { provider: "splunk", name, endpoint: stage.siem.endpoint(name), token: TOKEN, ...more };
    return String((await post("/v1/audit/siem", body))["id"]);
  };

  it.concurrent("as the name of a destination, source, key, credential or tenant is shown letter by letter", async ({
    expect,
  }) => {
    const { page, post, look, alarms } = await own();
    await stage.siem.webhook("sink", { secrets: ["secret-of-the-sink"] });
    const endpoint = stage.siem.endpoint("sink");
    const hook = { provider: "webhook", endpoint, secret: "secret-of-the-sink", enabled: false };
    const sealed = { credential_type: "api_key", values: { api_key: "x" } };
    for (const name of PAYLOADS) {
      await Promise.all([
        post("/v1/audit/siem", { ...hook, name }),
        post("/v1/sources", { kind: "splunk_alert", name }),
        post("/v1/keys", { name, scopes: ["events:write"] }),
        post("/api/v2/vault/seal", { ...sealed, name }),
        post("/v1/tenants", { name }, ADMIN_TOKEN),
      ]);
    }
    const lists = {
      destinations: "#/settings/audit/siem",
      sources: "#/settings/sources",
      keys: "#/settings/keys",
      vault: "#/settings/vault",
      overview: "#/",
    };
    for (const [name, place] of Object.entries(lists)) {
      const shown = [await look(place)];
      const older = page.getByRole("button", { name: "Older" });
      while ((await older.count()) > 0 && (await older.isEnabled())) {
        await older.click();
        await stage.goTo(page, place);
        shown.push(await shownOn(page));
      }
      expect(missing(shown.join("\n")), name).toEqual([]);
      expect(await intruders(page), name).toEqual([]);
    }
    const operator = await stage.signIn();
    const seen = watch(operator.page, stage.relay.url, operator.complaints);
    await stage.goTo(operator.page, "#/tenants");
    expect(missing(await shownOn(operator.page)), "tenants").toEqual([]);
    expect(await intruders(operator.page)).toEqual([]);
    expect(seen).toEqual([]);
    await operator.context.close();
    expect(alarms).toEqual([]);
  }, 120_000);

  it.concurrent("as a setting, a provider's answer or a field of an event is only read", async ({
    expect,
  }) => {
    const { key, page, post, look, alarms } = await own();
    const hostile = await splunk(post, "lying", {
      name: ALL.slice(0, NAME),
      config: { sourcetype: PAYLOADS[4], source: PAYLOADS[8], host: PAYLOADS[13] },
    });
    const raging = await splunk(post, "raging");
    const refusal = JSON.stringify({ text: ALL, code: 6, "invalid-event-number": 0 });
    await stage.siem.fault("lying", { mode: "status", status: 400, body: refusal });
    await stage.siem.fault("raging", {
      mode: "status",
      status: 503,
      headers: { "content-type": "text/html" },
      body: `<html><title>${ALL}</title><body>${ALL}</body></html>`,
    });
    const { batch_id: batch } = await post("/v1/audit/events", {
      id: PAYLOADS[0],
      action: "user.login",
      actor_id: PAYLOADS[4],
      resource_id: PAYLOADS[11],
      metadata: Object.fromEntries(PAYLOADS.map((each, at) => [`${at}${each}`, each])),
      unknown: ALL,
    });
    await eventually(async () => {
      const { body } = await stage.relay.call("GET", `/v1/audit/siem/${hostile}/dead-letters`, { key });
      return listOf(body).length > 0;
    });
    await eventually(async () => {
      const { body } = await stage.relay.call("GET", `/v1/audit/siem/${raging}`, { key });
      return body["status"] === "degraded";
    });
    const siem = "#/settings/audit/siem";
    for (const id of [hostile, raging]) {
      for (const tab of ["health", "deliveries", "dead-letters", "settings", "edit"]) {
        await look(`${siem}/${id}/${tab}`);
        await page.evaluate(OPEN_EVERYTHING);
        expect(await intruders(page), tab).toEqual([]);
      }
    }
    await look(`${siem}/${hostile}/dead-letters`);
    await page.getByRole("button", { name: "user.login" }).click();
    const event = await page.getByRole("region", { name: "The event" }).locator("code").textContent();
    const told = JSON.parse(event ?? "") as Json; // as the relay keeps it
    expect(told).toMatchObject({ id: PAYLOADS[0], actor_id: PAYLOADS[4], unknown: ALL });
    await look(`${siem}/${hostile}/settings`);
    await page.getByRole("button", { name: "Test connection" }).click();
    await page.getByText("The connection does not work yet.").waitFor();
    expect(await intruders(page)).toEqual([]);
    for (const place of ["#/", siem, `#/events/${String(batch)}`]) {
      await look(place);
      expect(await intruders(page), place).toEqual([]);
    }
    expect(alarms).toEqual([]);
  }, 120_000);

  it.concurrent("as an alert or a note is a story and no program", async ({ expect }) => {
    const { key, page, post, look, alarms } = await own();
    const source = await post("/v1/sources", { kind: "splunk_alert", name: ALL.slice(0, NAME) });
    const path = `/api/webhooks/inbound/splunk/${String(source["id"])}`;
    const headers = { "x-sluice-secret": String(source["secret"]) };
    const alert = {
      search_name: PAYLOADS[4],
      severity: PAYLOADS[0],
      host: PAYLOADS[8],
      source: PAYLOADS[15],
      message: ALL,
      assignment_group: PAYLOADS[23],
      search_uri: PAYLOADS[12],
      timestamp: PAYLOADS[2],
    };
    const { body } = await stage.relay.call("POST", path, { headers, body: alert });
    const number = String(body["number"]);
    await stage.relay.call("PATCH", `/v1/incidents/${number}`, {
      key,
      body: { note: ALL, assignment_group: PAYLOADS[5] },
    });
    expect(await look("#/incidents")).toContain(PAYLOADS[4]);
    expect(await intruders(page)).toEqual([]);
    expect(missing(await look(`#/incidents/${number}`))).toEqual([]);
    expect(await intruders(page)).toEqual([]);
    await page.getByLabel("Note").fill(ALL);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("list", { name: "Timeline" }).getByText("Note", { exact: true }).first().waitFor();
    expect(await intruders(page)).toEqual([]);
    await look(`#/settings/sources/${String(source["id"])}`);
    expect(await intruders(page)).toEqual([]);
    expect(alarms).toEqual([]);
  });

  it.concurrent("in the address leads nowhere, and stays text where it is shown", async ({ expect }) => {
    const { page, look, alarms } = await own();
    for (const payload of PAYLOADS) {
      const part = encodeURIComponent(payload);
      for (const place of [
        `#/events/${part}`,
        `#/incidents/${part}`,
        `#/incidents?q=${part}&state=${part}&priority=${part}`,
        `#/settings/audit/siem/${part}/deliveries`,
        `#/settings/audit/siem/new/${part}`,
        `#${payload}`,
      ]) {
        await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
      }
      expect(await look(`#/events/${part}`), payload).toContain(payload);
      expect(await intruders(page), payload).toEqual([]);
    }
    expect(alarms).toEqual([]);
  }, 120_000);

  it.concurrent("that is repeated in an error stays text", async ({ expect }) => {
    const { page, look, alarms } = await own();
    await look("#/events");
    for (const payload of PAYLOADS) {
      await page.getByLabel("Action").fill(payload.slice(0, 150));
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await page.getByRole("alert").first().waitFor();
    }
    expect(await intruders(page)).toEqual([]);
    const context = await stage.context();
    const fresh = await context.newPage();
    const seen = watch(fresh, stage.relay.url, []);
    await fresh.goto("/console");
    for (const payload of PAYLOADS.slice(0, 5)) {
      await fresh.getByLabel("API key or operator token").fill(payload);
      await fresh.getByRole("button", { name: "Sign in" }).click();
      await fresh.getByRole("alert").waitFor();
    }
    expect(await intruders(fresh)).toEqual([]);
    expect([...seen, ...alarms]).toEqual([]);
    await context.close();
  });
});

const OPEN_EVERYTHING = `document
  .querySelectorAll("#main button[aria-expanded=false], #main summary")
  .forEach((each) => each.click())`;

/** Notes every sign of text that has become something else: dialogs, requests to others, refusals by the policy. */
function watch(page: Page, own: string, complaints: readonly string[]): readonly string[] {
  const alarms = complaints as string[]; // goes on being filled by the page
  page.on("dialog", (dialog) => {
    alarms.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(own) && !url.startsWith("data:,")) alarms.push(`request: ${url}`);
  });
  page.on("popup", (popup) => alarms.push(`window: ${popup.url()}`));
  return alarms;
}

/** Everything to be read on the page, what stands in inputs and titles included. */
async function shownOn(page: Page): Promise<string> {
  return page.evaluate(`[
    document.body.textContent,
    ...[...document.querySelectorAll("input, textarea, select")].map((each) => each.value),
  ].join("\\n")`);
}

function missing(text: string): readonly string[] {
  return PAYLOADS.filter((payload) => !text.includes(payload));
}

/** What no page of the console is made of, but text turned into markup would be. */
async function intruders(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const own = /^(?:DIV|SPAN|P|A|BUTTON|HEADER|NAV|MAIN|SECTION|ARTICLE|ASIDE|FIGURE|FIGCAPTION|H[1-4]|UL|OL|LI|DL|DT|DD|TABLE|THEAD|TBODY|TR|TH|TD|FORM|FIELDSET|LEGEND|LABEL|INPUT|SELECT|OPTION|TEXTAREA|PRE|CODE|STRONG|TIME|DETAILS|SUMMARY|DIALOG|PROGRESS|CANVAS|SEARCH|DATALIST|svg|polyline)$/;
    const found = window.__xss === undefined ? [] : ["__xss: " + window.__xss];
    for (const each of document.querySelectorAll("body *")) {
      if (each.tagName === "NOSCRIPT") continue;
      if (!own.test(each.tagName)) found.push("element " + each.outerHTML.slice(0, 100));
      for (const { name, value } of each.attributes) {
        if (name.startsWith("on")) found.push("handler " + name);
        const isAddress = ["href", "src", "action", "data", "formaction", "srcdoc"].includes(name);
        if (isAddress && !/^(?:#|\\/docs$)/.test(value)) found.push(name + " " + value);
      }
    }
    return found;
  })()`);
}

function listOf(body: Json): readonly unknown[] {
  return Array.isArray(body["data"]) ? body["data"] : [];
}
