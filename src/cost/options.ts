import { parseArgs } from "node:util";
import type { Traffic } from "./model.ts";

export const USAGE = `npm run cost -- --events-per-day <n> [options]: what Cloudflare would bill for relaying so many events.

  --events-per-day <n>    required; 5000000, 5_000_000, 5M and 2.5B are all numbers here
  --per-request <n>       events in one request, 1 to 1,000 (1)
  --destinations <n>      of each tenant; every event goes to all of them (1)
  --tenants <n>           that the events are spread over (1)
  --shards <n>            lanes of each destination, 1 to 32 (1)
  --queues <n>            that the deployment binds, 1 to 8 (1)
  --sharing <n>           small requests that share a queue message, on average (1: none meets another)
  --event-bytes <n>       of one event as sent, 50 to 100,000 (500)
  --active-hours <n>      hours of a day in which the events come, up to 24 (24)
  --batch-timeout <s>     max_batch_timeout of the queue in wrangler.toml, 0 to 60 seconds (1)
  --answer-ms <n>         what a destination takes to answer (100)
  --json                  everything as JSON
  --help                  this text

Prices, formulas and what is left out: docs/cost.md.`;

export type Parsed =
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly faults: readonly string[] }
  | { readonly kind: "ok"; readonly traffic: Traffic; readonly json: boolean };

interface Rule {
  readonly fallback: number | null;
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

const RULES = {
  "events-per-day": { fallback: null, least: 1, most: 1e13, isWhole: false },
  "per-request": { fallback: 1, least: 1, most: 1_000, isWhole: true },
  destinations: { fallback: 1, least: 1, most: 1_000, isWhole: true },
  tenants: { fallback: 1, least: 1, most: 1e6, isWhole: true },
  shards: { fallback: 1, least: 1, most: 32, isWhole: true },
  queues: { fallback: 1, least: 1, most: 8, isWhole: true },
  sharing: { fallback: 1, least: 1, most: 100, isWhole: false },
  "event-bytes": { fallback: 500, least: 50, most: 100_000, isWhole: true },
  "active-hours": { fallback: 24, least: 0.1, most: 24, isWhole: false },
  "batch-timeout": { fallback: 1, least: 0, most: 60, isWhole: false },
  "answer-ms": { fallback: 100, least: 0, most: 900_000, isWhole: false },
} as const satisfies Readonly<Record<string, Rule>>;
type Name = keyof typeof RULES;

export function parseOptions(args: readonly string[]): Parsed {
  const faults: string[] = [];
  const given = read(args, faults);
  if (given["help"] === true) return { kind: "help" };
  const number = (name: Name): number => {
    const checked = check(name, given[name]);
    if (typeof checked === "string") faults.push(checked);
    return typeof checked === "string" ? 0 : checked;
  };
  const traffic: Traffic = {
    eventsPerDay: number("events-per-day"),
    eventsPerRequest: number("per-request"),
    destinations: number("destinations"),
    tenants: number("tenants"),
    shards: number("shards"),
    sharing: number("sharing"),
    queues: number("queues"),
    eventBytes: number("event-bytes"),
    activeHours: number("active-hours"),
    batchTimeoutSeconds: number("batch-timeout"),
    answerMs: number("answer-ms"),
  };
  if (faults.length > 0) return { kind: "wrong", faults };
  return { kind: "ok", traffic, json: given["json"] === true };
}

type Given = Readonly<Record<string, string | boolean | undefined>>;

function read(args: readonly string[], faults: string[]): Given {
  const numbers = Object.keys(RULES).map((name) => [name, { type: "string" }] as const);
  const options = {
    ...Object.fromEntries(numbers),
    json: { type: "boolean" },
    help: { type: "boolean" },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values as Given; // strings and booleans: nothing is `multiple`
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    return {};
  }
}

/** @returns the number, or what is wrong with it */
function check(name: Name, given: string | boolean | undefined): number | string {
  const { fallback, least, most, isWhole }: Rule = RULES[name];
  if (given === undefined) return fallback ?? `--${name} is missing.`;
  const value = parseNumber(String(given));
  if (value === null) return `--${name} must be a number like 5000000, 5_000_000 or 5M, not "${given}".`;
  if (value < least || value > most || (isWhole && !Number.isInteger(value))) {
    const kind = isWhole ? "a whole number" : "a number";
    return `--${name} must be ${kind} from ${least.toLocaleString("en")} to ${most.toLocaleString("en")}, not "${given}".`;
  }
  return value;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, B: 1e9 };

/** `5000000`, `5_000_000`, `5,000,000`, `5e6`, `5M`. */
export function parseNumber(text: string): number | null {
  const match = /^(\d[\d_,]*(?:\.\d+)?(?:e\d{1,2})?)([kMB]?)$/.exec(text.trim());
  if (match === null) return null;
  const [, digits = "", unit = ""] = match;
  const value = Number(digits.replace(/[_,]/g, "")) * (UNITS[unit] ?? 1);
  return Number.isFinite(value) ? value : null;
}
