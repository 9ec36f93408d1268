import { z } from "zod";
import { byteLength } from "../../base/bytes.ts";
import { seconds } from "../../base/clock.ts";
import { MAX_EVENT_BYTES } from "../../model/event.ts";
import {
  call,
  type DatadogCalls,
  isTooOld,
  LAST_SECOND,
  limitedText,
  Tags,
  TOO_OLD,
} from "./datadog-calls.ts";
import { hasField, isDeeperThan, operation, type Performer, performing, refused } from "./perform.ts";

/*
 * Datadog's Events API: version 1, and for events with a category version 2, each in the shape that Datadog documents.
 * @see https://docs.datadoghq.com/api/latest/events/#post-an-event (read 2026-11)
 */

// --- Version 1 ------------------------------------------------------------------------------------------

const ALERT_TYPES = [
  "error",
  "warning",
  "info",
  "success",
  "user_update",
  "recommendation",
  "snapshot",
] as const;

const AggregationKey = limitedText("an aggregation key", 100);
const Host = limitedText("a host", 255);
/** Version 1 states no limit for titles in its newest schema; this is version 2's. */
const Title = limitedText("a title", 500);

const PlainEvent = z.strictObject({
  title: Title,
  text: limitedText("a text", 4_000).meta({ description: "Markdown between `%%%` lines" }),
  tags: Tags.optional(),
  alert_type: z.enum(ALERT_TYPES).optional(),
  priority: z.enum(["normal", "low"]).optional(),
  aggregation_key: AggregationKey.optional(),
  date_happened: z
    .int({ error: "Expected epoch seconds as a whole number" })
    .min(0, "Expected epoch seconds")
    .max(LAST_SECOND, "Expected epoch seconds, not milliseconds")
    .optional()
    .meta({ description: "Epoch seconds, at most 18 hours ago" }),
  host: Host.optional(),
  source_type_name: limitedText("a source type", 100).optional(),
});

// --- Version 2 ------------------------------------------------------------------------------------------

const FreeForm = z.record(z.string(), z.unknown(), { error: "Expected an object" });
const named = <Type extends string>(types: readonly [Type, ...Type[]]) =>
  z.strictObject({ name: limitedText("a name", 128), type: z.enum(types) });

const ChangeAttributes = z.strictObject({
  changed_resource: named(["feature_flag", "configuration"]),
  author: named(["user", "system", "api", "automation"]).optional(),
  impacted_resources: z
    .array(named(["service"]))
    .max(100, "Expected at most 100 resources")
    .optional(),
  change_metadata: FreeForm.optional(),
  new_value: FreeForm.optional(),
  prev_value: FreeForm.optional(),
});

const MAX_CUSTOM_PROPERTIES = 100;
const MAX_CUSTOM_LEVELS = 10;

const AlertAttributes = z.strictObject({
  status: z.enum(["ok", "warn", "error"]),
  priority: z.enum(["1", "2", "3", "4", "5"]).optional(),
  custom: FreeForm.refine(
    (custom) => countProperties(custom) <= MAX_CUSTOM_PROPERTIES,
    `Expected at most ${MAX_CUSTOM_PROPERTIES} properties`,
  )
    .refine(
      (custom) => !isDeeperThan(custom, MAX_CUSTOM_LEVELS),
      `Expected at most ${MAX_CUSTOM_LEVELS} levels`,
    )
    .optional(),
  links: z
    .array(
      z.strictObject({
        category: z.enum(["runbook", "documentation", "dashboard", "resource"]),
        title: limitedText("a link's title", 300).optional(),
        url: limitedText("a URL", 2_048),
      }),
    )
    .max(20, "Expected at most 20 links")
    .optional(),
});

/** Of all levels: Datadog does not say which are counted, and this is the stricter reading. */
function countProperties(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner = Object.values(value);
  const own = Array.isArray(value) ? 0 : inner.length;
  return inner.reduce<number>((sum, each) => sum + countProperties(each), own);
}

const COMMON = {
  title: Title,
  message: limitedText("a message", 4_000).optional(),
  tags: Tags.optional(),
  host: Host.optional(),
  aggregation_key: AggregationKey.optional(),
  timestamp: z.iso
    .datetime({ offset: true, error: "Expected an ISO 8601 time like 2026-06-30T12:34:56.789Z" })
    .optional()
    .meta({ description: "At most 18 hours ago; the time of receipt when absent" }),
  integration_id: z.literal("custom-events").optional(),
};

const CategoryEvent = z.discriminatedUnion(
  "category",
  [
    z.strictObject({ ...COMMON, category: z.literal("change"), attributes: ChangeAttributes }),
    z.strictObject({ ...COMMON, category: z.literal("alert"), attributes: AlertAttributes }),
  ],
  { error: "Expected change or alert, or no category" },
);

// --- The operation --------------------------------------------------------------------------------------

export const SEND_EVENT = operation(
  "Posts one event to Datadog's event stream; with a category, a change or alert event of version 2.",
  z.union([PlainEvent, CategoryEvent]),
  { title: "Credential rotated", text: "Vault entry rotated", tags: ["env:production"] },
  (payload) => (hasField(payload, "category") ? CategoryEvent : PlainEvent),
);

interface EventApis extends DatadogCalls {
  readonly api: string;
  /** Base of version 2. */
  readonly events: string;
}

export function sendEvent(calls: EventApis): Performer {
  const what = "the event";
  const plain = performing(PlainEvent, (event, { now }) => {
    if (event.date_happened !== undefined && isTooOld(seconds(event.date_happened), now))
      return refused("date_happened", TOO_OLD);
    const url = `${calls.api}/api/v1/events`;
    return call(calls, { url, body: JSON.stringify(event), what, mayCompress: false });
  });
  const withCategory = performing(CategoryEvent, (event, { now }) => {
    if (event.timestamp !== undefined && isTooOld(Date.parse(event.timestamp), now))
      return refused("timestamp", TOO_OLD);
    const body = JSON.stringify({ data: { type: "event", attributes: event } });
    // Datadog names no limit for the whole: this is the relay's own for one event.
    if (byteLength(body) > MAX_EVENT_BYTES)
      return refused("attributes", `Expected an event of at most ${MAX_EVENT_BYTES} bytes`);
    return call(calls, { url: `${calls.events}/api/v2/events`, body, what, mayCompress: false });
  });
  return (payload, context) => (hasField(payload, "category") ? withCategory : plain)(payload, context);
}
