import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { describe } from "vitest";
import { executable } from "./stage.ts";

export { type Screen, type Signed, Stage } from "./stage.ts";

/** Without a browser these tests are skipped, unless `SLUICE_BROWSER_TESTS=required`: then they fail. */
export const describeInBrowser =
  executable === null && process.env["SLUICE_BROWSER_TESTS"] !== "required" ? describe.skip : describe;

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe-core finds wrong with the page as it stands: `rule: selector` each. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  // Into an isolated world of the page's own engine, past its content security policy.
  await page.evaluate(readFileSync(AXE, "utf8"));
  const found: unknown = await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary}`)))",
  );
  return found as readonly string[]; // axe's own report, as the line above makes it
}
