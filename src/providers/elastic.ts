import { z } from "zod";
import { byteLength, fromBase64, toBase64, utf8 } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { RelayEvent } from "../model/event.ts";
import type { HttpRequestSpec } from "../model/http.ts";
import {
  type Connector,
  defineProvider,
  type EncodeContext,
  type RequestLimits,
  type SettingsFault,
} from "../model/provider.ts";
import { isWorthCompressing } from "./shared/compress.ts";
import { ecsDocument, ecsOverhead } from "./shared/ecs.ts";
import { readBulkAnswer } from "./shared/elastic-bulk.ts";
import { elasticProbe } from "./shared/elastic-probe.ts";
import { typedUrl } from "./shared/endpoint.ts";
import { EVENT_OPERATIONS, performEvents } from "./shared/event-operations.ts";
import { ELASTIC_GUIDE } from "./shared/guides.ts";

/*
 * Elasticsearch and OpenSearch, through `_bulk`: for each event a line that says `create` with the event's id, and
 * the event as an ECS document. Sending again is harmless: a document that is there already answers 409.
 * @see https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk (read 2026-11)
 */

// --- Settings -------------------------------------------------------------------------------------------

const DEFAULT_DATA_STREAM = "logs-sluice.audit-default";

/** Lower case, and none of the characters that Elasticsearch refuses in the name of an index or data stream. */
const targetName = (what: string) =>
  z
    .string()
    .regex(
      /^(?![-_+])(?!\.{1,2}$)[^A-Z\s\\/*?"<>|,#:\u0080-\uffff]{1,255}$/,
      `Expected the name of ${what}: lower case, without spaces and \\ / * ? " < > | , # :`,
    );

const Config = z.strictObject({
  data_stream: targetName("a data stream")
    .optional()
    .meta({
      title: "Data stream",
      description: `Data stream of every event that no route sends elsewhere; ${DEFAULT_DATA_STREAM} when neither it nor an index is named`,
      examples: [DEFAULT_DATA_STREAM],
    }),
  index: targetName("an index")
    .optional()
    .meta({
      title: "Index",
      description: "Plain index or alias in place of the data stream",
      examples: ["audit"],
    }),
  pipeline: z
    .string()
    .regex(/^[!-~]{1,255}$/, "Expected the name of an ingest pipeline")
    .optional()
    .meta({
      title: "Ingest pipeline",
      description:
        "That every document goes through; it has to exist. In Kibana: Stack Management, Ingest Pipelines",
    }),
  gzip: z.boolean().default(true).meta({ title: "Compress requests", description: "With gzip" }),
});
type Config = z.infer<typeof Config>;

const Secrets = z.strictObject({
  token: z
    .string({ error: "Expected the API key" })
    .regex(/^[!-~]{1,1024}$/, "Expected the API key alone: no spaces, line breaks or other characters")
    .optional()
    .meta({
      title: "API key",
      description:
        "Its encoded value, or `id:api_key`. In Kibana: Stack Management, API keys, Create API key, with create_doc and auto_configure on the data stream",
    }),
  username: z
    .string({ error: "Expected the user name" })
    .regex(/^[^\p{Cc}:]{1,256}$/u, "Expected a user name without colons and line breaks")
    .optional()
    .meta({
      title: "User name",
      description: "With a password, in place of an API key; OpenSearch has no API keys",
    }),
  password: z
    .string({ error: "Expected the password" })
    .regex(/^\P{Cc}{1,1024}$/u, "Expected a password without line breaks")
    .optional()
    .meta({ title: "Password", description: "Of that user" }),
});
type Secrets = z.infer<typeof Secrets>;

function targetOf({ data_stream, index }: Config): Result<string, readonly SettingsFault[]> {
  if (data_stream !== undefined && index !== undefined)
    return err([
      {
        path: "config.index",
        message: "Expected a data stream or an index, not both; null takes the other one away",
      },
    ]);
  return ok(index ?? data_stream ?? DEFAULT_DATA_STREAM);
}

// --- Credentials ----------------------------------------------------------------------------------------

interface Login {
  readonly by: "api_key" | "basic";
  readonly header: string;
  /** Whatever must not appear in a text, in each of its spellings. */
  readonly known: readonly string[];
}

function loginOf({ token, username, password }: Secrets): Result<Login, readonly SettingsFault[]> {
  const fault = (path: string, message: string) => err([{ path, message }]);
  if (token !== undefined) {
    if (username !== undefined || password !== undefined)
      return fault(
        "token",
        "Expected an API key, or username and password, not both; null takes a secret away",
      );
    const pair = apiKeyPair(token);
    if (pair === null)
      return fault("token", "Expected the API key's encoded value, or its id and key as id:api_key");
    const encoded = toBase64(utf8(pair));
    const known = [token, pair, encoded, pair.slice(pair.indexOf(":") + 1)];
    return ok({ by: "api_key", header: `ApiKey ${encoded}`, known });
  }
  if (username === undefined && password === undefined)
    return fault("token", "Expected an API key, or username and password");
  if (username === undefined) return fault("username", "Expected the user name that belongs to the password");
  if (password === undefined) return fault("password", "Expected the password that belongs to the user name");
  const encoded = toBase64(utf8(`${username}:${password}`));
  return ok({ by: "basic", header: `Basic ${encoded}`, known: [encoded, password] });
}

const ID_AND_KEY = /^[!-9;-~]+:[!-~]+$/;

/** `id:api_key` from either of the two forms in which consoles show an API key; null for neither. */
function apiKeyPair(token: string): string | null {
  if (token.includes(":")) return ID_AND_KEY.test(token) ? token : null;
  const bare = token.replace(/=+$/, "");
  const bytes = fromBase64(bare.padEnd(Math.ceil(bare.length / 4) * 4, "="));
  const pair = bytes === null ? "" : new TextDecoder().decode(bytes);
  return ID_AND_KEY.test(pair) ? pair : null;
}

// --- Endpoint -------------------------------------------------------------------------------------------

/** The cluster's URL; a path before `_bulk` is kept, for reverse proxies. */
function clusterUrl(typed: string): Result<string, readonly SettingsFault[]> {
  const url = typedUrl(typed);
  if (!url.ok) return err([{ path: "endpoint", message: url.error }]);
  const prefix = url.value.pathname.replace(/\/+_bulk\/*$/, "").replace(/\/+$/, "");
  return ok(`${url.value.origin}${prefix}`);
}

/**
 * Of an answer only so much is read (64 KiB), so each document says its status, and a failure its type and reason.
 * The statuses stay for all, since only the order tells whose they are.
 */
const FILTER = "errors,items.*.status,items.*.error.type,items.*.error.reason";

function bulkUrl(cluster: string, target: string, pipeline: string | undefined): string {
  const through = pipeline === undefined ? "" : `&pipeline=${encodeURIComponent(pipeline)}`;
  return `${cluster}/${encodeURIComponent(target)}/_bulk?filter_path=${FILTER}${through}`;
}

// --- Limits ---------------------------------------------------------------------------------------------

/** `http.max_content_length` is 100 MB by default, and proxies before it often take less; Elastic's own shippers send some MB. */
const LIMITS: RequestLimits = { events: 1_000, bytes: 5_000_000 };

// --- Encoding -------------------------------------------------------------------------------------------

/** A route may name an index of 256 characters (`model/destination.ts`), each at its longest a `\u` escape. */
const LONGEST_ROUTE_INDEX_BYTES = ',"_index":""'.length + 6 * 256;
const ACTION_BYTES = byteLength('{"create":{"_id":""}}\n\n');

/** `create` is the one operation that data streams take, and the one that never overwrites. */
function writeBulk(events: readonly RelayEvent[], { indexFor, now }: EncodeContext): string {
  let body = "";
  for (const event of events) {
    const routed = indexFor(event.action);
    const index = routed === null ? "" : `"_index":${JSON.stringify(routed)},`;
    body += `{"create":{${index}"_id":${JSON.stringify(event.id)}}}\n${ecsDocument(event, now)}\n`;
  }
  return body;
}

function envelopeBytes(event: RelayEvent): number {
  return ACTION_BYTES + LONGEST_ROUTE_INDEX_BYTES + 2 * event.id.length + ecsOverhead(event);
}

// --- The provider ---------------------------------------------------------------------------------------

export const elastic = defineProvider({
  kind: "elastic",
  title: "Elasticsearch or OpenSearch",
  guide: ELASTIC_GUIDE,
  config: Config,
  secrets: Secrets,
  operations: EVENT_OPERATIONS,
  build({ endpoint, config, secrets }) {
    const cluster = clusterUrl(endpoint ?? "");
    if (!cluster.ok) return cluster;
    const target = targetOf(config);
    if (!target.ok) return target;
    const login = loginOf(secrets);
    if (!login.ok) return login;
    const { by, header: authorization, known } = login.value;
    const url = bulkUrl(cluster.value, target.value, config.pipeline);
    const headers = { authorization, "content-type": "application/x-ndjson", accept: "application/json" };

    const encode = (events: readonly RelayEvent[], context: EncodeContext): HttpRequestSpec => {
      const body = writeBulk(events, context);
      return { method: "POST", url, headers, body, gzip: config.gzip && isWorthCompressing(body) };
    };
    const connector: Connector = {
      kind: "elastic",
      limits: LIMITS,
      envelopeBytes,
      origin: cluster.value,
      encode,
      interpret: (answer, sent) => readBulkAnswer(answer, sent, known),
      probe: (event, context) =>
        elasticProbe({
          root: {
            method: "GET",
            url: `${cluster.value}/`,
            headers: { authorization, accept: "application/json" },
          },
          event: encode([event], context),
          target: context.indexFor(event.action) ?? target.value,
          login: by,
          secrets: known,
        }),
      perform: (...call) => performEvents(connector)(...call),
      publicConfig: config.index === undefined ? { ...config, data_stream: target.value } : config,
    };
    return ok(connector);
  },
});
