// Runs a program of this repository on the Node it is made for, after installing what is missing.
// Plain JavaScript, because whatever Node the machine has must be able to run it: `node bootstrap.mjs [<program> [arguments]]`.
// The npm scripts call it with `exec`, so that a signal to npm reaches it and not a shell in between.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const stamp = join(root, "node_modules", ".sluice-installed");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted || !existsSync(join(bin, "node"))) {
  console.error("Installing what is missing (npm install) …");
  // Not `npm ci`: it refuses a lockfile that does not name the optional packages of every other platform.
  // The lockfile still decides every version, and `--no-save` keeps it as it is.
  const install = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", install, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stamp, wanted);
}

const [program, ...args] = process.argv.slice(2);
if (program === undefined) process.exit(0); // only to install
// The channel tells the program when this process is gone, however it went.
const child = spawn(join(bin, "node"), [join(root, program), ...args], {
  stdio: ["inherit", "inherit", "inherit", "ipc"],
  env: { ...process.env, PATH: `${bin}:${process.env.PATH ?? ""}` },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));

// Whoever started this may be killed outright; nothing must be left behind then.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) child.kill("SIGTERM");
}, 500).unref();
