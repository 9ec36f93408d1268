import { describe, it } from "vitest";
import { findProvider, PROVIDERS } from "../../src/providers/registry.ts";

const TEST_FILES = import.meta.glob<string>("../providers/*.test.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

describe("the registry", () => {
  it("finds a provider by its kind, and nothing by another", ({ expect }) => {
    for (const provider of PROVIDERS) expect(findProvider(provider.kind)).toBe(provider);
    for (const kind of ["", "Splunk", "constructor", "__proto__"]) expect(findProvider(kind)).toBeNull();
  });

  it("has each kind once, with a test file of its own that runs the contract over it", ({ expect }) => {
    const kinds = PROVIDERS.map(({ kind }) => kind);
    expect(new Set(kinds).size).toBe(kinds.length);
    const unproved = kinds.filter(
      (kind) => !TEST_FILES[`../providers/${kind}.test.ts`]?.includes(`providerContract(${kind}, {`),
    );
    expect(unproved).toEqual([]);
  });
});
