import { z } from "zod";
import { isoTime, isoTimeOrNull } from "../base/clock.ts";
import {
  FieldMapping,
  type PollReport,
  SeverityMapping,
  SOURCE_STATUSES,
  SOURCE_TROUBLES,
  type Source,
  SourceKind,
  type SourceReason,
  type SourceStatus,
} from "../model/source.ts";
import { SetupSheet } from "./source-setup.ts";

const Moment = z.iso.datetime().meta({ example: "2026-06-30T12:00:00.000Z" });
const Check = z.object({ name: z.string(), ok: z.boolean(), detail: z.string() });

const fields = {
  id: z.string().meta({ example: "src_01978a0c4f2e7d3b8c1a5e6f70819203" }),
  kind: SourceKind,
  name: z.string().meta({ example: "SOC Splunk" }),
  enabled: z.boolean(),
  severity_mapping: SeverityMapping,
  field_mapping: FieldMapping,
  dedup_fields: z.array(z.string()).optional(),
  created_at: Moment,
  updated_at: Moment,
  status: z.enum(SOURCE_STATUSES).meta({ description: "`waiting` until the first alert, or the first poll" }),
  status_reason: z
    .object({ code: z.enum(SOURCE_TROUBLES), message: z.string(), since: Moment })
    .nullable()
    .meta({ description: "Why it is `degraded`" }),
  last_seen_at: Moment.nullable().meta({ description: "The latest alert, or successful poll" }),
  alerts: z.int().meta({ description: "Alerts or notables taken, resends not counted" }),
  checks: z.array(Check).meta({ description: "`first_alert` turns ok when the first one came" }),
  polling: z
    .object({
      last_polled_at: Moment.nullable(),
      checkpoint: Moment.nullable().meta({
        description: "Index time on Splunk's clock up to which everything was read",
      }),
      next_poll_at: Moment.nullable(),
      notables: z.int(),
      failures: z.int().meta({ description: "Failed polls in a row" }),
    })
    .nullable()
    .optional()
    .meta({ description: "Of a polled source read by itself; null when its poller did not answer in time" }),
};

/** A source in an answer: its kind's settings stand beside these fields. It has no field for a secret. */
export const SourceView = z.looseObject(fields).meta({ id: "Source" });

const secrets = {
  secret: z.string().optional().meta({ description: "Shown this once" }),
  path_secret: z.string().optional().meta({ description: "For the end of the path; shown this once" }),
  setup: SetupSheet,
};

export const MadeSource = z.looseObject({ ...fields, ...secrets }).meta({ id: "MadeSource" });

export const RotatedSource = z
  .object({
    id: z.string(),
    ...secrets,
    previous_secret_expires_at: Moment.meta({ description: "Until then the old secrets are taken as well" }),
  })
  .meta({ id: "RotatedSource" });

/** How a source stands: what it says of itself, unless nothing has come yet or it is switched off. */
export function statusOf(source: Source, status: Source["status"] = source.status): SourceStatus {
  if (!source.enabled) return "disabled";
  if (status === "degraded") return "degraded";
  return source.lastSeenAt === null ? "waiting" : "active";
}

/** @param report of its poller, null where that was silent, undefined where nobody asked */
export function viewSource(source: Source, report?: PollReport | null): z.input<typeof SourceView> {
  const status = statusOf(source, report?.status);
  const reason = report === undefined || report === null ? source.statusReason : report.reason;
  return {
    id: source.id,
    kind: source.kind,
    name: source.name,
    enabled: source.enabled,
    ...source.config,
    severity_mapping: source.severityMapping,
    field_mapping: source.fieldMapping,
    ...(source.kind === "splunk_alert" ? { dedup_fields: [...source.dedupFields] } : {}),
    created_at: isoTime(source.createdAt),
    updated_at: isoTime(source.updatedAt),
    status,
    status_reason: status === "degraded" ? viewReason(reason) : null,
    last_seen_at: isoTimeOrNull(source.lastSeenAt),
    alerts: source.alerts,
    checks: [firstAlertCheck(source)],
    ...(report === undefined ? {} : { polling: viewPolling(report) }),
  };
}

export function firstAlertCheck(source: Source): z.infer<typeof Check> {
  const { lastSeenAt, alerts, kind } = source;
  const what = kind === "splunk_alert" ? "alert" : "poll";
  if (lastSeenAt === null) return { name: "first_alert", ok: false, detail: `Waiting for the first ${what}` };
  const detail = `The latest ${what} came at ${isoTime(lastSeenAt)}; ${alerts} taken so far`;
  return { name: "first_alert", ok: true, detail };
}

function viewReason(reason: SourceReason | null) {
  return reason === null ? null : { ...reason, since: isoTime(reason.since) };
}

function viewPolling(report: PollReport | null) {
  return report === null
    ? null
    : {
        last_polled_at: isoTimeOrNull(report.lastPolledAt),
        checkpoint: isoTimeOrNull(report.checkpoint),
        next_poll_at: isoTimeOrNull(report.nextPollAt),
        notables: report.notables,
        failures: report.failures,
      };
}
