import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";
import { Priority } from "./incident.ts";
import type { TestReport } from "./probe.ts";

export const SOURCE_KINDS = ["splunk_alert", "splunk_es"] as const;
export const SourceKind = z.enum(SOURCE_KINDS).meta({ id: "SourceKind" });
export type SourceKind = z.infer<typeof SourceKind>;

/** Splunk severity (compared in lower case) → priority. */
export const SeverityMapping = z
  .record(z.string().min(1).max(64), Priority)
  .meta({ id: "SeverityMapping", example: { critical: "P1", high: "P2", medium: "P3", low: "P4" } });
export type SeverityMapping = z.infer<typeof SeverityMapping>;

/** Incident fields that an alert's field can fill. */
export const MAPPED_FIELDS = ["short_description", "ci_identifier", "source_ip"] as const;
/** Which field of the alert fills which field of the incident. Dots reach into objects: `result.dest`. */
export const FieldMapping = z.partialRecord(z.enum(MAPPED_FIELDS), z.string().min(1).max(200)).meta({
  id: "FieldMapping",
  example: { short_description: "rule_name", ci_identifier: "dest", source_ip: "src" },
});
export type FieldMapping = z.infer<typeof FieldMapping>;

/** What a severity means unless the source says otherwise; anything else is P3. */
export const DEFAULT_SEVERITY_MAPPING: SeverityMapping = {
  critical: "P1",
  high: "P2",
  medium: "P3",
  low: "P4",
};
/** What makes two alerts the same trouble unless the source says otherwise. */
export const DEFAULT_DEDUP_FIELDS: readonly string[] = ["search_name", "host", "source"];

/** `waiting`: nothing came yet. `degraded`: polling fails and is tried again. */
export const SOURCE_STATUSES = ["waiting", "active", "degraded", "disabled"] as const;
export type SourceStatus = (typeof SOURCE_STATUSES)[number];

/** Why polling does not work. A stored code is never renamed. */
export const SOURCE_TROUBLES = [
  "unreachable",
  "timeout",
  "tls_untrusted",
  "throttled",
  "provider_error",
  "credentials_rejected",
  "search_rejected",
  "config_rejected",
] as const;
export type SourceTrouble = (typeof SOURCE_TROUBLES)[number];

export const SourceReason = z.object({
  code: z.enum(SOURCE_TROUBLES),
  message: z.string(),
  since: z.number(),
});
/** `since` in epoch milliseconds. */
export type SourceReason = z.infer<typeof SourceReason>;

/** A source as stored: an inbound webhook, or a search that is polled. Its `config` is checked by the stage that uses it. */
export interface Source {
  readonly id: string;
  readonly tenantId: string;
  readonly kind: SourceKind;
  readonly name: string;
  readonly enabled: boolean;
  /** Kind-specific settings, never a secret: `secret_header`, `hmac`, `allow_path_secret`; `rest_url`, `search`, … */
  readonly config: Readonly<Record<string, unknown>>;
  readonly severityMapping: SeverityMapping;
  readonly fieldMapping: FieldMapping;
  /** Alert fields that make the dedup key, in order. */
  readonly dedupFields: readonly string[];
  /** The secrets, sealed together as JSON. */
  readonly sealedSecrets: string;
  /** Grows by one with each change; a poller that was told a newer one reads it. */
  readonly revision: number;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly deletedAt: EpochMs | null;
  /** Null before the first alert or the first successful poll. */
  readonly lastSeenAt: EpochMs | null;
  /** Alerts or notables taken, resends not counted. */
  readonly alerts: number;
  /** As last reported by its poller; `active` for a webhook. */
  readonly status: "active" | "degraded";
  readonly statusReason: SourceReason | null;
}

/** How the polling of one source stands. */
export interface PollReport {
  readonly status: "active" | "degraded";
  /** Null while polling works. */
  readonly reason: SourceReason | null;
  /** When a poll last ended well; null before the first. */
  readonly lastPolledAt: EpochMs | null;
  /** Index time on Splunk's clock up to which everything was read; null before the first poll. */
  readonly checkpoint: EpochMs | null;
  /** Null while the source is switched off. */
  readonly nextPollAt: EpochMs | null;
  /** Notables taken so far, those seen again not counted. */
  readonly notables: number;
  /** Failed polls in a row. */
  readonly failures: number;
}

/** What the API asks of the poller of one source. */
export interface PollerCalls {
  /** After each change of the source, its deletion included: the poller reads the new revision. */
  configure(tenantId: string, sourceId: string, revision: number): Promise<void>;
  /** Polls as soon as it can instead of at the next interval; does not wait for the end. */
  pollNow(): Promise<void>;
  report(): Promise<PollReport>;
  /** Looks at address, credentials and search one by one. Takes no notable. */
  test(): Promise<TestReport>;
}
