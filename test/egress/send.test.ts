import { gunzipSync } from "node:zlib";
import { describe, it } from "vitest";
import { err, ok } from "../../src/base/result.ts";
import {
  createSend,
  MAX_ANSWER_BYTES,
  MAX_LARGE_ANSWER_BYTES,
  type SendDeps,
} from "../../src/egress/send.ts";
import type { HttpRequestSpec } from "../../src/model/http.ts";

const POST: HttpRequestSpec = {
  method: "POST",
  url: "https://siem.example.com/in",
  headers: { authorization: "Splunk s3cr3t", "content-type": "application/json" },
  body: '{"event":"é"}',
};

type Fetch = (url: string, init: RequestInit) => Promise<Response> | Response;

function door(fetch: Fetch, over: Partial<SendDeps> = {}) {
  let at = 1_795_168_800_000;
  return createSend({
    fetch: (async (url: RequestInfo | URL, init?: RequestInit) =>
      fetch(String(url), init ?? {})) as typeof globalThis.fetch, // the two forms that are used
    guard: (url) => ok(new URL(url)),
    now: () => (at += 7),
    timeoutMs: 50,
    ...over,
  });
}

async function sent(spec: HttpRequestSpec): Promise<{ readonly url: string; readonly init: RequestInit }> {
  const calls: { url: string; init: RequestInit }[] = [];
  await door((url, init) => {
    calls.push({ url, init });
    return new Response("{}");
  })(spec);
  const [call] = calls;
  if (call === undefined) throw new Error("not called");
  return call;
}

const bytesOf = (init: RequestInit) => new Uint8Array(init.body as Uint8Array<ArrayBuffer>); // the door sends bytes only

describe("what is sent", () => {
  it("is the request as given, in bytes, and follows no redirect", async ({ expect }) => {
    const { url, init } = await sent(POST);
    expect(url).toBe(POST.url);
    expect(init).toMatchObject({ method: "POST", redirect: "manual" });
    expect(new TextDecoder().decode(bytesOf(init))).toBe(POST.body);
    const headers = new Headers(init.headers);
    expect(headers.get("authorization")).toBe("Splunk s3cr3t");
    expect(headers.get("content-encoding")).toBeNull();
    expect(headers.get("user-agent")).toBe("Sluice");
  });

  it("is compressed where the request asks for it, and says so", async ({ expect }) => {
    const { init } = await sent({ ...POST, gzip: true, body: POST.body?.repeat(1_000) ?? "" });
    expect(new Headers(init.headers).get("content-encoding")).toBe("gzip");
    expect(bytesOf(init).byteLength).toBeLessThan(500);
    expect(gunzipSync(bytesOf(init)).toString()).toBe(POST.body?.repeat(1_000));
  });

  it("has a body only where there is one", async ({ expect }) => {
    const get = await sent({ method: "GET", url: POST.url, headers: {} });
    expect(get.init.body).toBeUndefined();
    const empty = await sent({ ...POST, body: "" });
    expect(bytesOf(empty.init)).toHaveLength(0);
  });

  it("is nothing at all where the guard refuses the address", async ({ expect }) => {
    let calls = 0;
    const send = door(() => new Response(String(calls++)), { guard: () => err("Expected a public host") });
    expect(await send(POST)).toEqual({
      kind: "failure",
      reason: "blocked",
      message: "Expected a public host",
      maybeTaken: false,
      latency: 0,
    });
    expect(calls).toBe(0);
  });
});

describe("an answer", () => {
  it("comes back with its status, headers in lower case and body, whatever the status", async ({
    expect,
  }) => {
    for (const status of [200, 202, 303, 400, 401, 404, 413, 429, 500, 503, 526]) {
      const answer = await door(() => new Response("words", { status, headers: { "Retry-After": "7" } }))(
        POST,
      );
      expect(answer).toMatchObject({
        kind: "response",
        status,
        body: "words",
        bodyIncomplete: false,
        latency: 7,
      });
      expect(answer).toMatchObject({ headers: { "retry-after": "7" } });
    }
  });

  it("keeps cookies apart, which a comma could not", async ({ expect }) => {
    const headers = new Headers([
      ["set-cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
      ["set-cookie", "b=2"],
    ]);
    const answer = await door(() => new Response("", { headers }))(POST);
    expect(answer).toMatchObject({
      headers: { "set-cookie": "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT\nb=2" },
    });
  });

  it("has a date: the other side's, or ours", async ({ expect }) => {
    const date = "Fri, 20 Nov 2026 10:00:00 GMT";
    expect(await door(() => new Response("", { headers: { date } }))(POST)).toMatchObject({
      headers: { date },
    });
    const ours = await door(() => new Response(""), { now: () => Date.parse(date) })(POST);
    expect(ours).toMatchObject({ headers: { date } });
  });

  it("may have no body", async ({ expect }) => {
    const answer = await door(() => new Response(null, { status: 204 }))(POST);
    expect(answer).toMatchObject({ status: 204, body: "", bodyIncomplete: false });
  });

  it("is read to 64 KiB, and the rest is cancelled", async ({ expect }) => {
    let cancelled = false;
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 10_000;
        controller.enqueue(new Uint8Array(10_000).fill(120));
      },
      cancel() {
        cancelled = true;
      },
    });
    const answer = await door(() => new Response(endless))(POST);
    expect(answer).toMatchObject({ kind: "response", bodyIncomplete: true });
    expect(answer.kind === "response" && answer.body.length).toBe(MAX_ANSWER_BYTES);
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(120_000);
  });

  it("of exactly 64 KiB is whole", async ({ expect }) => {
    const answer = await door(() => new Response("x".repeat(MAX_ANSWER_BYTES)))(POST);
    expect(answer).toMatchObject({ bodyIncomplete: false });
  });

  it("is read further where the request asks for it, up to a limit of the door's own", async ({ expect }) => {
    const large = new Uint8Array(MAX_LARGE_ANSWER_BYTES + 1).fill(0x78);
    const allowed = { ...POST, maxAnswerBytes: 100_000 };
    expect(await door(() => new Response("x".repeat(100_000)))(allowed)).toMatchObject({
      bodyIncomplete: false,
      body: "x".repeat(100_000),
    });
    expect(await door(() => new Response("x".repeat(100_001)))(allowed)).toMatchObject({
      bodyIncomplete: true,
    });
    const greedy = { ...POST, maxAnswerBytes: Number.POSITIVE_INFINITY };
    const answer = await door(() => new Response(large))(greedy);
    expect(answer.kind === "response" && answer.body.length).toBe(MAX_LARGE_ANSWER_BYTES);
    expect(answer).toMatchObject({ bodyIncomplete: true });
  });

  it("is waited for as long as the request says", async ({ expect }) => {
    const late = () => new Promise<Response>((resolve) => setTimeout(() => resolve(new Response("{}")), 60));
    expect(await door(late)({ ...POST, patience: 5 })).toMatchObject({ kind: "failure", reason: "timeout" });
    expect(await door(late)({ ...POST, patience: 5_000 })).toMatchObject({ kind: "response" });
  });

  it("that is not UTF-8 is read leniently, across chunks", async ({ expect }) => {
    const chunks = [
      [0x61, 0xe2, 0x82],
      [0xac, 0xff, 0x62],
    ];
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new Uint8Array(chunk));
        controller.close();
      },
    });
    expect(await door(() => new Response(stream))(POST)).toMatchObject({
      body: "a€\ufffdb",
      bodyIncomplete: false,
    });
  });

  it("that breaks off or stalls in the body keeps its status, and says so", async ({ expect }) => {
    const broken = (fate: (controller: ReadableStreamDefaultController<Uint8Array>) => void) =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"text":'));
          fate(controller);
        },
      });
    const lost = await door(
      () => new Response(broken((c) => setTimeout(() => c.error(new Error("Network connection lost.")), 1))),
    )(POST);
    expect(lost).toMatchObject({ kind: "response", status: 200, body: '{"text":', bodyIncomplete: true });
    const stalled = await door(() => new Response(broken(() => {})))(POST);
    expect(stalled).toMatchObject({ kind: "response", status: 200, body: '{"text":', bodyIncomplete: true });
  });
});

describe("no answer", () => {
  /** The texts are those of the runtime, tried against real sockets. */
  it.for<[string, Error, object]>([
    [POST.url, new Error("Network connection lost."), { reason: "reset", maybeTaken: true }],
    [POST.url, new Error("internal error; reference = abc"), { reason: "unreachable", maybeTaken: true }],
    [
      "https://127.0.0.1:8088",
      new Error("internal error; reference = abc"),
      { reason: "tls", maybeTaken: false },
    ],
    ["https://localhost:8088", new Error("internal error"), { reason: "tls", maybeTaken: false }],
    ["https://[::1]:8088", new Error("internal error"), { reason: "tls", maybeTaken: false }],
    ["http://127.0.0.1:8088", new Error("internal error"), { reason: "unreachable", maybeTaken: true }],
    [POST.url, new Error("TLS peer's certificate is not trusted"), { reason: "tls", maybeTaken: false }],
    [POST.url, new Error("DNS lookup failed."), { reason: "unreachable", maybeTaken: false }],
    [POST.url, new Error("Connection refused"), { reason: "unreachable", maybeTaken: false }],
    [POST.url, new Error("Too many subrequests."), { reason: "unreachable", maybeTaken: false }],
    [
      POST.url,
      new TypeError("Invalid header value: Splunk s3cr3t"),
      { reason: "unreachable", maybeTaken: false },
    ],
    [POST.url, new Error("something new"), { reason: "reset", maybeTaken: true }],
    [POST.url, new TypeError("fetch failed"), { reason: "reset", maybeTaken: true }],
    [POST.url, new DOMException("too late", "TimeoutError"), { reason: "timeout", maybeTaken: true }],
  ])("%s throwing %s", async ([url, error, expected], { expect }) => {
    const answer = await door(() => Promise.reject(error))({ ...POST, url });
    expect(answer).toMatchObject({ kind: "failure", ...expected, latency: 7 });
    expect(JSON.stringify(answer)).not.toContain("s3cr3t");
  });

  it("within the time allowed is a timeout, also of a fetch that does not listen", async ({ expect }) => {
    const listening: Fetch = (_url, { signal }) =>
      new Promise((_, reject) =>
        signal?.addEventListener("abort", () => reject(new DOMException("x", "AbortError"))),
      );
    for (const fetch of [listening, () => new Promise<Response>(() => {})])
      expect(await door(fetch)(POST)).toMatchObject({ kind: "failure", reason: "timeout", maybeTaken: true });
  });

  it("is a value whatever is thrown", async ({ expect }) => {
    for (const thrown of [null, undefined, "text", 5, {}, Object.create(null) as object])
      expect(await door(() => Promise.reject(thrown))(POST)).toMatchObject({
        kind: "failure",
        reason: "reset",
      });
  });
});

describe("the platform's own fetch", () => {
  it("can be handed in as it is, and its failures are values", async ({ expect }) => {
    const send = createSend({ fetch, guard: (url) => ok(new URL(url)), now: Date.now, timeoutMs: 5_000 });
    const answer = await send({ ...POST, url: "http://127.0.0.1:1/" });
    expect(answer).toMatchObject({ kind: "failure", reason: "reset", maybeTaken: true });
  });
});
