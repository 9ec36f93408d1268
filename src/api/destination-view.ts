import { z } from "zod";
import { isoTime, isoTimeOrNull, seconds } from "../base/clock.ts";
import { TROUBLES } from "../model/delivery.ts";
import { DESTINATION_STATUSES, type Destination, Routes, type StatusReason } from "../model/destination.ts";
import type { LaneReport } from "../model/lane.ts";
import { askAll } from "./bounded.ts";
import type { ApiDeps } from "./context.ts";
import { openSecrets } from "./destination-secrets.ts";

/** A lane that takes longer is not waited for: the status that it last wrote down is shown instead. */
const LANE_PATIENCE = seconds(2);

const Moment = z.iso.datetime().meta({ example: "2026-06-30T12:00:00.000Z" });
const Reason = z
  .object({ code: z.enum(TROUBLES), message: z.string(), since: Moment })
  .nullable()
  .meta({ description: "Why it is not `active`" });

const fields = {
  id: z.string().meta({ example: "siem_01978a0c4f2e7d3b8c1a5e6f70819203" }),
  provider: z.string().meta({ example: "splunk" }),
  name: z.string().meta({ example: "SOC Splunk" }),
  endpoint: z.string().meta({ example: "https://hec.splunk.example.com:8088/services/collector" }),
  enabled: z.boolean(),
  config: z.record(z.string(), z.unknown()).meta({ description: "As given, with the provider's defaults" }),
  routes: Routes,
  allowed_operations: z.array(z.string()),
  credential: z
    .object({
      id: z.string().meta({ example: "cred_01978a0c4f2e7d3b8c1a5e6f70819203" }),
      shared: z.boolean().meta({ description: "From the vault; else its secrets were given with it" }),
      rotated_at: Moment.nullable(),
      previous_until: Moment.nullable().meta({
        description:
          "Until when the secrets before the last rotation stand in where the new ones are refused",
      }),
      previous_uses: z.int().nullable().meta({
        description: "Deliveries since then that only they could make; null when the lane did not answer",
      }),
      previous_used_at: Moment.nullable(),
    })
    .meta({ description: "Where its secrets are; never a value" }),
  created_at: Moment,
  updated_at: Moment,
  status: z.enum(DESTINATION_STATUSES),
  status_reason: Reason,
  backlog: z
    .object({ events: z.int(), bytes: z.int(), oldest_at: Moment.nullable() })
    .nullable()
    .meta({ description: "What waits to be delivered; null when the lane did not answer in time" }),
  next_attempt_at: Moment.nullable(),
  first_loss_at: Moment.nullable().meta({
    description: "When the first waiting event would become a dead letter if nothing were delivered",
  }),
  last_delivered_at: Moment.nullable(),
  dead_letters: z.int().nullable().meta({ description: "Events set aside; replayable" }),
  activity: z
    .object({
      per_minute: z.array(z.int()).meta({
        description: "Events delivered in each minute of the last hour, oldest first",
      }),
      p50_ms: z.number().nullable(),
      p95_ms: z.number().nullable(),
    })
    .nullable()
    .meta({ description: "The last hour; latencies are from acceptance to the provider's answer" }),
};

/** A destination in an answer. It has no field for a secret. */
export const DestinationView = z.object(fields).meta({ id: "Destination" });

export const DestinationDetail = z
  .object({
    ...fields,
    status_changes: z
      .array(z.object({ at: Moment, status: z.enum(DESTINATION_STATUSES), reason: Reason }))
      .meta({ description: "The latest 50, newest last" }),
  })
  .meta({ id: "DestinationDetail" });

type ViewDeps = Pick<ApiDeps, "lanes" | "sleep" | "open" | "providers">;

/** What the lanes of these destinations say of themselves; null for one that stays silent. */
export function askReports(
  destinations: readonly Destination[],
  deps: ViewDeps,
): Promise<(LaneReport | null)[]> {
  return askAll(destinations, (destination) => deps.lanes(destination).report(), {
    within: LANE_PATIENCE,
    sleep: deps.sleep,
  });
}

/** A destination for people, with what its lane says, or what the lane last wrote down. */
export async function viewDestination(
  destination: Destination,
  report: LaneReport | null,
  deps: ViewDeps,
): Promise<z.input<typeof DestinationView>> {
  const status = report?.status ?? destination.status;
  const reason = report === null ? destination.statusReason : report.reason;
  return {
    id: destination.id,
    provider: destination.provider,
    name: destination.name,
    ...(await viewSettings(destination, deps)),
    enabled: destination.enabled,
    routes: destination.routes,
    allowed_operations: [...destination.allowedOperations],
    credential: {
      id: destination.credentialId,
      shared: destination.credentialIsShared,
      rotated_at: isoTimeOrNull(destination.secretsRotatedAt),
      previous_until: isoTimeOrNull(destination.previousSecretsUntil),
      previous_uses: report?.fallback.uses ?? null,
      previous_used_at: isoTimeOrNull(report?.fallback.usedAt ?? null),
    },
    created_at: isoTime(destination.createdAt),
    updated_at: isoTime(destination.updatedAt),
    status: destination.enabled ? status : "disabled",
    status_reason: destination.enabled && status !== "active" ? viewReason(reason) : null,
    backlog:
      report === null
        ? null
        : {
            events: report.backlog.events,
            bytes: report.backlog.bytes,
            oldest_at: isoTimeOrNull(report.backlog.oldestAt),
          },
    next_attempt_at: isoTimeOrNull(report?.nextAttemptAt ?? null),
    first_loss_at: isoTimeOrNull(report?.firstLossAt ?? null),
    last_delivered_at: isoTimeOrNull(report?.lastDeliveredAt ?? null),
    dead_letters: report?.deadLetters ?? null,
    activity:
      report === null
        ? null
        : {
            per_minute: [...report.activity.perMinute],
            p50_ms: report.activity.p50,
            p95_ms: report.activity.p95,
          },
  };
}

/** The same with its history. */
export async function viewDestinationDetail(
  destination: Destination,
  report: LaneReport | null,
  deps: ViewDeps,
): Promise<z.input<typeof DestinationDetail>> {
  return {
    ...(await viewDestination(destination, report, deps)),
    status_changes: (report?.changes ?? []).map(({ at, status, reason }) => ({
      at: isoTime(at),
      status,
      reason: viewReason(reason),
    })),
  };
}

function viewReason(reason: StatusReason | null) {
  return reason === null
    ? null
    : { code: reason.code, message: reason.message, since: isoTime(reason.since) };
}

/**
 * The config as given, over the provider's defaults. The secrets are opened only where the endpoint follows
 * from the config and nobody has noted it: the provider alone knows it then, until the destination is next written.
 */
async function viewSettings(destination: Destination, deps: ViewDeps) {
  const provider = deps.providers.find(({ kind }) => kind === destination.provider);
  const parsed = provider?.config.safeParse(destination.config);
  const config = { ...(parsed?.success ? parsed.data : {}), ...destination.config };
  if (destination.endpoint !== "" || provider === undefined) {
    return { config, endpoint: destination.endpoint };
  }
  if (destination.origin !== null) return { config, endpoint: destination.origin };
  const connected = provider.connect({
    destinationId: destination.id,
    endpoint: null,
    config: destination.config,
    secrets: (await openSecrets(destination, provider, deps)) ?? {},
  });
  return { config, endpoint: connected.ok ? connected.value.origin : "" };
}
