import { describe, it } from "vitest";
import { byteLength } from "../../src/base/bytes.ts";
import type { Outcome } from "../../src/model/delivery.ts";
import type { HttpAnswer } from "../../src/model/http.ts";
import type { Check, ProbeReading } from "../../src/model/provider.ts";
import { HEC_CODES } from "../../src/providers/shared/hec-codes.ts";
import { splunk } from "../../src/providers/splunk.ts";
import { providerContract } from "../contract/provider.contract.ts";
import { connect, context, encode, event, failure, faults, page, plain, response } from "./answers.ts";

const SENT = { events: 10, bytes: 5_000 };

/** The parts of an outcome that somebody acts on. */
function gist(outcome: Outcome): string {
  switch (outcome.kind) {
    case "delivered":
      return `delivered${outcome.slowDown ? " slower" : ""}${outcome.ackId === null ? "" : ` ack ${outcome.ackId}`}`;
    case "retry":
      return `retry ${outcome.trouble}${outcome.maybeTaken ? " maybe taken" : ""}`;
    case "hold":
      return `hold ${outcome.trouble} ${outcome.committed}/${outcome.offender}`;
    case "isolate":
      return `isolate ${outcome.committed}/${outcome.offender}`;
    default:
      return outcome.kind;
  }
}

const read = (answer: HttpAnswer, sent = SENT) => gist(connect(splunk).interpret(answer, sent));
const hec = (code: number, more: object = {}) =>
  response(HEC_CODES[code]?.http ?? 400, { text: "As Splunk says", code, ...more });

describe("endpoint", () => {
  const URL_OF_EVENTS = "https://hec.example.com:8088/services/collector/event";
  it.for([
    ["https://hec.example.com:8088", URL_OF_EVENTS],
    ["https://hec.example.com:8088/", URL_OF_EVENTS],
    ["hec.example.com:8088", URL_OF_EVENTS],
    ["  hec.example.com:8088 ", URL_OF_EVENTS],
    ["HTTPS://HEC.example.com:8088", URL_OF_EVENTS],
    ["https://hec.example.com:8088/services/collector", URL_OF_EVENTS],
    ["https://hec.example.com:8088/services/collector/", URL_OF_EVENTS],
    ["https://hec.example.com:8088/services/collector/event", URL_OF_EVENTS],
    ["https://hec.example.com:8088/services/collector/event/1.0", URL_OF_EVENTS],
    ["https://hec.example.com:8088/services/collector/raw", URL_OF_EVENTS],
    ["https://hec.example.com:8088/services/collector/raw/1.0/", URL_OF_EVENTS],
    ["https://hec.example.com:8088/services/collector/ack", URL_OF_EVENTS],
    ["https://hec.example.com:8088/services/collector/health/1.0", URL_OF_EVENTS],
    ["https://hec.example.com:8088//services/collector//event", URL_OF_EVENTS],
    ["https://hec.example.com:8088/Services/Collector", URL_OF_EVENTS],
    ["hec.example.com:8088/services/collector/event?token=x#y", URL_OF_EVENTS],
    ["hec.example.com", "https://hec.example.com/services/collector/event"],
    ["https://hec.example.com:443", "https://hec.example.com/services/collector/event"],
    [
      "https://http-inputs-acme.splunkcloud.com:443/services/collector",
      "https://http-inputs-acme.splunkcloud.com/services/collector/event",
    ],
    ["http://127.0.0.1:8088", "http://127.0.0.1:8088/services/collector/event"],
    ["localhost:8088", "https://localhost:8088/services/collector/event"],
    ["https://proxy.example.com/splunk", "https://proxy.example.com/splunk/services/collector/event"],
    [
      "https://proxy.example.com/a/b/services/collector/raw",
      "https://proxy.example.com/a/b/services/collector/event",
    ],
    [
      "https://proxy.example.com/services/collectors",
      "https://proxy.example.com/services/collectors/services/collector/event",
    ],
  ])("%s is called at %s", ([typed, url], { expect }) => {
    expect(connect(splunk, { endpoint: typed as string }).origin).toBe(url);
  });

  it.for([
    null,
    "",
    "   ",
    "https://",
    "https://user:pw@hec.example.com",
    "https://user@hec.example.com",
    "ftp://hec.example.com",
    "file:///etc/passwd",
    "hec example com",
    "javascript:alert(1)",
    "https://hec.example.com:99999",
  ])("%s is refused as a value", (endpoint, { expect }) => {
    expect(faults(splunk, { endpoint })).toEqual(["endpoint"]);
  });
});

describe("settings", () => {
  it("are filled in, so that what is shown is what is used", ({ expect }) => {
    expect(connect(splunk).publicConfig).toEqual({
      sourcetype: "_json",
      source: "sluice",
      host: "sluice",
      acknowledge: "auto",
      ack_timeout_seconds: 300,
      auth_scheme: "Splunk",
      gzip: true,
    });
  });

  it.for<[unknown, string]>([
    [{ index: "Main Index" }, "config.index"],
    [{ index: "" }, "config.index"],
    [{ sourcetype: "" }, "config.sourcetype"],
    [{ acknowledge: "yes" }, "config.acknowledge"],
    [{ ack_timeout_seconds: 179 }, "config.ack_timeout_seconds"],
    [{ ack_timeout_seconds: 601 }, "config.ack_timeout_seconds"],
    [{ ack_timeout_seconds: 300.5 }, "config.ack_timeout_seconds"],
    [{ auth_scheme: "Basic" }, "config.auth_scheme"],
    [{ gzip: "true" }, "config.gzip"],
    [{ indx: "main" }, "config"],
    ["main", "config"],
  ])("%j is a fault at %s", ([config, path], { expect }) => {
    expect(faults(splunk, { config })).toEqual([path]);
  });

  it.for<unknown>([
    {},
    { token: "" },
    { token: "a b" },
    { token: "abc\n" },
    { token: "a\u0000b" },
    { token: "tokén" },
    { token: 5 },
  ])("the token %j is a fault", (secrets, { expect }) => {
    expect(faults(splunk, { secrets })).toEqual(["token"]);
  });
});

describe("encoding", () => {
  it("splices envelopes from the closed list of keys, one after another", ({ expect }) => {
    const request = encode(connect(splunk), [event(), event({ at: 1_700_000_000_000 })], context);
    expect(request.body).toBe(
      '{"time":1700000000.123,"host":"sluice","source":"sluice","sourcetype":"_json","event":{"id":"evt_1","action":"user.login"}}\n' +
        '{"time":1700000000.000,"host":"sluice","source":"sluice","sourcetype":"_json","event":{"id":"evt_1","action":"user.login"}}\n',
    );
  });

  it("leaves the event's text untouched, whatever it contains", ({ expect }) => {
    const json =
      '{"a":1.0,"b":"\\u00e9 é 日本 \\"} \u2028","big":12345678901234567890,"__proto__":{"c":null}}';
    const body = encode(connect(splunk), [event({ json })], context).body ?? "";
    expect(body).toContain(`"event":${json}}\n`);
  });

  it("takes the route's index before the destination's, and none when neither is set", ({ expect }) => {
    const events = [event({ action: "incident.create" }), event()];
    const routed = {
      ...context,
      indexFor: (action: string) => (action.startsWith("incident.") ? "itsm" : null),
    };
    const indexes = (config: object) =>
      (encode(connect(splunk, { config }), events, routed).body ?? "")
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { index?: string }).index);
    expect(indexes({ index: "main" })).toEqual(["itsm", "main"]);
    expect(indexes({})).toEqual(["itsm", undefined]);
  });

  it("escapes what people put into the metadata", ({ expect }) => {
    const config = { source: 'a"b\\c\nd', host: "é", sourcetype: "x:y" };
    const line = encode(connect(splunk, { config }), [event()], context).body ?? "";
    expect(JSON.parse(line)).toMatchObject(config);
  });

  it.for<[number, string]>([
    [1_700_000_000_123, "1700000000.123"],
    [1_700_000_000_001, "1700000000.001"],
    [1_000, "1.000"],
    [999, "0.999"],
    [0, "0.000"],
    [-1, "0.000"],
    [-62_135_596_800_000, "0.000"],
    [253_402_300_799_999, "253402300799.999"],
  ])("writes %d ms as %s s", ([at, time], { expect }) => {
    expect(encode(connect(splunk), [event({ at })], context).body).toMatch(`{"time":${time},"host"`);
  });

  it("compresses above a network packet, in bytes, unless told not to", ({ expect }) => {
    const gzip = (json: string, config = {}) =>
      encode(connect(splunk, { config }), [event({ json })], context).gzip;
    expect(gzip('{"a":1}')).toBe(false);
    expect(gzip(`{"a":"${"x".repeat(1_500)}"}`)).toBe(true);
    expect(gzip(`{"a":"${"日".repeat(600)}"}`)).toBe(true);
    expect(gzip(`{"a":"${"x".repeat(1_500)}"}`, { gzip: false })).toBe(false);
  });

  it("sends the token, and a channel that is a GUID and stays the destination's", ({ expect }) => {
    const headersOf = (destinationId: string, config = {}) => {
      const input = { destinationId, endpoint: "hec.example.com", config, secrets: { token: "abc" } };
      const connected = splunk.connect(input);
      return connected.ok ? encode(connected.value, [event()], context).headers : {};
    };
    const channel = headersOf("siem_1")["x-splunk-request-channel"];
    expect(channel).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(headersOf("siem_1")["x-splunk-request-channel"]).toBe(channel);
    expect(headersOf("siem_2")["x-splunk-request-channel"]).not.toBe(channel);
    expect(headersOf("siem_1")["authorization"]).toBe("Splunk abc");
    expect(headersOf("siem_1", { auth_scheme: "Bearer" })["authorization"]).toBe("Bearer abc");
  });

  it("never needs more bytes around an event than it says", ({ expect }) => {
    const connector = connect(splunk, { config: { index: "main", host: "日本".repeat(100) } });
    const worst = event({ at: 253_402_300_799_999 });
    const body = encode(connector, [worst], { ...context, indexFor: () => "i".repeat(256) }).body ?? "";
    expect(byteLength(body) - byteLength(worst.json)).toBeLessThanOrEqual(connector.envelopeBytes(worst));
  });
});

describe("result codes", () => {
  /** Every code, with the number 4 as `invalid-event-number` in a request of ten events. */
  const TABLE: readonly [number, string][] = [
    [0, "delivered"],
    [1, "hold credentials_rejected 0/null"],
    [2, "hold credentials_rejected 0/null"],
    [3, "hold credentials_rejected 0/null"],
    [4, "hold credentials_rejected 0/null"],
    [5, "fault"],
    [6, "isolate 4/4"],
    [7, "hold config_rejected 3/3"],
    [8, "retry provider_error maybe taken"],
    [9, "retry provider_error"],
    [10, "fault"],
    [11, "fault"],
    [12, "isolate 4/4"],
    [13, "isolate 4/4"],
    [14, "retry provider_error maybe taken"],
    [15, "isolate 4/4"],
    [16, "fault"],
    [17, "retry provider_error maybe taken"],
    [18, "retry provider_error"],
    [19, "retry provider_error"],
    [20, "retry provider_error"],
    [21, "hold credentials_rejected 0/null"],
    [22, "hold credentials_rejected 0/null"],
    [23, "retry provider_error"],
    [24, "delivered slower"],
    [25, "delivered slower"],
    [26, "retry throttled"],
    [27, "retry throttled"],
    [28, "fault"],
  ];

  it.for(TABLE)("%d: %s", ([code, expected], { expect }) => {
    expect(read(hec(code, { "invalid-event-number": 4 }))).toBe(expected);
    expect(connect(splunk).interpret(hec(code), SENT).words.code).toBe(code);
  });

  it("have a row each, in order", ({ expect }) => {
    expect(HEC_CODES.map(({ code }) => code)).toEqual(TABLE.map(([code]) => code));
  });

  it("keep the ackId, spelt as Splunk spells it, zero included", ({ expect }) => {
    expect(read(hec(0, { ackId: 0 }))).toBe("delivered ack 0");
    expect(read(hec(24, { ackId: 7 }))).toBe("delivered slower ack 7");
    expect(read(hec(0, { ackID: 7 }))).toBe("delivered");
    expect(read(hec(0, { ackId: "7" }))).toBe("delivered");
  });

  it("drop the ackId where acknowledgement is switched off in our settings", ({ expect }) => {
    const connector = connect(splunk, { config: { acknowledge: false } });
    expect(gist(connector.interpret(hec(0, { ackId: 3 }), SENT))).toBe("delivered");
  });

  it("name the first, the last, or no event of the request", ({ expect }) => {
    const number = (code: number, eventNumber?: unknown) =>
      read(hec(code, eventNumber === undefined ? {} : { "invalid-event-number": eventNumber }));
    expect(number(12, 0)).toBe("isolate 0/0");
    expect(number(12, 9)).toBe("isolate 9/9");
    expect(number(6, 0)).toBe("isolate 0/0");
    for (const beyond of [undefined, 10, -1, 1.5, "4", null])
      expect(number(12, beyond)).toBe("isolate 0/null");
    expect(number(7, 1)).toBe("hold config_rejected 0/0");
    expect(number(7, 10)).toBe("hold config_rejected 9/9");
    for (const beyond of [undefined, 0, 11]) expect(number(7, beyond)).toBe("hold config_rejected 0/null");
  });

  it("read code 6, number 0 of a large body as Splunk Cloud's way of saying too large", ({ expect }) => {
    const answer = hec(6, { "invalid-event-number": 0 });
    expect(read(answer, { events: 10, bytes: 5_000_001 })).toBe("split");
    expect(read(answer, { events: 10, bytes: 5_000_000 })).toBe("isolate 0/0");
    expect(read(hec(6, { "invalid-event-number": 1 }), { events: 10, bytes: 6_000_000 })).toBe("isolate 1/1");
  });

  it("are believed over the status of a refusal, as versions differ in it", ({ expect }) => {
    expect(read(response(400, { text: "Invalid token", code: 4 }))).toBe("hold credentials_rejected 0/null");
    expect(read(response(503, { text: "at capacity", code: 26 }))).toBe("retry throttled");
  });

  it("of a success are not believed in a refusal, nor those of a refusal in a success", ({ expect }) => {
    expect(read(response(500, { text: "Success", code: 0 }))).toBe("retry provider_error maybe taken");
    expect(read(response(403, { text: "Success", code: 0 }))).toBe("hold credentials_rejected 0/null");
    expect(read(response(200, { text: "Invalid token", code: 4 }))).toBe("retry provider_error maybe taken");
  });

  it("that are unknown leave it to the status, unless they name an event", ({ expect }) => {
    expect(read(response(503, { text: "New", code: 29 }))).toBe("retry provider_error");
    expect(read(response(400, { text: "New", code: 29 }))).toBe("hold config_rejected 0/null");
    expect(read(response(400, { text: "New", code: 29, "invalid-event-number": 3 }))).toBe("isolate 0/null");
  });
});

describe("answers without a code", () => {
  const TABLE: readonly [number, string][] = [
    [200, "retry provider_error maybe taken"],
    [204, "retry provider_error maybe taken"],
    [301, "hold config_rejected 0/null"],
    [303, "hold config_rejected 0/null"],
    [400, "hold config_rejected 0/null"],
    [401, "hold credentials_rejected 0/null"],
    [402, "hold config_rejected 0/null"],
    [403, "hold credentials_rejected 0/null"],
    [404, "hold config_rejected 0/null"],
    [405, "hold config_rejected 0/null"],
    [407, "hold config_rejected 0/null"],
    [408, "retry timeout maybe taken"],
    [410, "hold gone 0/null"],
    [413, "split"],
    [415, "hold config_rejected 0/null"],
    [425, "retry provider_error"],
    [429, "retry throttled"],
    [431, "hold config_rejected 0/null"],
    [500, "retry provider_error maybe taken"],
    [501, "retry provider_error maybe taken"],
    [502, "retry provider_error maybe taken"],
    [503, "retry provider_error"],
    [504, "retry timeout maybe taken"],
    [520, "retry unreachable maybe taken"],
    [521, "retry unreachable"],
    [522, "retry timeout maybe taken"],
    [523, "retry unreachable"],
    [524, "retry timeout maybe taken"],
    [525, "retry tls_untrusted"],
    [526, "retry tls_untrusted"],
    [530, "retry unreachable"],
    [999, "retry provider_error maybe taken"],
  ];

  it.for(TABLE)("%d: %s", ([status, expected], { expect }) => {
    expect(read(response(status))).toBe(expected);
    expect(read(page(status))).toBe(expected);
    expect(read(response(status, '{"text":"half'))).toBe(expected);
    expect(read(response(status, "[]"))).toBe(expected);
  });

  it("never count half an answer as a success", ({ expect }) => {
    const whole = response(200, { text: "Success", code: 0 });
    expect(read({ ...whole, bodyIncomplete: true })).toBe("retry provider_error maybe taken");
    expect(read({ ...whole, body: whole.body.slice(0, -1) })).toBe("retry provider_error maybe taken");
  });

  it("say what to do about a wrong port, and repeat nothing of the page", ({ expect }) => {
    for (const answer of [
      page(303, "Internal page"),
      page(404, "Internal page"),
      response(405, { text: "x", code: 405 }),
    ]) {
      const { words } = connect(splunk).interpret(answer, SENT);
      expect(words.message).toContain("8088");
      expect(words.message).not.toContain("Internal page");
    }
  });

  it.for<[HttpAnswer, string]>([
    [failure("timeout", true), "retry timeout maybe taken"],
    [failure("reset", true), "retry unreachable maybe taken"],
    [failure("unreachable", false), "retry unreachable"],
    [failure("tls", false), "retry tls_untrusted"],
    [failure("blocked", false), "hold config_rejected 0/null"],
  ])("no answer at all: %j", ([answer, expected], { expect }) => {
    expect(read(answer)).toBe(expected);
  });
});

describe("Retry-After", () => {
  const wish = (headers: Readonly<Record<string, string>>, body: object | string = "") => {
    const outcome = connect(splunk).interpret(response(503, body, headers), SENT);
    return outcome.kind === "retry" ? outcome.retryAfter : undefined;
  };
  const date = "Fri, 20 Nov 2026 10:00:00 GMT";
  it.for<[Readonly<Record<string, string>>, number | null]>([
    [{}, null],
    [{ "retry-after": "120" }, 120_000],
    [{ "retry-after": " 0 " }, 0],
    [{ "retry-after": "Fri, 20 Nov 2026 10:00:30 GMT", date }, 30_000],
    [{ "retry-after": "Fri, 20 Nov 2026 09:00:00 GMT", date }, 0],
    [{ "retry-after": "Fri, 20 Nov 2026 10:00:30 GMT" }, null],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after": "-5" }, null],
    [{ "retry-after": "1.5" }, null],
    [{ "retry-after": "" }, null],
  ])("%j is %s ms", ([headers, expected], { expect }) => {
    expect(wish(headers)).toBe(expected);
    expect(wish(headers, { text: "Server is busy", code: 9 })).toBe(expected);
  });
});

describe("words", () => {
  it("are Splunk's own, on one line and at most 500 characters", ({ expect }) => {
    const text = `No\r\nway\u0007 ${"x".repeat(2_000)}`;
    const { words } = connect(splunk).interpret(hec(12, { text }), SENT);
    expect(words).toMatchObject({ httpStatus: 400, code: 12 });
    expect(words.message.startsWith("No way xxx")).toBe(true);
    expect(words.message).toHaveLength(500);
  });

  it("never hold the token, even cut in half by the limit", ({ expect }) => {
    const token = "0123-SECRET-4567";
    const connector = connect(splunk, { secrets: { token } });
    for (let before = 470; before < 505; before++) {
      const { words } = connector.interpret(hec(6, { text: `${"x".repeat(before)}${token}` }), SENT);
      expect(words.message).not.toContain("0123");
    }
  });

  it("explain a lost channel, which Splunk's text alone would not", ({ expect }) => {
    for (const code of [10, 11, 28])
      expect(connect(splunk).interpret(hec(code), SENT).words.message).toContain("X-Splunk-Request-Channel");
  });
});

describe("diagnosis", () => {
  interface Report {
    readonly checks: Readonly<Record<string, boolean>>;
    readonly verdict: NonNullable<ProbeReading["verdict"]>;
    readonly steps: number;
    readonly all: readonly Check[];
  }

  function diagnose(
    answers: readonly HttpAnswer[],
    config: object = {},
    endpoint = "https://hec.example.com:8088",
  ): Report {
    const all: Check[] = [];
    const steps = connect(splunk, { config, endpoint }).probe(event(), context);
    for (const [index, step] of steps.entries()) {
      const reading = step.read(answers[Math.min(index, answers.length - 1)] ?? response(200));
      all.push(...reading.checks);
      if (reading.verdict === null) continue;
      const checks = Object.fromEntries(all.map(({ name, ok }) => [name, ok]));
      return { checks, verdict: reading.verdict, steps: index + 1, all };
    }
    throw new Error("no verdict");
  }

  it("asks for the health, then for the token, then sends the event", ({ expect }) => {
    const steps = connect(splunk)
      .probe(event(), context)
      .map(({ request }) => plain(request));
    expect(steps.map(({ method, url, body }) => [method, url, body?.slice(0, 8)])).toEqual([
      ["GET", "https://siem.example.com:8088/services/collector/health", undefined],
      ["POST", "https://siem.example.com:8088/services/collector/event", ""],
      ["POST", "https://siem.example.com:8088/services/collector/event", '{"time":'],
    ]);
    expect(steps[0]?.headers["authorization"]).toBeUndefined();
  });

  it("ends well with every check told once, in order", ({ expect }) => {
    const report = diagnose([hec(17), hec(5), hec(0, { ackId: 0 })], { index: "main" });
    expect(report.all.map(({ name }) => name)).toEqual([
      "address",
      "tls",
      "port",
      "hec",
      "token",
      "index",
      "acknowledgement",
    ]);
    expect(report.all.every(({ ok }) => ok)).toBe(true);
    expect(report.verdict).toMatchObject({
      ok: true,
      hint: null,
      acknowledgement: "on",
      words: { httpStatus: 200, code: 0 },
    });
  });

  it("says that acknowledgement is off where no ackId came, and minds only where it is asked for", ({
    expect,
  }) => {
    expect(diagnose([hec(17), hec(5), hec(0)]).verdict).toMatchObject({
      ok: true,
      hint: null,
      acknowledgement: "off",
    });
    const wanted = diagnose([hec(17), hec(5), hec(0)], { acknowledge: true });
    expect(wanted.checks["acknowledgement"]).toBe(false);
    expect(wanted.verdict).toMatchObject({ ok: true, acknowledgement: "off" });
    expect(wanted.verdict.hint).toContain("indexer acknowledgement");
  });

  it("does not stumble over a proxy that closes /health", ({ expect }) => {
    for (const health of [response(404), page(404), response(403), page(502)])
      expect(diagnose([health, hec(5), hec(0)]).verdict.ok).toBe(true);
  });

  it("says when plain http is used", ({ expect }) => {
    const report = diagnose([hec(17), hec(5), hec(0)], {}, "http://127.0.0.1:8088");
    expect(report.all.find(({ name }) => name === "tls")?.detail).toContain("plain http");
  });

  it.for<[string, readonly HttpAnswer[], { failed: string; steps: number; hint: RegExp }]>([
    [
      "an unreachable host",
      [failure("unreachable", false)],
      { failed: "address", steps: 1, hint: /host and port/ },
    ],
    ["a hanging host", [failure("timeout", true)], { failed: "address", steps: 1, hint: /firewall/ }],
    [
      "an address that may not be called",
      [failure("blocked", false)],
      { failed: "address", steps: 1, hint: /public/ },
    ],
    [
      "a name that does not resolve, on Cloudflare",
      [response(530)],
      { failed: "address", steps: 1, hint: /host/ },
    ],
    [
      "a self-signed certificate, on Cloudflare",
      [response(526)],
      { failed: "tls", steps: 1, hint: /certificate/ },
    ],
    ["a failed handshake", [failure("tls", false)], { failed: "tls", steps: 1, hint: /certificate/ }],
    ["Splunk Web answering with its login page", [page(200)], { failed: "port", steps: 1, hint: /8088/ }],
    [
      "Splunk Web redirecting to its login",
      [response(303, "", { location: "/en-US/account/login" })],
      { failed: "port", steps: 1, hint: /8000/ },
    ],
    [
      "Splunk Web behind a closed /health",
      [response(404), page(303)],
      { failed: "port", steps: 2, hint: /8088/ },
    ],
    ["something that is not HEC", [page(404)], { failed: "hec", steps: 2, hint: /Global settings/ }],
    [
      "HEC's own 404",
      [response(404, { text: "not found", code: 404 })],
      { failed: "hec", steps: 2, hint: /path/ },
    ],
    ["a disabled token", [hec(17), hec(1)], { failed: "token", steps: 2, hint: /token/ }],
    ["a missing token", [hec(17), hec(2)], { failed: "token", steps: 2, hint: /token/ }],
    ["a wrong scheme", [hec(17), hec(3)], { failed: "token", steps: 2, hint: /token/ }],
    ["a wrong token", [hec(17), hec(4)], { failed: "token", steps: 2, hint: /token/ }],
    ["a bare 403", [response(404), response(403)], { failed: "token", steps: 2, hint: /token/ }],
    [
      "a forbidden index",
      [hec(17), hec(5), hec(7, { "invalid-event-number": 1 })],
      { failed: "index", steps: 3, hint: /allowed.*secret_index/ },
    ],
    [
      "a lost channel",
      [hec(17), hec(10), hec(10)],
      { failed: "acknowledgement", steps: 3, hint: /X-Splunk-Request-Channel/ },
    ],
    [
      "a lost channel on Splunk Cloud",
      [hec(17), hec(28), hec(28)],
      { failed: "acknowledgement", steps: 3, hint: /proxy/ },
    ],
    ["a full queue", [hec(18), hec(9), hec(26)], { failed: "hec", steps: 3, hint: /kept/ }],
    [
      "a refused event",
      [hec(17), hec(5), hec(12, { "invalid-event-number": 0 })],
      { failed: "hec", steps: 3, hint: /event/ },
    ],
    [
      "a page only in answer to events",
      [response(404), response(500), page(200)],
      { failed: "port", steps: 3, hint: /8088/ },
    ],
  ])("names the fault: %s", ([, answers, expected], { expect }) => {
    const report = diagnose(answers, { index: "secret_index" });
    const failed = Object.entries(report.checks).filter(([, ok]) => !ok);
    expect(failed).toEqual([[expected.failed, false]]);
    expect(report.steps).toBe(expected.steps);
    expect(report.verdict.ok).toBe(false);
    expect(report.verdict.hint).toMatch(expected.hint);
    expect(report.verdict.words.message).not.toBe("");
  });

  it("reads a demanded channel as acknowledgement being on", ({ expect }) => {
    expect(diagnose([hec(17), hec(10), hec(10)]).verdict.acknowledgement).toBe("on");
    expect(diagnose([hec(17), hec(28), hec(28)]).verdict.acknowledgement).toBe("on");
  });
});

providerContract(splunk, {
  endpoint: "https://hec.example.com:8088/services/collector",
  config: { index: "main", acknowledge: true },
  secrets: { token: "HEC~SECRET~0123456789" },
});
