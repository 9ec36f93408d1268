import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { hours, minutes, seconds } from "../src/base/clock.ts";
import { Indexers, isEvent } from "./support/indexers.ts";
import {
  type Behaviour,
  type Call,
  eventually,
  type Json,
  Outside,
  operator,
  settled,
  WholeRelay,
} from "./support/whole-relay.ts";

/*
 * The delivery promises, one by one and in their order: the relay as a whole, with the world outside as a table of hosts
 * and, where hours matter, a clock that is moved.
 */

let outside = new Outside();
let made = 0;

beforeEach(() => {
  outside = new Outside();
  vi.stubGlobal("fetch", outside.fetch);
  vi.spyOn(console, "info").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const hostName = (kind: string): string => {
  made += 1;
  return `${kind}-${made}.example.com`;
};
const evt = (count: number, name = "x"): string[] =>
  Array.from({ length: count }, (_, n) => `evt-${name}-${n}`);
const idsOf = (calls: readonly Call[]): string[] => calls.flatMap(({ ids }) => ids);

const hecOk = () => Response.json({ text: "Success", code: 0 });
const hecBusy = () => Response.json({ text: "Server is busy", code: 9 }, { status: 503 });
const elasticOk = ({ body }: Call) =>
  Response.json({ errors: false, items: idsIn(body, "_id").map(() => ({ create: { status: 201 } })) });
const idsIn = (body: string, name: string): string[] =>
  [...body.matchAll(new RegExp(`"${name}":"([^"]+)"`, "g"))].map(([, id = ""]) => id);

/** Without the relay's own administrative events. */
const routes = [{ match: "user.*" }];
const splunkAt = (host: string, more: Json = {}): Json => ({
  ...{ provider: "splunk", endpoint: `https://${host}`, token: "your-hec-token", routes },
  ...more,
});

/** Takes what comes, loses the answer of the first request, and is well from then on. */
function losesFirst(answer: Behaviour): Behaviour {
  let isFirst = true;
  return (call) => {
    if (!isFirst) return answer(call);
    isFirst = false;
    throw new Error("Network connection lost.");
  };
}

/** From here on the test moves the clock: a day goes by in moments. It starts ahead, so that no alarm comes by itself. */
function stopTheClock(): void {
  outside.now = Date.now() + hours(1);
  vi.spyOn(Date, "now").mockImplementation(() => outside.now);
}

const luck = (value: number) => vi.spyOn(Math, "random").mockReturnValue(value);

describe("the delivery promises", () => {
  it("promise 1: a 202 means at least once at every enabled, matching destination, under an id that stays", async ({
    expect,
  }) => {
    luck(0.001);
    const relay = await WholeRelay.withTenant();
    const at = (kind: string, answer: Behaviour) => {
      const host = hostName(kind);
      return { host, endpoint: `https://${host}`, calls: outside.host(host, losesFirst(answer)) };
    };
    const [splunk, elastic, webhook] = [at("splunk", hecOk), at("elastic", elasticOk), at("hook", hecOk)];
    const [unmatched, disabled] = [at("unmatched", hecOk), at("disabled", hecOk)];
    await relay.connect(splunkAt(splunk.host));
    await relay.connect({ provider: "elastic", endpoint: elastic.endpoint, token: "id:key", routes });
    await relay.connect({
      provider: "webhook",
      endpoint: webhook.endpoint,
      secret: "a-shared-secret",
      routes,
    });
    await relay.connect(splunkAt(unmatched.host, { routes: [{ match: "incident.*" }] }));
    await relay.connect(splunkAt(disabled.host, { enabled: false }));
    await relay.send(evt(3));
    const taken = [splunk, elastic, webhook];
    await eventually(() => taken.every(({ calls }) => calls.length === 2));
    for (const { calls } of taken) expect(idsOf(calls)).toEqual([...evt(3), ...evt(3)]);
    const documents = elastic.calls.map(({ body }) => idsIn(body, "_id"));
    expect(documents[0]).toHaveLength(3);
    expect(documents[1]).toEqual(documents[0]);
    const [first, again] = webhook.calls.map(({ headers }) => headers.get("webhook-id"));
    expect(first).toMatch(/./);
    expect(again).toBe(first);
    expect([unmatched.calls, disabled.calls]).toEqual([[], []]);
  });

  it("promise 2: a destination that is down, slow or broken delays no other, nor the producer", async ({
    expect,
  }) => {
    const relay = await WholeRelay.withTenant();
    const release = Promise.withResolvers<Response>();
    const hosts = ["down", "slow", "broken", "well"].map(hostName);
    const [down = "", slow = "", broken = "", well = ""] = hosts;
    outside.host(down, () => {
      throw new Error("Network connection lost.");
    });
    outside.host(slow, () => release.promise);
    outside.host(broken, () => new Response("<html>", { headers: { "content-type": "text/html" } }));
    const calls = outside.host(well, hecOk);
    for (const host of hosts) await relay.connect(splunkAt(host));
    for (const round of ["a", "b", "c"]) {
      const before = Date.now();
      await relay.send(evt(2, round));
      expect(Date.now() - before).toBeLessThan(1_000);
      await eventually(() => idsOf(calls).includes(`evt-${round}-1`));
    }
    expect(idsOf(calls)).toEqual([...evt(2, "a"), ...evt(2, "b"), ...evt(2, "c")]);
    release.resolve(hecOk());
  });

  it.for([
    [0.999, hours(24)],
    [0.25, minutes(30)],
  ] as const)(
    "promise 3: retries back off from 1 s with full jitter, at most 15 min apart, for 24 h (luck %s)",
    async ([random, time], { expect }) => {
      luck(random);
      stopTheClock();
      const relay = await WholeRelay.withTenant();
      const host = hostName("splunk");
      const calls = outside.host(host, hecBusy);
      const id = await relay.connect(splunkAt(host));
      const acceptedAt = outside.now;
      await relay.send(evt(1));
      await eventually(() => calls.length > 0);
      await settled();
      await relay.pass(id, outside, time - minutes(1));
      const pauses = calls.slice(1).map(({ at }, n) => at - (calls[n]?.at ?? 0));
      const ceilings = pauses.map((_, n) => Math.min(minutes(15), seconds(1) * 2 ** n));
      expect(pauses).toEqual(ceilings.map((ceiling) => Math.ceil(random * ceiling)));
      expect(Math.max(...pauses)).toBe(Math.ceil(random * minutes(15)));
      expect(await relay.destination(id)).toMatchObject({ status: "degraded", backlog: { events: 1 } });
      expect(await relay.deadLetters(id)).toEqual([]);
      if (time < hours(24)) return;
      await relay.pass(id, outside, minutes(2));
      expect(await relay.destination(id)).toMatchObject({ status: "failed", backlog: { events: 0 } });
      expect(await relay.deadLetters(id)).toMatchObject([{ reason: "expired", event_id: "evt-x-0" }]);
      const [{ at: last } = { at: 0 }] = calls.slice(-1);
      expect(last - acceptedAt).toBeGreaterThan(hours(24) - minutes(15));
    },
  );

  it.for([
    [600, minutes(10)],
    [86_400, minutes(15)],
  ] as const)(
    "promise 3: Retry-After is honoured up to 15 min (%s s)",
    async ([asked, pause], { expect }) => {
      luck(0.001);
      stopTheClock();
      const relay = await WholeRelay.withTenant();
      const host = hostName("splunk");
      const headers = { "retry-after": String(asked) };
      const calls = outside.host(host, () => new Response(null, { status: 429, headers }));
      const id = await relay.connect(splunkAt(host));
      await relay.send(evt(1));
      await eventually(() => calls.length > 0);
      await settled();
      await relay.pass(id, outside, pause - 1);
      expect(calls).toHaveLength(1);
      await relay.pass(id, outside, 1);
      expect(calls).toHaveLength(2);
    },
  );

  it("promise 3: a change to the destination retries at once", async ({ expect }) => {
    luck(0.999);
    stopTheClock();
    const relay = await WholeRelay.withTenant();
    const host = hostName("splunk");
    const calls = outside.host(host, hecBusy);
    const id = await relay.connect(splunkAt(host));
    await relay.send(evt(1));
    await eventually(() => calls.length > 0);
    await settled();
    await relay.pass(id, outside, hours(5));
    const before = calls.length;
    outside.host(host, hecOk);
    await relay.call("PATCH", `/v1/audit/siem/${id}`, { token: "the-right-token" });
    await eventually(() => calls.length > before);
    await settled();
    expect(calls.at(-1)?.at).toBe(outside.now);
    expect(await relay.destination(id)).toMatchObject({ status: "active", backlog: { events: 0 } });
  });

  it("promise 4: a poison event never blocks the stream, whether the provider names it or not", async ({
    expect,
  }) => {
    luck(0.001);
    const relay = await WholeRelay.withTenant();
    const [named, unnamed] = [hostName("splunk"), hostName("datadog")];
    const isPoison = (id: string): boolean => id === "evt-x-13";
    const hec = outside.host(named, ({ ids }) => {
      const number = ids.findIndex(isPoison);
      if (number < 0) return hecOk();
      const refusal = { text: "Invalid data format", code: 6, "invalid-event-number": number };
      return Response.json(refusal, { status: 400 });
    });
    const logs = outside.host(unnamed, ({ ids }) =>
      ids.some(isPoison)
        ? Response.json({ errors: [{ detail: "Unparsable log" }] }, { status: 400 })
        : Response.json({}, { status: 202 }),
    );
    const ids = [
      await relay.connect(splunkAt(named)),
      await relay.connect({
        provider: "datadog",
        endpoint: `https://${unnamed}/api/v2/logs`,
        token: "key",
        routes,
      }),
    ];
    await relay.send(evt(40));
    await relay.send(evt(5, "behind"));
    const rest = [...evt(40).filter((id) => !isPoison(id)), ...evt(5, "behind")];
    for (const [n, calls] of [hec, logs].entries()) {
      await eventually(async () => (await relay.deadLetters(ids[n] ?? "")).length === 1);
      await eventually(() => rest.every((id) => idsOf(calls).includes(id)));
    }
    await eventually(async () => {
      const states = await Promise.all(ids.map((id) => relay.destination(id)));
      return states.every(({ backlog }) => (backlog as Json)["events"] === 0);
    });
    const [byName, byHalves] = await Promise.all(ids.map((id) => relay.deadLetters(id)));
    expect(byName).toMatchObject([{ event_id: "evt-x-13", reason: "refused", provider_code: "6" }]);
    expect(byName?.[0]?.["message"]).toContain("Invalid data format");
    expect(byHalves).toMatchObject([{ event_id: "evt-x-13", reason: "refused", http_status: 400 }]);
    expect(byHalves?.[0]?.["message"]).toContain("Unparsable log");
  });

  it("promise 5: with acknowledgement a batch is delivered when it is indexed, and sent again after 5 min", async ({
    expect,
  }) => {
    luck(0.001);
    stopTheClock();
    const relay = await WholeRelay.withTenant();
    const host = hostName("splunk");
    const splunk = new Indexers(1);
    splunk.working = [];
    const calls = outside.host(host, splunk.behave);
    const id = await relay.connect(splunkAt(host));
    const batch = await relay.send(evt(2));
    const sent = () => calls.filter(isEvent).length;
    await eventually(() => sent() === 1);
    await settled();
    await relay.pass(id, outside, minutes(5) - 1);
    expect(sent()).toBe(1);
    expect(await relay.fate(batch, id)).toMatchObject({
      state: "accepted",
      counts: { accepted: 2, indexed: 0 },
    });
    expect(await relay.destination(id)).toMatchObject({ backlog: { events: 2 }, last_delivered_at: null });
    await relay.pass(id, outside, seconds(5));
    expect(sent()).toBe(2);
    const [, first] = await relay.deliveries(id);
    expect(first).toMatchObject({ acknowledgement: "lost", maybe_taken: true });
    splunk.working = [0];
    await relay.pass(id, outside, seconds(30));
    expect(await relay.fate(batch, id)).toMatchObject({ state: "indexed", counts: { indexed: 2 } });
    expect(await relay.destination(id)).toMatchObject({ status: "active", backlog: { events: 0 } });
    expect(sent()).toBe(2);
  });

  it("promise 6: in the normal case an event reaches the provider within 5 s of its 202", async ({
    expect,
  }) => {
    const relay = await WholeRelay.withTenant();
    const host = hostName("splunk");
    const calls = outside.host(host, hecOk);
    await relay.connect(splunkAt(host));
    for (let n = 0; n < 3; n += 1) {
      await relay.send(evt(1, String(n)));
      const answeredAt = Date.now();
      await eventually(() => idsOf(calls).includes(`evt-${n}-0`));
      expect(Date.now() - answeredAt).toBeLessThan(5_000);
    }
  });

  it("promise 7: nothing is dropped in silence: all that was accepted is delivered, waiting or a dead letter, and counted", async ({
    expect,
  }) => {
    luck(0.999);
    const relay = await WholeRelay.withTenant();
    const [well, picky, down, leaving] = ["well", "picky", "down", "leaving"].map(hostName);
    outside.host(well ?? "", hecOk);
    outside.host(picky ?? "", ({ ids }) =>
      ids.includes("evt-x-2")
        ? Response.json(
            { text: "Event field is required", code: 12, "invalid-event-number": ids.indexOf("evt-x-2") },
            { status: 400 },
          )
        : hecOk(),
    );
    for (const host of [down, leaving]) outside.host(host ?? "", hecBusy);
    const ids: string[] = [];
    for (const host of [well, picky, down, leaving]) ids.push(await relay.connect(splunkAt(host ?? "")));
    await relay.send(evt(5));
    /** Events delivered, waiting, and set aside. */
    const whereabouts = async (id: string): Promise<readonly number[]> => {
      const { body } = await relay.call("GET", `/v1/audit/siem/${id}/stats`);
      const { backlog } = await relay.destination(id);
      const letters = await relay.deadLetters(id);
      const fromUs = letters.filter(({ event_id: event }) => String(event).startsWith("evt-x"));
      expect(letters.every(({ reason, message }) => reason !== "" && message !== "")).toBe(true);
      return [(body["totals"] as Json)["delivered"], (backlog as Json)["events"], fromUs.length].map(Number);
    };
    const [a = "", b = "", c = "", d = ""] = ids;
    await eventually(async () => (await whereabouts(a))[0] === 5 && (await whereabouts(b))[2] === 1);
    expect(await whereabouts(a)).toEqual([5, 0, 0]);
    await eventually(async () => (await whereabouts(b))[0] === 4);
    expect(await whereabouts(b)).toEqual([4, 0, 1]);
    expect(await whereabouts(c)).toEqual([0, 5, 0]);
    expect(await relay.destination(c)).toMatchObject({
      status_reason: { code: "provider_error", message: expect.stringContaining("Server is busy") },
    });
    await relay.call("DELETE", `/v1/audit/siem/${d}?force=true`);
    expect(await relay.deadLetters(d)).toHaveLength(5);
    expect(await relay.deadLetters(d)).toMatchObject([{ reason: "destination_deleted" }, {}, {}, {}, {}]);
    const metrics = (await operator("/metrics")).text;
    const taken = (id: string) =>
      new RegExp(`sluice_events_taken_total\\{[^}]*${id}[^}]*\\} (\\d+)`).exec(metrics);
    for (const id of [a, b, c]) expect(taken(id)?.[1]).toBe("5");
  });

  it("promise 8: Datadog's age limit is shown and warned of before it bites, and at the line the event is parked", async ({
    expect,
  }) => {
    luck(0.999);
    stopTheClock();
    const relay = await WholeRelay.withTenant();
    const [host, other] = [hostName("datadog"), hostName("splunk")];
    const calls = outside.host(host, () => new Response(null, { status: 503 }));
    const told = outside.host(other, hecOk);
    const endpoint = `https://${host}/api/v2/logs`;
    const id = await relay.connect({ provider: "datadog", endpoint, token: "key", routes });
    await relay.connect(splunkAt(other, { routes: [] }));
    const happenedAt = outside.now - hours(17);
    await relay.send(evt(1, "old"), { timestamp: new Date(happenedAt).toISOString() });
    await eventually(() => calls.length > 0);
    await settled();
    const { first_loss_at: firstLossAt } = await relay.destination(id);
    const line = Date.parse(String(firstLossAt));
    expect(line - happenedAt).toBeGreaterThan(hours(17.5));
    expect(line - happenedAt).toBeLessThan(hours(18));
    await relay.pass(id, outside, minutes(40));
    await eventually(() => told.some(({ body }) => body.includes("siem.backlog_warning")));
    const warning = told.find(({ body }) => body.includes("siem.backlog_warning"))?.body;
    expect(warning).toContain('"limit":"provider_age"');
    expect(await relay.deadLetters(id)).toEqual([]);
    await relay.pass(id, outside, minutes(40));
    expect(await relay.deadLetters(id)).toMatchObject([{ event_id: "evt-old-0", reason: "outside_window" }]);
    const late = calls.filter(({ at, ids }) => at > line && ids.includes("evt-old-0"));
    expect(late).toEqual([]);
  });

  it("promise 8: CloudWatch gets nothing older than 14 d, more than 2 h ahead, or of more than 24 h in one call", async ({
    expect,
  }) => {
    stopTheClock();
    const relay = await WholeRelay.withTenant();
    const host = "logs.eu-west-1.amazonaws.com";
    const calls = outside.host(host, () => Response.json({}));
    const id = await relay.connect({
      ...{ provider: "cloudwatch", endpoint: `https://${host}` },
      ...{ access_key_id: "AKIAEXAMPLE0000000000", secret_access_key: "secret/key", routes },
    });
    const ages = { ancient: hours(15 * 24), future: -hours(3), early: hours(50), late: hours(1) };
    const events = Object.entries(ages).map(([name, age]) => ({
      ...{ id: `evt-${name}`, action: "user.login", actor_id: "u1" },
      timestamp: new Date(outside.now - age).toISOString(),
    }));
    await relay.call("POST", "/v1/audit/events", { events });
    await eventually(() => idsOf(calls).length >= 2);
    await settled();
    expect(calls.map(({ ids }) => ids)).toEqual([["evt-early"], ["evt-late"]]);
    const letters = await relay.deadLetters(id);
    expect(letters.map(({ event_id: event, reason }) => [event, reason]).sort()).toEqual([
      ["evt-ancient", "outside_window"],
      ["evt-future", "outside_window"],
    ]);
  });

  it.for([
    ["without cookies: equal ackIds of two indexers are never taken for each other", false],
    ["with cookies: each batch is asked about with the channel and cookie it was sent with", true],
  ] as const)("promise 9: acknowledgement behind a balancer %s", async ([, hasCookies], { expect }) => {
    luck(0.001);
    stopTheClock();
    const relay = await WholeRelay.withTenant();
    const host = hostName("splunk");
    const splunk = new Indexers(2, { hasCookies });
    splunk.working = [0]; // the other takes events and never writes them
    const calls = outside.host(host, splunk.behave);
    const id = await relay.connect(splunkAt(host, { config: { acknowledge: true } }));
    const batches = new Map<string, string>();
    for (let n = 0; n < 5; n += 1) {
      const [event = ""] = evt(1, String(n));
      batches.set(await relay.send([event]), event);
      await eventually(() => idsOf(calls).includes(event));
      await settled();
    }
    const indexers = new Set([...batches.values()].map((event) => splunk.indexerOf(event)));
    expect(indexers).toEqual(new Set(hasCookies ? [1] : [0, 1]));
    await relay.pass(id, outside, minutes(4));
    const isIndexed = async (batch: string): Promise<boolean> =>
      (await relay.fate(batch, id))["state"] === "indexed";
    for (const [batch, event] of batches) {
      if (splunk.indexerOf(event) === 1) expect(await isIndexed(batch)).toBe(false);
    }
    if (hasCookies) expect(splunk.wrongQuestions).toBe(0);
    splunk.working = [0, 1];
    await relay.pass(id, outside, minutes(12));
    for (const batch of batches.keys()) expect(await isIndexed(batch)).toBe(true);
    expect(await relay.destination(id)).toMatchObject({ status: "active", backlog: { events: 0 } });
  });

  it("promise 9: a session that the balancer moves to another indexer is not confirmed by that one's equal ackIds", async ({
    expect,
  }) => {
    luck(0.001);
    stopTheClock();
    const relay = await WholeRelay.withTenant();
    const host = hostName("splunk");
    const splunk = new Indexers(2, { hasCookies: true });
    splunk.working = [0];
    const calls = outside.host(host, splunk.behave);
    const id = await relay.connect(splunkAt(host));
    const batches: string[] = [];
    for (const [event = ""] of [evt(1, "a"), evt(1, "b"), evt(1, "c"), evt(1, "d")]) {
      if (event === "evt-c-0") splunk.gone = [1];
      batches.push(await relay.send([event]));
      await eventually(() => idsOf(calls).includes(event));
      await settled();
    }
    expect(["a", "b", "c", "d"].map((name) => splunk.indexerOf(`evt-${name}-0`))).toEqual([1, 1, 0, 0]);
    await relay.pass(id, outside, minutes(4));
    const states = () => Promise.all(batches.map(async (batch) => (await relay.fate(batch, id))["state"]));
    expect((await states()).slice(0, 2)).toEqual(["accepted", "accepted"]);
    await relay.pass(id, outside, minutes(4));
    expect(await states()).toEqual(["indexed", "indexed", "indexed", "indexed"]);
    expect(idsOf(calls).filter((event) => event === "evt-a-0")).toHaveLength(2);
  });

  it.for([
    ["a page", () => new Response("<html>true</html>", { headers: { "content-type": "text/html" } })],
    ["a refusal", () => Response.json({ text: "Invalid token", code: 4 }, { status: 403 })],
    ["a failure", () => new Response(null, { status: 503 })],
    ["an empty answer", () => new Response("")],
  ] as const)("promise 9: a failing /ack never counts as delivered: %s", async ([, fails], { expect }) => {
    luck(0.001);
    stopTheClock();
    const relay = await WholeRelay.withTenant();
    const host = hostName("splunk");
    const splunk = new Indexers(1);
    splunk.ackFails = fails;
    const calls = outside.host(host, splunk.behave);
    const id = await relay.connect(splunkAt(host));
    const batch = await relay.send(evt(1));
    await eventually(() => calls.some(isEvent));
    await settled();
    await relay.pass(id, outside, minutes(4));
    expect(calls.length).toBeGreaterThan(10);
    expect(await relay.fate(batch, id)).toMatchObject({ counts: { accepted: 1, indexed: 0 } });
    splunk.ackFails = null;
    await relay.pass(id, outside, seconds(30));
    expect(await relay.fate(batch, id)).toMatchObject({ counts: { indexed: 1 } });
    expect(calls.filter(isEvent)).toHaveLength(1);
  });
});
