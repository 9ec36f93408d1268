import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { describe } from "vitest";
import { ADMIN_TOKEN, RelayProcess } from "../node/support/relay.ts";
import { SimulatorClient } from "../simulator/client.ts";
import { type Simulator, startSimulator } from "../simulator/server.ts";

/** The system's own Chromium; `CHROMIUM` names another. */
const CANDIDATES = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const executable = CANDIDATES.find((path) => path !== "" && existsSync(path)) ?? null;

/** Without a browser these tests are skipped, unless `SLUICE_BROWSER_TESTS=required`: then they fail. */
export const describeInBrowser =
  executable === null && process.env["SLUICE_BROWSER_TESTS"] !== "required" ? describe.skip : describe;

export interface Screen {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
}

/** The relay and a simulator as their own processes, and a browser to look at them with. */
export class Stage {
  readonly relay = new RelayProcess();
  simulator: Simulator | null = null;
  siem = new SimulatorClient("http://nowhere");
  #browser: Browser | null = null;

  async open(): Promise<void> {
    if (executable === null) throw new Error("No Chromium was found; install it or name it in CHROMIUM");
    this.simulator = await startSimulator();
    this.siem = new SimulatorClient(this.simulator.url);
    const [browser] = await Promise.all([
      chromium.launch({ executablePath: executable, args: ["--no-sandbox", "--disable-dev-shm-usage"] }),
      this.relay.start(),
    ]);
    this.#browser = browser;
  }

  async close(): Promise<void> {
    await Promise.all([this.#browser?.close(), this.relay.dispose(), this.simulator?.close()]);
  }

  /** A browser of its own, with nobody signed in. */
  async context(screen: Screen = {}): Promise<BrowserContext> {
    if (this.#browser === null) throw new Error("The browser is not open");
    return this.#browser.newContext({
      baseURL: this.relay.url,
      viewport: { width: screen.width ?? 1_280, height: screen.height ?? 900 },
      colorScheme: screen.scheme ?? "light",
      reducedMotion: "reduce",
    });
  }

  /** A page signed in with that key; what the page complains of fails the test that asks for it. */
  async signIn(credential: string = ADMIN_TOKEN, screen: Screen = {}): Promise<Signed> {
    const context = await this.context(screen);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // A refused request is part of many stories, and is shown to the person; the browser's own line about it is no fault.
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text()))
        complaints.push(message.text());
    });
    await page.goto("/console");
    await page.getByLabel("API key or operator token").fill(credential);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("navigation", { name: "Main" }).waitFor({ state: "attached" });
    return { page, context, complaints };
  }
}

export interface Signed {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Script errors and refused resources (the content security policy's among them). */
  readonly complaints: readonly string[];
}

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe-core finds wrong with the page as it stands: `rule: selector` each. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  // Into an isolated world of the page's own engine, past its content security policy.
  const { readFileSync } = await import("node:fs");
  await page.evaluate(readFileSync(AXE, "utf8"));
  const found: unknown = await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary}`)))",
  );
  return found as readonly string[]; // axe's own report, as the line above makes it
}
