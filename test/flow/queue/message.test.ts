import fc from "fast-check";
import { describe, it } from "vitest";
import { fromBase64, utf8 } from "../../../src/base/bytes.ts";
import { decodeMessage, encodePart, type QueuedPart, storable } from "../../../src/flow/queue/message.ts";
import { toLine } from "../../../src/model/event.ts";
import { concat, packLines } from "../../../src/model/lines.ts";
import { anEvent, aPart, aPartOf, linesOf } from "../../support/lines.ts";

/** As the first release wrote it. Messages wait for days, so this text must stay readable: never edit it. */
const FIRST =
  '{"v":1,"tenant":"ten_1","batch":"bat_1","part":2,"at":1782822896789}\n' +
  'evt_1\t1782822896789\tuser.login\t{"id":"evt_1"}\n' +
  'evt_2\t1782822896790\tuser.logout\t{"id":"evt_2"}';

/** The same of the first release that packed lines: two small events as they are, then compressed ones in base64. */
const PACKED =
  '{"v":2,"tenant":"ten_1","batch":"bat_1","part":2,"at":1782822896789,"count":2,"bytes":93,"first":1782822896789,"size":97}\n' +
  "\u0000\u0000\u0000\u0000\u005c" +
  'evt_1\t1782822896789\tuser.login\t{"id":"evt_1"}\n' +
  'evt_2\t1782822896790\tuser.logout\t{"id":"evt_2"}';
const COMPRESSED =
  "eyJ2IjoyLCJ0ZW5hbnQiOiJ0ZW5fMSIsImJhdGNoIjoiYmF0XzEiLCJwYXJ0IjoyLCJhdCI6MTAwMDAwMCwiY291bnQiOjIs" +
  "ImJ5dGVzIjo5MjI0LCJmaXJzdCI6MTc4MjgyMjg5Njc4OSwic2l6ZSI6MTQwfQoBAAAAhyi1L/1kByPNAwAixxgccGl1rich" +
  "QV3OhSTRgH9VYaXcojYhsliqPu69CaqvJx+Nfx8lbMJy9MX33DIefeAaS1ZgAcqqEiQFWQlZmvR7BLN0wwzso6vXk78vwDNO" +
  "hAZ5SBLcKI5rbLmm2rQxddTryQEFAG74IIAu0FEf/xt1y45k8MAMWkMHIA==";

const header = { v: 1, tenant: "ten_1", batch: "bat_1", part: 0, at: 1_000_000 };
const line = toLine(anEvent("evt_1"));
const withHeader = (more: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify({ ...header, ...more })}\n${line}`;

const { packed } = packLines([line]);
const bytesHeader = { ...header, v: 2, count: 1, bytes: line.length + 1, first: 1, size: packed.byteLength };
const bytesWithHeader = (more: Readonly<Record<string, unknown>>): Uint8Array<ArrayBuffer> =>
  concat([utf8(`${JSON.stringify({ ...bytesHeader, ...more })}\n`), packed]);

const name = fc.string({ minLength: 1, unit: "binary" });
/** Any part of any tenant, the names and the events of any characters. */
const aQueuedPart: fc.Arbitrary<QueuedPart> = fc
  .record({
    ...{ tenantId: name, batchId: name, part: fc.nat(), acceptedAt: fc.nat() },
    notes: fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 20 }),
  })
  .map(({ tenantId, batchId, part, acceptedAt, notes }) => {
    const events = notes.map((note, index) => anEvent(`evt_${index}`, { note }));
    return { tenantId, part: aPartOf(batchId, events, { part, acceptedAt }) };
  });
const several = fc.array(aQueuedPart, { minLength: 1, maxLength: 5 });

/** A message of three parts, of which the second is compressed. */
const three: readonly QueuedPart[] = [
  { tenantId: "ten_1", part: aPart("bat_1", 2) },
  { tenantId: "ten_2", part: aPart("bat_2", 150, { part: 7 }) },
  { tenantId: "ten_1", part: aPart("bat_3", 1) },
];
const threeBytes = concat(three.map(encodePart));

function read(body: unknown): readonly QueuedPart[] {
  const decoded = decodeMessage(body);
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value;
}

describe("a queue message", () => {
  it("comes back as it went in, all parts of all tenants in order, whatever the names and the events contain", ({
    expect,
  }) => {
    fc.assert(
      fc.property(several, (parts) => {
        expect(read(concat(parts.map(encodePart)))).toEqual(parts);
      }),
    );
  });

  it("is read from bytes in any wrapping, and does not hold on to them", ({ expect }) => {
    const { buffer } = threeBytes;
    const amidst = concat([utf8("before"), threeBytes, utf8("after")]).subarray(6, 6 + threeBytes.byteLength);
    for (const body of [buffer, threeBytes, amidst]) {
      expect(read(body)).toEqual(three);
      for (const { part } of read(body)) expect(part.lines.packed.buffer).not.toBe(amidst.buffer);
    }
  });

  it("carries packed lines untouched behind a header of one line", ({ expect }) => {
    const part = aPart("bat_1", 3);
    const body = encodePart({ tenantId: "ten_1", part });
    const end = body.indexOf(0x0a);
    expect(JSON.parse(new TextDecoder().decode(body.subarray(0, end)))).toEqual({
      ...{ v: 2, tenant: "ten_1", batch: "bat_1", part: 0, at: 1_000_000 },
      ...{ count: 3, bytes: part.lines.bytes, first: part.lines.firstAt, size: part.lines.packed.byteLength },
    });
    expect(body.slice(end + 1)).toEqual(part.lines.packed);
  });

  it("may have a header with more than today's relay knows", ({ expect }) => {
    expect(decodeMessage(withHeader({ region: "eu" })).ok).toBe(true);
    expect(decodeMessage(bytesWithHeader({ region: "eu" })).ok).toBe(true);
  });
});

describe("a message of an earlier relay", () => {
  const two = { batchId: "bat_1", part: 2, acceptedAt: 1_782_822_896_789 };

  it.for([
    ["that wrote text", FIRST],
    ["that packed lines", utf8(PACKED)],
  ] as const)("%s is read by today's", ([, body], { expect }) => {
    const [queued, ...more] = read(body);
    if (queued === undefined) throw new Error("No part");
    const { tenantId, part } = queued;
    const { lines, ...about } = part;
    expect([tenantId, about, more]).toEqual(["ten_1", two, []]);
    expect(linesOf([part])).toEqual(FIRST.split("\n").slice(1));
    expect({ ...lines, packed: null }).toEqual({
      ...{ count: 2, bytes: 93, firstAt: 1_782_822_896_789, packed: null },
    });
  });

  it("that compressed lines is read by today's", ({ expect }) => {
    const events = [anEvent("evt_1", { note: "x".repeat(9_000) }), anEvent("evt_2")];
    const parts = read(fromBase64(COMPRESSED));
    expect(linesOf(parts.map(({ part }) => part))).toEqual(events.map(toLine));
  });

  it("is as text what packing its lines would have made of it", ({ expect }) => {
    fc.assert(
      fc.property(aQueuedPart, ({ tenantId, part }) => {
        const { batchId: batch, part: number, acceptedAt: at } = part;
        const first = JSON.stringify({ v: 1, tenant: tenantId, batch, part: number, at });
        expect(read([first, ...linesOf([part])].join("\n"))).toEqual([{ tenantId, part }]);
      }),
    );
  });
});

describe("a message that cannot be read", () => {
  const unreadable: readonly (readonly [string, unknown, string])[] = [
    ["is neither text nor bytes", { v: 1 }, "neither text nor bytes"],
    ["is numbers", [1, 2], "neither text nor bytes"],
    ["is nothing", undefined, "neither text nor bytes"],
    ["is empty", "", "no events"],
    ["has a header only", JSON.stringify(header), "no events"],
    ["has a header that is not JSON", `v1\n${line}`, "unreadable header"],
    ["has no header", `${line}\n${line}`, "unreadable header"],
    ["is text of a newer version", withHeader({ v: 3 }), "unknown version or header"],
    ["is text of a version that is bytes", withHeader({ ...bytesHeader }), "unknown version or header"],
    ["has no version", withHeader({ v: undefined }), "unknown version or header"],
    ["names no tenant", withHeader({ tenant: "" }), "unknown version or header"],
    ["names no batch", withHeader({ batch: undefined }), "unknown version or header"],
    ["has a part that is not a count", withHeader({ part: -1 }), "unknown version or header"],
    ["has a time that is not one", withHeader({ at: "yesterday" }), "unknown version or header"],
    ["has an empty line", `${withHeader({})}\n`, "unreadable events"],
    ["was broken off in the middle of an event", withHeader({}).slice(0, -1), "unreadable events"],
    [
      "was broken off in the middle of an action",
      withHeader({}).replace(/gin\t.*$/, ""),
      "unreadable events",
    ],
    ["is no bytes", new Uint8Array(), "no events"],
    ["is one byte", new Uint8Array([1]), "no events"],
    ["is the text of the first version as bytes", utf8(FIRST), "unknown version or header"],
    ["is bytes with a header that is not JSON", utf8("v2\n?"), "unreadable header"],
    ["is bytes with a header that is not text", new Uint8Array([0xff, 0xfe, 0x0a, 1]), "unreadable header"],
    ["is bytes of a newer version", bytesWithHeader({ v: 3 }), "unknown version or header"],
    ["is bytes of no tenant", bytesWithHeader({ tenant: "" }), "unknown version or header"],
    ["has no events in a part", bytesWithHeader({ count: 0 }), "unknown version or header"],
    ["has a part of no bytes", bytesWithHeader({ size: 0 }), "unknown version or header"],
    ["has a part of fewer than no bytes", bytesWithHeader({ size: -5 }), "unknown version or header"],
    ["has a part of half a byte", bytesWithHeader({ size: 1.5 }), "unknown version or header"],
    ["has an endless part", bytesWithHeader({ size: Number.MAX_SAFE_INTEGER }), "incomplete"],
    ["is one byte too short", bytesWithHeader({}).slice(0, -1), "incomplete"],
    ["is one byte too long", concat([bytesWithHeader({}), utf8("!")]), "no events"],
    ["goes on with something else", concat([threeBytes, utf8(`${line}\n`)]), "unreadable header"],
    ["was stored as unreadable base64", "base64:?", "unreadable base64"],
    ["was stored and broken off", storable(bytesWithHeader({})).slice(0, -8), "incomplete"],
  ];

  it.for(unreadable)("because it %s says why", ([, body, reason], { expect }) => {
    expect(decodeMessage(body)).toEqual({ ok: false, error: reason });
  });

  it("is a value and never an exception", ({ expect }) => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.string(),
          fc.json().map((json) => `${json}\n`),
          fc.uint8Array({ maxLength: 300 }),
          fc.uint8Array({ maxLength: 300 }).map((bytes) => concat([utf8('{"v":2}\n'), bytes])),
          fc.string().map((text) => `base64:${text}`),
        ),
        (body) => {
          expect(decodeMessage(body)).toHaveProperty("ok");
        },
      ),
      { numRuns: 500 },
    );
  });

  it("because it was broken off anywhere but between two parts is an error, and there it is the parts before", ({
    expect,
  }) => {
    const ends = three.map((_, index) => concat(three.slice(0, index + 1).map(encodePart)).byteLength);
    for (let length = 0; length <= threeBytes.byteLength; length += 1) {
      const decoded = decodeMessage(threeBytes.slice(0, length));
      const whole = ends.indexOf(length) + 1;
      if (whole > 0) expect(decoded).toEqual({ ok: true, value: three.slice(0, whole) });
      else expect(decoded.ok).toBe(false);
    }
  });

  it("or changed in one byte on its way is never an exception, and never other parts than there were", ({
    expect,
  }) => {
    fc.assert(
      fc.property(fc.nat(threeBytes.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const decoded = decodeMessage(threeBytes.with(at, (threeBytes[at] ?? 0) ^ change));
        if (decoded.ok) expect(decoded.value.length).toBeLessThanOrEqual(three.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a message as a store keeps it", () => {
  it("is text, and says the same as it did", ({ expect }) => {
    fc.assert(
      fc.property(several, (parts) => {
        const bytes = concat(parts.map(encodePart));
        for (const body of [bytes, bytes.buffer, storable(bytes), FIRST]) {
          const stored = storable(body);
          expect(stored).toBeTypeOf("string");
          expect(decodeMessage(stored)).toEqual(decodeMessage(body));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("stays the text that it was", ({ expect }) => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(storable(text)).toBe(text);
      }),
    );
  });

  it("is still bytes that nobody can read, to the last of them", ({ expect }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const [kind, text = ""] = storable(bytes).split(":");
        expect([kind, fromBase64(text)]).toEqual(["base64", new Uint8Array(bytes)]);
      }),
    );
  });

  it("is some text even where no JSON can say what it is, and nothing that can be read", ({ expect }) => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    for (const body of [undefined, null, 1n, circular, { big: 1n }, () => 1, new Map(), Object.create(null)])
      expect([typeof storable(body), decodeMessage(storable(body)).ok]).toEqual(["string", false]);
    fc.assert(
      fc.property(
        fc.anything().filter((body) => typeof body !== "string"),
        (body) => {
          expect(storable(body)).toBeTypeOf("string");
          expect(decodeMessage(storable(body)).ok).toBe(false);
        },
      ),
    );
  });
});
