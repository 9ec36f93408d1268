import { z } from "zod";
import { byteLength } from "../../base/bytes.ts";
import type { EpochMs } from "../../base/clock.ts";
import { err } from "../../base/result.ts";
import type { RequestLimits, SettingsFault } from "../../model/provider.ts";
import { call, type DatadogCalls, isTooOld, limitedText, TOO_OLD } from "./datadog-calls.ts";
import {
  hasField,
  operation,
  type Performed,
  type Performer,
  payloadFault,
  performing,
  refused,
} from "./perform.ts";

/*
 * Direct calls to the logs intake: one log, or several.
 * @see https://docs.datadoghq.com/api/latest/logs/#send-logs (read 2026-11)
 */

/** Have fields of their own, or would be taken for the log's date and hide its age. */
const RESERVED = [
  ...["message", "ddsource", "ddtags", "service", "hostname", "status"],
  ...["timestamp", "@timestamp", "_timestamp", "Timestamp", "eventTime", "date", "published_date"],
];

const Log = z.strictObject({
  message: z.union([z.string().min(1), z.record(z.string(), z.unknown())], {
    error: "Expected the message as text, or as an object",
  }),
  ddsource: limitedText("a source", 200).optional(),
  service: limitedText("a service", 200).optional(),
  hostname: limitedText("a host name", 255).optional(),
  ddtags: limitedText("tags", 20_000).optional().meta({ description: "Tags, separated by commas" }),
  status: limitedText("a status", 100).optional().meta({ description: "Level, like info or error" }),
  timestamp: z
    .union([z.iso.datetime({ offset: true }), z.int().min(0).max(253_402_300_799_999)], {
      error: "Expected an ISO 8601 time, or epoch milliseconds",
    })
    .optional()
    .meta({ description: "At most 18 hours ago; the time of the call when absent" }),
  attributes: z
    .record(z.string(), z.unknown(), { error: "Expected an object" })
    .refine(
      (attributes) => !RESERVED.some((name) => Object.hasOwn(attributes, name)),
      "Expected no attribute that has a field of its own, or that Datadog reads as a date",
    )
    .optional()
    .meta({ description: "Attributes of the log, beside its message" }),
});
type Log = z.infer<typeof Log>;

const MAX_LOGS = 1_000;
/** A larger log is accepted and cut, so it is refused here. */
const MAX_LOG_BYTES = 1_000_000;

const Logs = z.strictObject({
  logs: z
    .array(Log, { error: "Expected a list of logs" })
    .min(1, "Expected at least one log")
    .max(MAX_LOGS, `Expected at most ${MAX_LOGS} logs`),
});

export const SEND_LOG = operation(
  "Sends one log, or several, to Datadog's logs intake.",
  z.union([Log, Logs]),
  { message: "Vault entry rotated", service: "vault", status: "info" },
  (payload) => (hasField(payload, "logs") ? Logs : Log),
);

interface LogsIntake extends DatadogCalls {
  readonly url: string;
  readonly limits: RequestLimits;
  /** What a log says where the caller says nothing. */
  readonly defaults: {
    readonly source: string;
    readonly service: string;
    readonly hostname?: string | undefined;
    readonly tags?: readonly string[] | undefined;
  };
}

export function sendLog(intake: LogsIntake): Performer {
  const one = performing(Log, (log, { now }) => send(intake, [log], { now, prefix: () => "" }));
  const several = performing(Logs, ({ logs }, { now }) =>
    send(intake, logs, { now, prefix: (index) => `logs.${index}.` }),
  );
  return (payload, context) => (hasField(payload, "logs") ? several : one)(payload, context);
}

interface Sending {
  readonly now: EpochMs;
  /** Of the fields of the log at an index. */
  readonly prefix: (index: number) => string;
}

function send(intake: LogsIntake, logs: readonly Log[], { now, prefix }: Sending): Performed {
  const items = logs.map((log) => JSON.stringify(item(log, now, intake.defaults)));
  const faults = logs.flatMap(({ timestamp = now }, index): readonly SettingsFault[] => {
    const at = typeof timestamp === "string" ? Date.parse(timestamp) : timestamp;
    if (isTooOld(at, now)) return [payloadFault(`${prefix(index)}timestamp`, TOO_OLD)];
    if (byteLength(items[index] ?? "") <= MAX_LOG_BYTES) return [];
    return [payloadFault(`${prefix(index)}message`, `Expected a log of at most ${MAX_LOG_BYTES} bytes`)];
  });
  if (faults.length > 0) return err(faults);
  const body = `[${items.join(",")}]`;
  const bytes = byteLength(body);
  if (bytes > intake.limits.bytes)
    return refused("logs", `Expected at most ${intake.limits.bytes} bytes, not ${bytes}`);
  return call(intake, { url: intake.url, body, what: "a log", mayCompress: true });
}

/** What is undefined is left out. The date is always said, so that nothing inside the message is taken for it. */
function item(log: Log, now: EpochMs, { source, service, hostname, tags }: LogsIntake["defaults"]): object {
  const { message, attributes, timestamp } = log;
  const ownTags = tags === undefined || tags.length === 0 ? undefined : tags.join(",");
  return {
    ...attributes,
    message: typeof message === "string" ? message : JSON.stringify(message),
    ddsource: log.ddsource ?? source,
    service: log.service ?? service,
    hostname: log.hostname ?? hostname,
    ddtags: log.ddtags ?? ownTags,
    status: log.status,
    timestamp: typeof timestamp === "string" ? Date.parse(timestamp) : (timestamp ?? now),
  };
}
