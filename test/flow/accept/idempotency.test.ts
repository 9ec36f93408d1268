import fc from "fast-check";
import { describe, it } from "vitest";
import { randomBytes, utf8 } from "../../../src/base/bytes.ts";
import {
  type BatchInput,
  batchIdentity,
  eventIdsOf,
  idempotencyKeyOf,
  ownsBatchId,
} from "../../../src/flow/accept/idempotency.ts";

const NOW = Date.parse("2026-11-20T10:00:00Z");
const tagKey = utf8("a key of this relay, of any length");
const base: BatchInput = {
  tenantId: "ten_1",
  idempotencyKey: "order-7",
  bodyBytes: utf8('{"action":"a.b"}'),
  now: NOW,
  random: randomBytes,
  tagKey,
};
const UUID_V7 = /^evt_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ids = (over: Partial<BatchInput>) => {
  const identity = batchIdentity({ ...base, ...over });
  const eventId = eventIdsOf(identity.eventIds);
  return [identity.batchId, eventId(0, null), eventId(1, NOW)];
};

describe("with an idempotency key", () => {
  it("the same tenant, key and body give the same ids, on any day", ({ expect }) => {
    expect(ids({ now: NOW + 3e9, random: () => new Uint8Array(14) })).toEqual(ids({}));
  });

  it("ids stay what they were when this test was written", ({ expect }) => {
    // Computed apart from this code, from the definition.
    expect(ids({})).toEqual([
      "bat_18102315e88677aa786524d62e19ba1f",
      "evt_aeac9901-fc70-7000-8ba1-1ad3006edf99",
      "evt_01a1f866-0d00-7001-8ba1-1ad3006edf99",
    ]);
  });

  it("another tenant, key or body gives others", ({ expect }) => {
    const others = [
      {},
      { tenantId: "ten_2" },
      { idempotencyKey: "order-8" },
      { bodyBytes: utf8("{}") },
      { idempotencyKey: "order-", bodyBytes: utf8('7{"action":"a.b"}') },
    ];
    const seen = others.flatMap((over) => ids(over).map((id) => id.slice(0, 28) + id.slice(-12)));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("an event with a time of its own carries it in its id", ({ expect }) => {
    const id = eventIdsOf(batchIdentity(base).eventIds)(3, NOW);
    expect(Number.parseInt(id.slice(4).replace("-", "").slice(0, 12), 16)).toBe(NOW);
  });
});

describe("without a key", () => {
  it("ids are new each time", ({ expect }) => {
    const all = Array.from({ length: 200 }, () => ids({ idempotencyKey: null })).flat();
    expect(new Set(all).size).toBe(all.length);
  });

  it("ids sort by time of receipt and then by position", ({ expect }) => {
    const made = [NOW, NOW + 1, NOW + 70_000].flatMap((now) => {
      const eventId = eventIdsOf(batchIdentity({ ...base, idempotencyKey: null, now }).eventIds);
      return Array.from({ length: 1_000 }, (_, index) => eventId(index, null));
    });
    expect(made.toSorted()).toEqual(made);
    const batches = [NOW, NOW + 1, NOW + 70_000].map((now) => ids({ idempotencyKey: null, now })[0] ?? "");
    expect(batches.toSorted()).toEqual(batches);
  });
});

it("event ids are UUIDs of version 7 for any time and position", ({ expect }) => {
  const key = fc.option(fc.string(), { nil: null });
  fc.assert(
    fc.property(key, fc.nat(999), fc.integer({ min: -6e13, max: 2.6e14 }), (idempotencyKey, index, at) => {
      const eventId = eventIdsOf(batchIdentity({ ...base, idempotencyKey }).eventIds);
      expect(eventId(index, at)).toMatch(UUID_V7);
      expect(eventId(index, null)).toMatch(UUID_V7);
    }),
  );
});

describe("a batch id", () => {
  it("is known again by the tenant it was issued to, and by nobody else", ({ expect }) => {
    for (const idempotencyKey of ["k", null]) {
      const { batchId } = batchIdentity({ ...base, idempotencyKey });
      expect(batchId).toMatch(/^bat_[0-9a-f]{32}$/);
      expect(ownsBatchId("ten_1", batchId, tagKey)).toBe(true);
      expect(ownsBatchId("ten_2", batchId, tagKey)).toBe(false);
      expect(ownsBatchId("ten_1", batchId, utf8("another relay"))).toBe(false);
    }
  });

  it("that was made up or changed is not", ({ expect }) => {
    const { batchId } = batchIdentity(base);
    for (let at = 4; at < batchId.length; at++) {
      const other = batchId[at] === "0" ? "1" : "0";
      expect(ownsBatchId("ten_1", batchId.slice(0, at) + other + batchId.slice(at + 1), tagKey)).toBe(false);
    }
    for (const id of [
      "",
      "bat_",
      batchId.toUpperCase(),
      `${batchId}0`,
      `${batchId}\n`,
      batchId.slice(0, -1),
    ]) {
      expect(ownsBatchId("ten_1", id, tagKey)).toBe(false);
    }
  });
});

it("an Idempotency-Key is 1 to 255 printable ASCII characters", ({ expect }) => {
  const given = (value: string) => idempotencyKeyOf(new Headers({ "idempotency-key": value }));
  expect(idempotencyKeyOf(new Headers())).toEqual({ ok: true, value: null });
  expect(given("a b~!")).toEqual({ ok: true, value: "a b~!" });
  expect(given("x".repeat(255)).ok).toBe(true);
  for (const bad of ["", "x".repeat(256), "a\tb"]) {
    const refused = given(bad);
    expect(refused.ok || [refused.error.code, refused.error.errors?.[0]?.path]).toEqual([
      "invalid_input",
      "Idempotency-Key",
    ]);
  }
});
