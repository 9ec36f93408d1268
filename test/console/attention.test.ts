import { describe, it } from "vitest";
import { attentionOf } from "../../src/console/app/pages/destination/attention.ts";
import type { Destination } from "../../src/console/app/types.ts";
import { TROUBLES } from "../../src/model/delivery.ts";

const NOW = Date.parse("2026-06-30T12:00:00.000Z");
const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();

function destination(part: Partial<Destination>): Destination {
  return {
    id: "siem_1",
    provider: "splunk",
    name: "SOC",
    endpoint: "https://siem.example.com",
    enabled: true,
    config: {},
    routes: [],
    allowed_operations: [],
    created_at: at(-600),
    updated_at: at(-600),
    status: "active",
    status_reason: null,
    backlog: { events: 0, bytes: 0, oldest_at: null },
    next_attempt_at: null,
    first_loss_at: null,
    last_delivered_at: at(-1),
    dead_letters: 0,
    ...part,
  };
}

const broken = (code: string, part: Partial<Destination> = {}): Destination =>
  destination({
    status: "degraded",
    status_reason: { code, message: "Invalid token", since: at(-5) },
    ...part,
  });

describe("what needs a person", () => {
  it("is nothing where all is well, or where somebody paused it", ({ expect }) => {
    expect(attentionOf([destination({}), destination({ status: "disabled", dead_letters: 3 })], NOW)).toEqual(
      [],
    );
  });

  it("has words and a fix for every reason that the relay gives", ({ expect }) => {
    for (const code of TROUBLES) {
      const [item] = attentionOf([broken(code)], NOW);
      const isTold = item !== undefined && item.what !== code && item.fix.endsWith(".");
      expect([code, isTold]).toEqual([code, true]);
    }
  });

  it("names refused credentials, and leads to where they are replaced", ({ expect }) => {
    expect(attentionOf([broken("credentials_rejected")], NOW)).toMatchObject([
      { what: "The credentials are refused", tab: "settings", tone: "bad" },
    ]);
  });

  it("tells the nearest loss first, then what is broken, then dead letters", ({ expect }) => {
    const all = [
      destination({ id: "dead", dead_letters: 2 }),
      broken("timeout", { id: "later", first_loss_at: at(500) }),
      broken("config_rejected", { id: "unknown" }),
      broken("unreachable", { id: "soon", first_loss_at: at(20) }),
    ];
    const order = attentionOf(all, NOW).map((item) => item.destination.id);
    expect(order).toEqual(["soon", "later", "unknown", "dead"]);
  });

  it("is told of one that is well and falls behind", ({ expect }) => {
    const behind = (minutes: number) =>
      attentionOf([destination({ backlog: { events: 9, bytes: 9, oldest_at: at(-minutes) } })], NOW);
    expect(behind(16)).toMatchObject([{ what: "It is 16 m behind", tab: "health" }]);
    expect(behind(14)).toEqual([]);
  });

  it("says nothing of what the lane did not tell", ({ expect }) => {
    expect(attentionOf([destination({ backlog: null, dead_letters: null, status: null })], NOW)).toEqual([]);
  });
});
