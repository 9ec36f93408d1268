/** What providers answer: every code of every table. */
import { CLOUDWATCH_TABLE, type CloudwatchRow } from "../../src/providers/shared/cloudwatch-codes.ts";
import type { Fault } from "../simulator/control.ts";
import {
  CREDENTIALS,
  type FaultKind,
  LONG,
  LOST_ANSWER,
  misbehave,
  REFUSED,
  RELAY_FAULT,
  reconfigure,
  SHORT,
  THROTTLED,
  TROUBLE,
} from "./fault-kind.ts";
import { POISON } from "./oracle.ts";

function hec(code: number, meaning: string, operatorSees: string, options: object = {}): FaultKind {
  const fault = { mode: "code", code, paths: ["event"], ...options } as Fault; // checked by the simulator
  return {
    ...{ name: `hec ${code}`, track: "destination", providers: ["splunk"], lasts: SHORT },
    ...{ does: `HEC answers code ${code}: ${meaning}.`, operatorSees, run: misbehave(() => fault) },
  };
}

/** HEC refuses events that hold a pattern, wherever they stand in a request. */
function poison(code: number): FaultKind {
  return {
    ...{ name: `hec ${code} (poison)`, track: "destination", providers: ["splunk"], lasts: LONG },
    does: `HEC answers code ${code} and names one event among good ones.`,
    operatorSees:
      code === 7
        ? "`degraded` with `config_rejected`; what precedes the event is delivered, nothing is dropped."
        : REFUSED,
    run: misbehave(() => ({ mode: "poison", pattern: POISON, code }) as Fault),
  };
}

const SPLUNK: readonly FaultKind[] = [
  hec(1, "token disabled", CREDENTIALS),
  hec(2, "token is required", CREDENTIALS),
  hec(3, "invalid authorization", CREDENTIALS),
  hec(4, "invalid token", CREDENTIALS),
  hec(5, "no data", RELAY_FAULT, { times: 1 }),
  hec(6, "invalid data format, of the first event", REFUSED, { times: 2, event_number: 0 }),
  poison(6),
  poison(7),
  { ...hec(8, "internal error, after storing", LOST_ANSWER, { stored: true }), isAmbiguous: true },
  hec(9, "server is busy", TROUBLE),
  hec(10, "data channel is missing", RELAY_FAULT, { times: 1 }),
  hec(11, "invalid data channel", RELAY_FAULT, { times: 1 }),
  poison(12),
  poison(13),
  hec(14, "acknowledgement is disabled", TROUBLE),
  poison(15),
  hec(16, "query string authorization is off", RELAY_FAULT, { times: 1 }),
  hec(17, "healthy, which is no answer to events", TROUBLE),
  hec(18, "unhealthy, queues are full", TROUBLE),
  hec(19, "unhealthy, acknowledgement service", TROUBLE),
  hec(20, "unhealthy, both", TROUBLE),
  hec(21, "invalid token, of the health check", CREDENTIALS),
  hec(22, "token disabled, of the health check", CREDENTIALS),
  hec(23, "shutting down", TROUBLE),
  hec(
    24,
    "queue approaching its capacity, events taken",
    "Nothing: the lane sends one request at a time for a while.",
  ),
  hec(
    25,
    "acknowledgements approaching their capacity, events taken",
    "Nothing: the lane sends one request at a time for a while.",
  ),
  hec(26, "queue at capacity", THROTTLED),
  hec(27, "acknowledgement channel at capacity", THROTTLED),
  hec(28, "data channel is missing (Splunk Cloud)", RELAY_FAULT, { times: 1 }),
  {
    ...{ name: "acknowledgements unanswered", track: "destination", providers: ["splunk"], lasts: LONG },
    does: "`/ack` answers 503, and events are taken.",
    operatorSees:
      "With acknowledgement, batches stay _accepted_ and become _indexed_ later; otherwise nothing.",
    run: misbehave(() => ({ mode: "status", status: 503, paths: ["ack"] })),
  },
  {
    ...{ name: "acknowledgements lost", track: "destination", providers: ["splunk"], lasts: SHORT },
    does: "`/ack` tells once that events are indexed, and its answer is lost.",
    operatorSees:
      "With acknowledgement, `acknowledgement.lost` after `ack_timeout_seconds`: the events are sent again and counted as possibly duplicated; otherwise nothing.",
    run: misbehave(() => ({ mode: "reset_after", paths: ["ack"] })),
  },
  {
    ...{ name: "indexers swapped", track: "destination", providers: ["splunk"], lasts: LONG },
    does: "The balancer in front of two indexers forgets its stickiness.",
    operatorSees: "Nothing: every batch is asked for where it went, and a wrong indexer proves nothing.",
    run: reconfigure(() => ({ indexers: 2, cookies: false, balance: "request" })),
  },
];

const DATADOG: readonly FaultKind[] = [
  {
    ...{ name: "datadog 400 (poison)", track: "destination", providers: ["datadog"], lasts: LONG },
    does: "Datadog refuses every request that holds one bad event, and does not say which.",
    operatorSees: REFUSED,
    run: misbehave(() => ({ mode: "poison", pattern: POISON })),
  },
  {
    ...{ name: "datadog 429", track: "destination", providers: ["datadog"], lasts: SHORT },
    does: "HTTP 429 with Datadog's own limit headers.",
    operatorSees: THROTTLED,
    run: misbehave(() => ({ mode: "status", status: 429, headers: { "x-ratelimit-reset": "2" } })),
  },
  {
    ...{ name: "receiver's clock jumps", track: "destination", providers: ["datadog"], lasts: LONG },
    does: "Datadog's clock is hours off.",
    operatorSees: "Nothing, while it stays within Datadog's 18 hours.",
    run: reconfigure(() => ({ now_offset_ms: 10 * 3_600_000 })),
  },
];

// --- CloudWatch -------------------------------------------------------------------------------------------

const WRONG_SETTINGS = "`degraded` with `config_rejected` and the provider's words; nothing is dropped.";

/** What comes of an error type, as the table of the relay has it; the operator sees nothing else. */
function cloudwatchSees({ becomes }: CloudwatchRow): string {
  switch (becomes.kind) {
    case "retry":
      if (becomes.maybeTaken) return LOST_ANSWER;
      if (becomes.trouble === "throttled") return THROTTLED;
      return `\`degraded\` with \`${becomes.trouble}\` and AWS's words; back by itself.`;
    case "hold":
      return becomes.trouble === "config_rejected" ? WRONG_SETTINGS : CREDENTIALS.replace("HEC", "AWS");
    case "parameter":
      return REFUSED;
    case "split":
      return "Nothing: requests become smaller until the next change of the destination.";
    case "delivered":
      return "Nothing: the events are there.";
    case "fault":
      return RELAY_FAULT;
  }
}

/** How many requests it strikes: what costs dead letters or smaller requests is not to strike all of them. */
const STRIKES: Readonly<Partial<Record<CloudwatchRow["becomes"]["kind"], number>>> = {
  parameter: 2,
  split: 2,
  fault: 1,
};

function cloudwatch(type: string, row: CloudwatchRow): FaultKind {
  const { becomes, because } = row;
  const isStored = becomes.kind === "delivered" || (becomes.kind === "retry" && becomes.maybeTaken);
  const times = STRIKES[becomes.kind];
  const fault: Fault = {
    mode: "status",
    status: 400,
    body: JSON.stringify({ __type: type, message: "Said by the conservation test" }),
    stored: isStored,
    ...(times === undefined ? {} : { times }),
  };
  return {
    ...{ name: `cloudwatch ${type}`, track: "destination", providers: ["cloudwatch"], lasts: SHORT },
    ...(becomes.kind === "retry" && becomes.maybeTaken ? { isAmbiguous: true } : {}),
    does: `CloudWatch answers with that error type${isStored ? ", after storing" : ""}: ${because}.`,
    operatorSees: cloudwatchSees(row),
    run: misbehave(() => fault),
  };
}

const CLOUDWATCH: readonly FaultKind[] = CLOUDWATCH_TABLE.flatMap((row) =>
  row.types.map((type) => cloudwatch(type, row)),
);

// --- Elastic ----------------------------------------------------------------------------------------------

/** Every third document is answered so, inside a 200, and is not stored. */
function elasticItem(code: number, operatorSees: string): FaultKind {
  return {
    ...{ name: `elastic item ${code}`, track: "destination", providers: ["elastic"], lasts: SHORT },
    does: `Inside a 200, every third document is answered ${code}.`,
    operatorSees,
    run: reconfigure(() => ({ item_fault: { status: code, every: 3 } })),
  };
}

const ELASTIC: readonly FaultKind[] = [
  elasticItem(400, REFUSED),
  elasticItem(429, "`degraded` with `throttled`; those documents alone are sent again."),
  elasticItem(503, "`degraded` with `provider_error`; those documents alone are sent again."),
  elasticItem(
    403,
    "`degraded` with `config_rejected`, because an index block is no matter of keys; nothing is dropped.",
  ),
  {
    ...{ name: "elastic item 409", track: "destination", providers: ["elastic"], lasts: SHORT },
    does: "Documents are stored, the answer is lost, and sent again each is answered 409: it is there.",
    operatorSees: "`degraded` for a moment; the event is there once, because its id is the document's.",
    run: misbehave(() => ({ mode: "reset_after", times: 1 })),
  },
];

// --- Webhooks ---------------------------------------------------------------------------------------------

const WEBHOOK: readonly FaultKind[] = [
  {
    ...{ name: "webhook 422", track: "destination", providers: ["webhook"], lasts: SHORT },
    does: "The receiver refuses the content of a few requests.",
    operatorSees: REFUSED,
    run: misbehave(() => ({ mode: "status", status: 422, times: 3 })),
  },
];

export const PROVIDER_FAULTS: readonly FaultKind[] = [
  ...SPLUNK,
  ...DATADOG,
  ...CLOUDWATCH,
  ...ELASTIC,
  ...WEBHOOK,
];
