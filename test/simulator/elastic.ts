/**
 * Elasticsearch as a relay meets it: the greeting of the cluster, and `_bulk`.
 *
 * Rules and texts: Elasticsearch's bulk API and its source (`RestBulkAction`, `BulkRequestParser`,
 * `TransportBulkAction`, `IngestService`), read 2026-11. `update` and `delete` are not played.
 * @see https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
import type { Door, ElasticConfig, InstanceConfig, StoredEvent } from "./control.ts";
import { applyFilterPath } from "./elastic-filter.ts";
import { type BulkPair, readPairs } from "./elastic-lines.ts";
import { parsedOrNull } from "./hec-describe.ts";
import { checkHouseRules } from "./house-rules.ts";
import { inflate } from "./inflate.ts";
import { ObjectScan } from "./json-scan.ts";
import type { Copy, Ledger } from "./ledger.ts";
import { type Exchange, header, type Receiver, type ReceiverKind, type Reply } from "./receiver.ts";
import {
  amount,
  BadInput,
  checkShape,
  flag,
  isRecord,
  oneOf,
  required,
  type Shape,
  STORAGE_SHAPE,
  text,
  texts,
} from "./shape.ts";

/** What `http.max_content_length` is unless it is changed. */
const MAX_CONTENT_BYTES = 104_857_600;
/** Above this our own limit is broken: proxies before a cluster often take less than the cluster. */
const MAX_PLAIN_BYTES = 5_000_000;
const MAX_ID_BYTES = 512;

const ELASTIC_TYPE = {
  "content-type": "application/json",
  "x-elastic-product": "Elasticsearch",
} as const;

type ElasticInstance = Extract<InstanceConfig, { kind: "elastic" }>;

/** Who asks: what it may write to, or null for everything. */
interface Caller {
  readonly name: string;
  readonly indices: readonly string[] | null;
}

interface ItemResult {
  readonly status: number;
  readonly type?: string;
  readonly reason?: string;
}

class Elastic implements Receiver {
  #config: ElasticInstance;
  readonly #ledger: Ledger;
  /** Names that exist, by what they are; ids are unique within each. */
  readonly #targets = new Map<string, { readonly isStream: boolean; readonly ids: Set<string> }>();
  /** Documents since the beginning, for `item_fault`. */
  #documents = 0;

  constructor(config: ElasticInstance, ledger: Ledger) {
    this.#config = config;
    this.#ledger = ledger;
    this.#createNamed();
  }

  get maxBodyBytes(): number {
    return this.#config.max_content_length ?? MAX_CONTENT_BYTES;
  }

  configure(config: InstanceConfig): void {
    this.#config = parseConfig(config);
    this.#createNamed();
  }

  #createNamed(): void {
    const { data_streams = [], indices = [] } = this.#config;
    for (const name of data_streams) this.#create(name, true);
    for (const name of indices) this.#create(name, false);
  }

  #create(name: string, isStream: boolean): void {
    if (!this.#targets.has(name)) this.#targets.set(name, { isStream, ids: new Set() });
  }

  door(path: string): Door | null {
    if (path === "/") return "health";
    return /^(?:\/[^/]+)?\/_bulk$/.test(path) ? "event" : null;
  }

  receive(exchange: Exchange): Reply {
    const door = this.door(exchange.path);
    if (door === null) return this.#refuse(404, exchange, noHandler(exchange));
    const isMethod = door === "health" ? exchange.method === "GET" : /^(?:POST|PUT)$/.test(exchange.method);
    if (!isMethod) return this.#refuse(405, exchange, noHandler(exchange));
    const caller = this.#callerOf(exchange);
    if (typeof caller === "string") return this.#refuse(401, exchange, ["security_exception", caller]);
    if (door === "event") return this.#bulk(exchange, caller);
    if (caller.indices === null) return reply(200, GREETING);
    const reason = `action [cluster:monitor/main] is unauthorized for ${caller.name}, this action is granted by the cluster privileges [monitor,manage,all]`;
    return reply(403, errorBody(403, ["security_exception", reason])); // as a key that may only write is answered: no rule is broken
  }

  /** @returns who it is, or why it is nobody */
  #callerOf({ headers, path }: Exchange): Caller | string {
    const given = header(headers, "authorization");
    const [, scheme = "", encoded = ""] = /^(\S+) (\S+)$/.exec(given ?? "") ?? [];
    if (given === null) return `missing authentication credentials for REST request [${path}]`;
    const [name = "", ...rest] = Buffer.from(encoded, "base64").toString("utf8").split(":");
    const secret = rest.join(":");
    const { api_keys = [], users = [] } = this.#config;
    if (/^apikey$/i.test(scheme)) {
      const key = api_keys.find((known) => known.id === name && known.api_key === secret);
      if (key === undefined) return "unable to authenticate with provided credentials for API key";
      return { name: `API key id [${name}]`, indices: key.indices ?? null };
    }
    const isUser = /^basic$/i.test(scheme) && users.some((u) => u.username === name && u.password === secret);
    return isUser ? { name: `user [${name}]`, indices: null } : `unable to authenticate user [${name}]`;
  }

  #bulk(exchange: Exchange, caller: Caller): Reply {
    const { body, headers, query, at } = exchange;
    const type = (header(headers, "content-type") ?? "").split(";")[0]?.trim().toLowerCase();
    if (type !== "application/x-ndjson")
      return this.#refuse(406, exchange, [
        "media_type_header_exception",
        `Content-Type header [${type}] is not supported`,
      ]);
    const plain = inflate(body, {
      encoding: header(headers, "content-encoding"),
      accepted: ["gzip", "deflate"],
      maxBytes: this.maxBodyBytes,
    });
    if (!plain.ok && plain.reason === "too_large") return this.tooLarge(body.length);
    if (!plain.ok)
      return this.#refuse(400, exchange, ["parse_exception", `content encoding is ${plain.reason}`]);
    const pairs = readPairs(plain.body.toString("utf8"));
    if ("reason" in pairs) return this.#refuse(400, exchange, [pairs.type, pairs.reason]);
    checkHouseRules(this.#ledger, {
      at,
      wireBytes: body.length,
      plain,
      events: pairs.length,
      maxPlainBytes: MAX_PLAIN_BYTES,
    });
    return this.#takeAll(pairs, exchange, { caller, pipeline: query.get("pipeline") });
  }

  #takeAll(
    pairs: readonly BulkPair[],
    { path, query, fault, at }: Exchange,
    { caller, pipeline }: { caller: Caller; pipeline: string | null },
  ): Reply {
    const inPath = path === "/_bulk" ? null : decodeURIComponent(path.slice(1, -"/_bulk".length));
    const before = this.#ledger.events;
    let struck = false;
    const items = pairs.map((pair) => {
      const target = pair.index ?? inPath;
      const isPoison = fault?.mode === "poison" && pair.source.includes(fault.pattern);
      struck ||= isPoison;
      const result = isPoison
        ? unparsable(`the document holds ${fault.pattern}`)
        : this.#take(pair, target, { caller, pipeline, at });
      const id = pair.id ?? "generated";
      const error =
        result.type === undefined
          ? { result: result.status === 201 ? "created" : "updated" }
          : { error: { type: result.type, reason: result.reason, index: target } };
      return { [pair.operation]: { _index: target, _id: id, ...error, status: result.status } };
    });
    const errors = items.some((item) => Object.values(item).some(({ status }) => status > 299));
    const whole = { took: 1, errors, items };
    const shown = applyFilterPath(whole, query.get("filter_path")) ?? {};
    return { ...reply(200, shown), events: this.#ledger.events - before, struck };
  }

  #take(
    { operation, id, source }: BulkPair,
    name: string | null,
    { caller, pipeline, at }: { caller: Caller; pipeline: string | null; at: number },
  ): ItemResult {
    const violate = (result: ItemResult): ItemResult => {
      this.#ledger.violate(`elastic_item_${result.status}`, at, `${result.type}: ${result.reason}`);
      return result;
    };
    if (name === null) return violate(illegal("index is missing"));
    const byFault = this.#strike();
    if (byFault !== null) return byFault;
    if (caller.indices !== null && !caller.indices.some((glob) => matches(glob, name)))
      return violate({
        status: 403,
        type: "security_exception",
        reason: `action [indices:data/write/bulk[s]] is unauthorized for ${caller.name} on indices [${name}], this action is granted by the index privileges [create_doc,create,index,write,all]`,
      });
    if (pipeline !== null && !(this.#config.pipelines ?? []).includes(pipeline))
      return violate(illegal(`pipeline with id [${pipeline}] does not exist`));
    const target = this.#targetNamed(name);
    if ("status" in target) return violate(target);
    const wrong = this.#complaint({ operation, id, source }, target.isStream);
    if (wrong !== null) return violate(wrong);
    if (id === null)
      this.#ledger.violate("no_id", at, "a document without _id is stored again by every retry");
    const isThere = id !== null && target.ids.has(id);
    if (isThere && operation === "create")
      return {
        status: 409,
        type: "version_conflict_engine_exception",
        reason: `[${id}]: version conflict, document already exists (current version [1])`,
      };
    if (id !== null) target.ids.add(id);
    if (this.#ledger.keepsBodies)
      this.#ledger.keep(id, { text: source, index: name, line: null, receivedAt: at, indexer: 0 });
    else this.#ledger.count(this.#ledger.keepsIds ? id : null);
    return { status: isThere ? 200 : 201 };
  }

  /** What is wrong with the document itself. */
  #complaint({ operation, id, source }: Omit<BulkPair, "index">, isStream: boolean): ItemResult | null {
    if (isStream && operation !== "create")
      return illegal("only write ops with an op_type of create are allowed in data streams");
    if (id !== null && Buffer.byteLength(id) > MAX_ID_BYTES)
      return illegal(`id [${id}] is too long, must be no longer than ${MAX_ID_BYTES} bytes`);
    const { reject } = this.#config;
    if (typeof reject === "string" && source.includes(reject))
      return unparsable(`failed to parse field [sluice] in document with id '${id}': it holds ${reject}`);
    // A load test is spared the parsing.
    const parsed = this.#ledger.keepsBodies ? parsedOrNull(source) : { "@timestamp": "" };
    if (!isRecord(parsed)) return unparsable("failed to parse");
    if (!isStream) return null;
    const time = parsed["@timestamp"];
    if (time === undefined)
      return unparsable("failed to parse: data stream timestamp field [@timestamp] is missing");
    const isTime = time === "" || (typeof time === "string" && !Number.isNaN(Date.parse(time)));
    return isTime ? null : unparsable(`failed to parse field [@timestamp] of type [date]: ${time}`);
  }

  /** As templates of Elastic's have it: what is called `logs-*-*` becomes a data stream, anything else an index. */
  #targetNamed(name: string): ItemResult | { readonly isStream: boolean; readonly ids: Set<string> } {
    const known = this.#targets.get(name);
    if (known !== undefined) return known;
    if (this.#config.auto_create === false)
      return {
        status: 404,
        type: "index_not_found_exception",
        reason: `no such index [${name}] and [action.auto_create_index] is [false]`,
      };
    if (!/^(?![-_+])(?!\.{1,2}$)[^A-Z\s\\/*?"<>|,#:]{1,255}$/.test(name))
      return { status: 400, type: "invalid_index_name_exception", reason: `Invalid index name [${name}]` };
    this.#create(name, /^logs-[^-]+-.+$/.test(name));
    return this.#targets.get(name) ?? illegal("unreachable");
  }

  #strike(): ItemResult | null {
    const fault = this.#config.item_fault ?? null;
    this.#documents++;
    if (fault === null || this.#documents % fault.every !== 0) return null;
    const [type, reason] = ITEM_FAULTS[fault.status] ?? ["exception", "simulated"];
    return { status: fault.status, type: fault.type ?? type, reason: fault.reason ?? reason };
  }

  #refuse(status: number, { at }: Exchange, [type, reason]: readonly [string, string]): Reply {
    this.#ledger.violate(`elastic_${status}`, at, reason);
    return reply(status, errorBody(status, [type, reason]));
  }

  tooLarge(bytes: number): Reply {
    this.#ledger.violate("elastic_413", Date.now(), `${bytes} bytes`);
    return { status: 413, headers: { "x-elastic-product": "Elasticsearch" }, body: "" };
  }

  refusal(status: number): Reply {
    return reply(status, errorBody(status, REFUSALS[status] ?? ["exception", "simulated"]));
  }

  describe(id: string | null, copy: Copy): StoredEvent {
    const body = Buffer.from(copy.text);
    const scan = new ObjectScan();
    scan.read(body, 0);
    const at = scan.find(body, "sluice");
    const raw = at < 0 ? copy.text : body.toString("utf8", scan.valueStart(at), scan.valueEnd(at));
    const document = parsedOrNull(copy.text);
    const time = isRecord(document) ? document["@timestamp"] : null;
    return {
      id,
      raw,
      parsed: parsedOrNull(raw),
      envelope: copy.text,
      index: copy.index,
      sourcetype: null,
      source: null,
      host: null,
      time: typeof time === "string" ? time : null,
      fields: null,
      received_at: copy.receivedAt,
      indexer: copy.indexer,
    };
  }

  forget(): void {
    this.#targets.clear();
    this.#documents = 0;
    this.#createNamed();
  }
}

const GREETING = {
  name: "simulator",
  cluster_name: "simulator",
  cluster_uuid: "simulatedsimulatedsimu",
  version: { number: "9.2.0", build_flavor: "default" },
  tagline: "You Know, for Search",
};

const REFUSALS: Readonly<Record<number, readonly [type: string, reason: string]>> = {
  401: ["security_exception", "unable to authenticate with provided credentials"],
  403: ["security_exception", "action [indices:data/write/bulk] is unauthorized"],
  404: ["index_not_found_exception", "no such index"],
  429: ["es_rejected_execution_exception", "rejected execution of coordinating operation"],
  503: ["cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/2/no master];"],
};

const ITEM_FAULTS: Readonly<Record<number, readonly [type: string, reason: string]>> = {
  ...REFUSALS,
  400: ["document_parsing_exception", "failed to parse field [simulated] of type [long]"],
  403: ["cluster_block_exception", "index blocked by: [FORBIDDEN/8/index write (api)];"],
  429: ["es_rejected_execution_exception", "rejected execution of primary operation"],
  503: ["unavailable_shards_exception", "primary shard is not active Timeout: [1m]"],
};

function illegal(reason: string): ItemResult {
  return { status: 400, type: "illegal_argument_exception", reason };
}

function unparsable(reason: string): ItemResult {
  return { status: 400, type: "mapper_parsing_exception", reason };
}

function noHandler({ method, path }: Exchange): readonly [string, string] {
  return ["illegal_argument_exception", `no handler found for uri [${path}] and method [${method}]`];
}

function errorBody(status: number, [type, reason]: readonly [string, string]): unknown {
  return { error: { root_cause: [{ type, reason }], type, reason }, status };
}

function reply(status: number, value: unknown): Reply {
  const challenge = { "www-authenticate": 'Basic realm="security", charset="UTF-8"' };
  const headers = status === 401 ? { ...ELASTIC_TYPE, ...challenge } : ELASTIC_TYPE;
  return { status, headers, body: JSON.stringify(value) };
}

/** An index pattern as in a role: `*` stands for any run of characters. */
function matches(glob: string, name: string): boolean {
  const parts = glob.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}

// --- Settings -------------------------------------------------------------------------------------------

const listOf = (shape: Shape, what: string) => ({
  test: (value: unknown) => Array.isArray(value) && value.every((item) => checkShape(what, item, shape)),
  expected: `a list, each ${what}`,
});

const FAULT_SHAPE: Shape = {
  status: required({
    test: (value) => Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599,
    expected: "400 to 599",
  }),
  every: required({
    test: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
    expected: "a whole number from 1",
  }),
  type: text,
  reason: text,
};

const SHAPE: Shape = {
  ...STORAGE_SHAPE,
  kind: required(oneOf("elastic")),
  api_keys: listOf({ id: required(text), api_key: required(text), indices: texts }, "an API key"),
  users: listOf({ username: required(text), password: required(text) }, "a user"),
  data_streams: texts,
  indices: texts,
  auto_create: flag,
  pipelines: texts,
  reject: { test: (value) => value === null || text.test(value), expected: "a non-empty string, or null" },
  item_fault: {
    test: (value) => value === null || checkShape("item_fault", value, FAULT_SHAPE) === value,
    expected: "a status and how often, or null",
  },
  max_content_length: amount,
};

/** @throws BadInput */
function parseConfig(config: unknown): ElasticInstance {
  const checked = checkShape("an elastic instance", config, SHAPE);
  // Checked member by member just above; the compiler cannot follow a table of checks.
  const { api_keys = [], users = [] } = checked as unknown as ElasticConfig;
  if (api_keys.length === 0 && users.length === 0)
    throw new BadInput("an elastic instance needs at least one of api_keys and users");
  return checked as unknown as ElasticInstance; // as above
}

export const elastic: ReceiverKind = {
  parse: parseConfig,
  create: (config, ledger) => new Elastic(parseConfig(config), ledger),
};
