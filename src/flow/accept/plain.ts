import { ACTION_PATTERN } from "../../model/event.ts";

/**
 * Whether an event is of the plain kind that makes up nearly all traffic and is certainly valid by the
 * `AuditEvent` schema. False says nothing: the schema decides then, and finds the words.
 *
 * Exists for its speed alone: the schema takes 2 to 3 µs an event, a quarter of all that accepting costs; this
 * takes a tenth of that. The schema stays the rule; a property test holds that it accepts whatever passes here.
 */
export function isPlainlyValid(event: Readonly<Record<string, unknown>>): boolean {
  const { action, id, timestamp, metadata } = event;
  return (
    typeof action === "string" &&
    action.length <= 200 &&
    ACTION_PATTERN.test(action) &&
    (id === undefined || (typeof id === "string" && PLAIN_ID.test(id))) &&
    (timestamp === undefined || (typeof timestamp === "string" && PLAIN_TIME.test(timestamp))) &&
    (metadata === undefined || (typeof metadata === "object" && !Array.isArray(metadata))) &&
    isShort(event["actor_id"]) &&
    isShort(event["actor_type"]) &&
    isShort(event["resource_type"]) &&
    isShort(event["resource_id"]) &&
    isShort(event["service"]) &&
    isShort(event["outcome"]) &&
    isShort(event["tenant_id"]) &&
    isShort(event["integrity_hash"])
  );
}

const PLAIN_ID = /^[A-Za-z0-9_-]{1,128}$/;
/** UTC, with seconds; February 29 is left to the schema, which knows leap years. */
const PLAIN_TIME =
  /^[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:\.[0-9]{1,9})?Z$/;

/** Absent, or 1 to 256 UTF-16 units, which is how the schema counts. */
function isShort(value: unknown): boolean {
  return value === undefined || (typeof value === "string" && value.length > 0 && value.length <= 256);
}
