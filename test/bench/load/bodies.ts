import { gzipSync } from "node:zlib";

/** What one POST carries. */
export interface Shape {
  readonly events: number;
  readonly gzip: boolean;
}

/** Size of one event as sent, like the audit events of the services that we know. */
const EVENT_BYTES = 500;
/** How old events are when they are made. Those of more than a minute cost the relay index rows, which is a case of its own. */
const MAX_AGE_MS = 30_000;
/** Distinct bodies of a shape: enough that nothing is the same twice in a row, few enough to lie ready in memory. */
const MAX_BODIES = 64;
const MAX_POOL_EVENTS = 16_000;

const ACTIONS = ["user.login", "user.logout", "api-key.create", "credential.issue", "policy.update"] as const;
const SERVICES = ["identity", "trust-registry", "wallet", "console"] as const;

/** Ready bodies. Events name no id: the relay gives them theirs, so the same body is a new batch each time. */
export function bodies({ events, gzip }: Shape): readonly Buffer[] {
  const count = Math.max(2, Math.min(MAX_BODIES, Math.floor(MAX_POOL_EVENTS / events)));
  return Array.from({ length: count }, (_, pool) => {
    const made = Array.from({ length: events }, (_, index) => auditEvent(pool * events + index));
    const text = Buffer.from(events === 1 ? (made[0] ?? "") : `[${made.join(",")}]`);
    return gzip ? gzipSync(text) : text;
  });
}

/** One event of exactly `EVENT_BYTES`, different for each number. */
export function auditEvent(number: number): string {
  const seed = hash(number);
  const hex = (of: number, length: number): string =>
    (hash(seed + of) * 0x1_0000_0000 + hash(seed - of)).toString(16).padStart(16, "0").slice(0, length);
  const event = {
    timestamp: new Date(Date.now() - (seed % MAX_AGE_MS)).toISOString(),
    actor_type: "USER",
    actor_id: `usr_${hex(1, 16)}`,
    action: ACTIONS[seed % ACTIONS.length],
    resource_type: "session",
    resource_id: `ses_${hex(2, 16)}${hex(3, 8)}`,
    service: SERVICES[seed % SERVICES.length],
    outcome: seed % 11 === 0 ? "FAILURE" : "SUCCESS",
    metadata: {
      ip: `10.${seed % 251}.${seed % 241}.${seed % 239}`,
      user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
      request_id: `req_${hex(4, 16)}${hex(5, 16)}`,
      duration_ms: seed % 900,
      mfa: seed % 2 === 0,
      note: "",
    },
  };
  const missing = EVENT_BYTES - JSON.stringify(event).length;
  event.metadata.note = hex(6, 16).repeat(32).slice(0, missing);
  return JSON.stringify(event);
}

/** A well-mixed 32-bit number, so that bodies compress as real ones do and are the same in every run. */
function hash(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x45d9f3b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
