/** Facts of Splunk HEC beyond its codes, as observed on Splunk Enterprise 10.4 and Cloud 10.5. */
import { deflateSync, gzipSync } from "node:zlib";
import { describe, it } from "vitest";
import { CHANNEL, envelope, idsOf, rulesBroken, TOKEN, useSimulator } from "./harness.ts";

const simulated = useSimulator();
const EVENT = "/services/collector/event";
const THREE = ["a", "b", "c"].map((id) => envelope(id));

describe("addresses", () => {
  for (const path of ["/services/collector", EVENT, "/services/collector/event/1.0"])
    it(`takes envelopes at ${path}`, async ({ expect }) => {
      const splunk = await simulated.splunk();
      expect((await splunk.post(path, envelope("a"))).text).toBe('{"text":"Success","code":0}');
      expect(await idsOf(splunk)).toEqual(["a"]);
    });

  for (const [path, allow] of [
    [EVENT, "POST,OPTIONS"],
    ["/services/collector/raw", "POST,OPTIONS"],
    ["/services/collector/ack", "POST,OPTIONS"],
    ["/services/collector/health", "GET,HEAD,OPTIONS"],
  ] as const)
    it(`answers OPTIONS at ${path} without a token or a body`, async ({ expect }) => {
      const answer = await (await simulated.splunk()).send(path, { method: "OPTIONS" });
      expect([answer.status, answer.text, answer.headers.get("allow")]).toEqual([200, "", allow]);
    });

  it("answers 404 to an unknown path and 405 to a wrong method, with the same JSON", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const body = { text: "The requested URL was not found on this server.", code: 404 };
    const unknown = await splunk.post("/services/collector/nonsense", "{}");
    const wrong = await splunk.send(EVENT);
    expect([unknown.status, unknown.json, wrong.status, wrong.json]).toEqual([404, body, 405, body]);
    expect(await rulesBroken(splunk)).toEqual(["unknown_path", "wrong_method"]);
  });

  it("has no path above its own: a Splunk endpoint is not guessed", async ({ expect }) => {
    expect((await (await simulated.splunk()).post("/event", envelope("a"))).status).toBe(404);
  });
});

describe("credentials", () => {
  it("takes the token as the password of Basic", async ({ expect }) => {
    const authorization = `Basic ${Buffer.from(`x:${TOKEN}`).toString("base64")}`;
    const splunk = await simulated.splunk();
    expect((await splunk.post(EVENT, envelope("a"), { authorization })).status).toBe(200);
  });

  it("takes Bearer where the receiver is a look-alike that wants it", async ({ expect }) => {
    const splunk = await simulated.splunk({ bearer: true });
    const answer = await splunk.post(EVENT, envelope("a"), { authorization: `Bearer ${TOKEN}` });
    expect(answer.status).toBe(200);
  });

  it("tells a good token with an empty body (code 5) from a bad one (code 4)", async ({ expect }) => {
    const splunk = await simulated.splunk();
    expect((await splunk.post(EVENT, "")).json).toMatchObject({ code: 5 });
    expect((await splunk.post(EVENT, "", { authorization: "Splunk x" })).json).toMatchObject({ code: 4 });
  });
});

describe("bodies", () => {
  for (const [form, body] of [
    ["one after the other", THREE.join("")],
    ["on lines", THREE.join("\n")],
    ["spaced out", `  ${THREE.join(" \r\n\t")}\n`],
    ["as an array", `[${THREE.join(", ")}]`],
  ] as const)
    it(`takes envelopes ${form}`, async ({ expect }) => {
      const splunk = await simulated.splunk();
      expect((await splunk.post(EVENT, body)).status).toBe(200);
      expect(await idsOf(splunk)).toEqual(["a", "b", "c"]);
    });

  it("inflates gzip", async ({ expect }) => {
    const splunk = await simulated.splunk();
    await splunk.post(EVENT, gzipSync(THREE.join("")), { "content-encoding": "gzip" });
    expect(await idsOf(splunk)).toEqual(["a", "b", "c"]);
  });

  it("refuses deflate with 415 and a page of HTML", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const answer = await splunk.post(EVENT, deflateSync(THREE.join("")), { "content-encoding": "deflate" });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([415, "text/html; charset=UTF-8"]);
    expect(answer.text).toContain("<html>");
  });

  it("refuses gzip that is none as invalid data", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const answer = await splunk.post(EVENT, "not gzip", { "content-encoding": "gzip" });
    expect(answer.json).toMatchObject({ code: 6, "invalid-event-number": 0 });
  });

  it("refuses a body over max_content_length with 413, compressed or not", async ({ expect }) => {
    const splunk = await simulated.splunk({ max_content_length: 200 });
    const big = envelope("a".repeat(300));
    expect((await splunk.post(EVENT, big)).status).toBe(413);
    expect((await splunk.post(EVENT, gzipSync(big), { "content-encoding": "gzip" })).status).toBe(413);
    expect(await idsOf(splunk)).toEqual([]);
  });

  it("refuses 6 MB as invalid data in the cloud, and takes them on premises", async ({ expect }) => {
    const big = gzipSync(envelope("a", { source: "x".repeat(6_000_000) }));
    const headers = { "content-encoding": "gzip" };
    const cloud = await simulated.splunk({ cloud: true });
    const answer = await cloud.post(EVENT, big, headers);
    expect([answer.status, answer.json]).toMatchObject([400, { code: 6, "invalid-event-number": 0 }]);
    expect((await (await simulated.splunk()).post(EVENT, big, headers)).status).toBe(200);
  });

  it("shows the event byte for byte as it was sent", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const raw = String.raw`{ "z":1.50, "id":"a", "ü":"\u00fc😀\"}{", "n":12345678901234567890 }`;
    const sent = `{"time":"1782823456.789","sourcetype":"_json","source":"s","host":"h","event": ${raw} ,"fields":{"k":["v","w"]}}`;
    await splunk.post(EVENT, envelope("first") + sent);
    expect(await splunk.client.event(splunk.name, "a")).toMatchObject([
      {
        raw,
        envelope: sent,
        index: "main",
        sourcetype: "_json",
        source: "s",
        host: "h",
        time: "1782823456.789",
        fields: { k: ["v", "w"] },
        parsed: { z: 1.5, ü: 'ü😀"}{' },
      },
    ]);
  });

  it("finds the id in event.id, else in fields.event_id, else nowhere", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const inFields = envelope("", { event: "text", fields: { event_id: "b" } });
    await splunk.post(EVENT, envelope("a") + inFields + envelope("", { event: "anonymous" }));
    expect(await idsOf(splunk)).toEqual(["a", "b"]);
    const summary = await splunk.client.summary(splunk.name);
    expect(summary).toMatchObject({ events: 3, distinct: 2, duplicates: 0, anonymous: 1 });
    expect(await splunk.client.event(splunk.name, "-")).toMatchObject([{ id: null, raw: '"anonymous"' }]);
  });
});

describe("a batch with a bad object", () => {
  const cases = [
    { code: 6, bad: "{broken", named: 1 },
    { code: 12, bad: '{"time":1}', named: 1 },
    { code: 13, bad: '{"event":""}', named: 1 },
    { code: 15, bad: '{"event":"x","fields":{"a":{"b":1}}}', named: 1 },
    { code: 7, bad: '{"event":"x","index":"forbidden"}', named: 2 },
  ];
  for (const { code, bad, named } of cases)
    it(`keeps what precedes it, drops the rest, and code ${code} names object ${named}`, async ({
      expect,
    }) => {
      const splunk = await simulated.splunk({ tokens: [{ token: TOKEN, indexes: ["main"] }] });
      const answer = await splunk.post(EVENT, [envelope("a"), bad, envelope("c")].join("\n"));
      expect([answer.status, answer.json]).toMatchObject([400, { code, "invalid-event-number": named }]);
      expect(await idsOf(splunk)).toEqual(["a"]);
    });

  it("keeps nothing when the first object is the bad one", async ({ expect }) => {
    const splunk = await simulated.splunk();
    expect((await splunk.post(EVENT, `{broken${envelope("b")}`)).json).toMatchObject({
      "invalid-event-number": 0,
    });
    expect(await idsOf(splunk)).toEqual([]);
  });

  it("answers 200 to an unknown envelope key, and drops that object and all after it", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const answer = await splunk.post(EVENT, envelope("a") + envelope("b", { tenant: 1 }) + envelope("c"));
    expect(answer.json).toEqual({ text: "Success", code: 0 });
    expect(await idsOf(splunk)).toEqual(["a"]);
    expect(await rulesBroken(splunk)).toEqual(["unknown_envelope_key"]);
  });

  it("answers code 5 when the first object has the unknown key", async ({ expect }) => {
    const answer = await (await simulated.splunk()).post(EVENT, envelope("a", { tenant: 1 }));
    expect([answer.status, answer.json]).toMatchObject([400, { code: 5 }]);
  });

  it("skips an object with fields and no event, under a 200", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const body = `${envelope("a")}{"time":1,"fields":{"metric_name:x":1}}${envelope("c")}`;
    expect((await splunk.post(EVENT, body)).status).toBe(200);
    expect(await idsOf(splunk)).toEqual(["a", "c"]);
  });
});

describe("raw lines", () => {
  it("takes lines without a channel, metadata from the query, ids from lines of JSON", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const path = "/services/collector/raw?index=web&sourcetype=access";
    expect((await splunk.post(path, '{"id":"a"}\r\n\nplain\n')).status).toBe(200);
    const [line] = await splunk.client.event(splunk.name, "a");
    expect(line).toMatchObject({
      raw: '{"id":"a"}',
      index: "web",
      sourcetype: "access",
      parsed: { id: "a" },
    });
    expect(await splunk.client.summary(splunk.name)).toMatchObject({ events: 2, anonymous: 1 });
  });

  it("refuses an index that the token may not write to", async ({ expect }) => {
    const splunk = await simulated.splunk({ tokens: [{ token: TOKEN, indexes: ["main"] }] });
    const answer = await splunk.post("/services/collector/raw?index=web", "line");
    expect(answer.json).toMatchObject({ code: 7 });
  });
});

describe("rules that Splunk lets pass and we do not", () => {
  for (const { rule, body } of [
    { rule: "time_in_milliseconds", body: envelope("a", { time: 1_782_823_456_789 }) },
    { rule: "time_missing", body: '{"event":{"id":"a"}}' },
    { rule: "body_too_big", body: envelope("a", { source: "x".repeat(1_000_001) }) },
    { rule: "too_many_events", body: envelope("a").repeat(1001) },
    { rule: "not_compressed", body: envelope("a", { source: "x".repeat(1500) }) },
    {
      rule: "not_utf8",
      body: Buffer.concat([Buffer.from('{"time":1,"event":"'), Buffer.of(0xff, 0x22, 0x7d)]),
    },
  ])
    it(`records ${rule} and takes the request`, async ({ expect }) => {
      const splunk = await simulated.splunk();
      expect((await splunk.post(EVENT, body)).status).toBe(200);
      expect(await rulesBroken(splunk)).toContain(rule);
    });

  it("has nothing to say of a good request", async ({ expect }) => {
    const splunk = await simulated.splunk();
    const headers = { "content-encoding": "gzip", "x-splunk-request-channel": CHANNEL };
    await splunk.post(EVENT, gzipSync(envelope("a").repeat(1000)), headers);
    const summary = await splunk.client.summary(splunk.name);
    expect(summary).toMatchObject({ violations: [], events: 1000, distinct: 1, duplicates: 999 });
  });
});
