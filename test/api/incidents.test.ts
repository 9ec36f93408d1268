import { describe, it } from "vitest";
import type { IncidentRefusal } from "../../src/api/context.ts";
import { incident } from "../support/builders.ts";
import { FakeApi } from "../support/fake-api.ts";

function start(rows = [incident()]) {
  const api = new FakeApi();
  for (const row of rows) api.incidents.rows.set(row.id, row);
  const key = api.key("ten_a");
  const call = (method: string, path: string, body?: unknown) =>
    api.json(method, path, { key, ...(body === undefined ? {} : { body }) });
  return { api, call };
}

describe("an incident", () => {
  it("is shown with all its fields, the state under both its names", async ({ expect }) => {
    const { call } = start();
    const { status, body } = await call("GET", "/v1/incidents/inc_1");
    expect(status).toBe(200);
    expect(body).toEqual({
      id: "inc_1",
      number: "INC0000001",
      state: "open",
      status: "open",
      priority: "P2",
      severity: "high",
      assignment_group: "SOC",
      short_description: "Failed logins",
      ci_identifier: "web-01",
      source_ip: "203.0.113.7",
      search_name: "Failed logins",
      message: "40 failed logins",
      source_id: "src_1",
      occurrences: 1,
      first_seen_at: "1970-01-01T00:00:01.000Z",
      last_seen_at: "1970-01-01T00:00:01.000Z",
      created_at: "1970-01-01T00:00:02.000Z",
      updated_at: "1970-01-01T00:00:02.000Z",
      acknowledged_at: null,
      resolved_at: null,
      closed_at: null,
      alert: { search_name: "Failed logins", result_count: "40" },
    });
  });

  it("is found by its number as well, wherever its id may stand", async ({ expect }) => {
    const { api, call } = start([incident({ number: 12_345_678 })]);
    expect((await call("GET", "/v1/incidents/INC12345678")).body["id"]).toBe("inc_1");
    expect((await call("PATCH", "/v1/incidents/INC12345678", { priority: "P1" })).body["priority"]).toBe(
      "P1",
    );
    expect((await call("GET", "/v1/incidents/INC12345678/timeline")).status).toBe(200);
    const others = [
      "INC0000002",
      "INC1",
      "inc12345678",
      "INC12345678x",
      "INC",
      "inc_2",
      "INC9999999999999999",
    ];
    for (const name of others) expect((await call("GET", `/v1/incidents/${name}`)).status).toBe(404);
    const theirs = await api.json("GET", "/v1/incidents/INC12345678", { key: api.key("ten_b") });
    expect(theirs.status).toBe(404);
  });
});

describe("the list of incidents", () => {
  it("asks for what the filters name, and for everything without them", async ({ expect }) => {
    const { api, call } = start();
    const query =
      "state=open,%20acknowledged&priority=P1&source_id=src_1&q=%20login%20&created_after=2026-06-30T14:00:00%2B02:00&created_before=2026-07-01T00:00:00Z";
    expect((await call("GET", `/v1/incidents?${query}`)).status).toBe(200);
    await call("GET", "/v1/incidents?q=");
    const none = {
      states: [],
      priorities: [],
      sourceId: null,
      text: null,
      createdFrom: null,
      createdBefore: null,
    };
    expect(api.incidents.asked).toEqual([
      {
        states: ["open", "acknowledged"],
        priorities: ["P1"],
        sourceId: "src_1",
        text: "login",
        createdFrom: Date.parse("2026-06-30T12:00:00Z"),
        createdBefore: Date.parse("2026-07-01T00:00:00Z"),
      },
      none,
    ]);
  });

  it.for([
    ["state=opened", "state"],
    ["state=", "state"],
    ["priority=P5", "priority"],
    ["created_after=yesterday", "created_after"],
    ["created_before=2026-07-01", "created_before"],
    [`q=${"x".repeat(201)}`, "q"],
    ["limit=0", "limit"],
    ["cursor=x", "cursor"],
  ] as const)("refuses %s", async ([query, path], { expect }) => {
    const { status, body } = await start().call("GET", `/v1/incidents?${query}`);
    expect([status, body["code"]]).toEqual([422, "invalid_input"]);
    expect(body.errors.every((fault) => fault.path.split(".")[0] === path)).toBe(true);
  });

  it("pages by a cursor that opens for no other list", async ({ expect }) => {
    const rows = [incident(), incident({ id: "inc_2", number: 2 }), incident({ id: "inc_3", number: 3 })];
    const { call } = start(rows);
    const { body } = await call("GET", "/v1/incidents?limit=2");
    expect(body.data).toHaveLength(2);
    const cursor = String(body["next_cursor"]);
    expect((await call("GET", `/v1/incidents?cursor=${cursor}`)).status).toBe(200);
    expect((await call("GET", `/v1/keys?cursor=${cursor}`)).status).toBe(422);
  });
});

describe("a change", () => {
  it("hands over what was named, and who asked", async ({ expect }) => {
    const { api, call } = start();
    const body = { state: "acknowledged", priority: "P1", assignment_group: " NOC ", note: " two\nlines " };
    const answer = await call("PATCH", "/v1/incidents/inc_1", body);
    expect([answer.status, answer.body["state"], answer.body["priority"]]).toEqual([
      200,
      "acknowledged",
      "P1",
    ]);
    await call("PATCH", "/v1/incidents/inc_1", { assignment_group: null });
    await call("PATCH", "/v1/incidents/inc_1", {});
    const actor = { actorId: "key_ten_a", actorType: "API_KEY" };
    expect(api.incidents.wanted).toEqual([
      { state: "acknowledged", priority: "P1", assignmentGroup: "NOC", note: "two\nlines", actor },
      { assignmentGroup: null, actor },
      { actor },
    ]);
  });

  it.for([
    [{ state: "done" }, "state"],
    [{ state: null }, "state"],
    [{ priority: "1" }, "priority"],
    [{ assignment_group: "" }, "assignment_group"],
    [{ assignment_group: "a\nb" }, "assignment_group"],
    [{ assignment_group: "x".repeat(201) }, "assignment_group"],
    [{ note: "  " }, "note"],
    [{ note: "a\u0000b" }, "note"],
    [{ note: "x".repeat(4_001) }, "note"],
    [{ number: 5 }, "number"],
    [[], ""],
  ] as const)("to %j is refused", async ([body, path], { expect }) => {
    const { api, call } = start();
    const answer = await call("PATCH", "/v1/incidents/inc_1", body);
    expect([answer.status, answer.body.errors[0]?.path]).toEqual([422, path]);
    expect(api.incidents.wanted).toEqual([]);
  });

  const refusals: readonly (readonly [IncidentRefusal, number, RegExp])[] = [
    [{ reason: "not_found" }, 404, /no such incident/],
    [
      { reason: "illegal", from: "resolved", legal: ["open", "closed"] },
      409,
      /^The incident is resolved and cannot become acknowledged\. It can become open or closed\.$/,
    ],
    [{ reason: "illegal", from: "closed", legal: [] }, 409, /closed and cannot become acknowledged/],
    [{ reason: "succeeded", by: incident({ id: "inc_9", number: 9 }) }, 409, /INC0000009 \(inc_9\)/],
    [{ reason: "busy" }, 409, /try again/],
  ];

  it.for(refusals)("that meets %j says so", async ([refusal, status, detail], { expect }) => {
    const { api, call } = start();
    api.incidents.refusal = refusal;
    const answer = await call("PATCH", "/v1/incidents/inc_1", { state: "acknowledged" });
    expect(answer.status).toBe(status);
    expect(answer.body["detail"]).toMatch(detail);
  });
});

it("the timeline shows who did what, newest first, page by page", async ({ expect }) => {
  const { api, call } = start();
  const changes = { state: { from: "open", to: "resolved" } };
  const line = { incidentId: "inc_1", at: 5_000, eventId: "evt_1", note: null, changes: {} } as const;
  api.incidents.changes.push(
    { ...line, id: "chg_2", kind: "resolve", actorId: "key_1", actorType: "API_KEY", changes, note: "done" },
    { ...line, id: "chg_1", kind: "create", actorId: "src_1", actorType: "SOURCE" },
  );
  const { body } = await call("GET", "/v1/incidents/inc_1/timeline?limit=1");
  expect(body.data).toEqual([
    {
      id: "chg_2",
      at: "1970-01-01T00:00:05.000Z",
      kind: "resolve",
      actor_type: "API_KEY",
      actor_id: "key_1",
      event_id: "evt_1",
      changes,
      note: "done",
    },
  ]);
  expect(body["next_cursor"]).toEqual(expect.any(String));
});
