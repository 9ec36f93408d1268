import { describe, it } from "vitest";
import { byteLength } from "../../src/base/bytes.ts";
import { hours, minutes, seconds } from "../../src/base/clock.ts";
import type { Outcome } from "../../src/model/delivery.ts";
import type { HttpAnswer } from "../../src/model/http.ts";
import { datadog } from "../../src/providers/datadog.ts";
import { DATADOG_SITES } from "../../src/providers/shared/datadog-sites.ts";
import { providerContract } from "../contract/provider.contract.ts";
import { connect, context, encode, event, failure, faults, page, response } from "./answers.ts";

const SENT = { events: 10, bytes: 5_000 };
const EU = "https://http-intake.logs.datadoghq.eu/api/v2/logs";
const US1 = "https://http-intake.logs.datadoghq.com/api/v2/logs";

function gist(outcome: Outcome): string {
  if (outcome.kind === "hold") return `hold ${outcome.trouble}`;
  if (outcome.kind === "isolate") return `isolate ${outcome.committed}/${outcome.offender}`;
  if (outcome.kind !== "retry") return outcome.kind;
  return `retry ${outcome.trouble}${outcome.maybeTaken ? " maybe taken" : ""}`;
}

const read = (answer: HttpAnswer) => gist(connect(datadog).interpret(answer, SENT));

describe("endpoint", () => {
  it("is the intake of every site, by the site alone", ({ expect }) => {
    for (const site of DATADOG_SITES) {
      const connector = connect(datadog, { endpoint: null, config: { site } });
      expect(connector.origin).toBe(`https://http-intake.logs.${site}/api/v2/logs`);
      expect(connector.publicConfig["site"]).toBe(site);
    }
  });

  it.for<[string | null, string | undefined, string]>([
    [null, "app.datadoghq.eu", EU],
    [null, "https://app.datadoghq.eu/logs?query=x", EU],
    [null, "DataDogHQ.com", US1],
    [null, "app.ddog-gov.com", "https://http-intake.logs.ddog-gov.com/api/v2/logs"],
    [null, "us3.datadoghq.com", "https://http-intake.logs.us3.datadoghq.com/api/v2/logs"],
    [null, "api.us5.datadoghq.com", "https://http-intake.logs.us5.datadoghq.com/api/v2/logs"],
    [null, "us7.datadoghq.com", "https://http-intake.logs.us7.datadoghq.com/api/v2/logs"],
    [US1, undefined, US1],
    [EU, "datadoghq.eu", EU],
    ["datadoghq.eu", undefined, EU],
    ["app.datadoghq.com", undefined, US1],
    ["https://acme.datadoghq.com/", undefined, US1],
    ["https://us2.ddog-gov.com", undefined, "https://http-intake.logs.us2.ddog-gov.com/api/v2/logs"],
    [
      "https://http-intake.logs.ap1.datadoghq.com",
      undefined,
      "https://http-intake.logs.ap1.datadoghq.com/api/v2/logs",
    ],
    ["https://http-intake.logs.datadoghq.eu/v1/input", undefined, EU],
    ["http://http-intake.logs.datadoghq.eu/api/v2/logs?dd-api-key=x", undefined, EU],
    ["https://logs.example.com", undefined, "https://logs.example.com/api/v2/logs"],
    ["https://logs.example.com:8282/", "datadoghq.eu", "https://logs.example.com:8282/api/v2/logs"],
    ["https://logs.example.com/in/datadog", undefined, "https://logs.example.com/in/datadog"],
    ["https://datadoghq.com.example.com", undefined, "https://datadoghq.com.example.com/api/v2/logs"],
    ["https://notdatadoghq.com", undefined, "https://notdatadoghq.com/api/v2/logs"],
    ["http://127.0.0.1:8190/dd/api/v2/logs", undefined, "http://127.0.0.1:8190/dd/api/v2/logs"],
  ])("%s with site %s is %s", ([endpoint, site, url], { expect }) => {
    expect(connect(datadog, { endpoint, config: site === undefined ? {} : { site } }).origin).toBe(url);
  });

  it.for<[string | null, object, string]>([
    [null, {}, "endpoint"],
    ["", {}, "endpoint"],
    ["https://key@http-intake.logs.datadoghq.com", {}, "endpoint"],
    ["gopher://x", {}, "endpoint"],
    [null, { site: "example.com" }, "config.site"],
    [null, { site: "datadoghq.org" }, "config.site"],
    [EU, { site: "datadoghq.com" }, "config.site"],
    [EU, { site: "" }, "config.site"],
    [EU, { api_url: "not a url" }, "config.api_url"],
    [EU, { api_url: "https://u:p@example.com" }, "config.api_url"],
    [EU, { tags: ["a,b"] }, "config.tags.0"],
    [EU, { tags: "env:a" }, "config.tags"],
    [EU, { service: "" }, "config.service"],
    [EU, { sight: "datadoghq.eu" }, "config"],
  ])("%s with %j is a fault at %s", ([endpoint, config, path], { expect }) => {
    expect(faults(datadog, { endpoint, config })).toEqual([path]);
  });

  it.for<[object, string]>([
    [{}, "token"],
    [{ token: "" }, "token"],
    [{ token: "a b" }, "token"],
    [{ token: "abc", app_key: "" }, "app_key"],
  ])("secrets %j are a fault at %s", ([secrets, path], { expect }) => {
    expect(faults(datadog, { endpoint: EU, secrets })).toEqual([path]);
  });
});

describe("encoding", () => {
  it("is one array, with the event whole as text", ({ expect }) => {
    const config = { service: "relay", source: "audit", hostname: "edge", tags: ["env:prod", "team:sec"] };
    const request = encode(
      connect(datadog, { endpoint: EU, config }),
      [event(), event({ id: 'a"b\\c' })],
      context,
    );
    const log = (id: string) =>
      '{"message":"{\\"id\\":\\"evt_1\\",\\"action\\":\\"user.login\\"}","ddsource":"audit","service":"relay",' +
      `"hostname":"edge","ddtags":"env:prod,team:sec","timestamp":1700000000123,"evt":{"id":${id},"name":"user.login"}}`;
    expect(request.body).toBe(`[${log('"evt_1"')},${log('"a\\"b\\\\c"')}]`);
    expect(request).toMatchObject({ method: "POST", url: EU, headers: { "dd-api-key": "s3cr3t-token" } });
  });

  it("leaves out what is not set", ({ expect }) => {
    const { body } = encode(connect(datadog, { endpoint: EU }), [event()], context);
    const [log] = JSON.parse(body ?? "") as [object];
    expect(Object.keys(log)).toEqual(["message", "ddsource", "service", "timestamp", "evt"]);
  });

  it("gives the event's text back byte for byte, so that its hash can be made again", ({ expect }) => {
    const json = '{"a":1.0,"b":"\\u00e9 é 日本 \\"} \u2028","big":12345678901234567890}';
    const { body } = encode(connect(datadog, { endpoint: EU }), [event({ json })], context);
    const [log] = JSON.parse(body ?? "") as [{ message: string }];
    expect(log.message).toBe(json);
  });

  it("never needs more bytes around an event than it says", ({ expect }) => {
    const connector = connect(datadog, { endpoint: EU, config: { tags: ["日本".repeat(50)] } });
    const worst = event({ id: "\\".repeat(128), json: '"\\"'.repeat(100), at: 253_402_300_799_999 });
    const body = encode(connector, [worst], context).body ?? "";
    expect(byteLength(body) - byteLength(worst.json)).toBeLessThanOrEqual(connector.envelopeBytes(worst));
  });

  it("compresses above a network packet, unless told not to", ({ expect }) => {
    const gzip = (json: string, config = {}) =>
      encode(connect(datadog, { endpoint: EU, config }), [event({ json })], context).gzip;
    expect(gzip("{}")).toBe(false);
    expect(gzip(`"${"x".repeat(1_500)}"`)).toBe(true);
    expect(gzip(`"${"x".repeat(1_500)}"`, { gzip: false })).toBe(false);
  });
});

describe("age", () => {
  const { maxAge, select } = connect(datadog, { endpoint: EU });
  const now = context.now;
  const aged = (...ages: readonly number[]) => ages.map((age, n) => event({ id: `evt_${n}`, at: now - age }));

  it("is known before it bites", ({ expect }) => {
    expect(maxAge).toBe(hours(18) - minutes(5));
  });

  it("parks what Datadog would throw away, with five minutes to spare, and says so", ({ expect }) => {
    const line = hours(18) - minutes(5);
    const chosen = select?.(aged(line, line + 1, 0, hours(30), -hours(1)), now);
    expect(chosen?.send).toEqual([0, 2, 4]);
    expect(chosen?.park.map(({ index }) => index)).toEqual([1, 3]);
    expect(chosen?.park[1]?.message).toBe(
      "Datadog throws away logs that are more than 18 hours old, and this event is of 2023-11-13T16:13:21.000Z.",
    );
  });

  it("keeps the order of the rest, whatever their times are", ({ expect }) => {
    const times = [seconds(5), hours(20), seconds(9), 0, hours(17)];
    expect(select?.(aged(...times), now).send).toEqual([0, 2, 3, 4]);
  });

  it("judges by the event's own time and the clock that it is given", ({ expect }) => {
    const events = aged(0, hours(1));
    expect(select?.(events, now)).toEqual({ send: [0, 1], park: [] });
    expect(select?.(events, now + hours(17))).toMatchObject({ send: [0], park: [{ index: 1 }] });
    expect(select?.(events, now + hours(24)).send).toEqual([]);
    expect(select?.([], now)).toEqual({ send: [], park: [] });
  });

  it("can be named for any time that an event may have", ({ expect }) => {
    const oldest = [event({ at: -62_135_596_800_000 })];
    expect(select?.(oldest, now).park[0]?.message).toContain("0001-01-01");
  });
});

describe("answers", () => {
  const TABLE: readonly [number, string][] = [
    [200, "delivered"],
    [202, "delivered"],
    [204, "delivered"],
    [301, "hold config_rejected"],
    [303, "hold config_rejected"],
    [400, "isolate 0/null"],
    [401, "hold credentials_rejected"],
    [402, "hold config_rejected"],
    [403, "hold credentials_rejected"],
    [404, "hold config_rejected"],
    [405, "hold config_rejected"],
    [408, "retry timeout maybe taken"],
    [410, "hold gone"],
    [413, "split"],
    [415, "hold config_rejected"],
    [429, "retry throttled"],
    [500, "retry provider_error maybe taken"],
    [502, "retry provider_error maybe taken"],
    [503, "retry provider_error"],
    [504, "retry timeout maybe taken"],
    [520, "retry unreachable maybe taken"],
    [521, "retry unreachable"],
    [524, "retry timeout maybe taken"],
    [525, "retry tls_untrusted"],
    [526, "retry tls_untrusted"],
    [530, "retry unreachable"],
  ];

  it.for(TABLE)("%d: %s", ([status, expected], { expect }) => {
    expect(read(response(status))).toBe(expected);
    expect(read(response(status, { errors: ["As Datadog says"] }))).toBe(expected);
  });

  it("of a web page are no success", ({ expect }) => {
    for (const status of [200, 202]) expect(read(page(status))).toBe("retry provider_error maybe taken");
    expect(read(response(200, "OK"))).toBe("retry provider_error maybe taken");
    expect(read(response(200, '{"half'))).toBe("retry provider_error maybe taken");
  });

  it("stand when only the body of a 202 broke off", ({ expect }) => {
    expect(read({ ...response(202, "{"), bodyIncomplete: true })).toBe("delivered");
    expect(read({ ...response(200, ""), bodyIncomplete: true })).toBe("retry provider_error maybe taken");
  });

  it("carry Datadog's own words in each of their shapes, and never a key", ({ expect }) => {
    const secrets = { token: "0123SECRET", app_key: "4567HIDDEN" };
    const words = (body: object, status = 400) =>
      connect(datadog, { endpoint: EU, secrets }).interpret(response(status, body), SENT).words.message;
    expect(words({ errors: ["bad 0123SECRET 4567HIDDEN"] })).toBe("HTTP 400: bad [redacted] [redacted]");
    expect(words({ errors: [{ title: "Bad Request", detail: "no message" }] })).toBe("HTTP 400: no message");
    expect(words({ errors: [{ title: "Bad Request" }] })).toBe("HTTP 400: Bad Request");
    expect(words({ error: "nope" })).toBe("HTTP 400: nope");
    expect(words({ errors: [7] })).toBe("HTTP 400: a log was refused");
    expect(words({ errors: ["Forbidden"] }, 403)).toMatch(/^HTTP 403: Forbidden\. .*site/);
  });

  it.for<[Readonly<Record<string, string>>, number | null]>([
    [{}, null],
    [{ "x-ratelimit-reset": "17" }, 17_000],
    [{ "retry-after": "5", "x-ratelimit-reset": "17" }, 5_000],
    [{ "x-ratelimit-reset": "soon" }, null],
  ])("429 with %j waits %s ms", ([headers, expected], { expect }) => {
    const outcome = connect(datadog, { endpoint: EU }).interpret(response(429, {}, headers), SENT);
    expect(outcome).toMatchObject({ kind: "retry", retryAfter: expected });
  });

  it.for<[HttpAnswer, string]>([
    [failure("timeout", true), "retry timeout maybe taken"],
    [failure("reset", true), "retry unreachable maybe taken"],
    [failure("tls", false), "retry tls_untrusted"],
    [failure("blocked", false), "hold config_rejected"],
  ])("no answer at all: %j", ([answer, expected], { expect }) => {
    expect(read(answer)).toBe(expected);
  });
});

describe("diagnosis", () => {
  const diagnose = (answer: HttpAnswer) => {
    const steps = connect(datadog, { endpoint: null, config: { site: "datadoghq.eu" } }).probe(
      event(),
      context,
    );
    const reading = steps.at(-1)?.read(answer);
    const checks = (reading?.checks ?? []).map(({ name, ok }) => `${name} ${ok ? "ok" : "failed"}`);
    return { checks, verdict: reading?.verdict };
  };

  it("sends the test log itself, and ends well", ({ expect }) => {
    const { checks, verdict } = diagnose(response(202, {}));
    expect(checks).toEqual(["address ok", "tls ok", "token ok", "intake ok"]);
    expect(verdict).toMatchObject({ ok: true, hint: null, acknowledgement: null });
  });

  it.for<[HttpAnswer, readonly string[], RegExp]>([
    [failure("unreachable", false), ["address failed"], /host and port/],
    [failure("tls", false), ["address ok", "tls failed"], /certificate/],
    [response(526), ["address ok", "tls failed"], /certificate/],
    [
      response(403, { errors: ["Forbidden"] }),
      ["address ok", "tls ok", "token failed"],
      /API key.*datadoghq\.eu/,
    ],
    [response(401), ["address ok", "tls ok", "token failed"], /API key/],
    [response(404), ["address ok", "tls ok", "intake failed"], /config\.site/],
    [page(200), ["address ok", "tls ok", "intake failed"], /config\.site/],
    [response(503), ["address ok", "tls ok", "intake failed"], /kept/],
    [response(400, { errors: ["bad"] }), ["address ok", "tls ok", "token ok", "intake failed"], /message/],
  ])("names the fault in %j", ([answer, expected, hint], { expect }) => {
    const { checks, verdict } = diagnose(answer);
    expect(checks).toEqual(expected);
    expect(verdict?.ok).toBe(false);
    expect(verdict?.hint).toMatch(hint);
  });

  const stepsOf = (endpoint: string | null, config: object = {}) =>
    connect(datadog, { endpoint, config }).probe(event(), context);

  it("asks Datadog itself about the key first", ({ expect }) => {
    const [first, ...more] = stepsOf(EU);
    expect(first?.request).toEqual({
      method: "GET",
      url: "https://api.datadoghq.eu/api/v1/validate",
      headers: { "dd-api-key": "s3cr3t-token", "content-type": "application/json" },
    });
    expect(more).toHaveLength(1);
  });

  it.for<[string, object]>([
    ["https://logs.example.com", {}],
    ["https://logs.example.com", { site: "datadoghq.eu" }],
    ["http://127.0.0.1:8190/dd/api/v2/logs", {}],
    [EU, { api_url: "https://proxy.example.com" }],
  ])(
    "of %s with %j has the test log alone, since a host that is not Datadog's may lack the check",
    ([endpoint, config], { expect }) => {
      expect(stepsOf(endpoint, config)).toHaveLength(1);
    },
  );

  it("ends where the key is of another site, and goes on after any other answer", ({ expect }) => {
    const read = (answer: HttpAnswer) => stepsOf(EU)[0]?.read(answer);
    const refused = read(response(403, { errors: ["Forbidden"] }));
    expect(refused?.verdict).toMatchObject({
      ok: false,
      hint: expect.stringMatching(/API key.*datadoghq\.eu/),
    });
    expect(refused?.checks.map(({ name, ok }) => `${name} ${ok}`)).toEqual([
      "address true",
      "tls true",
      "token false",
    ]);
    const known = read(response(200, { valid: true }));
    expect([known?.verdict, known?.checks.map(({ name }) => name)]).toEqual([null, ["site"]]);
    for (const answer of [
      failure("unreachable", false),
      response(429),
      page(200),
      response(200, { valid: false }),
      response(500),
    ])
      expect(read(answer)).toEqual({ checks: [], verdict: null });
  });
});

providerContract(datadog, {
  endpoint: "https://http-intake.logs.datadoghq.eu/api/v2/logs",
  config: { tags: ["env:test"] },
  secrets: { token: "DD~SECRET~0123456789", app_key: "APP~SECRET~0123456789" },
});
