/**
 * Pictures of every page: light and dark, desktop and phone. `npm run console:screenshots [-- <folder> [page…]]`
 *
 * A relay and a simulator of their own, so that it can be run beside anything.
 */
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ADMIN_TOKEN } from "../node/support/relay.ts";
import { furnish, placesOf } from "./furnish.ts";
import { Stage } from "./stage.ts";

const SCREENS = {
  desktop: { width: 1_280, height: 800 },
  phone: { width: 390, height: 844 },
} as const;

const [given, ...wanted] = process.argv.slice(2);
const folder = given === undefined ? mkdtempSync(join(tmpdir(), "sluice-console-")) : resolve(given);
mkdirSync(folder, { recursive: true });
const stage = new Stage();
try {
  await stage.open();
  const found = await furnish(stage);
  await stage.relay.call("POST", "/v1/tenants", { body: { name: "Nothing in it yet" } });
  for (const scheme of ["light", "dark"] as const) {
    for (const [screen, size] of Object.entries(SCREENS)) {
      const context = await stage.context({ ...size, scheme });
      const page = await context.newPage();
      await page.goto("/console");
      await page.getByLabel("API key or operator token").waitFor();
      await page.screenshot({ path: join(folder, `sign-in-${scheme}-${screen}.png`) });
      await context.close();
      const signed = await stage.signIn(ADMIN_TOKEN, { ...size, scheme });
      const names = Object.entries({ ...placesOf(found), "empty-overview": "#/" });
      await stage.enter(signed.page, "Acme Bank");
      for (const [name, place] of names) {
        if (wanted.length > 0 && !wanted.includes(name)) continue;
        if (name === "empty-overview") await stage.enter(signed.page, "Nothing in it yet");
        await stage.goTo(signed.page, place);
        await signed.page.screenshot({
          path: join(folder, `${name}-${scheme}-${screen}.png`),
          fullPage: true,
          animations: "disabled",
        });
      }
      await signed.context.close();
    }
  }
  console.log(`Screenshots are in ${folder}`);
} finally {
  await stage.close();
}
