import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";

/** Events in one request, as promised to callers. */
export const MAX_EVENTS_PER_REQUEST = 1_000;
/** Decompressed bytes of one request, as promised to callers. */
export const MAX_REQUEST_BYTES = 5_000_000;
/** UTF-8 bytes of one event as sent, as promised to callers; leaves room for what is filled in inside one 128 kB queue message. */
export const MAX_EVENT_BYTES = 100_000;
/** Nesting levels of one event. Deeper input would exhaust the stack of whoever walks it: ours, and the SIEM's. */
export const MAX_EVENT_DEPTH = 64;

const shortText = (what: string) =>
  z
    .string({ error: `Expected ${what} as a string` })
    .min(1, `Expected ${what}, not an empty string`)
    .max(256, `Expected ${what} of at most 256 characters`);

/** Dotted and lower case, like `user.login`, `api-key.create` or `user.update_role`. */
export const ACTION_PATTERN = /^[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+$/;

/**
 * One audit record as a producer sends it.
 *
 * Loose on purpose: callers are promised that fields we do not know are kept as they are.
 */
export const AuditEvent = z
  .looseObject({
    id: z
      .string({ error: "Expected a string" })
      .regex(/^[!-~]{1,128}$/, "Expected 1 to 128 printable ASCII characters without spaces")
      .optional()
      .meta({
        description: "Chosen by the sender or filled in (`evt_` + UUIDv7); a SIEM deduplicates on it",
        example: "evt_abc123",
      }),
    timestamp: z.iso
      .datetime({
        offset: true,
        error: "Expected an RFC 3339 time with an offset, like 2026-06-30T12:34:56.789Z",
      })
      .optional()
      .meta({
        description: "When it happened; the time of receipt when absent",
        example: "2026-06-30T12:34:56.789Z",
      }),
    tenant_id: z
      .string({ error: "Expected a string" })
      .optional()
      .meta({ description: "Always the key's tenant; naming another is an error" }),
    actor_type: shortText("an actor type")
      .optional()
      .meta({ description: "`USER` when absent", example: "USER" }),
    actor_id: shortText("an actor id")
      .nullish()
      .meta({ description: "Required unless `actor_type` is `SYSTEM`", example: "user-uuid" }),
    action: z
      .string({ error: "Expected lower-case words joined by dots, like user.login" })
      .max(200, "Expected at most 200 characters")
      .regex(ACTION_PATTERN, "Expected lower-case words joined by dots, like user.login")
      .meta({ description: "What happened", example: "user.login" }),
    resource_type: shortText("a resource type").nullish().meta({ example: "attestation" }),
    resource_id: shortText("a resource id").nullish().meta({ example: "attestation-uuid" }),
    service: shortText("a service name").nullish().meta({ example: "trust-registry" }),
    outcome: shortText("an outcome")
      .optional()
      .meta({ description: "`SUCCESS` when absent", example: "SUCCESS" }),
    metadata: z
      .record(z.string(), z.unknown(), { error: "Expected an object" })
      .nullish()
      .meta({ example: { issuer_id: "issuer-uuid" } }),
    integrity_hash: shortText("a hash").optional().meta({
      description:
        "`sha256:` + hex of the RFC 8785 form of the event without this field; filled in when absent",
    }),
  })
  .meta({ id: "AuditEvent", description: "One audit record" });
export type AuditEvent = z.infer<typeof AuditEvent>;

/**
 * An event on its way through the relay: its final JSON text, and beside it the few facts that
 * routing and delivery need, so that nothing after acceptance parses it again.
 */
export interface RelayEvent {
  /** 1 to 128 printable ASCII characters, no space. */
  readonly id: string;
  /** When it happened, by the producer's `timestamp`. */
  readonly at: EpochMs;
  readonly action: string;
  /** Compact JSON of the whole event on one line, with everything filled in. */
  readonly json: string;
}

/**
 * The form in which events wait and travel between stages: `id \t epoch ms \t action \t json`, one a line.
 * Ids and actions cannot contain tabs, and compact JSON contains neither raw tabs nor line breaks.
 */
export function toLine(event: RelayEvent): string {
  return `${event.id}\t${event.at}\t${event.action}\t${event.json}`;
}

/** Reads one line back. The line is ours: a malformed one is a bug and throws. */
export function fromLine(line: string): RelayEvent {
  const first = line.indexOf("\t");
  const second = line.indexOf("\t", first + 1);
  const third = line.indexOf("\t", second + 1);
  if (first < 1 || second < 0 || third < 0) throw new Error("Not an event line");
  return {
    id: line.slice(0, first),
    at: Number(line.slice(first + 1, second)),
    action: line.slice(second + 1, third),
    json: line.slice(third + 1),
  };
}

/** Whether a text has the form of an event line: for what comes from outside this isolate. */
export function isLine(text: string): boolean {
  const first = text.indexOf("\t");
  const second = text.indexOf("\t", first + 1);
  const third = text.indexOf("\t", second + 1);
  if (first < 1 || second < 0 || third < 0) return false;
  const isTime = Number.isSafeInteger(Number(text.slice(first + 1, second) || Number.NaN));
  return isTime && text.startsWith("{", third + 1) && text.endsWith("}");
}

/** When the event of a line happened. */
export function timeOfLine(line: string): EpochMs {
  const first = line.indexOf("\t");
  return Number(line.slice(first + 1, line.indexOf("\t", first + 1)));
}

/** The action of a line, without taking the rest apart: what routing looks at. */
export function actionOfLine(line: string): string {
  const second = line.indexOf("\t", line.indexOf("\t") + 1);
  return line.slice(second + 1, line.indexOf("\t", second + 1));
}
