/** Runs the deployment tool as a person would, against the stand-in. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type StandIn, startStandIn } from "./cloudflare-standin/server.ts";

const WRANGLER = join(import.meta.dirname, "../../node_modules/wrangler/bin/wrangler.js");
const MAIN = join(import.meta.dirname, "../../src/deploy/main.ts");

export interface Rehearsal {
  readonly standIn: StandIn;
  /** Where the tool keeps what it must remember between runs; one for each machine. */
  readonly machine: string;
  deploy(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome>;
  /** A command of wrangler itself, as the documentation tells to run it. */
  wrangler(args: readonly string[], input: string): Promise<Outcome>;
  /** Calls since the last time it was asked, without those that only look. */
  changes(): readonly string[];
  end(): Promise<void>;
}

export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

export async function rehearse(): Promise<Rehearsal> {
  const standIn = await startStandIn();
  const machine = await mkdtemp(join(tmpdir(), "sluice-rehearsal-"));
  return {
    standIn,
    machine,
    deploy: (args, env = {}) => run([MAIN, ...args], { ...environmentFor(standIn, machine), ...env }),
    wrangler: (args, input) => run([WRANGLER, ...args], environmentFor(standIn, machine), input),
    changes: () => standIn.calls.splice(0).filter((call) => !call.startsWith("GET ")),
    async end() {
      await standIn.close();
      await rm(machine, { recursive: true, force: true });
    },
  };
}

/** Waiting goes to the stand-in's picture of the Worker, because a rehearsal has no internet. */
export function region(name: string, { standIn }: Rehearsal): readonly string[] {
  return ["--region", name, "--ready-url", `${standIn.origin}/worker/sluice-${name}/readyz`];
}

function environmentFor(standIn: StandIn, machine: string): Readonly<Record<string, string>> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: machine,
    CLOUDFLARE_API_TOKEN: standIn.token,
    CLOUDFLARE_ACCOUNT_ID: standIn.account.id,
    CLOUDFLARE_API_BASE_URL: standIn.baseUrl,
    SLUICE_DEPLOY_DIR: machine,
  };
}

async function run(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  input = "",
): Promise<Outcome> {
  const child = spawn(process.execPath, [...command], { env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(input);
  const exited = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exited, output: out + err };
}
