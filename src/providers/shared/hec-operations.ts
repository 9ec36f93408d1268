import { z } from "zod";
import { byteLength } from "../../base/bytes.ts";
import type { EpochMs } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { HttpRequestSpec } from "../../model/http.ts";
import type { Connector } from "../../model/provider.ts";
import { operation, type Performed, performAll, performing, refused } from "./perform.ts";

/*
 * Direct calls to HEC: envelopes as callers write them, with only the keys that HEC knows, since one that it does
 * not know makes it drop that event and all that follow, with status 200.
 */

export const hecMetadata = (what: string) =>
  z.string().min(1, `Expected ${what}`).max(1_024, `Expected a shorter ${what}`);

export const hecIndex = z
  .string()
  .regex(/^[a-z0-9_][a-z0-9_-]{0,254}$/, "Expected an index name: lower-case letters, digits, _ and -");

/** The last second of the year 9999: whatever is larger is in milliseconds. */
const LAST_SECOND = 253_402_300_799;

const Scalar = z.union([z.string(), z.number(), z.boolean()], {
  error: "Expected text, a number or a truth value: HEC takes no nested fields",
});

const Envelope = z.strictObject({
  event: z.union([z.string().regex(/\S/), z.record(z.string(), z.unknown())], {
    error: "Expected the event as an object, or as text that is not blank",
  }),
  sourcetype: hecMetadata("a source type").optional(),
  index: hecIndex.optional().meta({ description: "The destination's own when absent, else the token's" }),
  source: hecMetadata("a source").optional(),
  host: hecMetadata("a host").optional(),
  time: z
    .number({ error: "Expected epoch seconds, with decimals if need be" })
    .min(0, "Expected epoch seconds from 1970 on")
    .max(LAST_SECOND, "Expected epoch seconds, not milliseconds")
    .optional()
    .meta({ description: "Epoch seconds; the time of the call when absent" }),
  fields: z
    .record(z.string().min(1), Scalar, { error: "Expected an object" })
    .optional()
    .meta({ description: "Indexed fields; flat" }),
});
type Envelope = z.infer<typeof Envelope>;

const MAX_EVENTS = 1_000;

const SendBatch = z.strictObject({
  events: z
    .array(Envelope, { error: "Expected a list of events" })
    .min(1, "Expected at least one event")
    .max(MAX_EVENTS, `Expected at most ${MAX_EVENTS} events`),
});

const EXAMPLE = {
  event: { action: "vault.seal", tenant: "acme", credential_type: "oauth2_client" },
  sourcetype: "acme:audit",
  index: "security",
};

export const HEC_OPERATIONS = {
  send_event: operation("Sends one event to HEC, with its metadata.", Envelope, EXAMPLE),
  send_batch: operation("Sends up to 1,000 events to HEC in one request.", SendBatch, { events: [EXAMPLE] }),
};

interface Sender {
  readonly maxBytes: number;
  /** What an envelope says where the caller says nothing. */
  readonly defaults: {
    readonly host: string;
    readonly source: string;
    readonly sourcetype: string;
    readonly index?: string | undefined;
  };
  readonly post: (body: string) => HttpRequestSpec;
  readonly interpret: Connector["interpret"];
}

export function hecPerform({ maxBytes, defaults, post, interpret }: Sender): Connector["perform"] {
  const send = (envelopes: readonly Envelope[], now: EpochMs, name: string): Performed => {
    const body = envelopes.map((envelope) => `${write(envelope, now, defaults)}\n`).join("");
    const bytes = byteLength(body);
    if (bytes > maxBytes) return refused(name, `Expected at most ${maxBytes} bytes, not ${bytes}`);
    const sent = { events: envelopes.length, bytes };
    return ok({ request: post(body), interpret: (answer) => interpret(answer, sent) });
  };
  return performAll({
    send_event: performing(Envelope, (envelope, { now }) => send([envelope], now, "event")),
    send_batch: performing(SendBatch, ({ events }, { now }) => send(events, now, "events")),
  });
}

/** What is undefined is left out. */
function write(envelope: Envelope, now: EpochMs, defaults: Sender["defaults"]): string {
  const { time = now / 1_000, host = defaults.host, source = defaults.source } = envelope;
  const { sourcetype = defaults.sourcetype, index = defaults.index, event, fields } = envelope;
  return JSON.stringify({ time, host, source, sourcetype, index, event, fields });
}
