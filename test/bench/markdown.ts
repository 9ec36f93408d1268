import type { Summary } from "./statistics.ts";

export const ABSENT = "–";

/** Tables in Markdown, so that docs/performance.md can show them as they are printed. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line), ""].join("\n");
}

export function decimal(value: number, digits = 0): string {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Median and, beside it, the lowest and the highest. */
export function spread(summary: Summary | null, digits = 0): string {
  if (summary === null) return ABSENT;
  const { median, min, max } = summary;
  return `${decimal(median, digits)} (${decimal(min, digits)}–${decimal(max, digits)})`;
}

/** The same of shares, in per cent. */
export function percents(summary: Summary | null): string {
  if (summary === null) return ABSENT;
  const { median, min, max } = summary;
  const digits = median < 0.1 ? 1 : 0;
  return `${spread({ median: 100 * median, min: 100 * min, max: 100 * max }, digits)} %`;
}

export function percent(share: number, digits = 1): string {
  return `${decimal(100 * share, digits)} %`;
}
