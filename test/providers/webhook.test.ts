import { describe, it } from "vitest";
import { byteLength } from "../../src/base/bytes.ts";
import { hours } from "../../src/base/clock.ts";
import type { Outcome } from "../../src/model/delivery.ts";
import type { HttpAnswer, HttpRequestSpec } from "../../src/model/http.ts";
import { webhook } from "../../src/providers/webhook.ts";
import { providerContract } from "../contract/provider.contract.ts";
import { connect, context, event, failure, faults, type Given, page, response } from "./answers.ts";

const URL_GIVEN = "https://hooks.example.com/audit";
const SECRETS = { secret: "a-secret-of-text" };
const SENT = { events: 10, bytes: 5_000 };

const open = (given: Given = {}) => connect(webhook, { endpoint: URL_GIVEN, secrets: SECRETS, ...given });

/** What `encode` answers: signing here needs no promise. */
const encode = (given: Given = {}, events = [event()]) =>
  open(given).encode(events, context) as HttpRequestSpec;

function gist(outcome: Outcome): string {
  if (outcome.kind === "hold") return `hold ${outcome.trouble}`;
  if (outcome.kind === "isolate") return `isolate ${outcome.committed}/${outcome.offender}`;
  if (outcome.kind !== "retry") return outcome.kind;
  return `retry ${outcome.trouble}${outcome.maybeTaken ? " maybe taken" : ""}`;
}

const read = (answer: HttpAnswer) => open().interpret(answer, SENT);

describe("endpoint", () => {
  it.for<[string, string]>([
    [URL_GIVEN, URL_GIVEN],
    ["  https://hooks.example.com/a/?x=1&y=%20z#part  ", "https://hooks.example.com/a/?x=1&y=%20z"],
    ["https://hooks.example.com/a#b?c", "https://hooks.example.com/a"],
    ["https://hooks.example.com?x=a?b", "https://hooks.example.com/?x=a?b"],
    ["https://hooks.example.com:8443//in//", "https://hooks.example.com:8443//in//"],
    ["hooks.example.com/in", "https://hooks.example.com/in"],
    ["http://127.0.0.1:8190/hook/", "http://127.0.0.1:8190/hook/"],
  ])("%s is called as %s", ([endpoint, url], { expect }) => {
    expect(open({ endpoint }).origin).toBe(url);
    expect(encode({ endpoint }).url).toBe(url);
  });

  it.for<[Given, string]>([
    [{ endpoint: null }, "endpoint"],
    [{ endpoint: "" }, "endpoint"],
    [{ endpoint: "https://user:pass@hooks.example.com" }, "endpoint"],
    [{ endpoint: "ftp://hooks.example.com" }, "endpoint"],
    [{ config: { mode: "both" } }, "config.mode"],
    [{ config: { signature_header: "" } }, "config.signature_header"],
    [{ config: { signature_header: "X Signature" } }, "config.signature_header"],
    [{ config: { signature_header: "Content-Type" } }, "config.signature_header"],
    [{ config: { signature_header: "Webhook-Signature" } }, "config.signature_header"],
    [{ config: { signature_header: "authorization" } }, "config.signature_header"],
    [{ config: { headers: { Authorization: "Bearer x" } } }, "config.headers.Authorization"],
    [{ config: { headers: { "CF-Connecting-IP": "1.1.1.1" } } }, "config.headers.CF-Connecting-IP"],
    [{ config: { headers: { "X-A": "a\r\nX-B: b" } } }, "config.headers.X-A"],
    [{ config: { headers: { "X-A": "" } } }, "config.headers.X-A"],
    [{ config: { headers: { "X-A": "é" } } }, "config.headers.X-A"],
    [{ config: { headers: { "X-A": "1", "x-a": "2" } } }, "config.headers"],
    [{ config: { headers: { "x-sluice-signature": "1" } } }, "config.headers"],
    [{ config: { header: {} } }, "config"],
    [{ secrets: {} }, "secret"],
    [{ secrets: { secret: "short" } }, "secret"],
    [{ secrets: { secret: "with a line\nbreak" } }, "secret"],
    [{ secrets: { secret: " pasted-with-space" } }, "secret"],
    [{ secrets: { secret: "whsec_not base64 at all" } }, "secret"],
    [{ secrets: { secret: "whsec_" } }, "secret"],
    [{ secrets: { secret: "whsec_AAAA" } }, "secret"],
    [{ secrets: { ...SECRETS, previous_secret: "short" } }, "previous_secret"],
    [{ secrets: { ...SECRETS, previous_secret_expires_at: "soon" } }, "previous_secret_expires_at"],
  ])("%j is a fault at %s", ([given, path], { expect }) => {
    expect(faults(webhook, { endpoint: URL_GIVEN, secrets: SECRETS, ...given })).toEqual([path]);
  });

  it("refuses more extra headers than anybody needs", ({ expect }) => {
    const headers = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`X-${n}`, "v"]));
    expect(faults(webhook, { config: { headers }, secrets: SECRETS })).toEqual(["config.headers"]);
  });

  it("shows every default, and no secret", ({ expect }) => {
    expect(open().publicConfig).toEqual({ mode: "batch", signature_header: "X-Sluice-Signature" });
  });
});

describe("encoding", () => {
  const odd = '{"id":"evt_2","a":1.0,"b":"\\u00e9 é 日本 \\"} \u2028","big":12345678901234567890}';

  it("of a batch is the events as they are, in one object", ({ expect }) => {
    const request = encode({}, [event(), event({ id: "evt_2", json: odd })]);
    expect(request.body).toBe(`{"events":[${event().json},${odd}]}`);
    expect(request).toMatchObject({ method: "POST", url: URL_GIVEN });
  });

  it("of one event alone is its own text, byte for byte", ({ expect }) => {
    expect(encode({ config: { mode: "event" } }, [event({ json: odd })]).body).toBe(odd);
  });

  it("is never compressed, however long", ({ expect }) => {
    const { gzip = false, headers } = encode({}, [event({ json: `"${"x".repeat(50_000)}"` })]);
    expect([gzip, headers["content-encoding"]]).toEqual([false, undefined]);
  });

  it("sends the headers that are asked for, and its own", ({ expect }) => {
    const config = { headers: { "X-Audit-Source": "sluice", "User-Agent": "Acme" } };
    expect(Object.keys(encode({ config }).headers).sort()).toEqual([
      "content-type",
      "user-agent",
      "webhook-id",
      "webhook-signature",
      "webhook-timestamp",
      "x-audit-source",
      "x-sluice-signature",
    ]);
    expect(encode({ config }).headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "Acme",
      "x-audit-source": "sluice",
    });
  });

  it("never needs more bytes around events than it says", ({ expect }) => {
    for (const mode of ["batch", "event"]) {
      const connector = open({ config: { mode } });
      const { body = "" } = connector.encode([event()], context) as HttpRequestSpec;
      expect(byteLength(body)).toBeLessThanOrEqual(
        byteLength(event().json) + connector.envelopeBytes(event()),
      );
    }
  });

  it("keeps deliveries as they were stored, and small", ({ expect }) => {
    expect(open()).toMatchObject({ joins: false, limits: { events: 250, bytes: 250_000 } });
    expect(open({ config: { mode: "event" } }).limits.events).toBe(1);
  });
});

describe("answers", () => {
  const TABLE: readonly [number, string][] = [
    [101, "retry provider_error maybe taken"],
    [200, "delivered"],
    [201, "delivered"],
    [202, "delivered"],
    [204, "delivered"],
    [299, "delivered"],
    [301, "hold config_rejected"],
    [302, "hold config_rejected"],
    [304, "hold config_rejected"],
    [307, "hold config_rejected"],
    [308, "hold config_rejected"],
    [400, "isolate 0/null"],
    [401, "hold credentials_rejected"],
    [402, "hold config_rejected"],
    [403, "hold credentials_rejected"],
    [404, "hold config_rejected"],
    [405, "hold config_rejected"],
    [406, "hold config_rejected"],
    [408, "retry timeout maybe taken"],
    [409, "hold config_rejected"],
    [410, "hold gone"],
    [411, "hold config_rejected"],
    [413, "split"],
    [415, "hold config_rejected"],
    [418, "hold config_rejected"],
    [422, "isolate 0/null"],
    [425, "retry provider_error"],
    [429, "retry throttled"],
    [451, "hold config_rejected"],
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
    [599, "retry provider_error maybe taken"],
    [999, "retry provider_error maybe taken"],
  ];

  it.for(TABLE)("%d: %s, whatever the body says", ([status, expected], { expect }) => {
    const said = [
      response(status),
      response(status, { error: "x" }),
      response(status, "{half"),
      page(status),
    ];
    for (const answer of said) expect(gist(read(answer))).toBe(expected);
    expect(gist(read({ ...response(status, "{"), bodyIncomplete: true }))).toBe(expected);
  });

  it("never repeat what the receiver said, only its status and the kind of its answer", ({ expect }) => {
    for (const [status] of TABLE) {
      const headers = {
        "content-type": "application/json; note=CONFIDENTIAL",
        location: "https://CONFIDENTIAL",
      };
      const { words } = read(response(status, { error: "CONFIDENTIAL" }, headers));
      expect([words.httpStatus, JSON.stringify(words).includes("CONFIDENTIAL")]).toEqual([status, false]);
      expect(words.message).toMatch(new RegExp(`^HTTP ${status}`));
    }
    expect(read(page(500)).words.message).toBe("HTTP 500 (text/html): the service failed");
    expect(read(response(302)).words.message).toBe(
      "HTTP 302: the address answers with a redirect; redirects are not followed",
    );
  });

  it("never tell the secret, even where the receiver sends it back as a kind of content", ({ expect }) => {
    const headers = { "content-type": `text/${SECRETS.secret}` };
    expect(JSON.stringify(read(response(500, "", headers)))).not.toContain(SECRETS.secret);
  });

  it.for([408, 425, 429, 500, 503])("%d waits as long as the receiver wishes", (status, { expect }) => {
    expect(read(response(status, "", { "retry-after": "17" }))).toMatchObject({ retryAfter: 17_000 });
    const date = { date: "Fri, 20 Nov 2026 10:00:00 GMT", "retry-after": "Fri, 20 Nov 2026 10:01:00 GMT" };
    expect(read(response(status, "", date))).toMatchObject({ retryAfter: 60_000 });
    expect(read(response(status))).toMatchObject({ retryAfter: null });
  });

  it.for<[HttpAnswer, string]>([
    [failure("timeout", true), "retry timeout maybe taken"],
    [failure("reset", true), "retry unreachable maybe taken"],
    [failure("unreachable", false), "retry unreachable"],
    [failure("tls", false), "retry tls_untrusted"],
    [failure("blocked", false), "hold config_rejected"],
  ])("no answer at all: %j", ([answer, expected], { expect }) => {
    expect(gist(read(answer))).toBe(expected);
  });
});

describe("diagnosis", () => {
  const diagnose = (answer: HttpAnswer) => {
    const [step, ...more] = open().probe(event(), context);
    const reading = step?.read(answer);
    const checks = (reading?.checks ?? []).map(({ name, ok }) => `${name} ${ok ? "ok" : "failed"}`);
    return { checks, verdict: reading?.verdict, detail: reading?.checks.at(-1)?.detail, more, step };
  };

  it("sends the test event itself, signed like any other, and ends well", ({ expect }) => {
    const { checks, verdict, more, step } = diagnose(response(204));
    expect(step?.request).toEqual(encode());
    expect(checks).toEqual(["address ok", "tls ok", "receiver ok"]);
    expect(verdict).toMatchObject({ ok: true, hint: null, acknowledgement: null });
    expect(more).toEqual([]);
  });

  it("says when a success looks like a site's and not a receiver's", ({ expect }) => {
    expect(diagnose(page(200))).toMatchObject({
      verdict: { ok: true },
      detail: expect.stringMatching(/web page/),
    });
  });

  it.for<[HttpAnswer, string | null, RegExp]>([
    [failure("unreachable", false), null, /host and port/],
    [failure("tls", false), null, /certificate/],
    [response(526), null, /certificate/],
    [response(401), "signature failed", /same secret.*X-Sluice-Signature.*raw bytes/],
    [response(403), "signature failed", /secret/],
    [response(302), "path failed", /redirects are not followed/],
    [response(404), "path failed", /path/],
    [response(405), "path failed", /POST/],
    [response(410), "path failed", /new address/],
    [response(429), "receiver failed", /kept/],
    [response(500), "receiver failed", /kept/],
    [response(400), "event failed", /own log/],
    [response(413), "event failed", /own log/],
    [response(415), "event failed", /own log/],
  ])("names the fault in %j", ([answer, check, hint], { expect }) => {
    const { checks, verdict } = diagnose(answer);
    if (check !== null) expect(checks).toEqual(["address ok", "tls ok", check]);
    expect(verdict?.ok).toBe(false);
    expect(verdict?.hint).toMatch(hint);
  });
});

describe("a delivery's id", () => {
  const id = (events = [event()], given: Given = {}, now = context.now) =>
    (open(given).encode(events, { ...context, now }) as HttpRequestSpec).headers["webhook-id"];
  const two = [event(), event({ id: "evt_2" })];

  it("is the same for the same events on every retry, after a rotation and in either mode", ({ expect }) => {
    expect(id(two, {}, context.now + hours(5))).toBe(id(two));
    expect(id(two, { secrets: { secret: "another-secret" } })).toBe(id(two));
    expect(id([event({ json: "{}" })], { config: { mode: "event" } })).toBe(id());
  });

  it("differs with the events, their order and number", ({ expect }) => {
    const lists = [two, two.toReversed(), [event()], [event({ id: "evt_1evt_2" })], [...two, event()]];
    expect(new Set(lists.map((list) => id(list))).size).toBe(lists.length);
  });

  it("differs with the destination, since two tenants may choose the same event ids", ({ expect }) => {
    const other = webhook.connect({
      destinationId: "siem_2",
      endpoint: URL_GIVEN,
      config: {},
      secrets: SECRETS,
    });
    if (!other.ok) throw new Error("does not connect");
    const { headers } = other.value.encode([event()], context) as HttpRequestSpec;
    expect(headers["webhook-id"]).not.toBe(id());
  });

  it("has no dot, which would end it, whatever the events' ids have", ({ expect }) => {
    expect(id([event({ id: "a.b.c" })])).toMatch(/^msg_[0-9a-f]{32}$/);
  });
});

providerContract(webhook, {
  endpoint: "https://hooks.example.com/audit?source=sluice",
  config: { signature_header: "X-Acme-Signature", headers: { "X-Audit-Source": "sluice" } },
  secrets: {
    secret: "whsec_QSBzZWNyZXQgdGhhdCBub2JvZHkgZ3Vlc3Nlcw==",
    previous_secret: "WEBHOOK~SECRET~0123456789",
    previous_secret_expires_at: 1_700_000_360_000,
  },
});
