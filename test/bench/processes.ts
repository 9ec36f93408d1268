/**
 * Every part of a measurement in a process of its own: the relay on one core, everything that loads it and everything
 * that it delivers to on the rest, so that neither takes processor time from the other.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Whose core a process is put on; `spare` is one core of the load's, for starting while there is no load. */
export type Side = "relay" | "spare" | "load";

const cores = availableParallelism();
/** Whether processes can be put on cores at all; otherwise they share what there is, and the report says so. */
export const isPinned = cores > 1 && spawnSync("taskset", ["-V"]).status === 0;
const SIDES: Readonly<Record<Side, string>> = {
  relay: "0",
  spare: "1",
  load: cores > 2 ? `1-${cores - 1}` : "1",
};

export interface Child {
  readonly pid: number;
  /** Group 1 of the pattern that said "ready". */
  readonly ready: string;
  /** Sends one message and waits for the answer. */
  ask<Answer>(message: object): Promise<Answer>;
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly side: Side;
  readonly env?: Readonly<Record<string, string>>;
  /** Matches the line by which the program says that it is ready. */
  readonly ready: RegExp;
}

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const running = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    void Promise.all([...running].map(stop)).then(() => process.exit(130));
  });

/** Puts this process on the load's side too. */
export function pinSelf(): void {
  moveTo("load", [process.pid]);
}

/** Puts processes, with all their threads, on the cores of a side. */
export function moveTo(side: Side, pids: readonly (number | null)[]): void {
  if (!isPinned) return;
  for (const pid of pids)
    if (pid !== null) spawnSync("taskset", ["-a", "-p", "-c", SIDES[side], String(pid)]);
}

/** Starts a program of this repository and waits until it is ready. */
export async function start(program: string, args: readonly string[], options: ChildOptions): Promise<Child> {
  const command = [process.execPath, `${ROOT}${program}`, ...args];
  const [file = "", ...rest] = isPinned ? ["taskset", "-c", SIDES[options.side], ...command] : command;
  const child = spawn(file, rest, {
    cwd: ROOT,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const ready = await untilReady(child, options.ready, program);
  return {
    pid: child.pid ?? 0,
    ready,
    ask: (message) =>
      new Promise((resolve, reject) => {
        const gone = (): void => reject(new Error(`${program} ended while it was asked`));
        child.once("exit", gone);
        child.once("message", (answer) => {
          child.off("exit", gone);
          resolve(answer as never); // each program answers with one type, which the caller names
        });
        child.send(message);
      }),
    stop: () => stop(child),
  };
}

function untilReady(child: ChildProcess, pattern: RegExp, program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    let isReady = false;
    const timer = setTimeout(
      () => reject(new Error(`${program} was not ready in time:\n${output}`)),
      READY_TIMEOUT_MS,
    );
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}:\n${output}`)));
    child.stdout?.on("data", (bytes: Buffer) => {
      if (isReady) {
        process.stderr.write(bytes); // at LOG_LEVEL=error the relay has something to say only in trouble
        return;
      }
      output += bytes.toString("utf8");
      const match = pattern.exec(output);
      if (match === null) return;
      isReady = true;
      clearTimeout(timer);
      resolve(match[1] ?? "");
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}

/** The runtime that a Node program started. Null where there is no /proc. */
export function runtimeOf(pid: number): number | null {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
    return children.find((each) => readFileSync(`/proc/${each}/comm`, "utf8").startsWith("workerd")) ?? null;
  } catch {
    return null;
  }
}

/** Clock ticks a second in /proc; 100 on every Linux that Node runs on. */
const TICKS = 100;

/** Processor time that a process has used, in seconds. Null where there is no /proc. */
export function cpuSeconds(pid: number | null): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return null;
  }
}

/** The most memory that a process has had resident, in megabytes. Null where there is no /proc. */
export function peakMegabytes(pid: number | null): number | null {
  return megabytes(pid, /VmHWM:\s+(\d+) kB/);
}

/** The memory that a process has resident now, in megabytes. Null where there is no /proc. */
export function residentMegabytes(pid: number | null): number | null {
  return megabytes(pid, /VmRSS:\s+(\d+) kB/);
}

function megabytes(pid: number | null, pattern: RegExp): number | null {
  try {
    const kilobytes = pattern.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? null : (Number(kilobytes) * 1_024) / 1_000_000;
  } catch {
    return null;
  }
}
