/**
 * `npm run cost`: what Cloudflare would bill for a traffic.
 *
 * This folder promises arithmetic: a price list, formulas, a table. It asks nobody and needs no account. What an account
 * was really billed is in Cloudflare's dashboard.
 */
import { estimate } from "./model.ts";
import { parseOptions, USAGE } from "./options.ts";
import { costOf, describe } from "./text.ts";

const parsed = parseOptions(process.argv.slice(2));
switch (parsed.kind) {
  case "help":
    console.log(USAGE);
    break;
  case "wrong":
    console.error(`${parsed.faults.join("\n")}\n\n${USAGE}`);
    process.exitCode = 2;
    break;
  case "ok": {
    const { traffic, json } = parsed;
    const expected = estimate(traffic);
    const cost = costOf(expected, traffic);
    console.log(
      json
        ? JSON.stringify({ traffic, estimate: expected, cost }, null, 2)
        : describe(traffic, expected, cost),
    );
    break;
  }
}
