import { describe, it } from "vitest";
import { KNOWN_ACTIONS } from "../../src/api/known-actions.ts";
import { FakeApi } from "../support/fake-api.ts";

const ROUTES = [
  { match: "incident.close", enabled: false },
  { match: "incident.*", index: "itsm_incidents" },
];

async function destinationWith(api: FakeApi, key: string, more: object): Promise<string> {
  const body = { provider: "splunk", endpoint: "https://hec.example.com:8088", token: "t", ...more };
  const made = await api.json("POST", "/v1/audit/siem", { key, body });
  return `/v1/audit/siem/${String((made.body as unknown as { id: string }).id)}/routes/preview`;
}

describe("previewing routes", () => {
  it("says for each event where it would go and why, in the order asked, and sends nothing", async ({
    expect,
  }) => {
    const api = new FakeApi();
    const key = api.key("ten_a");
    const path = await destinationWith(api, key, { routes: ROUTES, config: { index: "main" } });
    const events = [
      { id: "e1", action: "incident.create" },
      { action: "incident.close" },
      { action: "user.login" },
    ];
    const { status, body } = await api.json("POST", path, { key, body: { events } });
    expect(status).toBe(200);
    expect(body.data).toEqual([
      {
        id: "e1",
        action: "incident.create",
        delivered: true,
        index: "itsm_incidents",
        route: { position: 1, match: "incident.*", enabled: true },
        reason: "Route 2 (incident.*) matches first",
      },
      {
        action: "incident.close",
        delivered: false,
        index: null,
        route: { position: 0, match: "incident.close", enabled: false },
        reason: "Route 1 (incident.close) matches first and is switched off",
      },
      { action: "user.login", delivered: false, index: null, route: null, reason: "No route matches" },
    ]);
    expect(api.ingested).toEqual([]);
  });

  it("tries routes before they are saved", async ({ expect }) => {
    const api = new FakeApi();
    const key = api.key("ten_a");
    const path = await destinationWith(api, key, { config: { index: "main" } });
    const stored = await api.json("POST", path, { key, body: { actions: ["ai.query"] } });
    expect(stored.body.data).toMatchObject([{ delivered: true, index: "main", route: null }]);
    const tried = await api.json("POST", path, {
      key,
      body: { actions: ["ai.query"], routes: "categories" },
    });
    expect(tried.body.data).toMatchObject([
      { delivered: false, reason: "Route 6 (ai.*) matches first and is switched off" },
    ]);
  });

  it("shows the whole catalogue when nothing is named", async ({ expect }) => {
    const api = new FakeApi();
    const key = api.key("ten_a");
    const path = await destinationWith(api, key, { routes: "categories" });
    const { body } = await api.json("POST", path, { key });
    expect(body.data).toHaveLength(KNOWN_ACTIONS.length);
  });

  it("delivers nothing to a destination that is switched off", async ({ expect }) => {
    const api = new FakeApi();
    const key = api.key("ten_a");
    const path = await destinationWith(api, key, { enabled: false });
    const { body } = await api.json("POST", path, { key, body: { actions: ["user.login"] } });
    expect(body.data).toMatchObject([{ delivered: false, reason: "The destination is switched off" }]);
  });

  it("refuses what cannot be an action, naming it", async ({ expect }) => {
    const api = new FakeApi();
    const key = api.key("ten_a");
    const path = await destinationWith(api, key, {});
    const { status, body } = await api.json("POST", path, { key, body: { actions: ["Not An Action"] } });
    expect([status, (body as unknown as { errors: { path: string }[] }).errors[0]?.path]).toEqual([
      422,
      "actions.0",
    ]);
  });
});
