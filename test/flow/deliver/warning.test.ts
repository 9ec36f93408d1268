import { describe, it } from "vitest";
import { hours } from "../../../src/base/clock.ts";
import { type BacklogFacts, backlogWarning } from "../../../src/flow/deliver/warning.ts";

const facts = (more: Partial<BacklogFacts> = {}): BacklogFacts => ({
  now: hours(100),
  oldestAt: hours(100),
  windowMs: hours(24),
  oldestEventAt: more.oldestAt ?? hours(100),
  maxAgeMs: null,
  bytes: 0,
  maxBytes: 1_000,
  ...more,
});

describe("the warning about a backlog", () => {
  it("comes at 50, 80 and 95 percent of the day's window", ({ expect }) => {
    const levels = [11.9, 12, 19.1, 19.2, 22.7, 22.8].map(
      (age) => backlogWarning(facts({ oldestAt: hours(100 - age) })).level,
    );
    expect(levels).toEqual([0, 50, 50, 80, 80, 95]);
  });

  it("names the provider's age where that comes first", ({ expect }) => {
    const late = facts({ oldestAt: hours(91), oldestEventAt: hours(91), maxAgeMs: hours(18) });
    expect(backlogWarning(late)).toEqual({ limit: "provider_age", level: 50 });
  });

  it("is not raised by an event that was old already when it arrived", ({ expect }) => {
    const fresh = facts({ oldestAt: hours(100), oldestEventAt: hours(83), maxAgeMs: hours(18) });
    expect(backlogWarning(fresh).level).toBe(0);
  });

  it("names the outbox where it fills up", ({ expect }) => {
    expect(backlogWarning(facts({ bytes: 960 }))).toEqual({ limit: "outbox", level: 95 });
  });

  it("is none while there is nothing to warn about", ({ expect }) => {
    expect(backlogWarning(facts()).level).toBe(0);
  });
});
