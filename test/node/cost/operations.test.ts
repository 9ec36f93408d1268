/**
 * What is billed, counted by the benchmark's own meter on every binding of the real Worker. The counts are exact, so any
 * change of them is a change of the bill: somebody decided it, or it is a regression that nobody saw.
 *
 * After a change that was meant, put the new numbers into the table here, and those of
 * `npm run bench -- --only operations` into docs/cost.md.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { Usage } from "../../../src/cost/prices.ts";
import { runLoad } from "../../bench/load/run.ts";
import { Counter, DESTINATIONS, ROUND, startCountedRelay } from "../../bench/operations.ts";
import { makeTenant, type Relay } from "../../bench/relay.ts";
import { type Simulator, startSimulator } from "../../simulator/server.ts";
import { EXPECTED } from "./expected.ts";

const counters = new Map<number, Counter>();
let relay: Relay;
let simulator: Simulator;
/** What the making of the tenants, and their first event each, took. */
let beginning: Usage;

beforeAll(async () => {
  [relay, simulator] = await Promise.all([startCountedRelay(), startSimulator()]);
  for (const destinations of DESTINATIONS) {
    const tenant = await makeTenant(relay, simulator.url, { destinations });
    counters.set(destinations, new Counter(relay, simulator.url, { tenant, load: runLoad }));
  }
  // The making of a tenant is on its own audit stream: its messages must be gone before anything is counted.
  beginning = await counterOf(1).deliver();
  for (const counter of counters.values()) await counter.round(1);
});
afterAll(() => Promise.all([relay.stop(), simulator.close()]));

describe("one delivery of the queue costs exactly this", () => {
  it.for(EXPECTED)(
    "$events events, $eventsPerRequest a request, to $destinations",
    async (expected, { expect }) => {
      const { eventsPerRequest, destinations } = expected;
      const { events, usage } = await counterOf(destinations).round(eventsPerRequest);
      const counted = {
        events,
        requests: usage.requests,
        deliveries: usage.consumerInvocations,
        queueWrites: usage.queueWrites,
        queueReads: usage.queueReads,
        queueDeletes: usage.queueDeletes,
        laneCalls: usage.objectRequests,
        laneRowsWritten: usage.objectRowsWritten,
        databaseRowsWritten: usage.databaseRowsWritten,
        siemRequests: usage.logLines,
      };
      expect(counted).toEqual({
        events: expected.events,
        requests: ROUND[eventsPerRequest],
        deliveries: 1,
        queueWrites: expected.messages,
        queueReads: expected.messages,
        queueDeletes: expected.messages,
        laneCalls: destinations,
        laneRowsWritten: expected.laneRowsWritten,
        databaseRowsWritten: 0,
        siemRequests: expected.siemRequests,
      });
      // Upper bounds: an answer that comes sooner or later changes what is looked at, and a key or destination may just
      // have to be read again. A row read costs a thousandth of one that is written.
      expect(usage.objectRowsRead).toBeLessThanOrEqual(expected.laneRowsRead * 1.2);
      expect(usage.databaseRowsRead).toBeLessThanOrEqual(2 * destinations + 2);
      // Lanes have their alarm; a machine so slow that it goes off meanwhile sets it anew.
      expect(usage.alarmsSet).toBeLessThanOrEqual(2 * destinations);
    },
  );
});

describe("the meter", () => {
  it("sees what is not in a round: rows written to D1, and alarms set", ({ expect }) => {
    expect(beginning.databaseRowsWritten).toBeGreaterThan(10);
    expect(beginning.alarmsSet).toBeGreaterThanOrEqual(
      DESTINATIONS.reduce<number>((sum, each) => sum + each, 0),
    );
  });

  it("knows every kind of binding that wrangler.toml has; there is no R2, KV or Analytics Engine", ({
    expect,
  }) => {
    const tables = readFileSync("wrangler.toml", "utf8").matchAll(/^\[+([a-z0-9_.]+)\]+$/gm);
    const kinds = new Set([...tables].map(([, name = ""]) => name.replace(/^env\.[a-z]+\.?/, "")));
    const billed = ["d1_databases", "durable_objects.bindings", "queues.producers", "queues.consumers"];
    const free = ["", "vars", "secrets", "assets", "migrations"];
    expect([...kinds].sort()).toEqual(
      [...billed, ...free, "triggers", "observability", "observability.logs"].sort(),
    );
  });
});

function counterOf(destinations: number): Counter {
  const counter = counters.get(destinations);
  if (counter === undefined) throw new Error(`No tenant with ${destinations} destinations`);
  return counter;
}
