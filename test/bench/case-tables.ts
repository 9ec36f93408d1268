import { type Case, type Floor, floorShape } from "./cases.ts";
import type { FloorRun } from "./floors.ts";
import { ABSENT, percents, spread, table } from "./markdown.ts";
import type { Run } from "./run.ts";
import { summarise, summariseRatios } from "./statistics.ts";

export type Results = ReadonlyMap<string, readonly Run[]>;
/** Figures that a run can have. */
type Figure = {
  [Name in keyof Run]: Run[Name] extends number | null ? Name : never;
}[keyof Run];

interface Column {
  readonly title: string;
  readonly show: (which: Case) => string;
}

/** Everything that is told of the cases, as tables; those without anything to tell are left out. */
export function caseTables(cases: readonly Case[], results: Results, floors: readonly FloorRun[]): string {
  const runsOf = ({ name }: Case): readonly Run[] => results.get(name) ?? [];
  const figure = (title: string, name: Figure, digits = 0): Column => ({
    title,
    show: (which) => spread(summarise(runsOf(which).map((run) => run[name])), digits),
  });
  const ofFloor = (title: string, floor: Floor, name: "accepted" | "cpuPerMillion"): Column => ({
    title,
    show(which) {
      if (which.kind !== "throughput" && name === "accepted") return ABSENT;
      const limits = floorValues(floors, which, { floor, name });
      const ratios = summariseRatios(
        runsOf(which).map((run) => run[name]),
        limits,
      );
      return name === "accepted" ? percents(ratios) : spread(ratios, 1);
    },
  });
  const total = (title: string, name: "lost" | "duplicates"): Column => ({
    title,
    show: (which) => String(runsOf(which).reduce((sum, run) => sum + run[name], 0)),
  });
  const tableOf = (title: string, rows: readonly Case[], columns: readonly Column[]): string =>
    rows.length === 0
      ? ""
      : table(
          [title, ...columns.map((column) => column.title)],
          rows.map((which) => [which.title, ...columns.map(({ show }) => show(which))]),
        );
  const having = (name: Figure): readonly Case[] =>
    cases.filter((which) => runsOf(which).some((run) => run[name] !== null));
  return [
    tableOf("case", cases, [
      figure("accepted/s", "accepted"),
      figure("delivered/s", "delivered"),
      figure("under load", "deliveredMeanwhile"),
      figure("CPU s/million", "cpuPerMillion", 1),
      figure("core", "busy", 2),
      figure("load's core", "loadBusy", 2),
      figure("peak MB", "peakMegabytes"),
      total("lost", "lost"),
      total("dupl.", "duplicates"),
    ]),
    floors.length === 0
      ? ""
      : tableOf("against the floors", cases, [
          ofFloor("accepts, of empty", "empty", "accepted"),
          ofFloor("accepts, of json", "json", "accepted"),
          ofFloor("CPU, times empty", "empty", "cpuPerMillion"),
          ofFloor("CPU, times json", "json", "cpuPerMillion"),
        ]),
    tableOf("latency", having("answerP50"), [
      figure("202 p50 ms", "answerP50", 1),
      figure("202 p99 ms", "answerP99", 1),
      figure("paced: 202→SIEM p50 ms", "deliveryP50"),
      figure("paced: 202→SIEM p99 ms", "deliveryP99"),
    ]),
    isolationTable(results),
    tableOf("acknowledgement", having("confirmedAfter"), [
      figure("delivered/s", "delivered"),
      figure("all confirmed, s after the last arrival", "confirmedAfter", 2),
    ]),
    tableOf("backlog", having("linearity"), [
      figure("waiting", "waiting"),
      figure("drained/s", "delivered"),
      figure("drained/s from 10,000", "deliveredSmall"),
      {
        title: "large of small",
        show: (which) => percents(summarise(runsOf(which).map((run) => run.linearity))),
      },
      figure("all after s", "recoveredAfter", 1),
    ]),
    ...remarks(cases, results),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** What a neighbour that hangs does to the others: case against case, run by run. */
function isolationTable(results: Results): string {
  const [five, hanging] = [results.get("five") ?? [], results.get("hanging") ?? []];
  if (five.length === 0 || hanging.length === 0) return "";
  const row = (title: string, name: Figure): readonly string[] => {
    const [alone, beside] = [five.map((run) => run[name]), hanging.map((run) => run[name])];
    return [
      title,
      spread(summarise(alone)),
      spread(summarise(beside)),
      percents(summariseRatios(beside, alone)),
    ];
  };
  return [
    table(
      ["each destination that is well", "all five well", "one hanging", "of it"],
      [
        row("delivered/s", "deliveredEach"),
        row("paced: 202→SIEM p50 ms", "deliveryP50"),
        row("paced: 202→SIEM p99 ms", "deliveryP99"),
      ],
    ),
    `The one that hung had everything ${spread(summarise(hanging.map((run) => run.recoveredAfter)), 1)} s after it was mended.\n`,
  ].join("\n");
}

export function floorTable(floors: readonly FloorRun[]): string {
  if (floors.length === 0) return "";
  const keys = [...new Set(floors.map(({ shape, floor }) => `${shape}, ${floor}`))];
  const rows = keys.map((key) => {
    const own = floors.filter(({ shape, floor }) => `${shape}, ${floor}` === key);
    return [
      key,
      spread(summarise(own.map(({ accepted }) => accepted))),
      spread(summarise(own.map(({ cpuPerMillion }) => cpuPerMillion)), 1),
      spread(summarise(own.map(({ busy }) => busy)), 2),
      spread(summarise(own.map(({ loadBusy }) => loadBusy)), 2),
      [...new Set(own.flatMap(({ remarks: words }) => words))].join("; "),
    ];
  });
  return table(["floor", "events/s", "CPU s/million", "core", "load's core", "remarks"], rows);
}

/** Of each run, in their order, the floor that took the same bodies. */
function floorValues(
  floors: readonly FloorRun[],
  which: Case,
  { floor, name }: { readonly floor: Floor; readonly name: "accepted" | "cpuPerMillion" },
): readonly (number | null)[] {
  const shape = floorShape(which);
  return floors
    .filter((each) => each.shape === shape && each.floor === floor)
    .toSorted((left, right) => left.run - right.run)
    .map((each) => each[name]);
}

function remarks(cases: readonly Case[], results: Results): readonly string[] {
  return cases.flatMap(({ title, name }) =>
    (results.get(name) ?? []).flatMap((run, index) =>
      [...run.faults, ...run.remarks].map((remark) => `${title}, run ${index + 1}: ${remark}`),
    ),
  );
}

/** What must not have happened, each with its case and run; the command fails when there is any. */
export function faultsOf(results: Results): readonly string[] {
  return [...results].flatMap(([name, runs]) =>
    runs.flatMap(({ faults }, index) => faults.map((fault) => `${name}, run ${index + 1}: ${fault}`)),
  );
}
