import fc from "fast-check";
import { describe, it } from "vitest";
import { decodeMessage, encodeMessage, headerLine } from "../../../src/flow/queue/message.ts";
import { toLine } from "../../../src/model/event.ts";
import { anEvent, aPart } from "../../support/lines.ts";

/** As the first release wrote it. Messages wait for days, so this text must stay readable: never edit it. */
const YESTERDAY =
  '{"v":1,"tenant":"ten_1","batch":"bat_1","part":2,"at":1782822896789}\n' +
  'evt_1\t1782822896789\tuser.login\t{"id":"evt_1"}\n' +
  'evt_2\t1782822896790\tuser.logout\t{"id":"evt_2"}';

const header = { v: 1, tenant: "ten_1", batch: "bat_1", part: 0, at: 1_000_000 };
const line = toLine(anEvent("evt_1"));
const withHeader = (more: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify({ ...header, ...more })}\n${line}`;

describe("a queue message", () => {
  it("comes back as it went in, whatever the names and the events contain", ({ expect }) => {
    const queued = fc.record({
      tenantId: fc.string({ minLength: 1, unit: "binary" }),
      batchId: fc.string({ minLength: 1, unit: "binary" }),
      part: fc.nat(),
      acceptedAt: fc.nat(),
      notes: fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 20 }),
    });
    fc.assert(
      fc.property(queued, ({ tenantId, batchId, part, acceptedAt, notes }) => {
        const lines = notes.map((note, index) => toLine(anEvent(`evt_${index}`, { note })));
        const message = { tenantId, part: { batchId, part, acceptedAt, lines } };
        expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: message });
      }),
    );
  });

  it("of yesterday's relay is read by today's", ({ expect }) => {
    expect(decodeMessage(YESTERDAY)).toEqual({
      ok: true,
      value: {
        tenantId: "ten_1",
        part: {
          batchId: "bat_1",
          part: 2,
          acceptedAt: 1_782_822_896_789,
          lines: YESTERDAY.split("\n").slice(1),
        },
      },
    });
  });

  it("carries its events untouched behind a header of one line", ({ expect }) => {
    const part = aPart("bat_1", 3);
    const [first, ...rest] = encodeMessage({ tenantId: "ten_1", part }).split("\n");
    expect(first).toBe(headerLine("ten_1", part));
    expect(rest).toEqual(part.lines);
  });

  it("may have a header with more than today's relay knows", ({ expect }) => {
    expect(decodeMessage(withHeader({ region: "eu" })).ok).toBe(true);
  });
});

describe("a message that cannot be read", () => {
  const unreadable: readonly (readonly [string, unknown, string])[] = [
    ["is not text", { v: 1 }, "not text"],
    ["is bytes", new Uint8Array([1]), "not text"],
    ["is nothing", undefined, "not text"],
    ["is empty", "", "no events"],
    ["has a header only", JSON.stringify(header), "no events"],
    ["has a header that is not JSON", `v1\n${line}`, "unreadable header"],
    ["has no header", `${line}\n${line}`, "unreadable header"],
    ["is of a newer version", withHeader({ v: 2 }), "unknown version or header"],
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
        ),
        (body) => {
          expect(decodeMessage(body)).toHaveProperty("ok");
        },
      ),
    );
  });
});
