/**
 * AWS CloudWatch Logs: PutLogEvents and the calls that create what it needs, in AWS's JSON protocol.
 *
 * Nearly every refusal is an HTTP 400, and `__type` says which.
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html (read 2026-11)
 */
import {
  type Batch,
  checkBatch,
  invalid,
  type Place,
  readEvents,
  readInput,
  readPlace,
  rejectedOf,
} from "./cloudwatch-batch.ts";
import { type AwsFault, checkSignature } from "./cloudwatch-signature.ts";
import type { Door, InstanceConfig, StoredEvent } from "./control.ts";
import { parsedOrNull, textOrNull } from "./hec-describe.ts";
import type { Copy, Ledger } from "./ledger.ts";
import { type Exchange, header, type Receiver, type ReceiverKind, type Reply } from "./receiver.ts";
import {
  checkShape,
  flag,
  isRecord,
  number,
  oneOf,
  required,
  type Shape,
  STORAGE_SHAPE,
  text,
  texts,
} from "./shape.ts";

const TARGET_PREFIX = "Logs_20140328.";
const JSON_1_1 = { "content-type": "application/x-amz-json-1.1" } as const;
/** Far beyond a batch with every character escaped. */
const MAX_BODY_BYTES = 16_000_000;

const SHAPE: Shape = {
  ...STORAGE_SHAPE,
  kind: required(oneOf("cloudwatch")),
  access_key_id: required(text),
  secret_access_key: required(text),
  session_token: text,
  session_expired: flag,
  region: text,
  groups: {
    test: (v) => isRecord(v) && Object.values(v).every((streams) => texts.test(streams)),
    expected: "an object of log groups, each with a list of its streams",
  },
  deny: texts,
  retention_days: number,
  now_offset_ms: number,
};

type CloudwatchInstance = Extract<InstanceConfig, { kind: "cloudwatch" }>;

/** Refusals that a sender must expect: they break no rule. */
const ORDINARY = ["ResourceNotFoundException", "ResourceAlreadyExistsException"];

const TYPES: Readonly<Record<number, AwsFault>> = {
  400: { type: "ThrottlingException", message: "Rate exceeded" },
  403: { type: "AccessDeniedException", message: "User is not authorized to perform: logs:PutLogEvents" },
  429: { type: "ThrottlingException", message: "Rate exceeded" },
  500: { type: "InternalFailure", message: "The request processing has failed" },
  503: { type: "ServiceUnavailableException", message: "The service cannot complete the request." },
};

class Cloudwatch implements Receiver {
  readonly maxBodyBytes = MAX_BODY_BYTES;
  #config: CloudwatchInstance;
  readonly #ledger: Ledger;
  /** Log group → its streams. */
  #groups: Map<string, Set<string>>;

  constructor(config: CloudwatchInstance, ledger: Ledger) {
    this.#config = config;
    this.#ledger = ledger;
    this.#groups = groupsOf(config);
  }

  configure(config: InstanceConfig): void {
    const before = this.#config.groups;
    this.#config = parseConfig(config);
    // What was created stays, unless the change itself says what there is.
    if (JSON.stringify(before) !== JSON.stringify(this.#config.groups)) this.#groups = groupsOf(this.#config);
  }

  door(path: string): Door | null {
    return path === "/" ? "event" : null;
  }

  receive(exchange: Exchange): Reply {
    const { access_key_id, secret_access_key, session_token, session_expired, region } = this.#config;
    const fault = checkSignature(exchange, {
      accessKeyId: access_key_id,
      secretAccessKey: secret_access_key,
      sessionToken: session_token ?? null,
      isExpired: session_expired === true,
      region: region ?? "us-east-1",
      service: "logs",
      now: this.#now(exchange),
    });
    if (fault !== null) return this.#refuse(fault, exchange);
    const target = header(exchange.headers, "x-amz-target") ?? "";
    const type = header(exchange.headers, "content-type");
    if (exchange.method !== "POST" || exchange.path !== "/" || type !== JSON_1_1["content-type"])
      return this.#refuse(unknown(`${exchange.method} ${exchange.path} as ${type}`), exchange);
    return this.#call(target, exchange);
  }

  #call(target: string, exchange: Exchange): Reply {
    const input = readInput(exchange.body);
    if (!input.ok) return this.#refuse(input.fault, exchange);
    const operation = target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : "";
    if (!["PutLogEvents", "CreateLogGroup", "CreateLogStream"].includes(operation))
      return this.#refuse(unknown(target), exchange);
    const place = readPlace(input.value, operation !== "CreateLogGroup");
    if (!place.ok) return this.#refuse(place.fault, exchange);
    const denied = this.#denied(operation, place.value);
    if (denied !== null) return this.#refuse(denied, exchange);
    if (operation === "PutLogEvents") return this.#put(input.value, place.value, exchange);
    const fault = this.#create(place.value);
    return fault === null ? { status: 200, headers: JSON_1_1, body: "" } : this.#refuse(fault, exchange);
  }

  #denied(operation: string, { group, stream }: Place): AwsFault | null {
    const action = `logs:${operation}`;
    if (this.#config.deny?.includes(action) !== true) return null;
    const arn = `arn:aws:logs:${this.#config.region ?? "us-east-1"}:123456789012:log-group:${group}:log-stream:${stream ?? ""}`;
    const message = `User: arn:aws:iam::123456789012:user/sluice is not authorized to perform: ${action} on resource: ${arn} because no identity-based policy allows the ${action} action`;
    return { type: "AccessDeniedException", message };
  }

  #create({ group, stream }: Place): AwsFault | null {
    const streams = this.#groups.get(group);
    if (stream === null) {
      if (streams !== undefined) return exists("log group");
      this.#groups.set(group, new Set());
      return null;
    }
    if (streams === undefined) return missing("log group");
    if (streams.has(stream)) return exists("log stream");
    streams.add(stream);
    return null;
  }

  #put(input: Record<string, unknown>, { group, stream }: Place, exchange: Exchange): Reply {
    const streams = this.#groups.get(group);
    if (streams === undefined) return this.#refuse(missing("log group"), exchange);
    if (stream === null || !streams.has(stream)) return this.#refuse(missing("log stream"), exchange);
    const read = readEvents(input);
    if (!read.ok) return this.#refuse(read.fault, exchange);
    return this.#take({ group, stream, events: read.value }, exchange);
  }

  #take(batch: Batch, exchange: Exchange): Reply {
    const { events } = batch;
    const { fault } = exchange;
    const rejected = rejectedOf(events, {
      now: this.#now(exchange),
      retentionDays: this.#config.retention_days ?? null,
    });
    const broken = checkBatch(events, rejected);
    if (broken !== null) return this.#refuse(broken, exchange);
    if (fault?.mode === "poison" && events.some(({ message }) => message.includes(fault.pattern)))
      return { ...refusal(invalid("1 validation error detected: a member is invalid")), struck: true };
    const { tooOldEnd, expiredEnd, tooNewStart } = rejected;
    const first = Math.max(tooOldEnd, expiredEnd);
    const kept = events.slice(first, Math.max(first, tooNewStart));
    for (const event of kept) this.#keep(batch, event, exchange.at);
    const info = {
      ...(tooOldEnd > 0 ? { tooOldLogEventEndIndex: tooOldEnd } : {}),
      ...(expiredEnd > 0 ? { expiredLogEventEndIndex: expiredEnd } : {}),
      ...(tooNewStart < events.length ? { tooNewLogEventStartIndex: tooNewStart } : {}),
    };
    for (const rule of Object.keys(info))
      this.#ledger.violate(rule, exchange.at, "events were answered 200 and discarded");
    const answer = {
      nextSequenceToken: "49590302938474639202",
      ...(Object.keys(info).length > 0 ? { rejectedLogEventsInfo: info } : {}),
    };
    return { status: 200, headers: JSON_1_1, body: JSON.stringify(answer), events: kept.length };
  }

  #keep({ group, stream }: Batch, event: Batch["events"][number], receivedAt: number): void {
    const ledger = this.#ledger;
    const id = ledger.keepsIds ? idOf(event.message) : null;
    if (!ledger.keepsBodies) {
      ledger.count(id);
      return;
    }
    const line = { sourcetype: null, source: stream, host: null };
    ledger.keep(id, { text: JSON.stringify(event), index: group, line, receivedAt, indexer: 0 });
  }

  #now({ at }: Exchange): number {
    return at + (this.#config.now_offset_ms ?? 0);
  }

  #refuse(fault: AwsFault, { at }: Exchange): Reply {
    if (!ORDINARY.includes(fault.type)) this.#ledger.violate(fault.type, at, fault.message);
    return refusal(fault);
  }

  tooLarge(bytes: number): Reply {
    const fault = { type: "RequestEntityTooLargeException", message: `${bytes} bytes` };
    this.#ledger.violate(fault.type, Date.now(), fault.message);
    return refusal(fault, 413);
  }

  /** AWS throttles with 400 as with any other refusal; there is no `Retry-After`. */
  refusal(status: number): Reply {
    return refusal(TYPES[status] ?? { type: "InternalFailure", message: "Error" }, status);
  }

  describe(id: string | null, copy: Copy): StoredEvent {
    const item = parsedOrNull(copy.text);
    const { timestamp, message } = isRecord(item) ? item : {};
    const raw = textOrNull(message) ?? "";
    return {
      id,
      raw,
      parsed: parsedOrNull(raw),
      envelope: copy.text,
      index: copy.index,
      sourcetype: null,
      source: copy.line?.source ?? null,
      host: null,
      time: typeof timestamp === "number" ? timestamp : null,
      fields: null,
      received_at: copy.receivedAt,
      indexer: copy.indexer,
    };
  }

  forget(): void {
    this.#groups = groupsOf(this.#config);
  }
}

function idOf(message: string): string | null {
  const parsed = parsedOrNull(message);
  return isRecord(parsed) ? textOrNull(parsed["id"]) : null;
}

function groupsOf({ groups = {} }: CloudwatchInstance): Map<string, Set<string>> {
  return new Map(Object.entries(groups).map(([group, streams]) => [group, new Set(streams)]));
}

function refusal({ type, message }: AwsFault, status = 400): Reply {
  return { status, headers: JSON_1_1, body: JSON.stringify({ __type: type, message }) };
}

function missing(what: string): AwsFault {
  return { type: "ResourceNotFoundException", message: `The specified ${what} does not exist.` };
}

function exists(what: string): AwsFault {
  return { type: "ResourceAlreadyExistsException", message: `The specified ${what} already exists` };
}

function unknown(what: string): AwsFault {
  return { type: "UnknownOperationException", message: what };
}

function parseConfig(config: unknown): CloudwatchInstance {
  // Checked member by member here; the compiler cannot follow a table of checks.
  return checkShape("a cloudwatch instance", config, SHAPE) as unknown as CloudwatchInstance;
}

export const cloudwatch: ReceiverKind = {
  parse: parseConfig,
  create: (config, ledger) => new Cloudwatch(parseConfig(config), ledger),
};
