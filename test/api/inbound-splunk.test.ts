import { gzipSync } from "node:zlib";
import { describe, it } from "vitest";
import { seconds } from "../../src/base/clock.ts";
import { AlertApi, INBOUND, type SentAlert } from "../support/alert-api.ts";
import { NOW } from "../support/fake-api.ts";

const native = (about: Readonly<Record<string, unknown>> = {}) => ({
  sid: "scheduler__admin__search__RMD5_at_1780000000_1",
  search_name: "Failed logins",
  app: "search",
  owner: "admin",
  results_link: "https://splunk.example.com/app/search/@go?sid=1",
  result: { host: "web-1", source: "/var/log/auth.log", severity: "critical", count: "17" },
  ...about,
});

async function ready(about: Readonly<Record<string, unknown>> = {}) {
  const sluice = new AlertApi();
  const { secret, id } = await sluice.source(about);
  const send = (body: unknown, more: SentAlert = {}) =>
    sluice.send({
      ...more,
      body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
      headers: { "X-Sluice-Secret": secret, ...more.headers },
    });
  const lastDraft = () => sluice.incidents.drafts.at(-1);
  return { sluice, id, send, lastDraft };
}

describe("an alert", () => {
  it("of Splunk's own webhook action is read with its row", async ({ expect }) => {
    const { send, lastDraft } = await ready();
    const { status, body } = await send(native());
    expect([status, body["priority"]]).toEqual([201, "P1"]);
    expect(lastDraft()).toMatchObject({
      shortDescription: "Failed logins",
      ciIdentifier: "web-1",
      severity: "critical",
      alert: native(),
    });
  });

  it("that Splunk sends again changes nothing", async ({ expect }) => {
    const { send } = await ready();
    const first = await send(native());
    const { result, ...rest } = native();
    const again = await send({ result, ...rest });
    expect([again.status, again.body["deduplicated"]]).toEqual([200, true]);
    expect(again.body["incident_id"]).toBe(first.body["incident_id"]);
  });

  it("for each result of one run is counted by its row", async ({ expect }) => {
    const { send, sluice } = await ready();
    const row = (host: string, count: string) => native({ result: { host, source: "s", count } });
    expect((await send(row("web-1", "1"))).status).toBe(201);
    expect((await send(row("web-2", "1"))).status).toBe(201);
    expect((await send(row("web-1", "2"))).status).toBe(200);
    const keys = sluice.incidents.drafts.map(({ alertKey, dedupKey }) => ({ alertKey, dedupKey }));
    expect(new Set(keys.map(({ alertKey }) => alertKey)).size).toBe(3);
    expect(new Set(keys.map(({ dedupKey }) => dedupKey)).size).toBe(2);
  });

  it("is the same trouble by the fields that the source names", async ({ expect }) => {
    const { send } = await ready({ dedup_fields: ["search_name", "result.user"] });
    const row = (user: string, host: string) => native({ sid: host, result: { user, host } });
    expect((await send(row("ann", "web-1"))).status).toBe(201);
    expect((await send(row("ann", "web-2"))).status).toBe(200);
    expect((await send(row("bob", "web-1"))).status).toBe(201);
  });

  it("is mapped as the source says, and an explicit priority wins over the severity", async ({ expect }) => {
    const { send, lastDraft } = await ready({
      severity_mapping: { Informational: "P4", high: "P1" },
      field_mapping: { short_description: "message", ci_identifier: "result.asset", source_ip: "src" },
    });
    await send({
      severity: "INFORMATIONAL",
      message: "line one\n line two",
      result: { asset: "db-7", src: ["10.0.0.1", "10.0.0.2"] },
    });
    expect(lastDraft()).toMatchObject({
      priority: "P4",
      shortDescription: "line one line two",
      ciIdentifier: "db-7",
      sourceIp: "10.0.0.1",
    });
    const priorities: unknown[] = [];
    for (const said of [
      { severity: "high" },
      { severity: "critical" },
      { severity: "odd" },
      { severity: "high", priority: "p3" },
      { severity: "high", stackflow_priority: 2 },
      { severity: "high", priority: "urgent" },
      { severity: "high", priority: "$result.priority$", stackflow_priority: "P4" },
    ]) {
      priorities.push((await send({ ...said, search_name: JSON.stringify(said) })).body["priority"]);
    }
    expect(priorities).toEqual(["P1", "P1", "P3", "P3", "P2", "P1", "P4"]);
  });

  it("counts tokens that nothing took the place of as absent, and a null search name too", async ({
    expect,
  }) => {
    const { send, lastDraft } = await ready();
    const { status } = await send({
      search_name: null,
      severity: "$result.severity$",
      host: "$result.host$",
      source: "",
      message: "$5 and $6 were lost",
      stackflow_priority: "$result.stackflow_priority$",
      stackflow_assignment_group: "$result.stackflow_assignment_group$",
      search_uri: "$job.searchId$",
      timestamp: "$trigger_time$",
    });
    expect(status).toBe(201);
    expect(lastDraft()).toMatchObject({
      alertKey: null,
      at: NOW,
      priority: "P3",
      severity: null,
      ciIdentifier: null,
      assignmentGroup: null,
      searchName: null,
      shortDescription: "$5 and $6 were lost",
    });
  });

  it("happened when it says, unless that is not believable", async ({ expect }) => {
    const { send, lastDraft } = await ready();
    const times: unknown[] = [];
    for (const timestamp of [
      String(NOW / 1_000 - 60),
      NOW / 1_000 - 60,
      "2026-06-30T13:59:00+02:00",
      String(NOW / 1_000 + 3_600),
      "noon",
      "-1",
    ]) {
      await send({ search_name: "x", timestamp });
      times.push(NOW - (lastDraft()?.at ?? 0));
    }
    expect(times).toEqual([60_000, 60_000, 60_000, 0, 0, 0]);
  });

  it("whose template put raw text into JSON is read all the same", async ({ expect }) => {
    const { send, lastDraft } = await ready();
    const { status } = await send(
      '{"search_name": "Errors", "message": "he said "no", then C:\\Users\\x\n\tand left", "result_count": $job.resultCount$}',
    );
    expect(status).toBe(201);
    expect(lastDraft()?.alert).toEqual({
      search_name: "Errors",
      message: 'he said "no", then C:\\Users\\x\n\tand left',
      result_count: null,
    });
  });

  it("is refused, and nothing is kept of it, where it is no JSON object", async ({ expect }) => {
    const { send, sluice } = await ready();
    const answers: unknown[] = [];
    for (const body of [
      "",
      "   ",
      "{",
      "search_name=x",
      "[]",
      "null",
      '"text"',
      "1",
      `${'{"a":'.repeat(40)}1${"}".repeat(40)}`,
    ]) {
      const { status, body: problem } = await send(body);
      answers.push([status, problem["code"]]);
    }
    expect(answers).toEqual([
      ...Array.from({ length: 4 }, () => [400, "malformed_json"]),
      ...Array.from({ length: 5 }, () => [422, "invalid_input"]),
    ]);
    expect(sluice.incidents.drafts).toEqual([]);
  });

  it("may come as plain text, without a type, or compressed, and as nothing else", async ({ expect }) => {
    const { send } = await ready();
    const ask = async (type: string, encoding?: string) => {
      const headers = {
        "Content-Type": type,
        ...(encoding === undefined ? {} : { "Content-Encoding": encoding }),
      };
      const body = encoding === "gzip" ? new Uint8Array(gzipSync("{}")) : "{}";
      return (await send(body, { headers })).status;
    };
    const fine = [
      "application/json",
      "application/json; charset=utf-8",
      "application/vnd.splunk+json",
      "text/plain",
      "text/plain; charset=UTF-8",
      "",
    ];
    for (const type of fine) expect([type, await ask(type)]).toEqual([type, expect.toBeOneOf([200, 201])]);
    expect(await ask("application/json", "gzip")).toBe(200);
    for (const type of [
      "application/x-www-form-urlencoded",
      "application/x-ndjson",
      "text/html",
      "text/plainer",
      "application/json; charset=latin1",
    ]) {
      expect([type, await ask(type)]).toEqual([type, 415]);
    }
    expect(await ask("application/json", "br")).toBe(415);
  });

  it("may have five megabytes and not one byte more, compressed or not", async ({ expect }) => {
    const { send, lastDraft } = await ready();
    const sized = (bytes: number) => `{"search_name":"x","message":"${"y".repeat(bytes - 32)}"}`;
    expect((await send(sized(5_000_000))).status).toBe(201);
    expect(JSON.stringify(lastDraft()?.alert).length).toBeLessThan(33_000);
    for (const body of [sized(5_000_001), new Uint8Array(gzipSync(sized(5_000_001)))]) {
      const headers = typeof body === "string" ? {} : { "Content-Encoding": "gzip" };
      const answer = await send(body, { headers });
      expect([answer.status, answer.body["code"]]).toEqual([413, "payload_too_large"]);
    }
  });

  it("cannot reach a prototype", async ({ expect }) => {
    const { send, lastDraft } = await ready({
      dedup_fields: ["__proto__.polluted", "constructor.name", "toString"],
    });
    const { status } = await send(
      '{"__proto__":{"polluted":"yes"},"constructor":"x","search_name":"a","\\u0000b":"c\\u0000d\\ud800"}',
    );
    expect(status).toBe(201);
    expect(lastDraft()?.alert).toEqual({ constructor: "x", search_name: "a", b: "cd\ufffd" });
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });
});

describe("the way in", () => {
  it("refuses alerts for a source that is switched off, and says so to whoever has its secret", async ({
    expect,
  }) => {
    const { send, sluice } = await ready({ enabled: false });
    const answer = await send({ search_name: "x" });
    expect([answer.status, answer.body["code"]]).toEqual([409, "conflict"]);
    expect((await sluice.send({})).status).toBe(401);
    expect(sluice.incidents.drafts).toEqual([]);
  });

  it("never shows a secret of the path in an answer or a log line", async ({ expect }) => {
    const sluice = new AlertApi();
    const { id, pathSecret } = await sluice.source({ allow_path_secret: true });
    const texts = await Promise.all(
      ["{}", "{", "[]"].map(
        async (body) => (await sluice.send({ path: `${INBOUND}/${id}/${pathSecret}`, body })).text,
      ),
    );
    texts.push((await sluice.send({ path: `${INBOUND}/${id}/${pathSecret}/more` })).text);
    sluice.api.sources.isDown = true;
    sluice.api.at += seconds(60);
    texts.push((await sluice.send({ path: `${INBOUND}/${id}/${pathSecret}` })).text);
    expect(JSON.stringify([texts, sluice.api.logged])).not.toContain(pathSecret);
  });

  it("never redirects, and answers a GET with what it understands", async ({ expect }) => {
    const sluice = new AlertApi();
    for (const path of [INBOUND, `${INBOUND}/`, `${INBOUND}//`, `/prod${INBOUND}/src_1/`, "/prod"]) {
      const { status, headers } = await sluice.send({ path });
      expect([path, status >= 300 && status < 400, headers.get("location")]).toEqual([path, false, null]);
    }
    const got = await sluice.api.json("GET", INBOUND);
    expect([got.status, got.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  });

  it("asks the database once in ten seconds for a stream of alerts", async ({ expect }) => {
    const { send, sluice } = await ready();
    for (let count = 0; count < 20; count += 1) await send({ search_name: "x" });
    expect(sluice.api.sources.lookUps).toBe(1);
    sluice.api.at += seconds(10);
    await send({ search_name: "x" });
    expect(sluice.api.sources.lookUps).toBe(2);
  });

  it("asks to come back where the database does not answer", async ({ expect }) => {
    const { send, sluice } = await ready();
    sluice.api.sources.isDown = true;
    const answer = await send({ search_name: "x" });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(sluice.api.logged.map(({ what }) => what)).toContain("alert.not_taken");
  });
});
