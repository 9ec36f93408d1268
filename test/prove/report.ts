/** What a run came to, for people: on the terminal and in docs/reliability.md. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { FAULTS, faultNamed } from "./faults.ts";
import { type Complaint, duplicatesOf, RULES } from "./judge.ts";
import type { RunPlan, RunResult, Struck } from "./run.ts";
import type { Step } from "./schedule.ts";

export interface Outcome {
  readonly plan: RunPlan;
  readonly result: RunResult;
  readonly complaints: readonly Complaint[];
}

const PAGE = "docs/reliability.md";

export function printReport(outcome: Outcome): void {
  console.log(
    `\n${summary(outcome)}\n\n${destinationTable(outcome)}\n\n${countTable(outcome.result.struck)}\n`,
  );
  if (outcome.complaints.length === 0) console.log("Every rule held.");
}

export function printFailure(failure: {
  readonly seed: string;
  readonly complaints: readonly Complaint[];
  readonly steps: readonly Step[];
  readonly file: string;
  readonly minutes: string;
}): void {
  const { seed, complaints, steps, file, minutes } = failure;
  console.log(`\nFAILED, seed ${seed}\n`);
  for (const { rule, destination, message, ids } of complaints) {
    console.log(`  ${RULES[rule]}: not so${destination === null ? "" : ` at ${destination}`}. ${message}`);
    if (ids.length > 0) console.log(`    ${ids.join("\n    ")}`);
  }
  console.log(`\nThe shortest history that was found (${steps.length} faults):\n`);
  for (const { at, fault, target, lastsMs } of steps)
    console.log(`  ${(at / 1_000).toFixed(1).padStart(7)} s  ${fault} at ${target}, ${lastsMs} ms`);
  console.log(`\nAgain, with all of it:  npm run prove -- --minutes ${minutes} --seed ${seed}`);
  console.log(`Only this history:      npm run prove -- --seed ${seed} --replay ${file}`);
}

/** Of the history only what can have to do with the complaints: faults of the relay, and of those destinations. */
export function relevantSteps(complaints: readonly Complaint[], { struck }: RunResult): readonly Step[] {
  const names = new Set(complaints.map(({ destination }) => destination));
  return struck
    .filter(
      ({ step }) =>
        names.has(null) ||
        names.has(step.target) ||
        ["relay", "queue"].includes(faultNamed(step.fault).track),
    )
    .map(({ step }) => step);
}

export interface Figures {
  readonly kinds: number;
  readonly injected: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly parked: number;
  readonly duplicated: number;
  readonly longestRecoveryMs: number;
  readonly longestRecovery: string;
}

export function figuresOf({ struck, tally, facts }: RunResult): Figures {
  const real = struck.filter(({ hasStruck }) => hasStruck);
  const live = facts.destinations.filter((destination) => destination.live !== null);
  const total = (count: (destination: (typeof live)[number]) => number, list = facts.destinations): number =>
    list.reduce((sum, destination) => sum + count(destination), 0);
  const slowest = real.toSorted((a, b) => (b.recoveryMs ?? 0) - (a.recoveryMs ?? 0))[0];
  return {
    kinds: new Set(real.map(({ step }) => step.fault)).size,
    injected: real.length,
    accepted: tally.accepted,
    delivered: total(({ arrived }) => arrived.size),
    parked: total(({ deadLetters }) => deadLetters.length),
    duplicated: total(duplicatesOf),
    longestRecoveryMs: slowest?.recoveryMs ?? 0,
    longestRecovery: slowest === undefined ? "" : `${slowest.step.fault} at ${slowest.step.target}`,
  };
}

function summary({ plan, result, complaints }: Outcome): string {
  const figures = figuresOf(result);
  const { tally, settledMs } = result;
  const rows: readonly (readonly [string, string])[] = [
    ["Seed", `\`${plan.seed}\``],
    ["Commit", `\`${commit()}\``],
    ["Length", `${plan.durationMs / 60_000} minutes of faults and traffic`],
    ["Faults injected", `${count(figures.injected)}, of ${figures.kinds} kinds`],
    ["Events accepted with a 202", count(figures.accepted)],
    ["Requests by producers", count(tally.requests)],
    ["Answered 503, and sent again", count(tally.unavailable)],
    ["Repeated with an idempotency key", count(tally.repeated)],
    ["Refused as invalid", count(tally.refused)],
    ["Events whose producer never knew", count(tally.unknown)],
    ["Delivered, over all destinations", count(figures.delivered)],
    ["Dead letters at the end", count(figures.parked)],
    [
      "Second copies",
      `${count(figures.duplicated)} (${((100 * figures.duplicated) / Math.max(1, figures.delivered)).toFixed(2)} %)`,
    ],
    ["Longest recovery", `${seconds(figures.longestRecoveryMs)} (${figures.longestRecovery})`],
    ["From the last fault until all was quiet", seconds(settledMs)],
    ["Broken promises", String(complaints.length)],
  ];
  return table(["", "This run"], rows);
}

/** With a plus where the sources were changed since. */
function commit(): string {
  const git = (...args: readonly string[]) => spawnSync("git", args, { encoding: "utf8" }).stdout.trim();
  return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--", "src") === "" ? "" : "+");
}

function destinationTable({ result }: Outcome): string {
  const rows = result.facts.destinations
    .filter(({ live }) => live !== null)
    .map((destination) => [
      destination.name,
      count(destination.arrived.size),
      count(destination.deadLetters.length),
      count(duplicatesOf(destination)),
      count(
        (destination.live?.counters.possiblyDuplicated ?? 0) +
          destination.interrupted +
          (destination.live?.counters.replayed ?? 0),
      ),
      destination.live?.freshMs === null ? "never" : `${destination.live?.freshMs} ms`,
    ]);
  const deleted = result.facts.destinations.filter(({ live }) => live === null);
  const sums = (list: readonly number[]): string => count(list.reduce((sum, value) => sum + value, 0));
  if (deleted.length > 0)
    rows.push([
      `${deleted.length} that were deleted`,
      sums(deleted.map(({ arrived }) => arrived.size)),
      sums(deleted.map(({ deadLetters }) => deadLetters.length)),
      sums(deleted.map(duplicatesOf)),
      "",
      "",
    ]);
  return table(["Destination", "Delivered", "Dead letters", "Second copies", "At most", "Fresh event"], rows);
}

function countTable(struck: readonly Struck[]): string {
  const byKind = Map.groupBy(
    struck.filter(({ hasStruck }) => hasStruck),
    ({ step }) => step.fault,
  );
  const rows = FAULTS.flatMap(({ name }) => {
    const own = byKind.get(name) ?? [];
    if (own.length === 0) return [];
    const longest = Math.max(...own.map(({ recoveryMs }) => recoveryMs ?? 0));
    return [[name, String(own.length), longest === 0 ? "" : seconds(longest)]];
  });
  return table(["Fault", "Times", "Longest recovery"], rows);
}

/** Replaces what stands between the two markers of the page. */
export function writeDocs(outcome: Outcome): void {
  const page = readFileSync(PAGE, "utf8");
  const report = `${summary(outcome)}\n\n${destinationTable(outcome)}\n\n${countTable(outcome.result.struck)}`;
  writeFileSync(PAGE, replaced(replaced(page, "report", report), "faults", faultTable()));
}

export function replaced(page: string, name: string, text: string): string {
  const pattern = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!pattern.test(page)) throw new Error(`${PAGE} has no part called ${name}`);
  return page.replace(pattern, (_, start: string, end: string) => `${start}\n${text}\n\n${end}`);
}

/** Every kind of fault, with what is done and what an operator sees; those that are alike in both share a row. */
export function faultTable(): string {
  const alike = Map.groupBy(FAULTS, ({ does, operatorSees }) => `${does}\n${operatorSees}`);
  const rows = [...alike.values()].map((kinds) => {
    const [{ does = "", operatorSees = "", providers = null } = {}] = kinds;
    const names = kinds.map(({ name }) => name).join(", ");
    return [names + (providers === null ? "" : ` (${providers.join(", ")})`), does, operatorSees];
  });
  return table(["Fault", "What is done", "What the operator sees"], rows);
}

/** With columns of even width, as the other pages have them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) => Math.max(3, ...[head, ...rows].map((cells) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[], fill = " "): string =>
    `| ${widths.map((width, at) => (cells[at] ?? "").padEnd(width, fill)).join(" | ")} |`;
  return [line(head), line([], "-"), ...rows.map((cells) => line(cells))].join("\n");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
