import { type Bill, COMPONENTS, type Component, priced, total } from "../../src/cost/prices.ts";
import type { Case, Floor } from "./cases.ts";
import type { FloorRun } from "./floors.ts";
import type { Run } from "./measure.ts";
import type { Operations } from "./operations.ts";
import type { SelfTime } from "./profile.ts";
import { type Summary, summarise } from "./statistics.ts";

/** Tables in Markdown, so that docs/performance.md can show them as they are printed. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? `${"-".repeat(width + 2)}` : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...rows.map(line), ""].join("\n");
}

const ABSENT = "–";

/** Median and, beside it, the lowest and the highest. */
function spread(summary: Summary | null, digits = 0): string {
  if (summary === null) return ABSENT;
  const form = (value: number): string =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${form(summary.median)} (${form(summary.min)}–${form(summary.max)})`;
}

export function floorTable(runs: readonly FloorRun[]): string {
  if (runs.length === 0) return "";
  const keys = [...new Set(runs.map(({ shape, floor }) => `${shape} ${floor}`))];
  const rows = keys.map((key) => {
    const own = runs.filter(({ shape, floor }) => `${shape} ${floor}` === key);
    const of = (read: (run: FloorRun) => number | null): Summary | null => summarise(own.map(read));
    return [
      key,
      spread(of((run) => run.accepted)),
      spread(
        of((run) => run.cpuPerMillion),
        1,
      ),
      spread(
        of((run) => run.busy),
        2,
      ),
      spread(
        of((run) => run.loadBusy),
        2,
      ),
      [...new Set(own.flatMap(({ remarks }) => remarks))].join("; "),
    ];
  });
  return table(["floor", "events/s", "CPU s/million", "core", "load's core", "remarks"], rows);
}

/** The floor of the same shape, to compare a case with. */
function floorOf(floors: readonly FloorRun[], { shape }: Case, floor: Floor): number | null {
  const name = shape.events === 1 ? "single" : shape.events === 100 ? "hundred" : "thousand";
  const own = floors.filter((each) => each.shape === name && each.floor === floor);
  return summarise(own.map(({ accepted }) => accepted))?.median ?? null;
}

export function caseTable(
  cases: readonly Case[],
  byCase: ReadonlyMap<string, readonly Run[]>,
  floors: readonly FloorRun[],
): string {
  const of = ({ name }: Case, read: (run: Run) => number | null): Summary | null =>
    summarise((byCase.get(name) ?? []).map(read));
  const ratio = (each: Case, floor: Floor): string => {
    const [accepted, limit] = [of(each, (run) => run.accepted), floorOf(floors, each, floor)];
    if (accepted === null || limit === null || each.kind !== "throughput") return ABSENT;
    return `${((100 * accepted.median) / limit).toFixed(0)} %`;
  };
  const sum = (each: Case, read: (run: Run) => number): string =>
    String((byCase.get(each.name) ?? []).reduce((total, run) => total + read(run), 0));
  const throughput = cases.filter(({ kind }) => kind !== "latency");
  const parts = [
    table(
      [
        "case",
        "accepted/s",
        "delivered/s",
        "delivered/s under load",
        "CPU s/million",
        "core",
        "load's core",
        "peak MB",
        "of empty",
        "of json",
        "lost",
        "dupl.",
      ],
      throughput.map((each) => [
        each.title,
        spread(of(each, (run) => run.accepted)),
        spread(of(each, (run) => run.delivered)),
        spread(of(each, (run) => run.deliveredMeanwhile)),
        spread(
          of(each, (run) => run.cpuPerMillion),
          1,
        ),
        spread(
          of(each, (run) => run.busy),
          2,
        ),
        spread(
          of(each, (run) => run.loadBusy),
          2,
        ),
        spread(of(each, (run) => run.peakMegabytes)),
        ratio(each, "empty"),
        ratio(each, "json"),
        sum(each, (run) => run.lost),
        sum(each, (run) => run.duplicates),
      ]),
    ),
    table(
      [
        "case",
        "accepted/s",
        "202 p50 ms",
        "202 p99 ms",
        "202→SIEM p50 ms",
        "202→SIEM p99 ms",
        "first after s",
        "all after s",
      ],
      cases.map((each) => [
        each.title,
        spread(of(each, (run) => run.accepted)),
        spread(
          of(each, (run) => run.answerP50),
          1,
        ),
        spread(
          of(each, (run) => run.answerP99),
          1,
        ),
        spread(of(each, (run) => run.deliveryP50)),
        spread(of(each, (run) => run.deliveryP99)),
        spread(
          of(each, (run) => run.resumedAfter),
          2,
        ),
        spread(
          of(each, (run) => run.recoveredAfter),
          2,
        ),
      ]),
    ),
  ];
  const remarks = cases.flatMap(({ title, name }) =>
    (byCase.get(name) ?? []).flatMap((run, index) =>
      run.remarks.map((remark) => `${title}, run ${index + 1}: ${remark}`),
    ),
  );
  return [...parts, ...remarks, ""].join("\n");
}

/** Processor time is measured with everything local in it, so as the Worker's bill it is an upper bound. */
const CPU_OF: Readonly<Record<number, string>> = { 1: "single", 100: "hundred", 1000: "thousand" };

export function operationTables(
  operations: readonly Operations[],
  byCase: ReadonlyMap<string, readonly Run[]>,
): string {
  if (operations.length === 0) return "";
  const whole = (value: number): string => Math.round(value).toLocaleString("en");
  const shape = ({ eventsPerRequest, destinations }: Operations): string =>
    `${eventsPerRequest.toLocaleString("en")} a request, ${destinations} destination${destinations > 1 ? "s" : ""}`;
  const bills = operations.map((each) => priced({ ...each.perMillion, workerCpuMs: cpuMs(each, byCase) }));
  const used = COMPONENTS.filter((component) => bills.some((bill) => bill[component] > 0));
  return [
    table(
      [
        "per million events",
        "requests",
        "consumer",
        "queue w/r/d",
        "object calls",
        "alarms set",
        "rows written",
        "rows read",
        "object s",
        "D1 rows read",
        "D1 rows written",
        "log lines",
      ],
      operations.map((each) => {
        const { perMillion: per } = each;
        return [
          shape(each),
          whole(per.requests),
          whole(per.consumerInvocations),
          `${whole(per.queueWrites)}/${whole(per.queueReads)}/${whole(per.queueDeletes)}`,
          whole(per.objectRequests + per.alarms),
          whole(per.alarmsSet),
          whole(per.objectRowsWritten),
          whole(per.objectRowsRead),
          whole(per.objectActiveMs / 1_000),
          whole(per.databaseRowsRead),
          whole(per.databaseRowsWritten),
          whole(per.logLines),
        ];
      }),
    ),
    table(
      ["dollars per million", ...used, "total"],
      operations.map((each, index) => dollarRow(shape(each), used, bills[index])),
    ),
  ].join("\n");
}

function dollarRow(title: string, used: readonly Component[], bill: Bill | undefined): readonly string[] {
  if (bill === undefined) return [title];
  return [title, ...used.map((component) => bill[component].toFixed(4)), total(bill).toFixed(4)];
}

/** Of a million events, from the throughput case of the same shape; 0 where it was not run. */
function cpuMs(
  { eventsPerRequest, destinations }: Operations,
  byCase: ReadonlyMap<string, readonly Run[]>,
): number {
  const five = eventsPerRequest === 100 ? "five" : undefined;
  const name = destinations === 1 ? CPU_OF[eventsPerRequest] : five;
  const cpu = summarise((byCase.get(name ?? "") ?? []).map(({ cpuPerMillion }) => cpuPerMillion));
  return (cpu?.median ?? 0) * 1_000;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export function profileTable(
  profiles: readonly {
    readonly isolate: string;
    readonly seconds: number;
    readonly top: readonly SelfTime[];
  }[],
): string {
  return profiles
    .map(({ isolate, seconds, top }) => {
      const rows = top.map(({ name, share, whole }) => [name, percent(share), percent(whole)]);
      return `${isolate}: ${seconds.toFixed(2)} s at work\n\n${table(["function:line of the bundle", "self", "with callees"], rows)}`;
    })
    .join("\n");
}
