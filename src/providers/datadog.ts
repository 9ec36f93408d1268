import { z } from "zod";
import { byteLength } from "../base/bytes.ts";
import { hours, isoTime, minutes } from "../base/clock.ts";
import { ok } from "../base/result.ts";
import type { RelayEvent } from "../model/event.ts";
import type { HttpRequestSpec } from "../model/http.ts";
import { type Connector, defineProvider, type RequestLimits } from "../model/provider.ts";
import { parkOlder } from "./shared/age.ts";
import { isWorthCompressing } from "./shared/compress.ts";
import { readAnswer } from "./shared/datadog-answer.ts";
import type { DatadogCalls } from "./shared/datadog-calls.ts";
import { SEND_EVENT, sendEvent } from "./shared/datadog-events.ts";
import { SEND_LOG, sendLog } from "./shared/datadog-logs.ts";
import { SEND_METRIC, sendMetric } from "./shared/datadog-metrics.ts";
import { placeOf } from "./shared/datadog-place.ts";
import { datadogProbe } from "./shared/datadog-probe.ts";
import { DATADOG_SITES } from "./shared/datadog-sites.ts";
import { typedUrl } from "./shared/endpoint.ts";
import { DATADOG_GUIDE } from "./shared/guides.ts";
import { performAll } from "./shared/perform.ts";

/*
 * Datadog, through the logs intake, version 2: a JSON array of logs in one POST.
 * @see https://docs.datadoghq.com/api/latest/logs/#send-logs (read 2026-11)
 */

// --- Settings -------------------------------------------------------------------------------------------

const attribute = (what: string) =>
  z.string().min(1, `Expected ${what}`).max(200, `Expected a shorter ${what}`);

const Config = z.strictObject({
  site: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .meta({
      title: "Datadog site",
      description: `The site that your keys belong to, as in the address of Datadog in your browser: ${DATADOG_SITES.join(", ")}`,
      examples: [...DATADOG_SITES],
    }),
  api_url: z
    .string()
    .refine((text) => typedUrl(text).ok, "Expected an https:// URL")
    .optional()
    .meta({
      title: "API URL",
      description: "Base of Datadog's API for events and metrics, where it is not the site's own",
      examples: ["https://api.datadoghq.eu"],
    }),
  service: attribute("a service")
    .default("sluice")
    .meta({ title: "Service", description: "The reserved attribute `service` of every log" }),
  source: attribute("a source")
    .default("sluice")
    .meta({ title: "Source", description: "`ddsource`: selects the log pipeline" }),
  tags: z
    .array(z.string().regex(/^[^\s,][^,\n]{0,199}$/, "Expected a tag like env:production, without commas"))
    .max(100)
    .optional()
    .meta({
      title: "Tags",
      description: "`ddtags` of every log",
      examples: [["env:production", "team:security"]],
    }),
  hostname: attribute("a host name")
    .optional()
    .meta({ title: "Host name", description: "The reserved attribute `host` of every log" }),
  gzip: z.boolean().default(true).meta({ title: "Compress requests", description: "With gzip" }),
});
type Config = z.infer<typeof Config>;

const key = (what: string) =>
  z
    .string({ error: `Expected the ${what}` })
    .regex(/^[!-~]{1,512}$/, `Expected the ${what} alone: no spaces, line breaks or other characters`);

const Secrets = z.strictObject({
  token: key("API key").meta({
    title: "API key",
    description:
      "In Datadog: Organization Settings, API Keys. An application key is no API key, and a key is valid at one site only",
    examples: ["0123456789abcdef0123456789abcdef"],
  }),
  app_key: key("application key").optional().meta({
    title: "Application key",
    description: "For reading through the proxy; delivery does not need it",
  }),
});

// --- Limits ---------------------------------------------------------------------------------------------

/** Datadog takes 5 MB uncompressed and 1,000 logs; the bytes keep the distance that Datadog's own forwarders keep. */
const LIMITS: RequestLimits = { events: 1_000, bytes: 4_250_000 };

/** A log older than 18 h is answered 202 and thrown away; the margin is for the way there and for clocks that differ. */
const MAX_AGE = hours(18) - minutes(5);

/** An id of 128 characters, each escaped; the time; comma and brackets. */
const LONGEST_ID_AND_TIME_BYTES = 256 + 20;

function tooOld({ at }: RelayEvent): string {
  return `Datadog throws away logs that are more than 18 hours old, and this event is of ${isoTime(at)}.`;
}

// --- Encoding -------------------------------------------------------------------------------------------

/**
 * The event travels as text in `message`: Datadog parses it into attributes all the same, and the text stays
 * what the integrity hash was made over. `timestamp` is the log's date, in milliseconds.
 *
 * The events stay unparsed; only the few keys around them are objects, since the serialiser escapes a batch
 * of them faster (0.9 µs an event, measured in workerd 2026-11) than spliced strings could be escaped one by one.
 */
function createLogs({ source, service, hostname, tags }: Config) {
  const ddtags = tags === undefined || tags.length === 0 ? undefined : tags.join(",");
  const log = ({ id, at, action, json }: RelayEvent) => ({
    message: json,
    ddsource: source,
    service,
    hostname, // left out of the JSON where it is not set, as the tags are
    ddtags,
    timestamp: at,
    evt: { id, name: action },
  });
  const overhead =
    byteLength(JSON.stringify(log({ id: "", at: 0, action: "", json: "" }))) + LONGEST_ID_AND_TIME_BYTES;

  return {
    /** Quotes and backslashes double, so a text can at most double; counting them would cost more than it saves. */
    overhead: (event: RelayEvent): number => overhead + event.json.length + event.action.length,
    write: (events: readonly RelayEvent[]): string => JSON.stringify(events.map(log)),
  };
}

// --- The provider ---------------------------------------------------------------------------------------

export const datadog = defineProvider({
  kind: "datadog",
  title: "Datadog logs",
  guide: DATADOG_GUIDE,
  config: Config,
  secrets: Secrets,
  operations: { send_event: SEND_EVENT, send_metric: SEND_METRIC, send_log: SEND_LOG },
  build({ endpoint, config, secrets }) {
    const place = placeOf({ endpoint, site: config.site, apiUrl: config.api_url });
    if (!place.ok) return place;
    const { url, site, api, events } = place.value;
    const headers = { "dd-api-key": secrets.token, "content-type": "application/json" };
    const logs = createLogs(config);
    const known = [secrets.token, ...(secrets.app_key === undefined ? [] : [secrets.app_key])];

    const calls: DatadogCalls = {
      headers,
      gzip: config.gzip,
      read: (answer, what) => readAnswer(answer, known, what),
    };

    const encode = (events: readonly RelayEvent[]): HttpRequestSpec => {
      const body = logs.write(events);
      return { method: "POST", url, headers, body, gzip: config.gzip && isWorthCompressing(body) };
    };
    const connector: Connector = {
      kind: "datadog",
      limits: LIMITS,
      envelopeBytes: logs.overhead,
      origin: url,
      alsoCalls: config.api_url === undefined ? [] : [{ path: "config.api_url", url: api }],
      encode,
      interpret: (answer) => readAnswer(answer, known),
      maxAge: MAX_AGE,
      select: (events, now) => parkOlder(events, { now, than: MAX_AGE, why: tooOld }),
      probe: (event) => datadogProbe({ place: place.value, headers, log: encode([event]), secrets: known }),
      perform: performAll({
        send_event: sendEvent({ ...calls, api, events }),
        send_metric: sendMetric({ ...calls, api }),
        send_log: sendLog({ ...calls, url, limits: LIMITS, defaults: config }),
      }),
      publicConfig: { ...config, ...(site === null ? {} : { site }) },
    };
    return ok(connector);
  },
});
