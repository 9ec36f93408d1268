import { z } from "zod";
import { byteLength } from "../base/bytes.ts";
import { seconds } from "../base/clock.ts";
import { err, ok } from "../base/result.ts";
import type { RelayEvent } from "../model/event.ts";
import type { HttpRequestSpec } from "../model/http.ts";
import {
  type Connector,
  defineProvider,
  type EncodeContext,
  type RequestLimits,
  type Session,
} from "../model/provider.ts";
import { isWorthCompressing } from "./shared/compress.ts";
import { SPLUNK_GUIDE } from "./shared/guides.ts";
import { cookieOf, readHecAcks } from "./shared/hec-acks.ts";
import { hecChannel, hecUrls } from "./shared/hec-endpoint.ts";
import { HEC_OPERATIONS, hecIndex, hecMetadata, hecPerform } from "./shared/hec-operations.ts";
import { hecProbe } from "./shared/hec-probe.ts";
import { readHecAnswer } from "./shared/hec-reply.ts";

/*
 * Splunk, through the HTTP Event Collector (HEC): its JSON envelopes, one after another, in one POST.
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/format-events-for-http-event-collector (read 2026-11)
 */

// --- Settings -------------------------------------------------------------------------------------------

const Config = z.strictObject({
  index: hecIndex.optional().meta({
    title: "Index",
    description:
      "Index of every event that no route sends elsewhere; the token's own when absent. The token must allow it: Settings, Data inputs, HTTP Event Collector, Edit, Select Allowed Indexes",
    examples: ["main", "security"],
  }),
  sourcetype: hecMetadata("a source type")
    .default("_json")
    .meta({ title: "Source type", description: "Sent with every event; `_json` extracts all fields" }),
  source: hecMetadata("a source")
    .default("sluice")
    .meta({ title: "Source", description: "Sent with every event, as `source`" }),
  host: hecMetadata("a host")
    .default("sluice")
    .meta({ title: "Host", description: "Sent with every event, as `host`" }),
  acknowledge: z
    .union([z.literal("auto"), z.boolean()])
    .default("auto")
    .meta({
      title: "Indexer acknowledgement",
      description:
        "Indexer acknowledgement: `auto` follows the token, `false` ignores it, `true` also makes the connection test demand it",
    }),
  ack_timeout_seconds: z.int().min(180).max(600).default(300).meta({
    title: "Acknowledgement timeout in seconds",
    description: "An acknowledgement that takes longer counts as lost, and the events are sent again",
  }),
  auth_scheme: z.enum(["Splunk", "Bearer"]).default("Splunk").meta({
    title: "Authorization scheme",
    description: "`Bearer` is for receivers that speak HEC's format but are not Splunk",
  }),
  gzip: z
    .boolean()
    .default(true)
    .meta({ title: "Compress requests", description: "With gzip, which HEC understands" }),
});

const Secrets = z.strictObject({
  token: z
    .string({ error: "Expected the HEC token" })
    .regex(/^[!-~]{1,512}$/, "Expected the HEC token alone: no spaces, line breaks or other characters")
    .meta({
      title: "HEC token",
      description: "In Splunk: Settings, Data inputs, HTTP Event Collector; the column Token Value",
      examples: ["xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"],
    }),
});

// --- Limits ---------------------------------------------------------------------------------------------

/**
 * 1,000,000 bytes is the `max_content_length` of the oldest releases still met (838,860,800 on Enterprise
 * 10.4, about 5 MB on Splunk Cloud) and what other forwarders settled on.
 */
const LIMITS: RequestLimits = { events: 1_000, bytes: 1_000_000 };

/** A route may name an index of 256 characters (`model/destination.ts`); Splunk's names are ASCII. */
const LONGEST_ROUTE_INDEX_BYTES = ',"index":""'.length + 256;
/** `{"time":` with the longest time, the closing brace and the line break. */
const FRAME_BYTES = 40;

// --- Encoding -------------------------------------------------------------------------------------------

/**
 * Epoch seconds with three decimals. Times before 1970 become 0, since what HEC makes of a sign is not
 * documented; the event's own timestamp stays as it is.
 */
function hecTime(at: number): string {
  if (at < 1_000) return at > 0 ? (at / 1_000).toFixed(3) : "0.000";
  const digits = String(at);
  return `${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

/**
 * Splices events into envelopes without parsing them. The keys are a closed list on purpose: one that HEC
 * does not know makes it drop that event and all that follow, with status 200 (seen on 10.4 and 10.5, 2026-11).
 */
function createEnvelopes(config: z.infer<typeof Config>) {
  const text = JSON.stringify;
  const constant = `,"host":${text(config.host)},"source":${text(config.source)},"sourcetype":${text(config.sourcetype)}`;
  const middles = new Map<string, string>();

  const middleFor = (index: string): string => {
    const known = middles.get(index);
    if (known !== undefined) return known;
    const middle = `${constant}${index === "" ? "" : `,"index":${text(index)}`},"event":`;
    middles.set(index, middle);
    return middle;
  };

  const ownIndex = config.index ?? "";
  const overhead = FRAME_BYTES + byteLength(middleFor(ownIndex)) + LONGEST_ROUTE_INDEX_BYTES;
  return {
    overhead,
    write(events: readonly RelayEvent[], { indexFor }: EncodeContext): string {
      let body = "";
      for (const event of events)
        body += `{"time":${hecTime(event.at)}${middleFor(indexFor(event.action) ?? ownIndex)}${event.json}}\n`;
      return body;
    },
  };
}

/** Before a lane has learned of another: its own channel, and no cookie. */
const OWN_SESSION: Session = { channel: null, cookie: null };

// --- The provider ---------------------------------------------------------------------------------------

export const splunk = defineProvider({
  kind: "splunk",
  title: "Splunk HTTP Event Collector",
  guide: SPLUNK_GUIDE,
  config: Config,
  secrets: Secrets,
  operations: HEC_OPERATIONS,
  build({ destinationId, shard, endpoint, config, secrets }) {
    const urls = hecUrls(endpoint ?? "");
    if (!urls.ok) return err([{ path: "endpoint", message: urls.error }]);
    const { event: url, health, ack } = urls.value;
    // Each lane its own: on a shared one an id that one lane waits for could be told to another.
    const ownChannel = hecChannel(shard === 0 ? destinationId : `${destinationId}/${shard}`);
    const headersIn = ({ channel, cookie }: Session): Readonly<Record<string, string>> => ({
      authorization: `${config.auth_scheme} ${secrets.token}`,
      "content-type": "application/json",
      // Demanded by tokens with acknowledgement on, ignored by others: always sent, so that both kinds work.
      "x-splunk-request-channel": channel ?? ownChannel,
      ...(cookie === null ? {} : { cookie }),
    });
    const envelopes = createEnvelopes(config);
    const known = [secrets.token];

    const post = (body: string, session: Session = OWN_SESSION): HttpRequestSpec => {
      const gzip = config.gzip && isWorthCompressing(body);
      return { method: "POST", url, headers: headersIn(session), body, gzip };
    };
    // Not the lane's channel: what is sent there is asked after by its acknowledgement ids, and this is not.
    const directly: Session = { channel: hecChannel(`${destinationId}/direct`), cookie: null };
    const interpret: Connector["interpret"] = (answer, sent) => {
      const outcome = readHecAnswer(answer, sent, known);
      // With acknowledgements switched off in our settings, nobody asks for the id that the token still causes.
      return "ackId" in outcome && config.acknowledge === false ? { ...outcome, ackId: null } : outcome;
    };
    const connector: Connector = {
      kind: "splunk",
      limits: LIMITS,
      envelopeBytes: () => envelopes.overhead,
      origin: url,
      encode: (events, context) => post(envelopes.write(events, context), context.session),
      interpret,
      acknowledgement: {
        timeout: seconds(config.ack_timeout_seconds),
        query: (session, ackIds) => ({
          method: "POST",
          url: ack,
          headers: headersIn(session),
          body: JSON.stringify({ acks: ackIds }),
        }),
        read: readHecAcks,
        cookieOf,
      },
      probe(event, context) {
        const body = envelopes.write([event], context);
        return hecProbe({
          health: { method: "GET", url: health, headers: {} },
          empty: post(""),
          event: post(body),
          bytes: byteLength(body),
          index: context.indexFor(event.action) ?? config.index ?? null,
          wantsAcks: config.acknowledge === true,
          secrets: known,
        });
      },
      perform: hecPerform({
        maxBytes: LIMITS.bytes,
        defaults: config,
        post: (body) => post(body, directly),
        interpret,
      }),
      publicConfig: config,
    };
    return ok(connector);
  },
});
