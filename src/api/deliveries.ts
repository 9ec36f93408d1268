import { z } from "zod";
import { isoTime, isoTimeOrNull } from "../base/clock.ts";
import { TROUBLES } from "../model/delivery.ts";
import {
  ACKNOWLEDGEMENT_STATES,
  type DeliveryRecord,
  type DestinationCalls,
  type LaneStats,
} from "../model/lane.ts";
import type { LaneOwner } from "../model/shards.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { findDestination } from "./destinations.ts";
import type { Endpoint } from "./endpoint.ts";
import { markedCursor, markedPageRequest, PageQuery } from "./pagination.ts";
import { ProblemError } from "./problem.ts";

/** How soon a caller may ask again for something that a lane did not tell. */
const LANE_RETRY_SECONDS = 5;

const Moment = z.iso.datetime().meta({ example: "2026-06-30T12:00:00.000Z" });

const Delivery = z
  .object({
    id: z.int(),
    time: Moment,
    outcome: z
      .enum(["delivered", "retry", "hold", "isolate", "partial", "split", "fault", "parked"])
      .meta({ description: "`hold` means that settings or credentials are refused and everything is kept" }),
    reason: z.enum(TROUBLES).nullable(),
    events: z.int(),
    delivered: z.int().meta({ description: "Events of these that the provider has taken" }),
    bytes: z.int().meta({ description: "Of the body, before compression" }),
    http_status: z.int().nullable(),
    provider_code: z.string().nullable(),
    latency_ms: z.number(),
    error: z.string().nullable().meta({ description: "The provider's own words; null when all went well" }),
    message: z.string(),
    retry_at: Moment.nullable(),
    acknowledgement: z.enum(ACKNOWLEDGEMENT_STATES).nullable().meta({
      description:
        "With indexer acknowledgement: whether what was accepted has been indexed. `lost` was sent again",
    }),
    maybe_taken: z.boolean().meta({
      description:
        "A possible duplicate: no answer or no acknowledgement came, so what was sent again may be there twice",
    }),
  })
  .meta({ id: "Delivery", description: "One request to the provider" });

const Stats = z
  .object({
    minutes: z.array(z.object({ time: Moment, delivered: z.int(), retried: z.int(), dead: z.int() })).meta({
      description: "Of the last 24 hours, oldest first; a minute in which nothing happened is absent",
    }),
    totals: z
      .object({ delivered: z.int(), retried: z.int(), dead: z.int() })
      .meta({ description: "Events over the same 24 hours" }),
    latency_ms: z
      .object({ p50: z.number().nullable(), p95: z.number().nullable() })
      .meta({ description: "From acceptance to delivery; null before the first" }),
  })
  .meta({ id: "DeliveryStats" });

const read = { kind: "tenant", scope: "destinations:read" } as const;

/**
 * The lane's answer. What the lane cannot tell at the moment is worth asking again, so that is no 500.
 */
export async function askLane<T>(
  deps: Pick<ApiDeps, "lanes" | "log">,
  destination: LaneOwner,
  ask: (lanes: DestinationCalls) => Promise<T>,
): Promise<T> {
  try {
    return await ask(deps.lanes(destination));
  } catch (error) {
    const { tenantId, id } = destination;
    deps.log("error", "lane.unavailable", { tenant_id: tenantId, destination_id: id, error });
    throw new ProblemError({
      code: "unavailable",
      detail: "The destination's lane did not answer. Nothing is lost; ask again in a moment.",
      retryAfterSeconds: LANE_RETRY_SECONDS,
    });
  }
}

export function deliveryEndpoints(deps: ApiDeps): readonly Endpoint[] {
  const common = { method: "get", access: read, tag: "Deliveries", refusals: ["unavailable"] } as const;
  return [
    {
      ...common,
      path: "/v1/audit/siem/{id}/deliveries",
      summary: "List recent attempts",
      query: PageQuery,
      answers: {
        200: {
          description: "Newest first",
          schema: z.object({ data: z.array(Delivery), next_cursor: z.string().nullable() }),
        },
      },
      handle: (c) => listDeliveries(c, deps),
    },
    {
      ...common,
      path: "/v1/audit/siem/{id}/stats",
      summary: "Read the last 24 hours",
      answers: { 200: { schema: Stats, description: "Counts for each minute, and latencies" } },
      async handle(c) {
        const destination = await findDestination(c, deps);
        return c.json(viewStats(await askLane(deps, destination, (lanes) => lanes.stats())));
      },
    },
  ];
}

async function listDeliveries(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const destination = await findDestination(c, deps);
  const name = { list: "deliveries", of: destination.id };
  const { after, limit } = markedPageRequest(c, name);
  const { items, next } = await askLane(deps, destination, (lanes) => lanes.deliveries(after, limit));
  return c.json({ data: items.map(viewDelivery), next_cursor: markedCursor(name, next) });
}

function viewDelivery(record: DeliveryRecord): z.input<typeof Delivery> {
  return {
    id: record.id,
    time: isoTime(record.at),
    outcome: record.outcome,
    reason: record.trouble,
    events: record.events,
    delivered: record.delivered,
    bytes: record.bytes,
    http_status: record.httpStatus,
    provider_code: record.providerCode,
    latency_ms: record.latency,
    error: record.outcome === "delivered" ? null : record.message,
    message: record.message,
    retry_at: isoTimeOrNull(record.retryAt),
    acknowledgement: record.acknowledgement,
    maybe_taken: record.maybeTaken,
  };
}

function viewStats({ minutes, p50, p95 }: LaneStats): z.input<typeof Stats> {
  const totals = { delivered: 0, retried: 0, dead: 0 };
  for (const { delivered, retried, dead } of minutes) {
    totals.delivered += delivered;
    totals.retried += retried;
    totals.dead += dead;
  }
  return {
    minutes: minutes.map(({ at, delivered, retried, dead }) => ({
      time: isoTime(at),
      delivered,
      retried,
      dead,
    })),
    totals,
    latency_ms: { p50, p95 },
  };
}
