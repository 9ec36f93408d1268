import { describe, it } from "vitest";
import { destination } from "../support/builders.ts";
import { FakeApi, NOW } from "../support/fake-api.ts";

function start() {
  const api = new FakeApi();
  const key = api.key("ten_a");
  const send = (query = "", body: unknown = { action: "user.login" }) =>
    api.json("POST", `/v1/audit/events${query}`, { key, body });
  return { api, key, send };
}

describe("sending events", () => {
  it("is answered 202 with count, ids and batch id", async ({ expect }) => {
    const { api, send } = start();
    api.ingestAnswer = { accepted: 2, ids: ["evt_1", "evt_2"], batchId: "bat_1", rejected: [] };
    const { status, body } = await send();
    expect([status, body]).toEqual([202, { accepted: 2, ids: ["evt_1", "evt_2"], batch_id: "bat_1" }]);
  });

  it("hands over the key's tenant and the body as it came", async ({ expect }) => {
    const { api, send } = start();
    await send("", "anything at all");
    const [request] = api.ingested;
    expect(request).toMatchObject({ tenantId: "ten_a", keyId: "key_ten_a", onInvalid: "refuse" });
    expect(await new Response(request?.body ?? null).text()).toBe("anything at all");
  });

  it("lists what was not accepted only when asked to skip it", async ({ expect }) => {
    const { api, send } = start();
    const rejected = [{ index: 1, errors: [{ path: "action", message: "Expected an action" }] }];
    api.ingestAnswer = { accepted: 1, ids: ["evt_1"], batchId: "bat_1", rejected };
    expect((await send("?on_invalid=skip")).body["rejected"]).toEqual(rejected);
    expect(api.ingested[0]?.onInvalid).toBe("skip");
    expect((await send("?on_invalid=refuse")).body).not.toHaveProperty("rejected");
  });

  it("passes a refusal on with its faults and its Retry-After", async ({ expect }) => {
    const { api, send } = start();
    const errors = [{ index: 0, path: "action", message: "Expected an action" }];
    api.ingestAnswer = { code: "invalid_event", detail: "1 of 1 events were refused.", errors };
    expect(await send()).toMatchObject({ status: 422, body: { code: "invalid_event", errors } });
    api.ingestAnswer = { code: "buffer_unavailable", detail: "Later.", retryAfterSeconds: 5 };
    const { status, headers } = await send();
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
  });
});

describe("the fate of a batch", () => {
  const none = { buffered: 0, sent: 0, accepted: 0, indexed: 0, parked: 0, expired: 0 };
  const times = {
    attempts: 1,
    bufferedAt: NOW,
    lastAttemptAt: NOW,
    acceptedAt: null,
    indexedAt: null,
    parkedAt: null,
  };

  async function withDestinations(...ids: string[]) {
    const { api, key } = start();
    api.batches.set("bat_1", "ten_a");
    for (const id of ids) await api.destinations.insert(destination({ id, name: `to ${id}` }));
    const read = () => api.json("GET", "/v1/audit/batches/bat_1", { key });
    return { api, read };
  }

  it("is unknown to a tenant that it was not given to", async ({ expect }) => {
    const { api } = start();
    api.batches.set("bat_1", "ten_b");
    const { status } = await api.json("GET", "/v1/audit/batches/bat_1", { key: api.key("ten_a") });
    expect(status).toBe(404);
  });

  it("is buffered while no lane has it", async ({ expect }) => {
    const { read } = await withDestinations("siem_1");
    const { status, body } = await read();
    expect([status, body]).toEqual([200, { batch_id: "bat_1", state: "buffered", destinations: [] }]);
  });

  it("is told for each destination that was owed any of it", async ({ expect }) => {
    const { api, read } = await withDestinations("siem_1", "siem_2", "siem_3");
    api.lane("ten_a", "siem_1").fates.set("bat_1", { ...none, ...times, accepted: 3, acceptedAt: NOW });
    api.lane("ten_a", "siem_2").fates.set("bat_1", { ...none, ...times, sent: 1, indexed: 2 });
    const { body } = await read();
    const at = "2026-06-30T12:00:00.000Z";
    expect(body).toEqual({
      batch_id: "bat_1",
      state: "sent",
      destinations: [
        {
          destination_id: "siem_1",
          name: "to siem_1",
          provider: "splunk",
          state: "accepted",
          counts: { ...none, accepted: 3 },
          attempts: 1,
          buffered_at: at,
          last_attempt_at: at,
          accepted_at: at,
          indexed_at: null,
          parked_at: null,
        },
        expect.objectContaining({ destination_id: "siem_2", state: "sent" }),
      ],
    });
  });

  it("never calls indexed what was only accepted, and never hides what was set aside", async ({ expect }) => {
    const { api, read } = await withDestinations("siem_1");
    const lane = api.lane("ten_a", "siem_1");
    const stateOf = async (counts: Partial<typeof none>) => {
      lane.fates.set("bat_1", { ...none, ...times, ...counts });
      return (await read()).body["state"];
    };
    expect(await stateOf({ indexed: 3 })).toBe("indexed");
    expect(await stateOf({ indexed: 2, accepted: 1 })).toBe("accepted");
    expect(await stateOf({ indexed: 2, parked: 1 })).toBe("parked");
    expect(await stateOf({ indexed: 2, expired: 1 })).toBe("expired");
    expect(await stateOf({ accepted: 2, buffered: 1 })).toBe("buffered");
  });

  it("is unknown, and said to be, where a lane does not answer", async ({ expect }) => {
    const { api, read } = await withDestinations("siem_1", "siem_2", "siem_3");
    api.lane("ten_a", "siem_1").isDown = true;
    api.lane("ten_a", "siem_2").isSlow = true;
    const { body } = await read();
    expect(body["destinations"]).toMatchObject([
      { destination_id: "siem_1", state: "unknown", counts: null },
      { destination_id: "siem_2", state: "unknown", counts: null },
    ]);
  });
});
