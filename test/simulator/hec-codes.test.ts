/** Every HEC result code: by what causes it, and by the fault that plays it. */
import { describe, it } from "vitest";
import type { SplunkConfig } from "./client.ts";
import { ACK_TOKEN, CHANNEL, envelope, idsOf, rulesBroken, TOKEN, useSimulator } from "./harness.ts";
import { doorsOf, HEC_CODES } from "./hec-codes.ts";

const simulated = useSimulator();
const EVENT = "/services/collector/event";
const ACK = "/services/collector/ack";
const good = envelope("good");

interface Cause {
  readonly code: number;
  readonly because: string;
  readonly config?: Partial<SplunkConfig>;
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

const CAUSES: readonly Cause[] = [
  { code: 0, because: "all is well" },
  { code: 1, because: "the token is disabled", config: { tokens: [{ token: TOKEN, disabled: true }] } },
  { code: 3, because: "the word Splunk is missing before the token", headers: { authorization: TOKEN } },
  { code: 3, because: "Bearer is not a scheme of Splunk's", headers: { authorization: `Bearer ${TOKEN}` } },
  { code: 4, because: "nobody knows the token", headers: { authorization: "Splunk nonsense" } },
  { code: 5, because: "the body is empty", body: "" },
  { code: 5, because: "the body is white space", body: " \n " },
  { code: 5, because: "the array is empty", body: "[]" },
  { code: 6, because: "an object is no JSON", body: "{nonsense}" },
  { code: 6, because: "the body ends within an object", body: '{"event":{"id":"a"}' },
  { code: 6, because: "an object holds a malformed number", body: '{"event":{"id":01.2.3}}' },
  { code: 6, because: "the time is no number", body: '{"time":"2026-06-30T12:00:00Z","event":"a"}' },
  { code: 6, because: "something follows the array", body: `[${good}]${good}` },
  {
    code: 7,
    because: "the token may not write to the index",
    config: { tokens: [{ token: TOKEN, indexes: ["main"] }] },
    body: envelope("a", { index: "secret" }),
  },
  { code: 10, because: "the token acknowledges and there is no channel", config: { tokens: [ACK_TOKEN] } },
  { code: 11, because: "the channel is no GUID", headers: { "x-splunk-request-channel": "mine" } },
  { code: 12, because: "there is no event", body: '{"time":1}' },
  { code: 12, because: "the event is null", body: '{"time":1,"event":null}' },
  { code: 13, because: "the event is blank", body: '{"time":1,"event":""}' },
  {
    code: 14,
    because: "the token does not acknowledge",
    path: ACK,
    body: '{"acks":[0]}',
    headers: { "x-splunk-request-channel": CHANNEL },
  },
  { code: 15, because: "a field is nested", body: envelope("a", { fields: { a: { b: 1 } } }) },
  { code: 15, because: "a field is a list of objects", body: envelope("a", { fields: { a: [{}] } }) },
  {
    code: 27,
    because: "the channel owes too many acknowledgements",
    config: { tokens: [ACK_TOKEN], max_pending_acks: 0 },
    headers: { "x-splunk-request-channel": CHANNEL },
  },
  { code: 28, because: "Cloud misses the channel", config: { tokens: [ACK_TOKEN], cloud: true } },
];

describe("a code has its cause", () => {
  for (const { code, because, config, path = EVENT, body = good, headers } of CAUSES)
    it(`answers code ${code} when ${because}`, async ({ expect }) => {
      const splunk = await simulated.splunk(config);
      const answer = await splunk.post(path, body, headers);
      expect(answer.json).toMatchObject({ code, text: HEC_CODES[code]?.text });
      expect(answer.status).toBe(HEC_CODES[code]?.status);
      if (code !== 0 && code !== 27) expect(await rulesBroken(splunk)).toContain(`hec_code_${code}`);
    });

  it("answers code 2 when there is no token at all", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const answer = await splunk.send(EVENT, { method: "POST", body: good });
    expect(answer.json).toEqual({ text: "Token is required", code: 2 });
    expect(answer.status).toBe(401);
  });

  it("answers code 16 when the token is in a query that is not allowed to carry it", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const path = `${EVENT}?token=${TOKEN}`;
    expect((await splunk.send(path, { method: "POST", body: good })).json).toMatchObject({ code: 16 });
    await splunk.client.configure(splunk.name, { query_string_auth: true });
    expect((await splunk.send(path, { method: "POST", body: good })).json).toMatchObject({ code: 0 });
  });

  it("answers code 17 to whoever asks for health, token or not", async ({ expect }) => {
    const splunk = await simulated.splunk();
    for (const path of ["/services/collector/health", "/services/collector/health/1.0"])
      expect((await splunk.send(path)).json).toEqual({ text: "HEC is healthy", code: 17 });
  });
});

describe("a code can be played", () => {
  const paths = { event: EVENT, ack: ACK, health: "/services/collector/health" };
  for (const [code, { status, text }] of HEC_CODES.entries())
    it(`plays code ${code} with status ${status}`, async ({ expect }) => {
      const splunk = await simulated.splunk({ tokens: [ACK_TOKEN] });
      await splunk.client.fault(splunk.name, { mode: "code", code, times: 1 });
      const door = doorsOf(code)[0] ?? "event";
      const headers = { "x-splunk-request-channel": CHANNEL };
      const answer =
        door === "health" ? await splunk.send(paths.health) : await splunk.post(paths[door], good, headers);
      expect(answer.status).toBe(status);
      expect(answer.json).toMatchObject({ text, code });
      expect(await idsOf(splunk)).toEqual([0, 24, 25].includes(code) ? ["good"] : []);
      const { fault, violations } = await splunk.client.summary(splunk.name);
      expect(fault).toBeNull();
      expect(violations).toEqual([]);
    });

  it("keeps the events of a code 8 that says it stored them", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.client.fault(splunk.name, { mode: "code", code: 8, stored: true });
    expect((await splunk.post(EVENT, good)).status).toBe(500);
    expect(await idsOf(splunk)).toEqual(["good"]);
  });

  it("hands out ackIds with codes 24 and 25, because the events were taken", async ({ expect }) => {
    const splunk = await simulated.splunk({ tokens: [ACK_TOKEN] });
    await splunk.client.fault(splunk.name, { mode: "code", code: 24 });
    const answer = await splunk.post(EVENT, good, { "x-splunk-request-channel": CHANNEL });
    expect(answer.json).toMatchObject({ code: 24, ackId: 0 });
  });

  for (const { code, number, stored } of [
    { code: 6, number: 2, stored: ["0", "1"] },
    { code: 15, number: 1, stored: ["0"] },
    { code: 7, number: 2, stored: ["0"] },
  ])
    it(`stores what precedes the offender when code ${code} names object ${number}`, async ({ expect }) => {
      const splunk = await simulated.splunk();
      await splunk.client.fault(splunk.name, { mode: "code", code, event_number: number });
      const answer = await splunk.post(EVENT, ["0", "1", "2", "3"].map((id) => envelope(id)).join(""));
      expect(answer.json).toMatchObject({ code, "invalid-event-number": number });
      expect(await idsOf(splunk)).toEqual(stored);
    });
});
