/** How much is loaded: by the platform when it starts a Worker, by a browser when it opens the console. */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, it } from "vitest";
import { judgeBundle } from "../../../src/deploy/bundle-size.ts";

const CONSOLE = "src/console/dist";
/** 70,593 bytes on 2026-11-21, and a twentieth more. Growth beyond that is a decision: raise it here. */
const MAX_CONSOLE_GZIP_BYTES = 74_000;

describe("the console", () => {
  it("loads no more than it did, and a little", ({ expect }) => {
    const files = readdirSync(CONSOLE).filter((name) => !name.startsWith("."));
    expect(files.length, "`npm run console:build` makes it").toBeGreaterThan(2);
    const sizes = files.map((name) => gzipSync(readFileSync(`${CONSOLE}/${name}`)).byteLength);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes, `compressed bytes of ${files.join(", ")}`).toBeLessThanOrEqual(MAX_CONSOLE_GZIP_BYTES);
  });
});

// The bundle itself is made and measured by `npm run deploy:check`, a step of `npm test`.
describe("the Worker's bundle", () => {
  const bound = { rawBytes: 1_000, gzipBytes: 100 };

  it("passes up to the bound and says how near it is", ({ expect }) => {
    const { passed, says } = judgeBundle(bound, bound);
    expect(passed).toBe(true);
    expect(says).toBe("bundle 1,000 of 1,000, gzip 100 of 100 bytes accepted");
  });

  it("does not pass with one byte more of either, and says by how much, and where the bound is", ({
    expect,
  }) => {
    expect(judgeBundle({ ...bound, rawBytes: 1_001 }, bound).passed).toBe(false);
    const { passed, says } = judgeBundle({ ...bound, gzipBytes: 107 }, bound);
    expect(passed).toBe(false);
    expect(says).toContain("by 0 bytes, or 7 compressed; the bound is in src/deploy/bundle-size.ts");
  });
});
