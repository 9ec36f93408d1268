import { describe, it } from "vitest";
import { createClient } from "../../src/client/client.ts";
import { SluiceError } from "../../src/client/errors.ts";
import { type AuditEvent, MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_EVENTS } from "../../src/client/event.ts";
import * as model from "../../src/model/event.ts";
import { type Asked, fakeServer, problem, receipt, type Said } from "./fake-server.ts";

const login: AuditEvent = { action: "user.login", actor_id: "user-7" };

async function failureOf(promise: Promise<unknown>): Promise<SluiceError> {
  const failure = await promise.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  if (failure instanceof SluiceError) return failure;
  throw failure;
}

/** Takes everything, and says ids by which one sees in which request an event was. */
function takeAll({ headers, body }: Asked): Said {
  const events: unknown[] = JSON.parse(String(body));
  return receipt(...events.map((_, at) => `${headers["idempotency-key"]}/${at}`));
}

const some = (count: number): AuditEvent[] => Array.from({ length: count }, (_, n) => ({ ...login, n }));

it("the limits are the relay's", ({ expect }) => {
  expect([MAX_EVENTS, MAX_BODY_BYTES, MAX_EVENT_BYTES]).toEqual([
    model.MAX_EVENTS_PER_REQUEST,
    model.MAX_REQUEST_BYTES,
    model.MAX_EVENT_BYTES,
  ]);
});

describe("one event", () => {
  it("is one request with the key and an idempotency key", async ({ expect }) => {
    const server = fakeServer([receipt("evt_1")]);
    expect(await createClient(server.options).send(login)).toEqual({ id: "evt_1", batchId: "bat_evt_1" });
    expect(server.asked).toEqual([
      {
        method: "POST",
        url: "https://relay.example.com/v1/audit/events",
        body: '[{"action":"user.login","actor_id":"user-7"}]',
        headers: {
          "x-api-key": "sl_live_test",
          "idempotency-key": "key-1",
          "content-type": "application/json",
          accept: "application/json",
        },
      },
    ]);
  });

  it("that is larger than the relay takes is not even sent", async ({ expect }) => {
    const server = fakeServer([receipt("evt_1")]);
    const failure = await failureOf(
      createClient(server.options).send({ ...login, note: "ü".repeat(50_000) }),
    );
    expect(failure).toMatchObject({ code: "payload_too_large", status: null, attempts: 0 });
    expect(server.asked).toEqual([]);
  });
});

describe("a request that did not succeed", () => {
  const repeated: readonly (readonly [string, Said])[] = [
    ["429", problem(429, "rate_limited")],
    ["503", problem(503, "buffer_unavailable")],
    ["500", problem(500, "internal_error")],
    ["an error page of something between", { status: 502, body: "<html>" }],
    ["a lost connection", new TypeError("fetch failed")],
    ["no answer in time", new DOMException("late", "TimeoutError")],
  ];

  it.for(repeated)("is made again after %s, with the same body and key", async ([, answer], { expect }) => {
    const server = fakeServer([answer, answer, receipt("evt_1")]);
    expect(await createClient(server.options).send(login)).toMatchObject({ id: "evt_1" });
    expect(server.asked).toHaveLength(3);
    expect(new Set(server.asked.map((asked) => JSON.stringify(asked))).size).toBe(1);
  });

  const final: readonly (readonly [string, Said & object, string])[] = [
    ["400", problem(400, "malformed_json"), "malformed_json"],
    ["401", problem(401, "unauthenticated"), "unauthenticated"],
    ["403", problem(403, "missing_scope"), "missing_scope"],
    ["409", problem(409, "conflict"), "conflict"],
    ["422", problem(422, "invalid_event"), "invalid_event"],
    ["a code of the future", problem(418, "teapot"), "teapot"],
    ["a redirect, which is not followed", { status: 302, body: "" }, "unexpected_answer"],
    ["a page where the relay should be", { status: 200, body: "<html>" }, "unexpected_answer"],
    ["another program's answer", { status: 200, body: { hello: 1 } }, "unexpected_answer"],
  ];

  it.for(final)("is not made again after %s", async ([, answer, code], { expect }) => {
    const server = fakeServer([answer]);
    expect(await failureOf(createClient(server.options).send(login))).toMatchObject({
      code,
      idempotencyKey: "key-1",
    });
    expect(server.asked).toHaveLength(1);
  });

  it("waits longer each time, by chance, and gives up after the attempts it was allowed", async ({
    expect,
  }) => {
    const server = fakeServer([problem(503, "unavailable")]);
    const failure = await failureOf(createClient(server.options).send(login));
    expect(failure).toMatchObject({
      code: "unavailable",
      status: 503,
      attempts: 6,
      message: "About unavailable.",
    });
    expect(server.slept).toEqual([250, 500, 1_000, 2_000, 4_000]);
  });

  it("waits no longer than said, and at least as long as the relay says, up to 15 minutes", async ({
    expect,
  }) => {
    const answers = ["7", "Sat, 21 Nov 2026 12:00:50 GMT", "86400", "soon", "-1"].map((retryAfter) => ({
      ...problem(429, "rate_limited"),
      retryAfter,
    }));
    const retry = { baseDelayMs: 100, maxDelayMs: 300 };
    const server = fakeServer([...answers, receipt("evt_1")], { retry });
    await createClient(server.options).send(login);
    expect(server.slept).toEqual([7_000, 20_000, 900_000, 150, 150]);
  });

  it("is not waited for once the caller has lost patience", async ({ expect }) => {
    const patience = new AbortController();
    const sleep = async () => patience.abort(new Error("enough"));
    const server = fakeServer([new TypeError("fetch failed")], { sleep });
    const sending = createClient(server.options).send(login, { signal: patience.signal });
    await expect(sending).rejects.toThrow("enough");
    expect(server.asked).toHaveLength(2);
  });

  it("shows no key in its error", async ({ expect }) => {
    const server = fakeServer([problem(401, "unauthenticated")]);
    const failure = await failureOf(createClient(server.options).send(login));
    expect(JSON.stringify({ ...failure, message: failure.message, stack: failure.stack })).not.toContain(
      "sl_live",
    );
    expect(JSON.stringify(createClient(server.options))).not.toContain("sl_live");
  });
});

describe("many events", () => {
  it("travel in requests of at most 1,000, each with a key of its own, in order", async ({ expect }) => {
    const server = fakeServer(takeAll);
    const sent = await createClient(server.options).sendBatch(some(2_500), { idempotencyKey: "job" });
    expect(sent.accepted).toBe(2_500);
    expect(sent.ids[1_000]).toBe("job.1/0");
    expect(sent.ids[2_499]).toBe("job.2/499");
    expect(sent.batchIds).toHaveLength(3);
    expect(server.asked.map(({ headers }) => headers["idempotency-key"])).toEqual(["job", "job.1", "job.2"]);
  });

  it("travel in requests of at most 5 MB", async ({ expect }) => {
    const server = fakeServer(takeAll);
    const large = Array.from({ length: 120 }, () => ({ ...login, note: "x".repeat(90_000) }));
    await createClient(server.options).sendBatch(large);
    const sizes = server.asked.map(({ body }) => String(body).length);
    expect(sizes).toHaveLength(3);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_BODY_BYTES);
  });

  it("that are none need no request", async ({ expect }) => {
    const server = fakeServer(takeAll);
    const sent = await createClient(server.options).sendBatch([]);
    expect(sent).toEqual({ accepted: 0, ids: [], batchIds: [], rejected: [] });
    expect(server.asked).toEqual([]);
  });

  it("that fail in the middle say what was accepted, and which of all was wrong", async ({ expect }) => {
    const refusal = problem(422, "invalid_event", {
      errors: [{ index: 3, path: "action", message: "Expected" }],
    });
    const server = fakeServer([receipt("a"), refusal]);
    const failure = await failureOf(
      createClient(server.options).sendBatch(some(1_500), { idempotencyKey: "job" }),
    );
    expect(failure.errors).toEqual([{ index: 1_003, path: "action", message: "Expected" }]);
    expect(failure.accepted).toMatchObject([{ batchId: "bat_a" }]);
    expect(failure.idempotencyKey).toBe("job");
  });

  it("may leave the invalid ones behind, counted in the whole list", async ({ expect }) => {
    const rejected = [{ index: 2, errors: [{ path: "action", message: "Expected" }] }];
    const server = fakeServer([
      receipt("a"),
      { status: 202, body: { accepted: 0, ids: [], batch_id: "b", rejected } },
    ]);
    const sent = await createClient(server.options).sendBatch(some(1_003), { onInvalid: "skip" });
    expect(sent.rejected).toEqual([{ index: 1_002, errors: [{ path: "action", message: "Expected" }] }]);
    expect(server.asked[0]?.url).toBe("https://relay.example.com/v1/audit/events?on_invalid=skip");
  });
});

describe("what can never work is told at once:", () => {
  const wrong: readonly (readonly [string, Partial<Parameters<typeof createClient>[0]>])[] = [
    ["an address that is none", { baseUrl: "relay" }],
    ["plain http to another machine", { baseUrl: "http://relay.example.com" }],
    ["another scheme", { baseUrl: "ftp://relay.example.com" }],
    ["an empty key", { apiKey: "" }],
    ["a key with a line break", { apiKey: "sl_live_x\r\nx: y" }],
    ["a signing secret that is no base64", { signingSecret: "whsec_???" }],
  ];

  it.for(wrong)("%s", ([, options], { expect }) => {
    expect(() => createClient({ ...fakeServer([]).options, ...options })).toThrow(TypeError);
  });

  it.for(["", "a b", "ü", "x".repeat(241)])("the idempotency key %j", async (idempotencyKey, { expect }) => {
    const server = fakeServer([receipt("evt_1")]);
    await expect(createClient(server.options).sendBatch([login], { idempotencyKey })).rejects.toThrow(
      TypeError,
    );
    expect(server.asked).toEqual([]);
  });

  it("but plain http to this machine, or where it is wanted, works", ({ expect }) => {
    const options = fakeServer([]).options;
    for (const baseUrl of ["http://localhost:8787", "http://127.0.0.1:1", "http://[::1]:1"])
      expect(createClient({ ...options, baseUrl })).toBeDefined();
    expect(createClient({ ...options, baseUrl: "http://relay", allowInsecureBaseUrl: true })).toBeDefined();
  });
});
