import { describe, it } from "vitest";
import { KEPT_BY_RELAY } from "../../src/api/destination-input.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";
import { FakeApi } from "../support/fake-api.ts";

interface Field {
  readonly title?: string;
  readonly description?: string;
  readonly writeOnly?: boolean;
  readonly default?: unknown;
}

interface Shown {
  readonly kind: string;
  readonly endpoint: Readonly<Record<string, unknown>>;
  readonly config: { readonly properties: Readonly<Record<string, Field>> };
  readonly secrets: {
    readonly properties: Readonly<Record<string, Field>>;
    readonly required: readonly string[];
  };
  readonly can_overlap_secrets: boolean;
  readonly codes: readonly { readonly code: string; readonly meaning: string }[];
  readonly operations: readonly { readonly name: string; readonly description: string }[];
}

async function shown(): Promise<readonly Shown[]> {
  const api = new FakeApi({ providers: PROVIDERS });
  const { body } = await api.json("GET", "/v1/audit/providers", {
    key: api.key("ten_a", ["destinations:read"]),
  });
  return body.data as unknown as Shown[]; // the endpoint's own schema
}

describe("the kinds of destinations", () => {
  it("are shown in the order of the registry, with everything that can be set, in its order", async ({
    expect,
  }) => {
    const all = await shown();
    expect(all.map(({ kind }) => kind)).toEqual(PROVIDERS.map(({ kind }) => kind));
    for (const [at, { config, operations }] of all.entries()) {
      const provider = PROVIDERS[at];
      expect(Object.keys(config.properties)).toEqual(Object.keys(provider?.config.shape ?? {}));
      expect(operations.map(({ name }) => name)).toEqual(Object.keys(provider?.operations ?? {}));
    }
  });

  it("name every field as a person reads it and say what it is", async ({ expect }) => {
    for (const { kind, config, secrets } of await shown()) {
      const fields = { ...config.properties, ...secrets.properties };
      for (const [name, { title = "", description = "" }] of Object.entries(fields)) {
        const isSaid = title !== "" && description !== "";
        expect([kind, name, isSaid]).toEqual([kind, name, true]);
      }
    }
  });

  it("mark secrets as never shown, and keep back those that the relay keeps by itself", async ({
    expect,
  }) => {
    for (const { secrets } of await shown()) {
      const fields = Object.entries(secrets.properties);
      expect(fields.length).toBeGreaterThan(0);
      expect(fields.filter(([, { writeOnly }]) => writeOnly !== true)).toEqual([]);
      expect(Object.keys(secrets.properties).filter((name) => KEPT_BY_RELAY.includes(name))).toEqual([]);
    }
  });

  it("say which secrets are demanded, what is filled in, and whether the endpoint may be left out", async ({
    expect,
  }) => {
    const of = Object.fromEntries((await shown()).map((each) => [each.kind, each]));
    expect(of["splunk"]).toMatchObject({
      endpoint: { label: "HEC URL", required: true, derived_from: [] },
      config: { properties: { sourcetype: { title: "Source type", default: "_json" } } },
      secrets: { required: ["token"] },
      can_overlap_secrets: false,
    });
    expect(of["datadog"]?.endpoint).toMatchObject({ required: false, derived_from: ["site"] });
    expect(of["elastic"]?.secrets.required).toEqual([]);
    expect(of["webhook"]?.can_overlap_secrets).toBe(true);
  });

  it("explain the codes that their providers answer with", async ({ expect }) => {
    const splunk = (await shown()).find(({ kind }) => kind === "splunk");
    expect(splunk?.codes).toContainEqual({ code: "4", meaning: "invalid token" });
  });

  it("are for keys that may read destinations", async ({ expect }) => {
    const api = new FakeApi();
    const { status } = await api.json("GET", "/v1/audit/providers", {
      key: api.key("ten_a", ["events:write"]),
    });
    expect(status).toBe(403);
  });
});
