/** One metric of the catalogue. Its name ends in its unit, and in `_total` when it only grows. */
export interface Metric<Label extends string = string> {
  readonly name: string;
  readonly kind: "gauge" | "counter";
  readonly help: string;
  readonly labels: readonly Label[];
}

/** One value of a metric, with a text for each of its labels. */
export interface Sample {
  readonly metric: Metric;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Media type of the text format. @see https://prometheus.io/docs/instrumenting/exposition_formats/ (read 2026-11) */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Samples as Prometheus reads them: for each metric its help and type once, then its samples together.
 * A metric of the catalogue without samples is left out.
 */
export function toExposition(samples: readonly Sample[]): string {
  const byMetric = new Map<Metric, Sample[]>();
  for (const sample of samples) {
    const group = byMetric.get(sample.metric);
    if (group === undefined) byMetric.set(sample.metric, [sample]);
    else group.push(sample);
  }
  let text = "";
  for (const [metric, group] of byMetric) {
    text += `# HELP ${metric.name} ${metric.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`;
    text += `# TYPE ${metric.name} ${metric.kind}\n`;
    for (const sample of group) text += toSampleLine(sample);
  }
  return text;
}

function toSampleLine({ metric, labels, value }: Sample): string {
  const pairs = metric.labels.map((label) => `${label}="${escapeLabel(labels[label] ?? "")}"`);
  return `${metric.name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${toValue(value)}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function toValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
