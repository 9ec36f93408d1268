/** One named destination: its settings, what it has received, and how it misbehaves at the moment. */
import type {
  Arrivals,
  Door,
  Fault,
  InstanceConfig,
  Kind,
  LoggedRequest,
  StoredEvent,
  Summary,
} from "./control.ts";
import { FaultBox } from "./faults.ts";
import { ANONYMOUS, Ledger } from "./ledger.ts";
import { type Exchange, header, JSON_TYPE, type Receiver, type Reply } from "./receiver.ts";
import { RECEIVERS } from "./receivers.ts";
import { BadInput, isRecord } from "./shape.ts";

const MAX_LOGGED = 1000;

/** What to do with a request: the receiver's answer, bent by a fault. */
export interface Outcome {
  readonly reply: Reply;
  readonly fault: Fault | null;
  /** How the answer leaves: whole, cut in half, late, not yet or never. */
  readonly way: "answer" | "half" | "reset" | "hang";
  readonly delayMs: number;
}

export class Instance {
  readonly name: string;
  readonly kind: Kind;
  readonly ledger: Ledger;
  readonly receiver: Receiver;
  readonly faults = new FaultBox();
  /** Requests that hang or are slow: each is let go, dropped or answered, by its function here. */
  readonly held = new Set<() => void>();
  #config: InstanceConfig;
  #requests = 0;
  #refused = 0;
  #log: LoggedRequest[] = [];
  #firstAt: number | null = null;
  #lastAt: number | null = null;

  /** @throws BadInput */
  constructor(name: string, value: unknown) {
    const kind = isRecord(value) ? value["kind"] : undefined;
    if (typeof kind !== "string" || !Object.hasOwn(RECEIVERS, kind))
      throw new BadInput(`an instance needs "kind", one of ${Object.keys(RECEIVERS).join(", ")}`);
    // Known by the test just above.
    const receiverKind = RECEIVERS[kind as Kind];
    this.name = name;
    this.#config = receiverKind.parse(value);
    this.kind = this.#config.kind;
    this.ledger = new Ledger(this.#config);
    this.receiver = receiverKind.create(this.#config, this.ledger);
  }

  get config(): InstanceConfig {
    return this.#config;
  }

  /** What storage keeps cannot change under way: that takes a new instance. @throws BadInput */
  configure(change: unknown): void {
    if (!isRecord(change)) throw new BadInput("a change must be a JSON object");
    const frozen = ["kind", "count_only", "ids", "max_stored"].find((name) => name in change);
    if (frozen !== undefined) throw new BadInput(`"${frozen}" cannot change; PUT the instance anew`);
    const config = RECEIVERS[this.kind].parse({ ...this.#config, ...change });
    this.receiver.configure(config);
    this.#config = config;
  }

  receive(exchange: Omit<Exchange, "fault">, door: Door | null): Outcome {
    const fault = this.faults.at(door);
    const outcome = this.#play(exchange, fault);
    if ((outcome.reply.events ?? 0) > 0) {
      this.#firstAt ??= exchange.at;
      this.#lastAt = exchange.at;
    }
    const isPlayedInside = fault !== null && PLAYED_INSIDE.has(fault.mode);
    if (fault === null || (isPlayedInside && !outcome.reply.struck)) return { ...outcome, fault: null };
    this.faults.spend();
    return { ...outcome, fault };
  }

  /** Requests over the size that the receiver reads at all; no fault is played on them. */
  refuseTooLarge(bytes: number): Outcome {
    return { reply: this.receiver.tooLarge(bytes), fault: null, way: "answer", delayMs: 0 };
  }

  #play(exchange: Omit<Exchange, "fault">, fault: Fault | null): Omit<Outcome, "fault"> {
    const take = (inside: Exchange["fault"] = null): Reply =>
      this.receiver.receive({ ...exchange, fault: inside });
    const takeIf = (isStored: boolean | undefined): Reply => (isStored ? take() : NOTHING);
    const answer = (reply: Reply): Omit<Outcome, "fault"> => ({ reply, way: "answer", delayMs: 0 });
    switch (fault?.mode) {
      case undefined:
        return answer(take());
      case "code":
      case "poison":
      case "messages":
      case "short_page":
        return answer(take(fault));
      case "status":
        return answer({ ...takeIf(fault.stored), ...this.#statusReply(fault) });
      case "html":
        return answer(LOGIN_PAGE);
      case "redirect":
        return answer({
          ...LOGIN_PAGE,
          status: 303,
          headers: { ...LOGIN_PAGE.headers, location: LOGIN_PATH },
        });
      case "hang":
        return { reply: takeIf(fault.stored), way: "hang", delayMs: 0 };
      case "reset":
        return { reply: NOTHING, way: "reset", delayMs: 0 };
      case "reset_after":
        return { reply: take(), way: "reset", delayMs: 0 };
      case "half_answer":
        return { reply: take(), way: "half", delayMs: 0 };
      case "slow":
        return { reply: take(), way: "answer", delayMs: fault.ms };
    }
  }

  #statusReply(fault: Extract<Fault, { mode: "status" }>): Pick<Reply, "status" | "headers" | "body"> {
    const retryAfter = fault.retry_after === undefined ? null : String(fault.retry_after);
    const usual = this.receiver.refusal(fault.status, retryAfter);
    return {
      status: fault.status,
      body: fault.body ?? usual.body,
      headers: {
        ...usual.headers,
        ...(retryAfter === null ? {} : { "retry-after": retryAfter }),
        ...lowerCase(fault.headers),
      },
      ...(fault.body === undefined && usual.code !== undefined ? { code: usual.code } : {}),
    };
  }

  /** @param status answered, or null if the connection was dropped */
  log(exchange: Omit<Exchange, "fault">, outcome: Outcome, status: number | null): void {
    const { reply, fault } = outcome;
    this.#requests++;
    if (status === null || status < 200 || status > 299) this.#refused++;
    if (this.#log.length >= 2 * MAX_LOGGED) this.#log = this.#log.slice(-MAX_LOGGED);
    this.#log.push({
      at: exchange.at,
      method: exchange.method,
      path: exchange.path,
      status,
      code: status === null ? null : (reply.code ?? null),
      bytes: exchange.body.length,
      content_encoding: header(exchange.headers, "content-encoding"),
      events: reply.events ?? 0,
      channel: header(exchange.headers, "x-splunk-request-channel") ?? exchange.query.get("channel"),
      cookie: header(exchange.headers, "cookie"),
      indexer: reply.indexer ?? null,
      webhook: this.receiver.witness?.(exchange) ?? null,
      fault: fault?.mode ?? null,
      duration_ms: Date.now() - exchange.at,
    });
  }

  requests(limit: number): readonly LoggedRequest[] {
    return limit <= 0 ? [] : this.#log.slice(-Math.min(limit, MAX_LOGGED));
  }

  /** Every kept copy of the event; `-` for events without an id. */
  copies(id: string): readonly StoredEvent[] {
    return this.ledger.copies(id).map((copy) => this.receiver.describe(id === ANONYMOUS ? null : id, copy));
  }

  summary(): Summary {
    const { ledger } = this;
    return {
      name: this.name,
      kind: this.kind,
      requests: this.#requests,
      refused: this.#refused,
      events: ledger.events,
      distinct: ledger.distinct,
      duplicates: ledger.duplicates,
      anonymous: ledger.anonymous,
      not_stored: ledger.notStored,
      violations: ledger.violations(),
      fault: this.faults.current,
      hanging: this.held.size,
    };
  }

  arrivals(): Arrivals {
    return { ...this.ledger.counts(), first_at: this.#firstAt, last_at: this.#lastAt };
  }

  recover(): void {
    this.faults.clear();
    this.#firstAt = null;
    for (const release of [...this.held]) release();
  }

  forget(): void {
    this.ledger.forget();
    this.receiver.forget();
    this.#requests = 0;
    this.#refused = 0;
    this.#log = [];
    this.#firstAt = null;
    this.#lastAt = null;
  }
}

/** Faults that speak a vendor's language: the receiver says whether they struck. */
const PLAYED_INSIDE: ReadonlySet<Fault["mode"]> = new Set(["code", "poison", "messages", "short_page"]);

const NOTHING: Reply = { status: 503, headers: JSON_TYPE, body: "" };

/** Where Splunk Web sends whoever is not logged in; what a sender meets on the wrong port. */
const LOGIN_PATH = "/en-US/account/login?return_to=%2Fen-US%2F";

const LOGIN_PAGE: Reply = {
  status: 200,
  headers: { "content-type": "text/html; charset=UTF-8" },
  body: "<!doctype html><html><head><title>Login</title></head><body><form>Username Password</form></body></html>",
};

function lowerCase(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
