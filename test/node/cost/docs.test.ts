/** docs/cost.md is arithmetic, so it can be checked: against the price list, the counts, the calculator, and itself. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { estimate } from "../../../src/cost/model.ts";
import {
  type Bill,
  METERS,
  NO_USAGE,
  perMillion,
  priced,
  total,
  type Usage,
} from "../../../src/cost/prices.ts";
import { EXPECTED } from "./expected.ts";

const page = readFileSync("docs/cost.md", "utf8");

/** Cells of the table whose head begins with these words. */
function table(head: string): readonly (readonly string[])[] {
  const lines = page.split("\n");
  const first = lines.findIndex((line) => line.replace(/ +/g, " ").startsWith(`| ${head}`));
  const rest = lines.slice(first + 2);
  const end = rest.findIndex((line) => !line.startsWith("|"));
  if (first < 0) throw new Error(`No table "${head}"`);
  return rest.slice(0, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const number = (cell: string | undefined): number => Number(cell?.replace(/[$,*]/g, ""));

/** A million events at 100 single events a second. */
function sharedBill(sharing: number): { readonly usage: Usage; readonly bill: Bill } {
  const eventsPerDay = 100 * 86_400;
  const { traffic } = estimate({
    ...{ eventsPerDay, eventsPerRequest: 1, destinations: 1, tenants: 1, shards: 1, queues: 1, sharing },
    ...{ eventBytes: 500, activeHours: 24, batchTimeoutSeconds: 1, answerMs: 100 },
  });
  const usage = perMillion(traffic, eventsPerDay);
  return { usage, bill: priced(usage) };
}

describe("docs/cost.md", () => {
  it("has the price list that the program has, each with its page", ({ expect }) => {
    const units: Readonly<Record<string, number>> = { million: 1e6, billion: 1e9 };
    const shown = table("component").map(([component, unit, price = "", included = "", link]) => {
      const [amount, word] = included.split(" ");
      return {
        ...{
          component,
          unit,
          price: number(price.split(" ")[0]),
          per: price.endsWith("a million") ? 1e6 : 1,
        },
        included: number(amount) * (units[word ?? ""] ?? 1),
        isLinked: /\(https:\/\/developers\.cloudflare\.com\/.*(?:pricing|workers-logs)/.test(link ?? ""),
      };
    });
    const real = METERS.map(({ component, unit, price, per, included }) => ({
      ...{ component, unit, price, per, included, isLinked: true },
    }));
    expect(shown).toEqual(real);
  });

  it("shows the operations that the tests count", ({ expect }) => {
    const counts = table("a request, destinations | requests");
    const shown = counts.map(([, requests, deliveries, queue, calls, rows, , , , lines]) =>
      [requests, deliveries, queue, calls, rows, lines].map(number),
    );
    const real = EXPECTED.map(({ eventsPerRequest, destinations, events, messages, ...each }) => {
      const million = (amount: number): number => Math.round((amount * 1e6) / events);
      return [
        ...[1e6 / eventsPerRequest, million(1), million(messages), million(destinations)],
        ...[million(each.laneRowsWritten), million(each.siemRequests)],
      ];
    });
    expect(shown).toEqual(real);
  });

  it("charges for them what the price list says, to the hundredth of a cent", ({ expect }) => {
    const bills = table("a request, destinations | worker requests");
    for (const [index, row] of table("a request, destinations | requests").entries()) {
      const [shape, requests, deliveries, queue, calls, rows, rowsRead, seconds, databaseRows, lines] = row;
      const bill = bills[index] ?? [];
      const usage: Usage = {
        ...NO_USAGE,
        ...{ requests: number(requests), consumerInvocations: number(deliveries) },
        ...{ queueWrites: number(queue), queueReads: number(queue), queueDeletes: number(queue) },
        ...{
          objectRequests: number(calls),
          objectRowsWritten: number(rows),
          objectRowsRead: number(rowsRead),
        },
        ...{ objectActiveMs: number(seconds) * 1_000, databaseRowsRead: number(databaseRows) },
        ...{ logLines: number(lines), workerCpuMs: (number(bill[2]) / 0.02) * 1e6 },
      };
      expect(bill[0]).toBe(shape);
      expect(number(bill.at(-1)), shape).toBeCloseTo(total(priced(usage)), 3);
      const parts = bill.slice(1, -1).map(number);
      expect(
        parts.reduce((sum, part) => sum + part, 0),
        shape,
      ).toBeCloseTo(number(bill.at(-1)), 3);
    }
  });

  it("adds up its alternatives", ({ expect }) => {
    const rows = table("for a million events");
    expect(rows.length).toBeGreaterThan(5);
    for (const [name, requests, cpuSeconds, queue, calls, seconds, written, lines, dollars] of rows) {
      const usage = {
        ...NO_USAGE,
        ...{
          requests: number(requests),
          workerCpuMs: number(cpuSeconds) * 1_000,
          queueWrites: number(queue),
        },
        ...{ objectRequests: number(calls), objectActiveMs: number(seconds) * 1_000 },
        ...{ objectRowsWritten: number(written), logLines: number(lines) },
      };
      expect(number(dollars), name).toBeCloseTo(total(priced(usage)), 2);
    }
  });

  it("shows what sharing a message does to the bill, as the model has it", ({ expect }) => {
    const [operations, queue, , all] = table("requests that share a message").map((row) =>
      row.slice(1).map(number),
    );
    const bills = [1, 2, 4, 6, 10, 20, 59].map((sharing) => sharedBill(sharing));
    expect(operations).toEqual(bills.map(({ usage }) => Math.round(3 * usage.queueWrites)));
    expect(queue).toEqual(bills.map(({ bill }) => Number(bill.queue.toFixed(2))));
    expect(all).toEqual(bills.map(({ bill }) => Number(total(bill).toFixed(2))));
  });

  it("shows what the calculator prints", ({ expect }) => {
    const examples = [...page.matchAll(/```sh\nnpm run cost -- (.*)\n```\n\n```\n([\s\S]*?)\n```/g)];
    expect(examples).toHaveLength(3);
    for (const [, args = "", output] of examples) {
      const { stdout } = spawnSync(process.execPath, ["src/cost/main.ts", ...args.split(" ")], {
        encoding: "utf8",
      });
      expect(stdout.trimEnd()).toBe(output);
    }
  });

  it("says so where a target is missed", ({ expect }) => {
    const dollarsOf = (shape: string): number =>
      number(
        table("a request, destinations | worker requests")
          .find(([name]) => name === shape)
          ?.at(-1),
      );
    expect(page.includes("**missed**")).toBe(dollarsOf("100, one") > 0.03 || dollarsOf("1, one") > 1.6);
    expect(page).toContain(`**$${dollarsOf("100, one").toFixed(4)}** at 100 a request`);
  });
});
