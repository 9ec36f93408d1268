/**
 * What the platform bills, and for how much. List prices of the paid plan in US dollars, free allotments left out.
 * @see https://developers.cloudflare.com/workers/platform/pricing/ (read 2026-11)
 * @see https://developers.cloudflare.com/queues/platform/pricing/ (read 2026-11)
 * @see https://developers.cloudflare.com/durable-objects/platform/pricing/ (read 2026-11)
 * @see https://developers.cloudflare.com/d1/platform/pricing/ (read 2026-11)
 */

/** Operations that were billed, or would have been. */
export interface Usage {
  /** Requests that producers made of the Worker. */
  readonly requests: number;
  /** Times that the queue woke the Worker; billed like a request. */
  readonly consumerInvocations: number;
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
  readonly objectRowsWritten: number;
  /** Wall time for which an object was in memory and at work, summed over the objects. */
  readonly objectActiveMs: number;
  readonly databaseRowsRead: number;
  readonly databaseRowsWritten: number;
}

export const COMPONENTS = [
  "worker requests",
  "worker CPU",
  "queue",
  "object requests",
  "object duration",
  "object rows written",
  "object rows read",
  "D1 rows",
] as const;
export type Component = (typeof COMPONENTS)[number];

/** Dollars per million of the unit. */
const PRICE = {
  request: 0.3,
  cpuMs: 0.02,
  queueOperation: 0.4,
  objectRequest: 0.15,
  gigabyteSecond: 12.5,
  rowWritten: 1,
  rowRead: 0.001,
};

/** Memory that an object is billed for while it is active, whatever it uses. */
const OBJECT_GIGABYTES = 0.128;

/** Usage that belongs to one million events. */
export function perMillion(usage: Usage, events: number): Usage {
  const factor = 1_000_000 / events;
  const scaled = Object.entries(usage).map(([name, amount]) => [name, amount * factor]);
  return Object.fromEntries(scaled) as unknown as Usage; // the same names as before
}

/** Dollars for a usage, by component. */
export function priced(usage: Usage): Readonly<Record<Component, number>> {
  const dollars = (amount: number, price: number): number => (amount / 1_000_000) * price;
  return {
    "worker requests": dollars(usage.requests + usage.consumerInvocations, PRICE.request),
    "worker CPU": dollars(usage.workerCpuMs, PRICE.cpuMs),
    queue: dollars(usage.queueWrites + usage.queueReads + usage.queueDeletes, PRICE.queueOperation),
    "object requests": dollars(usage.objectRequests + usage.alarms, PRICE.objectRequest),
    "object duration": dollars((usage.objectActiveMs / 1_000) * OBJECT_GIGABYTES, PRICE.gigabyteSecond),
    "object rows written": dollars(usage.objectRowsWritten + usage.alarmsSet, PRICE.rowWritten),
    "object rows read": dollars(usage.objectRowsRead, PRICE.rowRead),
    "D1 rows":
      dollars(usage.databaseRowsWritten, PRICE.rowWritten) + dollars(usage.databaseRowsRead, PRICE.rowRead),
  };
}

export function total(bill: Readonly<Record<Component, number>>): number {
  return COMPONENTS.reduce((sum, component) => sum + bill[component], 0);
}
