import { describe, it } from "vitest";
import {
  FIRST_SESSION,
  learn,
  type SessionState,
  sessionOf,
  ticketFor,
} from "../../../src/flow/acknowledge/session.ts";

const newChannel = () => "fresh";
const heard = (
  state: SessionState,
  ackId: number,
  more: { setCookie?: string; isTwin?: boolean; sentWith?: SessionState } = {},
) =>
  learn(state, {
    ticket: ticketFor(more.sentWith ?? state, newChannel),
    ackId,
    setCookie: more.setCookie ?? null,
    isTwin: more.isTwin ?? false,
  });

describe("the channel of a lane", () => {
  it("stays the same while ackIds only grow: one indexer counts", ({ expect }) => {
    const state = [0, 1, 2, 5].reduce((now, ackId) => heard(now, ackId), FIRST_SESSION);
    expect(state).toEqual({ mode: "one_channel", cookie: null, highest: 5 });
    expect(ticketFor(state, newChannel).channel).toBeNull();
  });

  it("is not given up because answers to requests under way at once come in another order", ({ expect }) => {
    const early = heard(FIRST_SESSION, 1, { sentWith: FIRST_SESSION });
    expect(heard(early, 0, { sentWith: FIRST_SESSION }).mode).toBe("one_channel");
  });

  it("is a fresh one for each request once an ackId repeats without a cookie: several indexers count", ({
    expect,
  }) => {
    const state = heard(heard(FIRST_SESSION, 0), 0);
    expect(state.mode).toBe("fresh_channels");
    expect(ticketFor(state, newChannel).channel).toBe("fresh");
  });

  it("is a fresh one once an ackId runs backwards without a cookie", ({ expect }) => {
    expect(heard(heard(FIRST_SESSION, 7), 3).mode).toBe("fresh_channels");
  });

  it("is a fresh one once two requests wait for the same ackId, even if both were sent before either answer", ({
    expect,
  }) => {
    const first = heard(FIRST_SESSION, 0, { sentWith: FIRST_SESSION });
    expect(heard(first, 0, { sentWith: FIRST_SESSION, isTwin: true }).mode).toBe("fresh_channels");
  });

  it("stays the same where the balancer gives a cookie, which then goes with every request", ({ expect }) => {
    const state = heard(heard(FIRST_SESSION, 0, { setCookie: "node=a" }), 1);
    expect(state).toEqual({ mode: "one_channel", cookie: "node=a", highest: 1 });
    expect(ticketFor(state, newChannel)).toMatchObject({ channel: null, cookie: "node=a" });
  });

  it("counts anew after a changed cookie, because another indexer counts then", ({ expect }) => {
    const moved = heard(heard(heard(FIRST_SESSION, 0, { setCookie: "node=a" }), 9), 0, {
      setCookie: "node=b",
    });
    expect(moved).toEqual({ mode: "one_channel", cookie: "node=b", highest: 0 });
  });
});

describe("where a request is asked about", () => {
  it("is its own channel, and the cookie that its answer set rather than the one it was sent with", ({
    expect,
  }) => {
    const ticket = { channel: "c", cookie: "node=a", heard: 3 };
    expect(sessionOf(ticket, null)).toEqual({ channel: "c", cookie: "node=a" });
    expect(sessionOf(ticket, "node=b")).toEqual({ channel: "c", cookie: "node=b" });
  });
});
