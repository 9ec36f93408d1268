import { readdirSync, readFileSync } from "node:fs";
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

/** The relay's isolate and the local queue's. */
const ISOLATES = 2;
/** What an open database takes beside any isolate: SQLite's page cache, its write-ahead index, its connection. */
const DATABASE_MEGABYTES = 1;

/**
 * What the runtime's process may have resident: what it had before the first request, all that V8 may give to our isolates,
 * and an allowance for each database. The runtime on this machine keeps the database of every lane open that it ever
 * opened, hundreds in a long run; on the platform each lane is an isolate and a machine's share of its own.
 */
export function residentLimit(idle: number, stateDir: string): number {
  const files = readdirSync(stateDir, { recursive: true }).filter((name) => String(name).endsWith(".sqlite"));
  return idle + ISOLATES * ISOLATE_MEGABYTES + files.length * DATABASE_MEGABYTES;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
