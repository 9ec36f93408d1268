/**
 * `npm run keygen`: a fresh root key and operator token, printed and kept nowhere.
 *
 * `--root-key` or `--admin-token` prints that one alone, for a pipe.
 */
import { parseArgs } from "node:util";
import { generate } from "./secrets.ts";

const { values } = parseArgs({
  options: {
    "root-key": { type: "boolean", default: false },
    "admin-token": { type: "boolean", default: false },
  },
});

if (values["root-key"] || values["admin-token"]) {
  if (values["root-key"]) console.log(generate("ROOT_KEY"));
  if (values["admin-token"]) console.log(generate("ADMIN_TOKEN"));
} else {
  console.log(`ROOT_KEY=${generate("ROOT_KEY")}
ADMIN_TOKEN=${generate("ADMIN_TOKEN")}

Nothing of this is kept here. \`npm run deploy\` makes both by itself for a new region.

Give a Worker a new operator token:
  npm run --silent keygen -- --admin-token | npx wrangler secret put ADMIN_TOKEN --env eu

Change the root key (docs/vault.md, "Changing the root key"): first the present one as the previous one,
  npx wrangler secret put ROOT_KEY_PREVIOUS --env eu
then the new one, of which you keep a copy away from the account:
  npx wrangler secret put ROOT_KEY --env eu`);
}
