/**
 * What the platform bills, and for how much: the one price list, for `npm run cost` and for the benchmark.
 *
 * List prices of the Workers Paid plan in US dollars. Read 2026-11; docs/cost.md names the page of each.
 * Cloudflare rounds some amounts up to the next unit on a bill; here everything is charged in proportion.
 */

/** Operations that were billed, or would have been, over some time. */
export interface Usage {
  /** Requests that producers made of the Worker. */
  readonly requests: number;
  /** Times that the queue woke the Worker; billed like a request. */
  readonly consumerInvocations: number;
  /** Times that the schedule woke the Worker; billed like a request. */
  readonly scheduledInvocations: number;
  readonly workerCpuMs: number;
  /** Queue operations: one for each started 64 KB of a message. */
  readonly queueWrites: number;
  readonly queueReads: number;
  readonly queueDeletes: number;
  /** Calls of an object. */
  readonly objectRequests: number;
  /** Alarms that went off; billed like a request. */
  readonly alarms: number;
  /** Alarms that were set; billed like a row written. */
  readonly alarmsSet: number;
  readonly objectRowsRead: number;
  /** Inserted, updated and deleted. */
  readonly objectRowsWritten: number;
  /** Wall time for which an object was in memory and at work, summed over the objects. */
  readonly objectActiveMs: number;
  readonly objectGigabyteMonths: number;
  readonly databaseRowsRead: number;
  readonly databaseRowsWritten: number;
  readonly databaseGigabyteMonths: number;
  /** The relay has no bucket, so these are 0; the price list is ready for the day when it has one. */
  readonly bucketWrites: number;
  readonly bucketReads: number;
  readonly bucketGigabyteMonths: number;
  /** Lines that the relay writes to Workers Logs. */
  readonly logLines: number;
}

export const NO_USAGE: Usage = {
  requests: 0,
  consumerInvocations: 0,
  scheduledInvocations: 0,
  workerCpuMs: 0,
  queueWrites: 0,
  queueReads: 0,
  queueDeletes: 0,
  objectRequests: 0,
  alarms: 0,
  alarmsSet: 0,
  objectRowsRead: 0,
  objectRowsWritten: 0,
  objectActiveMs: 0,
  objectGigabyteMonths: 0,
  databaseRowsRead: 0,
  databaseRowsWritten: 0,
  databaseGigabyteMonths: 0,
  bucketWrites: 0,
  bucketReads: 0,
  bucketGigabyteMonths: 0,
  logLines: 0,
};

export const COMPONENTS = [
  "worker requests",
  "worker CPU",
  "queue",
  "object requests",
  "object duration",
  "object rows written",
  "object rows read",
  "object storage",
  "D1",
  "R2",
  "logs",
] as const;
export type Component = (typeof COMPONENTS)[number];

/** One line of the price list. */
export interface Meter {
  readonly component: Component;
  readonly unit: string;
  /** Dollars for `per` units. */
  readonly price: number;
  readonly per: number;
  /** Units of each month that the plan includes. */
  readonly included: number;
  readonly amount: (usage: Usage) => number;
}

/** Memory that an object is billed for while it is active, whatever it uses. */
const OBJECT_GIGABYTES = 0.128;
const MILLION = 1_000_000;
const BILLION = 1_000_000_000;

// biome-ignore format: a price list is read by its rows
export const METERS: readonly Meter[] = [
  { component: "worker requests", unit: "request, queue delivery or scheduled run", price: 0.3, per: MILLION, included: 10 * MILLION,
    amount: ({ requests, consumerInvocations, scheduledInvocations }) => requests + consumerInvocations + scheduledInvocations },
  { component: "worker CPU", unit: "ms of CPU time", price: 0.02, per: MILLION, included: 30 * MILLION,
    amount: ({ workerCpuMs }) => workerCpuMs },
  { component: "queue", unit: "started 64 KB written, read or deleted", price: 0.4, per: MILLION, included: MILLION,
    amount: ({ queueWrites, queueReads, queueDeletes }) => queueWrites + queueReads + queueDeletes },
  { component: "object requests", unit: "call of an object, or alarm that goes off", price: 0.15, per: MILLION, included: MILLION,
    amount: ({ objectRequests, alarms }) => objectRequests + alarms },
  { component: "object duration", unit: "GB-second, at 128 MB an active object", price: 12.5, per: MILLION, included: 400_000,
    amount: ({ objectActiveMs }) => (objectActiveMs / 1_000) * OBJECT_GIGABYTES },
  { component: "object rows written", unit: "row written or deleted, or alarm set", price: 1, per: MILLION, included: 50 * MILLION,
    amount: ({ objectRowsWritten, alarmsSet }) => objectRowsWritten + alarmsSet },
  { component: "object rows read", unit: "row read", price: 0.001, per: MILLION, included: 25 * BILLION,
    amount: ({ objectRowsRead }) => objectRowsRead },
  { component: "object storage", unit: "GB-month", price: 0.2, per: 1, included: 5,
    amount: ({ objectGigabyteMonths }) => objectGigabyteMonths },
  { component: "D1", unit: "row written", price: 1, per: MILLION, included: 50 * MILLION,
    amount: ({ databaseRowsWritten }) => databaseRowsWritten },
  { component: "D1", unit: "row read", price: 0.001, per: MILLION, included: 25 * BILLION,
    amount: ({ databaseRowsRead }) => databaseRowsRead },
  { component: "D1", unit: "GB-month", price: 0.75, per: 1, included: 5,
    amount: ({ databaseGigabyteMonths }) => databaseGigabyteMonths },
  { component: "R2", unit: "Class A operation (write, list)", price: 4.5, per: MILLION, included: MILLION,
    amount: ({ bucketWrites }) => bucketWrites },
  { component: "R2", unit: "Class B operation (read)", price: 0.36, per: MILLION, included: 10 * MILLION,
    amount: ({ bucketReads }) => bucketReads },
  { component: "R2", unit: "GB-month", price: 0.015, per: 1, included: 10,
    amount: ({ bucketGigabyteMonths }) => bucketGigabyteMonths },
  { component: "logs", unit: "line in Workers Logs", price: 0.6, per: MILLION, included: 20 * MILLION,
    amount: ({ logLines }) => logLines },
];

/** What the Workers Paid plan costs an account each month, before anything that it does not include. */
export const PLAN_DOLLARS_A_MONTH = 5;

export type Bill = Readonly<Record<Component, number>>;

/** Dollars for a usage, by component, as if nothing were included. */
export function priced(usage: Usage): Bill {
  return billOf(({ amount }) => amount(usage));
}

/** Dollars for the usage of one month on an account of its own: what exceeds the plan's allotments. The plan itself is not in it. */
export function pricedBeyondPlan(month: Usage): Bill {
  return billOf(({ amount, included }) => Math.max(0, amount(month) - included));
}

export function total(bill: Bill): number {
  return COMPONENTS.reduce((sum, component) => sum + bill[component], 0);
}

/** The same usage so many times. */
export function times(usage: Usage, factor: number): Usage {
  return mapped(usage, (amount) => amount * factor);
}

export function plus(one: Usage, other: Usage): Usage {
  return mapped(one, (amount, name) => amount + other[name]);
}

/** Usage that belongs to one million events. */
export function perMillion(usage: Usage, events: number): Usage {
  return times(usage, MILLION / events);
}

function billOf(billable: (meter: Meter) => number): Bill {
  const dollars = (component: Component): number =>
    METERS.filter((meter) => meter.component === component).reduce(
      (sum, meter) => sum + (billable(meter) / meter.per) * meter.price,
      0,
    );
  return Object.fromEntries(COMPONENTS.map((component) => [component, dollars(component)])) as Bill; // every component is there
}

function mapped(usage: Usage, change: (amount: number, name: keyof Usage) => number): Usage {
  const names = Object.keys(NO_USAGE) as (keyof Usage)[]; // the names that it was made with
  return Object.fromEntries(names.map((name) => [name, change(usage[name], name)])) as unknown as Usage; // the same names as before
}
