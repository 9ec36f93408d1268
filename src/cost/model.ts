/**
 * What the platform would bill for a traffic: formulas over what one delivery of the queue costs, which the tests hold
 * against the meter. Pure; docs/cost.md explains each line.
 */
import { handled, queued } from "./packing.ts";
import { NO_USAGE, plus, type Usage } from "./prices.ts";

/** What comes in, evenly spread over the tenants, the hours and the requests. */
export interface Traffic {
  readonly eventsPerDay: number;
  readonly eventsPerRequest: number;
  /** Of each tenant; every event goes to all of them. */
  readonly destinations: number;
  readonly tenants: number;
  /** Lanes of each destination. */
  readonly shards: number;
  /** Of the deployment; batches are spread over them. */
  readonly queues: number;
  /** Small requests that share a message, because they come to one isolate while it sends; 1 where none meets another. */
  readonly sharing: number;
  /** Of one event as sent. */
  readonly eventBytes: number;
  /** Hours of a day in which events come. */
  readonly activeHours: number;
  /** What the queue waits for a fuller batch: `max_batch_timeout`. */
  readonly batchTimeoutSeconds: number;
  /** What a destination takes to answer. */
  readonly answerMs: number;
}

/** The way of a day's events, and what is billed for it. */
export interface Estimate {
  /** While events come. */
  readonly requestsPerSecond: number;
  readonly messagesPerDay: number;
  /** Of each queue, while events come. */
  readonly messagesPerQueueSecond: number;
  readonly messagesPerDelivery: number;
  readonly deliveriesPerDay: number;
  readonly laneCallsPerDay: number;
  readonly eventsPerLaneCall: number;
  readonly siemRequestsPerDay: number;
  /** Share of the active hours in which a lane is at work. */
  readonly laneBusy: number;
  /** While events come. */
  readonly eventsPerLaneSecond: number;
  /** Of one day: what the events cause. */
  readonly traffic: Usage;
  /** Of one day: what runs beside them, by the clock. */
  readonly upkeep: Usage;
  /** Of one day, all of it. Storage is in GB-months for a month of such days, and so a thirtieth of it here. */
  readonly day: Usage;
}

/** On average. */
interface Delivery {
  readonly messages: number;
  /** Different tenants. */
  readonly tenants: number;
  /** Lanes that are called for each destination of a tenant, over all tenants. */
  readonly calls: number;
}

/** `max_batch_size`. */
const DELIVERY_MESSAGES = 100;
/** Requests that a lane has under way at once. */
const WINDOW = 4;
/** An object's own time for each request to a destination, besides waiting for its answer. Measured locally. */
const REQUEST_MS = 8;
/** Rows of a lane that are looked at for each row of events: heads, lines, the next to come. Counted. */
const ROWS_READ_PER_ROW = 11;
/**
 * CPU time in ms, an upper bound: that of the whole local runtime with its queue and databases, on one core. At one event a
 * request the same load was measured with 1, 2.4, 8.0 and 29 requests to a message: 1,156, 600, 306 and 215 CPU s a million
 * events, which is a part of each request and one of each message. Most of the latter is the stand-in of the queue, which
 * commits each message to disk. 100 a request, to one destination and to five, gives the parts of each event and of each
 * copy; rounded up. docs/cost.md has the derivation. Objects are billed for duration and not for CPU.
 */
const CPU_MS_PER_REQUEST = 0.17;
const CPU_MS_PER_MESSAGE = 1.04;
const CPU_MS_PER_EVENT = 0.0083;
const CPU_MS_PER_COPY = 0.0073;
/** A lane with waiting events has an alarm this near, and then one for housekeeping: two settings, one of them goes off. */
const ALARM_SECONDS = 30;
const SCHEDULE_SECONDS = 300;
const DAY_SECONDS = 86_400;
const DAYS_A_MONTH = 30;
/** Receipts, one for each request to a SIEM: so long, so many, and about so large. */
const RECEIPT_DAYS = 7;
const MAX_RECEIPTS = 200_000;
const RECEIPT_BYTES = 250;
const RECEIPT_BYTES_PER_PART = 75;
/** An empty lane with its tables. */
const LANE_BYTES = 40_000;
/** Tenants, keys and destinations with their sealed credentials; incidents are not in the model. */
const TENANT_BYTES = 20_000;
const GIGABYTE = 1_000_000_000;

export function estimate(traffic: Traffic): Estimate {
  const { eventsPerDay, eventsPerRequest, destinations, tenants, shards, answerMs } = traffic;
  const seconds = traffic.activeHours * 3_600;
  const lanes = tenants * destinations * shards;
  const requests = eventsPerDay / eventsPerRequest;
  const each = queued(traffic, traffic.sharing);
  const delivery = deliveryOf(traffic, { messages: each.messages, requestsPerSecond: requests / seconds });
  const deliveries = (requests * each.messages) / delivery.messages;
  const calls = deliveries * delivery.calls * destinations;
  const eventsPerCall = calls === 0 ? 0 : (eventsPerDay * destinations) / calls;
  const requestsPerCall = eventsPerCall / eventsPerRequest;
  const call = handled(traffic, requestsPerCall);
  const siemRequests = calls * call.requests;
  const callSeconds = (REQUEST_MS * call.requests + answerMs * Math.ceil(call.requests / WINDOW)) / 1_000;
  const laneBusy = busyShare(calls / lanes / seconds, callSeconds);
  const operations = requests * each.operations;
  const parts = Math.max(1, requestsPerCall / call.requests);
  const used: Usage = {
    ...NO_USAGE,
    requests,
    consumerInvocations: deliveries,
    workerCpuMs:
      requests * (CPU_MS_PER_REQUEST + each.messages * CPU_MS_PER_MESSAGE) +
      eventsPerDay * (CPU_MS_PER_EVENT + CPU_MS_PER_COPY * destinations),
    queueWrites: operations,
    queueReads: operations,
    queueDeletes: operations,
    objectRequests: calls,
    // Each row of events is inserted and deleted; each request leaves its receipt and counts in its minute.
    objectRowsWritten: calls * (2 * call.rows + 2 * call.requests),
    objectRowsRead: calls * call.rows * ROWS_READ_PER_ROW,
    objectActiveMs: lanes * seconds * laneBusy * 1_000,
    objectGigabyteMonths: receiptGigabytes(siemRequests, { lanes, parts }) / DAYS_A_MONTH,
    databaseRowsRead: deliveries * delivery.tenants * (destinations + 1),
    logLines: siemRequests,
  };
  const upkeep = upkeepOf({ tenants, lanes, callsPerLaneSecond: calls / lanes / seconds, seconds });
  return {
    requestsPerSecond: requests / seconds,
    messagesPerDay: requests * each.messages,
    messagesPerQueueSecond: (requests * each.messages) / seconds / traffic.queues,
    messagesPerDelivery: delivery.messages,
    deliveriesPerDay: deliveries,
    laneCallsPerDay: calls,
    eventsPerLaneCall: eventsPerCall,
    siemRequestsPerDay: siemRequests,
    laneBusy,
    eventsPerLaneSecond: eventsPerDay / (tenants * shards) / seconds,
    traffic: used,
    upkeep,
    day: plus(used, upkeep),
  };
}

/**
 * The queue delivers when 100 messages wait, or when the first has waited for the batch timeout: so it finds that request
 * and those that came in the meantime. Under load the platform runs several deliveries at once, which this takes as full.
 */
function deliveryOf(
  { tenants, shards, queues, batchTimeoutSeconds }: Traffic,
  { messages, requestsPerSecond }: { readonly messages: number; readonly requestsPerSecond: number },
): Delivery {
  const waiting = messages * (1 + (requestsPerSecond / queues) * batchTimeoutSeconds);
  const full = Math.min(DELIVERY_MESSAGES, Math.max(1, waiting));
  const requests = Math.max(1, full / messages);
  return {
    messages: full,
    tenants: different(tenants, requests),
    calls: different(tenants * shards, requests),
  };
}

/** How many of several are met, when each of some things belongs to one of them at random. */
function different(several: number, things: number): number {
  return several * (1 - (1 - 1 / several) ** things);
}

/** Share of the time in which at least one call is under way, of calls that come at random: an object is billed once for all. */
function busyShare(callsPerSecond: number, seconds: number): number {
  return 1 - Math.exp(-callsPerSecond * seconds);
}

/** Receipts that are there at any time. */
function receiptGigabytes(
  siemRequests: number,
  { lanes, parts }: { readonly lanes: number; readonly parts: number },
): number {
  const receipts = Math.min(siemRequests * RECEIPT_DAYS, lanes * MAX_RECEIPTS);
  return (receipts * (RECEIPT_BYTES + RECEIPT_BYTES_PER_PART * parts)) / GIGABYTE;
}

/** Alarms go off half a minute after events began to wait, and are set again with the next call. */
function upkeepOf({
  tenants,
  lanes,
  callsPerLaneSecond,
  seconds,
}: {
  readonly tenants: number;
  readonly lanes: number;
  readonly callsPerLaneSecond: number;
  readonly seconds: number;
}): Usage {
  const alarms = callsPerLaneSecond === 0 ? 0 : (lanes * seconds) / (ALARM_SECONDS + 1 / callsPerLaneSecond);
  return {
    ...NO_USAGE,
    scheduledInvocations: DAY_SECONDS / SCHEDULE_SECONDS,
    alarms,
    alarmsSet: 2 * alarms,
    databaseRowsRead: alarms,
    objectGigabyteMonths: (lanes * LANE_BYTES) / GIGABYTE / DAYS_A_MONTH,
    databaseGigabyteMonths: (tenants * TENANT_BYTES) / GIGABYTE / DAYS_A_MONTH,
  };
}
