/**
 * Datadog logs intake v2, events v1 and v2, metrics v2, and the key check.
 *
 * Limits and statuses: Datadog API docs "Send logs" and the descriptions in Datadog's generated clients
 * (5 MB a payload, 1 MB a log, 1000 entries, 18 h back), read 2026-11. Where they say "MB" the smaller
 * reading, 1,000,000 bytes, is taken: a sender within it is within both.
 * @see https://docs.datadoghq.com/api/latest/logs/#send-logs
 */
import type { Door, InstanceConfig, StoredEvent } from "./control.ts";
import { type Api, apiOf, judge, MAX_METRIC_BYTES } from "./datadog-apis.ts";
import { type LogItem, logId, readLogs } from "./datadog-logs.ts";
import { parsedOrNull, textOrNull } from "./hec-describe.ts";
import { checkHouseRules } from "./house-rules.ts";
import { inflate } from "./inflate.ts";
import type { Copy, Ledger } from "./ledger.ts";
import {
  type Exchange,
  header,
  JSON_TYPE,
  type Receiver,
  type ReceiverKind,
  type Reply,
} from "./receiver.ts";
import {
  checkShape,
  isRecord,
  number,
  oneOf,
  required,
  type Shape,
  STORAGE_SHAPE,
  text,
  texts,
} from "./shape.ts";

const MAX_PAYLOAD_BYTES = 5_000_000;
const MAX_ITEM_BYTES = 1_000_000;
const MAX_ITEMS = 1000;
const MAX_AGE_MS = 18 * 60 * 60 * 1000;

const SHAPE: Shape = {
  ...STORAGE_SHAPE,
  kind: required(oneOf("datadog")),
  api_keys: required(texts),
  site: text,
  now_offset_ms: number,
};

type DatadogInstance = Extract<InstanceConfig, { kind: "datadog" }>;

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Payload Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

class Datadog implements Receiver {
  #config: DatadogInstance;
  readonly #ledger: Ledger;
  /** The limit is on uncompressed bytes; twice that on the wire can only be too large. */
  readonly maxBodyBytes = 2 * MAX_PAYLOAD_BYTES;

  constructor(config: DatadogInstance, ledger: Ledger) {
    this.#config = config;
    this.#ledger = ledger;
  }

  configure(config: InstanceConfig): void {
    this.#config = parseConfig(config);
  }

  door(path: string): Door | null {
    if (path === "/api/v2/logs" || apiOf(path) !== null) return "event";
    return path === "/api/v1/validate" ? "health" : null;
  }

  receive(exchange: Exchange): Reply {
    const door = this.door(exchange.path);
    if (door === null) return this.#refuse(404, `no ${exchange.path}`, exchange);
    const method = door === "event" ? "POST" : "GET";
    if (exchange.method !== method) return this.#refuse(405, `${exchange.method} ${exchange.path}`, exchange);
    const key = header(exchange.headers, "dd-api-key");
    const isValid = key !== null && this.#config.api_keys.includes(key);
    if (door === "health") return isValid ? json(200, { valid: true }) : json(403, { errors: ["Forbidden"] });
    if (key === null) return this.#refuse(401, "DD-API-KEY is missing", exchange);
    if (!isValid) return this.#refuse(403, "API key is invalid", exchange);
    const api = apiOf(exchange.path);
    return api === null ? this.#takeLogs(exchange) : this.#takeCall(api, exchange);
  }

  /** Events travel as they are; only metrics are documented to come compressed. */
  #takeCall(api: Api, exchange: Exchange): Reply {
    const { body, headers, fault, at } = exchange;
    const isMetric = api === "metrics_v2";
    const plain = inflate(body, {
      encoding: header(headers, "content-encoding"),
      accepted: isMetric ? ["gzip", "deflate"] : [],
      maxBytes: isMetric ? MAX_METRIC_BYTES.plain : MAX_PAYLOAD_BYTES,
    });
    if (isMetric && body.length > MAX_METRIC_BYTES.wire)
      return this.#refuse(413, `over ${MAX_METRIC_BYTES.wire} bytes`, exchange);
    if (!plain.ok)
      return plain.reason === "too_large"
        ? this.#refuse(413, "over the limit uncompressed", exchange)
        : this.#refuse(400, `content encoding is ${plain.reason}`, exchange);
    if (fault?.mode === "poison" && plain.body.includes(fault.pattern))
      return { ...errors(400, "invalid event"), struck: true };
    const now = at + (this.#config.now_offset_ms ?? 0);
    const { refusal, kept, discarded } = judge(api, parsedOrNull(plain.body.toString("utf8")), now);
    if (refusal !== null) return this.#refuse(400, refusal, exchange);
    for (const detail of discarded) this.#ledger.violate("metric_out_of_window", at, detail);
    for (const text of kept)
      if (this.#ledger.keepsBodies)
        this.#ledger.keep(null, { text, index: api, line: null, receivedAt: at, indexer: 0 });
      else this.#ledger.count(null);
    const taken = isMetric
      ? { errors: [] }
      : api === "events_v1"
        ? { status: "ok" }
        : { data: { type: "event" } };
    return { ...json(202, taken), events: kept.length };
  }

  #takeLogs(exchange: Exchange): Reply {
    const { body, headers, fault, at } = exchange;
    const plain = inflate(body, {
      encoding: header(headers, "content-encoding"),
      accepted: ["gzip", "deflate"],
      maxBytes: MAX_PAYLOAD_BYTES,
    });
    if (!plain.ok)
      return plain.reason === "too_large"
        ? this.#refuse(413, `over ${MAX_PAYLOAD_BYTES} bytes uncompressed`, exchange)
        : this.#refuse(400, `content encoding is ${plain.reason}`, exchange);
    const logs = readLogs(plain.body, { strict: this.#ledger.keepsBodies });
    if (typeof logs === "string") return this.#refuse(400, logs, exchange);
    if (logs.length > MAX_ITEMS) return this.#refuse(413, `${logs.length} entries`, exchange);
    if (fault?.mode === "poison" && plain.body.includes(fault.pattern))
      return { ...errors(400, "invalid log"), struck: true };
    checkHouseRules(this.#ledger, {
      at,
      wireBytes: body.length,
      plain,
      events: logs.length,
      maxPlainBytes: MAX_PAYLOAD_BYTES,
    });
    const now = at + (this.#config.now_offset_ms ?? 0);
    const events = logs.filter((log) => this.#take(plain.body, log, { at, now })).length;
    return { ...json(202, {}), events };
  }

  /** @returns false for a log that is accepted and thrown away */
  #take(body: Buffer, log: LogItem, { at, now }: { at: number; now: number }): boolean {
    const ledger = this.#ledger;
    if (log.timeMs !== null && log.timeMs < now - MAX_AGE_MS) {
      const age = ((now - log.timeMs) / 3_600_000).toFixed(1);
      ledger.violate("too_old", at, `a log ${age} h old answers 202 and is discarded`);
      return false;
    }
    const id = ledger.keepsIds ? logId(body, log) : null;
    const bytes = log.end - log.start;
    if (bytes > MAX_ITEM_BYTES)
      ledger.violate("truncated", at, `a log of ${bytes} bytes answers 202 and is cut`);
    if (!ledger.keepsBodies) {
      ledger.count(id);
      return true;
    }
    const end = Math.min(log.end, log.start + MAX_ITEM_BYTES);
    const kept = { text: body.toString("utf8", log.start, end), index: null, line: null };
    ledger.keep(id, { ...kept, receivedAt: at, indexer: 0 });
    return true;
  }

  #refuse(status: number, detail: string, { at }: Exchange): Reply {
    this.#ledger.violate(`datadog_${status}`, at, detail);
    return errors(status, detail);
  }

  tooLarge(bytes: number): Reply {
    this.#ledger.violate("datadog_413", Date.now(), `${bytes} bytes`);
    return errors(413, `${bytes} bytes`);
  }

  /** The rate limit headers come with every 429; `x-ratelimit-reset` is in seconds from now. */
  refusal(status: number, retryAfter: string | null): Reply {
    const reply = errors(status, TITLES[status] ?? "Error");
    if (status !== 429) return reply;
    const limits = {
      "x-ratelimit-limit": "1000",
      "x-ratelimit-period": "60",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": /^\d+$/.test(retryAfter ?? "") ? String(retryAfter) : "60",
    };
    return { ...reply, headers: { ...reply.headers, ...limits } };
  }

  describe(id: string | null, copy: Copy): StoredEvent {
    const parsed = parsedOrNull(copy.text);
    const item = isRecord(parsed) ? parsed : {};
    const time = item["timestamp"] ?? item["@timestamp"] ?? item["date"];
    return {
      id,
      raw: copy.text,
      parsed,
      envelope: copy.text,
      index: copy.index,
      sourcetype: textOrNull(item["ddsource"]),
      source: textOrNull(item["service"]),
      host: textOrNull(item["hostname"]),
      time: typeof time === "string" || typeof time === "number" ? time : null,
      fields: null,
      received_at: copy.receivedAt,
      indexer: copy.indexer,
    };
  }

  forget(): void {}
}

function json(status: number, value: unknown): Reply {
  return { status, headers: JSON_TYPE, body: JSON.stringify(value) };
}

function errors(status: number, detail: string): Reply {
  return json(status, { errors: [{ status: String(status), title: TITLES[status] ?? "Error", detail }] });
}

function parseConfig(config: unknown): DatadogInstance {
  // Checked member by member here; the compiler cannot follow a table of checks.
  return checkShape("a datadog instance", config, SHAPE) as unknown as DatadogInstance;
}

export const datadog: ReceiverKind = {
  parse: parseConfig,
  create: (config, ledger) => new Datadog(parseConfig(config), ledger),
};
