/** Carries the steps of a plan out, one after the other. What each step means is decided in `plan.ts`. */
import type { Access, Cloudflare } from "./cloudflare.ts";
import { type ConfigFile, type Wanted, writeResolved } from "./config.ts";
import { type State, type Step, sentence } from "./plan.ts";
import type { Readiness } from "./ready.ts";
import { forget, generate, keep, type Secrets } from "./secrets.ts";
import type { Run, RunOptions } from "./wrangler.ts";

export interface ApplyDeps {
  readonly api: Cloudflare;
  readonly access: Access;
  readonly root: string;
  readonly config: ConfigFile;
  readonly resolvedPath: string;
  readonly secretsPath: string;
  say(line: string): void;
  wrangler(args: readonly string[], options: RunOptions): Promise<Run>;
  waitUntilReady(url: string): Promise<Readiness>;
  /** Called as soon as the secrets are known and before anything is created with them. */
  onSecrets(secrets: Secrets): Promise<void>;
}

/** What a later step needs from an earlier one. */
interface Progress {
  databaseId: string | null;
  secrets: Secrets;
}

export async function apply(
  steps: readonly Step[],
  wanted: Wanted,
  { state, secrets, deps }: { readonly state: State; readonly secrets: Secrets; readonly deps: ApplyDeps },
): Promise<Secrets> {
  const progress: Progress = { databaseId: state.database?.id ?? null, secrets };
  await deps.onSecrets(progress.secrets);
  for (const [at, step] of steps.entries()) {
    deps.say(`${at + 1}/${steps.length} ${sentence(step, wanted)}`);
    await carryOut(step, wanted, progress, deps);
  }
  return progress.secrets;
}

async function carryOut(step: Step, wanted: Wanted, progress: Progress, deps: ApplyDeps): Promise<void> {
  switch (step.kind) {
    case "choose-secrets":
      progress.secrets = {
        ...progress.secrets,
        ...Object.fromEntries(step.names.map((name) => [name, generate(name)])),
      };
      await keep(deps.secretsPath, progress.secrets);
      return deps.onSecrets(progress.secrets);
    case "create-database":
      progress.databaseId = (await deps.api.createDatabase(step.name, wanted)).id;
      return;
    case "create-queue":
      return deps.api.createQueue(step.name, wanted);
    case "register-subdomain":
      return deps.api.registerSubdomain(step.subdomain);
    case "apply-migrations":
      return runWrangler(
        ["d1", "migrations", "apply", wanted.database.name, "--remote"],
        wanted,
        progress,
        deps,
      );
    case "deploy":
      return deploy(step.secrets, wanted, progress, deps);
    case "wait-until-ready":
      return ready(step.url, deps);
  }
}

/** The file goes only after wrangler has said that the upload and everything after it went well. */
async function deploy(
  names: readonly string[],
  wanted: Wanted,
  progress: Progress,
  deps: ApplyDeps,
): Promise<void> {
  const withSecrets = names.length > 0 ? ["--secrets-file", deps.secretsPath] : [];
  if (names.length > 0) {
    const carried = names.map((name) => [name, progress.secrets[name] ?? ""]);
    await keep(deps.secretsPath, Object.fromEntries(carried));
  }
  // Without provisioning: wrangler would create a missing queue by itself, outside the jurisdiction.
  await runWrangler(["deploy", "--no-experimental-provision", ...withSecrets], wanted, progress, deps);
  await forget(deps.secretsPath);
}

async function runWrangler(
  args: readonly string[],
  wanted: Wanted,
  progress: Progress,
  deps: ApplyDeps,
): Promise<void> {
  if (progress.databaseId === null) {
    throw new Error("The plan runs wrangler before the database exists. This is a mistake in plan.ts.");
  }
  const { region } = wanted;
  await writeResolved(deps.config, { region, databaseId: progress.databaseId, target: deps.resolvedPath });
  const run = await deps.wrangler([...args, "--config", deps.resolvedPath, "--env", region], {
    cwd: deps.root,
    env: {
      CLOUDFLARE_API_TOKEN: deps.access.token,
      CLOUDFLARE_ACCOUNT_ID: deps.access.accountId,
      CLOUDFLARE_API_BASE_URL: deps.access.baseUrl,
    },
    onLine: (line) => deps.say(`    ${line}`),
  });
  if (run.exitCode !== 0) {
    const command = args[0] === "d1" ? "wrangler d1 migrations apply" : "wrangler deploy";
    throw new Error(`${command} failed; its own words are above. Run this again when the cause is gone.`);
  }
}

async function ready(url: string, deps: ApplyDeps): Promise<void> {
  const readiness = await deps.waitUntilReady(url);
  if (!readiness.ready) {
    throw new Error(`The Worker is deployed, but ${url} does not answer 200 (last: ${readiness.last}).`);
  }
}
