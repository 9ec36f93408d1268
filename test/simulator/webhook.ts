/**
 * A customer's own webhook receiver, at any path below the instance: verifies both signatures, each for itself,
 * and watches that `webhook-id` names the same events on every attempt.
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { Door, InstanceConfig, LoggedRequest, StoredEvent } from "./control.ts";
import { parsedOrNull } from "./hec-describe.ts";
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
import { type Delivery, readDelivery } from "./webhook-body.ts";
import { verifyPlain, verifyStandard } from "./webhook-verify.ts";

/** What web frameworks take by default, or less. */
const MAX_BODY_BYTES = 1_000_000;
/** What the relay says that it keeps to. A single event may be larger. */
const MAX_EVENTS = 250;
const MAX_BATCH_BYTES = 250_000;

const SHAPE: Shape = {
  ...STORAGE_SHAPE,
  kind: required(oneOf("webhook")),
  secrets: required(texts),
  signature_header: text,
  mode: oneOf("batch", "event"),
  now_offset_ms: number,
};

const OK = '{"ok":true}';

type WebhookInstance = Extract<InstanceConfig, { kind: "webhook" }>;

class Webhook implements Receiver {
  #config: WebhookInstance;
  readonly #ledger: Ledger;
  readonly maxBodyBytes = MAX_BODY_BYTES;
  /** Both ways, so that neither an id for other events nor another id for the same ones goes unseen. */
  #eventsOf = new Map<string, string>();
  #idOf = new Map<string, string>();
  /** A request is read once, whoever asks first. */
  readonly #read = new WeakMap<Buffer, Delivery | string>();

  constructor(config: WebhookInstance, ledger: Ledger) {
    this.#config = config;
    this.#ledger = ledger;
  }

  configure(config: InstanceConfig): void {
    this.#config = parseConfig(config);
  }

  door(): Door {
    return "event";
  }

  receive(exchange: Exchange): Reply {
    const { headers, body, fault, at, method } = exchange;
    if (method !== "POST") return this.#refuse(405, `${method} ${exchange.path}`, at);
    const encoding = header(headers, "content-encoding") ?? "identity";
    if (encoding !== "identity") return this.#refuse(415, `content encoding is ${encoding}`, at);
    const type = header(headers, "content-type") ?? "none";
    if (!/^application\/json(?:;|$)/i.test(type)) return this.#refuse(415, `content type is ${type}`, at);
    const { secrets, signature_header = "X-Sluice-Signature", now_offset_ms = 0 } = this.#config;
    const signed = { headers, body, now: at + now_offset_ms };
    const broken = [...verifyPlain(signed, signature_header, secrets), ...verifyStandard(signed, secrets)];
    for (const { rule, detail } of broken) this.#ledger.violate(rule, at, detail);
    if (broken.length > 0) return refusal(401);
    const delivery = this.#delivery(body);
    if (typeof delivery === "string") return this.#refuse(400, delivery, at);
    if (this.#config.mode !== undefined && delivery.mode !== this.#config.mode)
      return this.#refuse(400, `mode is ${delivery.mode}`, at);
    if (fault?.mode === "poison" && body.includes(fault.pattern)) return { ...refusal(400), struck: true };
    this.#checkSize(exchange, delivery);
    for (const event of delivery.events) this.#take(event.id, event.text, at);
    return { status: 200, headers: JSON_TYPE, body: OK, events: delivery.events.length };
  }

  /** Faults swallow requests before they are received; the id has to be the same all the same. */
  witness({ headers, body, path, at }: Omit<Exchange, "fault">): LoggedRequest["webhook"] {
    const id = header(headers, "webhook-id");
    if (id === null) return null;
    const delivery = this.#delivery(body);
    const ids = typeof delivery === "string" ? [] : delivery.events.map((event) => event.id ?? "-");
    if (ids.length > 0 && this.#ledger.keepsIds) this.#compare(id, { path, ids, at });
    return { id, event_ids: ids };
  }

  /** Each path is a receiver of its own, as far as ids go. */
  #compare(id: string, { path, ids, at }: { path: string; ids: readonly string[]; at: number }): void {
    const list = createHash("sha256")
      .update([path, ...ids].join("\n"))
      .digest("base64");
    const known = this.#eventsOf.get(id);
    if (known !== undefined && known !== list)
      this.#ledger.violate("webhook_id_reused", at, `${id} came again with other events: ${excerpt(ids)}`);
    const other = this.#idOf.get(list);
    if (other !== undefined && other !== id)
      this.#ledger.violate("webhook_id_changed", at, `${excerpt(ids)} came as ${other} and again as ${id}`);
    if (known === undefined) this.#eventsOf.set(id, list);
    if (other === undefined) this.#idOf.set(list, id);
  }

  #checkSize({ body, at }: Exchange, { events }: Delivery): void {
    const ledger = this.#ledger;
    if (events.length > MAX_EVENTS)
      ledger.violate("too_many_events", at, `${events.length} events in one request`);
    if (body.length > MAX_BATCH_BYTES && events.length > 1)
      ledger.violate("body_too_big", at, `${body.length} bytes`);
    if (!isUtf8(body)) ledger.violate("not_utf8", at, "the body is not valid UTF-8");
  }

  #take(id: string | null, event: string, at: number): void {
    if (!this.#ledger.keepsBodies) this.#ledger.count(id);
    else this.#ledger.keep(id, { text: event, index: null, line: null, receivedAt: at, indexer: 0 });
  }

  #delivery(body: Buffer): Delivery | string {
    const delivery = this.#read.get(body) ?? readDelivery(body);
    this.#read.set(body, delivery);
    return delivery;
  }

  #refuse(status: number, detail: string, at: number): Reply {
    this.#ledger.violate(`webhook_${status}`, at, detail);
    return refusal(status);
  }

  tooLarge(bytes: number): Reply {
    return this.#refuse(413, `${bytes} bytes`, Date.now());
  }

  refusal(status: number): Reply {
    return refusal(status);
  }

  describe(id: string | null, { text: event, receivedAt, indexer }: Copy): StoredEvent {
    const parsed = parsedOrNull(event);
    const time = isRecord(parsed) ? parsed["timestamp"] : null;
    return {
      id,
      raw: event,
      parsed,
      envelope: event,
      index: null,
      sourcetype: null,
      source: null,
      host: null,
      time: typeof time === "string" ? time : null,
      fields: null,
      received_at: receivedAt,
      indexer,
    };
  }

  forget(): void {
    this.#eventsOf = new Map();
    this.#idOf = new Map();
  }
}

function refusal(status: number): Reply {
  return { status, headers: JSON_TYPE, body: JSON.stringify({ error: `The receiver says ${status}` }) };
}

function excerpt(ids: readonly string[]): string {
  return ids.length > 3 ? `${ids.slice(0, 3).join(", ")} and ${ids.length - 3} more` : ids.join(", ");
}

function parseConfig(config: unknown): WebhookInstance {
  // Checked member by member here; the compiler cannot follow a table of checks.
  return checkShape("a webhook instance", config, SHAPE) as unknown as WebhookInstance;
}

export const webhook: ReceiverKind = {
  parse: parseConfig,
  create: (config, ledger) => new Webhook(parseConfig(config), ledger),
};
