/**
 * `npm run deploy -- --region eu`: takes an account, empty or not, to a running region.
 *
 * This folder promises that running it again is always safe: it creates what is missing, changes no secret that
 * exists, deletes nothing, and says every step before it takes it. What belongs in a region is decided by
 * `wrangler.toml`, what to do about it by `plan.ts`. It does not touch zones, domains or billing.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type ApplyDeps, apply } from "./apply.ts";
import { cloudflare } from "./cloudflare.ts";
import { readConfig, wantedFor } from "./config.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { plan, sentence } from "./plan.ts";
import { realReadyDeps, waitUntilReady } from "./ready.ts";
import { forget, readKept, readRootKey, type Secrets, saveRootKey } from "./secrets.ts";
import { look } from "./state.ts";
import { wrangler } from "./wrangler.ts";

const ROOT = join(import.meta.dirname, "../..");

async function main(options: Options): Promise<void> {
  const config = readConfig(join(ROOT, "wrangler.toml"));
  const wanted = await wantedFor(config, options.region);
  const work = process.env["SLUICE_DEPLOY_DIR"] ?? join(ROOT, ".sluice/deploy");
  const secretsPath = join(work, `${options.region}.secrets.json`);
  const kept = await readKept(secretsPath);
  const inHand = await brought(kept, options);

  const api = cloudflare(options.access);
  const state = await look(api, wanted, Object.keys(inHand));
  const already = state.workerSecrets ?? [];
  const decided = plan(wanted, state, {
    newRootKey: options.newRootKey,
    subdomain: options.subdomain ?? defaultSubdomain(options.access.accountId),
    readyUrl: options.readyUrl,
    wait: options.wait,
    rootKeyGiven: options.rootKey !== null,
  });
  if (!decided.possible) {
    throw new Error(decided.reasons.join("\n"));
  }
  if (options.saveRootKey !== null && already.includes("ROOT_KEY") && kept["ROOT_KEY"] === undefined) {
    throw new Error(
      `${wanted.worker} already has its ROOT_KEY, and Cloudflare does not tell secrets back. A copy can only be kept ` +
        "at the first deployment.",
    );
  }
  const { steps } = decided;
  if (options.planOnly) {
    console.log(`Would do for ${options.region}, in this order:`);
    for (const [at, step] of steps.entries()) {
      console.log(`${at + 1}. ${sentence(step, wanted)}`);
    }
    return;
  }

  const deps: ApplyDeps = {
    api,
    access: options.access,
    root: ROOT,
    config,
    resolvedPath: join(work, `${options.region}.json`),
    secretsPath,
    say: (line) => console.log(line),
    wrangler,
    waitUntilReady: (url) => waitUntilReady(url, realReadyDeps),
    async onSecrets(secrets) {
      const key = secrets["ROOT_KEY"];
      if (options.saveRootKey !== null && key !== undefined) {
        await saveRootKey(options.saveRootKey, key);
      }
    },
  };
  const secrets = await apply(steps, wanted, { state, secrets: inHand, deps });
  await forget(secretsPath);
  tell(secrets, { already, kept, options });
}

/** workers.dev names are shared by all accounts; this one is likely free, and tells nothing about the account. */
function defaultSubdomain(accountId: string): string {
  return `sluice-${createHash("sha256").update(accountId).digest("hex").slice(0, 8)}`;
}

/** What this machine brings along: an unfinished run's secrets first, because they may be uploaded already. */
async function brought(kept: Secrets, options: Options): Promise<Secrets> {
  const token = options.adminToken === null ? {} : { ADMIN_TOKEN: options.adminToken };
  const key = options.rootKey === null ? {} : { ROOT_KEY: await readRootKey(options.rootKey) };
  const brings = { ...token, ...key, ...kept };
  if (options.rootKey !== null && brings["ROOT_KEY"] !== (key as Secrets)["ROOT_KEY"]) {
    throw new Error(
      "An unfinished run on this machine chose another root key. Finish it without --root-key first.",
    );
  }
  return brings;
}

interface Told {
  readonly already: readonly string[];
  readonly kept: Secrets;
  readonly options: Options;
}

function tell(secrets: Secrets, { already, kept, options }: Told): void {
  const token = already.includes("ADMIN_TOKEN") ? kept["ADMIN_TOKEN"] : secrets["ADMIN_TOKEN"];
  console.log(`\n${options.region} is deployed.`);
  if (token !== undefined && token !== options.adminToken) {
    console.log("The operator token, shown this once:");
    console.log(`ADMIN_TOKEN=${token}`);
  }
  if (already.includes("ADMIN_TOKEN") && kept["ADMIN_TOKEN"] !== undefined) {
    console.log(
      "An earlier run, which stopped halfway, had already uploaded it. If it is refused, another machine",
    );
    console.log("had deployed before: rotate it (docs/deployment.md).");
  } else if (already.includes("ADMIN_TOKEN") && options.adminToken !== null) {
    console.log(
      "ADMIN_TOKEN in the environment was not used: the Worker has one, and a deployment changes no secret.",
    );
  }
  if (!already.includes("ROOT_KEY") && options.saveRootKey === null && options.rootKey === null) {
    console.log("The root key has no copy outside Cloudflare: docs/deployment.md says what that means.");
  }
}

const parsed = parseOptions(process.argv.slice(2), process.env);
if (parsed.ok) {
  await main(parsed.options).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
} else {
  console.error(`${parsed.faults.join("\n")}\n\n${USAGE}`);
  process.exitCode = 2;
}
