import { describe, it } from "vitest";
import { checkReadiness, type HealthDeps } from "../../src/observe/health.ts";

function deps(checks: HealthDeps["checks"]) {
  const complaints: string[] = [];
  const health: HealthDeps = {
    now: () => 0,
    checks,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 20)),
    complain: (check, error) => complaints.push(`${check}: ${String(error)}`),
  };
  return { health, complaints };
}

describe("readiness", () => {
  it("is given when every part answers", async ({ expect }) => {
    const { health } = deps({ database: async () => 1, queue: async () => 2 });
    const { ready, checks } = await checkReadiness(health);
    expect(ready).toBe(true);
    expect(checks.map(({ name }) => name)).toEqual(["database", "queue"]);
  });

  it("is not given when a part fails, throws at once or stays silent; the reason goes to the log alone", async ({
    expect,
  }) => {
    const { health, complaints } = deps({
      good: async () => 1,
      failing: () => Promise.reject(new Error("password hunter2")),
      throwing: () => {
        throw new Error("at once");
      },
      silent: () => new Promise(() => undefined),
    });
    const result = await checkReadiness(health);
    expect(result.ready).toBe(false);
    expect(result.checks.map(({ ok }) => ok)).toEqual([true, false, false, false]);
    expect(JSON.stringify(result)).not.toContain("hunter2");
    expect(complaints).toHaveLength(3);
  });
});
