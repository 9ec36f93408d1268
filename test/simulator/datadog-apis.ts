/**
 * Datadog's other two intakes: events of both versions, and metrics.
 *
 * Shapes and limits: the schemas in Datadog's generated clients (EventCreateRequest of v1, EventCreateRequestPayload
 * and MetricPayload of v2), read 2026-11. That an event over a limit is a 400, and that a point outside the window
 * is taken and thrown away, is inferred.
 * @see https://docs.datadoghq.com/api/latest/events/#post-an-event
 * @see https://docs.datadoghq.com/api/latest/metrics/#submit-metrics
 */
import { isRecord } from "./shape.ts";

export type Api = "events_v1" | "events_v2" | "metrics_v2";

const PATHS: Readonly<Record<string, Api>> = {
  "/api/v1/events": "events_v1",
  "/api/v2/events": "events_v2",
  "/api/v2/series": "metrics_v2",
};

export function apiOf(path: string): Api | null {
  return Object.hasOwn(PATHS, path) ? (PATHS[path] ?? null) : null;
}

/** Bytes as they travel, and uncompressed. */
export const MAX_METRIC_BYTES = { wire: 512_000, plain: 5_242_880 };

/** What a body comes to. */
export interface Judgement {
  /** Why the whole request is a 400; null where it is taken. */
  readonly refusal: string | null;
  /** JSON of each event or series to keep. */
  readonly kept: readonly string[];
  /** Points that are taken and thrown away, in words. */
  readonly discarded: readonly string[];
}

const EIGHTEEN_HOURS = 18 * 3_600;

const ALERT_TYPES = ["error", "warning", "info", "success", "user_update", "recommendation", "snapshot"];

type Members = Readonly<Record<string, unknown>>;

/** @param now epoch milliseconds */
export function judge(api: Api, body: unknown, now: number): Judgement {
  if (!isRecord(body)) return refuse("the body is no JSON object");
  if (api === "metrics_v2") return judgeSeries(body, now / 1_000);
  const refusal = api === "events_v1" ? faultOfV1(body, now / 1_000) : faultOfV2(body, now / 1_000);
  return refusal === null ? keep([body]) : refuse(refusal);
}

function faultOfV1(event: Members, now: number): string | null {
  const { date_happened: at } = event;
  return first([
    [!isText(event["title"]), 'needs "title"'],
    [!isText(event["text"]), 'needs "text"'],
    [isLonger(event["text"], 4_000), '"text" is over 4000 characters'],
    [isLonger(event["aggregation_key"], 100), '"aggregation_key" is over 100 characters'],
    [isSet(event["alert_type"]) && !ALERT_TYPES.includes(String(event["alert_type"])), "unknown alert_type"],
    [isSet(event["priority"]) && !["normal", "low"].includes(String(event["priority"])), "unknown priority"],
    [isSet(event["tags"]) && !isTexts(event["tags"]), '"tags" is no list of texts'],
    [isSet(at) && !Number.isInteger(at), '"date_happened" is no whole number'],
    [typeof at === "number" && at > 1e11, '"date_happened" is in milliseconds'],
    [typeof at === "number" && at < now - EIGHTEEN_HOURS, "the event is over 18 hours old"],
  ]);
}

function faultOfV2(body: Members, now: number): string | null {
  const data = membersOf(body["data"]);
  const event = membersOf(data["attributes"]);
  const inner = membersOf(event["attributes"]);
  const { timestamp } = event;
  const at = isText(timestamp) ? Date.parse(timestamp) / 1_000 : Number.NaN;
  const isChange = event["category"] === "change";
  return first([
    [data["type"] !== "event", '"data.type" is not "event"'],
    [!isText(event["title"]), 'needs "title"'],
    [isLonger(event["title"], 500), '"title" is over 500 characters'],
    [isLonger(event["message"], 4_000), '"message" is over 4000 characters'],
    [isLonger(event["host"], 255), '"host" is over 255 characters'],
    [isLonger(event["aggregation_key"], 100), '"aggregation_key" is over 100 characters'],
    [isSet(event["tags"]) && !isTexts(event["tags"], 100), '"tags" is no list of up to 100 texts'],
    [!isChange && event["category"] !== "alert", "category is neither change nor alert"],
    [isChange && !isText(membersOf(inner["changed_resource"])["name"]), "changed_resource needs a name"],
    [!isChange && !["ok", "warn", "error"].includes(String(inner["status"])), "unknown status"],
    [isSet(timestamp) && Number.isNaN(at), '"timestamp" is not ISO 8601'],
    [at < now - EIGHTEEN_HOURS, "the event is over 18 hours old"],
  ]);
}

function judgeSeries({ series }: Members, now: number): Judgement {
  if (!Array.isArray(series) || series.length === 0) return refuse('needs "series"');
  const kept: unknown[] = [];
  const discarded: string[] = [];
  for (const one of series as readonly unknown[]) {
    const { metric, type, points } = membersOf(one);
    if (!isText(metric)) return refuse('a series needs "metric"');
    if (isSet(type) && ![0, 1, 2, 3].includes(Number(type))) return refuse("type is not 0, 1, 2 or 3");
    if (typeof type === "string") return refuse("type is a text");
    if (!Array.isArray(points) || points.length === 0) return refuse('a series needs "points"');
    const times = (points as readonly unknown[]).map((point) => {
      const { timestamp, value } = membersOf(point);
      return Number.isInteger(timestamp) && typeof value === "number" ? Number(timestamp) : null;
    });
    if (times.includes(null)) return refuse("a point needs a whole timestamp and a number as value");
    const stray = times.filter((at) => at !== null && (at < now - 3_600 || at > now + 600));
    if (stray.length > 0) discarded.push(`${stray.length} points of ${metric} answer 202 and are discarded`);
    if (stray.length < times.length) kept.push(one);
  }
  return { ...keep(kept), discarded };
}

function keep(values: readonly unknown[]): Judgement {
  return { refusal: null, kept: values.map((value) => JSON.stringify(value)), discarded: [] };
}

function refuse(refusal: string): Judgement {
  return { refusal, kept: [], discarded: [] };
}

function first(rules: readonly (readonly [isBroken: boolean, detail: string])[]): string | null {
  return rules.find(([isBroken]) => isBroken)?.[1] ?? null;
}

function isSet(value: unknown): boolean {
  return value !== undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isLonger(value: unknown, characters: number): boolean {
  return isSet(value) && (typeof value !== "string" || value.length > characters);
}

function isTexts(value: unknown, most = Number.POSITIVE_INFINITY): boolean {
  return Array.isArray(value) && value.length <= most && value.every(isText);
}

function membersOf(value: unknown): Members {
  return isRecord(value) ? value : {};
}
