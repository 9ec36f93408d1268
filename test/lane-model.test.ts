import fc from "fast-check";
import { afterEach, describe, it, vi } from "vitest";
import { hours, minutes } from "../src/base/clock.ts";
import { aPart } from "./support/lines.ts";
import { type Call, Outside, settled, WholeRelay } from "./support/whole-relay.ts";

/*
 * A lane against a model of it that fits on a page: whatever is done in whatever order, every event is owed, arrived or
 * set aside, as the model says. Days go by on a clock of the test's.
 */

type Mood = "well" | "down" | "lossy" | "picky";

/** What a lane should be like. */
class Model {
  now = 0;
  enabled = true;
  mood: Mood = "well";
  /** Events that wait, with the time at which they expire. */
  readonly owed = new Map<string, number>();
  readonly parked = new Set<string>();
  readonly done = new Set<string>();
  batches = 0;
  lastBatch: { readonly id: string; readonly at: number } | null = null;

  take(ids: readonly string[]): void {
    for (const id of ids) this.owed.set(id, this.now + hours(24));
    this.attempt();
  }

  attempt(): void {
    if (!this.enabled || this.mood === "down" || this.mood === "lossy") return;
    for (const id of this.owed.keys()) {
      const isRefused = this.mood === "picky" && isOdd(id);
      (isRefused ? this.parked : this.done).add(id);
    }
    this.owed.clear();
  }

  pass(time: number): void {
    this.now += time;
    for (const [id, until] of this.owed) {
      if (until > this.now) continue;
      this.owed.delete(id);
      this.parked.add(id);
    }
  }
}

/** What a receiver that is picky refuses. */
const isOdd = (id: string): boolean => /[13579]$/.test(id);

/** The lane itself, behind the API. */
class Real {
  readonly outside = new Outside();
  relay: WholeRelay | null = null;
  id = "";
  mood: Mood = "well";
  /** Everything that the receiver has taken. */
  readonly arrived: string[] = [];

  readonly answer = ({ ids, body }: Call): Response => {
    const sent = ids.length > 0 ? ids : [...body.matchAll(/"id":"(b\d+-\d+)"/g)].map(([, id = ""]) => id);
    if (this.mood === "down") return Response.json({ text: "Server is busy", code: 9 }, { status: 503 });
    const refused = this.mood === "picky" ? sent.findIndex(isOdd) : -1;
    this.arrived.push(...(refused < 0 ? sent : sent.slice(0, refused)));
    if (this.mood === "lossy") throw new Error("Network connection lost.");
    if (refused < 0) return Response.json({ text: "Success", code: 0 });
    const refusal = { text: "Invalid data format", code: 6, "invalid-event-number": refused };
    return Response.json(refusal, { status: 400 });
  };

  get lane(): WholeRelay {
    if (this.relay === null) throw new Error("Not begun");
    return this.relay;
  }

  async begin(name: string): Promise<void> {
    this.outside.now = Date.now() + hours(1);
    vi.stubGlobal("fetch", this.outside.fetch);
    vi.spyOn(Date, "now").mockImplementation(() => this.outside.now);
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    for (const level of ["info", "error"] as const) vi.spyOn(console, level).mockReturnValue(undefined);
    this.outside.host(name, this.answer);
    this.relay = await WholeRelay.withTenant();
    const routes = [{ match: "user.*" }];
    this.id = await this.relay.connect({
      ...{ provider: "splunk", endpoint: `https://${name}`, token: "your-hec-token", routes },
    });
  }

  async patch(change: object): Promise<void> {
    const { status } = await this.lane.call("PATCH", `/v1/audit/siem/${this.id}`, change);
    if (status !== 200) throw new Error(`PATCH was answered ${status}`);
    await settled();
  }

  pass(time: number): Promise<void> {
    return this.lane.pass(this.id, this.outside, time);
  }

  letters(method: string, path: string, body?: object): Promise<unknown> {
    return this.lane.call(method, `/v1/audit/siem/${this.id}/${path}`, body).then(settled);
  }
}

type Command = fc.AsyncCommand<Model, Real>;

const always = (): boolean => true;

const submit = (count: number): Command => ({
  check: always,
  toString: () => `submit ${count}`,
  async run(model, { lane, id, outside }) {
    const batch = `b${model.batches}`;
    model.batches += 1;
    const part = aPart(batch, count, { acceptedAt: outside.now });
    await lane.submit(id, part);
    // What comes while the destination is switched off is nobody's, and no part of it that comes later is a repeat.
    model.lastBatch = model.enabled ? { id: batch, at: model.now } : null;
    if (model.enabled) model.take(Array.from({ length: count }, (_, n) => `${batch}-${n}`));
  },
});

const submitAgain: Command = {
  check: ({ lastBatch, now, enabled }) => enabled && lastBatch !== null && now - lastBatch.at < hours(20),
  toString: () => "submit the same again",
  async run(model, { lane, id, outside }) {
    const taken = await lane.submit(id, aPart(model.lastBatch?.id ?? "", 1, { acceptedAt: outside.now }));
    if (taken.taken > 0) throw new Error("A part was taken twice");
  },
};

const turn = (mood: Mood): Command => ({
  check: always,
  toString: () => `the receiver is ${mood}, and the destination saved`,
  async run(model, real) {
    model.mood = mood;
    real.mood = mood;
    await real.patch({ name: `Splunk, ${mood}` });
    model.attempt();
  },
});

const enable = (enabled: boolean): Command => ({
  check: (model) => model.enabled !== enabled,
  toString: () => (enabled ? "switch on" : "switch off"),
  async run(model, real) {
    await real.patch({ enabled });
    model.enabled = enabled;
    model.attempt();
  },
});

const wait = (time: number): Command => ({
  check: always,
  toString: () => `wait ${time / hours(1)} h`,
  async run(model, real) {
    await real.pass(time);
    model.pass(time);
  },
});

const evict: Command = { check: always, toString: () => "evict", run: (_, { lane, id }) => lane.evict(id) };

const replay: Command = {
  check: ({ enabled, parked }) => enabled && parked.size > 0,
  toString: () => "replay",
  async run(model, real) {
    // Behind a pause the replayed would wait for its end; the destination is saved, so that it is tried at once.
    await real.letters("POST", "replay", { all: true });
    await real.patch({ name: "Splunk, replayed" });
    const parked = [...model.parked];
    model.parked.clear();
    model.take(parked);
  },
};

const discard: Command = {
  check: ({ parked }) => parked.size > 0,
  toString: () => "discard",
  async run(model, real) {
    await real.letters("DELETE", "dead-letters");
    model.parked.clear();
  },
};

/** The same command, and then the comparison. */
function compared(command: Command, check: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: (model) => command.check(model),
    toString: () => command.toString(),
    async run(model, real) {
      await command.run(model, real);
      // A minute, so that no two submissions share a row, which expires as one.
      await real.pass(minutes(2));
      model.pass(minutes(2));
      await check(model, real);
    },
  };
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a lane, whatever is done to it", () => {
  let runs = 0;

  it("owes, has delivered and has set aside what a simple model says", async ({ expect }) => {
    const check = async (model: Model, real: Real): Promise<void> => {
      const { backlog, deadLetters, totals } = await real.lane.report(real.id);
      expect([backlog.events, deadLetters]).toEqual([model.owed.size, model.parked.size]);
      const known = new Set([...model.done, ...model.owed.keys(), ...model.parked]);
      expect([...model.done].filter((id) => !real.arrived.includes(id))).toEqual([]);
      expect(totals.taken).toBe(totals.delivered + totals.parked + backlog.events - totals.replayed);
      expect(known.size).toBeLessThanOrEqual(totals.taken);
    };
    const one = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }).map(submit) },
      { weight: 3, arbitrary: fc.constantFrom<Mood>("well", "down", "lossy", "picky").map(turn) },
      { weight: 2, arbitrary: fc.constantFrom(true, false).map(enable) },
      { weight: 2, arbitrary: fc.constantFrom(hours(1), hours(7), hours(25)).map(wait) },
      ...[submitAgain, evict, replay, discard].map((command) => ({
        weight: 1,
        arbitrary: fc.constant(command),
      })),
    );
    const commands = fc.commands([one.map((command) => compared(command, check))], {
      maxCommands: 25,
      size: "+1",
    });
    await fc.assert(
      fc.asyncProperty(commands, async (all) => {
        vi.restoreAllMocks();
        runs += 1;
        const real = new Real();
        await real.begin(`model-${runs}.example.com`);
        await fc.asyncModelRun(() => ({ model: new Model(), real }), all);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  }, 240_000);
});
