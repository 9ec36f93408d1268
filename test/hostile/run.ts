import type { RelayProcess } from "../node/support/relay.ts";
import { isOfWorker, judge } from "./judge.ts";
import { isKnown, isKnownWord } from "./known-failures.ts";
import { type MakeOptions, makeShot } from "./make.ts";
import { isAlive, residentLimit, residentOf, runtimeOf } from "./memory.ts";
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
  /** Says more about the relay after a round. */
  readonly look?: (() => Promise<string>) | undefined;
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
  const campaign = new Campaign(relay, sink, scene, options);
  await campaign.start();
  return campaign.outcome();
}

class Campaign {
  readonly #relay: RelayProcess;
  readonly #sink: Sink;
  readonly #scene: Scene;
  readonly #options: RunOptions;
  readonly #pools: Readonly<Record<Delivery, Pool>>;
  readonly #pid: number;
  readonly #idle: number | null;
  readonly #startedAt = performance.now();
  readonly #tally = new Tally();
  readonly #troubles: string[] = [];
  readonly #reports: string[] = [];
  readonly #underWay = new Set<Shot>();
  #known = 0;
  #next: number;
  #isOver = false;

  constructor(relay: RelayProcess, sink: Sink, scene: Scene, options: RunOptions) {
    this.#relay = relay;
    this.#sink = sink;
    this.#scene = scene;
    this.#options = options;
    const pool = (delivery: Delivery): Pool => new Pool(CONNECTIONS[delivery], new URL(relay.url));
    this.#pools = { shared: pool("shared"), own: pool("own"), slow: pool("slow") };
    this.#pid = runtimeOf(relay.stateDir);
    this.#idle = residentOf(this.#pid).now;
    this.#next = options.from;
  }

  async start(): Promise<void> {
    const victim = JSON.stringify(await lookAtVictim(this.#relay, this.#scene));
    while (!this.#isOver && this.#tally.sent < this.#options.requests) {
      await this.#fire(Math.min(this.#options.requests, this.#tally.sent + this.#options.round));
      if (this.#isOver) break;
      await this.#takeStock(victim);
      this.#isOver ||= this.#tally.failures.size >= MOST_FAILURES;
      await tidyScene(this.#relay, this.#scene);
    }
    for (const pool of Object.values(this.#pools)) pool.close();
  }

  outcome(): Outcome {
    const { now, peak } = residentOf(this.#pid);
    return {
      tally: this.#tally,
      troubles: this.#troubles,
      reports: this.#reports,
      known: this.#known,
      resident: { first: this.#idle, last: now, peak },
      seconds: (performance.now() - this.#startedAt) / 1_000,
    };
  }

  /** One round, until that many requests have been sent in all. */
  async #fire(until: number): Promise<void> {
    const begun: Promise<void>[] = [];
    for (let planned = this.#tally.sent; planned < until && !this.#isOver; ) {
      const shot = makeShot(this.#next, this.#scene, this.#options);
      this.#next += 1;
      planned += shot.answers ?? 1;
      const pool = this.#pools[shot.delivery];
      const wire = await pool.take();
      begun.push(this.#exchange(shot, wire).finally(() => pool.give(wire)));
    }
    await Promise.all(begun);
  }

  async #exchange(shot: Shot, wire: Wire): Promise<void> {
    this.#underWay.add(shot);
    const reply = await wire.send(shot);
    if (!isAlive(this.#pid)) this.#mourn();
    this.#underWay.delete(shot);
    if (this.#isOver) return;
    this.#tally.count(shot, reply, isOfWorker);
    for (const complaint of judge(shot, reply, this.#scene)) {
      if (isKnown(shot, complaint)) this.#known += 1;
      else if (this.#tally.complain(complaint, shot, reply)) await this.#report(complaint, shot, reply, wire);
    }
  }

  /** The runtime is gone: whatever was under way has done it. */
  #mourn(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const suspects = [...this.#underWay]
      .sort((left, right) => right.bytes.length - left.bytes.length)
      .map(({ index, route, kind, bytes }) => `  --only ${index}: ${route}, ${kind}, ${bytes.length} bytes`);
    const words = this.#relay.output.slice(-2_000);
    this.#troubles.push(
      `The runtime is gone. Under way were\n${suspects.join("\n")}\nIts last words: ${words}`,
    );
  }

  async #report(complaint: string, shot: Shot, reply: Reply, wire: Wire): Promise<void> {
    const again = async (candidate: Shot): Promise<readonly string[]> =>
      judge(candidate, await wire.send(candidate), this.#scene);
    const isLate = this.#tally.failures.size > MOST_SHRUNK;
    const smallest = isLate ? shot.bytes : await shrink(shot, complaint, again);
    const text = showFailure({ complaint, shot, reply, count: 1 }, this.#options.seed, smallest);
    this.#reports.push(text);
    this.#options.log(text);
  }

  /** The relay as a whole, after a round. */
  async #takeStock(victim: string): Promise<void> {
    const found = await checkUp(this.#relay, this.#scene);
    if (JSON.stringify(await lookAtVictim(this.#relay, this.#scene)) !== victim) {
      found.push("The victim's own things have changed");
    }
    const leak = this.#sink.leaks()[0];
    if (leak !== undefined) found.push(`Delivered to the wrong tenant: ${leak}`);
    const { now, peak } = residentOf(this.#pid);
    const limit = residentLimit(this.#idle ?? 0, this.#relay.stateDir);
    const [shownNow, shownLimit] = [now ?? 0, limit].map(Math.round);
    if (now !== null && now > limit)
      found.push(`${shownNow} MB resident, ${shownLimit} at most were expected`);
    const { sent, failures } = this.#tally;
    this.#troubles.push(...found.map((each) => `after ${sent} requests: ${each}`));
    const memory = `${shownNow} MB of at most ${shownLimit} (peak ${Math.round(peak ?? 0)})`;
    const state = `${failures.size} failures, ${this.#troubles.length} troubles`;
    this.#options.log(`${sent} requests, ${state}, ${memory}`);
    if (this.#options.look !== undefined) this.#options.log(`  ${await this.#options.look()}`);
  }
}

/** Is the relay as well as before? @returns what is not */
async function checkUp(relay: RelayProcess, scene: Scene): Promise<string[]> {
  const found: string[] = [];
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
