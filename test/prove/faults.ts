/**
 * Everything that is done to the relay and to those it talks to. The table is also the page in docs/reliability.md:
 * what is done, and what an operator sees of it.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Fault } from "../simulator/control.ts";
import { doomed } from "./destinations.ts";
import { POISON } from "./oracle.ts";
import type { Random } from "./random.ts";
import type { Live, World } from "./world.ts";

/** Faults of one track never overlap; tracks do. Every destination has one of its own. */
export type Track = "relay" | "queue" | "lane" | "control" | "destination";

export interface Injection {
  readonly world: World;
  /** For the tracks `lane`, `control` and `destination`. */
  readonly target: Live;
  readonly random: Random;
  /** As long as it is to last. */
  hold(): Promise<void>;
}

export interface FaultKind {
  readonly name: string;
  readonly track: Track;
  /** Providers that can behave so; all when absent. */
  readonly providers?: readonly string[];
  /** A receiver that follows it has to get something twice. */
  readonly isAmbiguous?: boolean;
  /** Milliseconds. */
  readonly lasts: readonly [shortest: number, longest: number];
  readonly does: string;
  readonly operatorSees: string;
  /** Injects, holds, lifts. @returns false when it could not strike */
  run(injection: Injection): Promise<boolean | undefined>;
}

const SHORT = [700, 2_500] as const;
const LONG = [1_500, 4_500] as const;
/** How far the Worker's clock is set off; within the tolerance of signatures, which is five minutes. */
const CLOCK_JUMP_MS = 240_000;

/** The instance misbehaves; a lane that backs off is told to try again first, so that the fault strikes. */
function misbehave(make: (random: Random) => Fault): FaultKind["run"] {
  return async ({ world, target, random, hold }) => {
    const { name } = target.spec;
    await wake(world, target);
    const before = await world.siem.summary(name);
    await world.siem.fault(name, make(random));
    await hold();
    const after = await world.siem.summary(name);
    await world.siem.recover(name);
    return after.requests > before.requests || after.hanging > 0;
  };
}

/** Settings of the instance are others for a while. */
function reconfigure(changeOf: (target: Live) => object): FaultKind["run"] {
  return async ({ world, target, hold }) => {
    const { spec } = target;
    const change = changeOf(target);
    await wake(world, target);
    const before = await world.siem.summary(spec.name);
    await world.configure(spec, change);
    try {
      await hold();
      const after = await world.siem.summary(spec.name);
      return after.requests > before.requests;
    } finally {
      await world.restore(spec, change);
    }
  };
}

async function wake(world: World, target: Live): Promise<void> {
  const { status } = await world.view(target);
  if (status !== "active") await world.patch(target, { name: `${target.spec.name}, woken` });
}

type Sees = Pick<FaultKind, "does" | "operatorSees">;

function status(
  code: number,
  sees: Sees,
  more: Partial<FaultKind> & { readonly with?: object } = {},
): FaultKind {
  const { with: options = {}, ...rest } = more;
  const run = misbehave(() => ({ mode: "status", status: code, ...options }) as Fault); // checked by the simulator
  return { name: `http ${code}`, track: "destination", lasts: SHORT, ...sees, run, ...rest };
}

function hec(code: number, meaning: string, operatorSees: string, options: object = {}): FaultKind {
  const fault = { mode: "code", code, paths: ["event"], ...options } as Fault; // checked by the simulator
  return {
    ...{ name: `hec ${code}`, track: "destination", providers: ["splunk"], lasts: SHORT },
    ...{ does: `HEC answers code ${code}: ${meaning}.`, operatorSees, run: misbehave(() => fault) },
  };
}

const TROUBLE = "`degraded` with `provider_error` and HEC's words; back by itself.";
const THROTTLED = "`degraded` with `throttled`; the backlog grows for a while and drains by itself.";
const CREDENTIALS =
  "`degraded` with `credentials_rejected` and HEC's words; nothing is dropped, and a `PATCH` tries at once.";
const FAULT =
  "Dead letters with the reason `relay_fault` and a message that names the header a proxy takes away; replay them.";
const REFUSED = "Dead letters with the reason `refused` and the provider's words; the rest goes on.";
const LOST_ANSWER =
  "`degraded` for a moment; `sluice_events_possibly_duplicated_total` rises, and the SIEM may show an event twice.";

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

const RELAY: readonly FaultKind[] = [
  {
    ...{ name: "relay killed", track: "relay", lasts: [0, 1_500], isAmbiguous: true },
    does: "SIGKILL to the relay and its runtime, then a start on the same state.",
    operatorSees:
      "Producers get no connection meanwhile; afterwards everything goes on, with duplicates of what was under way.",
    async run({ world, random }) {
      await world.fell("kill", random.between(0, 1_500));
      return true;
    },
  },
  {
    ...{ name: "relay stopped", track: "relay", lasts: [0, 1_500] },
    does: "SIGTERM to the relay, then a start.",
    operatorSees: "The same as with a deployment: a pause of seconds, and no message.",
    async run({ world, random }) {
      await world.fell("stop", random.between(0, 1_500));
      return true;
    },
  },
  {
    ...{ name: "consumer crash", track: "relay", lasts: [0, 0], isAmbiguous: true },
    does: "SIGKILL at the moment at which the queue hands over a batch.",
    operatorSees:
      "Nothing but the pause: the queue hands the batch over again, and lanes ignore what they have.",
    async run({ world, random }) {
      await Promise.race([world.order("/next-batch"), pause(5_000)]);
      await pause(random.between(0, 25));
      await world.fell("kill", 0);
      return true;
    },
  },
];

function queueFault(
  name: string,
  faults: (random: Random) => Parameters<World["queue"]>[0],
  sees: Sees,
): FaultKind {
  return {
    ...{ name, track: "queue", lasts: LONG, ...sees },
    async run({ world, random, hold }) {
      const isHeard = await world.queue(faults(random));
      await hold();
      await world.queue({});
      return isHeard;
    },
  };
}

const QUEUE: readonly FaultKind[] = [
  queueFault("queue refuses some sends", () => ({ refuse: 0.4 }), {
    does: "Some of the sends to the queue fail.",
    operatorSees:
      "Producers get 503 `buffer_unavailable` with `Retry-After`, and log lines `request.answered` with 503.",
  }),
  queueFault("queue full", () => ({ refuse: 1 }), {
    does: "The queue takes nothing at all.",
    operatorSees: "Every producer gets 503 `buffer_unavailable`; deliveries go on with what was accepted.",
  }),
  queueFault("queue answer lost", () => ({ lie: 0.5 }), {
    does: "The queue stores a batch and says that it failed.",
    operatorSees:
      "503 `buffer_unavailable`, although the events arrive; a producer with an idempotency key causes no second copy.",
  }),
  queueFault("queue duplicates", () => ({ duplicate: 0.5 }), {
    does: "The queue stores messages twice.",
    operatorSees: "Nothing: lanes recognise a part that they have.",
  }),
  queueFault("queue redelivers", () => ({ loseAcks: 0.5 }), {
    does: "Acknowledgements of handled messages are lost, so they come again.",
    operatorSees: "Nothing: lanes recognise a part that they have.",
  }),
  queueFault("queue delays", (random) => ({ delay: random.between(500, 3_000) }), {
    does: "Messages wait in the queue.",
    operatorSees: "A higher latency in `GET …/stats`, and no change of status.",
  }),
];

const LANES: readonly FaultKind[] = [
  {
    ...{ name: "lane evicted", track: "lane", lasts: [0, 0] },
    does: "The lane's object is put out of memory between two requests.",
    operatorSees: "Nothing: it starts again from its storage at the next call or alarm.",
    async run({ world, target }) {
      await Promise.race([world.order("/evict", { lane: laneName(target) }), pause(3_000)]);
      return true;
    },
  },
  {
    ...{ name: "lane aborted", track: "lane", lasts: [0, 0], isAmbiguous: true },
    does: "The lane's object is torn down in the middle of its requests.",
    operatorSees:
      "Perhaps a log line `submit.failed`; what was under way is sent again, so it may be there twice.",
    async run({ world, target }) {
      const at = Date.now();
      const isHeard = await world.order("/abort", { lane: laneName(target) });
      await world.noteInterrupted([target], at);
      return isHeard;
    },
  },
];

const CONTROL: readonly FaultKind[] = [
  {
    ...{ name: "destination disabled", track: "control", lasts: SHORT },
    does: "The destination is switched off and on again.",
    operatorSees:
      "`disabled`; what was owed before waits, what comes meanwhile is not kept for it, and both changes are audit events.",
    async run({ world, target, hold }) {
      const now = Date.now();
      const { clockWasOff } = world;
      const from = clockWasOff !== null && now < clockWasOff.to + 60_000 ? clockWasOff.from : now;
      await world.patch(target, { enabled: false });
      await hold();
      await world.patch(target, { enabled: true });
      target.excuses.push({ from, to: Date.now() });
      return true;
    },
  },
  {
    ...{ name: "destination changed", track: "control", lasts: [0, 0] },
    does: "The destination's name is changed under traffic.",
    operatorSees: "An audit event `siem.update`; a lane that backed off tries at once.",
    async run({ world, target, random }) {
      await world.patch(target, { name: `${target.spec.name}, change ${random.between(1, 9_999)}` });
      return true;
    },
  },
  {
    ...{ name: "dead letters replayed", track: "control", lasts: [0, 0] },
    does: "All dead letters of a destination are replayed under traffic.",
    operatorSees:
      "`replayed` in the answer, an audit event `siem.replay`, and the letters gone or back with a new reason.",
    async run({ world, target }) {
      const path = `/v1/audit/siem/${target.id}/replay`;
      const answer = await world.call("POST", path, { key: target.tenant.key, body: { all: true } });
      return Number(answer.body["replayed"] ?? 0) > 0;
    },
  },
  {
    ...{ name: "destination deleted", track: "control", lasts: LONG },
    does: "A destination is made, gets its share of the traffic and is deleted, sometimes while it is broken.",
    operatorSees: "`flushed` and `dead_lettered` in the answer; the dead letters stay readable for 7 days.",
    async run({ world, target: { tenant }, random, hold }) {
      const spec = doomed(world.destinations.length * 2 + random.between(0, 1));
      const before = Date.now();
      const live = await world.addDestination(tenant, spec);
      live.excuses.push({ from: 0, to: Date.now() + (world.clockWasOff === null ? 0 : CLOCK_JUMP_MS) });
      await hold();
      const isBroken = random.chance(0.5);
      if (isBroken) await world.siem.fault(spec.name, { mode: "status", status: 503 });
      await pause(Math.max(0, before + 4_000 - Date.now()));
      const { clockWasOff } = world;
      const now = Date.now();
      const from = clockWasOff !== null && now < clockWasOff.to + 60_000 ? clockWasOff.from : now;
      live.excuses.push({ from, to: Number.MAX_SAFE_INTEGER });
      live.isDeleted = true;
      const path = `/v1/audit/siem/${live.id}${isBroken ? "?force=true" : ""}`;
      const answer = await world.call("DELETE", path, { key: tenant.key });
      const { flushed, dead_lettered: deadLettered } = answer.body;
      if (answer.status === 200)
        live.flushed = { flushed: Number(flushed), deadLettered: Number(deadLettered) };
      return true;
    },
  },
  {
    ...{ name: "clock jumps", track: "control", lasts: LONG },
    does: "The relay's clock goes four minutes ahead or back, and returns.",
    operatorSees:
      "Times in lists jump; nothing is lost, and a retry comes early or late by no more than the jump.",
    async run({ world, random, hold }) {
      const from = Date.now();
      world.clockWasOff = { from, to: Number.MAX_SAFE_INTEGER };
      await world.order("/clock", { ms: random.chance(0.5) ? CLOCK_JUMP_MS : -CLOCK_JUMP_MS });
      await hold();
      await world.order("/clock", { ms: 0 });
      world.clockWasOff = { from, to: Date.now() };
      return true;
    },
  },
];

function laneName({ tenant, id }: Live): string {
  return `${tenant.id}/${id}`;
}

const HTTP: readonly FaultKind[] = [
  ...[500, 502].map((code) =>
    status(
      code,
      { does: `HTTP ${code}, after storing the events.`, operatorSees: LOST_ANSWER },
      {
        ...{ isAmbiguous: true, with: { stored: true } },
      },
    ),
  ),
  status(
    504,
    {
      does: "HTTP 504: a gateway gave up, the events are stored.",
      operatorSees: "`degraded` with `timeout`; perhaps duplicates.",
    },
    {
      ...{ isAmbiguous: true, with: { stored: true } },
    },
  ),
  status(503, {
    does: "HTTP 503.",
    operatorSees: "`degraded` with `provider_error`; `next_attempt_at` says when it is tried again.",
  }),
  status(
    503,
    {
      does: "HTTP 503 with `Retry-After` in seconds.",
      operatorSees: "The same, and `next_attempt_at` is no earlier than was asked for.",
    },
    {
      ...{ name: "http 503, retry after seconds", with: { retry_after: 2 } },
    },
  ),
  {
    ...status(503, {
      does: "HTTP 503 with `Retry-After` as a date.",
      operatorSees: "The same, and `next_attempt_at` is no earlier than that date.",
    }),
    name: "http 503, retry after date",
    run: misbehave(() => ({
      mode: "status",
      status: 503,
      retry_after: new Date(Date.now() + 3_000).toUTCString(),
    })),
  },
  status(408, { does: "HTTP 408.", operatorSees: "`degraded` with `timeout`; back by itself." }),
  status(
    429,
    { does: "HTTP 429 with `Retry-After`.", operatorSees: THROTTLED },
    { with: { retry_after: 1 } },
  ),
  status(
    413,
    {
      does: "HTTP 413 to a few requests: too large.",
      operatorSees:
        "Nothing, unless a single event is too large: requests become smaller until the next change of the destination.",
    },
    {
      with: { times: 2 },
    },
  ),
  status(
    400,
    { does: "HTTP 400 to a few requests, without saying why.", operatorSees: REFUSED },
    {
      ...{ providers: ["datadog", "webhook"], with: { times: 3 } },
    },
  ),
  status(401, {
    does: "HTTP 401.",
    operatorSees: "`degraded` with `credentials_rejected`; nothing is dropped, and a `PATCH` tries at once.",
  }),
  status(403, {
    does: "HTTP 403.",
    operatorSees:
      "`degraded` with `credentials_rejected`; for Datadog the message says that keys belong to one site.",
  }),
  status(404, {
    does: "HTTP 404.",
    operatorSees: "`degraded` with `config_rejected`; the message says that path or port are wrong.",
  }),
];

const CONNECTION: readonly FaultKind[] = [
  {
    ...{ name: "hang", track: "destination", lasts: LONG },
    does: "The receiver takes requests and never answers, until its connections are dropped.",
    operatorSees:
      "`degraded` with `timeout` after 30 seconds, or `unreachable` if the connection breaks sooner.",
    run: misbehave(() => ({ mode: "hang" })),
  },
  {
    ...{ name: "hang after storing", track: "destination", lasts: LONG, isAmbiguous: true },
    does: "The same, and the events are stored.",
    operatorSees: LOST_ANSWER,
    run: misbehave(() => ({ mode: "hang", stored: true })),
  },
  {
    ...{ name: "reset", track: "destination", lasts: SHORT },
    does: "The connection breaks before anything is stored.",
    operatorSees: "`degraded` with `unreachable`; counted as possibly duplicated, because nobody can know.",
    run: misbehave(() => ({ mode: "reset" })),
  },
  {
    ...{ name: "reset after storing", track: "destination", lasts: SHORT, isAmbiguous: true },
    does: "The events are stored and the connection breaks.",
    operatorSees: LOST_ANSWER,
    run: misbehave(() => ({ mode: "reset_after" })),
  },
  {
    ...{ name: "half an answer", track: "destination", lasts: SHORT, isAmbiguous: true },
    does: "The events are stored and the answer breaks off.",
    operatorSees: LOST_ANSWER,
    run: misbehave(() => ({ mode: "half_answer" })),
  },
  {
    ...{ name: "slow", track: "destination", lasts: LONG },
    does: "Answers come seconds late.",
    operatorSees: "A higher latency in `GET …/deliveries`; no other destination is slower.",
    run: misbehave((random) => ({ mode: "slow", ms: random.between(300, 3_000) })),
  },
  {
    ...{ name: "web page", track: "destination", lasts: SHORT },
    does: "A login page with status 200.",
    operatorSees:
      "`degraded` with `provider_error`: a 200 without the provider's own answer is not believed.",
    providers: ["splunk", "datadog", "elastic", "cloudwatch"],
    run: misbehave(() => ({ mode: "html" })),
  },
  {
    ...{ name: "redirect", track: "destination", lasts: SHORT },
    does: "303 to a login page.",
    operatorSees: "`degraded` with `config_rejected`; the redirect is not followed.",
    run: misbehave(() => ({ mode: "redirect" })),
  },
  {
    ...{ name: "credentials revoked", track: "destination", lasts: SHORT },
    does: "The token or key is revoked at the provider and given back.",
    operatorSees:
      "`degraded` with `credentials_rejected` until it is given back or changed; nothing is dropped.",
    run: reconfigure(({ spec }) => spec.revoked),
  },
];

const SPLUNK: readonly FaultKind[] = [
  hec(1, "token disabled", CREDENTIALS),
  hec(2, "token is required", CREDENTIALS),
  hec(3, "invalid authorization", CREDENTIALS),
  hec(4, "invalid token", CREDENTIALS),
  hec(5, "no data", FAULT, { times: 1 }),
  hec(6, "invalid data format, of the first event", REFUSED, { times: 2, event_number: 0 }),
  poison(6),
  poison(7),
  { ...hec(8, "internal error, after storing", LOST_ANSWER, { stored: true }), isAmbiguous: true },
  hec(9, "server is busy", TROUBLE),
  hec(10, "data channel is missing", FAULT, { times: 1 }),
  hec(11, "invalid data channel", FAULT, { times: 1 }),
  poison(12),
  poison(13),
  hec(14, "acknowledgement is disabled", TROUBLE),
  poison(15),
  hec(16, "query string authorization is off", FAULT, { times: 1 }),
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
  hec(28, "data channel is missing (Splunk Cloud)", FAULT, { times: 1 }),
  {
    ...{ name: "acknowledgements unanswered", track: "destination", providers: ["splunk"], lasts: LONG },
    does: "`/ack` answers 503, and events are taken.",
    operatorSees:
      "With acknowledgement, batches stay *accepted* and become *indexed* later; otherwise nothing.",
    run: misbehave(() => ({ mode: "status", status: 503, paths: ["ack"] })),
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

/** By name, each once. */
export const FAULTS: readonly FaultKind[] = [
  ...RELAY,
  ...QUEUE,
  ...LANES,
  ...CONTROL,
  ...CONNECTION,
  ...HTTP,
  ...SPLUNK,
  ...DATADOG,
];

export function faultNamed(name: string): FaultKind {
  const kind = FAULTS.find((each) => each.name === name);
  if (kind === undefined) throw new Error(`There is no fault called "${name}"`);
  return kind;
}
