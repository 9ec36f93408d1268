import type { Estimate, Traffic } from "./model.ts";
import {
  type Bill,
  COMPONENTS,
  PLAN_DOLLARS_A_MONTH,
  perMillion,
  priced,
  pricedBeyondPlan,
  times,
  total,
} from "./prices.ts";

const DAYS_A_MONTH = 30;

/** Dollars for a traffic, at list price and on an account that has nothing else. */
export interface Cost {
  readonly perDay: Bill;
  readonly perMonth: Bill;
  readonly perMillionEvents: Bill;
  /** A month's, beyond what the plan includes; the plan is not in it. */
  readonly beyondPlan: Bill;
  readonly totals: {
    readonly perDay: number;
    readonly perMonth: number;
    readonly perMillionEvents: number;
    readonly monthWithPlan: number;
  };
}

export function costOf(estimate: Estimate, { eventsPerDay }: Traffic): Cost {
  const month = times(estimate.day, DAYS_A_MONTH);
  const [perDay, perMonth] = [priced(estimate.day), priced(month)];
  const perMillionEvents = priced(perMillion(estimate.day, eventsPerDay));
  const beyondPlan = pricedBeyondPlan(month);
  return {
    ...{ perDay, perMonth, perMillionEvents, beyondPlan },
    totals: {
      perDay: total(perDay),
      perMonth: total(perMonth),
      perMillionEvents: total(perMillionEvents),
      monthWithPlan: PLAN_DOLLARS_A_MONTH + total(beyondPlan),
    },
  };
}

/** What a person reads: the assumptions, the way of the events, the bill. */
export function describe(traffic: Traffic, estimate: Estimate, cost: Cost): string {
  return [
    ...assumptions(traffic, estimate),
    ...limits(estimate),
    "",
    ...way(estimate),
    "",
    ...bill(cost),
  ].join("\n");
}

/** The platform's: messages a second of one queue. @see https://developers.cloudflare.com/queues/platform/limits/ (read 2026-11) */
const QUEUE_MESSAGES_PER_SECOND = 5_000;
/** What one lane drains on one core of the local runtime (docs/performance.md): an order of magnitude. */
const LANE_EVENTS_PER_SECOND = 50_000;

function limits({ messagesPerQueueSecond, eventsPerLaneSecond }: Estimate): readonly string[] {
  return [
    ...(messagesPerQueueSecond > QUEUE_MESSAGES_PER_SECOND
      ? [
          `Beyond a limit: ${count(messagesPerQueueSecond)} messages a second; one queue takes ${count(QUEUE_MESSAGES_PER_SECOND)}. See --queues.`,
        ]
      : []),
    ...(eventsPerLaneSecond > LANE_EVENTS_PER_SECOND
      ? [
          `Beyond what one lane is known to deliver: ${count(eventsPerLaneSecond)} events a second; see --shards.`,
        ]
      : []),
  ];
}

function assumptions(traffic: Traffic, { requestsPerSecond }: Estimate): readonly string[] {
  const { tenants, destinations, activeHours, batchTimeoutSeconds, sharing } = traffic;
  const shared =
    sharing === 1 ? "no two requests share a message" : `${count(sharing)} small requests share a message`;
  return [
    `${count(traffic.eventsPerDay)} events a day of ${count(traffic.eventBytes)} bytes, ${count(traffic.eventsPerRequest)} a request, ` +
      `to ${plural(destinations, "destination")} of ${tenants === 1 ? "one tenant" : `each of ${count(tenants)} tenants`}.`,
    `Assumed: ${count(requestsPerSecond)} requests a second, evenly over ${plural(activeHours, "hour")} of the day; the queue waits ` +
      `${batchTimeoutSeconds} s for a fuller batch; ${shared}; destinations take all events and answer in ${count(traffic.answerMs)} ms, without failures.`,
  ];
}

function way(estimate: Estimate): readonly string[] {
  return [
    `Messages on the queue      ${count(estimate.messagesPerDay)} a day`,
    `Deliveries of the queue    ${count(estimate.deliveriesPerDay)} a day, of ${plural(estimate.messagesPerDelivery, "message")} (100 are a full one)`,
    `Calls of lanes             ${count(estimate.laneCallsPerDay)} a day, of ${plural(estimate.eventsPerLaneCall, "event")}; a lane is at work ${percent(estimate.laneBusy)} of the time`,
    `Requests to SIEMs          ${count(estimate.siemRequestsPerDay)} a day`,
  ];
}

function bill({ perDay, perMonth, perMillionEvents, beyondPlan, totals }: Cost): readonly string[] {
  const line = (name: string, amounts: readonly number[]): string =>
    name.padEnd(22) + amounts.map((amount) => dollars(amount).padStart(16)).join("");
  const head = ["a million events", "a day", "a month", "beyond the plan"];
  return [
    `${"Dollars at list price".padEnd(22)}${head.map((title) => title.padStart(16)).join("")}`,
    ...COMPONENTS.map((name) =>
      line(name, [perMillionEvents[name], perDay[name], perMonth[name], beyondPlan[name]]),
    ),
    line("total", [totals.perMillionEvents, totals.perDay, totals.perMonth, total(beyondPlan)]),
    "",
    `On an account with nothing else: ${dollars(totals.monthWithPlan)} a month, of which ${dollars(PLAN_DOLLARS_A_MONTH)} is the Workers Paid plan.`,
  ];
}

function dollars(amount: number): string {
  if (amount === 0) return "0";
  const digits = amount < 0.1 ? 5 : amount < 10 ? 4 : 2;
  return `$${amount.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

function count(amount: number): string {
  const digits =
    amount < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: amount < 1_000 ? 1 : 0 };
  return amount.toLocaleString("en", digits);
}

function plural(amount: number, noun: string): string {
  return `${count(amount)} ${noun}${amount === 1 ? "" : "s"}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
