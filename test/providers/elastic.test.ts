import * as fc from "fast-check";
import { describe, it } from "vitest";
import { byteLength, toBase64, utf8 } from "../../src/base/bytes.ts";
import type { Outcome } from "../../src/model/delivery.ts";
import type { HttpAnswer } from "../../src/model/http.ts";
import type { Check, ProbeReading } from "../../src/model/provider.ts";
import { elastic } from "../../src/providers/elastic.ts";
import { providerContract } from "../contract/provider.contract.ts";
import { connect, context, encode, event, failure, faults, page, plain, response } from "./answers.ts";

const PAIR = "VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw";
const ENCODED = toBase64(utf8(PAIR));
const TOKEN = { token: ENCODED };
const CLUSTER = "https://es.example.com:9243";
const PRODUCT = { "x-elastic-product": "Elasticsearch", "content-type": "application/json" };

const open = (over: { config?: object; secrets?: object; endpoint?: string } = {}) =>
  connect(elastic, { endpoint: CLUSTER, secrets: TOKEN, ...over });

function gist(outcome: Outcome): string {
  switch (outcome.kind) {
    case "hold":
      return `hold ${outcome.trouble} after ${outcome.committed}`;
    case "partial": {
      const refused = outcome.refused.map(({ index }) => index);
      return `partial [${outcome.delivered}] refused [${refused}]${outcome.trouble === null ? "" : ` ${outcome.trouble}`}`;
    }
    case "retry":
      return `retry ${outcome.trouble}${outcome.maybeTaken ? " maybe taken" : ""}`;
    default:
      return outcome.kind;
  }
}

interface Result {
  readonly status: number;
  readonly error?: { readonly type: string; readonly reason: string };
}

const MAPPING = { type: "document_parsing_exception", reason: "failed to parse field [x] of type [long]" };
const EXISTS = { type: "version_conflict_engine_exception", reason: "[evt_1]: version conflict" };
const BUSY = { type: "es_rejected_execution_exception", reason: "rejected execution of primary operation" };

const created: Result = { status: 201 };
const exists: Result = { status: 409, error: EXISTS };
const busy: Result = { status: 429, error: BUSY };
const unparsed: Result = { status: 400, error: MAPPING };
const failing = (status: number, type: string, reason = "because"): Result => ({
  status,
  error: { type, reason },
});

const bulk = (...results: readonly Result[]) => ({
  errors: results.some(({ status }) => status > 299),
  items: results.map((result) => ({ create: result })),
});

const read = (answer: HttpAnswer, events = 3) => open().interpret(answer, { events, bytes: 5_000 });

describe("endpoint", () => {
  it.for([
    [CLUSTER, CLUSTER],
    ["es.example.com", "https://es.example.com"],
    ["https://es.example.com:9200/", "https://es.example.com:9200"],
    ["https://proxy.example.com/elastic/", "https://proxy.example.com/elastic"],
    ["https://proxy.example.com/elastic/_bulk", "https://proxy.example.com/elastic"],
    ["https://es.example.com/_bulk/?pretty#x", "https://es.example.com"],
    ["http://127.0.0.1:8190/elastic", "http://127.0.0.1:8190/elastic"],
  ] as const)("%s is the cluster at %s", ([endpoint, origin], { expect }) => {
    const connector = open({ endpoint });
    expect(connector.origin).toBe(origin);
    expect(encode(connector, [event()], context).url).toBe(
      `${origin}/logs-sluice.audit-default/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason`,
    );
  });

  it.for(["", "https://elastic:changeme@es.example.com", "gopher://x"])(
    "%s is refused",
    (endpoint, { expect }) => {
      expect(faults(elastic, { endpoint, secrets: TOKEN })).toEqual(["endpoint"]);
    },
  );
});

describe("settings", () => {
  it.for<[object, string, object]>([
    [{}, "/logs-sluice.audit-default/_bulk?", { data_stream: "logs-sluice.audit-default", gzip: true }],
    [{ data_stream: "logs-audit-eu" }, "/logs-audit-eu/_bulk?", { data_stream: "logs-audit-eu", gzip: true }],
    [{ index: ".audit", gzip: false }, "/.audit/_bulk?", { index: ".audit", gzip: false }],
    [
      { index: "a", pipeline: "geo ip".replace(" ", "&") },
      "&pipeline=geo%26ip",
      { index: "a", pipeline: "geo&ip", gzip: true },
    ],
  ])("%j writes to …%s", ([config, part, shown], { expect }) => {
    const connector = open({ config });
    expect(encode(connector, [event()], context).url).toContain(part);
    expect(connector.publicConfig).toEqual(shown);
  });

  it.for<[object, string]>([
    [{ index: "a", data_stream: "b" }, "config.index"],
    [{ index: "Upper" }, "config.index"],
    [{ index: "a,b" }, "config.index"],
    [{ index: "-a" }, "config.index"],
    [{ index: ".." }, "config.index"],
    [{ data_stream: "a b" }, "config.data_stream"],
    [{ data_stream: "" }, "config.data_stream"],
    [{ pipeline: "a b" }, "config.pipeline"],
    [{ indx: "a" }, "config"],
  ])("%j is a fault at %s", ([config, path], { expect }) => {
    expect(faults(elastic, { endpoint: CLUSTER, config, secrets: TOKEN })).toEqual([path]);
  });
});

describe("credentials", () => {
  const header = (secrets: object) => encode(open({ secrets }), [event()], context).headers["authorization"];

  it("are an API key in either form that consoles show", ({ expect }) => {
    for (const token of [PAIR, ENCODED, ENCODED.replace(/=+$/, "")])
      expect(header({ token })).toBe(`ApiKey ${ENCODED}`);
  });

  it("or a user and a password, in UTF-8", ({ expect }) => {
    expect(header({ username: "sluice", password: "pass wörd:1" })).toBe(
      `Basic ${toBase64(utf8("sluice:pass wörd:1"))}`,
    );
  });

  it.for<[object, string]>([
    [{}, "token"],
    [{ token: PAIR, username: "a", password: "b" }, "token"],
    [{ token: PAIR, password: "b" }, "token"],
    [{ username: "a" }, "password"],
    [{ password: "b" }, "username"],
    [{ username: "a:b", password: "c" }, "username"],
    [{ username: "a", password: "c\nd" }, "password"],
    [{ token: "" }, "token"],
    [{ token: "a b" }, "token"],
    [{ token: "VuaCfGcBCdbkQm-e5aOx" }, "token"],
    [{ token: ":key" }, "token"],
    [{ token: "id:" }, "token"],
    [{ token: toBase64(utf8("no colon in here")) }, "token"],
    [{ token: toBase64(new Uint8Array([0xff, 0x3a, 0x41])) }, "token"],
  ])("%j are a fault at %s", ([secrets, path], { expect }) => {
    expect(faults(elastic, { endpoint: CLUSTER, secrets })).toEqual([path]);
  });

  it("are not repeated by the fault that they cause", ({ expect }) => {
    const value = "WITH SPACES AND\nBREAKS";
    for (const secrets of [
      { token: value },
      { username: value, password: "x" },
      { username: "x", password: value },
    ]) {
      const refused = elastic.connect({ destinationId: "siem_1", endpoint: CLUSTER, config: {}, secrets });
      expect([refused.ok, JSON.stringify(refused).includes("SPACES")]).toEqual([false, false]);
    }
  });

  it("never come back in Elastic's words, in none of their spellings", ({ expect }) => {
    const [, key = ""] = PAIR.split(":");
    for (const secret of [PAIR, ENCODED, key]) {
      const answer = response(401, { error: { type: "security_exception", reason: `no ${secret} here` } });
      expect(read(answer).words.message).toBe("HTTP 401: security_exception: no [redacted] here");
      const item = failing(400, "mapper_parsing_exception", `value ${secret}`);
      expect(JSON.stringify(read(response(200, bulk(item)), 1))).not.toContain(secret);
    }
  });
});

describe("encoding", () => {
  const linesOf = (body: string | undefined) => (body ?? "").split("\n");

  it("is a create with the event's id and a document, line by line, with the final line break", ({
    expect,
  }) => {
    const { body, headers, method } = encode(open(), [event(), event({ id: 'a"b\\c' })], context);
    const lines = linesOf(body);
    expect([method, headers["content-type"]]).toEqual(["POST", "application/x-ndjson"]);
    expect(lines).toHaveLength(5);
    expect(lines[0]).toBe('{"create":{"_id":"evt_1"}}');
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({ event: { id: "evt_1" }, sluice: { id: "evt_1" } });
    expect(lines[2]).toBe('{"create":{"_id":"a\\"b\\\\c"}}');
    expect(lines[4]).toBe("");
  });

  it("names the index where a route does", ({ expect }) => {
    const routed = {
      ...context,
      indexFor: (action: string) => (action === "user.login" ? "itsm_auth" : null),
    };
    const { body } = encode(open(), [event(), event({ action: "scan.start" })], routed);
    expect(linesOf(body)[0]).toBe('{"create":{"_index":"itsm_auth","_id":"evt_1"}}');
    expect(linesOf(body)[2]).toBe('{"create":{"_id":"evt_1"}}');
  });

  it("is the same on every retry, but for the time of sending", ({ expect }) => {
    const first = encode(open(), [event()], context).body;
    const later = encode(open(), [event()], { ...context, now: context.now + 86_400_000 }).body;
    expect(later?.replace("2023-11-15T22:13:21.000Z", "2023-11-14T22:13:21.000Z")).toBe(first);
  });

  it("never needs more bytes around an event than it says", ({ expect }) => {
    const connector = open();
    const text = fc.string({ unit: "binary", maxLength: 300 });
    fc.assert(
      fc.property(
        fc.record({
          actor_id: text,
          resource_id: text,
          service: text,
          tenant_id: text,
          resource_type: fc.constant("USER"),
          outcome: fc.constantFrom("DENIED", "x"),
          metadata: fc.record({
            ip: fc.ipV6(),
            user_agent: fc.string({ unit: "binary", maxLength: 1_100 }),
          }),
        }),
        fc.stringMatching(/^["\\]{1,128}$/),
        (fields, id) => {
          const worst = event({
            id,
            at: 253_402_300_799_999,
            action: "organization.invitation.create",
            json: JSON.stringify(fields),
          });
          const routed = { ...context, indexFor: () => "\u0001".repeat(256) };
          const body = encode(connector, [worst], routed).body ?? "";
          expect(byteLength(body) - byteLength(worst.json)).toBeLessThanOrEqual(
            connector.envelopeBytes(worst),
          );
        },
      ),
    );
  });

  it("fills a request with a thousand ordinary events", ({ expect }) => {
    const connector = open();
    const usual = event({ json: JSON.stringify({ metadata: { note: "x".repeat(600) } }) });
    const bytes = byteLength(usual.json) + connector.envelopeBytes(usual);
    expect(bytes * connector.limits.events).toBeLessThan(connector.limits.bytes);
  });

  it("compresses above a network packet, unless told not to", ({ expect }) => {
    const gzip = (json: string, config = {}) => encode(open({ config }), [event({ json })], context).gzip;
    expect(gzip("{}")).toBe(false);
    expect(gzip(`{"a":"${"x".repeat(1_500)}"}`)).toBe(true);
    expect(gzip(`{"a":"${"x".repeat(1_500)}"}`, { gzip: false })).toBe(false);
  });
});

describe("answers to the request", () => {
  const TABLE: readonly [number, string][] = [
    [201, "retry provider_error maybe taken"],
    [301, "hold config_rejected after 0"],
    [302, "hold config_rejected after 0"],
    [400, "hold config_rejected after 0"],
    [401, "hold credentials_rejected after 0"],
    [403, "hold credentials_rejected after 0"],
    [404, "hold config_rejected after 0"],
    [405, "hold config_rejected after 0"],
    [406, "hold config_rejected after 0"],
    [408, "retry timeout maybe taken"],
    [410, "hold gone after 0"],
    [413, "split"],
    [429, "retry throttled"],
    [500, "retry provider_error maybe taken"],
    [502, "retry provider_error maybe taken"],
    [503, "retry provider_error"],
    [504, "retry timeout maybe taken"],
    [521, "retry unreachable"],
    [526, "retry tls_untrusted"],
    [530, "retry unreachable"],
  ];

  it.for(TABLE)("%d: %s", ([status, expected], { expect }) => {
    expect(gist(read(response(status)))).toBe(expected);
    expect(gist(read(page(status)))).toBe(expected);
    expect(gist(read(response(status, { error: { type: "some_exception", reason: "x" }, status })))).toBe(
      expected,
    );
  });

  it("carry Elastic's words, OpenSearch's and those of the balancers before them", ({ expect }) => {
    const words = (body: object, status = 403) => read(response(status, body)).words;
    expect(words({ error: { root_cause: [], type: "security_exception", reason: "no" } })).toEqual({
      httpStatus: 403,
      code: "security_exception",
      message: "HTTP 403: security_exception: no",
    });
    expect(words({ error: "no handler found" }).message).toBe("HTTP 403: no handler found");
    expect(words({ ok: false, message: "Unknown resource." }, 404).message).toBe(
      "HTTP 404: Unknown resource.",
    );
    expect(words({ Message: "User: anonymous is not authorized" }).message).toBe(
      "HTTP 403: User: anonymous is not authorized",
    );
    expect(words({ error: { type: 7, reason: ["x"] } })).toMatchObject({ code: null, message: /403/ });
  });

  it("hold only the relay to account for a malformed body", ({ expect }) => {
    const refusal = (type: string, reason: string) => gist(read(response(400, { error: { type, reason } })));
    expect(refusal("x_content_parse_exception", "[1:2] unexpected")).toBe("fault");
    expect(refusal("parse_exception", "request body is required")).toBe("fault");
    expect(
      refusal("illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]"),
    ).toBe("fault");
    expect(refusal("illegal_argument_exception", "Malformed action/metadata line [3], expected …")).toBe(
      "fault",
    );
    expect(refusal("illegal_argument_exception", "explicit index in bulk is not allowed")).toBe(
      "hold config_rejected after 0",
    );
  });

  it.for<[Readonly<Record<string, string>>, number | null]>([
    [{}, null],
    [{ "retry-after": "5" }, 5_000],
    [{ "retry-after": "soon" }, null],
  ])("429 with %j waits %s ms, as a whole and for single documents", ([headers, expected], { expect }) => {
    expect(read(response(429, {}, headers))).toMatchObject({ retryAfter: expected });
    expect(read(response(200, bulk(busy), headers), 1)).toMatchObject({ retryAfter: expected });
  });

  it.for<[HttpAnswer, string]>([
    [failure("timeout", true), "retry timeout maybe taken"],
    [failure("reset", true), "retry unreachable maybe taken"],
    [failure("tls", false), "retry tls_untrusted"],
    [failure("blocked", false), "hold config_rejected after 0"],
  ])("no answer at all: %j", ([answer, expected], { expect }) => {
    expect(gist(read(answer))).toBe(expected);
  });

  it.for<[HttpAnswer, RegExp]>([
    [page(200), /a web page/],
    [response(200), /no answer of _bulk/],
    [response(200, "{}"), /no answer of _bulk/],
    [response(200, { items: [] }), /no answer of _bulk/],
    [response(200, { errors: "false", items: [] }), /no answer of _bulk/],
    [response(200, { errors: false, items: [{ create: { status: "201" } }, 1, 2] }), /no answer of _bulk/],
    [response(200, bulk()), /0 results for 3 events/],
    [response(200, bulk(created, created)), /2 results for 3 events/],
    [response(200, bulk(created, created, created, created)), /4 results for 3 events/],
    [{ ...response(200, '{"errors":false,"items":[{"cre'), bodyIncomplete: true }, /broke off/],
  ])("a 200 that does not answer for every event is no success: %j", ([answer, said], { expect }) => {
    const outcome = read(answer);
    expect(gist(outcome)).toBe("retry provider_error maybe taken");
    expect(outcome.words.message).toMatch(said);
  });
});

describe("answers for each document", () => {
  it.for<[string, readonly Result[], string]>([
    ["all created", [created, created, { status: 200 }], "delivered"],
    ["all there already, as after a lost answer", [exists, exists, exists], "delivered"],
    ["some there already", [created, exists, created], "delivered"],
    ["one throttled", [created, busy, created], "partial [0,2] refused [] throttled"],
    ["all throttled", [busy, busy, busy], "partial [] refused [] throttled"],
    [
      "one failed",
      [created, failing(503, "unavailable_shards_exception"), created],
      "partial [0,2] refused [] provider_error",
    ],
    [
      "one failed, as a pipeline does",
      [failing(500, "exception"), created, created],
      "partial [1,2] refused [] provider_error",
    ],
    ["one too late", [created, failing(408, "timeout"), created], "partial [0,2] refused [] provider_error"],
    ["one refused", [created, unparsed, created], "partial [0,2] refused [1]"],
    ["all refused", [unparsed, unparsed, unparsed], "partial [] refused [0,1,2]"],
    [
      "one too large",
      [created, failing(413, "circuit_breaking_exception"), created],
      "partial [0,2] refused [1]",
    ],
    ["one of each", [exists, unparsed, busy], "partial [0] refused [1] throttled"],
    [
      "the first trouble is told",
      [failing(500, "x"), busy, created],
      "partial [2] refused [] provider_error",
    ],
    [
      "one forbidden",
      [created, failing(403, "security_exception"), created],
      "hold credentials_rejected after 1",
    ],
    [
      "one unknown",
      [created, failing(401, "security_exception"), created],
      "hold credentials_rejected after 1",
    ],
    [
      "one without its index",
      [created, created, failing(404, "index_not_found_exception")],
      "hold config_rejected after 2",
    ],
    [
      "one blocked",
      [failing(403, "cluster_block_exception"), created, created],
      "hold config_rejected after 0",
    ],
    ["an unheard-of refusal", [created, failing(422, "x"), created], "hold config_rejected after 1"],
    [
      "a closed index",
      [failing(400, "index_closed_exception"), created, created],
      "hold config_rejected after 0",
    ],
    [
      "a bad index name",
      [created, failing(400, "invalid_index_name_exception"), created],
      "hold config_rejected after 1",
    ],
    [
      "too many shards",
      [failing(400, "validation_exception"), busy, created],
      "hold config_rejected after 0",
    ],
    [
      "a missing pipeline",
      [1, 2, 3].map(() => failing(400, "illegal_argument_exception", "pipeline with id [x] does not exist")),
      "hold config_rejected after 0",
    ],
    [
      "an alias without a write index",
      [
        failing(400, "illegal_argument_exception", "no write index is defined for alias [a]. …"),
        created,
        created,
      ],
      "hold config_rejected after 0",
    ],
    [
      "held before refused before throttled",
      [exists, unparsed, failing(403, "security_exception")],
      "hold credentials_rejected after 1",
    ],
    [
      "refused for too many fields",
      [created, failing(400, "illegal_argument_exception", "Limit of total fields [1000] …"), created],
      "partial [0,2] refused [1]",
    ],
  ])("%s", ([, results, expected], { expect }) => {
    expect(gist(read(response(200, bulk(...results))))).toBe(expected);
  });

  it("name the offender of a hold", ({ expect }) => {
    const outcome = read(response(200, bulk(created, busy, failing(403, "security_exception", "no"))));
    expect(outcome).toMatchObject({ kind: "hold", committed: 1, offender: 2 });
    expect(outcome.words).toEqual({
      httpStatus: 200,
      code: "security_exception",
      message: "HTTP 200, event 3 of 3; status 403: security_exception: no",
    });
  });

  it("carry type and reason of a refusal in Elastic's words, on one line and bounded", ({ expect }) => {
    const long = failing(400, "mapper_parsing_exception", `a\nb ${"x".repeat(2_000)}`);
    const outcome = read(response(200, bulk(created, unparsed, long)));
    if (outcome.kind !== "partial") throw new Error(outcome.kind);
    const [first, second] = outcome.refused;
    expect(first).toEqual({
      index: 1,
      code: "document_parsing_exception",
      message: "status 400: document_parsing_exception: failed to parse field [x] of type [long]",
    });
    expect(second?.message).toMatch(/^status 400: mapper_parsing_exception: a b x+$/);
    expect(second?.message.length).toBe(500);
  });

  it("say how the request went", ({ expect }) => {
    expect(read(response(200, bulk(created, unparsed, busy))).words).toEqual({
      httpStatus: 200,
      code: "es_rejected_execution_exception",
      message:
        "HTTP 200: 1 of 3 taken, 1 refused, 1 to be sent again; status 429: es_rejected_execution_exception: rejected execution of primary operation",
    });
  });

  it("count as far as they were read: a full request of conflicts is longer than what is read of an answer", ({
    expect,
  }) => {
    const whole = JSON.stringify(bulk(...Array.from({ length: 1_000 }, () => exists)));
    expect(whole.length).toBeGreaterThan(65_536);
    let left = 1_000;
    for (let round = 0; round < 3 && left > 0; round += 1) {
      const text = JSON.stringify(bulk(...Array.from({ length: left }, () => exists)));
      const cut = { ...response(200, text.slice(0, 65_536)), bodyIncomplete: text.length > 65_536 };
      const outcome = read(cut, left);
      left -= outcome.kind === "partial" ? outcome.delivered.length : outcome.kind === "delivered" ? left : 0;
      if (outcome.kind === "partial") expect(outcome).toMatchObject({ refused: [], trouble: null });
    }
    expect(left).toBe(0);
  });

  it("are read up to any point at which they may break off, and never further", ({ expect }) => {
    const tricky = failing(400, "x", '},{"create":{"status":201}}');
    const results = [created, tricky, exists, busy];
    const text = JSON.stringify(bulk(...results));
    for (let length = 0; length < text.length; length += 1) {
      const cut = { ...response(200, text.slice(0, length)), bodyIncomplete: true };
      const outcome = read(cut, results.length);
      if (outcome.kind === "retry") continue;
      if (outcome.kind !== "partial") throw new Error(outcome.kind);
      expect([0, 2]).toEqual(expect.arrayContaining([...outcome.delivered]));
      expect([[], [1]]).toContainEqual(outcome.refused.map(({ index }) => index));
    }
  });
});

describe("diagnosis", () => {
  const greeting = { name: "n", version: { number: "9.2.0" }, tagline: "You Know, for Search" };
  const denied = {
    error: { type: "security_exception", reason: "action [cluster:monitor/main]" },
    status: 403,
  };

  const diagnose = (answers: readonly HttpAnswer[], over: Parameters<typeof open>[0] = {}) => {
    const checks: Check[] = [];
    let verdict: ProbeReading["verdict"] = null;
    let used = 0;
    for (const step of open(over).probe(event(), context)) {
      const answer = answers[used];
      if (answer === undefined) throw new Error("One more answer was asked for");
      used += 1;
      const reading = step.read(answer);
      checks.push(...reading.checks);
      verdict = reading.verdict;
      if (verdict !== null) break;
    }
    return { checks: checks.map(({ name, ok }) => `${name} ${ok ? "ok" : "failed"}`), verdict, used };
  };

  const REACHED = ["address ok", "tls ok"];
  const KNOWN = [...REACHED, "port ok", "credentials ok"];

  it("asks for the cluster's greeting, then sends the event", ({ expect }) => {
    const steps = open()
      .probe(event(), context)
      .map(({ request }) => plain(request));
    expect(steps.map(({ method, url }) => [method, url])).toEqual([
      ["GET", `${CLUSTER}/`],
      ["POST", expect.stringContaining("/logs-sluice.audit-default/_bulk?")],
    ]);
    for (const { headers } of steps) expect(headers["authorization"]).toBe(`ApiKey ${ENCODED}`);
  });

  it.for<[string, HttpAnswer]>([
    ["a key that may look around", response(200, greeting, PRODUCT)],
    ["a key that may only write", response(403, denied, PRODUCT)],
    ["OpenSearch", response(200, greeting)],
  ])("ends well with %s", ([, root], { expect }) => {
    const { checks, verdict } = diagnose([root, response(200, bulk(created), PRODUCT)]);
    expect(checks).toEqual([...KNOWN, "index ok", "event ok"]);
    expect(verdict).toMatchObject({ ok: true, hint: null, acknowledgement: null });
  });

  it("ends well where a proxy keeps the greeting to itself", ({ expect }) => {
    const { checks, verdict } = diagnose([response(404), response(200, bulk(created))]);
    expect(checks).toEqual([...KNOWN, "index ok", "event ok"]);
    expect(verdict?.ok).toBe(true);
  });

  const hello = response(200, greeting, PRODUCT);
  const one = (result: Result) => response(200, bulk(result), PRODUCT);

  it.for<[string, readonly HttpAnswer[], readonly string[], RegExp]>([
    ["nothing there", [failure("unreachable", false)], ["address failed"], /host and port/],
    ["a certificate of one's own", [failure("tls", false)], ["address ok", "tls failed"], /certificate/],
    ["526", [response(526)], ["address ok", "tls failed"], /certificate/],
    ["Kibana's login", [response(302, "", { location: "/login" })], [...REACHED, "port failed"], /5601/],
    ["Kibana's own name", [response(404, {}, { "kbn-name": "k" })], [...REACHED, "port failed"], /5601/],
    ["a web page", [page(200)], [...REACHED, "port failed"], /Kibana/],
    ["a page for the event alone", [response(404), page(200)], [...REACHED, "port failed"], /Kibana/],
    [
      "a wrong key",
      [response(401, { error: { type: "security_exception", reason: "unable to authenticate" } }, PRODUCT)],
      [...REACHED, "port ok", "credentials failed"],
      /API key.*OpenSearch/,
    ],
    [
      "OpenSearch's Unauthorized",
      [response(401, "Unauthorized")],
      [...REACHED, "credentials failed"],
      /API key/,
    ],
    [
      "a wrong key at the second door",
      [response(503), response(401)],
      [...REACHED, "credentials failed"],
      /API key/,
    ],
    [
      "no right to write",
      [response(403, denied, PRODUCT), one(failing(403, "security_exception", "is unauthorized"))],
      [...KNOWN, "index failed"],
      /create_doc and auto_configure on logs-sluice\.audit-default/,
    ],
    [
      "no right to call _bulk",
      [hello, response(403, denied, PRODUCT)],
      [...KNOWN, "index failed"],
      /create_doc/,
    ],
    [
      "no index",
      [hello, one(failing(404, "index_not_found_exception"))],
      [...KNOWN, "index failed"],
      /auto_create/,
    ],
    [
      "no pipeline",
      [hello, one(failing(400, "illegal_argument_exception", "pipeline with id [x] does not exist"))],
      [...KNOWN, "index ok", "pipeline failed"],
      /config\.pipeline/,
    ],
    ["another mapping", [hello, one(unparsed)], [...KNOWN, "index ok", "event failed"], /mapping/],
    ["a full queue", [hello, one(busy)], [...KNOWN, "event failed"], /kept/],
    ["an overloaded cluster", [hello, response(503)], [...KNOWN, "event failed"], /kept/],
    ["another service", [response(404), response(404)], [...REACHED, "port failed"], /path/],
    ["a timeout half-way", [hello, failure("timeout", true)], [...KNOWN, "address failed"], /host and port/],
  ])("names the fault: %s", ([, answers, expected, hint], { expect }) => {
    const { checks, verdict, used } = diagnose(answers);
    expect(checks).toEqual(expected);
    expect(verdict?.ok).toBe(false);
    expect(verdict?.hint).toMatch(hint);
    expect(used).toBe(answers.length);
  });

  it("speaks of the user where there is one", ({ expect }) => {
    const secrets = { username: "sluice", password: "p4ssw0rd" };
    expect(diagnose([response(401)], { secrets }).verdict?.hint).toMatch(/username and password/);
  });
});

providerContract(elastic, {
  endpoint: "https://es.example.com:9243/elastic",
  config: { index: "audit", pipeline: "enrich" },
  secrets: { token: "contract~id:API~SECRET~0123456789" },
});
