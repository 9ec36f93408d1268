import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page, type Request } from "playwright-core";
import { ADMIN_TOKEN, eventually, RelayProcess } from "../node/support/relay.ts";
import { SimulatorClient } from "../simulator/client.ts";
import { type Simulator, startSimulator } from "../simulator/server.ts";

/** The system's own Chromium; `CHROMIUM` names another. */
const CANDIDATES = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
export const executable = CANDIDATES.find((path) => path !== "" && existsSync(path)) ?? null;

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
    await page.locator("#main").waitFor();
    return { page, context, complaints };
  }

  /** Enters a tenant as the operator who is signed in there. */
  async enter(page: Page, tenant: string): Promise<void> {
    await page.goto("/console#/tenants");
    await page.getByRole("button", { name: `Enter ${tenant}`, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  }

  /** Goes to a place of the console, and waits until the page has what it asks for at first. */
  async goTo(page: Page, place: string): Promise<void> {
    const open = pendingOf(page);
    if (page.url().startsWith(`${this.relay.url}/console`)) {
      await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
    } else {
      await page.goto(`/console${place}`);
    }
    await page.locator("#main h1").waitFor();
    await eventually(async () => {
      await page.evaluate(TWO_FRAMES); // effects, which ask, run after what they belong to is drawn
      return open.size === 0 && (await page.getByText("Loading …").count()) === 0;
    });
  }
}

const TWO_FRAMES = `new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))`;

const watched = new WeakMap<Page, Set<Request>>();

/** The page's requests that have no answer yet. */
function pendingOf(page: Page): ReadonlySet<Request> {
  const known = watched.get(page);
  if (known !== undefined) return known;
  const open = new Set<Request>();
  page.on("request", (request) => open.add(request));
  page.on("requestfinished", (request) => open.delete(request));
  page.on("requestfailed", (request) => open.delete(request));
  watched.set(page, open);
  return open;
}

export interface Signed {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Script errors and refused resources (the content security policy's among them). */
  readonly complaints: readonly string[];
}
