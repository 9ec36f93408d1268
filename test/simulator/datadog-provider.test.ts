/** The provider's operations and the receiver meet over real HTTP, through the relay's own door to the outside. */
import { gzipSync } from "node:zlib";
import { describe, it } from "vitest";
import { ok } from "../../src/base/result.ts";
import { createSend } from "../../src/egress/send.ts";
import { datadog } from "../../src/providers/datadog.ts";
import type { DatadogConfig } from "./client.ts";
import { API_KEY, rulesBroken, useSimulator } from "./harness.ts";

const simulated = useSimulator();
const send = createSend({ fetch, guard: (url) => ok(new URL(url)), now: Date.now });
const HOUR_MS = 3_600_000;

async function meet(given: Partial<DatadogConfig> = {}, token = API_KEY) {
  const receiver = await simulated.datadog(given);
  const endpoint = `${receiver.client.endpoint(receiver.name)}/api/v2/logs`;
  const connected = datadog.connect({ destinationId: "siem_1", endpoint, config: {}, secrets: { token } });
  if (!connected.ok) throw new Error(JSON.stringify(connected.error));
  const { perform } = connected.value;
  const call = async (operation: string, payload: unknown) => {
    const performed = perform(operation, payload, { now: Date.now(), newId: () => "evt_new" });
    if (!performed.ok) throw new Error(JSON.stringify(performed.error));
    return performed.value.interpret(await send(await performed.value.request));
  };
  const kept = async () =>
    (await receiver.client.event(receiver.name, "-")).map(({ index, parsed }) => [index, parsed] as const);
  return { receiver, call, kept };
}

const EVENT = { title: "Credential rotated", text: "Vault entry rotated", tags: ["env:production"] };
const ALERT = { category: "alert", title: "errors", attributes: { status: "error", priority: "2" } };
const CHANGE = {
  category: "change",
  title: "flag",
  attributes: { changed_resource: { name: "f", type: "feature_flag" } },
};

describe("Datadog takes", () => {
  it("events of both versions, in their own shapes", async ({ expect }) => {
    const { receiver, call, kept } = await meet();
    for (const payload of [EVENT, ALERT, CHANGE])
      expect((await call("send_event", payload)).kind).toBe("delivered");
    expect(await kept()).toEqual([
      ["events_v1", EVENT],
      ["events_v2", { data: { type: "event", attributes: ALERT } }],
      ["events_v2", { data: { type: "event", attributes: CHANGE } }],
    ]);
    expect(await rulesBroken(receiver)).toEqual([]);
  });

  it("metrics, compressed where they are long, and logs beside them", async ({ expect }) => {
    const { receiver, call, kept } = await meet();
    const points = Array.from({ length: 200 }, (_, value) => ({ value }));
    expect((await call("send_metric", { series: [{ metric: "a.b", type: "gauge", points }] })).kind).toBe(
      "delivered",
    );
    expect(await kept()).toMatchObject([["metrics_v2", { metric: "a.b", type: 3 }]]);
    expect((await call("send_log", { message: { id: "a" } })).kind).toBe("delivered");
    expect((await receiver.client.events(receiver.name)).order).toEqual(["a"]);
    expect(await rulesBroken(receiver)).toEqual([]);
  });

  it("nothing with a key of another site", async ({ expect }) => {
    const { call } = await meet({}, "wrong");
    for (const [operation, payload] of [
      ["send_event", EVENT],
      ["send_event", ALERT],
      ["send_metric", { series: [{ metric: "a", points: [{ value: 1 }] }] }],
    ] as const)
      expect(await call(operation, payload)).toMatchObject({ kind: "hold", trouble: "credentials_rejected" });
  });

  it("nothing whose time has passed by its own clock", async ({ expect }) => {
    const { receiver, call } = await meet({ now_offset_ms: 18 * HOUR_MS });
    const date_happened = Math.floor(Date.now() / 1_000) - 60;
    expect((await call("send_event", { ...EVENT, date_happened })).kind).toBe("isolate");
    expect((await call("send_metric", { series: [{ metric: "a", points: [{ value: 1 }] }] })).kind).toBe(
      "delivered",
    );
    expect(await rulesBroken(receiver)).toEqual(["datadog_400", "metric_out_of_window"]);
  });
});

describe("the receiver refuses", () => {
  const v2 = (more: object) => ({ data: { type: "event", attributes: { ...ALERT, ...more } } });
  const metric = (more: object) => ({
    series: [{ metric: "a", points: [{ timestamp: 1, value: 1 }], ...more }],
  });

  it.for<[string, unknown]>([
    ["/api/v1/events", []],
    ["/api/v1/events", { title: "t" }],
    ["/api/v1/events", { ...EVENT, text: "x".repeat(4_001) }],
    ["/api/v1/events", { ...EVENT, alert_type: "fatal" }],
    ["/api/v1/events", { ...EVENT, aggregation_key: "k".repeat(101) }],
    ["/api/v1/events", { ...EVENT, date_happened: "1" }],
    ["/api/v1/events", { ...EVENT, date_happened: 1 }],
    ["/api/v2/events", ALERT],
    ["/api/v2/events", v2({ category: "deploy" })],
    ["/api/v2/events", v2({ title: "t".repeat(501) })],
    ["/api/v2/events", v2({ attributes: {} })],
    ["/api/v2/events", v2({ timestamp: "2020-01-01T00:00:00Z" })],
    ["/api/v2/series", {}],
    ["/api/v2/series", metric({ metric: "" })],
    ["/api/v2/series", metric({ type: "count" })],
    ["/api/v2/series", metric({ points: [[1, 1]] })],
  ])("%s with %j", async ([path, body], { expect }) => {
    const receiver = await simulated.datadog();
    const answer = await receiver.post(path, JSON.stringify(body));
    expect([answer.status, answer.json]).toMatchObject([400, { errors: [{ status: "400" }] }]);
    expect(await receiver.client.summary(receiver.name)).toMatchObject({ events: 0, refused: 1 });
  });

  it("metrics over either limit, compressed events, and other methods", async ({ expect }) => {
    const receiver = await simulated.datadog();
    const post = async (path: string, body: string | Uint8Array, encoding = "identity") =>
      (await receiver.post(path, body, { "content-encoding": encoding })).status;
    expect(await post("/api/v2/series", " ".repeat(512_001))).toBe(413);
    expect(await post("/api/v2/series", gzipSync(" ".repeat(5_242_881)), "gzip")).toBe(413);
    expect(await post("/api/v1/events", gzipSync(JSON.stringify(EVENT)), "gzip")).toBe(400);
    expect((await receiver.send("/api/v1/events")).status).toBe(405);
  });
});
