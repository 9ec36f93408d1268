import { afterAll, beforeAll, describe, it } from "vitest";
import { leadsElsewhere, ledToSink } from "../hostile/generate/containment.ts";
import { judge } from "../hostile/judge.ts";
import { KNOWN_FAILURES } from "../hostile/known-failures.ts";
import { makeShot } from "../hostile/make.ts";
import { limitHeaps } from "../hostile/memory.ts";
import { Random } from "../hostile/random.ts";
import { run } from "../hostile/run.ts";
import { CANARIES, MARKS, type Scene, setScene } from "../hostile/scene.ts";
import type { Answer, Reply, Shot } from "../hostile/shot.ts";
import { shrink } from "../hostile/shrink.ts";
import { type Sink, startSink } from "../hostile/sink.ts";
import { RelayProcess } from "./support/relay.ts";

/*
 * The bounded form of `npm run hostile`, and proof that its judge can fail.
 */

const SEED = 42;
const REQUESTS = 4_000;

describe("under hostile input", () => {
  const relay = new RelayProcess();
  let sink: Sink;
  let scene: Scene;

  beforeAll(async () => {
    limitHeaps();
    sink = await startSink();
    await relay.start();
    scene = await setScene(relay, sink);
  }, 60_000);

  afterAll(async () => {
    await relay.dispose();
    await sink.close();
  });

  it(`the relay answers ${REQUESTS} requests without a 5xx, a crash, a leak, or more memory than an isolate has`, async ({
    expect,
  }) => {
    const settings = { seed: SEED, route: "", requests: REQUESTS, from: 0, round: 2_000 };
    const { tally, troubles, reports } = await run(relay, sink, scene, {
      ...settings,
      log: () => undefined,
    });
    expect(reports.join("\n")).toBe("");
    expect(troubles).toEqual([]);
    expect(tally.sent).toBeGreaterThanOrEqual(REQUESTS);
    expect(tally.byRoute.size).toBe(scene.operations.length);
    expect(tally.byStatus.get("202")).toBeGreaterThan(0);
  }, 120_000);

  it("the same seed makes the same request again", ({ expect }) => {
    for (const index of [0, 7, 99, 1_234]) {
      const [one, two] = [0, 1].map(() => makeShot(index, scene, { seed: SEED, route: "" }));
      expect(one?.bytes.equals(two?.bytes ?? Buffer.alloc(0))).toBe(true);
    }
  });
});

const problem = {
  type: "https://relay.example/docs#invalid_input",
  title: "A field is not acceptable",
  status: 422,
  detail: "The request was not carried out.",
  code: "invalid_input",
  errors: [{ path: "name", message: "Expected a name" }],
};
const shot: Shot = {
  index: 0,
  route: "POST /v1/keys",
  kind: "mutated body",
  party: "attacker",
  bytes: Buffer.from("POST /v1/keys HTTP/1.1\r\n\r\n"),
  delivery: "shared",
  answers: 1,
  isHead: false,
  request: null,
};

function brokenOff(head: string, body: string): Reply {
  const rest = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n${head}\r\n\r\n${body}`);
  return { answers: [], rest, end: "closed", milliseconds: 1 };
}

function answer(given: {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}): Reply {
  const { status = 422, body = problem, headers = {} } = given;
  const all: Readonly<Record<string, string | undefined>> = {
    "content-type": status < 400 ? "application/json" : "application/problem+json",
    "x-content-type-options": "nosniff",
    "x-request-id": `req_${"0".repeat(32)}`,
    ...headers,
  };
  const known = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const one: Answer = { status, headers: new Map(known), body: Buffer.from(text) };
  return { answers: [one], rest: Buffer.alloc(0), end: "open", milliseconds: 1 };
}

describe("the judge", () => {
  const forbidden = { credentials: ["sl_live_credential"] };
  const told = (detail: string) => ({ body: { ...problem, detail } });

  const bad: readonly (readonly [what: string, reply: Reply, party?: Shot["party"]])[] = [
    ["a 500", answer({ status: 500, body: { ...problem, status: 500, code: "internal_error" } })],
    [
      "a 503 where nothing is broken",
      answer({ status: 503, body: { ...problem, code: "buffer_unavailable" } }),
    ],
    ["an answer without a request id", answer({ headers: { "x-request-id": undefined } })],
    ["a refusal that is no problem document", answer({ headers: { "content-type": "application/json" } })],
    ["a problem that is no JSON", answer({ body: "{" })],
    ["a code that nobody knows", answer({ body: { ...problem, code: "surprise" } })],
    ["a code with another's status", answer({ body: { ...problem, code: "not_found" } })],
    ["a problem without a detail", answer({ body: { ...problem, detail: undefined } })],
    ["errors of another shape", answer({ body: { ...problem, errors: ["name"] } })],
    ["a redirect", answer({ status: 302, body: {} })],
    ["a stack", answer(told("x\n    at handle (index.js:12:3)"))],
    ["an exception's name", answer(told("TypeError: x"))],
    ["a file", answer(told("in file:///x"))],
    ["the database's words", answer(told("D1_ERROR: near"))],
    ["an object as text", answer(told("got [object Object]"))],
    ["another tenant's data", answer({ status: 200, body: { name: MARKS.victim } })],
    [
      "another tenant's data in lower case",
      answer({ status: 200, body: { index: MARKS.victim.toLowerCase() } }),
    ],
    [
      "another tenant's data in a header",
      answer({ status: 200, body: {}, headers: { location: MARKS.victim } }),
    ],
    ["a tenant's data for nobody", answer({ status: 200, body: { name: MARKS.attacker } }), "nobody"],
    ["more than a name for the operator", answer({ status: 200, body: `${MARKS.victim}-actor` }), "operator"],
    ["a secret of one's own destination", answer({ status: 200, body: { token: CANARIES.attacker } })],
    ["a key", answer({ status: 200, body: { key: "sl_live_credential" } })],
    ["no answer", { answers: [], rest: Buffer.alloc(0), end: "closed", milliseconds: 1 }],
    ["no answer in time", { answers: [], rest: Buffer.alloc(0), end: "timeout", milliseconds: 45_000 }],
    ["bytes that are no answer", { ...answer({}), rest: Buffer.from("HTTP") }],
    ["half an answer of a connection that was to stay", brokenOff("Connection: keep-alive", "{")],
    ["another tenant's data in half an answer", brokenOff("Connection: close", MARKS.victim)],
  ];

  it.for(bad)("complains of %s", ([, reply, party = "attacker"], { expect }) => {
    expect(judge({ ...shot, party }, reply, forbidden)).not.toEqual([]);
  });

  it("lets the HTTP server refuse what is not HTTP, and lets it fail at nothing", ({ expect }) => {
    const broken = { ...shot, answers: null };
    const refused = (status: number) =>
      answer({ status, body: "", headers: { "x-request-id": undefined, "content-type": undefined } });
    for (const status of [400, 414, 431, 501, 505])
      expect(judge(broken, refused(status), forbidden)).toEqual([]);
    for (const status of [200, 302, 500, 502, 503]) {
      expect(judge(broken, refused(status), forbidden)).not.toEqual([]);
    }
  });

  it("lets an answer break off where the server had said that it closes: it did not read the body", ({
    expect,
  }) => {
    expect(judge(shot, brokenOff("Connection: close", "# HELP"), forbidden)).toEqual([]);
  });

  it("has nothing to say about a proper answer", ({ expect }) => {
    expect(judge(shot, answer({}), forbidden)).toEqual([]);
    expect(judge(shot, answer({ status: 200, body: { name: MARKS.attacker } }), forbidden)).toEqual([]);
    const names = answer({ status: 200, body: { data: [{ name: `${MARKS.victim} Ltd` }] } });
    expect(judge({ ...shot, party: "operator" }, names, forbidden)).toEqual([]);
  });
});

describe("the tools of the hostile test", () => {
  it("lead every address of an example to the sink, so that there is always a body to send", ({ expect }) => {
    const sink = "http://127.0.0.1:9";
    const example = {
      config: { hec_url: "splunk.example.com:8088", site: "datadoghq.eu" },
      list: [{ rest_url: "https://splunk.example.com:8089/x", results_link: "http://a.example/b?c" }],
      text: "see https://x.example",
    };
    const led = ledToSink(example, sink);
    expect(leadsElsewhere(Buffer.from(JSON.stringify(example)), sink)).toBe(true);
    expect(leadsElsewhere(Buffer.from(JSON.stringify(led)), sink)).toBe(false);
    expect(led).toMatchObject({ text: "see https://x.example" });
  });

  it("leave out a body that would make the relay call anything but the sink", ({ expect }) => {
    const sink = "http://127.0.0.1:4000";
    const leads = (body: unknown): boolean => leadsElsewhere(Buffer.from(JSON.stringify(body)), sink);
    for (const endpoint of [
      "https://siem.example.com",
      "siem.example.com:8088",
      "http://127.0.0.1:4001/x",
      "http:/127.0.0.1:4000/",
      "NaN",
    ]) {
      expect([endpoint, leads({ endpoint })]).toEqual([endpoint, true]);
    }
    expect(leads({ config: { site: "datadoghq.com" } })).toBe(true);
    expect(leads({ config: [{ api_url: "api.example.com" }] })).toBe(true);
    expect(leads({ endpoint: `${sink}/attacker/services/collector` })).toBe(false);
    expect(leads({ endpoint: "javascript:alert(1)", name: "NaN" })).toBe(false);
  });

  it("make a failing request smaller for as long as it fails in the same way", async ({ expect }) => {
    const headers = ["Host", "A", "Bad", "C"].map((name) => [name, "1"] as const);
    const request = { method: "POST", target: "/x?q=1", headers, body: Buffer.alloc(4_096), chunks: [3] };
    const smallest = await shrink({ ...shot, request }, "bad", async (candidate) =>
      candidate.bytes.includes("Bad: ") ? ["bad"] : [],
    );
    expect(smallest.toString()).toBe("POST /x HTTP/1.1\r\nHost: 1\r\nBad: 1\r\n\r\n");
  });

  it("draw evenly, and a different row for each request", ({ expect }) => {
    const counts = new Array<number>(10).fill(0);
    for (let stream = 0; stream < 10_000; stream += 1) {
      const drawn = new Random(SEED, stream).int(10);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });

  it("say of each known failure what it is", ({ expect }) => {
    expect(KNOWN_FAILURES).toEqual([]);
  });
});
