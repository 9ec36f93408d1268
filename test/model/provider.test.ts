import { describe, it } from "vitest";
import { z } from "zod";
import { err, ok } from "../../src/base/result.ts";
import { type Connector, defineProvider } from "../../src/model/provider.ts";

const connector: Connector = {
  kind: "fake",
  limits: { events: 1, bytes: 1 },
  envelopeBytes: () => 0,
  origin: "https://siem.example",
  encode: () => ({ method: "GET", url: "https://siem.example", headers: {} }),
  interpret: () => ({ kind: "fault", words: { httpStatus: null, code: null, message: "" } }),
  probe: () => [],
  perform: () => err([{ path: "operation", message: "Expected another provider" }]),
  publicConfig: {},
};

/** A provider that shows what it was built from. */
const provider = defineProvider({
  kind: "fake",
  title: "A fake",
  guide: {
    summary: "",
    endpoint: { label: "", example: "", help: "", derivedFrom: [] },
    steps: [],
    notes: [],
    codes: [],
  },
  config: z.strictObject({ index: z.string().default("main") }),
  secrets: z.strictObject({ token: z.string().min(8) }),
  operations: {
    send_event: { description: "Sends one event.", payload: z.strictObject({}), check: () => [] },
  },
  build: ({ endpoint, config, secrets }) =>
    endpoint === null
      ? err([{ path: "endpoint", message: "Expected an endpoint" }])
      : ok({
          ...connector,
          origin: endpoint,
          publicConfig: { ...config, tokenLength: secrets.token.length },
        }),
});

const input = {
  destinationId: "siem_1",
  endpoint: "https://siem.example",
  config: {},
  secrets: { token: "12345678" },
};

function faultsOf(more: Readonly<Record<string, unknown>>): readonly string[] {
  const connected = provider.connect({ ...input, ...more });
  return connected.ok ? [] : connected.error.map(({ path }) => path);
}

describe("connecting a provider", () => {
  it("builds from settings that have been checked and completed", ({ expect }) => {
    const connected = provider.connect(input);
    if (!connected.ok) throw new Error("Not connected");
    expect(connected.value.publicConfig).toEqual({ index: "main", tokenLength: 8 });
  });

  it("takes absent settings for empty ones", ({ expect }) => {
    expect(faultsOf({ config: undefined })).toEqual([]);
    expect(faultsOf({ config: null })).toEqual([]);
  });

  it("answers bad settings with values that name every field, because stored settings outlive a schema", ({
    expect,
  }) => {
    expect(faultsOf({ config: { index: 7 } })).toEqual(["config.index"]);
    expect(faultsOf({ secrets: { token: "short" } })).toEqual(["token"]);
    expect(faultsOf({ config: { index: 7 }, secrets: {} })).toEqual(["config.index", "token"]);
    expect(faultsOf({ config: "text" })).toEqual(["config"]);
    expect(faultsOf({ secrets: null })).toEqual(["token"]);
    expect(faultsOf({ endpoint: null })).toEqual(["endpoint"]);
  });

  it("refuses a setting that nobody knows", ({ expect }) => {
    expect(faultsOf({ config: { indx: "main" } })).toEqual(["config"]);
  });

  it("never repeats a secret in a fault", ({ expect }) => {
    const connected = provider.connect({ ...input, secrets: { token: "s3cret" } });
    expect(connected.ok).toBe(false);
    expect(JSON.stringify(connected)).not.toContain("s3cret");
  });
});
