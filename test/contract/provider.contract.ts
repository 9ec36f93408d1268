import * as fc from "fast-check";
import { describe, it } from "vitest";
import { z } from "zod";
import { byteLength } from "../../src/base/bytes.ts";
import { type Outcome, TROUBLES } from "../../src/model/delivery.ts";
import type { RelayEvent } from "../../src/model/event.ts";
import type { HttpAnswer } from "../../src/model/http.ts";
import type { ConnectInput, Connector, Provider } from "../../src/model/provider.ts";

/** What a provider's settings look like when they are right. Every secret field that exists has to be filled. */
export interface ProviderSample {
  readonly endpoint: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string | number>>;
}

const MAX_MESSAGE_CHARACTERS = 500;

const events = fc.array(
  fc.record({
    id: fc.stringMatching(/^[!-~]{1,128}$/),
    at: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    action: fc.constantFrom("user.login", "api-key.create", "incident.note.add"),
    json: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.stringify(value)),
  }),
  { minLength: 1, maxLength: 20 },
);

const headers = fc.dictionary(
  fc.constantFrom("content-type", "retry-after", "date", "x-ratelimit-reset", "location", "set-cookie"),
  fc.oneof(
    fc.string(),
    fc.constantFrom("text/html", "application/json", "30", "Fri, 20 Nov 2026 10:00:00 GMT"),
  ),
);

/** Bodies near the truth and far from it; `repeated` stands for a provider that repeats a secret. */
const bodies = (repeated: string) =>
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.constantFrom("", "{}", "null", "<!doctype html><html></html>", `{"text":"${repeated}`, repeated),
    fc
      .record(
        {
          code: fc.oneof(fc.integer({ min: -2, max: 40 }), fc.jsonValue()),
          text: fc.oneof(fc.constant(`token ${repeated} refused`), fc.jsonValue()),
          ackId: fc.oneof(fc.nat(), fc.jsonValue()),
          "invalid-event-number": fc.oneof(fc.integer({ min: -2, max: 30 }), fc.jsonValue()),
          errors: fc.oneof(
            fc.constant([`key ${repeated}`]),
            fc.constant([{ detail: repeated }]),
            fc.jsonValue(),
          ),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
  );

const answers = (repeated: string): fc.Arbitrary<HttpAnswer> =>
  fc.oneof(
    fc.record({
      kind: fc.constant("response" as const),
      status: fc.oneof(fc.integer({ min: 0, max: 999 }), fc.constantFrom(200, 202, 400, 401, 403, 429, 503)),
      headers,
      body: bodies(repeated),
      bodyIncomplete: fc.boolean(),
      latency: fc.nat(),
    }),
    fc.record({
      kind: fc.constant("failure" as const),
      reason: fc.constantFrom("blocked", "unreachable", "tls", "timeout", "reset"),
      message: fc.string(),
      maybeTaken: fc.boolean(),
      latency: fc.nat(),
    }),
  );

/** The promises that the rest of the relay relies on, of whatever is in the registry. */
export function providerContract(provider: Provider, sample: ProviderSample): void {
  const input: ConnectInput = { destinationId: "siem_contract", ...sample };
  const secrets = Object.values(sample.secrets).map(String);
  const open = (): Connector => {
    const connected = provider.connect(input);
    if (!connected.ok) throw new Error(JSON.stringify(connected.error));
    return connected.value;
  };
  const context = { now: 1_700_000_000_000, indexFor: () => null };
  const leaks = (text: string) => secrets.filter((secret) => text.includes(secret));

  describe(`every provider: ${provider.kind}`, () => {
    it("has a kind, a title and operations that can be stored and shown", ({ expect }) => {
      expect(provider.kind).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(provider.title).not.toBe("");
      const names = Object.keys(provider.operations);
      expect(names.length).toBeGreaterThan(0);
      for (const operation of names) expect(operation).toMatch(/^[a-z][a-z_]*$/);
    });

    it("keeps settings and secrets apart", ({ expect }) => {
      const config = Object.keys(provider.config.shape);
      for (const name of Object.keys(provider.secrets.shape)) expect(config).not.toContain(name);
      // A sample fills one way to sign in; a provider may have several that exclude each other.
      for (const name of Object.keys(sample.secrets))
        expect(Object.keys(provider.secrets.shape)).toContain(name);
    });

    it("answers bad settings with values that name a field, whatever they are", ({ expect }) => {
      fc.assert(
        fc.property(fc.anything(), fc.anything(), fc.option(fc.string()), (config, given, endpoint) => {
          const connected = provider.connect({ destinationId: "siem_1", config, secrets: given, endpoint });
          if (connected.ok) return;
          expect(connected.error.length).toBeGreaterThan(0);
          for (const { path, message } of connected.error)
            expect([typeof path, message !== ""]).toEqual(["string", true]);
        }),
      );
    });

    it("refuses a misspelt setting, a missing secret and credentials in the URL", ({ expect }) => {
      expect(provider.connect({ ...input, config: { ...sample.config, inedx: "x" } }).ok).toBe(false);
      expect(provider.connect({ ...input, secrets: {} }).ok).toBe(false);
      expect(provider.connect({ ...input, secrets: { ...sample.secrets, other: "x" } }).ok).toBe(false);
      expect(provider.connect({ ...input, endpoint: "https://user:password@siem.example.com" }).ok).toBe(
        false,
      );
    });

    it("never repeats a secret in the fault that it causes", ({ expect }) => {
      for (const name of Object.keys(sample.secrets)) {
        const value = "WITH SPACES AND\nBREAKS";
        const connected = provider.connect({ ...input, secrets: { ...sample.secrets, [name]: value } });
        expect(connected.ok).toBe(false);
        expect(JSON.stringify(connected)).not.toContain("SPACES");
      }
    });

    it("connects from what it shows, and comes to the same", ({ expect }) => {
      const first = open();
      const second = provider.connect({ ...input, endpoint: first.origin, config: first.publicConfig });
      expect(second.ok && [second.value.origin, second.value.publicConfig]).toEqual([
        first.origin,
        first.publicConfig,
      ]);
    });

    it("shows secrets neither in its address nor in its settings", ({ expect }) => {
      const connector = open();
      expect(leaks(connector.origin)).toEqual([]);
      expect(leaks(JSON.stringify(connector.publicConfig))).toEqual([]);
      expect(connector.kind).toBe(provider.kind);
    });

    it("encodes any events to one request at its address, with no secret outside the headers", async ({
      expect,
    }) => {
      const connector = open();
      await fc.assert(
        fc.asyncProperty(events, async (given) => {
          const request = await connector.encode(given, context);
          expect(request.method).toBe("POST");
          expect(new URL(request.url).origin).toBe(new URL(connector.origin).origin);
          expect(leaks(request.url + (request.body ?? ""))).toEqual([]);
          for (const [name, value] of Object.entries(request.headers))
            expect(`${name}: ${value}`).toMatch(/^[a-z0-9-]+: [ -~]+$/);
        }),
      );
    });

    it("stays within the envelope that it announces, so that a full request keeps the limit", async ({
      expect,
    }) => {
      const connector = open();
      const routed = { ...context, indexFor: () => "i".repeat(256) };
      await fc.assert(
        fc.asyncProperty(events, async (given) => {
          const body = (await connector.encode(given, routed)).body ?? "";
          const promised = given.reduce(
            (sum, one) => sum + byteLength(one.json) + connector.envelopeBytes(one),
            0,
          );
          expect(byteLength(body)).toBeLessThanOrEqual(promised);
        }),
      );
      expect(connector.limits.events).toBeGreaterThan(0);
      expect(connector.limits.bytes).toBeGreaterThan(200_000);
    });

    it("carries every event whole, in the order given", async ({ expect }) => {
      const connector = open();
      const marked = Array.from(
        { length: 50 },
        (_, n): RelayEvent => ({
          id: `evt_${n}`,
          at: 1_700_000_000_000 + n,
          action: "user.login",
          json: JSON.stringify({ marker: `<${n}>` }),
        }),
      );
      const body = (await connector.encode(marked, context)).body ?? "";
      const found = [...body.matchAll(/<(\d+)>/g)].map(([, n]) => Number(n));
      expect(found).toEqual(marked.map((_, n) => n));
    });

    it("makes an outcome of any answer, with bounded words and counts within the request", ({ expect }) => {
      const connector = open();
      fc.assert(
        fc.property(answers(secrets[0] ?? ""), fc.integer({ min: 1, max: 20 }), (answer, count) => {
          const outcome = connector.interpret(answer, { events: count, bytes: 6_000_000 });
          expect(problems(outcome, count)).toEqual([]);
          expect(leaks(JSON.stringify(outcome))).toEqual([]);
        }),
        { numRuns: 1_000 },
      );
    });

    it("diagnoses any answers to a verdict, without telling a secret", async ({ expect }) => {
      const answered = fc.array(answers(secrets[0] ?? ""), { minLength: 5, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(answered, async (given) => {
          const steps = open().probe(
            { id: "evt_1", at: 1, action: "siem.test_connection", json: '{"id":"evt_1"}' },
            context,
          );
          const readings = [];
          for (const [index, step] of steps.entries()) {
            const request = await step.request;
            expect(leaks(request.url + (request.body ?? ""))).toEqual([]);
            const reading = step.read(given[index % given.length] as HttpAnswer); // five of them
            readings.push(reading);
            if (reading.verdict !== null) break;
          }
          const last = readings.at(-1);
          expect(last?.verdict).not.toBeNull();
          expect(leaks(JSON.stringify(readings))).toEqual([]);
          for (const { name, detail } of readings.flatMap(({ checks }) => checks))
            expect([name !== "", /[.!?]$/.test(detail)]).toEqual([true, true]);
          if (last?.verdict?.ok === false) expect(last.verdict.hint).not.toBeNull();
        }),
        { numRuns: 500 },
      );
    });

    operationsContract({ provider, open, leaks });
  });
}

/** A payload with something else in one place, at any depth: what is nearly right finds more than what is far off. */
function spoiled(good: unknown): fc.Arbitrary<unknown> {
  if (typeof good !== "object" || good === null) return fc.jsonValue();
  const inner = Object.entries(good).map(([name, value]) =>
    spoiled(value).map((other) =>
      Array.isArray(good) ? good.with(Number(name), other) : { ...good, [name]: other },
    ),
  );
  const more = fc
    .jsonValue()
    .map((value) => (Array.isArray(good) ? [...good, value] : { ...good, extra: value }));
  return fc.oneof(fc.constant(good), more, fc.jsonValue(), ...inner);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function operationsContract({ provider, open, leaks }: OperationsScene): void {
  const context = { now: 1_700_000_000_000, newId: () => "evt_new" };
  const names = Object.keys(provider.operations);

  it("says of each operation what it does, and what it takes with an example", ({ expect }) => {
    for (const { description, payload } of Object.values(provider.operations)) {
      expect(description).toMatch(/^[A-Z].*\.$/);
      expect(z.toJSONSchema(payload, { io: "input" })).toMatchObject({ examples: [expect.any(Object)] });
    }
  });

  it.for(names)(
    "performs %s as the example has it, and refuses it with an unknown field",
    async (name, { expect }) => {
      const example = exampleOf(provider, name);
      const performed = open().perform(name, example, context);
      if (!performed.ok) throw new Error(JSON.stringify(performed.error));
      const request = await performed.value.request;
      expect(request.method).toBe("POST");
      const answer = {
        kind: "failure",
        reason: "reset",
        message: "x",
        maybeTaken: true,
        latency: 1,
      } as const;
      expect(performed.value.interpret(answer).kind).toBe("retry");
      const paths = faultPaths(open().perform(name, { ...example, unheard_of: 1 }, context));
      expect(paths).toEqual(["payload.unheard_of"]);
      const check = provider.operations[name]?.check;
      expect(check?.(example)).toEqual([]);
      expect(check?.({ ...example, unheard_of: 1 })).toMatchObject([{ path: "payload.unheard_of" }]);
    },
  );

  it("performs nothing that is not listed", ({ expect }) => {
    for (const name of ["", "delete_index", "constructor", "__proto__", "toString"])
      expect(faultPaths(open().perform(name, {}, context))).toEqual(["operation"]);
  });

  it.for(names)(
    "%s faults with a field, or encodes within the limits, whatever the payload",
    async (name, { expect }) => {
      const connector = open();
      const payloads = fc.oneof(
        { arbitrary: spoiled(exampleOf(provider, name)), weight: 5 },
        { arbitrary: fc.anything(), weight: 1 },
      );
      await fc.assert(
        fc.asyncProperty(payloads, async (payload) => {
          const performed = connector.perform(name, payload, context);
          // Whatever is wrong with a payload by itself is found before there are secrets, in the same words.
          const found = provider.operations[name]?.check(payload) ?? [];
          if (found.length > 0) expect(performed).toEqual({ ok: false, error: found });
          if (!performed.ok) {
            expect(performed.error.length).toBeGreaterThan(0);
            for (const { path, message } of performed.error) {
              expect(path).toMatch(/^payload(\.|$)/);
              expect(message).not.toBe("");
            }
            return;
          }
          const { url, body = "", headers } = await performed.value.request;
          expect(byteLength(body)).toBeLessThanOrEqual(connector.limits.bytes);
          expect(leaks(url + body)).toEqual([]);
          for (const [header, value] of Object.entries(headers))
            expect(`${header}: ${value}`).toMatch(/^[a-z0-9-]+: [ -~]+$/);
        }),
        { numRuns: 300 },
      );
    },
  );
}

interface OperationsScene {
  readonly provider: Provider;
  readonly open: () => Connector;
  readonly leaks: (text: string) => readonly string[];
}

function exampleOf(provider: Provider, name: string): Readonly<Record<string, unknown>> {
  const operation = provider.operations[name];
  const examples = operation === undefined ? [] : z.toJSONSchema(operation.payload, { io: "input" }).examples;
  const example: unknown = Array.isArray(examples) ? examples[0] : undefined;
  if (!isObject(example)) throw new Error(`${name} has no example`);
  return example;
}

function faultPaths(performed: ReturnType<Connector["perform"]>): readonly string[] {
  return performed.ok ? [] : performed.error.map(({ path }) => path);
}

/** Everything that is wrong with an outcome, in words. */
function problems(outcome: Outcome, events: number): readonly string[] {
  const wrong: string[] = [];
  const { message } = outcome.words;
  if (message.trim() === "" || message.length > MAX_MESSAGE_CHARACTERS || /[\r\n]/.test(message))
    wrong.push("message");
  if ("trouble" in outcome && outcome.trouble !== null && !TROUBLES.includes(outcome.trouble))
    wrong.push("trouble");
  if ("offender" in outcome) {
    const { committed, offender } = outcome;
    if (!(committed >= 0 && committed <= events)) wrong.push("committed");
    if (offender !== null && !(offender >= committed && offender < events)) wrong.push("offender");
  }
  if (outcome.kind === "partial") {
    const named = [...outcome.delivered, ...outcome.refused.map(({ index }) => index)];
    if (new Set(named).size !== named.length || named.some((index) => !(index >= 0 && index < events))) {
      wrong.push("indexes");
    }
  }
  if ("retryAfter" in outcome && outcome.retryAfter !== null && !(outcome.retryAfter >= 0))
    wrong.push("retryAfter");
  if (outcome.kind === "delivered" && outcome.ackId !== null && !(outcome.ackId >= 0)) wrong.push("ackId");
  return wrong;
}
