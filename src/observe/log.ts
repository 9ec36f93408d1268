import { type Clock, isoTime, systemClock } from "../base/clock.ts";

/*
 * What the operator sees: logs, metrics, health. This folder promises one line per unit of work, names and
 * units from a closed catalogue, and that watching never changes what is watched. It keeps nothing.
 */

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One line: what happened, like `destination.updated`, and plain facts about it in snake_case. */
export type Log = (
  level: Exclude<LogLevel, "silent">,
  what: string,
  facts: Readonly<Record<string, unknown>>,
) => void;

/** Longest text of one fact; a stack or a vendor's page must not push the rest out of the line. */
const MAX_FACT_CHARACTERS = 2_000;

/**
 * Facts with these names are never written, whatever they hold. Secrets are wrapped and print as
 * `[redacted]` anyway; this is for the one that somebody forgot to wrap.
 */
const NEVER_LOGGED =
  /(?:^|_)(?:token|secret|secrets|password|authorization|api_key|app_key|private_key|cookie|body)$/i;

export interface LogDeps {
  readonly now: Clock;
  /** Takes one line without its end. */
  write(level: Exclude<LogLevel, "silent">, line: string): void;
}

const toConsole: LogDeps = {
  now: systemClock,
  write: (level, line) => console[level](line),
};

/** A log that writes lines of at least that level. It never throws: a fact that cannot be written says so. */
export function createLog(least: LogLevel, deps: LogDeps = toConsole): Log {
  const floor = LOG_LEVELS.indexOf(least);
  return (level, what, facts) => {
    if (LOG_LEVELS.indexOf(level) < floor) return;
    deps.write(level, toLine({ time: isoTime(deps.now()), level, what }, facts));
  };
}

function toLine(head: Record<string, unknown>, facts: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify({ ...facts, ...head }, printable);
  } catch {
    // Something that refuses to be JSON: a cycle, a throwing getter.
    return JSON.stringify({ ...head, facts: "[unprintable]" });
  }
}

function printable(name: string, value: unknown): unknown {
  if (NEVER_LOGGED.test(name) && typeof value !== "boolean" && typeof value !== "number") return "[redacted]";
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return describeError(value);
  return typeof value === "string" ? value.slice(0, MAX_FACT_CHARACTERS) : value;
}

/** An error as text that cannot fail to be made. The stack is for the log only, never for an answer. */
export function describeError(error: unknown): string {
  try {
    const text = error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
    return text.slice(0, MAX_FACT_CHARACTERS);
  } catch {
    return "[an error that cannot be printed]";
  }
}
