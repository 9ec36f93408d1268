import fc from "fast-check";
import { describe, it } from "vitest";
import { minutes } from "../../../src/base/clock.ts";
import { type Pending, PendingAcks, pollDelay } from "../../../src/flow/acknowledge/pending.ts";
import { pollDue } from "../../../src/flow/acknowledge/poll.ts";
import type { HttpAnswer, HttpRequestSpec } from "../../../src/model/http.ts";
import type { AckAnswer, Acknowledgement, Session } from "../../../src/model/provider.ts";
import { inStorage } from "../../support/storage.ts";

const SILENT: HttpAnswer = { kind: "failure", reason: "reset", message: "", maybeTaken: true, latency: 0 };
const ONE: Session = { channel: null, cookie: null };

/** A ledger of pending requests, a provider that answers by `answer`, and what came of it. */
function world(
  storage: DurableObjectStorage,
  answer: (ids: readonly number[], session: Session) => AckAnswer,
) {
  const pending = new PendingAcks(storage.sql);
  const state = {
    now: 0,
    asked: [] as [Session, readonly number[]][],
    indexed: [] as number[],
    accepted: [] as number[],
    lost: [] as number[],
  };
  const settle = (requests: readonly Pending[], into: number[]): void => {
    for (const request of requests) {
      pending.remove(request);
      into.push(request.deliveryId);
    }
  };
  const rules: Acknowledgement = {
    timeout: minutes(5),
    query: (session, ids): HttpRequestSpec => {
      state.asked.push([session, ids]);
      return { method: "POST", url: "https://siem.example/ack", headers: {}, body: JSON.stringify(ids) };
    },
    read: (_, ids) => answer(ids, state.asked.at(-1)?.[0] ?? ONE),
    cookieOf: () => null,
  };
  const poll = (): Promise<void> =>
    pollDue(rules, {
      now: () => state.now,
      send: async () => SILENT,
      pending,
      told: (session, ackId) => settle(pending.tell(session, ackId), state.indexed),
      confirmed: (requests) => settle(requests, state.accepted),
      lost: (requests) => settle(requests, state.lost),
    });
  const add = (ackId: number, deliveryId: number, session = ONE): number =>
    pending.add({ session, ackId, deliveryId, sentAt: state.now });
  return { pending, state, poll, add };
}

describe("asking for acknowledgements", () => {
  it("begins a second after sending and backs off to ten seconds", ({ expect }) => {
    expect([0, 1, 2, 3, 4, 9].map(pollDelay)).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it("asks nobody before it is time", async ({ expect }) => {
    await inStorage(async (storage) => {
      const { state, poll, add } = world(storage, () => null);
      add(0, 1);
      state.now = 999;
      await poll();
      expect(state.asked).toEqual([]);
    });
  });

  it("asks about each id with the channel and the cookie that it was sent with", async ({ expect }) => {
    await inStorage(async (storage) => {
      const { state, poll, add } = world(storage, () => null);
      const sessions = [ONE, { channel: "c1", cookie: null }, { channel: null, cookie: "node=a" }];
      for (const [n, session] of sessions.entries()) add(5, n, session);
      state.now = 1_000;
      await poll();
      expect(state.asked).toEqual(sessions.map((session) => [session, [5]]));
    });
  });

  it("changes nothing when the answer says nothing, and sends again only after five minutes", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const { pending, state, poll, add } = world(storage, () => null);
      add(0, 1);
      for (state.now = 1_000; state.now < minutes(5); state.now += 10_000) await poll();
      expect([pending.count, state.indexed, state.lost]).toEqual([1, [], []]);
      state.now = minutes(5);
      await poll();
      expect([pending.count, state.lost]).toEqual([0, [1]]);
    });
  });

  it("never takes one indexer's yes for another's equal ackId: as many as there are requests confirm them", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const { state, poll, add } = world(storage, (ids) => ({ kind: "answers", indexed: ids }));
      add(0, 1);
      add(0, 2);
      state.now = 1_000;
      await poll();
      expect(state.indexed).toEqual([]);
      expect(state.asked.at(-1)?.[1]).toEqual([0]);
      state.now = 4_000;
      await poll();
      expect(state.indexed).toEqual([1, 2]);
    });
  });

  it("never takes the yes of the machine that a session was moved to for one of the machine before", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const [before, after] = [
        { channel: null, cookie: "node=a" },
        { channel: null, cookie: "node=b" },
      ];
      // Node a is gone: the balancer leads its cookie to node b, which says its one yes to whoever asks first.
      let isTold = false;
      const { state, poll, add } = world(storage, (ids) => {
        const indexed = isTold ? [] : ids;
        isTold = true;
        return { kind: "answers", indexed };
      });
      add(0, 1, before);
      add(0, 2, after);
      for (state.now = 1_000; state.now <= minutes(6); state.now += 5_000) await poll();
      expect([state.indexed, [...state.lost].sort()]).toEqual([[], [1, 2]]);
    });
  });

  it("loses all requests with an equal ackId together, since the one yes could have been any of theirs", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const { state, poll, add } = world(storage, () => null);
      add(0, 1);
      state.now = 60_000;
      add(0, 2);
      state.now = minutes(5);
      await poll();
      expect([...state.lost].sort()).toEqual([1, 2]);
    });
  });

  it("counts as delivered what was accepted when acknowledgement was switched off meanwhile", async ({
    expect,
  }) => {
    await inStorage(async (storage) => {
      const { state, poll, add } = world(storage, () => ({ kind: "off" }));
      add(0, 1);
      add(1, 2);
      state.now = 1_000;
      await poll();
      expect([state.accepted, state.indexed]).toEqual([[1, 2], []]);
    });
  });

  it("remembers what is pending through a restart", async ({ expect }) => {
    await inStorage(async (storage) => {
      world(storage, () => null).add(3, 9);
      const again = new PendingAcks(storage.sql);
      expect(again.count).toBe(1);
      expect(again.wakeAt(minutes(5))).toBe(1_000);
      expect(again.all()).toMatchObject([{ ackId: 3, deliveryId: 9 }]);
    });
  });

  it("confirms or loses every request exactly once, whatever is answered and in whatever order", async ({
    expect,
  }) => {
    const request = fc.record({ ackId: fc.nat(4), channel: fc.constantFrom(null, "a", "b") });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { maxLength: 12 }),
        fc.array(fc.nat(255), { maxLength: 30 }),
        (requests, masks) =>
          inStorage(async (storage) => {
            storage.sql.exec("DELETE FROM pending_acks");
            const left = [...masks];
            const { pending, state, poll, add } = world(storage, (ids) => {
              const mask = left.shift();
              return mask === undefined || mask % 5 === 0
                ? null
                : { kind: "answers", indexed: ids.filter((id) => mask & (1 << id)) };
            });
            for (const [n, { ackId, channel }] of requests.entries())
              add(ackId, n, { channel, cookie: null });
            for (state.now = 1_000; state.now <= minutes(6); state.now += 5_000) await poll();
            expect(pending.count).toBe(0);
            expect([...state.indexed, ...state.lost].sort()).toEqual(requests.map((_, n) => n).sort());
          }),
      ),
      { numRuns: 40 },
    );
  });
});
