/** Splunk's search REST API, over HTTP: who may search, jobs and pages, the clock, and what a window sees. */
import { randomUUID } from "node:crypto";
import { describe, it } from "vitest";
import type { Notable, SplunkSearchConfig } from "./client.ts";
import { type Answer, useSimulator } from "./harness.ts";
import { makeNotables } from "./splunk-search-notables.ts";

const simulated = useSimulator();

const USER = { username: "admin", password: "a:password" };
const BASIC = `Basic ${Buffer.from("admin:a:password").toString("base64")}`;
const BEARER = "Bearer eyJ.token";
const V2 = "/services/search/v2/jobs";
const V1 = "/services/search/jobs";
const ES = "SplunkEnterpriseSecuritySuite";
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

type Given = Readonly<Record<string, string>>;

async function splunk(config: Partial<SplunkSearchConfig> = {}) {
  const client = simulated.client();
  const name = `search-${randomUUID()}`;
  const url = await client.splunkSearch(name, { users: [USER], tokens: ["eyJ.token"], ...config });
  const call = async (
    method: string,
    path: string,
    given: Given = {},
    authorization: string | null = BEARER,
  ): Promise<Answer> => {
    const form = new URLSearchParams({ output_mode: "json", ...given });
    const headers = authorization === null ? {} : { authorization };
    const response =
      method === "POST"
        ? await fetch(`${url}${path}`, { method, headers, body: form })
        : await fetch(`${url}${path}?${form}`, { method, headers });
    const text = await response.text();
    const json = text.startsWith("{") && !text.includes("}\n{") ? JSON.parse(text) : null;
    return { status: response.status, text, json, headers: response.headers };
  };
  const oneshot = (search: string, given: Given = {}, path = V2): Promise<Answer> =>
    call("POST", path, { search, exec_mode: "oneshot", ...given });
  return {
    name,
    client,
    url,
    call,
    oneshot,
    ids: async (search: string, given: Given = {}) =>
      rowsOf(await oneshot(search, { count: "0", ...given })).map((row) => row["event_id"]),
    rules: async () => (await client.summary(name)).violations.map(({ rule }) => rule),
  };
}

function rowsOf({ json }: Answer): readonly Record<string, unknown>[] {
  return typeof json === "object" && json !== null && "results" in json && Array.isArray(json.results)
    ? json.results
    : [];
}

function contentOf({ json }: Answer): unknown {
  return typeof json === "object" && json !== null && "entry" in json && Array.isArray(json.entry)
    ? json.entry[0].content
    : null;
}

const message = (type: string, text: unknown) => ({ messages: [{ type, text }] });

function notable(id: string, more: Partial<Notable> = {}): Notable {
  const at = nowSeconds() - 60;
  return {
    _time: at,
    _indextime: at,
    event_id: id,
    status: "1",
    status_label: "New",
    severity: "high",
    ...more,
  };
}

describe("who may search", () => {
  it.for([BASIC, BEARER])("%s does", async (authorization, { expect }) => {
    const { call } = await splunk();
    expect((await call("POST", V2, { search: "| makeresults" }, authorization)).status).toBe(201);
  });

  it.for<[string | null, number, string, string, boolean]>([
    [null, 401, "ERROR", "Unauthorized", true],
    ["Basic eDp5", 401, "ERROR", "Unauthorized", true],
    ["Digest x", 401, "ERROR", "Unauthorized", true],
    ["Bearer wrong", 401, "WARN", "call not properly authenticated", false],
    ["Splunk wrong", 401, "WARN", "call not properly authenticated", false],
  ])("%s does not", async ([authorization, status, type, text, isChallenged], { expect }) => {
    const { call, rules } = await splunk();
    const answer = await call("POST", V2, { search: "| makeresults" }, authorization);
    expect([answer.status, answer.json]).toEqual([status, message(type, text)]);
    expect(answer.headers.get("www-authenticate")).toBe(isChallenged ? 'Basic realm="/splunk"' : null);
    expect(await rules()).toEqual(["splunk_search_401"]);
  });

  it("a session key does, until it ends", async ({ expect }) => {
    const { call, client, name, rules } = await splunk();
    const answer = await call("POST", "/services/auth/login", USER, null);
    expect([answer.status, answer.json]).toEqual([
      200,
      { sessionKey: expect.any(String), message: "", code: "" },
    ]);
    const key = `Splunk ${Object(answer.json).sessionKey}`;
    expect((await call("POST", V2, { search: "| makeresults" }, key)).status).toBe(201);
    await client.endSessions(name);
    const ended = await call("POST", V2, { search: "| makeresults" }, key);
    expect([ended.status, ended.json]).toEqual([401, message("WARN", "call not properly authenticated")]);
    expect(await rules()).toEqual([]);
  });

  it("a login with a wrong password is refused in Splunk's words", async ({ expect }) => {
    const { call } = await splunk();
    const answer = await call("POST", "/services/auth/login", { ...USER, password: "x" }, null);
    const code = "incorrect_username_or_password";
    expect([answer.status, answer.json]).toEqual([
      401,
      { messages: [{ type: "WARN", code, text: "Login failed" }] },
    ]);
  });

  it("good credentials may be forbidden to search, and that breaks no rule", async ({ expect }) => {
    const { call, rules } = await splunk({ forbidden: true });
    const answer = await call("POST", V2, { search: "| makeresults" });
    expect([answer.status, answer.json]).toEqual([
      403,
      message("WARN", "insufficient permission to access this resource"),
    ]);
    expect(await rules()).toEqual([]);
  });
});

describe("a job", () => {
  it("is not ready, then queued, parsing, running and done; then it has results", async ({ expect }) => {
    const { call, client, name } = await splunk({ polls_until_done: 5 });
    await client.loadNotables(name, [notable("a@@notable@@1")]);
    const made = await call("POST", V2, { search: "search `notable` | table event_id" });
    expect([made.status, made.json]).toEqual([201, { sid: expect.stringMatching(/^\d+\.1$/) }]);
    const path = `${V2}/${Object(made.json).sid}`;
    const look = async (): Promise<unknown> => {
      const answer = await call("GET", path);
      return answer.status === 204 ? answer.text : Object(contentOf(answer)).dispatchState;
    };
    expect([await look(), await look(), await look()]).toEqual(["", "QUEUED", "PARSING"]);
    expect((await call("POST", `${path}/results`)).status).toBe(204);
    expect([await look(), await look()]).toEqual(["RUNNING", "DONE"]);
    expect(contentOf(await call("GET", path))).toMatchObject({
      isDone: true,
      isFailed: false,
      resultCount: 1,
    });
    expect((await call("POST", `${path}/results`)).json).toEqual({
      preview: false,
      init_offset: 0,
      messages: [],
      fields: [{ name: "event_id" }],
      results: [{ event_id: "a@@notable@@1" }],
      highlighted: {},
    });
  });

  it("has in v1 its results by GET, and in v2 by POST", async ({ expect }) => {
    const { call, rules } = await splunk({ polls_until_done: 0 });
    for (const [base, good, bad] of [
      [V1, "GET", "POST"],
      [`/servicesNS/nobody/${ES}/search/v2/jobs`, "POST", "GET"],
    ] as const) {
      const { json } = await call("POST", base, { search: "| makeresults" });
      const path = `${base}/${Object(json).sid}/results`;
      expect([(await call(good, path)).status, (await call(bad, path)).status]).toEqual([200, 405]);
    }
    expect(await rules()).toEqual(["wrong_method"]);
  });

  it("keeps the rows of the moment when it was made", async ({ expect }) => {
    const { call, client, name } = await splunk({ polls_until_done: 0 });
    await client.loadNotables(name, [notable("a")]);
    const { json } = await call("POST", V2, { search: "search `notable`" });
    await client.loadNotables(name, [notable("b")]);
    expect(rowsOf(await call("POST", `${V2}/${Object(json).sid}/results`))).toHaveLength(1);
  });

  it("is unknown once cancelled, deleted or expired; one that never was breaks a rule", async ({
    expect,
  }) => {
    const { call, client, name, rules } = await splunk();
    const make = async () =>
      `${V2}/${Object((await call("POST", V2, { search: "| makeresults" })).json).sid}`;
    const [cancelled, deleted, expired] = [await make(), await make(), await make()];
    expect((await call("POST", `${cancelled}/control`, { action: "cancel" })).status).toBe(200);
    expect((await call("DELETE", deleted)).status).toBe(200);
    expect(await client.searchJobs(name)).toMatchObject([{ search: "| makeresults", rows: 1, polls: 0 }]);
    await client.expireJobs(name, expired.slice(V2.length + 1));
    for (const path of [cancelled, deleted, expired]) {
      const answer = await call("GET", path);
      expect([answer.status, answer.json]).toEqual([404, message("FATAL", "Unknown sid.")]);
    }
    expect(await rules()).toEqual([]);
    expect((await call("GET", `${V2}/1.1`)).status).toBe(404);
    expect(await rules()).toEqual(["splunk_search_404"]);
  });

  it("fails with messages when an eval cannot run", async ({ expect }) => {
    const { call } = await splunk({ polls_until_done: 0 });
    const { json, status } = await call("POST", V2, { search: "| makeresults | eval a=nosuchfunc(1)" });
    const text = "Error in 'EvalCommand': The 'nosuchfunc' function is unsupported or undefined.";
    expect([status, contentOf(await call("GET", `${V2}/${Object(json).sid}`))]).toMatchObject([
      201,
      {
        dispatchState: "FAILED",
        isFailed: true,
        messages: [
          { type: "FATAL", text },
          { type: "ERROR", text },
        ],
      },
    ]);
  });
});

describe("what a Splunk says of itself", () => {
  it.for(["/services/server/info", "/services/authentication/current-context"])(
    "%s is open to a good key alone",
    async (path, { expect }) => {
      const { call } = await splunk();
      expect((await call("GET", path, {}, "Bearer wrong")).status).toBe(401);
      expect(contentOf(await call("GET", path))).toMatchObject({
        version: expect.stringMatching(/^\d+\.\d+/),
      });
    },
  );
});

describe("what is refused", () => {
  it.for<[Given, RegExp]>([
    [{}, /^The required 'search' parameter/],
    [{ search: "index=notable" }, /^Unknown search command 'index'\.$/],
    [{ search: "| nosuchcmd" }, /^Unknown search command 'nosuchcmd'\.$/],
    [{ search: "search `notable` | nosuchcmd" }, /^Unknown search command 'nosuchcmd'\.$/],
    [{ search: 'search a="b' }, /Mismatched quotes/],
    [{ search: "| makeresults", earliest_time: "soon" }, /^Invalid earliest_time\.$/],
    [{ search: "search `no_macro`" }, /The search specifies a macro 'no_macro' that cannot be found/],
    [{ search: "| makeresults", exec_mode: "oneshot", count: "all" }, /whole numbers/],
  ])("%j", async ([given, text], { expect }) => {
    const { call, rules } = await splunk();
    const answer = await call("POST", V2, given);
    expect([answer.status, answer.json]).toMatchObject([400, message("FATAL", expect.stringMatching(text))]);
    expect(await rules()).toEqual(["splunk_search_400"]);
  });

  it("a body that is no form is not read", async ({ expect }) => {
    const { url } = await splunk();
    const headers = { authorization: BEARER, "content-type": "application/json" };
    const body = JSON.stringify({ search: "| makeresults" });
    const answer = await fetch(`${url}${V2}?output_mode=json`, { method: "POST", headers, body });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("required 'search'")]);
  });

  it("without output_mode the answer is XML, and that is noticed", async ({ expect }) => {
    const { call, rules } = await splunk();
    const answer = await call("POST", V2, { search: "| makeresults", output_mode: "xml" });
    expect(answer.text).toMatch(/<response><sid>\d+\.1<\/sid><\/response>$/);
    expect(await rules()).toEqual(["output_mode_missing"]);
  });

  it("paths that are none, and those of v2 where it is not there yet", async ({ expect }) => {
    const { call, rules } = await splunk({ disable_v2: true });
    const absent = await call("POST", V2, { search: "| makeresults" });
    expect([absent.status, absent.json]).toEqual([404, message("ERROR", "Not Found")]);
    expect((await call("POST", V1, { search: "| makeresults" })).status).toBe(201);
    expect(await rules()).toEqual([]);
    expect((await call("GET", "/services/search/v3/jobs")).status).toBe(404);
    expect(await rules()).toEqual(["unknown_path"]);
  });
});

describe("macros", () => {
  it("are seen in their app alone", async ({ expect }) => {
    const { oneshot, client, name } = await splunk({ macro_app: ES });
    await client.loadNotables(name, [notable("a")]);
    const search = "search `notable` | `get_urgency` | `risk_correlation`";
    expect((await oneshot(search)).status).toBe(400);
    expect((await oneshot(search, {}, "/servicesNS/nobody/search/search/v2/jobs")).status).toBe(400);
    expect(rowsOf(await oneshot(search, {}, `/servicesNS/nobody/${ES}/search/v2/jobs`))).toHaveLength(1);
  });

  it.for([
    ["messages", "FATAL", 0],
    ["messages_and_rows", "ERROR", 1],
  ] as const)("that are missing can be %s inside a 200", async ([missing_macro, type, rows], { expect }) => {
    const { oneshot, client, name, rules } = await splunk({ macros: [], missing_macro });
    await client.loadNotables(name, [notable("a")]);
    const answer = await oneshot("search `notable`");
    expect([answer.status, answer.json]).toMatchObject([
      200,
      message(type, expect.stringMatching(/'notable'/)),
    ]);
    expect([rowsOf(answer).length, await rules()]).toEqual([rows, []]);
  });
});

describe("a search", () => {
  const three = [
    notable("a", { severity: "high", owner: "Ann Lee", _time: 100, _indextime: 110 }),
    notable("b", { severity: "low", urgency: "12", _time: 300, _indextime: 310, mv: ["x", "y"] }),
    notable("c", {
      severity: "HIGH",
      urgency: "9",
      _time: 200,
      _indextime: 500,
      status: "5",
      status_label: "Closed",
    }),
  ];

  it.for<[string, readonly string[]]>([
    ["search `notable`", ["b", "c", "a"]],
    ["search index=notable", ["b", "c", "a"]],
    ["search index=main", []],
    ["search severity=high", []],
    ["search `notable` severity=high", ["c", "a"]],
    ["search `notable` severity!=high", ["b"]],
    ["search `notable` urgency!=9", ["b"]],
    ["search `notable` NOT severity=high", ["b"]],
    ['search `notable` (severity=low OR owner="ann *")', ["b", "a"]],
    ["search `notable` event_id IN (a, b)", ["b", "a"]],
    ["search `notable` mv=y", ["b"]],
    ["search `notable` urgency>9", ["b"]],
    ['search `notable` "Ann Lee"', ["a"]],
    ["search index=notable | search status=new", ["b", "a"]],
    ['search `notable` | where severity="low"', ["b"]],
    ["search `notable` | where isnotnull(urgency)", ["b", "c"]],
    ['search `notable` | where severity="low" OR (owner="Ann Lee" AND NOT isnull(\'owner\'))', ["b", "a"]],
    ["search `notable` | where _indextime>=310 AND _indextime<500", ["b"]],
    ["search `notable` | head 2", ["b", "c"]],
    ["search `notable` | sort _time", ["a", "c", "b"]],
    ["search `notable` | sort 0 - urgency, event_id", ["b", "c", "a"]],
    ["search `notable` | sort 2 -_indextime", ["c", "b"]],
    ["search `notable` | dedup severity", ["b", "c", "a"]],
    ["search `notable` | eval severity=lower(severity) | dedup severity", ["b", "c"]],
    ["search `notable` earliest=150 latest=300", ["c"]],
    ["search `notable` _index_earliest=110 _index_latest=500", ["b", "a"]],
  ])("%s finds %j", async ([search, found], { expect }) => {
    const { ids, client, name, rules } = await splunk();
    await client.loadNotables(name, three);
    expect(await ids(search)).toEqual(found);
    expect(await rules()).toEqual([]);
  });

  it("shows what table, fields, rename and eval leave of a row, every value as text", async ({ expect }) => {
    const { oneshot, client, name } = await splunk();
    await client.loadNotables(name, three.slice(0, 2));
    const row = async (search: string) =>
      rowsOf(await oneshot(`search \`notable\` event_id=b | ${search}`))[0];
    expect(await row("table _time, _indextime, mv, none")).toEqual({
      _time: "1970-01-01T00:05:00.000+00:00",
      _indextime: "310",
      mv: ["x", "y"],
    });
    expect(Object.keys((await row("fields event_id severity")) ?? {})).toEqual([
      "event_id",
      "severity",
      "_raw",
      "_time",
    ]);
    expect(await row('eval at=_time, who=coalesce(owner, "-"), x="a".event_id | table at who x')).toEqual({
      at: "300",
      who: "-",
      x: "ab",
    });
    expect(await row("eval t=if(isnull(owner),severity,owner) | rename t as title | table ti*")).toEqual({
      title: "low",
    });
    expect(await row("fields - _* mv index | table *")).not.toHaveProperty("mv");
  });

  it("of the set-up page runs as it stands there, behind the word search", async ({ expect }) => {
    const { ids, client, name } = await splunk();
    await client.loadNotables(name, [notable("new"), notable("old", { _time: nowSeconds() - 1000 })]);
    const page =
      "index=notable | search status=new earliest=-15m | table event_id, rule_name, severity, dest, src, owner";
    expect(await ids(`search ${page}`)).toEqual(["new"]);
  });

  it("takes the bounds given beside it, relative to Splunk's clock; its own win", async ({ expect }) => {
    const { ids, client, name } = await splunk({ clock_offset_ms: 3_600_000 });
    await client.loadNotables(name, [notable("a")]);
    expect(await ids("search `notable`", { earliest_time: "-15m" })).toEqual([]);
    expect(await ids("search `notable`", { earliest_time: "-2h", latest_time: "now" })).toEqual(["a"]);
    expect(await ids("search `notable`", { index_earliest: "-15m" })).toEqual([]);
    expect(await ids("search `notable` _index_earliest=-2h", { index_earliest: "-15m" })).toEqual(["a"]);
    expect(await ids("search `notable`", { index_latest: `${nowSeconds() - 60}.5` })).toEqual(["a"]);
  });

  it("for the clock answers Splunk's, which may be off", async ({ expect }) => {
    const { oneshot, client, name } = await splunk({ clock_offset_ms: 180_000 });
    const answer = await oneshot("| makeresults | eval now=now(), exact=time() | table now exact _time");
    const [row] = rowsOf(answer);
    const off = Number(row?.["now"]) - Date.now() / 1000;
    expect(off).toBeGreaterThan(178);
    expect(off).toBeLessThan(181);
    expect(Math.floor(Number(row?.["exact"]))).toBeGreaterThanOrEqual(Number(row?.["now"]));
    expect(Math.abs((await client.splunkClock(name)) - Number(row?.["now"]))).toBeLessThan(5);
  });
});

describe("pages", () => {
  const at = nowSeconds() - 3600;
  const many = makeNotables({ count: 250, startAt: at, spanSeconds: 600 });

  it("hold a hundred rows unless told otherwise, and never more than the server allows", async ({
    expect,
  }) => {
    const { oneshot, client, name } = await splunk({ max_result_rows: 120 });
    await client.loadNotables(name, many);
    const page = async (given: Given) => rowsOf(await oneshot("search `notable`", given)).length;
    const latest = { latest_time: String(nowSeconds()) };
    expect(await page({})).toBe(100);
    expect(await page({ count: "0" })).toBe(120);
    expect(await page({ count: "500" })).toBe(120);
    expect(await page({ ...latest, count: "100", offset: "200" })).toBe(50);
    expect(await page({ ...latest, offset: "250" })).toBe(0);
  });

  it("join to the whole without a gap or a repeat", async ({ expect }) => {
    const { call, client, name, rules } = await splunk({ polls_until_done: 0 });
    await client.loadNotables(name, many);
    const { json } = await call("POST", V2, { search: "search `notable` | sort 0 _indextime event_id" });
    for (let offset = 0; offset < 250; offset += 60)
      await call("POST", `${V2}/${Object(json).sid}/results`, { count: "60", offset: String(offset) });
    expect(await client.events(name)).toMatchObject({ events: 250, distinct: 250 });
    expect(await rules()).toEqual([]);
  });

  it("of a window whose end moves are noticed, and so is a post-process search", async ({ expect }) => {
    const { call, oneshot, rules } = await splunk({ polls_until_done: 0 });
    await oneshot("search `notable`", { offset: "100", latest_time: "now" });
    const { json } = await call("POST", V2, { search: "search `notable`" });
    await call("POST", `${V2}/${Object(json).sid}/results`, { search: "search a=b" });
    expect(await rules()).toEqual(["live_window_paged", "post_process_search"]);
  });

  it("of a sort without a number end at ten thousand", async ({ expect }) => {
    const { oneshot, client, name } = await splunk();
    await client.generateNotables(name, { count: 10_001, startAt: at - 3600 });
    const rows = async (search: string) => rowsOf(await oneshot(search, { count: "0" })).length;
    expect(await rows("search `notable` | sort _time | table _time")).toBe(10_000);
    expect(await rows("search `notable` | sort 0 _time | table _time")).toBe(10_001);
  });
});

describe("an export", () => {
  const lines = ({ text }: Answer) =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));

  it("is an object on each line, previews first, and the last row says so", async ({ expect }) => {
    const { call, client, name } = await splunk({ export_previews: 1 });
    await client.loadNotables(name, [notable("a", { _time: 100.5 }), notable("b", { _time: 90 })]);
    const search = "search `notable` | table _time event_id";
    const [a, b] = [
      { _time: "1970-01-01 00:01:40.500 GMT", event_id: "a" },
      { _time: "1970-01-01 00:01:30.000 GMT", event_id: "b" },
    ];
    expect(lines(await call("POST", `${V2}/export`, { search }))).toEqual([
      { preview: true, offset: 0, lastrow: true, result: a },
      { preview: false, offset: 0, result: a },
      { preview: false, offset: 1, lastrow: true, result: b },
    ]);
    expect(lines(await call("GET", `${V1}/export`, { search }))).toHaveLength(3);
  });

  it("of nothing is a last line without a result; one that fails says nothing that ends it", async ({
    expect,
  }) => {
    const { call, client, name } = await splunk();
    const none = await call("POST", `${V2}/export`, { search: "search `notable`" });
    expect(lines(none)).toEqual([{ preview: false, lastrow: true }]);
    await client.configure(name, { macros: [], missing_macro: "messages" });
    const failed = await call("POST", `${V2}/export`, { search: "search `notable`" });
    expect([failed.status, lines(failed)]).toMatchObject([200, [{ messages: [{ type: "FATAL" }] }]]);
  });
});

describe("notables", () => {
  it("that are indexed late are seen when Splunk's clock has reached it", async ({ expect }) => {
    const { ids, client, name } = await splunk();
    await client.loadNotables(name, [notable("a"), notable("late", { _indextime: nowSeconds() + 120 })]);
    expect(await ids("search `notable`")).toEqual(["a"]);
    expect(await client.notables(name)).toMatchObject({ notables: 2, visible: 1 });
    await client.configure(name, { clock_offset_ms: 121_000 });
    expect([...(await ids("search `notable`"))].sort()).toEqual(["a", "late"]);
  });

  it("change under the same event_id, and keep both of their times", async ({ expect }) => {
    const { oneshot, client, name } = await splunk();
    const id = "0A/b@@notable@@time1";
    await client.loadNotables(name, [notable(id, { _time: 100, _indextime: 200 })]);
    await client.updateNotable(name, id, { status: "2", owner: "ann", urgency: "low" });
    const search = "search `notable` | table event_id status owner _indextime";
    expect(rowsOf(await oneshot(search))).toEqual([
      { event_id: id, status: "2", owner: "ann", _indextime: "200" },
    ]);
    await expect(client.updateNotable(name, "none", { owner: "x" })).rejects.toThrow(/event_id none/);
  });

  it("are made alike by the control call and by the function", async ({ expect }) => {
    const { client, name } = await splunk();
    const options = { count: 40, seed: 3, startAt: 1000, lateShare: 0.25, es: 8 } as const;
    expect(await client.generateNotables(name, options)).toEqual({ notables: 40, visible: 40 });
    const { page } = await client.notables(name);
    expect(page.map(({ event_id: id }) => id)).toEqual(makeNotables(options).map(({ event_id: id }) => id));
  });

  it.for<[7 | 8, RegExp]>([
    [7, /^[0-9A-F]{8}-([0-9A-F]{4}-){3}[0-9A-F]{12}@@notable@@[0-9a-f]{32}$/],
    [8, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}@@notable@@time\d+$/],
  ])("of ES %d have ids of its form, none twice", ([es, form], { expect }) => {
    const made = makeNotables({
      count: 5000,
      seed: 7,
      lateShare: 1 / 3,
      maxLateSeconds: 840,
      es,
      startAt: 1000,
    });
    expect(new Set(made.map(({ event_id: id }) => id)).size).toBe(5000);
    expect(made.every(({ event_id: id }) => form.test(id))).toBe(true);
    const lags = made.map(({ _time, _indextime }) => _indextime - _time);
    expect([Math.min(...lags), Math.max(...lags)]).toEqual([0, 840]);
    expect(made.every(({ _time }) => _time >= 1000 && _time < 4600)).toBe(true);
  });

  it("that are late make up the share that was asked for", ({ expect }) => {
    const made = makeNotables({ count: 300, lateShare: 1 / 3, maxLateSeconds: 100_000, startAt: 0 });
    expect(made.filter(({ _time, _indextime }) => _indextime - _time > 2).length).toBeGreaterThanOrEqual(99);
    expect(made.filter(({ _time, _indextime }) => _indextime - _time > 2).length).toBeLessThanOrEqual(100);
  });

  it("that are malformed are refused, and so are settings", async ({ expect }) => {
    const { client, name } = await splunk();
    await expect(client.loadNotables(name, [{ event_id: "a" } as Notable])).rejects.toThrow(/_indextime/);
    await expect(client.generateNotables(name, { count: 1 } as never)).rejects.toThrow(/startAt/);
    await expect(client.splunkSearch("bad", {})).rejects.toThrow(/needs .*users.* or .*tokens/);
    await expect(client.configure(name, { macro: [] } as never)).rejects.toThrow(/has no .*macro/);
  });
});

describe("faults", () => {
  it("put messages into a 200, with rows or without", async ({ expect }) => {
    const { oneshot, call, client, name, rules } = await splunk({ polls_until_done: 0 });
    await client.loadNotables(name, [notable("a")]);
    const messages = [{ type: "ERROR", text: "Search peer idx-2 is down." }] as const;
    const { json } = await call("POST", V2, { search: "search `notable`" });
    await client.fault(name, { mode: "messages", messages, times: 2 });
    const results = await call("POST", `${V2}/${Object(json).sid}/results`);
    expect([results.status, results.json]).toMatchObject([200, { messages, results: [] }]);
    expect(rowsOf(await oneshot("search `notable`"))).toEqual([]);
    expect(rowsOf(await oneshot("search `notable`"))).toHaveLength(1);
    await client.fault(name, { mode: "messages", messages, rows: true });
    expect((await oneshot("search `notable`")).json).toMatchObject({
      messages,
      results: [{ event_id: "a" }],
    });
    expect(await rules()).toEqual([]);
  });

  it("make a page shorter than it could be, and count only where they did", async ({ expect }) => {
    const { oneshot, client, name } = await splunk();
    await client.generateNotables(name, { count: 10, startAt: nowSeconds() - 4000 });
    await client.fault(name, { mode: "short_page", rows: 3, times: 1 });
    const sizes = [];
    for (const count of ["3", "10", "10"])
      sizes.push(rowsOf(await oneshot("search `notable`", { count })).length);
    expect(sizes).toEqual([3, 3, 10]);
  });

  it("of any server strike here too, at one door if so wanted", async ({ expect }) => {
    const { call, oneshot, client, name } = await splunk({ polls_until_done: 0 });
    await client.fault(name, { mode: "status", status: 503, paths: ["results"] });
    const { json, status } = await call("POST", V2, { search: "| makeresults" });
    const results = await call("POST", `${V2}/${Object(json).sid}/results`);
    expect([status, results.status, results.json]).toMatchObject([
      201,
      503,
      message("ERROR", "Service Unavailable"),
    ]);
    await client.fault(name, { mode: "reset" });
    await expect(oneshot("| makeresults")).rejects.toThrow();
  });

  it("that belong to others are refused, and its own to others", async ({ expect }) => {
    const { client, name } = await splunk();
    await expect(client.fault(name, { mode: "poison", pattern: "x" })).rejects.toThrow(/no poison/);
    await expect(client.fault(name, { mode: "code", code: 9 })).rejects.toThrow(/only splunk/);
    const hec = await simulated.splunk();
    await expect(client.fault(hec.name, { mode: "short_page", rows: 1 })).rejects.toThrow(
      /only splunk-search/,
    );
    await expect(
      client.fault(name, { mode: "messages", messages: [{ type: "BAD" as "WARN", text: "" }] }),
    ).rejects.toThrow(/a list of/);
  });
});

describe("the simulator's control API", () => {
  it("has notables of Splunk's search alone", async ({ expect }) => {
    const hec = await simulated.splunk();
    await expect(hec.client.notables(hec.name)).rejects.toThrow(/405/);
  });

  it("forgets jobs and sessions at a reset, and keeps the notables", async ({ expect }) => {
    const { call, client, name } = await splunk();
    await client.loadNotables(name, [notable("a")]);
    const { json } = await call("POST", V2, { search: "search `notable`" });
    await client.reset(name);
    expect((await call("GET", `${V2}/${Object(json).sid}`)).status).toBe(404);
    expect(await client.notables(name)).toMatchObject({ notables: 1 });
  });
});
