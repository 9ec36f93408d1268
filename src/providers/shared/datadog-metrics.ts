import { z } from "zod";
import { byteLength } from "../../base/bytes.ts";
import { type EpochMs, hours, minutes, seconds } from "../../base/clock.ts";
import { err } from "../../base/result.ts";
import type { SettingsFault } from "../../model/provider.ts";
import { call, type DatadogCalls, LAST_SECOND, limitedText, Tags } from "./datadog-calls.ts";
import { operation, type Performer, payloadFault, performing, refused } from "./perform.ts";

/*
 * Datadog's Metrics API, version 2: series of points.
 * @see https://docs.datadoghq.com/api/latest/metrics/#submit-metrics (read 2026-11)
 */

/** Names are for people; numbers are what travels. */
const TYPES = { unspecified: 0, count: 1, rate: 2, gauge: 3 } as const;

const Type = z.union([z.enum(["unspecified", "count", "rate", "gauge"]), z.literal(Object.values(TYPES))], {
  error: "Expected count, rate or gauge",
});

const Point = z.strictObject({
  timestamp: z
    .int({ error: "Expected epoch seconds as a whole number" })
    .min(0, "Expected epoch seconds")
    .max(LAST_SECOND, "Expected epoch seconds, not milliseconds")
    .optional()
    .meta({
      description: "Epoch seconds, from an hour ago to 10 minutes ahead; the time of the call when absent",
    }),
  value: z.number({ error: "Expected a number" }),
});

const Series = z.strictObject({
  metric: z
    .string({ error: "Expected a metric's name" })
    .regex(/^[A-Za-z][A-Za-z0-9_.]{0,199}$/, "Expected up to 200 letters, digits, _ and ., a letter first"),
  type: Type.optional(),
  points: z.array(Point, { error: "Expected a list of points" }).min(1, "Expected at least one point"),
  interval: z.int().min(1).optional().meta({ description: "Seconds that a count or rate stands for" }),
  unit: limitedText("a unit", 100).optional(),
  tags: Tags.optional(),
  host: limitedText("a host", 255).optional().meta({ description: "Short for a resource of type host" }),
  resources: z
    .array(z.strictObject({ type: limitedText("a type", 100), name: limitedText("a name", 255) }))
    .max(100, "Expected at most 100 resources")
    .optional(),
  source_type_name: limitedText("a source type", 100).optional(),
});
type Series = z.infer<typeof Series>;

const SendMetric = z.strictObject({
  series: z.array(Series, { error: "Expected a list of series" }).min(1, "Expected at least one series"),
});

export const SEND_METRIC = operation("Submits points of one or several metrics to Datadog.", SendMetric, {
  series: [{ metric: "vault.operations", type: "count", points: [{ value: 3 }], tags: ["env:production"] }],
});

/**
 * Datadog takes 512,000 bytes as they travel, and 5,242,880 uncompressed. Held to the smaller before compression,
 * since how far a body shrinks is not known when it is made.
 */
const MAX_BYTES = 512_000;

const MAX_AGE = hours(1);
const MAX_AHEAD = minutes(10);
/** For the way there and for clocks that differ. */
const MARGIN = seconds(30);

export function sendMetric(calls: DatadogCalls & { readonly api: string }): Performer {
  return performing(SendMetric, ({ series }, { now }) => {
    const faults = series.flatMap((one, index) => untimely(one, index, now));
    if (faults.length > 0) return err(faults);
    const body = JSON.stringify({ series: series.map((one) => write(one, now)) });
    const bytes = byteLength(body);
    if (bytes > MAX_BYTES) return refused("series", `Expected at most ${MAX_BYTES} bytes, not ${bytes}`);
    return call(calls, { url: `${calls.api}/api/v2/series`, body, what: "a metric", mayCompress: true });
  });
}

function untimely({ points }: Series, series: number, now: EpochMs): readonly SettingsFault[] {
  return points.flatMap(({ timestamp }, index) => {
    const at = timestamp === undefined ? now : seconds(timestamp);
    if (at >= now - MAX_AGE + MARGIN && at <= now + MAX_AHEAD - MARGIN) return [];
    const message = "Expected a time between an hour ago and 10 minutes ahead: Datadog takes no other";
    return [payloadFault(`series.${series}.points.${index}.timestamp`, message)];
  });
}

/** What is undefined is left out. */
function write({ type, points, host, resources = [], ...rest }: Series, now: EpochMs): object {
  const all = host === undefined ? resources : [{ type: "host", name: host }, ...resources];
  return {
    ...rest,
    type: typeof type === "string" ? TYPES[type] : type,
    points: points.map(({ timestamp = Math.floor(now / 1_000), value }) => ({ timestamp, value })),
    resources: all.length === 0 ? undefined : all,
  };
}
