/**
 * Everything that is done to the relay and to those it talks to. The table is also the page in docs/reliability.md:
 * what is done, and what an operator sees of it. What single providers answer is in `provider-faults.ts`.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Fault } from "../simulator/control.ts";
import { doomed } from "./destinations.ts";
import {
  type FaultKind,
  LONG,
  LOST_ANSWER,
  misbehave,
  REFUSED,
  reconfigure,
  SHORT,
  THROTTLED,
} from "./fault-kind.ts";
import { PROVIDER_FAULTS } from "./provider-faults.ts";
import type { Random } from "./random.ts";
import type { Live, World } from "./world.ts";

/** How far the Worker's clock is set off; within the tolerance of signatures, which is five minutes. */
const CLOCK_JUMP_MS = 240_000;

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
  status(410, {
    does: "HTTP 410: gone for good.",
    operatorSees: "`failed` with `gone` at once; events are kept and tried all the same.",
  }),
  status(425, {
    does: "HTTP 425: too early.",
    operatorSees: "`degraded` with `provider_error`; back by itself.",
  }),
  status(520, {
    does: "HTTP 520 to 530, Cloudflare's about a server behind it: here 520, the connection broke.",
    operatorSees: "`degraded` with `unreachable`; counted as possibly duplicated, because nobody can know.",
  }),
  status(526, {
    does: "HTTP 526: Cloudflare does not trust the server's certificate.",
    operatorSees: "`degraded` with `tls_untrusted`; the message says that the certificate is not trusted.",
  }),
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
    ...{ name: "reset mid-body", track: "destination", lasts: SHORT },
    does: "The connection breaks in the middle of the body; nothing is stored.",
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

/** By name, each once. */
export const FAULTS: readonly FaultKind[] = [
  ...RELAY,
  ...QUEUE,
  ...LANES,
  ...CONTROL,
  ...CONNECTION,
  ...HTTP,
  ...PROVIDER_FAULTS,
];

export function faultNamed(name: string): FaultKind {
  const kind = FAULTS.find((each) => each.name === name);
  if (kind === undefined) throw new Error(`There is no fault called "${name}"`);
  return kind;
}
