import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { describe } from "vitest";
import { executable } from "./stage.ts";

export { type Screen, type Signed, Stage } from "./stage.ts";

/** Without a browser these tests are skipped, unless `SLUICE_BROWSER_TESTS=required`: then they fail. */
export const describeInBrowser =
  executable === null && process.env["SLUICE_BROWSER_TESTS"] !== "required" ? describe.skip : describe;

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const RUN_AXE = `axe
  .run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
  .then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map((n) => id + ": " + n.target.join(" ") + " " + n.failureSummary)))`;

/** What axe-core finds wrong with the page as it stands: `rule: selector` each. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  // By the debugger, which the page's content security policy does not bind.
  if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(AXE);
  return (await page.evaluate(RUN_AXE)) as readonly string[]; // axe's own report, as the lines above make it
}
