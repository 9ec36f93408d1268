import fc from "fast-check";
import { describe, it } from "vitest";
import { hours, minutes, seconds } from "../../../src/base/clock.ts";
import { PROBE_EVENTS } from "../../../src/flow/deliver/health.ts";
import type { Outcome } from "../../../src/model/delivery.ts";
import { parkOlder } from "../../../src/providers/shared/age.ts";
import { delivered, type Script, TestLane, unavailable, words } from "../../support/lane.ts";
import { anEvent, aPart, aPartOf } from "../../support/lines.ts";
import { inStorage } from "../../support/storage.ts";

const refusal = { httpStatus: 400, code: 6, message: "Invalid data format" };
const ids = (batch: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${batch}-${n}`);

describe("delivering", () => {
  it("fills requests to the provider's best size and keeps the order", async ({ expect }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage);
      lane.take(aPart("a", 2_500));
      await lane.run();
      expect(lane.requests.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
      expect(lane.arrived).toEqual(ids("a", 2_500));
      expect(lane.ledger.totals).toMatchObject({ delivered: 2_500, attempts: 3 });
    });
  });

  it("joins many small hand-overs into one request", async ({ expect }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage);
      for (const batch of ids("b", 40)) lane.take(aPart(batch, 1));
      await lane.run();
      expect(lane.requests).toHaveLength(1);
    });
  });

  it("tries a destination that fails with one small request, and floods it only after it has recovered", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      let left = 3;
      const lane = new TestLane(storage, () => (left-- > 0 ? unavailable : delivered));
      for (const batch of ids("b", 100)) lane.take(aPart(batch, 10));
      await lane.run();
      const sizes = lane.requests.map(({ length }) => length);
      expect(sizes.slice(1, 4).every((size) => size <= PROBE_EVENTS)).toBe(true);
      expect(new Set(lane.arrived).size).toBe(1_000);
      expect(lane.health.changes.map(({ status }) => status)).toEqual(["degraded", "active"]);
    });
  });

  it("waits as long as the destination asks, and no longer than a quarter of an hour", async ({ expect }) => {
    await inStorage(async (storage) => {
      const hints = [seconds(90), minutes(600)];
      const lane = new TestLane(storage, () => {
        const retryAfter = hints.shift();
        return retryAfter === undefined ? delivered : { ...unavailable, retryAfter };
      });
      lane.take(aPart("a", 1));
      const startedAt = lane.now;
      await lane.run();
      expect(lane.now - startedAt).toBe(seconds(90) + minutes(15));
    });
  });

  it("keeps everything while the settings are wrong, and parks nothing", async ({ expect }) => {
    await inStorage(async (storage) => {
      const hold: Outcome = {
        kind: "hold",
        words: { httpStatus: 403, code: 4, message: "Invalid token" },
        trouble: "credentials_rejected",
        committed: 0,
        offender: null,
      };
      const lane = new TestLane(storage, () => hold);
      lane.take(aPart("a", 500));
      await lane.run({ until: lane.now + minutes(120) });
      expect(lane.outbox.events).toBe(500);
      expect(lane.deadLetters.count).toBe(0);
      expect(lane.health).toMatchObject({ status: "degraded", reason: { code: "credentials_rejected" } });
    });
  });

  it("does not send again what was taken before a wrong index was met", async ({ expect }) => {
    await inStorage(async (storage) => {
      let mended = false;
      const lane = new TestLane(storage, () =>
        mended
          ? delivered
          : {
              kind: "hold",
              words: { httpStatus: 400, code: 7, message: "Incorrect index" },
              trouble: "config_rejected",
              committed: 4,
              offender: 4,
            },
      );
      lane.take(aPart("a", 10));
      lane.drain.pump();
      await lane.drain.idle();
      expect(lane.outbox.events).toBe(6);
      mended = true;
      await lane.run();
      expect(lane.arrived).toEqual(ids("a", 10));
    });
  });

  it("sets the one poison event aside with the provider's words, sends no neighbour twice, and goes on", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage, (sent) => {
        const offender = sent.indexOf("a-617");
        return offender < 0 ? delivered : { kind: "isolate", words: refusal, committed: offender, offender };
      });
      lane.take(aPart("a", 1_000));
      await lane.run();
      expect(lane.arrived).toEqual(ids("a", 1_000).filter((id) => id !== "a-617"));
      expect(lane.deadLetters.page(null, 10).items).toMatchObject([
        {
          eventId: "a-617",
          batchId: "a",
          reason: "refused",
          message: "Invalid data format",
          providerCode: "6",
        },
      ]);
      expect(lane.requests).toHaveLength(2);
      expect(lane.health.status).toBe("active");
    });
  });

  it("finds any set of poison events by halving when the provider names none", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: 299 }), { maxLength: 12 }), (numbers) =>
        inStorage(async (storage) => {
          const poison = new Set(numbers.map((number) => `a-${number}`));
          const lane = new TestLane(storage, (sent) =>
            sent.some((id) => poison.has(id))
              ? { kind: "isolate", words: refusal, committed: 0, offender: null }
              : delivered,
          );
          lane.take(aPart("a", 300), aPart("later", 20));
          await lane.run();
          const parked = lane.deadLetters.page(null, 100).items.map(({ eventId }) => eventId);
          expect(new Set(parked)).toEqual(poison);
          expect(parked).toHaveLength(poison.size);
          const healthy = [...ids("a", 300).filter((id) => !poison.has(id)), ...ids("later", 20)];
          expect([...lane.arrived].sort()).toEqual(healthy.sort());
          expect(lane.requests.length).toBeLessThanOrEqual(2 + poison.size * 2 * 10);
        }),
      ),
      { numRuns: 15 },
    );
  });

  it("sends smaller requests once it was told that one was too large", async ({ expect }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage, (sent) =>
        sent.length > 300 ? { kind: "split", words: refusal } : delivered,
      );
      lane.take(aPart("a", 3_000));
      await lane.run();
      expect([...lane.arrived].sort()).toEqual(ids("a", 3_000).sort());
      expect(new Set(lane.arrived).size).toBe(lane.arrived.length);
      expect(lane.requests.filter(({ length }) => length > 300).length).toBeLessThanOrEqual(9);
    });
  });

  it("parks a single event that is too large by itself", async ({ expect }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage, (sent) =>
        sent.includes("a-3") ? { kind: "split", words: refusal } : delivered,
      );
      lane.take(aPart("a", 10));
      await lane.run();
      expect(lane.deadLetters.page(null, 10).items).toMatchObject([{ eventId: "a-3", reason: "too_large" }]);
      expect(lane.arrived).toHaveLength(9);
    });
  });

  it("parks what the relay itself got wrong instead of trying it for ever", async ({ expect }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage, () => ({ kind: "fault", words: { ...words, message: "No data" } }));
      lane.take(aPart("a", 3));
      await lane.run();
      expect(lane.deadLetters.count).toBe(3);
    });
  });

  it("counts what may be there twice when an answer never came", async ({ expect }) => {
    await inStorage(async (storage) => {
      const outcomes: Outcome[] = [{ ...unavailable, trouble: "timeout", maybeTaken: true }];
      const lane = new TestLane(storage, () => outcomes.shift() ?? delivered);
      lane.take(aPart("a", 7));
      await lane.run();
      expect(lane.ledger.totals).toMatchObject({ possibleDuplicates: 7, retried: 7, delivered: 7 });
    });
  });

  it("delivers nothing while it is switched off, and everything that waited afterwards", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage);
      lane.enabled = false;
      lane.take(aPart("a", 5));
      lane.drain.pump();
      expect(lane.requests).toHaveLength(0);
      lane.enabled = true;
      await lane.run();
      expect(lane.arrived).toEqual(ids("a", 5));
    });
  });
});

describe("providers with rules of their own", () => {
  it("an event that the provider would throw away is parked beforehand, and never sent", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage);
      lane.provider = {
        select: (events) => ({
          send: events.flatMap(({ id }, index) => (id.endsWith("7") ? [] : [index])),
          park: events.flatMap(({ id }, index) => (id.endsWith("7") ? [{ index, message: "too old" }] : [])),
        }),
      };
      lane.take(aPart("a", 300));
      await lane.run();
      expect(lane.requests.flat().some((id) => id.endsWith("7"))).toBe(false);
      expect(lane.deadLetters.count).toBe(30);
      expect(lane.deadLetters.page(null, 1).items).toMatchObject([
        { reason: "outside_window", message: "too old" },
      ]);
      expect(lane.arrived).toHaveLength(270);
    });
  });

  it("after an outage what is soon too old for the provider goes before what came earlier, and none of it is lost", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const back = hours(200);
      const perRequest = minutes(5);
      const lane = new TestLane(storage, (_, now) => {
        if (now < back) return unavailable;
        lane.now += perRequest;
        return delivered;
      });
      const maxAge = hours(18);
      lane.provider = {
        maxAge,
        select: (events, now) =>
          parkOlder(events, { now, than: maxAge, why: ({ id }) => `${id} is too old` }),
        limits: { events: 100, bytes: 1_000_000 },
      };
      const part = (batchId: string, { accepted, happened }: { accepted: number; happened: number }) => {
        const events = ids(batchId, 100).map((id) => ({ ...anEvent(id), at: happened }));
        return aPartOf(batchId, events, { acceptedAt: accepted });
      };
      lane.now = back - hours(2);
      for (let n = 0; n < 24; n += 1)
        lane.take(part(`prompt${n}`, { accepted: lane.now, happened: lane.now }));
      // A producer that was cut off hands over what happened long ago, behind everybody else.
      lane.take(part("late", { accepted: back - hours(1), happened: back - hours(17) }));
      await lane.run();
      expect(lane.deadLetters.count).toBe(0);
      expect(lane.arrived).toHaveLength(2_500);
      const first = lane.arrived.findIndex((id) => id.startsWith("late"));
      expect(first).toBeLessThan(lane.arrived.indexOf("prompt0-0"));
    });
  });

  it("events are sent in the provider's order and only as many as it allows together, and each answer meets its own event", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage, (sent) => {
        const offender = sent.indexOf("a-13");
        return offender < 0 ? delivered : { kind: "isolate", words: refusal, committed: offender, offender };
      });
      // Backwards, and at most seven at a time.
      lane.provider = {
        select: (events) => ({
          send: events.map((_, index) => events.length - 1 - index).slice(0, 7),
          park: [],
        }),
      };
      lane.take(aPart("a", 40));
      await lane.run();
      expect(lane.requests.every(({ length }) => length <= 7)).toBe(true);
      expect(lane.requests[0]).toEqual(["a-39", "a-38", "a-37", "a-36", "a-35", "a-34", "a-33"]);
      expect([...lane.arrived].sort()).toEqual(
        ids("a", 40)
          .filter((id) => id !== "a-13")
          .sort(),
      );
      expect(lane.deadLetters.page(null, 5).items.map(({ eventId }) => eventId)).toEqual(["a-13"]);
    });
  });

  it("events that the provider took one by one are not sent again with those it did not", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage, (sent) => {
        const indexes = sent.map((_, index) => index);
        const refused = indexes.filter((index) => sent[index] === "a-5");
        const taken = indexes.filter((index) => index % 2 === 0 && sent[index] !== "a-5");
        const items = refused.map((index) => ({ index, code: 400, message: "no" }));
        return { kind: "partial", words, delivered: taken, refused: items, trouble: null, retryAfter: null };
      });
      lane.take(aPart("a", 100));
      await lane.run();
      expect([...lane.arrived].sort()).toEqual(
        ids("a", 100)
          .filter((id) => id !== "a-5")
          .sort(),
      );
      expect(new Set(lane.arrived).size).toBe(lane.arrived.length);
    });
  });

  it("what the provider misses is made once, and the same events are sent again", async ({ expect }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage);
      const made: string[] = [];
      lane.provider = {
        repair: {
          requests: (_, round) => {
            if (made.length > 0) return [];
            made.push(`stream in round ${round}`);
            return [{ method: "POST", url: "https://siem.example/stream", headers: {}, body: "" }];
          },
          isMended: () => true,
        },
      };
      lane.take(aPart("a", 10));
      await lane.run();
      expect(made).toEqual(["stream in round 0"]);
      expect(lane.requests).toEqual([ids("a", 10), ids("a", 10)]);
      expect(lane.arrived).toEqual(ids("a", 10));
    });
  });

  it("a delivery that must stay the same is neither joined nor cut on a retry", async ({ expect }) => {
    await inStorage(async (storage) => {
      let failures = 3;
      const lane = new TestLane(storage, () => (failures-- > 0 ? unavailable : delivered));
      lane.provider = { joins: false };
      lane.take(aPart("a", 100));
      lane.take(aPart("b", 100));
      await lane.run();
      const seen = new Set(lane.requests.map((request) => request.join(" ")));
      expect(seen).toEqual(new Set([ids("a", 100).join(" "), ids("b", 100).join(" ")]));
    });
  });

  it("a provider that takes one event a request gets one event a request", async ({ expect }) => {
    await inStorage(async (storage) => {
      const lane = new TestLane(storage);
      lane.provider = { joins: false, limits: { events: 1, bytes: 1_000_000 } };
      lane.take(aPart("a", 30));
      await lane.run();
      expect(lane.requests.map(({ length }) => length)).toEqual(Array.from({ length: 30 }, () => 1));
      expect(lane.arrived).toEqual(ids("a", 30));
    });
  });
});

describe("whatever a provider answers", () => {
  /** Answers at random for a while, then recovers. */
  function moody(moods: readonly number[]): Script {
    const left = [...moods];
    return (sent) => {
      const mood = left.shift();
      if (mood === undefined) return delivered;
      const at = mood % Math.max(1, sent.length);
      const kinds: readonly Outcome[] = [
        delivered,
        { ...delivered, slowDown: true },
        unavailable,
        { ...unavailable, maybeTaken: true, trouble: "timeout" },
        { kind: "hold", words, trouble: "config_rejected", committed: at, offender: at },
        { kind: "isolate", words: refusal, committed: at, offender: at },
        { kind: "isolate", words: refusal, committed: 0, offender: null },
        { kind: "split", words: refusal },
        { kind: "fault", words: refusal },
      ];
      return kinds[mood % kinds.length] ?? delivered;
    };
  }

  it("every event arrives or is a dead letter, none is both, and the counts agree, through restarts as well", async ({
    expect,
  }) => {
    const batches = fc.array(fc.integer({ min: 1, max: 320 }), { minLength: 1, maxLength: 6 });
    const moods = fc.array(fc.nat(10_000), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(batches, moods, fc.nat(6), (sizes, answers, restartAfter) =>
        inStorage(async (storage) => {
          let lane = new TestLane(storage, moody(answers));
          lane.take(...sizes.map((size, index) => aPart(`b${index}`, size)));
          for (let step = 0; step < restartAfter; step += 1) {
            lane.drain.pump();
            await lane.drain.idle();
            lane.now = Math.max(lane.now, lane.health.retryAt ?? 0);
          }
          lane = lane.restarted();
          await lane.run();
          const issued = sizes.flatMap((size, index) => ids(`b${index}`, size));
          const parked = lane.deadLetters.page(null, 10_000).items.map(({ eventId }) => eventId);
          expect([...lane.arrived, ...parked].sort()).toEqual(issued.sort());
          expect(lane.ledger.totals).toMatchObject({ delivered: lane.arrived.length, parked: parked.length });
          expect([lane.outbox.events, lane.outbox.bytes]).toEqual([0, 0]);
          expect(lane.complaints).toEqual([]);
        }),
      ),
      { numRuns: 40 },
    );
  });

  it("a crash between the provider's answer and its recording repeats events and loses none", async ({
    expect,
  }) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 900 }),
        fc.nat(4),
        fc.array(fc.nat(10_000)),
        (size, survive, answers) =>
          inStorage(async (storage) => {
            const before = new TestLane(storage, moody(answers));
            before.take(aPart("a", size));
            before.crashAfter(survive);
            before.drain.pump();
            await before.crashed;
            const lane = before.restarted();
            await lane.run();
            const parked = lane.deadLetters.page(null, 10_000).items.map(({ eventId }) => eventId);
            expect(new Set([...lane.arrived, ...parked])).toEqual(new Set(ids("a", size)));
          }),
      ),
      { numRuns: 40 },
    );
  });

  it("a crash at any of the moments at which the lane waits loses nothing, and repeats only what nobody had noted", async ({
    expect,
  }) => {
    const answers = [3, 5, 12, 6, 4, 0, 7, 2, 1, 22, 8, 0];
    const through = async (crash: (lane: TestLane) => void): Promise<{ requests: number; left: string[] }> =>
      inStorage(async (storage) => {
        const before = new TestLane(storage, moody(answers));
        before.take(aPart("a", 120), aPart("b", 90));
        crash(before);
        for (let step = 0; step < 200; step += 1) {
          before.drain.pump();
          await before.crashed;
          before.now = Math.max(before.now + 1, before.health.retryAt ?? 0);
        }
        const lane = before.restarted();
        lane.script = () => delivered;
        await lane.run();
        const parked = lane.deadLetters.page(null, 10_000).items.map(({ eventId }) => eventId);
        const known = new Set([...lane.arrived, ...parked]);
        const { delivered: counted, parked: aside } = lane.ledger.totals;
        expect(counted + aside).toBe(210);
        return {
          requests: before.requests.length,
          left: [...ids("a", 120), ...ids("b", 90)].filter((id) => !known.has(id)),
        };
      });
    const { requests } = await through(() => undefined);
    expect(requests).toBeGreaterThan(8);
    for (let moment = 0; moment <= requests; moment += 1) {
      expect((await through((lane) => lane.crashAfter(moment))).left).toEqual([]);
      expect((await through((lane) => lane.crashBeforeSending(moment))).left).toEqual([]);
    }
  });
});
