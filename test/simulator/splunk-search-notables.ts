/** Makes notables, the same ones from the same seed. Plain code: runs in Node and in workerd alike. */
import type { Notable, NotablesOptions } from "./control.ts";

const DEFAULT_MAX_LATE_SECONDS = 840;
const DEFAULT_SPAN_SECONDS = 3600;

const RULES = [
  ["Access", "Brute Force Access Behavior Detected", "Excessive failed logins"],
  ["Endpoint", "Host With Malware Detected", "Malware on a host"],
  ["Network", "Substantial Increase In Port Activity", "Port activity over the usual"],
  ["Threat", "Threat Activity Detected", "A known bad address was seen"],
  ["Identity", "Activity from Expired User Identity", "An expired account was used"],
] as const;
const SEVERITIES = ["critical", "high", "medium", "low", "informational"] as const;

/**
 * Ordinary ones are indexed within two seconds of their time. Late ones are spread evenly among them, so that their
 * number is the share of the count, rounded down.
 */
export function makeNotables(options: NotablesOptions): readonly Notable[] {
  const { count, seed = 1, lateShare = 0, maxLateSeconds = DEFAULT_MAX_LATE_SECONDS } = options;
  const { startAt, spanSeconds = DEFAULT_SPAN_SECONDS, es = 7 } = options;
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, n) => {
    const at = startAt + Math.floor((n * spanSeconds) / Math.max(count, 1));
    const [late, lateBefore] = [Math.floor((n + 1) * lateShare), Math.floor(n * lateShare)];
    const delay = 1 + Math.floor(random() * maxLateSeconds);
    const lag = late > lateBefore ? (late === 1 ? maxLateSeconds : delay) : Math.floor(random() * 3);
    return notable(n, { at, indexedAt: at + lag, es, random });
  });
}

interface Making {
  readonly at: number;
  readonly indexedAt: number;
  readonly es: 7 | 8;
  readonly random: () => number;
}

function notable(n: number, { at, indexedAt, es, random }: Making): Notable {
  const [security_domain, rule, description] = RULES[n % RULES.length] ?? RULES[0];
  const severity = SEVERITIES[Math.floor(random() * SEVERITIES.length)] ?? "medium";
  const source = `${security_domain} - ${rule} - Rule`;
  const guid = uuid(random);
  const event_id =
    es === 8
      ? `${guid}@@notable@@time${Math.floor(at)}`
      : `${guid.toUpperCase()}@@notable@@${hex(random, 32)}`;
  const host = `host-${Math.floor(random() * 200)}`;
  return {
    _time: at,
    _indextime: indexedAt,
    event_id,
    rule_id: event_id,
    rule_name: rule,
    rule_title: `${rule} on ${host}`,
    rule_description: `${description} (${host})`,
    source,
    search_name: source,
    security_domain: security_domain.toLowerCase(),
    severity,
    urgency: severity,
    status: "1",
    status_label: "New",
    status_group: "New",
    owner: "unassigned",
    src: `10.${n % 200}.${Math.floor(random() * 250)}.${Math.floor(random() * 250)}`,
    dest: host,
    dvc: "fw-1",
    user: `user${Math.floor(random() * 500)}`,
    src_user: "unknown",
    orig_host: `idx-${n % 3}`,
    host: "es-search-head",
    drilldown_search: `index=main dest="${host}"`,
  };
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function hex(random: () => number, digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");
}

function uuid(random: () => number): string {
  const digits = hex(random, 32);
  return [0, 8, 12, 16, 20].map((from, n) => digits.slice(from, [8, 12, 16, 20, 32][n])).join("-");
}
