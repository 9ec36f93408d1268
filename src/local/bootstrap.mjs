// Runs a program of this repository on the Node it is made for, after installing what is missing.
// Plain JavaScript, because whatever Node the machine has must be able to run it: `node bootstrap.mjs <program> [arguments]`.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const stamp = join(root, "node_modules", ".sluice-installed");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const windows = process.platform === "win32";
const node = join(root, "node_modules", ".bin", windows ? "node.exe" : "node");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted || !existsSync(node)) {
  console.error("Installing what is missing (npm install) …");
  // Not `npm ci`: it refuses a lockfile that does not name the optional packages of every other platform.
  // The lockfile still decides every version, and `--no-save` keeps it as it is.
  const install = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", install, { cwd: root, stdio: ["ignore", 2, 2], shell: windows });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stamp, wanted);
}

const [program, ...args] = process.argv.slice(2);
const path = `${join(root, "node_modules", ".bin")}${windows ? ";" : ":"}${process.env.PATH ?? ""}`;
// The channel tells the program when this process is gone, however it went.
const child = spawn(node, [join(root, program), ...args], {
  stdio: ["inherit", "inherit", "inherit", "ipc"],
  env: { ...process.env, PATH: path },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
