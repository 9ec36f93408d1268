/**
 * `npm run bench`: how much the relay carries on this machine, what it costs in processor time, and what the platform
 * would bill. docs/performance.md says what the figures mean.
 *
 *   --runs 5           runs of each case, in turn, so that a noisy minute strikes all of them
 *   --seconds 2.5      how long each load lasts
 *   --only <names>     cases by name, with commas; `floors` and `operations` are names too
 *   --backlog 1000000  events that wait in the case `backlog`
 *   --soak <seconds>   a steady load for so long, with an eye on memory, and nothing else
 *   --profile <case>   a CPU profile under the load of a case, and nothing else; with --write-docs also as
 *                      docs/profile.md
 *   --compare <before.json> [<after.json>]  what has changed between two files, or from a file to what is now measured
 *
 * Prints tables, and writes everything to a JSON file in `.sluice/bench`. Ends with 1 when an event was lost or a
 * destination's rule was broken.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { caseTables, faultsOf, floorTable } from "./case-tables.ts";
import { BACKLOG_EVENTS, CASES, type Case, floorShape, LATENCY_LOAD, paceReference } from "./cases.ts";
import { changeTable, type Report } from "./compare.ts";
import { type FloorRun, measureFloors } from "./floors.ts";
import { type Bench, measure } from "./measure.ts";
import { countOperations } from "./operations.ts";
import { isPinned, pinSelf, ROOT, start } from "./processes.ts";
import { profile } from "./profile.ts";
import { profileDocument, profileTable } from "./profile-report.ts";
import { Relays } from "./relay.ts";
import { operationTables } from "./report.ts";
import type { Run } from "./run.ts";
import { soak, soakText } from "./soak.ts";
import { summarise } from "./statistics.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "5" },
    seconds: { type: "string", default: "2.5" },
    only: { type: "string", default: "" },
    backlog: { type: "string", default: String(BACKLOG_EVENTS) },
    soak: { type: "string", default: "" },
    profile: { type: "string", default: "" },
    "write-docs": { type: "boolean", default: false },
    compare: { type: "string", default: "" },
  },
});
const only = new Set(values.only.split(",").filter(Boolean));
const isWanted = (name: string): boolean => only.size === 0 || only.has(name);
const known = [...CASES.map(({ name }) => name), "floors", "operations"];
for (const name of [...only, values.profile].filter(Boolean))
  if (!known.includes(name)) giveUp(`There is no case "${name}"; the cases are ${known.join(", ")}`);
const runs = amount("runs");
const seconds = amount("seconds");
const backlog = amount("backlog");

const before = values.compare === "" ? null : readReport(values.compare);
const [laterFile] = positionals;
if (before !== null && laterFile !== undefined) {
  console.log(changeTable(before, readReport(laterFile)));
  process.exit(0);
}

/** Requests a second of a paced load whose reference was not measured in the same run. */
const USUAL_RATE = 40;
/** Of each floor, where a case has `seconds`. */
const FLOOR_SHARE = 0.25;

const folder = join(ROOT, ".sluice/bench");
pinSelf();
const simulator = await start("test/simulator/main.ts", ["--count-only"], {
  side: "load",
  ready: /"url":"([^"]+)"/,
});
const generator = await start("test/bench/load/main.ts", [], { side: "load", ready: /(ready)/ });
const bench: Bench = { generator, simulator, simulatorUrl: simulator.ready };
const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryGigabytes: Math.round(totalmem() / 1e9),
  platform: `${process.platform} ${process.arch}`,
  node: process.version,
  workerd: versionOf("workerd"),
  isPinned,
};
const startedAt = new Date();
const commit =
  git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--", "src") === "" ? "" : "+");
console.log(`${startedAt.toISOString()}  commit ${commit}  ${JSON.stringify(machine)}\n`);

const relays = new Relays();
let faults: readonly string[] = [];
try {
  if (values.soak !== "") faults = await runSoak(amount("soak"));
  else if (values.profile !== "") await runProfile(values.profile);
  else faults = await runAll();
} finally {
  await Promise.all([generator.stop(), simulator.stop(), relays.stop()]);
}
for (const fault of faults) console.error(`FAULT ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);

async function runAll(): Promise<readonly string[]> {
  const cases = CASES.filter(({ name }) => isWanted(name));
  const results = new Map<string, Run[]>(cases.map(({ name }) => [name, []]));
  const shapes = new Set(cases.flatMap((each) => floorShape(each) ?? []));
  const floors: FloorRun[] = [];
  for (let run = 0; run < runs; run += 1) {
    if (isWanted("floors")) {
      note(`run ${run + 1}/${runs}: floors`);
      const options = { run, shapes: shapes.size > 0 ? shapes : null, seconds: seconds * FLOOR_SHARE };
      floors.push(...(await measureFloors(bench, options)));
    }
    for (const each of cases) {
      note(`run ${run + 1}/${runs}: ${each.title}`);
      const options = { seconds, backlog, rate: paceOf(each, results) };
      const isLast = run === runs - 1 && each === cases[cases.length - 1];
      const relay = await relays.next({ isLast });
      results.get(each.name)?.push(await measure({ bench, which: each, relay }, options));
    }
  }
  console.log(floorTable(floors));
  console.log(caseTables(cases, results, floors));
  if (isWanted("operations")) note("billed operations");
  const operations = isWanted("operations") ? await countOperations(bench) : [];
  console.log(operationTables(operations, results));
  const measured = { floors, cases: Object.fromEntries(results), operations };
  const file = writeReport({ options: { runs, seconds, backlog }, ...measured });
  if (before !== null) console.log(changeTable(before, readReport(file)));
  return faultsOf(results);
}

/** Requests a second: a share of what the reference had in this run, or had in the median so far. */
function paceOf(which: Case, results: ReadonlyMap<string, readonly Run[]>): number {
  const reference = results.get(paceReference(which)) ?? [];
  const each = summarise(reference.map(({ deliveredEach }) => deliveredEach))?.median;
  return each === undefined ? USUAL_RATE : (each * LATENCY_LOAD) / which.shape.events;
}

async function runSoak(length: number): Promise<readonly string[]> {
  const [name = "hundred"] = only;
  const soaked = await soak(bench, caseOf(name), length);
  console.log(soakText(soaked));
  writeReport({ options: { soak: length }, floors: [], cases: {}, soak: soaked });
  return [...soaked.run.faults, ...(soaked.verdict?.isFlat === false ? ["memory is not flat"] : [])];
}

async function runProfile(name: string): Promise<void> {
  const which = caseOf(name);
  const profiles = await profile(bench, which, { seconds, folder });
  console.log(profileTable(profiles));
  console.log(`The profiles are in ${folder}, for any viewer of .cpuprofile files`);
  if (!values["write-docs"]) return;
  const document = join(ROOT, "docs/profile.md");
  writeFileSync(document, profileDocument(profiles, { which, startedAt, commit, seconds, machine }));
  console.log(`Written as ${document}`);
}

function caseOf(name: string): Case {
  return CASES.find((each) => each.name === name) ?? giveUp(`${name} has no load of its own`);
}

function writeReport(what: object): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${startedAt.toISOString().replaceAll(":", "-")}.json`);
  writeFileSync(file, `${JSON.stringify({ startedAt, commit, machine, ...what }, null, 2)}\n`);
  console.log(`Everything is in ${file}`);
  return file;
}

function readReport(file: string): Report {
  return JSON.parse(readFileSync(file, "utf8")) as Report; // written above
}

function amount(name: "runs" | "seconds" | "backlog" | "soak"): number {
  const given = Number(values[name]);
  return given > 0 ? given : giveUp(`--${name} must be a number above 0, not "${values[name]}"`);
}

function giveUp(why: string): never {
  console.error(why);
  process.exit(1);
}

function note(what: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${what}`);
}

/** Of a package as it is installed. */
function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as {
    readonly version: string;
  };
  return version;
}

function git(...args: readonly string[]): string {
  return spawnSync("git", args, { cwd: ROOT, encoding: "utf8" }).stdout.trim();
}
