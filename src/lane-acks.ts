import type { Clock, EpochMs } from "./base/clock.ts";
import { MAX_PENDING, type Pending, PendingAcks } from "./flow/acknowledge/pending.ts";
import { pollDue } from "./flow/acknowledge/poll.ts";
import {
  FIRST_SESSION,
  learn,
  type SessionState,
  sessionOf,
  type Ticket,
  ticketFor,
} from "./flow/acknowledge/session.ts";
import type { TakenRequest } from "./flow/deliver/drain.ts";
import type { Ledger } from "./flow/deliver/ledger.ts";
import type { Outbox } from "./flow/deliver/outbox.ts";
import type { Facts } from "./lane-facts.ts";
import type { Send } from "./model/http.ts";
import type { Acknowledgement } from "./model/provider.ts";

export interface LaneAcksDeps {
  readonly now: Clock;
  readonly send: Send;
  readonly sql: SqlStorage;
  readonly facts: Facts;
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  /** How the provider acknowledges; undefined while delivery is off, or where it does not. */
  rules(): Acknowledgement | undefined;
  atomically(work: () => void): void;
  /** Requests were never confirmed; their events wait again. */
  lost(requests: number): void;
  complain(what: string, error: unknown): void;
}

/** The lane's side of acknowledgement: what the provider has taken stays ours until it is confirmed. */
export class LaneAcks {
  readonly #deps: LaneAcksDeps;
  readonly #pending: PendingAcks;
  #session: SessionState;
  #isPolling = false;

  constructor(deps: LaneAcksDeps) {
    this.#deps = deps;
    this.#pending = new PendingAcks(deps.sql);
    this.#session = { ...FIRST_SESSION, ...(deps.facts.get<SessionState>("session") ?? {}) };
  }

  /** Nothing more is to be sent until some of what was taken is confirmed. */
  get isFull(): boolean {
    return this.#pending.count >= MAX_PENDING;
  }

  ticket(): Ticket {
    return ticketFor(this.#session, () => crypto.randomUUID());
  }

  /** When somebody has to be asked; null when nobody has, or a round of questions is under way. */
  pollAt(): EpochMs | null {
    const rules = this.#deps.rules();
    return rules === undefined || this.#isPolling ? null : this.#pending.wakeAt(rules.timeout);
  }

  /** Notes a request that will be confirmed. @returns the id under which its events wait */
  add({ ticket, ackId, answer, deliveryId, sentAt }: TakenRequest): number {
    const setCookie = this.#deps.rules()?.cookieOf(answer) ?? null;
    const session = sessionOf(ticket, setCookie);
    const isTwin = this.#pending.hasTwin(session, ackId);
    const before = this.#session;
    this.#session = learn(before, { ticket, ackId, setCookie, isTwin });
    const isNews = this.#session.mode !== before.mode || this.#session.cookie !== before.cookie;
    if (isNews) this.#deps.facts.set("session", this.#session);
    return this.#pending.add({ session, ackId, deliveryId, sentAt });
  }

  /** Asks which of the pending requests are confirmed, one round at a time. Never rejects. */
  async poll(): Promise<void> {
    const rules = this.#deps.rules();
    if (rules === undefined || this.#isPolling || this.#pending.count === 0) return;
    const { now, send } = this.#deps;
    this.#isPolling = true;
    try {
      await pollDue(rules, {
        now,
        send,
        pending: this.#pending,
        // "Yes" is told once: it is stored in the same transaction that lets go of the events.
        told: (session, ackId) => this.#settle(() => this.#pending.tell(session, ackId), "indexed"),
        confirmed: (requests, as) => this.#settle(() => requests, as),
        lost: (requests) => {
          this.#settle(() => requests, "lost");
          this.#deps.lost(requests.length);
        },
      });
    } catch (error) {
      this.#deps.complain("poll.failed", error);
    } finally {
      this.#isPolling = false;
    }
  }

  /** Nobody will be asked any more: what is not confirmed waits again. */
  giveUp(): void {
    this.#settle(() => this.#pending.all(), "lost");
  }

  /** The last word on some requests, and what becomes of their events, in one transaction. */
  #settle(find: () => readonly Pending[], as: "indexed" | "accepted" | "lost"): void {
    const { outbox, ledger, now } = this.#deps;
    this.#deps.atomically(() => {
      for (const request of find()) {
        if (as === "lost") outbox.release(request.id);
        else outbox.complete(request.id);
        this.#pending.remove(request);
        ledger.acknowledge(request.deliveryId, as, now());
      }
    });
  }
}
