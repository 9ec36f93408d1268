import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the platform gives an isolate, in megabytes. */
const ISOLATE_MEGABYTES = 128;

/**
 * Lets V8 hold every isolate of a relay that is started from here to what the platform gives one: an isolate that needs
 * more ends the process, as the platform would end the isolate. What lies outside V8's heap, like the bytes of a body
 * that is still being read, is not in it; for that there is `residentOf`.
 */
export function limitHeaps(megabytes = ISOLATE_MEGABYTES): void {
  process.env["MINIFLARE_WORKERD_V8_FLAGS"] = `--max-heap-size=${megabytes}`;
}

/** The runtime's process; `npm start` writes its id beside the state. */
export function runtimeOf(stateDir: string): number {
  return Number(readFileSync(join(stateDir, "runtime.pid"), "utf8"));
}

export interface Resident {
  /** Megabytes of 1,000,000 bytes; null where there is no /proc. */
  readonly now: number | null;
  /** The most since the start, or since `forgetPeak`. */
  readonly peak: number | null;
}

/** Memory of a process that is really in use. */
export function residentOf(pid: number): Resident {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return { now: field(status, "VmRSS"), peak: field(status, "VmHWM") };
  } catch {
    return { now: null, peak: null };
  }
}

function field(status: string, name: string): number | null {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
  return kibibytes === undefined ? null : (Number(kibibytes) * 1_024) / 1_000_000;
}

/** Lets the peak start again from what is in use now. Works on Linux, for a process of one's own. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // The peak is then that of the whole run, which is more and never less.
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
