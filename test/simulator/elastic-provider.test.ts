/** The provider and the receiver meet over real HTTP, through the relay's own door to the outside. */
import { randomUUID } from "node:crypto";
import { describe, it } from "vitest";
import { ok } from "../../src/base/result.ts";
import { createSend } from "../../src/egress/send.ts";
import type { Outcome } from "../../src/model/delivery.ts";
import type { RelayEvent } from "../../src/model/event.ts";
import { elastic } from "../../src/providers/elastic.ts";
import type { ElasticConfig } from "./client.ts";
import { useSimulator } from "./harness.ts";

const simulated = useSimulator();
const KEY = { id: "key-id", api_key: "key-secret" };
const context = { now: 1_782_823_500_000, indexFor: () => null };

const send = createSend({ fetch, guard: (url) => ok(new URL(url)), now: Date.now });

function eventsOf(count: number, more: object = {}): readonly RelayEvent[] {
  return Array.from({ length: count }, (_, n) => {
    const id = `evt_${n}`;
    const fields = { id, actor_id: "alice", action: "user.login", outcome: "SUCCESS", ...more };
    return { id, at: 1_782_823_456_789 + n, action: "user.login", json: JSON.stringify(fields) };
  });
}

async function meet(given: Partial<ElasticConfig> = {}, config: object = {}) {
  const client = simulated.client();
  const name = `elastic-${randomUUID()}`;
  const endpoint = await client.elastic(name, { api_keys: [KEY], ...given });
  const secrets = { token: `${KEY.id}:${KEY.api_key}` };
  const connected = elastic.connect({ destinationId: "siem_1", endpoint, config, secrets });
  if (!connected.ok) throw new Error(JSON.stringify(connected.error));
  const connector = connected.value;
  const deliver = async (events: readonly RelayEvent[]): Promise<Outcome> => {
    const request = await connector.encode(events, context);
    return connector.interpret(await send(request), { events: events.length, bytes: 0 });
  };
  return { client, name, connector, deliver };
}

/** As the relay goes on after a partial answer: what is neither delivered nor refused is sent again. */
function remaining(events: readonly RelayEvent[], outcome: Outcome): readonly RelayEvent[] {
  if (outcome.kind === "delivered") return [];
  if (outcome.kind !== "partial") throw new Error(outcome.kind);
  const done = new Set([...outcome.delivered, ...outcome.refused.map(({ index }) => index)]);
  return events.filter((_, index) => !done.has(index));
}

describe("Elastic", () => {
  it("receiving the same batch twice holds each document once", async ({ expect }) => {
    const { client, name, deliver } = await meet();
    const events = eventsOf(25, { tenant_id: "ten_1", metadata: { ip: "203.0.113.7" } });
    expect((await deliver(events)).kind).toBe("delivered");
    expect((await deliver(events)).kind).toBe("delivered");
    expect(await client.summary(name)).toMatchObject({
      requests: 2,
      refused: 0,
      events: 25,
      distinct: 25,
      duplicates: 0,
      violations: [],
    });
    const [copy, ...more] = await client.event(name, "evt_7");
    expect(more).toEqual([]);
    expect(copy).toMatchObject({ raw: events[7]?.json, index: "logs-sluice.audit-default" });
  });

  it("answering for a full request twice comes to an end, though so many conflicts are not read whole", async ({
    expect,
  }) => {
    const { client, name, deliver } = await meet();
    const events = eventsOf(1_000);
    expect((await deliver(events)).kind).toBe("delivered");
    let left = events;
    let rounds = 0;
    for (; left.length > 0 && rounds < 10; rounds += 1) left = remaining(left, await deliver(left));
    expect(left).toEqual([]);
    expect(rounds).toBeLessThanOrEqual(4);
    expect(await client.summary(name)).toMatchObject({ events: 1_000, distinct: 1_000, violations: [] });
  });

  it("losing the answer of a request that it took holds each document once", async ({ expect }) => {
    const { client, name, deliver } = await meet();
    await client.fault(name, { mode: "reset_after", times: 1 });
    const events = eventsOf(10);
    expect(await deliver(events)).toMatchObject({ kind: "retry", maybeTaken: true });
    expect((await deliver(events)).kind).toBe("delivered");
    expect(await client.summary(name)).toMatchObject({ events: 10, distinct: 10 });
  });

  it("throttling every third document gets all of them, each once", async ({ expect }) => {
    const { client, name, deliver } = await meet({ item_fault: { status: 429, every: 3 } });
    let left = eventsOf(50);
    const first = await deliver(left);
    expect(first).toMatchObject({ kind: "partial", refused: [], trouble: "throttled" });
    left = remaining(left, first);
    expect(left).toHaveLength(16);
    for (let round = 0; left.length > 0 && round < 20; round += 1)
      left = remaining(left, await deliver(left));
    expect(left).toEqual([]);
    expect(await client.summary(name)).toMatchObject({ events: 50, distinct: 50, duplicates: 0 });
  });

  it("refusing one document keeps the others and says why", async ({ expect }) => {
    const { client, name, deliver } = await meet({ reject: "evt_3" });
    const outcome = await deliver(eventsOf(6));
    expect(outcome).toMatchObject({
      kind: "partial",
      delivered: [0, 1, 2, 4, 5],
      refused: [{ index: 3, code: "mapper_parsing_exception", message: expect.stringContaining("evt_3") }],
      trouble: null,
    });
    expect((await client.events(name)).distinct).toBe(5);
  });

  it("without the pipeline, the index or the right holds everything and blames no event", async ({
    expect,
  }) => {
    const cases: readonly (readonly [Partial<ElasticConfig>, object, string])[] = [
      [{}, { pipeline: "gone" }, "config_rejected"],
      [{ auto_create: false }, { index: "audit" }, "config_rejected"],
      [{ api_keys: [{ ...KEY, indices: ["other-*"] }] }, {}, "credentials_rejected"],
      [{ api_keys: [{ ...KEY, api_key: "rotated" }] }, {}, "credentials_rejected"],
    ];
    for (const [given, config, trouble] of cases) {
      const { deliver } = await meet(given, config);
      expect(await deliver(eventsOf(3))).toMatchObject({ kind: "hold", committed: 0, trouble });
    }
  });

  it("taking less than a request asks for it in parts", async ({ expect }) => {
    const { deliver } = await meet({ max_content_length: 1_500 });
    expect((await deliver(eventsOf(20))).kind).toBe("split");
    expect((await deliver(eventsOf(1))).kind).toBe("delivered");
  });

  it.for<[string, Partial<ElasticConfig>, readonly string[]]>([
    ["all is well", {}, ["port", "credentials", "index", "event"]],
    [
      "the key may only write",
      { api_keys: [{ ...KEY, indices: ["logs-*"] }] },
      ["port", "credentials", "index", "event"],
    ],
    ["the key is wrong", { api_keys: [{ ...KEY, api_key: "x" }] }, ["port", "!credentials"]],
    [
      "the key may not write there",
      { api_keys: [{ ...KEY, indices: ["x"] }] },
      ["port", "credentials", "!index"],
    ],
    ["nothing is created", { auto_create: false }, ["port", "credentials", "!index"]],
    ["the mapping differs", { reject: "evt_0" }, ["port", "credentials", "index", "!event"]],
  ])("diagnosed where %s", async ([, given, expected], { expect }) => {
    const { connector } = await meet(given);
    const [event] = eventsOf(1);
    if (event === undefined) throw new Error("no event");
    const checks: string[] = [];
    for (const step of connector.probe(event, context)) {
      const reading = step.read(await send(await step.request));
      checks.push(...reading.checks.map(({ name, ok: isOk }) => `${isOk ? "" : "!"}${name}`));
      if (reading.verdict !== null) break;
    }
    expect(checks.slice(2)).toEqual(expected);
  });
});
