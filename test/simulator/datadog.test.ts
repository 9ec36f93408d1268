/** Rules of Datadog's logs intake. */
import { deflateSync, gzipSync } from "node:zlib";
import { describe, it } from "vitest";
import { API_KEY, idsOf, rulesBroken, useSimulator } from "./harness.ts";

const simulated = useSimulator();
const LOGS = "/api/v2/logs";
const HOUR_MS = 3_600_000;

function log(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { message: JSON.stringify({ id }), ddsource: "sluice", ...more };
}

describe("credentials", () => {
  it("answers 401 without a key and 403 with a wrong one", async ({ expect }) => {
    const datadog = await simulated.datadog();
    const missing = await datadog.send(LOGS, { method: "POST", body: "[]" });
    const wrong = await datadog.post(LOGS, "[]", { "dd-api-key": "wrong" });
    expect([missing.status, wrong.status]).toEqual([401, 403]);
    expect(wrong.json).toEqual({
      errors: [{ status: "403", title: "Forbidden", detail: "API key is invalid" }],
    });
  });

  it("validates a key without taking anything", async ({ expect }) => {
    const datadog = await simulated.datadog();
    const good = await datadog.send("/api/v1/validate", { headers: { "dd-api-key": API_KEY } });
    const bad = await datadog.send("/api/v1/validate", { headers: { "dd-api-key": "wrong" } });
    expect([good.status, good.json, bad.status]).toEqual([200, { valid: true }, 403]);
  });
});

describe("bodies", () => {
  it("answers 202 and an empty object to an array, and to one log alone", async ({ expect }) => {
    const datadog = await simulated.datadog();
    const many = await datadog.post(LOGS, JSON.stringify([log("a"), log("b")]));
    const one = await datadog.post(LOGS, JSON.stringify(log("c")));
    expect([many.status, many.json, one.status]).toEqual([202, {}, 202]);
    expect(await idsOf(datadog)).toEqual(["a", "b", "c"]);
  });

  for (const [encoding, body] of [
    ["gzip", gzipSync(JSON.stringify([log("a")]))],
    ["deflate", deflateSync(JSON.stringify([log("a")]))],
    ["identity", Buffer.from(JSON.stringify([log("a")]))],
  ] as const)
    it(`takes ${encoding}`, async ({ expect }) => {
      const datadog = await simulated.datadog();
      expect((await datadog.post(LOGS, body, { "content-encoding": encoding })).status).toBe(202);
      expect(await idsOf(datadog)).toEqual(["a"]);
    });

  for (const [because, body] of [
    ["empty", ""],
    ["no JSON", "nonsense"],
    ["cut short", '[{"message":"a"}'],
    ["not an object", "[1]"],
    ["malformed within", '[{"message":"a","n":1.2.3}]'],
    ["without a message", '[{"message":"a"},{"ddsource":"x"}]'],
    ["with a message that is no string", '[{"message":{"id":"a"}}]'],
    ["two values without an array", '{"message":"a"}{"message":"b"}'],
  ] as const)
    it(`refuses the whole request with 400 when it is ${because}`, async ({ expect }) => {
      const datadog = await simulated.datadog();
      expect((await datadog.post(LOGS, body)).status).toBe(400);
      expect(await datadog.client.summary(datadog.name)).toMatchObject({ events: 0, refused: 1 });
      expect(await rulesBroken(datadog)).toEqual(["datadog_400"]);
    });

  it("refuses more than 1000 entries with 413", async ({ expect }) => {
    const datadog = await simulated.datadog();
    const logs = Array.from({ length: 1001 }, (_, number) => log(`${number}`));
    expect((await datadog.post(LOGS, JSON.stringify(logs))).status).toBe(413);
    expect((await datadog.post(LOGS, JSON.stringify(logs.slice(1)))).status).toBe(202);
  });

  it("refuses more than 5 MB uncompressed with 413, however well it compresses", async ({ expect }) => {
    const datadog = await simulated.datadog();
    const body = JSON.stringify(
      Array.from({ length: 6 }, (_, number) => log(`${number}`, { pad: "x".repeat(900_000) })),
    );
    expect((await datadog.post(LOGS, gzipSync(body), { "content-encoding": "gzip" })).status).toBe(413);
    expect((await datadog.post(LOGS, body)).status).toBe(413);
  });

  it("takes a log over 1 MB, cuts it, and records that", async ({ expect }) => {
    const datadog = await simulated.datadog();
    const body = gzipSync(JSON.stringify([log("a", { pad: "x".repeat(1_000_000) })]));
    expect((await datadog.post(LOGS, body, { "content-encoding": "gzip" })).status).toBe(202);
    const [copy] = await datadog.client.event(datadog.name, "a");
    expect([copy?.raw.length, copy?.parsed]).toEqual([1_000_000, null]);
    expect(await rulesBroken(datadog)).toEqual(["truncated"]);
  });

  it("shows the log byte for byte as it was sent", async ({ expect }) => {
    const datadog = await simulated.datadog();
    const raw = String.raw`{ "message":"{\"id\":\"a\",\"n\":1.50}", "ddsource" : "sluice", "hostname":"h"}`;
    await datadog.post(LOGS, `[${raw}]`);
    const [copy] = await datadog.client.event(datadog.name, "a");
    expect(copy).toMatchObject({ raw, sourcetype: "sluice", host: "h" });
  });
});

describe("age", () => {
  const old = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString();

  for (const [where, item] of [
    ["an attribute", log("a", { timestamp: old(18.1) })],
    ["an attribute in epoch milliseconds", log("a", { date: Date.now() - 19 * HOUR_MS })],
    ["the message", { message: JSON.stringify({ timestamp: old(18.1), id: "a" }) }],
  ] as const)
    it(`accepts and discards a log of more than 18 hours by ${where}`, async ({ expect }) => {
      const datadog = await simulated.datadog();
      const answer = await datadog.post(LOGS, JSON.stringify([item, log("b", { timestamp: old(17.9) })]));
      expect(answer.status).toBe(202);
      expect(await idsOf(datadog)).toEqual(["b"]);
      expect(await rulesBroken(datadog)).toEqual(["too_old"]);
    });

  it("judges by a clock that a test can move", async ({ expect }) => {
    const datadog = await simulated.datadog({ now_offset_ms: 18 * HOUR_MS });
    await datadog.post(LOGS, JSON.stringify([log("a", { timestamp: old(0.1) })]));
    expect(await idsOf(datadog)).toEqual([]);
  });
});

describe("ids", () => {
  for (const [where, item] of [
    ["first in the message", { message: '{"id":"a","x":1}', id: "other" }],
    ["later in the message", { message: '{"x":"\\"","id":"a"}', "evt.id": "other" }],
    ["escaped in the message", { message: '{"id":"\\u0061"}' }],
    ["in the attribute evt.id", { message: "text", "evt.id": "a", id: "other" }],
    ["in the attribute evt", { message: "text", evt: { id: "a" }, id: "other" }],
    ["in the attribute id", { message: "{not json", id: "a" }],
  ] as const)
    it(`are found ${where}`, async ({ expect }) => {
      const datadog = await simulated.datadog();
      await datadog.post(LOGS, JSON.stringify([item]));
      expect(await idsOf(datadog)).toEqual(["a"]);
    });
});

describe("addresses", () => {
  it("answers 404 elsewhere and 405 to a wrong method, in Datadog's form", async ({ expect }) => {
    const datadog = await simulated.datadog();
    expect((await datadog.post("/v1/nonsense", "[]")).json).toMatchObject({ errors: [{ status: "404" }] });
    expect((await datadog.send(LOGS)).status).toBe(405);
  });
});
