/**
 * `npm run prove`: does every accepted event arrive, or is it kept where it can be seen, whatever goes wrong?
 *
 *   --minutes 2             how long producers and faults go on
 *   --seed <word>           the same faults, events and targets again; chosen and printed when absent
 *   --events-per-second 300 of all producers together
 *   --destinations <n>      how many of the destinations, at least 2; all when absent
 *   --only <names>          these faults alone, with commas
 *   --replay <file>         the history of an earlier run, as a failure prints it
 *   --no-shrink             do not look for a shorter history when it fails
 *   --shrink-minutes 15     how long to look for it
 *   --write-docs            puts the report into docs/reliability.md
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TENANTS } from "./destinations.ts";
import { faultNamed } from "./faults.ts";
import { type Complaint, judge } from "./judge.ts";
import { printFailure, printReport, relevantSteps, writeDocs } from "./report.ts";
import { type RunPlan, type RunResult, run } from "./run.ts";
import { type Step, schedule } from "./schedule.ts";
import { shrink } from "./shrink.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    seed: { type: "string", default: Date.now().toString(36) },
    "events-per-second": { type: "string", default: "300" },
    destinations: { type: "string", default: "99" },
    only: { type: "string", default: "" },
    replay: { type: "string", default: "" },
    "no-shrink": { type: "boolean", default: false },
    "shrink-minutes": { type: "string", default: "15" },
    "write-docs": { type: "boolean", default: false },
  },
});
/** Traffic after the last fault of a history that is played again. */
const AFTERMATH_MS = 4_000;

const { seed } = values;
const durationMs = Number(values.minutes) * 60_000;
const tenants = some(Math.max(2, Number(values.destinations)));
const only = new Set(values.only.split(",").filter(Boolean));
for (const name of only) faultNamed(name);
const steps: readonly Step[] =
  values.replay === ""
    ? schedule({ seed, destinations: tenants.flat(), durationMs, haste: 1 }).filter(
        ({ fault }) => only.size === 0 || only.has(fault),
      )
    : (JSON.parse(readFileSync(values.replay, "utf8")) as Step[]);
const folder = ".sluice/prove";
mkdirSync(folder, { recursive: true });

const plan: RunPlan = {
  ...{ seed, tenants, steps, durationMs, eventsPerSecond: Number(values["events-per-second"]) },
  ...{ maxBatch: 200, compareEvery: 1, freshTries: 1, note },
};
note(
  `seed ${seed}: ${steps.length} faults at ${tenants.flat().length} destinations, ${durationMs / 1_000} s`,
);
const result = await run(plan);
const complaints = judge(result.facts);
printReport({ plan, result, complaints });
if (values["write-docs"]) writeDocs({ plan, result, complaints });
for (const { rule, destination, message, ids } of complaints) {
  // Before the search for a shorter history, which takes its time.
  note(`broken: ${rule} at ${destination ?? "the relay"}: ${message} ${ids.join(" ")}`);
}
if (complaints.length > 0) await explain(complaints, result);
process.exit(complaints.length === 0 ? 0 : 1);

async function explain(found: readonly Complaint[], first: RunResult): Promise<void> {
  const slice = relevantSteps(found, first);
  const shortest = values["no-shrink"] ? slice : await shorter(slice, found);
  const file = join(folder, `${seed}.json`);
  writeFileSync(file, `${JSON.stringify(shortest, null, 2)}\n`);
  printFailure({ seed, complaints: found, steps: shortest, file, minutes: values.minutes });
}

/** Plays parts of the history again. Races do not fail every time, so what still fails is shorter, not shortest. */
async function shorter(slice: readonly Step[], found: readonly Complaint[]): Promise<readonly Step[]> {
  const rules = new Set(found.map(({ rule }) => rule));
  const deadline = Date.now() + Number(values["shrink-minutes"]) * 60_000;
  const stillFails = async (part: readonly Step[]): Promise<boolean> => {
    const first = part[0]?.at ?? 0;
    const moved = part.map((step) => ({ ...step, at: step.at - first + 1_500 }));
    const last = Math.max(...moved.map(({ at, lastsMs }) => at + lastsMs));
    note(`trying ${part.length} faults`);
    const again = await run({ ...plan, steps: moved, durationMs: last + AFTERMATH_MS });
    return judge(again.facts).some(({ rule }) => rules.has(rule));
  };
  return shrink(slice, stillFails, () => Date.now() < deadline);
}

/** The first of each tenant, then the second, … so that there is always more than one tenant. */
function some(count: number) {
  const most = Math.max(...TENANTS.map(({ length }) => length));
  const order = Array.from({ length: most }, (_, place) =>
    TENANTS.flatMap((own) => (own[place] === undefined ? [] : [own[place]])),
  ).flat();
  const wanted = new Set(order.slice(0, count));
  return TENANTS.map((own) => own.filter((spec) => wanted.has(spec))).filter(({ length }) => length > 0);
}

function note(what: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${what}`);
}
