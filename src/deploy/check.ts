/**
 * `npm run deploy:check`: would each region's section of `wrangler.toml` deploy, and how large is the Worker?
 * Needs neither an account nor the network.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judgeBundle, type Verdict } from "./bundle-size.ts";
import { REGIONS, type Region } from "./config.ts";
import { wrangler } from "./wrangler.ts";

const ROOT = join(import.meta.dirname, "../..");

async function check(region: Region, outdir: string): Promise<Verdict> {
  const run = await wrangler(["deploy", "--dry-run", "--env", region, "--outdir", join(outdir, region)], {
    cwd: ROOT,
  });
  if (run.exitCode !== 0 || run.bundle === null) {
    return { passed: false, says: `${region}: wrangler deploy --dry-run failed\n${run.lines.join("\n")}` };
  }
  const { passed, says } = judgeBundle(run.bundle);
  return { passed, says: `${region}: ${says}` };
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
