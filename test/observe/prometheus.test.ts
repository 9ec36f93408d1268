import { describe, it } from "vitest";
import { METRICS } from "../../src/observe/metrics.ts";
import { type Metric, toExposition } from "../../src/observe/prometheus.ts";

const requests: Metric = { name: "sluice_x_total", kind: "counter", help: "A\nB \\", labels: ["a"] };

describe("the exposition", () => {
  it("has help and type once, then all samples of the metric", ({ expect }) => {
    const other: Metric = { name: "sluice_y", kind: "gauge", help: "Y", labels: [] };
    const text = toExposition([
      { metric: requests, labels: { a: "1" }, value: 1 },
      { metric: other, labels: {}, value: 0.5 },
      { metric: requests, labels: { a: "2" }, value: 2 },
    ]);
    expect(text).toBe(
      '# HELP sluice_x_total A\\nB \\\\\n# TYPE sluice_x_total counter\nsluice_x_total{a="1"} 1\nsluice_x_total{a="2"} 2\n' +
        "# HELP sluice_y Y\n# TYPE sluice_y gauge\nsluice_y 0.5\n",
    );
  });

  it("escapes labels and writes infinities as Prometheus does", ({ expect }) => {
    const text = toExposition([
      { metric: requests, labels: { a: 'q"\\\n' }, value: Number.POSITIVE_INFINITY },
      { metric: requests, labels: {}, value: Number.NaN },
    ]);
    expect(text).toContain('sluice_x_total{a="q\\"\\\\\\n"} +Inf\n');
    expect(text).toContain('sluice_x_total{a=""} NaN\n');
  });

  it("names counters _total, gauges not, and nothing twice", ({ expect }) => {
    const all = Object.values(METRICS);
    for (const { name, kind } of all) {
      expect(name).toMatch(/^sluice_[a-z_]+$/);
      expect(name.endsWith("_total")).toBe(kind === "counter");
    }
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });
});
