import { describe, it } from "vitest";
import { splunk } from "../../src/providers/splunk.ts";
import { connect, response } from "./answers.ts";
import { NOW, perform, refusals, sent } from "./operations.ts";

const connector = connect(splunk, { config: { index: "main", host: "edge" } });

/** As vendors of such proxies document the call. */
const CALL = {
  event: { action: "vault.seal", tenant: "acme", credential_type: "oauth2_client" },
  sourcetype: "acme:audit",
  index: "security",
};

describe("send_event", () => {
  it("is one envelope, with the destination's settings where the call says nothing", ({ expect }) => {
    const { url, body, headers } = sent(connector, "send_event", CALL);
    expect(url).toBe("https://siem.example.com:8088/services/collector/event");
    expect(headers["authorization"]).toBe("Splunk s3cr3t-token");
    expect(JSON.parse(body)).toEqual({ ...CALL, time: NOW / 1_000, host: "edge", source: "sluice" });
    expect(JSON.parse(sent(connector, "send_event", { event: "text" }).body)).toMatchObject({
      index: "main",
      sourcetype: "_json",
      event: "text",
    });
  });

  it("carries every key that HEC knows", ({ expect }) => {
    const all = {
      ...CALL,
      source: "s",
      host: "h",
      time: 1_700_000_000.123,
      fields: { a: "b", n: 1, t: true },
    };
    expect(JSON.parse(sent(connector, "send_event", all).body)).toEqual(all);
  });

  it("goes over a channel of its own, so that it takes no acknowledgement from a lane", ({ expect }) => {
    const own = connector.encode([], { now: NOW, indexFor: () => null });
    const { headers } = sent(connector, "send_event", CALL);
    const channel = headers["x-splunk-request-channel"];
    expect(channel).toMatch(/^[0-9a-f-]{36}$/);
    expect("headers" in own && own.headers["x-splunk-request-channel"]).not.toBe(channel);
  });

  it("reads the answer as a delivery's", ({ expect }) => {
    const { interpret } = perform(connector, "send_event", CALL);
    expect(interpret(response(200, { text: "Success", code: 0 })).kind).toBe("delivered");
    expect(
      interpret(response(400, { text: "Incorrect index", code: 7, "invalid-event-number": 1 })),
    ).toMatchObject({
      words: { code: 7 },
    });
  });

  it.for<[unknown, readonly string[]]>([
    [null, ["payload"]],
    ["text", ["payload"]],
    [[], ["payload"]],
    [{}, ["payload.event"]],
    [{ event: "" }, ["payload.event"]],
    [{ event: " \n" }, ["payload.event"]],
    [{ event: 7 }, ["payload.event"]],
    [{ event: null }, ["payload.event"]],
    [{ event: ["a"] }, ["payload.event"]],
    [{ event: "a", indx: "b" }, ["payload.indx"]],
    [{ event: "a", ack: 1, extra: 2 }, ["payload.ack", "payload.extra"]],
    [{ event: "a", index: "UPPER" }, ["payload.index"]],
    [{ event: "a", index: "" }, ["payload.index"]],
    [{ event: "a", sourcetype: "" }, ["payload.sourcetype"]],
    [{ event: "a", host: "h".repeat(1_025) }, ["payload.host"]],
    [{ event: "a", time: 1_700_000_000_000 }, ["payload.time"]],
    [{ event: "a", time: -1 }, ["payload.time"]],
    [{ event: "a", time: "1700000000" }, ["payload.time"]],
    [{ event: "a", fields: { a: { b: 1 } } }, ["payload.fields.a"]],
    [{ event: "a", fields: { a: [1] } }, ["payload.fields.a"]],
    [{ event: "a", fields: "a=b" }, ["payload.fields"]],
    [{ event: "x".repeat(1_000_000) }, ["payload.event"]],
  ])("refuses %j at %j", ([payload, paths], { expect }) => {
    expect(refusals(connector, "send_event", payload)).toEqual(paths);
  });
});

describe("send_batch", () => {
  it("is one envelope a line", ({ expect }) => {
    const { body } = sent(connector, "send_batch", { events: [CALL, { event: "b" }] });
    const lines = body.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).event)).toEqual([CALL.event, "b"]);
  });

  it.for<[string, unknown, readonly string[]]>([
    ["no list", { events: CALL }, ["payload.events"]],
    ["an empty one", { events: [] }, ["payload.events"]],
    ["too many", { events: Array(1_001).fill(CALL) }, ["payload.events"]],
    ["too much", { events: Array(11).fill({ event: "x".repeat(100_000) }) }, ["payload.events"]],
    ["one bad among them", { events: [CALL, { event: "a", tim: 1 }] }, ["payload.events.1.tim"]],
    ["a key beside them", { events: [CALL], index: "main" }, ["payload.index"]],
  ])("refuses %s", ([, payload, paths], { expect }) => {
    expect(refusals(connector, "send_batch", payload)).toEqual(paths);
  });
});
