/**
 * `npm run deploy:check`: would each region's section of `wrangler.toml` deploy, and how large is the Worker?
 * Needs neither an account nor the network.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REGIONS, type Region } from "./config.ts";
import { wrangler } from "./wrangler.ts";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Largest gzipped bundle that we accept. Cloudflare's own limit is 3 MB on the free plan and 10 MB on the paid
 * one; ours is far below both, because a larger Worker starts later, and growth should be a decision.
 *
 * @see https://developers.cloudflare.com/workers/platform/limits/#worker-size (read 2026-11)
 */
const MAX_GZIP_BYTES = 1_000_000;

interface Verdict {
  readonly passed: boolean;
  readonly says: string;
}

async function check(region: Region, outdir: string): Promise<Verdict> {
  const run = await wrangler(["deploy", "--dry-run", "--env", region, "--outdir", join(outdir, region)], {
    cwd: ROOT,
  });
  if (run.exitCode !== 0 || run.bundle === null) {
    return { passed: false, says: `${region}: wrangler deploy --dry-run failed\n${run.lines.join("\n")}` };
  }
  const { rawBytes, gzipBytes } = run.bundle;
  const passed = gzipBytes <= MAX_GZIP_BYTES;
  const limit = `${kilobytes(MAX_GZIP_BYTES)} accepted`;
  return {
    passed,
    says: `${region}: bundle ${kilobytes(rawBytes)}, gzip ${kilobytes(gzipBytes)} (${limit})`,
  };
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

const outdir = await mkdtemp(join(tmpdir(), "sluice-check-"));
try {
  const verdicts = await Promise.all(REGIONS.map((region) => check(region, outdir)));
  for (const { says } of verdicts) {
    console.log(says);
  }
  process.exitCode = verdicts.every(({ passed }) => passed) ? 0 : 1;
} finally {
  await rm(outdir, { recursive: true, force: true });
}
