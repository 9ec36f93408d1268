import { type Bill, COMPONENTS, type Component, priced, total } from "../../src/cost/prices.ts";
import { table } from "./markdown.ts";
import type { Operations } from "./operations.ts";
import type { Run } from "./run.ts";
import { summarise } from "./statistics.ts";

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
