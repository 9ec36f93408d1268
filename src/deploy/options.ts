/** The command line and the environment, parsed once. Everything wrong is said at once, in sentences. */
import { parseArgs } from "node:util";
import { type Access, CLOUDFLARE_API } from "./cloudflare.ts";
import { REGIONS, type Region } from "./config.ts";
import { fault } from "./secrets.ts";

export const USAGE = `npm run deploy -- --region <${REGIONS.join("|")}> [options]

  --plan                  Print what would be done, and do nothing.
  --save-root-key <file>  Keep a copy of the root key, readable by you alone. First deployment only.
  --root-key <file>       Use this root key instead of generating one (restoring a region).
  --new-root-key          Generate a root key although the database is already in use.
  --subdomain <name>      The workers.dev name to register if the account has none.
  --ready-url <url>       Wait for this address instead of the Worker's own /readyz.
  --no-wait               Do not wait for the Worker to answer.

In the environment:
  CLOUDFLARE_API_TOKEN    See docs/deployment.md for its permissions.
  CLOUDFLARE_ACCOUNT_ID   The account to deploy to.
  ADMIN_TOKEN             Optional: the operator token to use for a first deployment.
`;

export interface Options {
  readonly region: Region;
  readonly access: Access;
  readonly planOnly: boolean;
  readonly saveRootKey: string | null;
  readonly rootKey: string | null;
  readonly newRootKey: boolean;
  readonly subdomain: string | null;
  readonly readyUrl: string | null;
  readonly wait: boolean;
  readonly adminToken: string | null;
}

export type Parsed =
  | { readonly ok: true; readonly options: Options }
  | { readonly ok: false; readonly faults: readonly string[] };

export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Parsed {
  const faults: string[] = [];
  const values = read(args, faults);
  const region = REGIONS.find((known) => known === values.region);
  if (region === undefined) {
    faults.push(`--region must be one of ${REGIONS.join(", ")}.`);
  }
  const token = env["CLOUDFLARE_API_TOKEN"] ?? "";
  if (token === "") {
    faults.push("CLOUDFLARE_API_TOKEN is not set.");
  }
  const accountId = env["CLOUDFLARE_ACCOUNT_ID"] ?? "";
  if (!/^[0-9a-f]{32}$/.test(accountId)) {
    faults.push(
      accountId === ""
        ? "CLOUDFLARE_ACCOUNT_ID is not set."
        : "CLOUDFLARE_ACCOUNT_ID must be 32 hexadecimal digits, as the dashboard shows them.",
    );
  }
  const adminToken = env["ADMIN_TOKEN"] || null;
  const wrongToken = adminToken === null ? null : fault("ADMIN_TOKEN", adminToken);
  if (wrongToken !== null) {
    faults.push(wrongToken);
  }
  if (values["root-key"] !== undefined && values["new-root-key"]) {
    faults.push("--root-key and --new-root-key contradict each other.");
  }
  if (faults.length > 0 || region === undefined) {
    return { ok: false, faults };
  }
  return {
    ok: true,
    options: {
      region,
      access: { accountId, token, baseUrl: env["CLOUDFLARE_API_BASE_URL"] || CLOUDFLARE_API },
      planOnly: values.plan ?? false,
      saveRootKey: values["save-root-key"] ?? null,
      rootKey: values["root-key"] ?? null,
      newRootKey: values["new-root-key"] ?? false,
      subdomain: values.subdomain ?? null,
      readyUrl: values["ready-url"] ?? null,
      wait: !(values["no-wait"] ?? false),
      adminToken,
    },
  };
}

const FLAGS = {
  region: { type: "string" },
  plan: { type: "boolean" },
  "save-root-key": { type: "string" },
  "root-key": { type: "string" },
  "new-root-key": { type: "boolean" },
  subdomain: { type: "string" },
  "ready-url": { type: "string" },
  "no-wait": { type: "boolean" },
} as const;

function read(args: readonly string[], faults: string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values;
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    return {};
  }
}
