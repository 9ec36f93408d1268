import { z } from "zod";
import type { DestinationSettings, StatusReason } from "./destination.ts";

/**
 * A destination may have several lanes, its shards, where one object is too slow for it. Batches are spread over them,
 * and what one batch needs stays in one lane.
 */

/** Every question about a destination is one request for each of its lanes, and every lane calls the provider by itself. */
export const MAX_SHARDS = 32;

/** What a destination of any provider may set about its lanes, in its `config`. */
export const ShardConfig = z.strictObject({
  shards: z.int().min(1).max(MAX_SHARDS).default(1).meta({
    title: "Lanes",
    description:
      "More than one for a destination above what one lane delivers, each a worker of its own; events of different batches then keep no order. May be raised and lowered at any time",
  }),
});

/** What finds all lanes of a destination. */
export type LaneOwner = Pick<DestinationSettings, "tenantId" | "id" | "config" | "mostShards">;

/** Lanes that take new batches. A stored value that nothing can be made of counts as 1, as does none. */
export function shardsOf(config: DestinationSettings["config"]): number {
  const { shards } = config;
  const isCount = typeof shards === "number" && Number.isInteger(shards) && shards >= 1;
  return isCount ? Math.min(shards, MAX_SHARDS) : 1;
}

/** Lanes that may hold anything: those in use, and those that ever were. */
export function lanesEver({ config, mostShards }: Pick<LaneOwner, "config" | "mostShards">): number {
  return Math.max(shardsOf(config), mostShards);
}

/** Shard 0 has the name that a destination's only lane has always had. */
export function laneName(tenantId: string, destinationId: string, shard: number): string {
  return shard === 0 ? `${tenantId}/${destinationId}` : `${tenantId}/${destinationId}/${shard}`;
}

/** The shard in an object's name; 0 where it has none, as for an object that has no name. */
export function shardOfName(name: string | undefined): number {
  const shard = /^[^/]+\/[^/]+\/([1-9]\d?)$/.exec(name ?? "")?.[1];
  return shard === undefined ? 0 : Number(shard);
}

/** What a lane says of its health. */
export interface LaneHealth {
  readonly status: "active" | "degraded" | "failed";
  readonly reason: StatusReason | null;
}

const SEVERITY = { active: 0, degraded: 1, failed: 2 } as const;

/** The worst that any lane says, and of equally bad ones what has lasted longest: a destination is as well as its worst lane. */
export function worstHealth(all: readonly LaneHealth[]): LaneHealth {
  let worst: LaneHealth = { status: "active", reason: null };
  for (const health of all) {
    const more = SEVERITY[health.status] - SEVERITY[worst.status];
    const isOlder = (health.reason?.since ?? 0) < (worst.reason?.since ?? 0);
    if (more > 0 || (more === 0 && health.status !== "active" && isOlder)) worst = health;
  }
  return worst;
}
