/** Rules of Elasticsearch's `_bulk`. */
import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, it } from "vitest";
import type { ElasticConfig } from "./client.ts";
import { applyFilterPath } from "./elastic-filter.ts";
import { useSimulator } from "./harness.ts";

const simulated = useSimulator();
const KEY = { id: "key-id", api_key: "key-secret" };
const basic = (pair: string) => Buffer.from(pair).toString("base64");
const NDJSON = {
  authorization: `ApiKey ${basic("key-id:key-secret")}`,
  "content-type": "application/x-ndjson",
};
const STREAM = "logs-sluice.audit-default";
const TIME = "2026-06-30T12:34:56.789Z";

interface Item {
  readonly status: number;
  readonly error?: { readonly type: string; readonly reason: string };
}

async function elastic(config: Partial<ElasticConfig> = {}) {
  const client = simulated.client();
  const name = `elastic-${randomUUID()}`;
  const url = await client.elastic(name, { api_keys: [KEY], ...config });
  const send = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? null : JSON.parse(text),
    };
  };
  const bulk = async (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
    send(path, { method: "POST", body: Buffer.from(body), headers: { ...NDJSON, ...headers } });
  const items = async (path: string, body: string): Promise<readonly Item[]> => {
    const answer = await bulk(path, body);
    const list: readonly Record<string, Item>[] = answer.body.items;
    return list.flatMap((item) => Object.values(item));
  };
  const rules = async () => (await client.summary(name)).violations.map(({ rule }) => rule);
  const ids = async () => (await client.events(name)).order;
  return { client, name, send, bulk, items, rules, ids };
}

function document(id: string | null, more: object = {}, operation = "create"): string {
  const action = { [operation]: id === null ? {} : { _id: id } };
  return `${JSON.stringify(action)}\n${JSON.stringify({ "@timestamp": TIME, sluice: { id }, ...more })}\n`;
}

describe("credentials", () => {
  it("are an API key or a user, and nobody else gets in", async ({ expect }) => {
    const { send } = await elastic({ users: [{ username: "u", password: "p:w" }] });
    const as = async (authorization?: string) =>
      (await send("/", authorization === undefined ? {} : { headers: { authorization } })).status;
    expect(await as(NDJSON.authorization)).toBe(200);
    expect(await as(`Basic ${basic("u:p:w")}`)).toBe(200);
    expect(await as(`Basic ${basic("u:wrong")}`)).toBe(401);
    expect(await as(`ApiKey ${basic("key-id:wrong")}`)).toBe(401);
    expect(await as(`Bearer ${basic("key-id:key-secret")}`)).toBe(401);
    expect(await as()).toBe(401);
  });

  it("of a key that may only write somewhere greet with 403 and name each forbidden document", async ({
    expect,
  }) => {
    const { send, items } = await elastic({ api_keys: [{ ...KEY, indices: ["logs-sluice.*"] }] });
    const root = await send("/", { headers: NDJSON });
    expect([root.status, root.headers.get("x-elastic-product")]).toEqual([403, "Elasticsearch"]);
    expect(await items(`/${STREAM}/_bulk`, document("a"))).toMatchObject([{ status: 201 }]);
    expect(await items("/other/_bulk", document("a"))).toMatchObject([
      { status: 403, error: { type: "security_exception" } },
    ]);
  });
});

describe("a body", () => {
  it.for<[string, string | Uint8Array, Record<string, string>, number]>([
    ["empty", "", {}, 400],
    ["without its final newline", document("a").slice(0, -1), {}, 400],
    ["without its last source", `${document("a")}{"create":{}}\n`, {}, 400],
    ["with a line that is no action", `nonsense\n{}\n`, {}, 400],
    ["with two actions in a line", `{"create":{},"index":{}}\n{}\n`, {}, 400],
    ["with an action it does not know", `{"delete":{"_id":"a"}}\n`, {}, 400],
    ["with an unknown parameter", `{"create":{"_type":"x"}}\n{}\n`, {}, 400],
    ["with a number for an id", `{"create":{"_id":1}}\n{}\n`, {}, 400],
    ["of JSON by name", document("a"), { "content-type": "application/json" }, 406],
    ["of broken gzip", "nonsense", { "content-encoding": "gzip" }, 400],
  ])("%s is refused as a whole", async ([, body, headers, status], { expect }) => {
    const { bulk, rules, ids } = await elastic();
    const answer = await bulk(`/${STREAM}/_bulk`, body, headers);
    expect(answer).toMatchObject({ status, body: { status, error: { reason: expect.any(String) } } });
    expect(await rules()).toEqual([`elastic_${status}`]);
    expect(await ids()).toEqual([]);
  });

  it("may be gzip, and is 413 over the limit, however it comes", async ({ expect }) => {
    const { bulk, ids } = await elastic({ max_content_length: 2_000 });
    const small = gzipSync(document("a"));
    const large = document("b", { pad: "x".repeat(2_000) });
    const gzip = { "content-encoding": "gzip" };
    expect((await bulk(`/${STREAM}/_bulk`, small, gzip)).status).toBe(200);
    expect((await bulk(`/${STREAM}/_bulk`, large)).status).toBe(413);
    expect((await bulk(`/${STREAM}/_bulk`, gzipSync(large), gzip)).status).toBe(413);
    expect(await ids()).toEqual(["a"]);
  });

  it("is taken at the index of its path or of its action lines", async ({ expect }) => {
    const { bulk, items, client, name } = await elastic();
    await bulk("/one/_bulk", document("a"));
    await bulk("/_bulk", `{"create":{"_index":"two","_id":"b"}}\n{}\n`);
    expect((await client.event(name, "a"))[0]?.index).toBe("one");
    expect((await client.event(name, "b"))[0]?.index).toBe("two");
    expect(await items("/_bulk", document("c"))).toMatchObject([{ status: 400 }]);
  });
});

describe("a document", () => {
  it("is held once: the same id again is a conflict, in each index by itself", async ({ expect }) => {
    const { items, ids, client, name, rules } = await elastic();
    const both = document("a") + document("b");
    expect((await items(`/${STREAM}/_bulk`, both)).map(({ status }) => status)).toEqual([201, 201]);
    const again = await items(`/${STREAM}/_bulk`, both + document("c"));
    expect(again.map(({ status }) => status)).toEqual([409, 409, 201]);
    expect(again[0]?.error?.type).toBe("version_conflict_engine_exception");
    expect((await items("/other/_bulk", document("a")))[0]?.status).toBe(201);
    expect(await ids()).toEqual(["a", "b", "c"]);
    expect(await client.event(name, "b")).toHaveLength(1);
    expect(await rules()).toEqual([]);
  });

  it("may be overwritten in an index, but only created in a data stream", async ({ expect }) => {
    const { items, rules } = await elastic();
    expect((await items("/plain/_bulk", document("a")))[0]?.status).toBe(201);
    expect((await items("/plain/_bulk", document("a", {}, "index")))[0]?.status).toBe(200);
    expect(await items(`/${STREAM}/_bulk`, document("a", {}, "index"))).toMatchObject([
      { status: 400, error: { reason: expect.stringContaining("op_type of create") } },
    ]);
    expect(await rules()).toEqual(["elastic_item_400"]);
  });

  it("needs a time in a data stream, and to be an object anywhere", async ({ expect }) => {
    const { items } = await elastic({ data_streams: ["audit"] });
    const untimed = `{"create":{"_id":"a"}}\n{"a":1}\n`;
    expect((await items("/audit/_bulk", untimed))[0]?.status).toBe(400);
    expect((await items("/audit/_bulk", document("a", { "@timestamp": "noon" })))[0]?.status).toBe(400);
    expect((await items("/plain/_bulk", untimed))[0]?.status).toBe(201);
    expect((await items("/plain/_bulk", `{"create":{"_id":"b"}}\n[1]\n`))[0]?.status).toBe(400);
  });

  it("without an id is stored, and noted", async ({ expect }) => {
    const { bulk, rules, client, name } = await elastic();
    await bulk("/plain/_bulk", document(null) + document(null));
    expect(await client.summary(name)).toMatchObject({ events: 2, anonymous: 2 });
    expect(await rules()).toEqual(["no_id"]);
  });

  it("needs its index where none is created, and its pipeline", async ({ expect }) => {
    const { items } = await elastic({ auto_create: false, indices: ["there"], pipelines: ["geo"] });
    expect((await items("/elsewhere/_bulk", document("a")))[0]).toMatchObject({
      status: 404,
      error: { type: "index_not_found_exception" },
    });
    expect((await items("/there/_bulk?pipeline=geo", document("a")))[0]?.status).toBe(201);
    expect((await items("/there/_bulk?pipeline=gone", document("b")))[0]).toMatchObject({
      status: 400,
      error: { reason: "pipeline with id [gone] does not exist" },
    });
    const created = await elastic();
    expect((await created.items("/Upper/_bulk", document("a")))[0]?.error?.type).toBe(
      "invalid_index_name_exception",
    );
  });

  it("that is to be rejected does not hinder its neighbours", async ({ expect }) => {
    const { items, ids, client, name } = await elastic({ reject: "POISON" });
    const body = document("a") + document("b", { note: "POISON" }) + document("c");
    expect(await items(`/${STREAM}/_bulk`, body)).toMatchObject([
      { status: 201 },
      { status: 400, error: { type: "mapper_parsing_exception" } },
      { status: 201 },
    ]);
    await client.configure(name, { reject: null });
    expect((await items(`/${STREAM}/_bulk`, body)).map(({ status }) => status)).toEqual([409, 201, 409]);
    expect(await ids()).toEqual(["a", "c", "b"]);
  });

  it("is shown as it came: the event by itself and the whole of it", async ({ expect }) => {
    const { bulk, client, name } = await elastic();
    const source = `{"@timestamp":"${TIME}", "sluice":{"n":1.50,"b":[ ]} }`;
    await bulk(`/${STREAM}/_bulk`, `{"create":{"_id":"a"}}\n${source}\n`);
    expect(await client.event(name, "a")).toMatchObject([
      { raw: '{"n":1.50,"b":[ ]}', parsed: { n: 1.5 }, envelope: source, index: STREAM, time: TIME },
    ]);
  });
});

describe("faults", () => {
  it("strike every third document, counted over requests, and leave the others alone", async ({ expect }) => {
    const { items, ids, rules, client, name } = await elastic({ item_fault: { status: 429, every: 3 } });
    const four = ["a", "b", "c", "d"].map((id) => document(id)).join("");
    const first = await items(`/${STREAM}/_bulk`, four);
    expect(first.map(({ status }) => status)).toEqual([201, 201, 429, 201]);
    expect(first[2]?.error?.type).toBe("es_rejected_execution_exception");
    expect((await items(`/${STREAM}/_bulk`, document("c")))[0]?.status).toBe(201);
    expect((await items(`/${STREAM}/_bulk`, document("e")))[0]?.status).toBe(429);
    await client.configure(name, { item_fault: null });
    expect((await items(`/${STREAM}/_bulk`, document("e")))[0]?.status).toBe(201);
    expect(await ids()).toEqual(["a", "b", "d", "c", "e"]);
    expect(await rules()).toEqual([]);
  });

  it("of every server are played too, in Elastic's words", async ({ expect }) => {
    const { client, name, bulk, items, ids } = await elastic();
    await client.fault(name, { mode: "status", status: 429, retry_after: 7, times: 1 });
    const busy = await bulk(`/${STREAM}/_bulk`, document("a"));
    expect([busy.status, busy.headers.get("retry-after"), busy.body.error.type]).toEqual([
      429,
      "7",
      "es_rejected_execution_exception",
    ]);
    await client.fault(name, { mode: "poison", pattern: '"b"' });
    const poisoned = await items(`/${STREAM}/_bulk`, document("a") + document("b"));
    expect(poisoned.map(({ status }) => status)).toEqual([201, 400]);
    expect(await ids()).toEqual(["a"]);
  });
});

describe("settings", () => {
  it.for<[object, RegExp]>([
    [{}, /at least one of api_keys and users/],
    [{ api_keys: [{ id: "a" }] }, /needs .*api_key/],
    [{ users: [{ username: "a", password: "b", role: "c" }] }, /no .*role/],
    [{ api_keys: [KEY], item_fault: { status: 200, every: 1 } }, /400 to 599/],
    [{ api_keys: [KEY], item_fault: { status: 429 } }, /needs .*every/],
    [{ api_keys: [KEY], datastreams: [] }, /no .*datastreams/],
  ])("%j are refused", async ([config, message], { expect }) => {
    await expect(simulated.client().elastic("elastic-refused", config)).rejects.toThrow(message);
  });

  it("may count only", async ({ expect }) => {
    const { items, client, name } = await elastic({ count_only: true });
    const answer = await items(`/${STREAM}/_bulk`, document("a") + document("a") + document("b"));
    expect(answer.map(({ status }) => status)).toEqual([201, 409, 201]);
    expect(await client.counts(name)).toEqual({ events: 2, distinct: 2 });
  });
});

describe("filter_path", () => {
  const answer = {
    took: 3,
    errors: true,
    items: [
      { create: { _id: "a", status: 201 } },
      { create: { _id: "b", status: 400, error: { type: "t", reason: "r", caused_by: { type: "c" } } } },
    ],
  };

  it.for<[string | null, unknown]>([
    [null, answer],
    ["errors", { errors: true }],
    ["nothing", undefined],
    ["items.*.status", { items: [{ create: { status: 201 } }, { create: { status: 400 } }] }],
    [
      "errors,items.*.status,items.*.error.type",
      {
        errors: true,
        items: [{ create: { status: 201 } }, { create: { status: 400, error: { type: "t" } } }],
      },
    ],
    ["items.*.error", { items: [{ create: { error: answer.items[1]?.create.error } }] }],
    ["items.c*e.s*", { items: [{ create: { status: 201 } }, { create: { status: 400 } }] }],
  ])("%s", ([paths, expected], { expect }) => {
    expect(applyFilterPath(answer, paths)).toEqual(expected);
  });
});
