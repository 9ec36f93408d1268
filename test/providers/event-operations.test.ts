import { describe, it } from "vitest";
import { isoTime } from "../../src/base/clock.ts";
import { cloudwatch } from "../../src/providers/cloudwatch.ts";
import { elastic } from "../../src/providers/elastic.ts";
import { webhook } from "../../src/providers/webhook.ts";
import { connect, response } from "./answers.ts";
import { NOW, perform, refusals, sent } from "./operations.ts";

const aws = { access_key_id: "AKIAEXAMPLE", secret_access_key: "s3cr3t" };
const CONNECTORS = {
  cloudwatch: connect(cloudwatch, { endpoint: "https://logs.eu-central-1.amazonaws.com", secrets: aws }),
  elastic: connect(elastic, { secrets: { token: "id:key" } }),
  webhook: connect(webhook, { secrets: { secret: "a-secret-of-text" } }),
};
const KINDS = ["cloudwatch", "elastic", "webhook"] as const;

const bodyOf = async (kind: (typeof KINDS)[number], operation: string, payload: unknown): Promise<string> =>
  (await perform(CONNECTORS[kind], operation, payload).request).body ?? "";

describe.for(KINDS)("%s", (kind) => {
  it("gives an event the id and the time that it lacks, and keeps those that it has", async ({ expect }) => {
    const filled = await bodyOf(kind, "send_event", { event: { action: "vault.seal" } });
    expect(filled).toContain("evt_new");
    expect(filled).toContain(isoTime(NOW));
    const own = { id: "mine", timestamp: "2026-06-30T11:34:56Z", n: 1 };
    const kept = await bodyOf(kind, "send_event", { event: own });
    expect(kept).not.toContain("evt_new");
    for (const part of ["mine", own.timestamp]) expect(kept).toContain(part);
  });

  it("sends a batch in one request", async ({ expect }) => {
    const body = await bodyOf(kind, "send_batch", { events: [{ id: "first" }, { id: "second" }] });
    expect(body).toMatch(/first[\s\S]*second/);
  });

  it.for<[string, unknown, readonly string[]]>([
    ["send_event", null, ["payload"]],
    ["send_event", {}, ["payload.event"]],
    ["send_event", { event: "text" }, ["payload.event"]],
    ["send_event", { event: [] }, ["payload.event"]],
    ["send_event", { event: {}, index: "x" }, ["payload.index"]],
    ["send_event", { event: { id: "with space" } }, ["payload.event.id"]],
    ["send_event", { event: { id: 7 } }, ["payload.event.id"]],
    ["send_event", { event: { timestamp: 7 } }, ["payload.event.timestamp"]],
    ["send_event", { event: { timestamp: "2026-06-30" } }, ["payload.event.timestamp"]],
    ["send_event", { event: { action: "Not One" } }, ["payload.event.action"]],
    ["send_event", { event: { text: "x".repeat(6_000_000) } }, ["payload.event"]],
    ["send_batch", { events: [] }, ["payload.events"]],
    ["send_batch", { events: Array(10_001).fill({}) }, ["payload.events"]],
    ["send_batch", { events: [{}, { id: "" }] }, ["payload.events.1.id"]],
    ["send_batch", { event: {} }, ["payload.events", "payload.event"]],
  ])("%s refuses what is no event at %j", ([operation, payload, paths], { expect }) => {
    expect(refusals(CONNECTORS[kind], operation, payload)).toEqual(paths);
  });

  it("refuses nesting that no reader could walk", ({ expect }) => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(refusals(CONNECTORS[kind], "send_event", { event: { deep } })).toEqual(["payload"]);
  });
});

describe("CloudWatch's window", () => {
  const hours = (count: number): string => isoTime(NOW - count * 3_600_000);
  const events = (...ages: readonly number[]) => ({ events: ages.map((age) => ({ timestamp: hours(age) })) });

  it("refuses what would be thrown away, and what does not fit in one request", ({ expect }) => {
    const { cloudwatch: connector } = CONNECTORS;
    expect(refusals(connector, "send_batch", events(1, 15 * 24, -3))).toEqual([
      "payload.events.1.timestamp",
      "payload.events.2.timestamp",
    ]);
    expect(refusals(connector, "send_event", { event: { timestamp: hours(15 * 24) } })).toEqual([
      "payload.event.timestamp",
    ]);
    expect(refusals(connector, "send_batch", events(0, 25))).toEqual(["payload.events"]);
  });

  it("sends in the order of time, and speaks of events in the order given", ({ expect }) => {
    const { interpret } = perform(CONNECTORS.cloudwatch, "send_batch", events(1, 3, 2));
    const outcome = interpret(response(200, { rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1 } }));
    expect(outcome).toMatchObject({ kind: "partial", delivered: [2, 0], refused: [{ index: 1 }] });
  });
});

describe("a webhook that takes one event at a time", () => {
  it("gets no batch of several", ({ expect }) => {
    const single = connect(webhook, { config: { mode: "event" }, secrets: { secret: "a-secret-of-text" } });
    expect(refusals(single, "send_batch", { events: [{}, {}] })).toEqual(["payload.events"]);
    expect(sent(single, "send_batch", { events: [{ id: "a" }] }).body).toMatch(/^\{"id":"a"/);
  });
});
