import { describe, it } from "vitest";
import { deadLetter, destination } from "../support/builders.ts";
import { FakeApi, NOW } from "../support/fake-api.ts";

async function start(about: Parameters<typeof destination>[0] = {}) {
  const api = new FakeApi();
  await api.destinations.insert(destination(about));
  const key = api.key("ten_a");
  const call = (method: string, path: string, body?: unknown) =>
    api.json(method, `/v1/audit/siem/siem_1${path}`, { key, ...(body === undefined ? {} : { body }) });
  return { api, lane: api.lane("ten_a", "siem_1"), call };
}

describe("deliveries", () => {
  it("tell what each attempt carried and what came back", async ({ expect }) => {
    const { lane, call } = await start();
    lane.records = [
      {
        id: 2,
        at: NOW,
        outcome: "retry",
        trouble: "throttled",
        events: 10,
        delivered: 0,
        bytes: 4_000,
        httpStatus: 429,
        providerCode: "26",
        message: "Queue at capacity",
        latency: 35,
        retryAt: NOW + 1_000,
        maybeTaken: false,
        acknowledgement: null,
      },
      {
        id: 1,
        at: NOW,
        outcome: "delivered",
        trouble: null,
        events: 10,
        delivered: 10,
        bytes: 4_000,
        httpStatus: 200,
        providerCode: "0",
        message: "Success",
        latency: 35,
        retryAt: null,
        maybeTaken: false,
        acknowledgement: null,
      },
    ];
    const { body } = await call("GET", "/deliveries");
    expect(body.data).toMatchObject([
      {
        id: 2,
        time: "2026-06-30T12:00:00.000Z",
        outcome: "retry",
        reason: "throttled",
        events: 10,
        bytes: 4_000,
        http_status: 429,
        provider_code: "26",
        latency_ms: 35,
        error: "Queue at capacity",
        retry_at: "2026-06-30T12:00:01.000Z",
      },
      { outcome: "delivered", error: null, retry_at: null, delivered: 10 },
    ]);
  });

  it("are summed up over a day, with latencies", async ({ expect }) => {
    const { call } = await start();
    expect((await call("GET", "/stats")).body).toEqual({
      minutes: [
        { time: "1970-01-01T00:00:00.000Z", delivered: 5, retried: 1, dead: 0 },
        { time: "1970-01-01T00:01:00.000Z", delivered: 7, retried: 0, dead: 2 },
      ],
      totals: { delivered: 12, retried: 1, dead: 2 },
      latency_ms: { p50: 40, p95: 900 },
    });
  });

  it("cannot be told while the lane is down: 503, and worth asking again", async ({ expect }) => {
    const { lane, call } = await start();
    lane.isDown = true;
    for (const [method, path, body] of [
      ["GET", "/deliveries"],
      ["GET", "/stats"],
      ["GET", "/dead-letters"],
      ["DELETE", "/dead-letters"],
      ["POST", "/replay", { all: true }],
    ] as const) {
      const answer = await call(method, path, body);
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    }
  });
});

describe("dead letters", () => {
  it("show the whole event, to the last digit, and the provider's words", async ({ expect }) => {
    const { lane, call } = await start();
    lane.letters = [deadLetter()];
    const { body, text } = await call("GET", "/dead-letters");
    expect(body.data).toMatchObject([
      {
        id: "dl_1",
        event_id: "evt_1",
        batch_id: "bat_1",
        action: "user.login",
        reason: "refused",
        message: "Incorrect index",
        http_status: 400,
        provider_code: "7",
        attempts: 3,
        accepted_at: "1970-01-01T00:00:01.000Z",
        parked_at: "1970-01-01T00:00:02.000Z",
        event: { id: "evt_1", action: "user.login" },
      },
    ]);
    expect(text).toContain('"big":12345678901234567890');
  });

  it("are replayed by ids, all, or a time range, and nothing vaguer", async ({ expect }) => {
    const { api, lane, call } = await start();
    lane.letters = [deadLetter(), deadLetter()];
    for (const selection of [{ ids: ["dl_1"] }, { all: true }, { from: "2026-06-30T00:00:00Z" }]) {
      const { status, body } = await call("POST", "/replay", selection);
      expect([status, body]).toEqual([200, { replayed: 2 }]);
      expect(lane.calls.at(-1)).toEqual(["replay", selection]);
    }
    for (const selection of [
      {},
      { all: false },
      { ids: [] },
      { ids: ["a"], all: true },
      { from: "noon" },
      [],
    ]) {
      expect((await call("POST", "/replay", selection)).status).toBe(422);
    }
    expect(api.acts).toHaveLength(3);
    expect(api.acts[0]).toMatchObject({ action: "siem.replay", metadata: { dead_letters: 2 } });
  });

  it("are not replayed into a disabled destination", async ({ expect }) => {
    const { call } = await start({ enabled: false, disabledAt: 1 });
    expect((await call("POST", "/replay", { all: true })).body["code"]).toBe("conflict");
  });

  it("are discarded as selected, or all without a body", async ({ expect }) => {
    const { lane, call } = await start();
    lane.letters = [deadLetter()];
    expect((await call("DELETE", "/dead-letters", { ids: ["dl_1"] })).body).toEqual({ discarded: 1 });
    expect(lane.calls.at(-1)).toEqual(["discard", { ids: ["dl_1"] }]);
    expect((await call("DELETE", "/dead-letters")).body).toEqual({ discarded: 1 });
    expect(lane.calls.at(-1)).toEqual(["discard", { all: true }]);
    expect((await call("DELETE", "/dead-letters", {})).status).toBe(422);
  });
});
