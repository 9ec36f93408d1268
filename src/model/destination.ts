import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";
import { TROUBLES } from "./delivery.ts";

/**
 * One rule: which actions, to which index. `*` stands for any run of characters, dots included,
 * so `incident.*` matches `incident.note.add`.
 */
export const Route = z
  .strictObject({
    match: z
      .string()
      .regex(/^[a-z0-9_.*-]{1,200}$/, "Expected an action or a glob, like incident.* or *.delete")
      .meta({ example: "incident.*" }),
    index: z.string().min(1).max(256).optional().meta({ example: "itsm_incidents" }),
    enabled: z.boolean().default(true),
  })
  .meta({
    id: "Route",
    description: "Which events a destination takes, to which index; the first match decides",
  });
export type Route = z.infer<typeof Route>;

/** Rules of a destination; `"categories"` asks for the forwarding table of the catalogue. */
export const Routes = z.union([z.literal("categories"), z.array(Route).max(100)]);
export type Routes = z.infer<typeof Routes>;

export const DESTINATION_STATUSES = ["active", "degraded", "failed", "disabled"] as const;
export type DestinationStatus = (typeof DESTINATION_STATUSES)[number];

export const StatusReason = z.object({ code: z.enum(TROUBLES), message: z.string(), since: z.number() });
/** Why a destination is not `active`; `since` in epoch milliseconds. */
export type StatusReason = z.infer<typeof StatusReason>;

/** A destination as stored, without its secrets. `config` stays untyped until a provider connects it. */
export interface DestinationSettings {
  readonly id: string;
  readonly tenantId: string;
  readonly provider: string;
  readonly name: string;
  readonly endpoint: string;
  /** Where it sends to when the provider derives that from its config; null where nobody has noted it yet. */
  readonly origin: string | null;
  readonly enabled: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  readonly routes: Routes;
  readonly allowedOperations: readonly string[];
  /** Whose values are its secrets. */
  readonly credentialId: string;
  /** Grows by one with each change; a lane that was told a newer one fetches it. */
  readonly revision: number;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  /** When it was last switched off; events accepted before that are still owed. */
  readonly disabledAt: EpochMs | null;
  /** When it was deleted; what it owes is flushed, then only its dead letters remain readable. */
  readonly deletedAt: EpochMs | null;
  /** The most lanes that it ever had; `config` says how many are in use (`model/shards.ts`). */
  readonly mostShards: number;
  /** As last reported by its lanes: the worst of those in use. */
  readonly status: "active" | "degraded" | "failed";
  readonly statusReason: StatusReason | null;
}

/** The credential that a destination uses, as far as a delivery needs it. Secrets stay sealed until a provider connects them. */
export interface DestinationCredential {
  /** One from the vault, which several may use and which has names of its own; else the secrets were given with it. */
  readonly credentialIsShared: boolean;
  /** Names of the values; empty where nobody has noted them yet. */
  readonly secretFields: readonly string[];
  /** Opened only for a delivery or a test. */
  readonly sealedSecrets: string;
  /** What to use where those are refused, until then. */
  readonly sealedPreviousSecrets: string | null;
  readonly previousSecretsUntil: EpochMs | null;
  readonly secretsRotatedAt: EpochMs | null;
}

export interface Destination extends DestinationSettings, DestinationCredential {}
