/**
 * The lane: one Durable Object per destination, and the only holder of what that destination is owed.
 *
 * It joins the outbox, the drain and the alarm over its own SQLite. Memory is a cache of what is stored:
 * an eviction at any point costs a repeated request at worst.
 */
import { DurableObject } from "cloudflare:workers";
import { type DurationMs, days, type EpochMs, isoTimeOrNull, seconds } from "./base/clock.ts";
import { CHUNK_BYTES, CHUNK_EVENTS, cutChunks } from "./flow/deliver/chunk.ts";
import { DeadLetters } from "./flow/deliver/dead-letters.ts";
import { Drain, type Target } from "./flow/deliver/drain.ts";
import { fateOf } from "./flow/deliver/fate.ts";
import { expired, failed, HEALTHY, type Health, reset } from "./flow/deliver/health.ts";
import { type Attempt, Ledger } from "./flow/deliver/ledger.ts";
import { Outbox } from "./flow/deliver/outbox.ts";
import { DELIVERY_WINDOW, migrate } from "./flow/deliver/schema.ts";
import { TAKEN_WINDOW, Taken } from "./flow/deliver/taken.ts";
import { nextWake } from "./flow/deliver/wake.ts";
import { backlogWarning, type WarningLevel } from "./flow/deliver/warning.ts";
import { matcher } from "./flow/route/match.ts";
import { LaneAcks } from "./lane-acks.ts";
import { Facts } from "./lane-facts.ts";
import { Fallback } from "./lane-fallback.ts";
import type { ProviderWords } from "./model/delivery.ts";
import type { Destination } from "./model/destination.ts";
import type {
  BatchFate,
  BatchPart,
  DeadLetter,
  DeadLetterSelection,
  DeliveryRecord,
  FlushReport,
  LaneCalls,
  LanePage,
  LaneReport,
  LaneStats,
  ParkReason,
  Submission,
  Taken as TakenCount,
} from "./model/lane.ts";
import type { Connector, RequestLimits } from "./model/provider.ts";
import { shardOfName } from "./model/shards.ts";
import { type LaneDeps, laneDeps } from "./wire.ts";
import type { ConnectFault } from "./wire-vault.ts";

/** Requests whose manifests are read back after a restart to remember what was taken. */
const REMEMBERED_REQUESTS = 20_000;
/** Rows that one alarm turns into dead letters before it lets others have their turn. */
const EXPIRED_ROWS_PER_WAKE = 100;
/** What a deleted lane waits for events that were accepted before the deletion and are still on the queue: twice its batch timeout. */
const CLOSE_GRACE: DurationMs = seconds(2);
/** For the flush of a lane that learns of its deletion by itself; the API asks for the same. */
const CLOSE_WITHIN: DurationMs = seconds(30);
/** Attempts in a row that may fail before the last flush gives up: a dead endpoint must not keep the caller waiting. */
const CLOSE_ATTEMPTS = 8;
/** Pause between attempts of the last flush. */
const CLOSE_PAUSE: DurationMs = 250;
/** How long a deleted destination's dead letters stay readable. */
const CLOSED_RETENTION: DurationMs = days(7);
/** Waiting bytes beyond which a lane takes no more: the queue keeps it then. Far below an object's 10 GB. */
const MAX_OUTBOX_BYTES = 5_000_000_000;

/** Where the lane's destination is found. Kept apart from it, because it is known before the destination can be read. */
interface Address {
  readonly tenantId: string;
  readonly destinationId: string;
}

export class Lane extends DurableObject<Env> implements LaneCalls {
  readonly #deps: LaneDeps;
  readonly #outbox: Outbox;
  readonly #ledger: Ledger;
  readonly #deadLetters: DeadLetters;
  readonly #drain: Drain;
  readonly #taken: Taken;
  readonly #facts: Facts;
  readonly #fallback: Fallback;
  readonly #acks: LaneAcks;
  #isClosing = false;
  #health: Health;
  #address: Address | null;
  #destination: Destination | null;
  #target: Target | null = null;
  /** When the last flush ended; nothing is delivered after it. */
  #closedAt: EpochMs | null;
  #armedAt: EpochMs | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#deps = laneDeps(env, shardOfName(ctx.id.name));
    migrate(ctx.storage);
    const { sql } = ctx.storage;
    const atomically = (work: () => void): void => ctx.storage.transactionSync(work);
    this.#facts = new Facts(sql);
    this.#fallback = new Fallback(this.#deps.now, this.#facts);
    this.#outbox = new Outbox(sql, (error) => this.#complain("outbox.unreadable", error));
    this.#ledger = new Ledger(sql);
    this.#deadLetters = new DeadLetters(sql);
    this.#health = { ...HEALTHY, ...(this.#facts.get<Health>("health") ?? {}) };
    this.#address = this.#facts.get<Address>("address");
    this.#destination = this.#facts.get<Destination>("destination");
    this.#closedAt = this.#facts.get<EpochMs>("closed_at");
    this.#taken = this.#rememberTaken();
    this.#acks = new LaneAcks({
      now: this.#deps.now,
      send: this.#deps.send,
      sql,
      facts: this.#facts,
      outbox: this.#outbox,
      ledger: this.#ledger,
      rules: () => (this.#fallback.inUse ?? this.#target?.connector)?.acknowledgement,
      atomically,
      lost: (requests) => this.#lost(requests),
      complain: (what, error) => this.#complain(what, error),
    });
    this.#drain = new Drain({
      now: this.#deps.now,
      random: Math.random,
      send: this.#deps.send,
      outbox: this.#outbox,
      ledger: this.#ledger,
      deadLetters: this.#deadLetters,
      atomically,
      target: () => this.#target,
      health: () => this.#health,
      setHealth: (health) => this.#setHealth(health),
      ticket: () => this.#acks.ticket(),
      isFull: () => this.#acks.isFull,
      awaiting: (taken) => this.#acks.add(taken),
      answeredBy: (which) => this.#fallback.answeredBy(which),
      settled: (attempt) => this.#settled(attempt),
      complain: (what, error) => this.#complain(what, error),
    });
    void ctx.blockConcurrencyWhile(async () => {
      this.#armedAt = await ctx.storage.getAlarm();
      await this.#connect();
    });
  }

  async submit({ tenantId, destinationId, revision, parts }: Submission): Promise<TakenCount> {
    await this.#learn({ tenantId, destinationId }, revision);
    const count = this.#take(parts);
    this.#go();
    return count;
  }

  async configure(tenantId: string, destinationId: string, revision: number): Promise<void> {
    await this.#learn({ tenantId, destinationId }, revision);
    this.#go();
  }

  async report(): Promise<LaneReport> {
    const { status, reason, retryAt, changes } = this.#health;
    const oldestAt = this.#outbox.oldestAt();
    const waiting = this.#outbox.events;
    const { totals } = this.#ledger;
    return {
      status,
      reason,
      changes,
      activity: this.#ledger.activity(this.#deps.now()),
      backlog: { events: waiting, bytes: this.#outbox.bytes, oldestAt },
      nextAttemptAt: waiting === 0 || this.#isPaused() ? null : Math.max(this.#deps.now(), retryAt ?? 0),
      firstLossAt: this.#firstLossAt(oldestAt),
      lastDeliveredAt: this.#ledger.lastDeliveredAt,
      deadLetters: this.#deadLetters.count,
      fallback: this.#fallback.report(),
      totals: { ...totals, taken: totals.delivered + totals.parked + waiting - totals.replayed },
    };
  }

  async deliveries(before: number | null, limit: number): Promise<LanePage<DeliveryRecord>> {
    return this.#ledger.page(before, limit);
  }

  async stats(): Promise<LaneStats> {
    return this.#ledger.stats(this.#deps.now());
  }

  async deadLetters(before: number | null, limit: number): Promise<LanePage<DeadLetter>> {
    return this.#deadLetters.page(before, limit);
  }

  async replay(selection: DeadLetterSelection): Promise<number> {
    const now = this.#deps.now();
    let replayed = 0;
    this.ctx.storage.transactionSync(() => {
      replayed = this.#deadLetters.takeOut(
        selection,
        (parts) => this.#outbox.append(cutChunks(parts, this.#rowLimits())),
        now,
      );
      if (replayed > 0) this.#ledger.countReplayed(now, replayed);
    });
    this.#go();
    return replayed;
  }

  async discard(selection: DeadLetterSelection): Promise<number> {
    const now = this.#deps.now();
    let discarded = 0;
    this.ctx.storage.transactionSync(() => {
      discarded = this.#deadLetters.takeOut(selection, () => undefined, now);
      if (discarded > 0) this.#ledger.countDiscarded(now, discarded);
    });
    return discarded;
  }

  async close(within: DurationMs): Promise<FlushReport> {
    const { now, sleep } = this.#deps;
    this.#isClosing = true;
    await this.#refresh();
    const startedAt = now();
    const before = this.#ledger.totals.delivered;
    const parkedBefore = this.#deadLetters.count;
    const deadline = startedAt + within;
    // What was accepted before the deletion may still be on the queue, so even an empty lane waits a moment.
    const earliest = Math.min(deadline, startedAt + CLOSE_GRACE);
    let failures = 0;
    while (now() < earliest || (now() < deadline && this.#outbox.events > 0 && failures < CLOSE_ATTEMPTS)) {
      this.#setHealth(reset(this.#health, now()));
      this.#drain.pump();
      void this.#poll();
      await Promise.race([this.#drain.idle(), sleep(Math.max(0, deadline - now()))]);
      // Switched off, nothing can go out: every round counts as one that failed.
      failures = this.#health.retryAt === null && this.#target !== null ? 0 : failures + 1;
      await sleep(CLOSE_PAUSE);
    }
    this.#target = null;
    this.#closedAt = now();
    this.#facts.set("closed_at", this.#closedAt);
    this.#acks.giveUp();
    this.#parkClosed();
    const travelling = this.#outbox.events;
    // An answer may still come for what travels; what it leaves is parked then.
    if (travelling > 0) this.ctx.waitUntil(this.#drain.idle().then(() => this.#go()));
    this.#arm();
    const { delivered } = this.#ledger.totals;
    return { flushed: delivered - before, deadLettered: this.#deadLetters.count - parkedBefore + travelling };
  }

  async batch(batchId: string): Promise<BatchFate | null> {
    const [outbox, ledger, deadLetters] = [this.#outbox, this.#ledger, this.#deadLetters];
    return fateOf(batchId, { outbox, ledger, deadLetters, travelling: this.#drain.travellingManifests() });
  }

  /** The platform retries a failing alarm six times and then never again, so nothing may escape, and it is always set anew. */
  override async alarm(): Promise<void> {
    this.#armedAt = null;
    try {
      await this.#wake();
    } catch (error) {
      this.#complain("alarm.failed", error);
    } finally {
      this.#arm();
    }
  }

  async #wake(): Promise<void> {
    const now = this.#deps.now();
    if (this.#closedAt !== null && now >= this.#closedAt + CLOSED_RETENTION) return this.#forget();
    // The destination may have been changed or deleted while this lane could not be told, or it could not be read.
    await this.#refresh();
    if (this.#target === null) await this.#connect();
    if (this.#closedAt === null && !this.#isClosing && typeof this.#destination?.deletedAt === "number")
      await this.close(CLOSE_WITHIN);
    const parked = this.#parkWaiting(now - DELIVERY_WINDOW, EXPIRED_ROWS_PER_WAKE, "expired", {
      httpStatus: null,
      code: null,
      message: this.#health.reason?.message ?? "Not delivered within 24 hours",
    });
    if (parked > 0) this.#setHealth(expired(this.#health, now));
    this.#warn();
    this.#ledger.prune(now);
    this.#drain.pump();
    // Not waited for: a provider that hangs on the question must not hold the alarm.
    this.ctx.waitUntil(this.#poll());
  }

  /** Takes custody. Everything up to the return is one transaction; the reply waits until it is durable. */
  #take(parts: readonly BatchPart[]): TakenCount {
    const now = this.#deps.now();
    if (this.#outbox.bytes > MAX_OUTBOX_BYTES)
      throw new Error("The outbox is full; the queue keeps the events");
    const wanted = parts.filter((part) => this.#isWanted(part));
    const fresh = firstOfEach(wanted).filter(({ batchId, part }) => !this.#taken.has(batchId, part));
    try {
      this.ctx.storage.transactionSync(() => this.#outbox.append(cutChunks(fresh, this.#rowLimits())));
    } catch (error) {
      this.#complain("take.failed", error);
      throw error; // the queue keeps the message
    }
    for (const { batchId, part } of fresh) this.#taken.add(batchId, part, now);
    const events = (list: readonly BatchPart[]): number =>
      list.reduce((sum, { lines }) => sum + lines.count, 0);
    return {
      taken: events(fresh),
      repeated: events(wanted) - events(fresh),
      unwanted: events(parts) - events(wanted),
    };
  }

  /** A provider that takes less in a request than a row holds gets smaller rows. */
  #rowLimits(): RequestLimits {
    const { events, bytes } = this.#target?.connector.limits ?? { events: CHUNK_EVENTS, bytes: CHUNK_BYTES };
    return { events: Math.min(CHUNK_EVENTS, events), bytes: Math.min(CHUNK_BYTES, bytes) };
  }

  /** While switched off or deleted, only what was accepted before that is kept. */
  #isWanted({ acceptedAt }: BatchPart): boolean {
    if (this.#destination === null) return true;
    const { deletedAt, enabled, disabledAt } = this.#destination;
    if (deletedAt !== null && acceptedAt > deletedAt) return false;
    return enabled || (disabledAt !== null && acceptedAt <= disabledAt);
  }

  /** Delivers what can be delivered now, and sees to it that somebody wakes this lane for the rest. */
  #go(): void {
    if (this.#closedAt !== null) this.#parkClosed();
    this.#drain.pump();
    this.#arm();
  }

  /** Nothing is delivered any more: what is there, or still arrives, is kept for a person. */
  #parkClosed(): void {
    this.#parkWaiting(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, "destination_deleted", {
      httpStatus: null,
      code: null,
      message: "The destination was deleted before this could be delivered",
    });
  }

  #parkWaiting(acceptedUntil: EpochMs, rows: number, reason: ParkReason, words: ProviderWords): number {
    const now = this.#deps.now();
    let parked = 0;
    this.ctx.storage.transactionSync(() => {
      for (const chunk of this.#outbox.acceptedUntil(acceptedUntil, this.#drain.travelling, rows)) {
        const events = this.#deadLetters.park(chunk, now, () => ({ reason, words }));
        this.#outbox.remove([chunk]);
        this.#ledger.record({
          at: now,
          outcome: "parked",
          trouble: reason === "expired" ? "expired" : null,
          words,
          events,
          bytes: 0,
          latency: 0,
          retryAt: null,
          maybeTaken: false,
          manifest: chunk.manifest,
          delivered: [],
          parked: events,
          acceptedAt: chunk.acceptedAt,
          awaitsAck: false,
        });
        parked += events;
      }
    });
    return parked;
  }

  /** Whose lane this is, and that the sender saw at least this revision of the destination. */
  async #learn(address: Address, revision: number): Promise<void> {
    if (this.#address === null) {
      this.#address = address;
      this.#facts.set("address", address);
    }
    if ((this.#destination?.revision ?? -1) < revision) await this.#refresh();
  }

  /** Reads the destination again. A database that cannot be reached changes nothing: the lane goes on with what it knows. */
  async #refresh(): Promise<void> {
    if (this.#address === null) return;
    const { tenantId, destinationId } = this.#address;
    const fresh = await this.#deps.readDestination(tenantId, destinationId).catch((error: unknown) => {
      this.#complain("destination.unreadable", error);
      return null;
    });
    const known = this.#destination;
    if (fresh === null || (known !== null && fresh.revision <= known.revision)) return;
    this.#destination = fresh;
    this.#facts.set("destination", fresh);
    if (known !== null) this.#setHealth(reset(this.#health, this.#deps.now()));
    this.#drain.forgetLimits();
    await this.#connect();
  }

  async #connect(): Promise<void> {
    const destination = this.#destination;
    this.#fallback.set(null, null);
    if (destination === null || !destination.enabled || this.#closedAt !== null) {
      this.#target = null;
      return;
    }
    const connected = await this.#deps.connect(destination);
    if (!connected.ok) {
      // What is remembered may be older than what the database has: sealed anew meanwhile, under another key.
      if (await this.#hasNewer(destination)) return this.#refresh();
      return this.#unconnected(connected.error);
    }
    const previous = await this.#connectPrevious(destination);
    const decide = matcher(destination.routes);
    const indexFor = (action: string): string | null => {
      const decision = decide(action);
      return decision.wanted ? decision.index : null;
    };
    if (this.#destination !== destination) return;
    this.#fallback.set(previous, destination.previousSecretsUntil ?? null);
    this.#target = { connector: connected.value, fallback: () => this.#fallback.connector, indexFor };
  }

  /** With the secrets before the last rotation; null where there are none any more, or they are of no use. */
  async #connectPrevious(destination: Destination): Promise<Connector | null> {
    // A destination remembered by an earlier version has no such field.
    if ((destination.previousSecretsUntil ?? 0) <= this.#deps.now()) return null;
    const connected = await this.#deps.connect(destination, "previous");
    if (!connected.ok) this.#complain("destination.fallback_unusable", connected.error.message);
    return connected.ok ? connected.value : null;
  }

  async #hasNewer({ tenantId, id, revision }: Destination): Promise<boolean> {
    const fresh = await this.#deps.readDestination(tenantId, id).catch(() => null);
    return fresh !== null && fresh.revision > revision;
  }

  /** Everything is kept. What passes by itself is tried again soon, what a person has to mend seldom. */
  #unconnected({ isPassing, message: cause }: ConnectFault): void {
    this.#complain("destination.unusable", cause);
    this.#target = null;
    const now = this.#deps.now();
    const failure = {
      trouble: isPassing ? "provider_error" : "config_rejected",
      message: isPassing
        ? "The relay cannot open the stored secrets at the moment; it tries again by itself"
        : "The stored settings or secrets cannot be used; save them again",
      retryAfter: null,
      held: !isPassing,
      startedAt: now,
    } as const;
    this.#setHealth(failed(this.#health, failure, { now, random: Math.random }));
  }

  /** The day's window, or the provider's own limit of age where that comes first. */
  #firstLossAt(oldestAt: EpochMs | null): EpochMs | null {
    if (oldestAt === null) return null;
    const maxAge = this.#target?.connector.maxAge ?? Number.POSITIVE_INFINITY;
    const tooOldAt = (this.#outbox.oldestEventAt() ?? oldestAt) + maxAge;
    return Math.max(this.#deps.now(), Math.min(oldestAt + DELIVERY_WINDOW, tooOldAt));
  }

  /** Asks for acknowledgements, then goes on with what became possible. */
  async #poll(): Promise<void> {
    await this.#acks.poll();
    this.#drain.pump();
    this.#arm();
  }

  #lost(requests: number): void {
    const now = this.#deps.now();
    const message = "Events were taken and not acknowledged in time; they are sent again";
    const failure = { trouble: "timeout", message, retryAfter: null, held: false, startedAt: now } as const;
    this.#setHealth(failed(this.#health, failure, { now, random: Math.random }));
    this.#deps.log("acknowledgement.lost", { destination_id: this.#destination?.id, requests });
  }

  /** Tells the tenant, once a level, that its backlog is on the way to costing events. */
  #warn(): void {
    const oldestAt = this.#outbox.oldestAt();
    const oldestEventAt = this.#outbox.oldestEventAt();
    const warned = this.#facts.get<WarningLevel>("warned") ?? 0;
    if (oldestAt === null || oldestEventAt === null || this.#destination === null) {
      if (warned > 0) this.#facts.set("warned", 0);
      return;
    }
    const { level, limit } = backlogWarning({
      now: this.#deps.now(),
      oldestAt,
      windowMs: DELIVERY_WINDOW,
      oldestEventAt,
      maxAgeMs: this.#target?.connector.maxAge ?? null,
      bytes: this.#outbox.bytes,
      maxBytes: MAX_OUTBOX_BYTES,
    });
    if (level === warned) return;
    this.#facts.set("warned", level);
    if (level < warned) return;
    const { tenantId, id, name, provider } = this.#destination;
    const firstLossAt = isoTimeOrNull(this.#firstLossAt(oldestAt));
    const metadata = {
      name,
      provider,
      percent: level,
      limit,
      events: this.#outbox.events,
      first_loss_at: firstLossAt,
    };
    this.ctx.waitUntil(
      this.#deps.announce(tenantId, { action: "siem.backlog_warning", resourceId: id, metadata }),
    );
  }

  /** Nothing is to be delivered, as opposed to: something is in the way. */
  #isPaused(): boolean {
    return this.#closedAt !== null || this.#destination?.enabled === false;
  }

  #settled(attempt: Attempt): void {
    this.#deps.log("delivery.attempted", {
      tenant_id: this.#destination?.tenantId,
      destination_id: this.#destination?.id,
      outcome: attempt.outcome,
      trouble: attempt.trouble,
      http_status: attempt.words.httpStatus,
      provider_code: attempt.words.code,
      events: attempt.events,
      parked: attempt.parked,
      body_bytes: attempt.bytes,
      duration_ms: attempt.latency,
      retry_at_ms: attempt.retryAt,
      waiting_events: this.#outbox.events,
    });
    this.#arm();
  }

  #setHealth(health: Health): void {
    const before = this.#health;
    this.#health = health;
    if (
      health.failures !== before.failures ||
      health.retryAt !== before.retryAt ||
      health.changes !== before.changes
    ) {
      this.#facts.set("health", health);
    }
    if (health.changes !== before.changes && this.#destination !== null) {
      const { tenantId, id } = this.#destination;
      this.ctx.waitUntil(
        this.#deps
          .reportStatus(tenantId, id, { status: health.status, reason: health.reason })
          .catch((error: unknown) => this.#complain("status.unreported", error)),
      );
    }
  }

  /** Sets the one alarm, unless an earlier or equal one is armed: each setting is a billed row. */
  #arm(): void {
    const at = nextWake({
      now: this.#deps.now(),
      health: this.#health,
      oldestAt: this.#outbox.headAt(),
      paused: this.#isPaused(),
      hasHistory: this.#ledger.hasHistory || this.#closedAt !== null,
      pollAt: this.#acks.pollAt(),
    });
    if (at === null || (this.#armedAt !== null && this.#armedAt <= at)) return;
    this.#armedAt = at;
    void this.ctx.storage.setAlarm(at);
  }

  async #forget(): Promise<void> {
    if (this.#address !== null)
      await this.#deps.forgetDestination(this.#address.tenantId, this.#address.destinationId);
    await this.ctx.storage.deleteAll();
    this.ctx.abort("A deleted destination's time is over");
  }

  #rememberTaken(): Taken {
    const now = this.#deps.now();
    const taken = new Taken(now);
    for (const [batchId, part] of this.#ledger.carriedSince(now - TAKEN_WINDOW, REMEMBERED_REQUESTS)) {
      taken.add(batchId, part, now);
    }
    for (const [batchId, part] of this.#deadLetters.parts()) taken.add(batchId, part, now);
    for (const { manifest } of this.#outbox.manifests()) {
      for (const [batchId, part] of manifest) taken.add(batchId, part, now);
    }
    return taken;
  }

  /** After a write that failed memory may disagree with what is stored: start again from the stored. */
  #complain(what: string, error: unknown): void {
    this.#deps.log(what, { destination_id: this.#destination?.id, error: String(error).slice(0, 300) });
    if (what === "settle.failed" || what === "take.failed") this.ctx.abort("Restarting from storage");
  }
}

/** One hand-over can hold a part twice: a repeated request, or a message that the queue delivered twice, within its batch. */
function firstOfEach(parts: readonly BatchPart[]): readonly BatchPart[] {
  const seen = new Set<string>();
  return parts.filter(({ batchId, part }) => {
    const isFirst = !seen.has(`${batchId}/${part}`);
    seen.add(`${batchId}/${part}`);
    return isFirst;
  });
}
