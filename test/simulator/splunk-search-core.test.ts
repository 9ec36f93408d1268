/** The search API without HTTP, as a test inside workerd uses it: a clock of one's own, and nothing of Node. */
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { SplunkSearch } from "./splunk-search-core.ts";
import { searchFetch } from "./splunk-search-fetch.ts";
import { makeNotables } from "./splunk-search-notables.ts";
import { splunkTime } from "./splunk-search-time.ts";

const START = Date.UTC(2026, 10, 20, 12) / 1000;

function world(config: { clock_offset_ms?: number } = {}) {
  const broken: string[] = [];
  const splunk = new SplunkSearch({ tokens: ["t"], ...config }, (rule) => broken.push(rule));
  const clock = { seconds: START };
  const fetch = searchFetch(splunk, { now: () => clock.seconds * 1000, base: "/es" });
  const search = async (text: string, given: Record<string, string> = {}) => {
    const body = new URLSearchParams({ output_mode: "json", exec_mode: "oneshot", search: text, ...given });
    const headers = { authorization: "Bearer t" };
    const url = "https://splunk.test:8089/es/services/search/v2/jobs";
    const response = await fetch(url, { method: "POST", headers, body });
    const answer: { results: readonly { event_id: string }[] } = JSON.parse(await response.text());
    return answer.results;
  };
  return { splunk, clock, search, broken };
}

describe("Splunk in the same process", () => {
  it("runs on the test's clock, and its own is off by what was said", async ({ expect }) => {
    const { search, clock } = world({ clock_offset_ms: -180_000 });
    const ask = () => search("| makeresults | eval now=now() | table now");
    expect(await ask()).toEqual([{ now: String(START - 180) }]);
    clock.seconds += 60;
    expect(await ask()).toEqual([{ now: String(START - 120) }]);
  });

  it("loses late notables to whoever polls by their time, and none to who polls by index time", async ({
    expect,
  }) => {
    const { splunk, clock, search, broken } = world();
    splunk.notables.load(
      makeNotables({ count: 300, lateShare: 1 / 3, maxLateSeconds: 840, startAt: START, spanSeconds: 1800 }),
    );
    const seen = { byTime: new Set<string>(), byIndexTime: new Set<string>() };
    for (let from = START; from < START + 3600; from += 300) {
      clock.seconds = from + 300;
      const [earliest, latest] = [String(from), String(from + 300)];
      const rows = (bounds: Record<string, string>) => search("search `notable`", { count: "0", ...bounds });
      for (const { event_id: id } of await rows({ earliest_time: earliest, latest_time: latest }))
        seen.byTime.add(id);
      for (const { event_id: id } of await rows({ index_earliest: earliest, index_latest: latest }))
        seen.byIndexTime.add(id);
    }
    expect(seen.byTime.size).toBeLessThan(260);
    expect([seen.byIndexTime.size, broken]).toEqual([300, []]);
  });

  it("forgets a session and a job that nobody uses for long enough, and not before", ({ expect }) => {
    const splunk = new SplunkSearch({
      users: [{ username: "u", password: "p" }],
      session_ttl_ms: 60_000,
      job_ttl_ms: 10_000,
      polls_until_done: 0,
    });
    const call = (now: number, method: string, path: string, body: Record<string, string>, key = "") =>
      splunk.handle(
        {
          method,
          path: `/services/${path}`,
          query: new URLSearchParams({ output_mode: "json" }),
          authorization: `Splunk ${key}`,
          contentType: null,
          body: String(new URLSearchParams(body)),
        },
        now,
      );
    const { sessionKey } = JSON.parse(call(0, "POST", "auth/login", { username: "u", password: "p" }).body);
    const { sid } = JSON.parse(
      call(0, "POST", "search/v2/jobs", { search: "| makeresults" }, sessionKey).body,
    );
    const look = (now: number): number => call(now, "GET", `search/v2/jobs/${sid}`, {}, sessionKey).status;
    expect([look(10_000), look(20_000), look(30_001), look(90_001), look(150_002)]).toEqual([
      200, 200, 404, 404, 401,
    ]);
  });

  it("needs nothing of Node, nor does whoever fires alerts", ({ expect }) => {
    const files = new Set<string>();
    const walk = (name: string): void => {
      if (files.has(name)) return;
      files.add(name);
      const source = readFileSync(new URL(name, import.meta.url), "utf8");
      expect(source, name).not.toMatch(/"node:|\bBuffer\.|\bprocess\./);
      for (const [, next] of source.matchAll(/from "(\.\/[^"]+)"/g)) walk(String(next));
    };
    for (const root of ["core", "fetch", "notables"]) walk(`./splunk-search-${root}.ts`);
    walk("./splunk-alerts.ts");
    expect(files.size).toBeGreaterThan(12);
  });
});

describe("a time", () => {
  it.for<[string, number | null]>([
    ["now", START],
    ["1700000000", 1_700_000_000],
    ["1700000000.5", 1_700_000_000.5],
    ["-15m", START - 900],
    ["-m", START - 60],
    ["+2h", START + 7200],
    ["-1d@d", START - 86_400 - 43_200],
    ["@h", START],
    ["@w", Date.UTC(2026, 10, 15) / 1000],
    ["2026-11-20T12:00:00Z", START],
    ["-15x", null],
    ["", null],
    ["tomorrow", null],
  ])("%s is %s", ([text, at], { expect }) => {
    expect(splunkTime(text, START + 0.4)).toBe(at);
  });
});
