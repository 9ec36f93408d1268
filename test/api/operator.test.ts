import { describe, it } from "vitest";
import { ADMIN_TOKEN, FakeApi } from "../support/fake-api.ts";

describe("the operator's addresses", () => {
  it("say that the Worker runs without touching anything", async ({ expect }) => {
    const forbidden = () => Promise.reject(new Error("touched"));
    const api = new FakeApi({ authenticate: forbidden, readiness: forbidden, metrics: forbidden });
    const { status, body } = await api.json("GET", "/healthz");
    expect([status, body]).toEqual([200, { status: "ok" }]);
  });

  it("say which part is not ready, and not why", async ({ expect }) => {
    const checks = [
      { name: "database", ok: true, latencyMs: 2 },
      { name: "lanes", ok: false, latencyMs: 3_000 },
    ];
    const ready = new FakeApi({ readiness: async () => ({ ready: true, checks: checks.slice(0, 1) }) });
    expect((await ready.json("GET", "/readyz")).body).toEqual({
      status: "ready",
      checks: [{ name: "database", ok: true, latency_ms: 2 }],
    });
    const { status, headers, body } = await new FakeApi({
      readiness: async () => ({ ready: false, checks }),
    }).json("GET", "/readyz");
    expect([status, headers.get("content-type"), headers.get("retry-after")]).toEqual([
      503,
      "application/problem+json",
      "5",
    ]);
    expect(body).toMatchObject({ code: "unavailable", detail: "Not reachable: lanes." });
  });

  it("give metrics to the operator, in the text format", async ({ expect }) => {
    const api = new FakeApi();
    const answer = await api.fetch("GET", "/metrics", {
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await answer.text()).toContain("sluice_stranded_messages 0\n");
  });
});
