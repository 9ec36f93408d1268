/**
 * `npm run bench`: how much the relay carries on this machine, what it costs in processor time, and what the platform
 * would bill. docs/performance.md says what the figures mean.
 *
 *   --runs 3          runs of each case, in turn, so that a noisy minute strikes all of them
 *   --seconds 6       how long each load lasts
 *   --only <names>    cases by name, with commas; `floors` and `operations` are names too
 *   --profile <case>  a CPU profile under the load of a case, and nothing else
 *
 * Prints tables, and writes everything to a JSON file in `.sluice/bench`.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CASES, LATENCY_LOAD, LATENCY_REFERENCE } from "./cases.ts";
import { type FloorRun, measureFloors } from "./floors.ts";
import { type Bench, measure, type Run } from "./measure.ts";
import { countOperations } from "./operations.ts";
import { isPinned, pinSelf, ROOT, start } from "./processes.ts";
import { profile } from "./profile.ts";
import { caseTable, floorTable, operationTables, profileTable } from "./report.ts";
import { summarise } from "./statistics.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    seconds: { type: "string", default: "6" },
    only: { type: "string", default: "" },
    profile: { type: "string", default: "" },
  },
});
const only = new Set(values.only.split(",").filter(Boolean));
const isWanted = (name: string): boolean => only.size === 0 || only.has(name);
const known = [...CASES.map(({ name }) => name), "floors", "operations"];
for (const name of [...only, values.profile].filter(Boolean)) {
  if (known.includes(name)) continue;
  console.error(`There is no case "${name}"; the cases are ${known.join(", ")}`);
  process.exit(1);
}
const runs = Number(values.runs);
const seconds = Number(values.seconds);
/** Load of the latency case when its reference was not measured in the same run: requests a second. */
const USUAL_LATENCY_RATE = 40;

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

try {
  if (values.profile === "") await runAll();
  else await runProfile(values.profile);
} finally {
  await Promise.all([generator.stop(), simulator.stop()]);
}
process.exit(0);

async function runAll(): Promise<void> {
  const cases = CASES.filter(({ name }) => isWanted(name));
  const byCase = new Map<string, Run[]>(cases.map(({ name }) => [name, []]));
  const floors: FloorRun[] = [];
  for (let run = 1; run <= runs; run += 1) {
    if (isWanted("floors")) {
      note(`run ${run}/${runs}: floors`);
      floors.push(...(await measureFloors(bench, new Set(["single", "hundred", "thousand"]), seconds / 3)));
    }
    for (const each of cases) {
      note(`run ${run}/${runs}: ${each.title}`);
      const reference = summarise((byCase.get(LATENCY_REFERENCE) ?? []).map(({ delivered }) => delivered));
      const rate =
        reference === null ? USUAL_LATENCY_RATE : (reference.median * LATENCY_LOAD) / each.shape.events;
      byCase.get(each.name)?.push(await measure(bench, each, { seconds, rate }));
    }
  }
  console.log(floorTable(floors));
  console.log(caseTable(cases, byCase, floors));
  if (isWanted("operations")) note("billed operations");
  const operations = isWanted("operations") ? await countOperations(bench) : [];
  console.log(operationTables(operations, byCase));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${startedAt.toISOString().replaceAll(":", "-")}.json`);
  const all = { startedAt, commit, machine, options: { runs, seconds }, floors, operations };
  writeFileSync(file, `${JSON.stringify({ ...all, cases: Object.fromEntries(byCase) }, null, 2)}\n`);
  console.log(`Everything is in ${file}`);
}

async function runProfile(name: string): Promise<void> {
  const which = CASES.find((each) => each.name === name);
  if (which === undefined) throw new Error(`${name} has no load to profile`);
  const profiles = await profile(bench, which, { seconds, folder });
  console.log(profileTable(profiles));
  console.log(`The profiles are in ${folder}, for any viewer of .cpuprofile files`);
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
