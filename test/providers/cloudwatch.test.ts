import * as fc from "fast-check";
import { describe, it } from "vitest";
import { byteLength } from "../../src/base/bytes.ts";
import { days, hours, minutes } from "../../src/base/clock.ts";
import type { Outcome } from "../../src/model/delivery.ts";
import type { HttpAnswer } from "../../src/model/http.ts";
import type { Connector } from "../../src/model/provider.ts";
import { cloudwatch } from "../../src/providers/cloudwatch.ts";
import { CLOUDWATCH_TABLE } from "../../src/providers/shared/cloudwatch-codes.ts";
import { providerContract } from "../contract/provider.contract.ts";
import {
  connect as connectAny,
  context,
  event,
  failure,
  faults as faultsOf,
  type Given,
  page,
  response,
} from "./answers.ts";

const secrets = { access_key_id: "AKIDEXAMPLE", secret_access_key: "s3cr3t-key" };
const EU = "https://logs.eu-central-1.amazonaws.com/";
const NOW = context.now;

const connect = (given: Given = {}): Connector => connectAny(cloudwatch, { endpoint: EU, secrets, ...given });
const faults = (given: Given): readonly string[] => faultsOf(cloudwatch, { endpoint: EU, secrets, ...given });

function gist(outcome: Outcome): string {
  if (outcome.kind === "hold") return `hold ${outcome.trouble}`;
  if (outcome.kind === "isolate") return `isolate ${outcome.committed}/${outcome.offender}`;
  if (outcome.kind !== "retry") return outcome.kind;
  return `retry ${outcome.trouble}${outcome.maybeTaken ? " maybe taken" : ""}`;
}

const interpret = (answer: HttpAnswer, events = 10) => connect().interpret(answer, { events, bytes: 5_000 });
const read = (answer: HttpAnswer) => gist(interpret(answer));
const said = (type: string, message = "", status = 400) => response(status, { __type: type, message });

describe("endpoint", () => {
  it.for<[string | null, string | undefined, string, string]>([
    [EU, undefined, EU, "eu-central-1"],
    ["logs.us-east-1.amazonaws.com", undefined, "https://logs.us-east-1.amazonaws.com/", "us-east-1"],
    [
      "http://logs.us-east-1.amazonaws.com/x?y=z",
      "us-east-1",
      "https://logs.us-east-1.amazonaws.com/",
      "us-east-1",
    ],
    [
      "https://logs.cn-north-1.amazonaws.com.cn",
      undefined,
      "https://logs.cn-north-1.amazonaws.com.cn/",
      "cn-north-1",
    ],
    [
      "https://logs-fips.us-west-2.amazonaws.com",
      undefined,
      "https://logs-fips.us-west-2.amazonaws.com/",
      "us-west-2",
    ],
    [
      "https://logs.us-gov-west-1.amazonaws.com",
      undefined,
      "https://logs.us-gov-west-1.amazonaws.com/",
      "us-gov-west-1",
    ],
    ["https://logs.eu-west-1.api.aws", undefined, "https://logs.eu-west-1.api.aws/", "eu-west-1"],
    ["https://aws.example.com/proxy", "eu-west-1", "https://aws.example.com/proxy", "eu-west-1"],
    [
      "https://logs.eu-west-1.amazonaws.com.example.com",
      "eu-west-2",
      "https://logs.eu-west-1.amazonaws.com.example.com/",
      "eu-west-2",
    ],
    [null, "ap-southeast-4", "https://logs.ap-southeast-4.amazonaws.com/", "ap-southeast-4"],
    [null, "cn-northwest-1", "https://logs.cn-northwest-1.amazonaws.com.cn/", "cn-northwest-1"],
  ])("%s with region %s is %s in %s", ([endpoint, region, url, found], { expect }) => {
    const connector = connect({ endpoint, config: region === undefined ? {} : { region } });
    expect([connector.origin, connector.publicConfig["region"]]).toEqual([url, found]);
  });

  it.for<[string | null, object, string]>([
    [null, {}, "endpoint"],
    ["", {}, "endpoint"],
    ["https://key@logs.eu-central-1.amazonaws.com", {}, "endpoint"],
    ["https://monitoring.eu-central-1.amazonaws.com", {}, "endpoint"],
    ["https://logs.amazonaws.com", {}, "endpoint"],
    ["https://aws.example.com", {}, "config.region"],
    [EU, { region: "us-east-1" }, "config.region"],
    [EU, { region: "Frankfurt" }, "config.region"],
    [EU, { log_group: "with space" }, "config.log_group"],
    [EU, { log_group: "" }, "config.log_group"],
    [EU, { log_group: "x".repeat(513) }, "config.log_group"],
    [EU, { log_stream: "a:b" }, "config.log_stream"],
    [EU, { log_stream: "a*" }, "config.log_stream"],
    [EU, { log_stream: "" }, "config.log_stream"],
    [EU, { group: "x" }, "config"],
  ])("%s with %j is a fault at %s", ([endpoint, config, path], { expect }) => {
    expect(faults({ endpoint, config })).toEqual([path]);
  });

  it.for<[object, readonly string[]]>([
    [{}, ["access_key_id", "secret_access_key"]],
    [{ ...secrets, access_key_id: "a/b" }, ["access_key_id"]],
    [{ ...secrets, secret_access_key: "a b" }, ["secret_access_key"]],
    [{ ...secrets, session_token: "" }, ["session_token"]],
  ])("secrets %j are faults at %j", ([given, paths], { expect }) => {
    expect(faults({ secrets: given })).toEqual(paths);
  });

  it("shows the group, the stream and the region that were filled in", ({ expect }) => {
    expect(connect().publicConfig).toEqual({
      log_group: "/sluice/audit",
      log_stream: "siem_1",
      region: "eu-central-1",
    });
  });
});

describe("encoding", () => {
  it("is PutLogEvents, signed for its service and region", async ({ expect }) => {
    const given = { secrets: { ...secrets, session_token: "T+/=" } };
    const request = await connect(given).encode([event(), event({ at: 5, json: '{"id":"é"}' })], context);
    expect(JSON.parse(request.body ?? "")).toEqual({
      logGroupName: "/sluice/audit",
      logStreamName: "siem_1",
      logEvents: [
        { timestamp: 1_700_000_000_123, message: event().json },
        { timestamp: 5, message: '{"id":"é"}' },
      ],
    });
    expect(request).toMatchObject({ method: "POST", url: EU });
    expect(request.gzip).toBeUndefined();
    const { authorization, ...headers } = request.headers;
    expect(headers).toEqual({
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "Logs_20140328.PutLogEvents",
      "x-amz-date": "20231114T221321Z",
      "x-amz-security-token": "T+/=",
    });
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20231114\/eu-central-1\/logs\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
    );
  });

  it("signs anew for every attempt", async ({ expect }) => {
    const dates = [NOW, NOW + minutes(20)].map(async (now) => {
      const { headers } = await connect().encode([event()], { ...context, now });
      return headers["x-amz-date"];
    });
    expect(await Promise.all(dates)).toEqual(["20231114T221321Z", "20231114T223321Z"]);
  });

  it("gives the event's text back byte for byte", async ({ expect }) => {
    const json = '{"a":1.0,"b":"\\u00e9 é 日本 \\"} \u2028","big":12345678901234567890}';
    const { body } = await connect().encode([event({ json })], context);
    expect(JSON.parse(body ?? "").logEvents[0].message).toBe(json);
  });

  it("announces an envelope within which neither the body nor AWS's own sum exceeds the limit", async ({
    expect,
  }) => {
    const connector = connect({ config: { log_stream: "日".repeat(512) } });
    const text = fc.string({ unit: "binary", maxLength: 300 }).map((value) => JSON.stringify({ value }));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
        const events = texts.map((json, at) => event({ json, at: at * 12_345_678_901_234 }));
        const announced = events.reduce(
          (sum, one) => sum + byteLength(one.json) + connector.envelopeBytes(one),
          0,
        );
        const vendors = events.reduce((sum, { json }) => sum + byteLength(json) + 26, 0);
        const { body } = await connector.encode(events, context);
        expect(byteLength(body ?? "")).toBeLessThanOrEqual(announced);
        expect(vendors).toBeLessThanOrEqual(announced);
      }),
    );
    expect(connector.limits).toEqual({ events: 10_000, bytes: 1_048_576 });
  });

  it("wastes little of a request on what it announces", ({ expect }) => {
    const typical = event({ json: JSON.stringify({ id: "evt_1", text: "x".repeat(500), more: { a: "b" } }) });
    expect(connect().envelopeBytes(typical)).toBeLessThan(160);
  });
});

describe("selection", () => {
  const oldest = NOW - days(14) + minutes(5);
  const newest = NOW + hours(2) - minutes(1);
  const select = (...times: readonly number[]) =>
    connect().select?.(
      times.map((at) => event({ at })),
      NOW,
    ) ?? { send: [], park: [] };

  it("sends in the order of time, and events of one time as they came", ({ expect }) => {
    expect(select(NOW, NOW - 2, NOW, NOW - 1, NOW).send).toEqual([1, 3, 0, 2, 4]);
  });

  it("sends at most 24 hours at once, from the oldest on", ({ expect }) => {
    const start = NOW - hours(30);
    expect(select(NOW, start + hours(24), start, start + hours(24) + 1).send).toEqual([2, 1]);
  });

  it("parks what CloudWatch would discard, with a margin for the way", ({ expect }) => {
    const { send, park } = select(oldest - 1, oldest, newest, newest + 1);
    expect(send).toEqual([1]);
    expect(park.map(({ index }) => index)).toEqual([0, 3]);
    expect(park[0]?.message).toMatch(/more than 14 days old, and this event is of 2023-10-31T/);
    expect(park[1]?.message).toMatch(/more than 2 hours in the future/);
  });

  it("loses nothing: every event is sent, parked or still waiting, and some go in each turn", ({
    expect,
  }) => {
    const time = fc.oneof(
      fc.integer({ min: NOW - days(16), max: NOW + hours(4) }),
      fc.constantFrom(oldest, oldest - 1, newest, newest + 1, NOW, NOW - hours(24)),
    );
    fc.assert(
      fc.property(fc.array(time, { maxLength: 200 }), (times) => {
        let waiting = times.map((at, index) => ({ ...event({ at }), id: `${index}` }));
        const seen: string[] = [];
        while (waiting.length > 0) {
          const { send, park } = connect().select?.(waiting, NOW) ?? { send: [], park: [] };
          const sent = send.flatMap((index) => waiting[index] ?? []);
          const parked = park.flatMap(({ index }) => waiting[index] ?? []);
          const ats = sent.map(({ at }) => at);
          expect(ats).toEqual([...ats].sort((left, right) => left - right));
          expect((ats.at(-1) ?? 0) - (ats[0] ?? 0)).toBeLessThanOrEqual(hours(24));
          expect(ats.every((at) => at >= oldest && at <= newest)).toBe(true);
          expect(parked.every(({ at }) => at < oldest || at > newest)).toBe(true);
          expect(sent.length + parked.length).toBeGreaterThan(0);
          expect(sent.length > 0 || parked.length === waiting.length).toBe(true);
          seen.push(...[...sent, ...parked].map(({ id }) => id));
          const gone = new Set([...send, ...park.map(({ index }) => index)]);
          waiting = waiting.filter((_, index) => !gone.has(index));
        }
        expect(seen.map(Number).sort((a, b) => a - b)).toEqual(times.map((_, index) => index));
      }),
    );
  });

  it("says how old an event may be", ({ expect }) => {
    expect(connect().maxAge).toBe(days(14));
  });
});

const TABLE: readonly [string, string][] = [
  ["ThrottlingException", "retry throttled"],
  ["Throttling", "retry throttled"],
  ["ThrottledException", "retry throttled"],
  ["RequestLimitExceeded", "retry throttled"],
  ["TooManyRequestsException", "retry throttled"],
  ["LimitExceededException", "retry throttled"],
  ["ServiceQuotaExceededException", "retry throttled"],
  ["ServiceUnavailableException", "retry provider_error maybe taken"],
  ["ServiceUnavailable", "retry provider_error maybe taken"],
  ["InternalFailure", "retry provider_error maybe taken"],
  ["InternalServerError", "retry provider_error maybe taken"],
  ["InternalServerException", "retry provider_error maybe taken"],
  ["OperationAbortedException", "retry provider_error"],
  ["ConflictException", "retry provider_error"],
  ["RequestTimeout", "retry timeout"],
  ["RequestTimeoutException", "retry timeout"],
  ["RequestExpired", "retry provider_error"],
  ["UnrecognizedClientException", "hold credentials_rejected"],
  ["InvalidClientTokenId", "hold credentials_rejected"],
  ["InvalidAccessKeyId", "hold credentials_rejected"],
  ["InvalidSignatureException", "hold credentials_rejected"],
  ["SignatureDoesNotMatch", "hold credentials_rejected"],
  ["IncompleteSignature", "hold credentials_rejected"],
  ["IncompleteSignatureException", "hold credentials_rejected"],
  ["ExpiredTokenException", "hold credentials_rejected"],
  ["ExpiredToken", "hold credentials_rejected"],
  ["InvalidTokenException", "hold credentials_rejected"],
  ["MissingAuthenticationToken", "hold credentials_rejected"],
  ["MissingAuthenticationTokenException", "hold credentials_rejected"],
  ["AccessDeniedException", "hold credentials_rejected"],
  ["AccessDenied", "hold credentials_rejected"],
  ["NotAuthorized", "hold credentials_rejected"],
  ["UnauthorizedOperation", "hold credentials_rejected"],
  ["OptInRequired", "hold credentials_rejected"],
  ["SubscriptionRequiredException", "hold credentials_rejected"],
  ["ResourceNotFoundException", "hold config_rejected"],
  ["UnknownOperationException", "hold config_rejected"],
  ["UnknownOperation", "hold config_rejected"],
  ["InvalidAction", "hold config_rejected"],
  ["InvalidOperationException", "hold config_rejected"],
  ["InvalidParameterException", "isolate 0/null"],
  ["ValidationException", "isolate 0/null"],
  ["ValidationError", "isolate 0/null"],
  ["InvalidParameterValue", "isolate 0/null"],
  ["RequestEntityTooLargeException", "split"],
  ["RequestTooLargeException", "split"],
  ["DataAlreadyAcceptedException", "delivered"],
  ["InvalidSequenceTokenException", "retry provider_error"],
  ["SerializationException", "fault"],
  ["MalformedInputException", "fault"],
];

describe("answers", () => {
  it("of every row of the table are told below", ({ expect }) => {
    const types = CLOUDWATCH_TABLE.flatMap((row) => row.types);
    expect(TABLE.map(([type]) => type).sort()).toEqual([...types].sort());
    expect(new Set(types).size).toBe(types.length);
  });

  it.for(TABLE)("%s: %s, whatever the status and the namespace", ([type, expected], { expect }) => {
    for (const status of [400, 403, 500, 503]) expect(read(said(type, "why", status))).toBe(expected);
    expect(read(said(`com.amazonaws.logs#${type}`))).toBe(expected);
    expect(read(said(`${type}:http://internal.amazon.com/coral/`))).toBe(expected);
    expect(read(response(400, "{}", { "x-amzn-errortype": type }))).toBe(expected);
    expect(interpret(said(type)).words.code).toBe(type);
  });

  it("of an unknown type go by the status", ({ expect }) => {
    expect(read(said("SomethingNewException"))).toBe("hold config_rejected");
    expect(read(said("SomethingNewException", "", 403))).toBe("hold credentials_rejected");
    expect(read(said("SomethingNewException", "", 500))).toBe("retry provider_error maybe taken");
    expect(interpret(said("SomethingNewException")).words.code).toBe("SomethingNewException");
  });

  it.for<[string, string]>([
    ["Log event too large: 300000 bytes exceeds limit of 262144", "isolate 0/null"],
    ["Log events in a single PutLogEvents request must be in chronological order.", "isolate 0/null"],
    ["Upload too large: 1049882 bytes exceeds limit of 1048576", "split"],
    [
      "1 validation error detected: Value '[...]' at 'logEvents' failed to satisfy constraint: Member must have length less than or equal to 10000",
      "split",
    ],
    [
      "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy",
      "hold config_rejected",
    ],
    [
      "1 validation error detected: Value 'a:b' at 'logStreamName' failed to satisfy constraint",
      "hold config_rejected",
    ],
    ["The log group provided is reserved for another function", "hold config_rejected"],
  ])("InvalidParameterException with %j: %s", ([message, expected], { expect }) => {
    expect(read(said("InvalidParameterException", message))).toBe(expected);
  });

  it("to a signature that is only late are no verdict on the credentials", ({ expect }) => {
    const late = "Signature expired: 20261120T101010Z is now earlier than 20261120T101510Z";
    expect(read(said("InvalidSignatureException", late))).toBe("retry provider_error");
  });

  it("name the permission that is missing", ({ expect }) => {
    const denied =
      "User: arn:aws:iam::1:user/x is not authorized to perform: logs:PutLogEvents on resource: arn because no identity-based policy allows the logs:PutLogEvents action";
    const { words } = interpret(said("AccessDeniedException", denied));
    expect(words.message).toMatch(
      /^AccessDeniedException: User: .* Allow logs:PutLogEvents in the policy of this access key\.$/,
    );
    expect(
      interpret(said("AccessDeniedException", "x".repeat(900))).words.message.length,
    ).toBeLessThanOrEqual(500);
  });

  it("never repeat a secret", ({ expect }) => {
    const given = { access_key_id: "AKIDEXAMPLE", secret_access_key: "SECRET1", session_token: "TOKEN1" };
    const answer = said("IncompleteSignature", "Credential=AKIDEXAMPLE SECRET1 TOKEN1");
    const { words } = connect({ secrets: given }).interpret(answer, { events: 1, bytes: 1 });
    expect(words.message).toBe("IncompleteSignature: Credential=[redacted] [redacted] [redacted]");
  });

  it.for<[HttpAnswer, string]>([
    [response(200, {}), "delivered"],
    [response(200, { nextSequenceToken: "1" }), "delivered"],
    [response(200, { rejectedLogEventsInfo: null }), "delivered"],
    [response(200, { rejectedLogEventsInfo: {} }), "delivered"],
    [response(200, ""), "retry provider_error maybe taken"],
    [response(200, "OK"), "retry provider_error maybe taken"],
    [page(200), "retry provider_error maybe taken"],
    [{ ...response(200, '{"rejectedLog'), bodyIncomplete: true }, "retry provider_error maybe taken"],
    [response(200, { rejectedLogEventsInfo: "all" }), "retry provider_error maybe taken"],
    [
      response(200, { rejectedLogEventsInfo: { tooOldLogEventEndIndex: "1" } }),
      "retry provider_error maybe taken",
    ],
    [response(400, "Bad Request"), "retry provider_error maybe taken"],
    [response(400, {}), "retry provider_error maybe taken"],
    [page(400), "retry provider_error maybe taken"],
    [response(303), "hold config_rejected"],
    [response(401), "hold credentials_rejected"],
    [page(403), "hold credentials_rejected"],
    [response(404), "hold config_rejected"],
    [response(413), "split"],
    [response(429), "retry throttled"],
    [response(500), "retry provider_error maybe taken"],
    [response(502), "retry provider_error maybe taken"],
    [response(503), "retry provider_error"],
    [response(526), "retry tls_untrusted"],
    [failure("timeout", true), "retry timeout maybe taken"],
    [failure("reset", true), "retry unreachable maybe taken"],
    [failure("blocked", false), "hold config_rejected"],
  ])("%j: %s", ([answer, expected], { expect }) => {
    expect(read(answer)).toBe(expected);
  });

  it.for<[object, readonly number[], readonly string[]]>([
    [{ tooOldLogEventEndIndex: 2 }, [2, 3, 4, 5], ["0 tooOld", "1 tooOld"]],
    [{ expiredLogEventEndIndex: 1 }, [1, 2, 3, 4, 5], ["0 expired"]],
    [{ tooNewLogEventStartIndex: 4 }, [0, 1, 2, 3], ["4 tooNew", "5 tooNew"]],
    [
      { tooOldLogEventEndIndex: 1, expiredLogEventEndIndex: 2, tooNewLogEventStartIndex: 5 },
      [2, 3, 4],
      ["0 tooOld", "1 expired", "5 tooNew"],
    ],
    [
      { tooOldLogEventEndIndex: 99 },
      [],
      ["0 tooOld", "1 tooOld", "2 tooOld", "3 tooOld", "4 tooOld", "5 tooOld"],
    ],
  ])("a 200 that rejects %j delivers the others", ([info, delivered, refused], { expect }) => {
    const outcome = interpret(response(200, { rejectedLogEventsInfo: info }), 6);
    expect(outcome).toMatchObject({ kind: "partial", delivered, trouble: null });
    const found = outcome.kind === "partial" ? outcome.refused : [];
    expect(found.map(({ index, code }) => `${index} ${code}`)).toEqual(refused);
    for (const { message } of found) expect(message).toMatch(/discarded the event: it is .*\.$/);
  });

  it.for<object>([
    { tooOldLogEventEndIndex: 0 },
    { tooNewLogEventStartIndex: 6 },
    { expiredLogEventEndIndex: null },
  ])("a 200 that rejects nothing by %j is delivered", (info, { expect }) => {
    expect(interpret(response(200, { rejectedLogEventsInfo: info }), 6).kind).toBe("delivered");
  });
});

describe("repair", () => {
  const requests = async (answer: HttpAnswer, round = 0) =>
    ((await connect().repair?.requests(answer, round, context)) ?? []).map(({ headers, body }) => [
      headers["x-amz-target"]?.split(".")[1],
      JSON.parse(body ?? ""),
    ]);
  const place = { logGroupName: "/sluice/audit", logStreamName: "siem_1" };
  const STREAM = ["CreateLogStream", place];
  const GROUP = ["CreateLogGroup", { logGroupName: "/sluice/audit" }];

  it("creates the stream, and the group where that is missing too", async ({ expect }) => {
    const stream = said("ResourceNotFoundException", "The specified log stream does not exist.");
    const group = said("ResourceNotFoundException", "The specified log group does not exist.");
    expect(await requests(stream)).toEqual([STREAM]);
    expect(await requests(group)).toEqual([GROUP, STREAM]);
    expect(await requests(said("ResourceNotFoundException"))).toEqual([STREAM]);
    expect(await requests(stream, 1)).toEqual([GROUP, STREAM]);
  });

  it("has nothing to do for any other answer", async ({ expect }) => {
    for (const [type] of TABLE.filter(([name]) => name !== "ResourceNotFoundException"))
      expect(await requests(said(type))).toEqual([]);
    for (const answer of [response(200, {}), page(404), failure("reset", true)])
      expect(await requests(answer)).toEqual([]);
  });

  it.for<[HttpAnswer, boolean]>([
    [response(200, ""), true],
    [response(200, {}), true],
    [said("ResourceAlreadyExistsException"), true],
    [said("ResourceNotFoundException"), true],
    [said("AccessDeniedException"), false],
    [said("ThrottlingException"), false],
    [page(200), false],
    [response(200, "OK"), false],
    [response(503), false],
    [failure("timeout", true), false],
  ])("%j mends: %s", ([answer, isMended], { expect }) => {
    expect(connect().repair?.isMended(answer)).toBe(isMended);
  });
});

describe("diagnosis", () => {
  const diagnose = (...answers: readonly HttpAnswer[]) => {
    const checks: string[] = [];
    for (const [index, { read: reading }] of connect().probe(event(), context).entries()) {
      const { checks: found, verdict } = reading(answers[index] ?? failure("reset", true));
      checks.push(...found.map(({ name, ok }) => `${name} ${ok ? "ok" : "failed"}`));
      if (verdict !== null) return { checks: checks.join(", "), asked: index + 1, ...verdict };
    }
    throw new Error("no verdict");
  };
  const missing = said("ResourceNotFoundException", "The specified log group does not exist.");
  const made = response(200, "");
  const GOOD = "address ok, tls ok, credentials ok, permission ok, log_group ok";

  it("sends the test event itself, and ends well", ({ expect }) => {
    expect(diagnose(response(200, {}))).toMatchObject({ ok: true, hint: null, checks: GOOD, asked: 1 });
  });

  it("creates what is missing, as delivery would", ({ expect }) => {
    expect(diagnose(missing, missing, made, made, response(200, {}))).toMatchObject({
      ok: true,
      checks: GOOD,
    });
    const exists = said("ResourceAlreadyExistsException");
    expect(diagnose(missing, made, exists, exists, response(200, {}))).toMatchObject({ ok: true });
    const denied = said("AccessDeniedException", "may not logs:CreateLogGroup");
    expect(diagnose(missing, made, denied, exists, response(200, {}))).toMatchObject({ ok: true });
  });

  it.for<[readonly HttpAnswer[], string, RegExp]>([
    [[failure("unreachable", false)], "address failed", /host and port/],
    [[response(526)], "address ok, tls failed", /certificate/],
    [
      [said("UnrecognizedClientException")],
      "address ok, tls ok, credentials failed",
      /not known.*session_token/,
    ],
    [[said("InvalidSignatureException")], "address ok, tls ok, credentials failed", /secret access key/],
    [[said("ExpiredTokenException")], "address ok, tls ok, credentials failed", /run out/],
    [[said("OptInRequired")], "address ok, tls ok, credentials failed", /message says why/],
    [
      [said("AccessDeniedException", "not authorized to perform: logs:PutLogEvents on x")],
      "address ok, tls ok, credentials ok, permission failed",
      /^Allow logs:PutLogEvents on \/sluice\/audit/,
    ],
    [
      [said("AccessDeniedException", "no")],
      "address ok, tls ok, credentials ok, permission failed",
      /logs:PutLogEvents, logs:CreateLogStream and logs:CreateLogGroup/,
    ],
    [
      [missing, said("AccessDeniedException", "to perform: logs:CreateLogStream")],
      "address ok, tls ok, credentials ok, permission ok, permission failed",
      /Allow logs:CreateLogStream.* or create the log group/,
    ],
    [
      [missing, missing, said("AccessDeniedException", "to perform: logs:CreateLogGroup")],
      "address ok, tls ok, credentials ok, permission ok, permission failed",
      /Allow logs:CreateLogGroup/,
    ],
    [
      [missing, made, made, made, missing],
      "address ok, tls ok, credentials ok, permission ok, log_group failed",
      /Create the log group \/sluice\/audit and its stream siem_1 in eu-central-1/,
    ],
    [[said("ThrottlingException")], "address ok, tls ok, service failed", /kept/],
    [[said("UnknownOperationException")], "address ok, tls ok, service failed", /not CloudWatch Logs/],
    [[page(200)], "address ok, tls ok, service failed", /not CloudWatch Logs/],
    [[response(404)], "address ok, tls ok, service failed", /not CloudWatch Logs/],
    [[response(503)], "address ok, tls ok, service failed", /kept/],
    [
      [said("InvalidParameterException", "at 'logGroupName'")],
      "address ok, tls ok, credentials ok, permission ok, log_group failed",
      /takes no events/,
    ],
    [
      [said("InvalidParameterException", "event")],
      "address ok, tls ok, credentials ok, permission ok, event failed",
      /message says why/,
    ],
    [
      [response(200, { rejectedLogEventsInfo: { tooNewLogEventStartIndex: 0 } })],
      "address ok, tls ok, credentials ok, permission ok, event failed",
      /message says why/,
    ],
  ])("names the fault in %j", ([answers, expected, wanted], { expect }) => {
    const { checks, ok, hint } = diagnose(...answers);
    expect([ok, checks]).toEqual([false, expected]);
    expect(hint).toMatch(wanted);
  });
});

providerContract(cloudwatch, {
  endpoint: "https://logs.eu-central-1.amazonaws.com",
  config: { log_group: "/sluice/test" },
  secrets: {
    access_key_id: "AKIA_SECRET_0123456789",
    secret_access_key: "AWS~SECRET~0123456789",
    session_token: "SESSION~SECRET~0123456789",
  },
});
