/**
 * Splunk HTTP Event Collector.
 *
 * Endpoints: Splunk help "HTTP Event Collector REST API endpoints". Everything that the help leaves
 * open is as observed on Splunk Enterprise 10.4 and Splunk Cloud 10.5 (2026-11).
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/http-event-collector-rest-api-endpoints
 */
import type { Door, InstanceConfig, SplunkToken, StoredEvent } from "./control.ts";
import { AckDesk, type AckPlace, ackIdsIn, Balancer } from "./hec-acks.ts";
import { authenticate } from "./hec-auth.ts";
import { hecJson, hecNotFound, hecReply, NAMES_AN_EVENT, splunkdPage, TAKES_EVENTS } from "./hec-codes.ts";
import { describeCopy } from "./hec-describe.ts";
import { allowedMethods, channelOf, type Endpoint, endpointOf, isChannel } from "./hec-endpoints.ts";
import { type Envelope, eventId, idBytes, readEnvelopes, type Verdict } from "./hec-envelopes.ts";
import { Mould } from "./hec-mould.ts";
import { readLines } from "./hec-raw.ts";
import { checkHouseRules } from "./house-rules.ts";
import { type Inflated, inflate } from "./inflate.ts";
import type { Copy, Ledger } from "./ledger.ts";
import { type Exchange, header, type Receiver, type ReceiverKind, type Reply } from "./receiver.ts";
import { parseSplunkConfig, type SplunkInstance } from "./splunk-config.ts";

/** `limits.conf [http_input] max_content_length` of Splunk Enterprise 10.4. */
const DEFAULT_MAX_CONTENT_LENGTH = 838_860_800;

/** Splunk Cloud takes 5,242,881 bytes and refuses 6,000,000; where between, nobody has seen. */
const CLOUD_MAX_BYTES = 5_500_000;

/** A request that has passed token and channel. */
interface Admitted {
  readonly exchange: Exchange;
  readonly token: SplunkToken;
  readonly channel: string | null;
  readonly indexer: number;
}

class SplunkHec implements Receiver {
  #config: SplunkInstance;
  readonly #ledger: Ledger;
  readonly #acks = new AckDesk();
  readonly #balancer = new Balancer();
  readonly #mould = new Mould();

  constructor(config: SplunkInstance, ledger: Ledger) {
    this.#config = config;
    this.#ledger = ledger;
  }

  get maxBodyBytes(): number {
    return this.#config.max_content_length ?? DEFAULT_MAX_CONTENT_LENGTH;
  }

  configure(config: InstanceConfig): void {
    this.#config = parseSplunkConfig(config);
  }

  door(path: string): Door | null {
    const endpoint = endpointOf(path);
    return endpoint === "raw" ? "event" : endpoint;
  }

  receive(exchange: Exchange): Reply {
    const endpoint = endpointOf(exchange.path);
    if (endpoint === null) return this.#broken("unknown_path", hecNotFound(404), exchange);
    const allowed = allowedMethods(endpoint);
    if (exchange.method === "OPTIONS") return { status: 200, headers: { allow: allowed }, body: "" };
    if (!allowed.split(",").includes(exchange.method))
      return this.#broken("wrong_method", hecNotFound(405), exchange);
    const { indexer, setCookie } = this.#balancer.choose(exchange, this.#config);
    const reply = this.#answer(endpoint, exchange, indexer);
    const headers = setCookie === null ? reply.headers : { ...reply.headers, "set-cookie": setCookie };
    return { ...reply, headers, indexer, channel: channelOf(exchange) };
  }

  #answer(endpoint: Endpoint, exchange: Exchange, indexer: number): Reply {
    const { fault } = exchange;
    const code = fault?.mode === "code" ? fault.code : null;
    const isTakenFirst = fault?.mode === "code" && (takesSome(fault.code) || fault.stored === true);
    const takesEvents = endpoint === "event" || endpoint === "raw";
    if (code !== null && !(isTakenFirst && takesEvents)) return { ...hecReply(code), struck: true };
    if (endpoint === "health") return hecReply(17);
    const admitted = this.#admit(exchange, indexer);
    if ("status" in admitted) return admitted;
    const plain = inflate(exchange.body, {
      encoding: header(exchange.headers, "content-encoding"),
      accepted: ["gzip"],
      maxBytes: this.maxBodyBytes,
    });
    if (!plain.ok) return this.#notInflated(plain.reason, exchange);
    if (endpoint === "ack") return this.#queryAcks(admitted, plain.body);
    if (this.#config.cloud && plain.body.length > CLOUD_MAX_BYTES) {
      this.#ledger.violate("body_over_cloud_limit", exchange.at, `${plain.body.length} bytes uncompressed`);
      return hecReply(6, { eventNumber: 0 });
    }
    return endpoint === "raw" ? this.#takeRaw(admitted, plain.body) : this.#takeEvents(admitted, plain);
  }

  #admit(exchange: Exchange, indexer: number): Admitted | Reply {
    const auth = authenticate(this.#config, exchange.headers, exchange.query);
    if (!auth.ok) return this.#refuse(auth.code, exchange);
    const { token } = auth;
    const isAck = endpointOf(exchange.path) === "ack";
    if (isAck && !token.acknowledge) return this.#refuse(14, exchange);
    const channel = channelOf(exchange);
    if (channel !== null && !isChannel(channel)) return this.#refuse(11, exchange);
    if (token.acknowledge && channel === null) return this.#refuse(this.#config.cloud ? 28 : 10, exchange);
    return { exchange, token, channel, indexer };
  }

  #takeEvents(admitted: Admitted, plain: Extract<Inflated, { ok: true }>): Reply {
    const { exchange, token, indexer } = admitted;
    const { body } = plain;
    const { fault, at } = exchange;
    const ledger = this.#ledger;
    if (this.#isAckDeskFull(admitted)) return hecReply(27);
    const verdict = readEnvelopes(
      body,
      {
        indexes: token.indexes === undefined ? null : new Set(token.indexes),
        strict: ledger.keepsBodies,
        mould: ledger.hashesIds && token.indexes === undefined ? this.#mould : null,
        poison: fault?.mode === "poison" ? { pattern: fault.pattern, code: fault.code ?? 6 } : null,
        stopAt: letThrough(fault),
      },
      {
        violate: (rule, detail) => ledger.violate(rule, at, detail),
        take: (envelope) => this.#take(body, envelope, { token, indexer, at }),
      },
    );
    checkHouseRules(ledger, { at, wireBytes: exchange.body.length, plain, events: verdict.taken });
    return this.#conclude(verdict, admitted);
  }

  #take(
    body: Buffer,
    envelope: Envelope,
    { token, indexer, at }: { token: SplunkToken; indexer: number; at: number },
  ): void {
    const ledger = this.#ledger;
    const bytes = ledger.hashesIds ? idBytes(body, envelope) : null;
    if (bytes !== null) {
      ledger.countBytes(body, bytes, at);
      return;
    }
    const id = ledger.keepsIds ? eventId(body, envelope) : null;
    if (!ledger.keepsBodies) {
      ledger.count(id, at);
      return;
    }
    const text = body.toString("utf8", envelope.start, envelope.end);
    const index = envelope.index ?? token.default_index ?? "main";
    ledger.keep(id, { text, index, line: null, receivedAt: at, indexer });
  }

  #ackPlace({ token, channel, indexer, exchange }: Admitted): AckPlace | null {
    if (!token.acknowledge || channel === null) return null;
    return { indexer, channel, at: exchange.at, config: this.#config };
  }

  #isAckDeskFull(admitted: Admitted): boolean {
    const place = this.#ackPlace(admitted);
    return place !== null && this.#acks.isFull(place);
  }

  #issueAck(admitted: Admitted): number | null {
    const place = this.#ackPlace(admitted);
    return place === null ? null : this.#acks.issue(place);
  }

  /** A refusal still carries an ackId for the prefix it took: observed with code 6, inferred for the rest. */
  #conclude(verdict: Verdict, admitted: Admitted): Reply {
    const { taken, poisoned } = verdict;
    const { fault } = admitted.exchange;
    const isPlayed = fault?.mode === "code";
    const code = isPlayed ? fault.code : verdict.code;
    const played = isPlayed && NAMES_AN_EVENT.has(code) ? (fault.event_number ?? 0) : null;
    const eventNumber = isPlayed ? played : verdict.eventNumber;
    if (code !== 0 && !poisoned && !isPlayed) this.#violateCode(code, admitted.exchange);
    const isOwed = TAKES_EVENTS.has(code) || (NAMES_AN_EVENT.has(code) && taken > 0);
    const ackId = isOwed ? this.#issueAck(admitted) : null;
    return { ...hecReply(code, { eventNumber, ackId }), events: taken, struck: isPlayed || poisoned };
  }

  #takeRaw(admitted: Admitted, body: Buffer): Reply {
    const { exchange, token, indexer } = admitted;
    const { query, at } = exchange;
    const index = query.get("index") ?? token.default_index ?? "main";
    if (query.has("index") && token.indexes !== undefined && !token.indexes.includes(index))
      return this.#refuse(7, exchange);
    const lines = readLines(body).slice(0, letThrough(exchange.fault));
    if (lines.length === 0 && exchange.fault === null) return this.#refuse(5, exchange);
    if (this.#isAckDeskFull(admitted)) return hecReply(27);
    const line = {
      sourcetype: query.get("sourcetype"),
      source: query.get("source"),
      host: query.get("host"),
    };
    for (const { text, id } of lines)
      if (this.#ledger.keepsBodies) this.#ledger.keep(id, { text, index, line, receivedAt: at, indexer });
      else this.#ledger.count(id);
    return this.#conclude({ code: 0, eventNumber: null, taken: lines.length, poisoned: false }, admitted);
  }

  #queryAcks({ exchange, channel, indexer }: Admitted, body: Buffer): Reply {
    const ids = ackIdsIn(body);
    if (ids === null || channel === null) return this.#refuse(6, exchange);
    return hecJson({
      acks: this.#acks.query(ids, { indexer, channel, at: exchange.at, config: this.#config }),
    });
  }

  #notInflated(reason: "unsupported" | "corrupt" | "too_large", exchange: Exchange): Reply {
    if (reason === "too_large") return this.tooLarge(exchange.body.length);
    if (reason === "unsupported")
      return this.#broken("unsupported_encoding", splunkdPage(415, "Unsupported Media Type"), exchange);
    this.#violateCode(6, exchange);
    return hecReply(6, { eventNumber: 0 });
  }

  #refuse(code: number, exchange: Exchange): Reply {
    this.#violateCode(code, exchange);
    return hecReply(code);
  }

  #violateCode(code: number, { at, path }: Exchange): void {
    this.#ledger.violate(`hec_code_${code}`, at, `${path}: ${hecReply(code).body}`);
  }

  #broken(rule: string, reply: Reply, { at, method, path }: Exchange): Reply {
    this.#ledger.violate(rule, at, `${method} ${path}`);
    return reply;
  }

  /** As operators report it of splunkd; the status 413 is documented, the page is not. */
  tooLarge(bytes: number): Reply {
    const title = `Content-Length of ${bytes} too large (maximum is ${this.maxBodyBytes})`;
    this.#ledger.violate("body_over_max_content_length", Date.now(), title);
    return splunkdPage(413, title);
  }

  refusal(status: number): Reply {
    const code = { 500: 8, 503: 9, 429: 26, 401: 3, 403: 4 }[status];
    return code === undefined ? splunkdPage(status, "Error") : hecReply(code);
  }

  describe(id: string | null, copy: Copy): StoredEvent {
    return describeCopy(id, copy);
  }

  forget(): void {
    this.#acks.forget();
  }
}

function takesSome(code: number): boolean {
  return TAKES_EVENTS.has(code) || NAMES_AN_EVENT.has(code);
}

/** How many objects a played code lets through. Code 7 names the object after the offender. */
function letThrough(fault: Exchange["fault"]): number {
  if (fault?.mode !== "code" || !NAMES_AN_EVENT.has(fault.code)) return Number.POSITIVE_INFINITY;
  const named = fault.event_number ?? 0;
  return Math.max(0, fault.code === 7 ? named - 1 : named);
}

export const splunkHec: ReceiverKind = {
  parse: parseSplunkConfig,
  create: (config, ledger) => new SplunkHec(parseSplunkConfig(config), ledger),
};
