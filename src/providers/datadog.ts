import { z } from "zod";
import { byteLength } from "../base/bytes.ts";
import { hours, isoTime, minutes } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Outcome } from "../model/delivery.ts";
import type { RelayEvent } from "../model/event.ts";
import type { HttpAnswer, HttpRequestSpec } from "../model/http.ts";
import {
  type Connector,
  defineProvider,
  type ProbeReading,
  type RequestLimits,
  type SettingsFault,
} from "../model/provider.ts";
import { parkOlder } from "./shared/age.ts";
import { isWorthCompressing } from "./shared/compress.ts";
import { DATADOG_SITES, datadogSite, logsIntake } from "./shared/datadog-sites.ts";
import { typedUrl } from "./shared/endpoint.ts";
import { reach } from "./shared/reach.ts";
import { type HttpResponse, isHtml, type JsonObject, jsonObject } from "./shared/reply.ts";
import { wholeSeconds } from "./shared/retry-after.ts";
import { outcomeOfFailure, outcomeOfStatus } from "./shared/status.ts";
import { providerText, wordsOf } from "./shared/words.ts";

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
    .meta({ description: `Datadog site: ${DATADOG_SITES.join(", ")}`, example: "datadoghq.eu" }),
  api_url: z
    .string()
    .refine((text) => typedUrl(text).ok, "Expected an https:// URL")
    .optional()
    .meta({ description: "Base of Datadog's API for events and metrics, where it is not the site's own" }),
  service: attribute("a service").default("sluice"),
  source: attribute("a source")
    .default("sluice")
    .meta({ description: "`ddsource`: selects the log pipeline" }),
  tags: z
    .array(z.string().regex(/^[^\s,][^,\n]{0,199}$/, "Expected a tag like env:production, without commas"))
    .max(100)
    .optional(),
  hostname: attribute("a host name").optional(),
  gzip: z.boolean().default(true),
});
type Config = z.infer<typeof Config>;

const key = (what: string) =>
  z
    .string({ error: `Expected the ${what}` })
    .regex(/^[!-~]{1,512}$/, `Expected the ${what} alone: no spaces, line breaks or other characters`);

const Secrets = z.strictObject({
  token: key("API key").meta({ description: "API key" }),
  app_key: key("application key")
    .optional()
    .meta({ description: "Application key, for reading through the proxy" }),
});

// --- Endpoint -------------------------------------------------------------------------------------------

interface Place {
  readonly url: string;
  /** Null for a receiver that is not Datadog's. */
  readonly site: string | null;
}

/** Any of Datadog's hosts stands for its site's intake; a foreign one is called as given, the path added where there is none. */
function placeOf(endpoint: string | null, site: string | undefined): Result<Place, readonly SettingsFault[]> {
  const named = site === undefined ? null : siteNamed(site);
  if (site !== undefined && named === null)
    return err([{ path: "config.site", message: `Expected a Datadog site: ${DATADOG_SITES.join(", ")}` }]);
  if (endpoint === null) {
    if (named === null)
      return err([{ path: "endpoint", message: "Expected the logs intake URL, or config.site" }]);
    return ok({ url: logsIntake(named), site: named });
  }
  const url = typedUrl(endpoint);
  if (!url.ok) return err([{ path: "endpoint", message: url.error }]);
  const found = datadogSite(url.value.hostname);
  if (found === null) {
    const path = url.value.pathname === "/" ? "/api/v2/logs" : url.value.pathname;
    return ok({ url: `${url.value.origin}${path}`, site: named });
  }
  if (named !== null && named !== found)
    return err([{ path: "config.site", message: `Expected ${found}, the site of the endpoint, or no site` }]);
  return ok({ url: logsIntake(found), site: found });
}

function siteNamed(site: string): string | null {
  const url = typedUrl(site);
  return url.ok ? datadogSite(url.value.hostname) : null;
}

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

// --- Answers --------------------------------------------------------------------------------------------

const WRONG_KEY =
  "The API key is not valid at this site: keys belong to one site and organisation, and an application key is no API key.";

/**
 * Datadog has no codes of its own: the HTTP status decides, by the table of `shared/status.ts`, with these rows
 * of its own. A 2xx is believed with no body or a JSON one, since a login page is 200 as well. 400 names no log,
 * so the engine finds the offender by halves.
 */
function readAnswer(answer: HttpAnswer, secrets: readonly string[]): Outcome {
  if (answer.kind === "failure") return outcomeOfFailure(answer);
  const { status, headers } = answer;
  const said = providerText(complaint(jsonObject(answer)), secrets);
  const message = said === "" ? undefined : `HTTP ${status}: ${said}`;
  if (status >= 200 && status < 300 && isIntake(answer))
    return { kind: "delivered", slowDown: false, ackId: null, words: wordsOf(answer, `HTTP ${status}`) };
  if (status === 400)
    return {
      kind: "isolate",
      committed: 0,
      offender: null,
      words: wordsOf(answer, message ?? "HTTP 400: a log was refused"),
    };
  if (status === 401 || status === 403)
    return outcomeOfStatus(answer, `${message ?? `HTTP ${status}`}. ${WRONG_KEY}`);
  const outcome = outcomeOfStatus(answer, message);
  // The limit's own header (https://docs.datadoghq.com/api/latest/rate-limits/, read 2026-11) where there is no `Retry-After`.
  if (outcome.kind === "retry" && status === 429 && outcome.retryAfter === null)
    return { ...outcome, retryAfter: wholeSeconds(headers["x-ratelimit-reset"]) };
  return outcome;
}

/** 202 is the intake's own status, and stands even when its body broke off. */
function isIntake(answer: HttpResponse): boolean {
  if (isHtml(answer)) return false;
  return (
    answer.status === 202 ||
    (answer.body.trim() === "" && !answer.bodyIncomplete) ||
    jsonObject(answer) !== null
  );
}

/** `{"errors":["…"]}`, `{"errors":[{"title","detail"}]}` or `{"error":"…"}`. */
function complaint(body: JsonObject | null): string {
  const errors = body?.["errors"];
  const first: unknown = Array.isArray(errors) ? errors[0] : (body?.["error"] ?? body?.["message"]);
  if (typeof first === "string") return first;
  if (typeof first !== "object" || first === null) return "";
  const { detail, title } = first as { detail?: unknown; title?: unknown }; // any object may be asked for these
  return typeof detail === "string" ? detail : typeof title === "string" ? title : "";
}

// --- Probe ----------------------------------------------------------------------------------------------

const FIX_KEY =
  "Create an API key under Organization Settings, API Keys, on the same site as this destination";

/** One step: the intake checks the key on the log itself, and has no cheaper question. */
function readProbe(answer: HttpAnswer, { url, site }: Place, secrets: readonly string[]): ProbeReading {
  const { checks, verdict } = reach(answer, url);
  if (verdict !== null) return { checks, verdict };
  const { kind, words, ...rest } = readAnswer(answer, secrets);
  const token = { name: "token", ok: true, detail: "The API key is accepted." };
  const decide = (ok: boolean, detail: string, name: string): ProbeReading => ({
    checks: [
      ...checks,
      ...(name === "intake" && kind !== "hold" && kind !== "retry" ? [token] : []),
      { name, ok, detail },
    ],
    verdict: { ok, words, hint: ok ? null : detail, acknowledgement: null },
  });
  if (kind === "delivered") return decide(true, "The logs intake took the test log.", "intake");
  if ("trouble" in rest && rest.trouble === "credentials_rejected")
    return decide(false, `${FIX_KEY}${site === null ? "." : ` (${site}).`}`, "token");
  if (kind === "hold" || (words.httpStatus ?? 0) < 300)
    return decide(false, "This is no logs intake: leave the endpoint out and set config.site.", "intake");
  if (kind === "retry")
    return decide(false, "Datadog takes nothing at the moment; events are kept and tried again.", "intake");
  return decide(false, "The intake refuses the log: its message says why.", "intake");
}

// --- The provider ---------------------------------------------------------------------------------------

export const datadog = defineProvider({
  kind: "datadog",
  title: "Datadog logs",
  config: Config,
  secrets: Secrets,
  operations: ["send_event", "send_metric", "send_log"],
  build({ endpoint, config, secrets }) {
    const place = placeOf(endpoint, config.site);
    if (!place.ok) return place;
    const { url, site } = place.value;
    const headers = { "dd-api-key": secrets.token, "content-type": "application/json" };
    const logs = createLogs(config);
    const known = [secrets.token, ...(secrets.app_key === undefined ? [] : [secrets.app_key])];

    const encode = (events: readonly RelayEvent[]): HttpRequestSpec => {
      const body = logs.write(events);
      return { method: "POST", url, headers, body, gzip: config.gzip && isWorthCompressing(body) };
    };
    const connector: Connector = {
      kind: "datadog",
      limits: LIMITS,
      envelopeBytes: logs.overhead,
      origin: url,
      encode,
      interpret: (answer) => readAnswer(answer, known),
      maxAge: MAX_AGE,
      select: (events, now) => parkOlder(events, { now, than: MAX_AGE, why: tooOld }),
      probe: (event) => [
        { request: encode([event]), read: (answer) => readProbe(answer, place.value, known) },
      ],
      publicConfig: { ...config, ...(site === null ? {} : { site }) },
    };
    return ok(connector);
  },
});
