import { describe, it } from "vitest";
import { ownTimeBound, searchApp, searchText } from "../../../src/flow/collect/search-text.ts";

describe("a search text", () => {
  const texts: readonly (readonly [given: string, sent: string])[] = [
    ["index=notable", "search index=notable"],
    ["  index=notable ", "search index=notable"],
    ["search index=notable", "search index=notable"],
    ["SEARCH index=notable", "SEARCH index=notable"],
    ["| tstats count", "| tstats count"],
    ["`notable`", "search `notable`"],
    ["searchable=1", "search searchable=1"],
  ];

  it.for(texts)("%j is sent as %j", ([search, sent], { expect }) => {
    expect(searchText({ search, es_version: 7 })).toBe(sent);
  });

  it("of the relay's own asks for notables by their macro, in the app that has it", ({ expect }) => {
    for (const es_version of [7, 8] as const) {
      expect(searchText({ search: undefined, es_version })).toMatch(/^search `notable` \| /);
    }
    expect(searchApp({ search: undefined, app: undefined })).toBe("SplunkEnterpriseSecuritySuite");
    expect(searchApp({ search: "index=x", app: undefined })).toBeNull();
    expect(searchApp({ search: "index=x", app: "SOC" })).toBe("SOC");
  });

  const bounds: readonly (readonly [text: string, bound: string | null])[] = [
    ["index=notable | search status=new earliest=-15m | table event_id", "earliest=-15m"],
    ["search index=notable latest = now", "latest = now"],
    ["search index=notable _index_earliest=-1h", "_index_earliest=-1h"],
    ["search (index=notable earliest=-1d)", "earliest=-1d"],
    ["search index=notable", null],
    ["search index=notable | stats earliest(_time) AS first", null],
    ['search index=notable rule_name="earliest=-15m"', null],
    ["search index=notable my.earliest=3", null],
  ];

  it.for(bounds)("%j has the bound %j of its own", ([text, bound], { expect }) => {
    expect(ownTimeBound(text)).toBe(bound);
  });
});
