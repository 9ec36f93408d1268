import fc from "fast-check";
import { describe, it } from "vitest";
import { utf8 } from "../../../src/base/bytes.ts";
import type { EventIds } from "../../../src/flow/accept/idempotency.ts";
import { takeTheLongWay } from "../../../src/flow/accept/long-way.ts";
import { type Taken, takeInOnePass } from "../../../src/flow/accept/one-pass.ts";

const NOW = Date.parse("2026-11-20T10:00:00.123Z");
const TAIL = "-8abc-0123456789ab";
const fresh: EventIds = { time: NOW, prefersOwnTime: false, tail: TAIL };
const derived: EventIds = { time: 0xffff_ffff_ffff, prefersOwnTime: true, tail: TAIL };

interface How {
  readonly format?: "json" | "ndjson";
  readonly eventIds?: EventIds;
  readonly tenantId?: string;
}

const full = ({ format = "json", eventIds = fresh, tenantId = "ten_1" }: How = {}) =>
  ({ format, eventIds, tenantId, now: NOW }) as const;
const bytesOf = (body: string | Uint8Array): Uint8Array => (typeof body === "string" ? utf8(body) : body);

/** Ids and lines, to be compared; null where there are none. */
function shown(taken: Taken | null) {
  if (taken === null) return null;
  const { text, ends, times } = taken.lines;
  const lines = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  return { ids: taken.ids, lines, ends: Array.from(ends), times: Array.from(times) };
}

/** What the short way makes of a body; null where it declines. */
const short = (body: string | Uint8Array, how?: How) => shown(takeInOnePass(bytesOf(body), full(how)));

/** The same of the long way; null where it refuses. */
function long(body: string | Uint8Array, how?: How) {
  const made = takeTheLongWay(bytesOf(body), { ...full(how), onInvalid: "refuse" });
  return shown(made.ok ? made.value : null);
}

/** A property of pairs that the short way took, of which there must have been a good share, or it would hold of nothing. */
function holds(bodies: fc.Arbitrary<{ body: string; how: How }>, share: number, runs = 400): void {
  let seen = 0;
  let taken = 0;
  fc.assert(
    fc.property(bodies, ({ body, how }) => {
      const found = short(body, how);
      seen += 1;
      if (found === null) return;
      taken += 1;
      const expected = long(body, how);
      if (JSON.stringify(found) !== JSON.stringify(expected))
        throw new Error(`${JSON.stringify(found)}\n${JSON.stringify(expected)}`);
    }),
    { numRuns: runs },
  );
  if (taken < seen * share) throw new Error(`Only ${taken} of ${seen} were taken`);
}

const login = { action: "user.login", actor_id: "u1" };

// Texts of JSON: mostly plain, and now and then at or beyond the borders of what is plain or valid.
const mostly = <T>(plain: fc.Arbitrary<T>, odd: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 30, arbitrary: plain }, { weight: 1, arbitrary: odd });
const spelt = fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => JSON.stringify(text));
const escaped = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\\/",
        "\\n",
        "\\b",
        '\\"',
        "\\\\",
        "\\u0041",
        "\\u00e9",
        "\\u001F",
        "\\u2028",
        "a",
        "é",
      ),
      fc.constantFrom(
        "\\ud83d\\ude00",
        "\\uD83D\\uDE00",
        "\\u0000",
        "\\u0022",
        "\\u005c",
        "\\u0008",
        "\u007f",
      ),
      fc.constantFrom("\\ud83d", "\\ude00", "\\u12", "\\x41", "\\"),
    ),
    { maxLength: 20 },
  )
  .map((parts) => `"${parts.join("")}"`);
const number = fc.oneof(
  fc.integer().map(String),
  fc.maxSafeInteger().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.maxSafeInteger(), fc.nat(20)).map(([whole, at]) => {
    const digits = String(whole);
    return at < digits.length ? `${digits.slice(0, at)}.${digits.slice(at)}` : `0.${"0".repeat(at)}${digits}`;
  }),
  fc.constantFrom(
    "0",
    "-0",
    "-0.0",
    "0.0",
    "1.0",
    "1.50",
    "0.000001",
    "0.0000001",
    "0.10",
    "01",
    "1.",
    ".5",
    "-",
  ),
  fc.constantFrom("1e3", "1E-3", "9007199254740991", "9007199254740993", "99999999999999990000", "1e400"),
);
const scalar = mostly(
  fc.oneof(spelt, fc.constantFrom("true", "false", "null", "0", "-1", "12.5", "1.0")),
  fc.oneof(escaped, number, fc.constantFrom("tru", "nul", "")),
);
const space = fc.constantFrom("", "", "", " ", "\n", "\t \r", "  ");
const name = mostly(
  fc.stringMatching(/^[a-zA-Z_]{1,12}$/),
  fc.oneof(
    fc.constantFrom("a", "aa", "ab", "a.b", "", "timestamp", "actor_idx", "metadatb", "é", "\\u0061", "id"),
    fc.string({ unit: "grapheme-ascii", maxLength: 14 }).map((text) => JSON.stringify(text).slice(1, -1)),
  ),
);
const { value } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalar,
    fc
      .tuple(fc.array(tie("value"), { maxLength: 5 }), space)
      .map(([all, gap]) => `[${gap}${all.join(`${gap},`)}${gap}]`),
    tie("object"),
  ),
  object: fc
    .tuple(fc.array(fc.tuple(name, tie("value")), { maxLength: 6 }), space)
    .map(([all, gap]) => `{${gap}${all.map(([key, of]) => `"${key}"${gap}:${gap}${of}`).join(`,${gap}`)}}`),
}));

const isoTime = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date(253_402_300_799_999) })
  .map((date) => date.toISOString());
const time = fc.oneof(
  isoTime,
  fc
    .tuple(
      fc.constantFrom("1969", "1970", "2000", "2024", "2026", "2100", "9999"),
      fc.nat(13),
      fc.nat(32),
      fc.nat(25),
      fc.nat(61),
    )
    .map(([year, ...rest]) => [year, ...rest.map((of) => String(of).padStart(2, "0"))])
    .map(([year, month, day, hour, minute]) => `${year}-${month}-${day}T${hour}:${minute}:${minute}`)
    .chain((upTo) =>
      fc
        .tuple(
          fc.constantFrom("", ".5", ".", ".123456", ".123456789", ".1234567891", ".999999"),
          fc.constantFrom("Z", "z", "+02:00", "-11:30", "+24:00", "-00:00", "+2:00", "+0200", ""),
        )
        .map(([fraction, zone]) => upTo + fraction + zone),
    ),
);
const words = fc.oneof(
  fc.constantFrom(
    "user.login",
    "a.b",
    "a..b",
    "A.b",
    "a",
    "a.",
    ".a",
    "1.a",
    "a.1",
    "api-key.create",
    "a.b_c-d.e",
    "",
  ),
  fc.integer({ min: 196, max: 203 }).map((length) => `a.${"b".repeat(length - 2)}`),
);
const oddText = fc.oneof(
  spelt,
  fc.integer({ min: 254, max: 258 }).map((length) => `"${"x".repeat(length)}"`),
  fc.integer({ min: 84, max: 130 }).map((length) => `"${"é".repeat(length)}"`),
  fc.constantFrom("null", '""', "1", "{}", "[]", '"USER"', '"SYSTEM"', '"\\u0053YSTEM"'),
);
const word = mostly(
  fc.stringMatching(/^[A-Za-z ]{1,20}$/).map((text) => `"${text}"`),
  oddText,
);
const oddId = fc.oneof(
  fc.integer({ min: 126, max: 130 }).map((length) => `"${"i".repeat(length)}"`),
  fc.constantFrom('"a b"', '"a!b"', '""', "null", "1", '"é"'),
);
const ownId = mostly(
  fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/).map((id) => `"${id}"`),
  oddId,
);
const quoted = (text: string): string => `"${text}"`;

/** Mostly a valid event; each of its fields may be missing, odd or wrong, and there may be any others. */
const event = fc
  .record({
    order: fc.infiniteStream(fc.nat()),
    id: fc.option(ownId, { freq: 2 }),
    timestamp: fc.option(mostly(isoTime, time).map(quoted), { freq: 2 }),
    action: mostly(fc.constant("user.login"), words).map(quoted),
    actor_id: mostly(fc.constant('"u1"'), oddText),
    actor_type: fc.option(mostly(fc.constantFrom('"USER"', '"SYSTEM"'), oddText), { freq: 2 }),
    tenant_id: fc.option(mostly(fc.constant('"ten_1"'), fc.constantFrom('"ten_2"', "null", '"ten_\\u0031"'))),
    resource_id: fc.option(word, { freq: 3 }),
    resource_type: fc.option(word, { freq: 3 }),
    service: fc.option(word, { freq: 3 }),
    outcome: fc.option(word, { freq: 3 }),
    metadata: fc.option(mostly(fc.constantFrom("{}", "null", '{"b":1,"a":[1, 2]}'), scalar), { freq: 4 }),
    integrity_hash: fc.option(word, { freq: 6 }),
    others: fc.array(fc.tuple(name, value), { maxLength: 3 }),
    gap: space,
  })
  .map(({ order, others, gap, ...fields }) => {
    const all = [...Object.entries(fields).filter(([, of]) => of !== null), ...others];
    const shuffled = all
      .map((member) => [order.next().value, member] as const)
      .toSorted(([a], [b]) => Number(a) - Number(b));
    return `{${gap}${shuffled.map(([, [key, of]]) => `"${key}"${gap}:${gap}${of}`).join(`${gap},${gap}`)}${gap}}`;
  });
const eventIds = fc.constantFrom(fresh, derived);
const asJson = fc
  .tuple(
    fc.array(event, { minLength: 1, maxLength: 6 }),
    space,
    fc.constantFrom("one", "list", "envelope"),
    eventIds,
  )
  .map(([events, gap, as, ids]) => {
    const list = `[${events.join(`${gap},${gap}`)}]`;
    const body = as === "one" ? events[0] : as === "list" ? list : `{${gap}"events"${gap}:${gap}${list}}`;
    return { body: `${gap}${body}${gap}`, how: { eventIds: ids } };
  });
const asLines = fc
  .tuple(
    fc.array(event, { minLength: 1, maxLength: 6 }),
    mostly(fc.constantFrom("\n", "\r\n", "\n\n", " \n\t"), fc.constantFrom("\r", "", ",")),
    eventIds,
  )
  .map(([events, end, ids]) => ({
    body: events.join(end) + end,
    how: { format: "ndjson" as const, eventIds: ids },
  }));

describe("whatever is taken in one pass", () => {
  it("comes out as the long way makes it: one event, a list, an envelope", ({ expect }) => {
    expect(() => holds(asJson, 0.3, 3_000)).not.toThrow();
  });

  it("comes out as the long way makes it: one event a line", ({ expect }) => {
    expect(() => holds(asLines, 0.1, 2_000)).not.toThrow();
  });

  it.for([
    ["values", value.map((of) => `{"action":"user.login","actor_id":"u1","x":${of}}`), 0.1],
    ["numbers", number.map((of) => `{"action":"user.login","actor_id":"u1","x":${of}}`), 0.2],
    ["strings with escapes", escaped.map((of) => `{"action":"user.login","actor_id":"u1","x":${of}}`), 0.1],
    ["times", time.map((of) => `{"action":"user.login","actor_id":"u1","timestamp":"${of}"}`), 0.2],
    ["actions", words.map((of) => `{"action":"${of}","actor_id":"u1"}`), 0.1],
    ["ids", fc.oneof(ownId, oddId).map((of) => `{"action":"user.login","actor_id":"u1","id":${of}}`), 0.2],
  ] as const)("comes out as the long way makes it: %s", ([, texts, share], { expect }) => {
    const bodies = texts.map((body) => ({ body, how: {} }));
    expect(() => holds(bodies, share, 2_000)).not.toThrow();
  });

  it("does, cut off or with a byte changed anywhere", ({ expect }) => {
    const whole = JSON.stringify([
      { ...login, timestamp: "2026-11-20T09:00:00Z", metadata: { b: [1.5, "é"], a: null } },
    ]);
    const sent = utf8(whole);
    expect(short(sent)).not.toBeNull();
    for (let at = 0; at < sent.byteLength; at += 1) {
      for (const byte of [0, 0x20, 0x22, 0x2c, 0x5c, 0x5d, 0x7b, 0x7d, 0x80, 0xc3, 0xff, 0x31, 0x61]) {
        const changed = sent.slice();
        changed[at] = byte;
        const taken = short(changed);
        if (taken !== null) expect(taken, `${byte} at ${at}`).toEqual(long(changed));
      }
      const cut = short(sent.slice(0, at));
      if (cut !== null) expect(cut, `cut at ${at}`).toEqual(long(sent.slice(0, at)));
    }
  });

  it("owes nothing to what was in the memory before", ({ expect }) => {
    const large = JSON.stringify(Array.from({ length: 1_000 }, () => ({ ...login, note: "x".repeat(300) })));
    const small = JSON.stringify(login);
    const first = short(small);
    expect(short(large)?.ids).toHaveLength(1_000);
    expect(short(small)).toEqual(first);
    expect(short(small.slice(0, -1))).toBeNull();
    expect(first).toEqual(long(small));
  });
});

describe("the short way", () => {
  const taken = (body: string, how?: How): boolean => short(body, how) !== null;

  it("takes what producers send day by day", ({ expect }) => {
    const rich = {
      ...login,
      timestamp: "2026-11-20T09:59:59.123456+01:00",
      resource_id: null,
      metadata: {
        ip: "203.0.113.7",
        name: "Zoë",
        ratio: 0.25,
        path: "/a",
        list: [1, [2], {}],
        deep: { z: 1, a: "\n" },
      },
    };
    for (const body of [
      JSON.stringify(rich),
      JSON.stringify([rich, rich]),
      JSON.stringify({ events: [rich, login] }),
      JSON.stringify([rich], null, 2),
      JSON.stringify(rich).replaceAll("/", "\\/").replace("Zoë", "Zo\\u00eb"), // as PHP and Python write it
      JSON.stringify({
        ...rich,
        id: "evt_1",
        tenant_id: "ten_1",
        integrity_hash: "sha256:x",
        outcome: "FAILURE",
      }),
    ]) {
      expect(short(body), body).toEqual(long(body));
      expect(taken(body), body).toBe(true);
    }
    expect(taken(`${JSON.stringify(rich)}\n\n${JSON.stringify(login)}\r\n`, { format: "ndjson" })).toBe(true);
  });

  it("declines what somebody has to judge, find words for, or look at twice", ({ expect }) => {
    const deep = (levels: number) =>
      `{"action":"a.b","actor_id":"u","x":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    expect([63, 64].map((levels) => taken(deep(levels)))).toEqual([true, false]);
    const many = (count: number) => JSON.stringify(Array.from({ length: count }, () => login));
    expect([1_000, 1_001].map((count) => taken(many(count)))).toEqual([true, false]);
    const long60 = (bytes: number) => JSON.stringify({ ...login, x: "x".repeat(bytes) });
    expect([60_000, 100_000].map((bytes) => taken(long60(bytes)))).toEqual([true, false]);
    for (const body of [
      "",
      "[]",
      "{}",
      "null",
      "\ufeff[]",
      '{"actor_id":"u"}',
      '{"action":"a.b"}',
      '{"action":"a.b","actor_id":"u","actor_id":"v"}',
      '{"action":"a.b","actor_id":"u","x":{"b":1,"b":2}}',
      '{"action":"a.b","actor_id":"u","tenant_id":"ten_2"}',
      '{"action":"a.b","actor_id":"u"}{}',
      '[{"action":"a.b","actor_id":"u"},]',
      '{"events":[{"action":"a.b","actor_id":"u"}],"x":1}',
    ])
      expect(taken(body), body).toBe(false);
    expect(taken('{"action":"a.b",\n"actor_id":"u"}', { format: "ndjson" })).toBe(false);
    expect(taken(JSON.stringify(login), { tenantId: 'ten"1' })).toBe(false);
  });

  it("declines bytes that are not UTF-8", ({ expect }) => {
    const before = utf8('{"action":"a.b","actor_id":"u","x":"');
    const after = utf8('"}');
    for (const [bytes, isText] of [
      [[0xc3, 0xa9], true],
      [[0xf0, 0x9f, 0x98, 0x80], true],
      [[0xc3], false],
      [[0xed, 0xa0, 0x80], false],
      [[0xc0, 0x80], false],
      [[0xff], false],
    ] as const) {
      const body = Uint8Array.from([...before, ...bytes, ...after]);
      expect(short(body) !== null, bytes.join()).toBe(isText);
    }
  });
});
