import { spawnSync } from "node:child_process";
import { describe, it } from "vitest";
import { estimate } from "../../../src/cost/model.ts";
import { parseNumber, parseOptions } from "../../../src/cost/options.ts";
import { COMPONENTS } from "../../../src/cost/prices.ts";
import { costOf, describe as textOf } from "../../../src/cost/text.ts";

function run(...args: readonly string[]): {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["src/cost/main.ts", ...args], {
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

function textFor(...args: readonly string[]): string {
  const parsed = parseOptions(args);
  if (parsed.kind !== "ok") throw new Error(JSON.stringify(parsed));
  const { traffic } = parsed;
  const expected = estimate(traffic);
  return textOf(traffic, expected, costOf(expected, traffic));
}

describe("npm run cost", () => {
  it("prints the assumptions and the bill by component", ({ expect }) => {
    const { status, out } = run("--events-per-day", "100M", "--per-request", "100", "--destinations", "1");
    expect(status).toBe(0);
    expect(out).toContain(
      "100,000,000 events a day of 500 bytes, 100 a request, to 1 destination of one tenant.",
    );
    expect(out).toContain("Assumed: 11.6 requests a second");
    for (const component of COMPONENTS) expect(out).toContain(`\n${component} `);
    expect(out).toMatch(/\nR2( +0){4}\n/);
  });

  it("prints the same as JSON, whose parts add up to its totals", ({ expect }) => {
    const { out } = run("--events-per-day", "1M", "--json");
    const { traffic, cost } = JSON.parse(out);
    expect(traffic).toMatchObject({
      eventsPerDay: 1e6,
      eventsPerRequest: 1,
      destinations: 1,
      eventBytes: 500,
    });
    const sum = Object.values<number>(cost.perMonth).reduce((one, other) => one + other, 0);
    expect(cost.totals.perMonth).toBeCloseTo(sum, 9);
    expect(cost.totals.perMonth).toBeCloseTo(30 * cost.totals.perMillionEvents, 9);
    expect(cost.totals.monthWithPlan).toBeGreaterThan(5);
  });

  it("says what is wrong with each flag, shows how it is used, and ends with 2", ({ expect }) => {
    const { status, err } = run("--per-request", "2.5", "--destinations", "many");
    expect(status).toBe(2);
    expect(err).toContain("--events-per-day is missing.");
    expect(err).toContain('--per-request must be a whole number from 1 to 1,000, not "2.5".');
    expect(err).toContain('--destinations must be a number like 5000000, 5_000_000 or 5M, not "many".');
    expect(err).toContain("npm run cost -- --events-per-day <n>");
  });

  it("does not know other flags, nor a value without one", ({ expect }) => {
    for (const args of [["--events", "5"], ["5M"], ["--events-per-day"]]) {
      expect(parseOptions(args).kind, String(args)).toBe("wrong");
    }
  });

  it("explains itself", ({ expect }) => {
    expect(parseOptions(["--help"])).toEqual({ kind: "help" });
    expect(run("--help").out).toContain("--active-hours");
  });

  const numbers: readonly (readonly [text: string, value: number | null])[] = [
    ["5000000", 5e6],
    ["5_000_000", 5e6],
    ["5,000,000", 5e6],
    ["5e6", 5e6],
    ["2.5B", 2.5e9],
    ["300k", 3e5],
    ["0.5", 0.5],
    ["-5", null],
    ["5 M", null],
    ["5m", null],
    ["", null],
    ["0x10", null],
    ["Infinity", null],
  ];
  it.for(numbers)("reads %j as %j", ([text, value], { expect }) => {
    expect(parseNumber(text)).toBe(value);
  });

  it("warns where one queue or one lane is not enough", ({ expect }) => {
    const much = textFor("--events-per-day", "10B", "--per-request", "1");
    expect(much).toContain("one queue takes 5,000. See --queues.");
    expect(much).toContain("see --shards");
    expect(textFor("--events-per-day", "100M", "--per-request", "100")).not.toContain("Beyond");
  });
});
