/** Indexer acknowledgement, and balancers in front of indexers. */
import { describe, it } from "vitest";
import type { SplunkConfig } from "./client.ts";
import { ACK_TOKEN, type Answer, CHANNEL, type Destination, envelope, useSimulator } from "./harness.ts";
import { AckDesk } from "./hec-acks.ts";

const simulated = useSimulator();
const EVENT = "/services/collector/event";
const OTHER_CHANNEL = "aaaaaaaa-bbbb-cccc-dddd-000000000000";

function send(splunk: Destination, id = "a", more: Record<string, string> = {}): Promise<Answer> {
  return splunk.post(EVENT, envelope(id), { "x-splunk-request-channel": CHANNEL, ...more });
}

function poll(splunk: Destination, acks: unknown, more: Record<string, string> = {}): Promise<Answer> {
  const headers = { "x-splunk-request-channel": CHANNEL, ...more };
  return splunk.post("/services/collector/ack", JSON.stringify({ acks }), headers);
}

describe("acknowledgement", () => {
  const prompt = { tokens: [ACK_TOKEN], ack_delay_ms: 0 } satisfies Partial<SplunkConfig>;

  it("numbers requests from 0, channel by channel", async ({ expect }) => {
    const splunk = await simulated.splunk(prompt);
    expect((await send(splunk)).text).toBe('{"text":"Success","code":0,"ackId":0}');
    expect((await send(splunk)).json).toMatchObject({ ackId: 1 });
    const other = await send(splunk, "b", { "x-splunk-request-channel": OTHER_CHANNEL });
    expect(other.json).toMatchObject({ ackId: 0 });
  });

  it("takes the channel from the query as well", async ({ expect }) => {
    const splunk = await simulated.splunk(prompt);
    const answer = await splunk.post(`${EVENT}?channel=${CHANNEL}`, envelope("a"));
    expect(answer.json).toMatchObject({ ackId: 0 });
  });

  it("says true once and then forgets the id", async ({ expect }) => {
    const splunk = await simulated.splunk(prompt);
    await send(splunk);
    expect((await poll(splunk, [0, 7])).text).toBe('{"acks":{"0":true,"7":false}}');
    expect((await poll(splunk, [0])).text).toBe('{"acks":{"0":false}}');
  });

  it("says false on another channel, and the id stays to be told on its own", async ({ expect }) => {
    const splunk = await simulated.splunk(prompt);
    await send(splunk);
    const elsewhere = await poll(splunk, [0], { "x-splunk-request-channel": OTHER_CHANNEL });
    expect([elsewhere.status, elsewhere.text]).toEqual([200, '{"acks":{"0":false}}']);
    expect((await poll(splunk, [0])).json).toEqual({ acks: { 0: true } });
  });

  it("says false until the indexer has had its time, then true", ({ expect }) => {
    const desk = new AckDesk();
    const place = { indexer: 0, channel: CHANNEL, config: { tokens: [ACK_TOKEN] } };
    expect(desk.issue({ ...place, at: 0 })).toBe(0);
    expect(desk.query([0], { ...place, at: 999 })).toEqual({ 0: false });
    expect(desk.query([0], { ...place, at: 1000 })).toEqual({ 0: true });
  });

  it("forgets a channel that was idle for ten minutes, and numbers from 0 again", ({ expect }) => {
    const desk = new AckDesk();
    const place = { indexer: 0, channel: CHANNEL, config: { tokens: [ACK_TOKEN] } };
    desk.issue({ ...place, at: 0 });
    expect(desk.query([0], { ...place, at: 600_001 })).toEqual({ 0: false });
    expect(desk.issue({ ...place, at: 600_001 })).toBe(0);
  });

  it("answers code 6 to a question that is none", async ({ expect }) => {
    const splunk = await simulated.splunk(prompt);
    expect((await poll(splunk, "all")).json).toMatchObject({ code: 6 });
  });

  it("hands out an ackId with a refusal whose prefix was taken", async ({ expect }) => {
    const splunk = await simulated.splunk(prompt);
    const headers = { "x-splunk-request-channel": CHANNEL };
    const answer = await splunk.post(EVENT, `${envelope("a")}{broken`, headers);
    expect(answer.json).toMatchObject({ code: 6, "invalid-event-number": 1, ackId: 0 });
    expect((await splunk.post(EVENT, "{broken", headers)).json).not.toHaveProperty("ackId");
  });

  it("acknowledges raw lines too", async ({ expect }) => {
    const splunk = await simulated.splunk(prompt);
    const headers = { "x-splunk-request-channel": CHANNEL };
    expect((await splunk.post("/services/collector/raw", "line", headers)).json).toMatchObject({ ackId: 0 });
  });

  it("loses what it owed at a reset, as an indexer that restarts", async ({ expect }) => {
    const splunk = await simulated.splunk(prompt);
    await send(splunk);
    await splunk.client.reset(splunk.name);
    expect((await poll(splunk, [0])).json).toEqual({ acks: { 0: false } });
  });
});

describe("two indexers", () => {
  const two = { tokens: [ACK_TOKEN], ack_delay_ms: 0, indexers: 2 } satisfies Partial<SplunkConfig>;

  it("number their ackIds apart, so that one channel sees the same id twice", async ({ expect }) => {
    const splunk = await simulated.splunk(two);
    expect((await send(splunk)).json).toMatchObject({ ackId: 0 });
    expect((await send(splunk)).json).toMatchObject({ ackId: 0 });
  });

  it("do not know each other's ids: a poll that lands on the other one says false", async ({ expect }) => {
    const splunk = await simulated.splunk(two);
    await send(splunk);
    expect((await poll(splunk, [0])).json).toEqual({ acks: { 0: false } });
    expect((await poll(splunk, [0])).json).toEqual({ acks: { 0: true } });
  });

  it("are told apart by the balancer's cookie, for whoever sends it back", async ({ expect }) => {
    const splunk = await simulated.splunk({ ...two, cookies: true });
    const first = await send(splunk);
    const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(cookie).toBe("AWSALB=indexer-0");
    const second = await send(splunk, "b", { cookie });
    expect([second.json, second.headers.get("set-cookie")]).toMatchObject([{ ackId: 1 }, null]);
    expect((await poll(splunk, [0, 1], { cookie })).json).toEqual({ acks: { 0: true, 1: true } });
    const log = await splunk.client.requests(splunk.name);
    expect(log.map(({ indexer }) => indexer)).toEqual([0, 0, 0]);
  });

  it("set no cookie unless told to", async ({ expect }) => {
    expect((await send(await simulated.splunk(two))).headers.get("set-cookie")).toBeNull();
  });
});
