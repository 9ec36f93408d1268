import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Miniflare starts the runtime as a child process, and a child outlives a parent that is killed outright. An orphan
 * would hold the port and the state folder, so it is ended twice over: by a watcher at once, by the next start at the latest.
 */

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

function processes(): readonly Process[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,comm="], { encoding: "utf8" });
  return (stdout ?? "").split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return match === null ? [] : [{ pid: Number(match[1]), parent: Number(match[2]), name: match[3] ?? "" }];
  });
}

function pidFile(stateDir: string): string {
  return join(stateDir, "runtime.pid");
}

/** Ends a runtime that an earlier, killed relay left on this state folder. */
export function endOrphan(stateDir: string): void {
  const file = pidFile(stateDir);
  if (!existsSync(file)) return;
  const left = Number(readFileSync(file, "utf8"));
  const orphan = processes().find(({ pid, name }) => pid === left && name.includes("workerd"));
  if (orphan !== undefined) process.kill(orphan.pid, "SIGKILL");
  rmSync(file);
}

/** Remembers this process's runtime, and has it ended when this process dies without saying so. */
export function watchRuntime(stateDir: string): void {
  const runtime = processes().find(({ parent, name }) => parent === process.pid && name.includes("workerd"));
  if (runtime === undefined) return;
  writeFileSync(pidFile(stateDir), String(runtime.pid));
  const script = 'while kill -0 "$0" 2>/dev/null; do sleep 0.1; done; kill -9 "$1" 2>/dev/null';
  spawn("sh", ["-c", script, String(process.pid), String(runtime.pid)], {
    detached: true,
    stdio: "ignore",
  }).unref();
}

/** After an orderly stop there is nothing to end. */
export function forgetRuntime(stateDir: string): void {
  rmSync(pidFile(stateDir), { force: true });
}
