import { describe, it } from "vitest";
import { findProvider, PROVIDERS } from "../../src/providers/registry.ts";
import { type ProviderSample, providerContract } from "./provider.contract.ts";

/** One set of good settings for each kind; a provider without one fails below. */
const SAMPLES: Readonly<Record<string, ProviderSample>> = {
  splunk: {
    endpoint: "https://hec.example.com:8088/services/collector",
    config: { index: "main", acknowledge: true },
    secrets: { token: "HEC~SECRET~0123456789" },
  },
  datadog: {
    endpoint: "https://http-intake.logs.datadoghq.eu/api/v2/logs",
    config: { tags: ["env:test"] },
    secrets: { token: "DD~SECRET~0123456789", app_key: "APP~SECRET~0123456789" },
  },
  cloudwatch: {
    endpoint: "https://logs.eu-central-1.amazonaws.com",
    config: { log_group: "/sluice/test" },
    secrets: {
      access_key_id: "AKIA_SECRET_0123456789",
      secret_access_key: "AWS~SECRET~0123456789",
      session_token: "SESSION~SECRET~0123456789",
    },
  },
  webhook: {
    endpoint: "https://hooks.example.com/audit?source=sluice",
    config: { signature_header: "X-Acme-Signature", headers: { "X-Audit-Source": "sluice" } },
    secrets: {
      secret: "whsec_QSBzZWNyZXQgdGhhdCBub2JvZHkgZ3Vlc3Nlcw==",
      previous_secret: "WEBHOOK~SECRET~0123456789",
      previous_secret_expires_at: 1_700_000_360_000,
    },
  },
  elastic: {
    endpoint: "https://es.example.com:9243/elastic",
    config: { index: "audit", pipeline: "enrich" },
    secrets: { token: "contract~id:API~SECRET~0123456789" },
  },
};

const TEST_FILES = Object.keys(import.meta.glob("../providers/*.test.ts"));

describe("the registry", () => {
  it("finds a provider by its kind, and nothing by another", ({ expect }) => {
    for (const provider of PROVIDERS) expect(findProvider(provider.kind)).toBe(provider);
    for (const kind of ["", "Splunk", "constructor", "__proto__"]) expect(findProvider(kind)).toBeNull();
  });

  it("has each kind once, with a sample here and a test file of its own", ({ expect }) => {
    const kinds = PROVIDERS.map(({ kind }) => kind);
    expect(new Set(kinds).size).toBe(kinds.length);
    expect(Object.keys(SAMPLES).sort()).toEqual([...kinds].sort());
    for (const kind of kinds) expect(TEST_FILES).toContain(`../providers/${kind}.test.ts`);
  });
});

for (const provider of PROVIDERS) {
  const sample = SAMPLES[provider.kind];
  if (sample !== undefined) providerContract(provider, sample);
}
