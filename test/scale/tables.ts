import { type Carried, highestRate, type Setting } from "./simulate.ts";

/** What is printed, and what docs/scale.md shows: for each table its title and how it is made. */
export const TABLES: readonly { readonly title: string; readonly rows: () => string }[] = [
  {
    title: "Lanes of a destination: 100 events a request, one queue, a SIEM that answers in 100 ms",
    rows: () => table("lanes", [1, 2, 4, 8, 16, 32], { queues: 1, events: 100, answerMs: 100 }),
  },
  {
    title: "Lanes of a destination: the same with four queues",
    rows: () => table("lanes", [1, 2, 4, 8, 16, 32], { queues: 4, events: 100, answerMs: 100 }),
  },
  {
    title: "Queues of a deployment: one event a request, four lanes",
    rows: () => table("queues", [1, 2, 4, 8], { lanes: 4, events: 1, answerMs: 100 }),
  },
  {
    title: "One lane, by what its SIEM takes to answer in milliseconds: 100 events a request, one queue",
    rows: () => table("answerMs", [10, 20, 50, 100, 500], { lanes: 1, queues: 1, events: 100 }),
  },
];

/** The highest rate of one destination as one thing changes, as a Markdown table. */
export function table<Name extends keyof Setting>(
  varied: Name,
  values: readonly number[],
  fixed: Omit<Setting, Name>,
): string {
  const name = varied === "answerMs" ? "answer ms" : varied;
  const results = values.map((value) => {
    const setting = { ...fixed, [varied]: value } as unknown as Setting; // all but one, and that one
    return { value, carried: highestRate(setting) };
  });
  const first = results[0]?.carried.eventsPerSecond ?? 1;
  const lines = results.map(({ value, carried }) => [String(value), ...cellsOf(carried, first)]);
  const head = [
    name,
    "events/s",
    "of the first",
    "what is full",
    "thread",
    "under way",
    "queue",
    "calls a delivery",
  ];
  return aligned([head, ...lines]);
}

function cellsOf(carried: Carried, first: number): string[] {
  const { eventsPerSecond, bound, thread, underWay, queue, callsPerDelivery } = carried;
  return [
    (Math.round(eventsPerSecond / 100) * 100).toLocaleString("en"),
    `${(eventsPerSecond / first).toFixed(1)}×`,
    bound,
    percent(thread),
    percent(underWay),
    percent(queue),
    callsPerDelivery.toFixed(1),
  ];
}

/** Numbers to the right, words to the left. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isWords = (column: number): boolean => rows[0]?.[column] === "what is full";
  const line = (row: readonly string[]): string => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return isWords(column) ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${cells.join(" | ")} |`;
  };
  const rule = widths.map((width, column) =>
    isWords(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(rows[0] ?? []), line(rule), ...rows.slice(1).map(line)].join("\n");
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
