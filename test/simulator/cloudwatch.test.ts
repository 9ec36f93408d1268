/** Rules of CloudWatch Logs, and the relay's own connector held to them. */
import { createHash, createHmac, randomUUID } from "node:crypto";
import { describe, it } from "vitest";
import { createSend } from "../../src/egress/send.ts";
import type { RelayEvent } from "../../src/model/event.ts";
import type { Connector } from "../../src/model/provider.ts";
import { cloudwatch } from "../../src/providers/cloudwatch.ts";
import type { CloudwatchConfig, SimulatorClient } from "./client.ts";
import { useSimulator } from "./harness.ts";

const KEY = "AKIDEXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const GROUP = "/sluice/audit";
const STREAM = "siem_1";
const PLACE = { logGroupName: GROUP, logStreamName: STREAM };
const EXISTING = { groups: { [GROUP]: [STREAM] } };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const simulated = useSimulator();

interface Aws {
  readonly name: string;
  readonly client: SimulatorClient;
  readonly endpoint: string;
}

async function open(config: Partial<CloudwatchConfig> = {}): Promise<Aws> {
  const name = `cloudwatch-${randomUUID()}`;
  const client = simulated.client();
  const endpoint = await client.cloudwatch(name, {
    access_key_id: KEY,
    secret_access_key: SECRET,
    ...config,
  });
  return { name, client, endpoint };
}

async function rulesBroken({ client, name }: Aws): Promise<readonly string[]> {
  return (await client.summary(name)).violations.map(({ rule }) => rule);
}

async function idsOf({ client, name }: Aws): Promise<readonly string[]> {
  return (await client.events(name)).order;
}

interface Signing {
  readonly key?: string;
  readonly secret?: string;
  readonly token?: string;
  readonly region?: string;
  readonly service?: string;
  readonly at?: number;
  /** Changes the request after it was signed. */
  readonly tamper?: (headers: Record<string, string>) => void;
  readonly body?: string;
}

/** A call signed by hand, so that these tests lean neither on the receiver's reading nor on the relay's signer. */
async function call({ endpoint }: Aws, operation: string, input: unknown, how: Signing = {}) {
  const { key = KEY, secret = SECRET, token, region = "us-east-1", service = "logs" } = how;
  const stamp = new Date(how.at ?? Date.now()).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const body = JSON.stringify(input);
  const { host, pathname } = new URL(endpoint);
  const signed: Record<string, string> = {
    "content-type": "application/x-amz-json-1.1",
    host,
    "x-amz-date": stamp,
    ...(token === undefined ? {} : { "x-amz-security-token": token }),
    "x-amz-target": `Logs_20140328.${operation}`,
  };
  const names = Object.keys(signed);
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join("");
  const canonical = `POST\n${pathname}\n\n${lines}\n${names.join(";")}\n${sha256(body)}`;
  const scope = [stamp.slice(0, 8), region, service, "aws4_request"];
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope.join("/")}\n${sha256(canonical)}`;
  const derived = scope.reduce((last: string | Buffer, part) => hmac(last, part), `AWS4${secret}`);
  const signature = hmac(derived, toSign).toString("hex");
  const { host: _, ...headers } = signed;
  headers["authorization"] =
    `AWS4-HMAC-SHA256 Credential=${[key, ...scope].join("/")}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  how.tamper?.(headers);
  const response = await fetch(endpoint, { method: "POST", headers, body: Buffer.from(how.body ?? body) });
  const text = await response.text();
  return { status: response.status, json: text === "" ? null : JSON.parse(text) };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function put(aws: Aws, logEvents: readonly unknown[], how?: Signing) {
  return call(aws, "PutLogEvents", { ...PLACE, logEvents }, how);
}

const log = (id: string, timestamp = Date.now()) => ({ timestamp, message: JSON.stringify({ id }) });

describe("signatures", () => {
  it("are accepted when they are right, with a session token too", async ({ expect }) => {
    const lasting = await open(EXISTING);
    expect(await put(lasting, [log("a")])).toMatchObject({ status: 200 });
    const temporary = await open({ ...EXISTING, session_token: "T+/=" });
    expect(await put(temporary, [log("a")], { token: "T+/=" })).toMatchObject({ status: 200 });
    expect(await rulesBroken(temporary)).toEqual([]);
  });

  const drop = (name: string) => (headers: Record<string, string>) => {
    delete headers[name];
  };
  it.for<[string, Signing, string]>([
    ["another key", { key: "AKIDOTHER" }, "UnrecognizedClientException"],
    ["another secret", { secret: "wrong" }, "InvalidSignatureException"],
    ["a token that was not asked for", { token: "T" }, "UnrecognizedClientException"],
    ["another region", { region: "eu-central-1" }, "InvalidSignatureException"],
    ["another service", { service: "monitoring" }, "InvalidSignatureException"],
    ["a clock 6 minutes late", { at: Date.now() - 6 * 60_000 }, "InvalidSignatureException"],
    ["a clock 6 minutes early", { at: Date.now() + 6 * 60_000 }, "InvalidSignatureException"],
    ["another body", { body: "{}" }, "InvalidSignatureException"],
    [
      "another target",
      { tamper: (h) => Object.assign(h, { "x-amz-target": "x" }) },
      "InvalidSignatureException",
    ],
    [
      "a header unsigned",
      { tamper: (h) => Object.assign(h, { "x-amz-more": "x" }) },
      "InvalidSignatureException",
    ],
    ["no signature", { tamper: drop("authorization") }, "MissingAuthenticationTokenException"],
    ["no date", { tamper: drop("x-amz-date") }, "IncompleteSignatureException"],
    [
      "half a header",
      { tamper: (h) => Object.assign(h, { authorization: "AWS4-HMAC-SHA256 Credential=a" }) },
      "IncompleteSignatureException",
    ],
  ])("are refused with %s", async ([, how, type], { expect }) => {
    const aws = await open(EXISTING);
    expect(await put(aws, [log("a")], how)).toMatchObject({ status: 400, json: { __type: type } });
    expect(await rulesBroken(aws)).toEqual([type]);
    expect(await idsOf(aws)).toEqual([]);
  });

  it("of temporary keys need their token, and end", async ({ expect }) => {
    const aws = await open({ ...EXISTING, session_token: "T" });
    expect((await put(aws, [log("a")])).json.__type).toBe("UnrecognizedClientException");
    await aws.client.configure(aws.name, { session_expired: true });
    expect((await put(aws, [log("a")], { token: "T" })).json.__type).toBe("ExpiredTokenException");
  });
});

describe("log groups and streams", () => {
  it("have to be created, group first", async ({ expect }) => {
    const aws = await open();
    const steps = [
      ["PutLogEvents", { ...PLACE, logEvents: [log("a")] }],
      ["CreateLogStream", PLACE],
      ["CreateLogGroup", { logGroupName: GROUP }],
      ["CreateLogGroup", { logGroupName: GROUP }],
      ["PutLogEvents", { ...PLACE, logEvents: [log("a")] }],
      ["CreateLogStream", PLACE],
      ["CreateLogStream", PLACE],
      ["PutLogEvents", { ...PLACE, logEvents: [log("a")] }],
    ] as const;
    const said: unknown[] = [];
    for (const [operation, input] of steps) {
      const { status, json } = await call(aws, operation, input);
      said.push(json?.__type === undefined ? status : `${json.__type}: ${json.message}`);
    }
    expect(said).toEqual([
      "ResourceNotFoundException: The specified log group does not exist.",
      "ResourceNotFoundException: The specified log group does not exist.",
      200,
      "ResourceAlreadyExistsException: The specified log group already exists",
      "ResourceNotFoundException: The specified log stream does not exist.",
      200,
      "ResourceAlreadyExistsException: The specified log stream already exists",
      200,
    ]);
    expect(await rulesBroken(aws)).toEqual([]);
  });

  it("need permissions, which are judged before existence", async ({ expect }) => {
    const aws = await open({ deny: ["logs:PutLogEvents", "logs:CreateLogGroup"] });
    const denied = await put(aws, [log("a")]);
    expect(denied.json.__type).toBe("AccessDeniedException");
    expect(denied.json.message).toMatch(
      /not authorized to perform: logs:PutLogEvents on resource: arn:aws:logs/,
    );
    expect((await call(aws, "CreateLogGroup", { logGroupName: GROUP })).json.__type).toBe(
      "AccessDeniedException",
    );
  });

  it("have names, and operations exist", async ({ expect }) => {
    const aws = await open();
    const type = async (operation: string, input: object) => (await call(aws, operation, input)).json.__type;
    expect(await type("CreateLogGroup", { logGroupName: "a b" })).toBe("InvalidParameterException");
    expect(await type("CreateLogStream", { ...PLACE, logStreamName: "a:b" })).toBe(
      "InvalidParameterException",
    );
    expect(await type("PutLogs", {})).toBe("UnknownOperationException");
    const body = "{";
    const digest = await call(aws, "PutLogEvents", {}, { body });
    expect(digest.json.__type).toBe("InvalidSignatureException");
  });
});

describe("batches", () => {
  it("are kept in order, with their times", async ({ expect }) => {
    const aws = await open(EXISTING);
    const at = Date.now();
    const answer = await put(aws, [log("b", at - 2), log("a", at - 1), log("c", at)]);
    expect(answer.json.rejectedLogEventsInfo).toBeUndefined();
    expect(await idsOf(aws)).toEqual(["b", "a", "c"]);
    const [copy] = await aws.client.event(aws.name, "a");
    expect(copy).toMatchObject({ raw: '{"id":"a"}', time: at - 1, index: GROUP, source: STREAM });
  });

  const text = (bytes: number) => ({ timestamp: Date.now(), message: "é".repeat(bytes / 2) });
  it.for<[string, () => readonly unknown[], boolean]>([
    ["1,048,576 bytes with 26 an event", () => [text(524_262), text(524_262)], true],
    ["two bytes more", () => [text(524_262), text(524_264)], false],
    ["10,000 events", () => Array.from({ length: 10_000 }, (_, n) => log(`${n}`)), true],
    ["10,001 events", () => Array.from({ length: 10_001 }, (_, n) => log(`${n}`)), false],
    ["no events", () => [], false],
    ["an empty message", () => [{ timestamp: 1, message: "" }], false],
    ["a time in text", () => [{ timestamp: "1", message: "a" }], false],
    ["no order", () => [log("a", Date.now()), log("b", Date.now() - 10_000)], false],
    ["24 hours", () => [log("a", 1_000_000 + Date.now() - DAY_MS), log("b", 1_000_000 + Date.now())], true],
    ["more than 24 hours", () => [log("a", Date.now() - DAY_MS - 60_000), log("b")], false],
  ])("of %s", async ([, make, isTaken], { expect }) => {
    const aws = await open(EXISTING);
    const answer = await put(aws, make());
    expect(isTaken ? answer.status : answer.json.__type).toBe(isTaken ? 200 : "InvalidParameterException");
    expect(await rulesBroken(aws)).toEqual(isTaken ? [] : ["InvalidParameterException"]);
  });

  it("lose what is too old, expired or too new, in a 200 that says so", async ({ expect }) => {
    const aws = await open({ ...EXISTING, retention_days: 1 });
    const now = Date.now();
    const old = [log("old", now - 15 * DAY_MS), log("kept-too-long", now - 25 * HOUR_MS)];
    const answer = await put(aws, [...old, log("good", now - 23 * HOUR_MS), log("new", now + 3 * HOUR_MS)]);
    expect(answer).toMatchObject({
      status: 200,
      json: {
        rejectedLogEventsInfo: {
          tooOldLogEventEndIndex: 1,
          expiredLogEventEndIndex: 2,
          tooNewLogEventStartIndex: 3,
        },
      },
    });
    expect(await idsOf(aws)).toEqual(["good"]);
  });
});

describe("faults", () => {
  it("throttle with 400, and break as at any kind", async ({ expect }) => {
    const aws = await open(EXISTING);
    await aws.client.fault(aws.name, { mode: "status", status: 400, times: 1 });
    expect((await put(aws, [log("a")])).json).toMatchObject({ __type: "ThrottlingException" });
    await aws.client.fault(aws.name, { mode: "reset_after", times: 1 });
    await expect(put(aws, [log("b")])).rejects.toThrow();
    await aws.client.fault(aws.name, { mode: "poison", pattern: "bad" });
    expect((await put(aws, [log("bad")])).json).toMatchObject({ __type: "InvalidParameterException" });
    expect((await put(aws, [log("c")])).status).toBe(200);
    expect(await idsOf(aws)).toEqual(["b", "c"]);
    expect(await rulesBroken(aws)).toEqual([]);
  });
});

// --- The relay's connector against all of it ------------------------------------------------------------

const send = createSend({
  fetch,
  guard: (url) => ({ ok: true, value: new URL(url) }),
  now: Date.now,
});
const context = () => ({ now: Date.now(), indexFor: () => null });

function connector({ endpoint }: Aws, secrets: object = {}): Connector {
  const connected = cloudwatch.connect({
    destinationId: STREAM,
    endpoint,
    config: { region: "us-east-1" },
    secrets: { access_key_id: KEY, secret_access_key: SECRET, ...secrets },
  });
  if (!connected.ok) throw new Error(JSON.stringify(connected.error));
  return connected.value;
}

function event(id: string, at: number, extra = ""): RelayEvent {
  return { id, at, action: "user.login", json: JSON.stringify({ id, timestamp: at, extra }) };
}

/** Sends once, mends up to twice, as the lane does. */
async function deliver(to: Connector, events: readonly RelayEvent[]) {
  for (let round = 0; ; round += 1) {
    const request = await to.encode(events, context());
    const answer = await send(request);
    const requests = round < 2 ? ((await to.repair?.requests(answer, round, context())) ?? []) : [];
    if (requests.length === 0) return to.interpret(answer, { events: events.length, bytes: 0 });
    for (const repair of requests) {
      const mended = await send(repair);
      if (to.repair?.isMended(mended) !== true) return to.interpret(mended, { events: 1, bytes: 0 });
    }
  }
}

async function diagnose(to: Connector) {
  const checks: string[] = [];
  for (const { request, read } of to.probe(event("test", Date.now()), context())) {
    const reading = read(await send(await request));
    checks.push(...reading.checks.map(({ name, ok }) => `${name} ${ok ? "ok" : "failed"}`));
    if (reading.verdict !== null) return { checks, ...reading.verdict };
  }
  throw new Error("no verdict");
}

describe("the relay", () => {
  it.for<[string, Partial<CloudwatchConfig>]>([
    ["nothing", {}],
    ["the group alone", { groups: { [GROUP]: [] } }],
    ["both", EXISTING],
    ["both, and may create nothing", { ...EXISTING, deny: ["logs:CreateLogStream", "logs:CreateLogGroup"] }],
    ["the group, and may create no other", { groups: { [GROUP]: [] }, deny: ["logs:CreateLogGroup"] }],
  ])("delivers where there is %s", async ([, config], { expect }) => {
    const aws = await open({ ...config, session_token: "T/+=" });
    const to = connector(aws, { session_token: "T/+=" });
    expect(await deliver(to, [event("a", Date.now())])).toMatchObject({ kind: "delivered" });
    expect(await diagnose(to)).toMatchObject({ ok: true });
    expect(await idsOf(aws)).toEqual(["a", "test"]);
    expect(await rulesBroken(aws)).toEqual([]);
  });

  it.for<[string, Partial<CloudwatchConfig>]>([
    ["nothing", {}],
    ["the group alone", { groups: { [GROUP]: [] } }],
    ["both", EXISTING],
    ["the group, and may create no other", { groups: { [GROUP]: [] }, deny: ["logs:CreateLogGroup"] }],
  ])("diagnoses well where there is %s", async ([, config], { expect }) => {
    const { ok, checks } = await diagnose(connector(await open(config)));
    expect({ ok, checks }).toEqual({
      ok: true,
      checks: ["address ok", "tls ok", "credentials ok", "permission ok", "log_group ok"],
    });
  });

  it.for<[string, Partial<CloudwatchConfig>]>([
    ["logs:PutLogEvents", { deny: ["logs:PutLogEvents"] }],
    ["logs:CreateLogStream", { groups: { [GROUP]: [] }, deny: ["logs:CreateLogStream"] }],
    ["logs:CreateLogGroup", { deny: ["logs:CreateLogGroup"] }],
  ])("holds, and names %s when that is denied", async ([permission, config], { expect }) => {
    const to = connector(await open(config));
    const outcome = await deliver(to, [event("a", Date.now())]);
    expect(outcome).toMatchObject({ kind: "hold", trouble: "credentials_rejected" });
    expect(outcome.words.message).toContain(`Allow ${permission} `);
    const { ok, checks, hint } = await diagnose(to);
    expect([ok, checks.at(-1)]).toEqual([false, "permission failed"]);
    expect(hint).toContain(permission);
  });

  it("sends 20,000 events of 40 hours without one that is refused, lost or sent twice", async ({
    expect,
  }) => {
    const aws = await open();
    const to = connector(aws);
    const now = Date.now();
    const events = Array.from({ length: 20_000 }, (_, n) => {
      const extra = n % 7 === 0 ? '"\\é日😀'.repeat(n % 60) : "";
      const jitter = ((n * 7_919) % 1_000) * 3_600;
      const isStraggler = n % 500 === 0;
      return event(`evt_${n}`, now - (isStraggler ? 40 * HOUR_MS : 40 * HOUR_MS - n * 7_000 - jitter), extra);
    });
    let waiting: readonly RelayEvent[] = events;
    let requests = 0;
    while (waiting.length > 0) {
      const offered = fitting(to, waiting);
      const { send: positions, park } = to.select?.(offered, now) ?? { send: [], park: [] };
      expect(park).toEqual([]);
      const batch = positions.flatMap((position) => offered[position] ?? []);
      expect((await deliver(to, batch)).kind).toBe("delivered");
      requests += 1;
      const sent = new Set(batch);
      waiting = waiting.filter((one) => !sent.has(one));
    }
    const { order, ids } = await aws.client.events(aws.name);
    expect([...order].sort()).toEqual(events.map(({ id }) => id).sort());
    expect(Object.values(ids).every((times) => times === 1)).toBe(true);
    expect(await rulesBroken(aws)).toEqual([]);
    expect(requests).toBeLessThan(20);
  });
});

/** The oldest that one request may carry, as the outbox takes them. */
function fitting({ limits, envelopeBytes }: Connector, events: readonly RelayEvent[]): readonly RelayEvent[] {
  let bytes = 0;
  const until = events.findIndex((one, index) => {
    bytes += Buffer.byteLength(one.json) + envelopeBytes(one);
    return index >= limits.events || bytes > limits.bytes;
  });
  return until < 0 ? events : events.slice(0, until);
}
