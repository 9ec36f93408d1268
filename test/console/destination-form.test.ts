import * as fc from "fast-check";
import { describe, it } from "vitest";
import type { JsonField, Provider } from "../../src/console/app/pages/destination/model.ts";
import {
  explain,
  matches,
  modeOf,
  routesFromRows,
  rowsFrom,
} from "../../src/console/app/pages/destination-form/routes.ts";
import {
  bodyOfChange,
  bodyOfNew,
  draftOf,
  givenValue,
  missingIn,
  stillWrong,
  valuesFrom,
} from "../../src/console/app/pages/destination-form/values.ts";
import type { Destination } from "../../src/console/app/types.ts";
import { explain as relayExplains, matches as relayMatches } from "../../src/flow/route/match.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";
import { FakeApi } from "../support/fake-api.ts";

async function providerNamed(kind: string): Promise<Provider> {
  const api = new FakeApi({ providers: PROVIDERS });
  const { body } = await api.json("GET", "/v1/audit/providers", { key: api.key("ten_a") });
  const found = (body.data as unknown as Provider[]).find((each) => each.kind === kind); // the endpoint's own schema
  if (found === undefined) throw new Error(`No provider ${kind}`);
  return found;
}

const present: Destination = {
  id: "siem_1",
  provider: "datadog",
  name: "Logs",
  endpoint: "https://http-intake.logs.datadoghq.eu/api/v2/logs",
  enabled: true,
  config: { site: "datadoghq.eu", service: "sluice", source: "sluice", gzip: true, tags: ["env:a"] },
  routes: [],
  allowed_operations: [],
  created_at: "2026-06-30T12:00:00.000Z",
  updated_at: "2026-06-30T12:00:00.000Z",
  status: "active",
  status_reason: null,
  backlog: null,
  next_attempt_at: null,
  first_loss_at: null,
  last_delivered_at: null,
  dead_letters: null,
};

describe("the form of a destination", () => {
  it("sends only what differs from the provider's defaults", async ({ expect }) => {
    const splunk = await providerNamed("splunk");
    const values = {
      ...valuesFrom(splunk, null),
      endpoint: " https://hec.example.com ",
      secrets: { token: "t" },
    };
    expect(bodyOfNew(splunk, values)).toEqual({
      provider: "splunk",
      endpoint: "https://hec.example.com",
      token: "t",
      config: {},
    });
    const config = { ...values.config, index: "main", gzip: false, acknowledge: "true" };
    expect(bodyOfNew(splunk, { ...values, config })).toMatchObject({
      config: { index: "main", gzip: false, acknowledge: true },
    });
  });

  it("changes nothing when nothing was changed", async ({ expect }) => {
    const datadog = await providerNamed("datadog");
    expect(bodyOfChange(datadog, valuesFrom(datadog, present), present)).toEqual({});
  });

  it("does not turn an endpoint that follows from the site into one of its own", async ({ expect }) => {
    const datadog = await providerNamed("datadog");
    const values = valuesFrom(datadog, present);
    const changed = { ...values, config: { ...values.config, site: "datadoghq.com", tags: "" } };
    expect(bodyOfChange(datadog, changed, present)).toEqual({
      config: { site: "datadoghq.com", service: null, source: null, gzip: null, tags: null },
    });
  });

  it("takes away what is gone inside a setting too", async ({ expect }) => {
    const webhook = await providerNamed("webhook");
    const stored = { ...present, provider: "webhook", config: { headers: { "X-A": "1", "X-B": "2" } } };
    const values = valuesFrom(webhook, stored);
    const changed = { ...values, config: { ...values.config, headers: "X-B: 3" } };
    expect(bodyOfChange(webhook, changed, stored)).toEqual({
      config: { headers: { "X-B": "3", "X-A": null } },
    });
  });

  it("reads every setting back as it was", ({ expect }) => {
    const fields: [JsonField, unknown][] = [
      [{ type: "boolean", default: true }, false],
      [{ type: "integer" }, 300],
      [{ type: "array" }, ["env:a", "team:b"]],
      [{ type: "object" }, { "X-A": "b: c" }],
      [{ enum: ["batch", "event"], default: "batch" }, "event"],
      [{ anyOf: [{ const: "auto" }, { type: "boolean" }], default: "auto" }, false],
      [{ type: "string" }, "main"],
    ];
    for (const [field, value] of fields) expect(givenValue(field, draftOf(field, value))).toEqual(value);
  });

  it("names everything that is missing at once", async ({ expect }) => {
    const splunk = await providerNamed("splunk");
    const paths = missingIn(splunk, valuesFrom(splunk, null), true)?.errors?.map(({ path }) => path);
    expect(paths).toEqual(["endpoint", "token"]);
    expect(missingIn(splunk, { ...valuesFrom(splunk, null), endpoint: "https://x" }, false)).toBeNull();
  });

  it("forgets a fault as soon as its field is changed, and no other", async ({ expect }) => {
    const splunk = await providerNamed("splunk");
    const values = valuesFrom(splunk, null);
    const errors = [
      { path: "token", message: "a" },
      { path: "config.index", message: "b" },
    ];
    const refusal = {
      problem: { title: "", status: 422, detail: "", code: "invalid_input", errors },
      values,
    };
    const mended = { ...values, secrets: { token: "t" } };
    expect(stillWrong(refusal, mended)?.errors).toEqual([errors[1]]);
    expect(stillWrong(refusal, { ...mended, config: { ...values.config, index: "main" } })).toBeNull();
  });
});

describe("the routes of the form", () => {
  it("show the category table for its name, and for the same table with other indexes", ({ expect }) => {
    const rows = rowsFrom("categories") ?? [];
    expect(routesFromRows(rows)).toBe("categories");
    const changed = rows.map((row, at) => (at === 0 ? { ...row, index: "soc", enabled: false } : row));
    const routes = routesFromRows(changed);
    expect(modeOf(routes)).toBe("categories");
    expect(rowsFrom(routes)).toEqual(changed);
    expect(modeOf([{ match: "*", enabled: true }])).toBe("own");
    expect(modeOf([])).toBe("everything");
  });

  const glob = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 6 });
  const action = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 5 });

  it("match as the relay matches", ({ expect }) => {
    fc.assert(
      fc.property(glob, action, (pattern, name) => {
        expect(matches(pattern, name)).toBe(relayMatches(pattern, name));
      }),
      { numRuns: 5_000 },
    );
  });

  it("explain as the relay decides", ({ expect }) => {
    const route = fc.record({ match: glob, enabled: fc.boolean(), index: fc.constantFrom("one", "two") });
    fc.assert(
      fc.property(fc.array(route, { maxLength: 4 }), action, (routes, name) => {
        const entry = {
          action: name,
          description: "",
          category: null,
          default_index: null,
          enabled_by_default: true,
        };
        const [shown] = explain(routes, [entry]);
        const real = relayExplains(routes, name);
        expect([shown?.delivered, shown?.index]).toEqual([real.wanted, real.index]);
      }),
    );
  });
});
