import { describe, it } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { createLog, describeError, type LogLevel } from "../../src/observe/log.ts";

function logTo(least: LogLevel) {
  const lines: string[] = [];
  const log = createLog(least, { now: () => 0, write: (_level, line) => lines.push(line) });
  return { log, lines };
}

describe("the log", () => {
  it("writes one JSON line with time, level and what happened", ({ expect }) => {
    const { log, lines } = logTo("info");
    log("warn", "destination.lane_not_told", { destination_id: "siem_1", note: "two\nlines" });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("\n");
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      destination_id: "siem_1",
      note: "two\nlines",
      time: "1970-01-01T00:00:00.000Z",
      level: "warn",
      what: "destination.lane_not_told",
    });
  });

  it("writes nothing below its level, and nothing at all when silent", ({ expect }) => {
    const quiet = logTo("error");
    quiet.log("warn", "x", {});
    expect(quiet.lines).toEqual([]);
    const silent = logTo("silent");
    silent.log("error", "x", {});
    expect(silent.lines).toEqual([]);
  });

  it("never writes a secret, wrapped or forgotten", ({ expect }) => {
    const { log, lines } = logTo("debug");
    log("info", "x", {
      wrapped: new Secret("hunter2"),
      token: "hunter2",
      nested: { app_key: "hunter2", signing_secret: "hunter2", Authorization: "hunter2" },
    });
    expect(lines.join()).not.toContain("hunter2");
  });

  it("says so instead of throwing when a fact cannot be written", ({ expect }) => {
    const { log, lines } = logTo("info");
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    log("info", "x", cycle);
    log("info", "y", { big: 1n, error: new Error("broken") });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ what: "x", facts: "[unprintable]" });
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({ big: "1", error: expect.stringContaining("broken") });
  });

  it("describes even what refuses to be described", ({ expect }) => {
    const hostile = {
      toString: () => {
        throw new Error("no");
      },
    };
    expect(describeError(hostile)).toBe("[an error that cannot be printed]");
  });
});
