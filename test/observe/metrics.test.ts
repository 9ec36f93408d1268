import { describe, it } from "vitest";
import { MAX_LANES_ASKED, type MetricsDeps, scrape } from "../../src/observe/metrics.ts";
import { RESTING } from "../support/fake-lane.ts";

const named = (n: number) => ({
  id: `siem_${n}`,
  tenantId: "ten_a",
  provider: "splunk",
  enabled: n % 2 === 0,
  config: {},
  mostShards: 1,
  at: n,
});

function deps(count: number, about: Partial<MetricsDeps> = {}): MetricsDeps {
  const all = Array.from({ length: count }, (_, n) => named(n));
  return {
    now: () => 10_000,
    sleep: (duration) => new Promise((resolve) => setTimeout(resolve, duration / 100)),
    async destinations({ limit, cursor }) {
      const start = cursor === null ? 0 : cursor.at + 1;
      const items = all.slice(start, start + limit);
      const last = items.at(-1);
      return {
        items,
        next: start + limit < count && last !== undefined ? { at: last.at, id: last.id } : null,
      };
    },
    report: async () => RESTING,
    stranded: async () => 3,
    untold: async () => 4,
    toRewrap: async () => 2,
    ...about,
  };
}

describe("a scrape", () => {
  it("tells each lane's backlog, counts and status, and what is stranded", async ({ expect }) => {
    const text = await scrape(
      deps(2, {
        report: async () => ({
          ...RESTING,
          status: "degraded",
          backlog: { events: 7, bytes: 700, oldestAt: 4_000 },
          deadLetters: 2,
          totals: { ...RESTING.totals, delivered: 11, parked: 2 },
        }),
      }),
    );
    const labels = '{tenant="ten_a",destination="siem_0",provider="splunk"';
    expect(text).toContain(`sluice_backlog_events${labels}} 7\n`);
    expect(text).toContain(`sluice_backlog_oldest_age_seconds${labels}} 6\n`);
    expect(text).toContain(`sluice_events_delivered_total${labels}} 11\n`);
    expect(text).toContain(`sluice_dead_letters${labels}} 2\n`);
    expect(text).toContain(`sluice_destination_status${labels},status="degraded"} 1\n`);
    expect(text).toContain('destination="siem_1",provider="splunk",status="disabled"} 1\n');
    expect(text).toContain("sluice_stranded_messages 3\n");
    expect(text).toContain("sluice_lanes_silent 0\n");
  });

  it("counts a broken or slow lane as silent and still tells the others", async ({ expect }) => {
    const text = await scrape(
      deps(3, {
        report: ({ id }) =>
          id === "siem_0"
            ? Promise.reject(new Error("down"))
            : id === "siem_1"
              ? new Promise(() => undefined)
              : Promise.resolve(RESTING),
      }),
    );
    expect(text).toContain("sluice_lanes_silent 2\n");
    expect(text).toContain('sluice_backlog_events{tenant="ten_a",destination="siem_2"');
    expect(text).not.toContain('destination="siem_1"');
  });

  it("asks a bounded number of lanes and says when it left some out", async ({ expect }) => {
    let asked = 0;
    const text = await scrape(
      deps(MAX_LANES_ASKED + 50, {
        report: async () => {
          asked += 1;
          return RESTING;
        },
      }),
    );
    expect(asked).toBe(MAX_LANES_ASKED);
    expect(text).toContain("sluice_lanes_left_out 1\n");
  });
});
