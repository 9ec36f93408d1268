import { decimal, percent, spread, table } from "./markdown.ts";
import { type Summary, summarise } from "./statistics.ts";

/** Of a JSON file of the benchmark, what is compared; files of earlier versions have it too. */
export interface Report {
  readonly startedAt: string;
  readonly commit: string;
  readonly floors: readonly Readonly<Record<string, unknown>>[];
  readonly cases: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
}

export interface Change {
  readonly name: string;
  readonly figure: string;
  readonly before: Summary;
  readonly after: Summary;
  /** Of the medians; 0.1 is ten per cent more. Null where there was nothing before. */
  readonly change: number | null;
  /** Even the nearest runs of the two differ: the spreads have nothing in common. */
  readonly isClear: boolean;
}

/** Figures in the order in which they are told; what else a run has is not compared. */
const FIGURES: readonly (readonly [name: string, title: string, digits: number])[] = [
  ["accepted", "accepted/s", 0],
  ["delivered", "delivered/s", 0],
  ["deliveredMeanwhile", "delivered/s under load", 0],
  ["deliveredSmall", "drained/s from 10,000", 0],
  ["cpuPerMillion", "CPU s/million", 1],
  ["peakMegabytes", "peak MB", 0],
  ["answerP50", "202 p50 ms", 1],
  ["answerP99", "202 p99 ms", 1],
  ["deliveryP50", "202→SIEM p50 ms", 0],
  ["deliveryP99", "202→SIEM p99 ms", 0],
  ["confirmedAfter", "confirmed after s", 2],
];

/** Cases and floors that both have, figure by figure. */
export function changes(before: Report, after: Report): readonly Change[] {
  const [old, fresh] = [runsByName(before), runsByName(after)];
  return [...old].flatMap(([name, runs]) =>
    FIGURES.flatMap(([figure]) => {
      const was = summarise(runs.map((run) => numberIn(run[figure])));
      const is = summarise((fresh.get(name) ?? []).map((run) => numberIn(run[figure])));
      if (was === null || is === null) return [];
      const change = was.median === 0 ? null : is.median / was.median - 1;
      return [
        { name, figure, before: was, after: is, change, isClear: is.min > was.max || is.max < was.min },
      ];
    }),
  );
}

export function changeTable(before: Report, after: Report): string {
  const rows = changes(before, after).map(({ name, figure, change, isClear, ...values }) => {
    const [, title = figure, digits = 0] = FIGURES.find(([known]) => known === figure) ?? [];
    const signed = change === null ? "–" : `${change > 0 ? "+" : ""}${percent(change)}`;
    return [
      name,
      title,
      spread(values.before, digits),
      spread(values.after, digits),
      `${signed}${isClear ? "" : " ~"}`,
    ];
  });
  const word = ({ startedAt, commit }: Report): string =>
    `${commit}, ${startedAt.slice(0, 16).replace("T", " ")}`;
  const count = decimal(rows.length);
  return [
    `Before: ${word(before)}. After: ${word(after)}. ${count} figures; ~: within the spread of the runs.\n`,
    table(["case", "figure", "before", "after", "change"], rows),
  ].join("\n");
}

function runsByName({
  cases,
  floors,
}: Report): ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]> {
  const named = new Map(Object.entries(cases));
  for (const run of floors) {
    const name = `floor ${run["shape"]}, ${run["floor"]}`;
    named.set(name, [...(named.get(name) ?? []), run]);
  }
  return named;
}

function numberIn(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
