/**
 * The control API of the SIEM simulator, as types.
 *
 * Pure types and no imports: the server, the client and tests in either runtime share this file.
 * Names are spelt as they travel in JSON. Times are epoch milliseconds unless a name says otherwise.
 */

export type Kind = "splunk" | "splunk-search" | "datadog" | "cloudwatch" | "webhook" | "elastic";

/**
 * Which of a destination's doors a request knocked at. A fault may be limited to some of them.
 * `splunk-search` has doors of its own: `login`, `search` (a job made, a oneshot, an export), `job`
 * (its status and control) and `results`.
 */
export type Door = "event" | "ack" | "health" | "login" | "search" | "job" | "results";

/** What an instance stores, the same for every kind. */
export interface StorageConfig {
  /** True: bodies are not kept, events are counted per id. For load tests. Default false. */
  readonly count_only?: boolean;
  /**
   * With `count_only`. False: ids are not kept either, events are only counted. "hashed": ids are counted by their
   * hashes, in 12 bytes each, and not listed; Splunk then reads in full only one of 16 envelopes that look alike.
   * Default true.
   */
  readonly ids?: boolean | "hashed";
  /** How many event bodies are kept; ids are counted beyond it. Default 200,000. */
  readonly max_stored?: number;
}

export interface SplunkToken {
  readonly token: string;
  /** True answers code 1. Default false. */
  readonly disabled?: boolean;
  /** Indexes that the token may write to. Absent: any. */
  readonly indexes?: readonly string[];
  /** Index of events that name none. Default `main`. */
  readonly default_index?: string;
  /** Indexer acknowledgement (`useACK`). Default false. */
  readonly acknowledge?: boolean;
}

export interface SplunkConfig extends StorageConfig {
  readonly tokens: readonly SplunkToken[];
  /** Indexers behind the balancer, each numbering its ackIds alone. Default 1. */
  readonly indexers?: 1 | 2;
  /** What the balancer alternates on when no cookie says otherwise. Default `request`. */
  readonly balance?: "request" | "connection";
  /** The balancer answers `Set-Cookie` and honours it as stickiness. Default false. */
  readonly cookies?: boolean;
  /** From accepted to acknowledged, in ms. Default 1000; a huge number never acknowledges. */
  readonly ack_delay_ms?: number;
  /** Unanswered ackIds that one channel of one indexer holds before code 27. Default 1,000,000. */
  readonly max_pending_acks?: number;
  /** A channel idle for longer forgets its ackIds. Default 600,000 ms (`maxIdleTime`). */
  readonly ack_idle_ms?: number;
  /** `limits.conf [http_input] max_content_length`, in bytes. Default 838,860,800. */
  readonly max_content_length?: number;
  /** Behaves as Splunk Cloud: code 28 for code 10, and a body over 5.5 MB is code 6, number 0. */
  readonly cloud?: boolean;
  /** Accepts `?token=`. Default false, which answers code 16. */
  readonly query_string_auth?: boolean;
  /** Accepts `Authorization: Bearer`, as HEC-compatible receivers of others do. Default false. */
  readonly bearer?: boolean;
}

export interface DatadogConfig extends StorageConfig {
  readonly api_keys: readonly string[];
  /** Site whose keys these are, shown in the summary only. */
  readonly site?: string;
  /** Added to the simulator's clock when the age of a log is judged, in ms. Default 0. */
  readonly now_offset_ms?: number;
}

export interface CloudwatchConfig extends StorageConfig {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  /** The key is a temporary one, and this has to come along. Absent: a lasting key, and none may come. */
  readonly session_token?: string;
  /** The temporary key has run out. Default false. */
  readonly session_expired?: boolean;
  /** That signatures must be made for. Default `us-east-1`. */
  readonly region?: string;
  /** Log groups that exist, each with its streams. Default none. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** Permissions that the key lacks: `logs:PutLogEvents`, `logs:CreateLogStream`, `logs:CreateLogGroup`. */
  readonly deny?: readonly string[];
  /** Retention of every log group. Absent: for ever. */
  readonly retention_days?: number;
  /** Added to the simulator's clock when signatures and times are judged, in ms. Default 0. */
  readonly now_offset_ms?: number;
}

export interface WebhookConfig extends StorageConfig {
  /** Accepted secrets: `whsec_` + base64, or any text. A request signed with one of them is good. */
  readonly secrets: readonly string[];
  /** Header of the plain signature. Default `X-Sluice-Signature`. */
  readonly signature_header?: string;
  /** What a body has to be: `{"events":[…]}` or one event. Absent: either. */
  readonly mode?: "batch" | "event";
  /** Added to the simulator's clock when `webhook-timestamp` is judged, in ms. Default 0. */
  readonly now_offset_ms?: number;
}

/** Needs at least one of `api_keys` and `users`. */
export interface ElasticConfig extends StorageConfig {
  /** With `indices`, patterns like `logs-*`, a key may write there alone and not greet the cluster. */
  readonly api_keys?: readonly {
    readonly id: string;
    readonly api_key: string;
    readonly indices?: readonly string[];
  }[];
  readonly users?: readonly { readonly username: string; readonly password: string }[];
  /** That exist from the beginning. Default none. */
  readonly data_streams?: readonly string[];
  readonly indices?: readonly string[];
  /** What is written to comes into being: `logs-*-*` as a data stream, anything else as an index. Default true. */
  readonly auto_create?: boolean;
  /** Ingest pipelines that exist. Default none. */
  readonly pipelines?: readonly string[];
  /** Documents whose text holds this are answered 400 one by one, `mapper_parsing_exception`. Null: none. */
  readonly reject?: string | null;
  /** Every n-th document, counted over all requests, is answered so and not stored. Null: none. */
  readonly item_fault?: {
    readonly status: number;
    readonly every: number;
    readonly type?: string;
    readonly reason?: string;
  } | null;
  /** `http.max_content_length`, in bytes, compressed and not. Default 104,857,600. */
  readonly max_content_length?: number;
}

/** Splunk's search REST API, on the management port. Needs at least one of `users` and `tokens`. */
export interface SplunkSearchConfig extends StorageConfig {
  /** Basic, and `/services/auth/login`. */
  readonly users?: readonly { readonly username: string; readonly password: string }[];
  /** `Authorization: Bearer`. */
  readonly tokens?: readonly string[];
  /** Good credentials are answered 403. Default false. */
  readonly forbidden?: boolean;
  /** A session key unused for longer is none any more. Default 3,600,000 ms (`sessionTimeout`, 1 h). */
  readonly session_ttl_ms?: number;
  /** Added to the simulator's clock: what Splunk takes for now, in ms. Default 0. */
  readonly clock_offset_ms?: number;
  /** A Splunk before 9.0.2: the paths of v2 answer 404. Default false. */
  readonly disable_v2?: boolean;
  /** How many looks at a job find it not done yet: a 204 first, then QUEUED, PARSING, RUNNING. Default 1. */
  readonly polls_until_done?: number;
  /** A job is forgotten so long after the last look at it. Default 600,000 ms (`ttl`). */
  readonly job_ttl_ms?: number;
  /** `limits.conf [restapi] maxresultrows`. Default 50,000. */
  readonly max_result_rows?: number;
  /** Lines with `preview: true` before those of an export that count. Default 0. */
  readonly export_previews?: number;
  /** Macros that exist. Default `notable`, `get_urgency` and `risk_correlation`. */
  readonly macros?: readonly string[];
  /** The app that macros are seen in, by `/servicesNS/<user>/<app>/`. Null, the default: in every app. */
  readonly macro_app?: string | null;
  /**
   * What becomes of a search with a macro that is not seen. `refused`, the default: 400. `messages`: 200 or a
   * failed job, with messages and no rows. `messages_and_rows`: 200 with an ERROR beside rows.
   */
  readonly missing_macro?: "refused" | "messages" | "messages_and_rows";
}

/** A value of a search's row: several in a multivalue field. */
export type FieldValue = string | readonly string[];

/** A notable (ES 8: a finding) as the `notable` macro shows it. */
export interface Notable {
  /** Epoch seconds, when it happened. */
  readonly _time: number;
  /** Epoch seconds. While the simulated clock has not reached it, no search sees the notable. */
  readonly _indextime: number;
  readonly event_id: string;
  readonly [field: string]: number | FieldValue;
}

export interface NotablesOptions {
  readonly count: number;
  /** The same seed makes the same notables. Default 1. */
  readonly seed?: number;
  /** Share that is indexed late, from 0 to 1. Default 0. */
  readonly lateShare?: number;
  /** A late one is indexed up to so many seconds after it happened, and the first of them exactly so. Default 840. */
  readonly maxLateSeconds?: number;
  /** Form of `event_id`: Enterprise Security up to 7, or 8. Default 7. */
  readonly es?: 7 | 8;
  /** `_time` of the earliest, in epoch seconds. */
  readonly startAt: number;
  /** They happen over so many seconds. Default 3600. */
  readonly spanSeconds?: number;
}

export interface SearchMessage {
  readonly type: "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";
  readonly text: string;
}

/** What the control API tells of one search job. */
export interface SearchJobSummary {
  readonly sid: string;
  readonly search: string;
  readonly created_at: number;
  /** Looks that found it not done. */
  readonly polls: number;
  readonly rows: number;
}

/** One alert as Splunk fires it. Names of the wire, and nothing but `url` is needed. */
export interface AlertFiring {
  readonly url: string;
  /** Splunk's own webhook action, or an app that fills a template. Default `native`. */
  readonly body?: "native" | "template";
  /** Trigger "once": the first row goes along. "Each": one call per row, under the same `sid`. Default `once`. */
  readonly trigger?: "once" | "each";
  /** Rows of the search. Default one row of a high error rate. */
  readonly rows?: readonly Readonly<Record<string, FieldValue>>[];
  /** Null happens: an ad hoc search has no name. Default `High Error Rate`. */
  readonly search_name?: string | null;
  /** Default: one of the scheduler's, new for each firing. */
  readonly sid?: string;
  readonly app?: string;
  readonly owner?: string;
  readonly results_link?: string;
  /** What `$trigger_time$` becomes. Default now, in epoch seconds. */
  readonly trigger_time?: string;
  /** Default: the template of the set-up page, with `$token$`s. */
  readonly template?: string;
  /** False: values go into the template as they are, and a quote in one breaks the JSON. Default true. */
  readonly escape?: boolean;
  /** Default `Splunk`. */
  readonly user_agent?: string;
  /** Further headers: a named secret, say. The native action can send none. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly authorization?: string;
  /** Signs `<t>.<body>` into `t=<unix>,v1=<hex>`. `at` in epoch seconds, default now. */
  readonly hmac?: { readonly secret: string; readonly header?: string; readonly at?: number };
  /** Appended to the URL as its last part. */
  readonly path_secret?: string;
}

/** One call that an alert made. Splunk never tries again, whatever came of it. */
export interface AlertCall {
  /** Null: no answer. */
  readonly status: number | null;
  /** The answer's body, or why there was none. */
  readonly answer: string;
  /** The body sent, exactly. */
  readonly sent: string;
}

export type InstanceConfig =
  | ({ readonly kind: "splunk" } & SplunkConfig)
  | ({ readonly kind: "splunk-search" } & SplunkSearchConfig)
  | ({ readonly kind: "datadog" } & DatadogConfig)
  | ({ readonly kind: "cloudwatch" } & CloudwatchConfig)
  | ({ readonly kind: "webhook" } & WebhookConfig)
  | ({ readonly kind: "elastic" } & ElasticConfig);

interface FaultScope {
  /** Requests that it strikes before it recovers by itself. Absent: until recovered. */
  readonly times?: number;
  /** Doors that it strikes. Absent: all (`poison` and `code` say their own). */
  readonly paths?: readonly Door[];
}

/**
 * A way for a destination to misbehave.
 *
 * `stored` says whether the events of a struck request are kept all the same, which is the
 * ambiguous case that a sender cannot tell from a loss.
 */
export type Fault = FaultScope &
  (
    | {
        readonly mode: "status";
        readonly status: number;
        /** Seconds or an HTTP date, sent as `Retry-After` as it is. */
        readonly retry_after?: number | string;
        readonly headers?: Readonly<Record<string, string>>;
        readonly body?: string;
        readonly stored?: boolean;
      }
    /** Takes the request and never answers. The connection is dropped at recovery. */
    | { readonly mode: "hang"; readonly stored?: boolean }
    /** Drops the connection unanswered; nothing is stored. */
    | { readonly mode: "reset" }
    /** Stores the events, then drops the connection unanswered. */
    | { readonly mode: "reset_after" }
    /** Stores the events and sends half of the answer under its full content-length. */
    | { readonly mode: "half_answer" }
    /** Stores the events and answers properly `ms` later, or at recovery if that is sooner. */
    | { readonly mode: "slow"; readonly ms: number }
    /** 200 with an HTML login page. */
    | { readonly mode: "html" }
    /** 303 to a login page, as Splunk Web does. */
    | { readonly mode: "redirect" }
    /** Splunk only: any result code with its HTTP status, text and side effects. */
    | {
        readonly mode: "code";
        readonly code: number;
        readonly stored?: boolean;
        /** `invalid-event-number` of codes 6, 7, 12, 13 and 15; what precedes the offender is stored. */
        readonly event_number?: number;
      }
    /** `splunk-search` only: a search answers 200 with these messages, and no rows unless `rows`. */
    | { readonly mode: "messages"; readonly messages: readonly SearchMessage[]; readonly rows?: boolean }
    /** `splunk-search` only: a page of results holds at most so many rows, though more were asked for and exist. */
    | { readonly mode: "short_page"; readonly rows: number }
    /** Events whose raw text contains `pattern` are refused. Datadog refuses the whole request. */
    | { readonly mode: "poison"; readonly pattern: string; readonly code?: 6 | 7 | 12 | 13 | 15 }
  );

/** A broken rule of the vendor's, or one that the vendor tolerates and we do not. */
export interface Violation {
  readonly rule: string;
  readonly count: number;
  /** The first case, in a sentence. */
  readonly detail: string;
  readonly first_at: number;
}

export interface Summary {
  readonly name: string;
  readonly kind: Kind;
  readonly requests: number;
  /** Requests answered with something else than 2xx, or not at all. */
  readonly refused: number;
  /** Events received, every copy counted. */
  readonly events: number;
  readonly distinct: number;
  /** Copies beyond the first of the same id. */
  readonly duplicates: number;
  /** Events that carry no id; neither distinct nor duplicates. Kept under the id `-`. */
  readonly anonymous: number;
  /** Event bodies not kept because `max_stored` was reached. */
  readonly not_stored: number;
  readonly violations: readonly Violation[];
  /** The fault in force, `times` being what is left of it. */
  readonly fault: Fault | null;
  /** Requests held open by the fault `hang` or `slow`. */
  readonly hanging: number;
}

export interface EventCounts {
  readonly events: number;
  readonly distinct: number;
}

/** Counts, and when events came: by the requests that brought them, in epoch milliseconds; null without any. */
export interface Arrivals extends EventCounts {
  /** The first since the instance was made, or since a fault was last lifted. */
  readonly first_at: number | null;
  readonly last_at: number | null;
}

export interface EventIds extends EventCounts {
  /** Times received, per id of this page. */
  readonly ids: Readonly<Record<string, number>>;
  /** Ids of this page in the order in which each was first received. */
  readonly order: readonly string[];
}

/** One received copy of an event. */
export interface StoredEvent {
  readonly id: string | null;
  /** The `event` value, or the whole Datadog log item, exactly as received. */
  readonly raw: string;
  /** `raw` parsed; null if it is not JSON (a line of `/raw`). */
  readonly parsed: unknown;
  /** The whole HEC envelope or log item, exactly as received. */
  readonly envelope: string;
  /**
   * Index it went to: the envelope's, else the token's default. Of Datadog's other APIs which one took it:
   * `events_v1`, `events_v2`, `metrics_v2`. Null where the kind has none.
   */
  readonly index: string | null;
  readonly sourcetype: string | null;
  readonly source: string | null;
  readonly host: string | null;
  /** Epoch seconds as sent (HEC), or the log's timestamp attribute. Null if it carries none. */
  readonly time: number | string | null;
  readonly fields: Readonly<Record<string, unknown>> | null;
  readonly received_at: number;
  /** Number of the indexer that took it, from 0. */
  readonly indexer: number;
}

export interface LoggedRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** HTTP status answered; null if the connection was dropped unanswered. */
  readonly status: number | null;
  /** HEC result code, if one was answered. */
  readonly code: number | null;
  /** Bytes of the body as received. */
  readonly bytes: number;
  readonly content_encoding: string | null;
  /** Events stored from it. */
  readonly events: number;
  readonly channel: string | null;
  readonly cookie: string | null;
  readonly indexer: number | null;
  /** A webhook's `webhook-id` and the events that came with it, if it could be read. Null for other kinds. */
  readonly webhook: { readonly id: string; readonly event_ids: readonly string[] } | null;
  /** Mode of the fault that struck it. */
  readonly fault: Fault["mode"] | null;
  /** From the first byte to the answer, in ms. */
  readonly duration_ms: number;
}
