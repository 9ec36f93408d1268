import type { RelayProcess } from "../node/support/relay.ts";
import { isOfWorker, judge } from "./judge.ts";
import { isKnown, isKnownWord } from "./known-failures.ts";
import { type MakeOptions, makeShot } from "./make.ts";
import { isAlive, residentOf, runtimeOf } from "./memory.ts";
import { showFailure, Tally } from "./report.ts";
import { MARKS, type Scene, tidyScene } from "./scene.ts";
import type { Delivery, Reply, Shot } from "./shot.ts";
import { shrink } from "./shrink.ts";
import type { Sink } from "./sink.ts";
import { Wire } from "./wire.ts";

export interface RunOptions extends MakeOptions {
  readonly requests: number;
  /** Shots between two looks at the relay's health. */
  readonly round: number;
  /** The number of the first one. */
  readonly from: number;
  readonly log: (line: string) => void;
}

export interface Outcome {
  readonly tally: Tally;
  /** What was wrong with the relay as a whole: its health, its memory, its other tenant. */
  readonly troubles: readonly string[];
  /** Each failure in full. */
  readonly reports: readonly string[];
  readonly known: number;
  /** Megabytes of the whole runtime, at the end of each round; the peak is the kernel's own record. */
  readonly resident: {
    readonly first: number | null;
    readonly last: number | null;
    readonly peak: number | null;
  };
  readonly seconds: number;
}

/**
 * Connections of each sort. Few are enough to keep the relay busy; many only where the time goes by with waiting, for a
 * slow sender or for a server that waits for the rest of what it was promised.
 */
const CONNECTIONS: Readonly<Record<Delivery, number>> = { shared: 12, own: 160, slow: 64 };
/** Failures beyond that are counted and no longer made smaller. */
const MOST_SHRUNK = 12;
/** A round in which that many sorts of failure were found has said enough. */
const MOST_FAILURES = 60;

/** Fires the requests and judges every answer. */
export async function run(
  relay: RelayProcess,
  sink: Sink,
  scene: Scene,
  options: RunOptions,
): Promise<Outcome> {
  const startedAt = performance.now();
  const tally = new Tally();
  const troubles: string[] = [];
  const reports: string[] = [];
  const origin = new URL(relay.url);
  const pid = runtimeOf(relay.stateDir);
  const pools = {
    shared: new Pool(CONNECTIONS.shared, origin),
    own: new Pool(CONNECTIONS.own, origin),
    slow: new Pool(CONNECTIONS.slow, origin),
  };
  const first = residentOf(pid).now;
  const victim = await lookAtVictim(relay, scene);
  let known = 0;

  const settle = async (shot: Shot, reply: Reply, wire: Wire): Promise<void> => {
    tally.count(shot, reply, isOfWorker);
    for (const complaint of judge(shot, reply, scene)) {
      if (isKnown(shot, complaint)) known += 1;
      else if (tally.complain(complaint, shot, reply)) {
        const again = async (candidate: Shot): Promise<readonly string[]> =>
          judge(candidate, await wire.send(candidate), scene);
        const small = tally.failures.size > MOST_SHRUNK ? shot.bytes : await shrink(shot, complaint, again);
        const text = showFailure({ complaint, shot, reply, count: 1 }, options.seed, small);
        reports.push(text);
        options.log(text);
      }
    }
  };

  let index = options.from;
  while (tally.sent < options.requests && tally.failures.size < MOST_FAILURES) {
    const until = Math.min(options.requests, tally.sent + options.round);
    const begun: Promise<void>[] = [];
    let planned = tally.sent;
    while (planned < until) {
      const shot = makeShot(index, scene, options);
      index += 1;
      planned += shot.answers ?? 1;
      const pool = pools[shot.delivery];
      const wire = await pool.take();
      begun.push(
        wire
          .send(shot)
          .then((reply) => settle(shot, reply, wire))
          .finally(() => pool.give(wire)),
      );
    }
    await Promise.all(begun);
    const found = await checkUp(relay, scene, pid);
    if (JSON.stringify(await lookAtVictim(relay, scene)) !== JSON.stringify(victim)) {
      found.push("The victim's own things have changed");
    }
    if (sink.leaks().length > 0) found.push(`Delivered to the wrong tenant: ${sink.leaks()[0]}`);
    for (const each of found) troubles.push(`after ${tally.sent} requests (shots up to ${index}): ${each}`);
    const { now, peak } = residentOf(pid);
    options.log(
      `${tally.sent} requests, ${tally.failures.size} failures, ${troubles.length} troubles, ${Math.round(now ?? 0)} MB (peak ${Math.round(peak ?? 0)})`,
    );
    if (found.length > 0 && !isAlive(pid)) break;
    await tidyScene(relay, scene).catch((error: unknown) =>
      troubles.push(`Cannot tidy up: ${String(error)}`),
    );
  }
  for (const pool of Object.values(pools)) pool.close();
  const { now, peak } = residentOf(pid);
  return {
    tally,
    troubles,
    reports,
    known,
    resident: { first, last: now, peak },
    seconds: (performance.now() - startedAt) / 1_000,
  };
}

/** Is the relay as well as before? @returns what is not */
async function checkUp(relay: RelayProcess, scene: Scene, pid: number): Promise<string[]> {
  const found: string[] = [];
  if (!isAlive(pid)) found.push("The runtime is gone");
  else if (runtimeOf(relay.stateDir) !== pid) found.push("The runtime is another one than at the start");
  const key = (scene.full.headers[0]?.[1] ?? "").slice("Bearer ".length);
  const event = { action: "user.login", actor_id: "well-formed" };
  const checks = [
    ["/healthz", 200, () => relay.call("GET", "/healthz")],
    ["/readyz", 200, () => relay.call("GET", "/readyz")],
    ["a well-formed event", 202, () => relay.call("POST", "/v1/audit/events", { key, body: event })],
  ] as const;
  for (const [what, status, ask] of checks) {
    try {
      const answer = await ask();
      if (answer.status !== status) found.push(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    } catch (error) {
      found.push(`${what}: ${String(error)}`);
    }
  }
  const words = relay.output.split("\n").filter((line) => line.trim() !== "" && !isKnownWord(line));
  if (words.length > 0)
    found.push(`The relay complained ${words.length}×: ${words.slice(0, 5).join("\n  ")}`);
  relay.output = "";
  return found;
}

/** What the victim has, as it sees it itself: nobody else may change any of it. */
async function lookAtVictim(relay: RelayProcess, scene: Scene): Promise<unknown> {
  const [, caller] = scene.callers.find(([, { party }]) => party === "victim") ?? [];
  const key = (caller?.headers[0]?.[1] ?? "").slice("Bearer ".length);
  const seen = [];
  for (const id of scene.foreign.destinations) {
    const { status, body } = await relay.call("GET", `/v1/audit/siem/${id}`, { key });
    const { name, endpoint, enabled, config, routes, updated_at } = body;
    seen.push({ status, name, endpoint, enabled, config, routes, updated_at });
  }
  if (!JSON.stringify(seen).includes(MARKS.victim)) throw new Error("The victim does not see its own marks");
  return seen;
}

/** Connections that are lent out one at a time. */
class Pool {
  readonly #all: readonly Wire[];
  readonly #free: Wire[];
  readonly #waiting: ((wire: Wire) => void)[] = [];

  constructor(size: number, origin: URL) {
    this.#all = Array.from({ length: size }, () => new Wire(origin));
    this.#free = [...this.#all];
  }

  take(): Promise<Wire> {
    const wire = this.#free.pop();
    return wire === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(wire);
  }

  give(wire: Wire): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(wire);
    else next(wire);
  }

  close(): void {
    for (const wire of this.#all) wire.close();
  }
}
