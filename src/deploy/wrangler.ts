/**
 * Runs wrangler's own commands. Uploading, migrating and attaching consumers are its trade, and a second
 * implementation here would only differ from it.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

const WRANGLER = createRequire(import.meta.url)
  .resolve("wrangler/package.json")
  .replace("package.json", "bin/wrangler.js");

/** One line of the machine-readable report that wrangler writes beside its output. */
const Report = z.looseObject({
  type: z.string(),
  bundle_size: z.object({ raw_bytes: z.number(), gzip_bytes: z.number() }).optional(),
});

export interface Run {
  readonly exitCode: number;
  readonly lines: readonly string[];
  readonly bundle: { readonly rawBytes: number; readonly gzipBytes: number } | null;
}

export interface RunOptions {
  readonly cwd: string;
  /** Added to a copy of this process's environment, which is first stripped of our secrets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
}

/** @returns what happened; a failure of wrangler is a value, because the caller knows what it means */
export async function wrangler(args: readonly string[], { cwd, env, onLine }: RunOptions): Promise<Run> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-wrangler-"));
  const report = join(directory, "report.ndjson");
  try {
    // stdin is closed, so a question gets its default answer instead of waiting for a person.
    const child = spawn(process.execPath, ["--no-warnings", WRANGLER, ...args], {
      cwd,
      env: { ...inherited(), ...env, WRANGLER_OUTPUT_FILE_PATH: report, WRANGLER_LOG_PATH: directory },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const exited = new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? 1));
    });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        onLine?.(line);
      });
    }
    const exitCode = await exited;
    return { exitCode, lines, bundle: await bundleIn(report) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function inherited(): NodeJS.ProcessEnv {
  const {
    ADMIN_TOKEN: _token,
    ROOT_KEY: _key,
    ROOT_KEY_PREVIOUS: _previous,
    KMS_SECRET_ACCESS_KEY: _kms,
    CLOUDFLARE_ENV: _environment,
    ...rest
  } = process.env;
  return {
    ...rest,
    NO_COLOR: "1",
    FORCE_COLOR: "0",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
  };
}

async function bundleIn(report: string): Promise<Run["bundle"]> {
  const written = await readFile(report, "utf8").catch(() => "");
  for (const line of written.split("\n").filter((text) => text !== "")) {
    const { type, bundle_size: size } = Report.parse(JSON.parse(line));
    if (type === "deploy" && size !== undefined) {
      return { rawBytes: size.raw_bytes, gzipBytes: size.gzip_bytes };
    }
  }
  return null;
}
