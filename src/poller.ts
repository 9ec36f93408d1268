/**
 * The poller: one Durable Object per polled source, and the only one that knows how far that source was read.
 *
 * It joins the collecting, the incidents and the alarm over its own SQLite. All reading happens in the alarm, so that
 * there is never more than one reader; whatever else is asked of it only moves the alarm.
 */
import { DurableObject } from "cloudflare:workers";
import { type DurationMs, type EpochMs, hours, minutes, seconds } from "./base/clock.ts";
import { err, ok, type Result } from "./base/result.ts";
import { diagnose } from "./flow/collect/diagnose.ts";
import { failed, type PollFailure, type PollHealth, succeeded, WELL } from "./flow/collect/health.ts";
import { PollMemory } from "./flow/collect/memory.ts";
import { collect, type Round } from "./flow/collect/poll.ts";
import { searchApp } from "./flow/collect/search-text.ts";
import { SplunkClient } from "./flow/collect/splunk-client.ts";
import { PolledSearch } from "./model/polled-search.ts";
import type { TestReport } from "./model/probe.ts";
import type { PollerCalls, PollReport, Source } from "./model/source.ts";
import { pollerDepsOf } from "./wire.ts";
import type { PollerDeps } from "./wire-poller.ts";

/** How often a poller looks whether its source was switched on again, should nobody tell it. */
const OFF_LOOK: DurationMs = hours(6);
/** How often a source that works is said to have been seen: each saying is a row written in D1. */
const SEEN_EVERY: DurationMs = hours(1);
/** After something failed that is no fault of Splunk's: the database, or a bug. */
const AGAIN_SOON: DurationMs = seconds(30);
/** Drafts that are raised in one transaction. */
const RAISED_AT_ONCE = 100;

/** A source with what is needed to ask its Splunk. The client is kept between polls for its session key. */
interface Subject {
  readonly source: Source;
  readonly settings: PolledSearch;
  readonly client: SplunkClient;
}

export class Poller extends DurableObject<Env> implements Omit<PollerCalls, "test"> {
  readonly #deps: PollerDeps;
  #memory: PollMemory;
  #subject: Subject | null = null;
  /** Something changed, or a person asked, while a round was under way: the next begins at once. */
  #isAsked = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#deps = pollerDepsOf(env);
    this.#memory = new PollMemory(ctx.storage.sql);
  }

  async configure(tenantId: string, sourceId: string, revision: number): Promise<void> {
    if (this.#memory.get("address") === null) this.#memory.set("address", { tenantId, sourceId });
    const isNews = (this.#memory.get("revision") ?? -1) < revision;
    // Told again of what it knows, it only makes sure that it will wake.
    if (isNews || (await this.ctx.storage.getAlarm()) === null) await this.pollNow();
  }

  async pollNow(): Promise<void> {
    this.#isAsked = true;
    if (this.#memory.get("address") === null) return;
    const at = this.#deps.now();
    this.#memory.set("due_at", at);
    await this.#arm(at);
  }

  async report(): Promise<PollReport> {
    const { status, reason, failures, lastPolledAt } = this.#health;
    const { checkpoint } = this.#memory.place;
    return {
      status,
      reason,
      lastPolledAt,
      checkpoint: checkpoint === null ? null : seconds(checkpoint),
      nextPollAt: this.#memory.get("due_at"),
      notables: this.#memory.get("notables") ?? 0,
      failures,
    };
  }

  /** `test` of `PollerCalls`: the platform does not call a method of that name. */
  async examine(): Promise<TestReport> {
    const source = await this.#readSource();
    if (source === null) throw new Error("The source is gone, or this poller was never told of it");
    const subject = await this.#connect(source);
    const { now } = this.#deps;
    if (subject.ok) return diagnose({ now, client: subject.value.client, settings: subject.value.settings });
    const { message } = subject.error;
    return {
      ok: false,
      latencyMs: null,
      httpStatus: null,
      providerCode: null,
      message,
      hint: message,
      acknowledgement: null,
      checks: [{ name: "settings", ok: false, detail: message }],
    };
  }

  /** The platform retries a failing alarm six times and then never again, so nothing may escape, and it is always set anew. */
  override async alarm(): Promise<void> {
    this.#isAsked = false;
    let next: EpochMs | null = this.#deps.now() + AGAIN_SOON;
    try {
      next = await this.#wake();
    } catch (error) {
      this.#deps.log("alarm.failed", { ...this.#memory.get("address"), error: String(error).slice(0, 300) });
    }
    if (next !== null) await this.#arm(this.#isAsked ? this.#deps.now() : next);
  }

  /** One piece of bounded work. @returns when the next is due; null when there is nothing left to wake for */
  async #wake(): Promise<EpochMs | null> {
    const startedAt = this.#deps.now();
    const source = await this.#readSource();
    if (source === null || source.deletedAt !== null) return this.#forget();
    if (source.revision !== this.#memory.get("revision")) this.#startAnew(source);
    if (!source.enabled) {
      this.#memory.set("due_at", null);
      return startedAt + OFF_LOOK;
    }
    const subject = await this.#connect(source);
    const next = subject.ok
      ? this.#settle(await this.#collect(subject.value), subject.value, startedAt)
      : this.#fail(subject.error);
    await this.#tell(source);
    this.#memory.set("due_at", next);
    return next;
  }

  #collect({ source, settings, client }: Subject): Promise<Round> {
    const { now, sleep, raise } = this.#deps;
    return collect({
      now,
      sleep,
      client,
      settings,
      mappings: source,
      memory: this.#memory,
      atomically: (work) => this.ctx.storage.transactionSync(work),
      raise: async (drafts) => {
        for (let at = 0; at < drafts.length; at += RAISED_AT_ONCE) {
          await raise(source, drafts.slice(at, at + RAISED_AT_ONCE));
        }
      },
    });
  }

  /** What a round came to. @returns when the next is due */
  #settle(round: Round, { source, settings }: Subject, startedAt: EpochMs): EpochMs {
    const { now, log } = this.#deps;
    const facts = {
      tenant_id: source.tenantId,
      source_id: source.id,
      outcome: round.kind,
      rows: round.rows,
      notables: round.fresh,
      clock_from: round.clock?.by ?? null,
      clock_ahead_ms: round.clock === null ? null : seconds(round.clock.splunk) - round.clock.answeredAt,
      checkpoint_s: this.#memory.place.checkpoint,
      duration_ms: now() - startedAt,
    };
    if (round.kind === "failed") {
      const { trouble, httpStatus } = round.failure;
      log("collect.failed", { ...facts, trouble, http_status: httpStatus });
      return this.#fail(round.failure);
    }
    log("collect.ended", facts);
    if (round.kind === "unfinished") return now() + round.again;
    this.#memory.set("health", succeeded(now()));
    return Math.max(now(), startedAt + minutes(settings.poll_interval_minutes));
  }

  #fail(failure: PollFailure): EpochMs {
    const { now, random } = this.#deps;
    const health = failed(this.#health, failure, { now: now(), random });
    this.#memory.set("health", health);
    return health.retryAt ?? now() + AGAIN_SOON;
  }

  /** The settings changed: the old trouble says nothing, and a job of the old search finds the wrong rows. */
  #startAnew({ revision }: Source): void {
    const { place } = this.#memory;
    const window = place.window === null ? null : { ...place.window, job: null, offset: 0 };
    this.#memory.set("place", { ...place, window });
    this.#memory.set("health", { ...this.#health, failures: 0, retryAt: null });
    this.#memory.set("paths", null);
    this.#memory.set("page_rows", null);
    this.#memory.set("revision", revision);
    this.#subject = null;
  }

  /** Tells the database how polling stands, when that changed, and now and then that it works. */
  async #tell({ tenantId, id }: Source): Promise<void> {
    const { status, reason, lastPolledAt } = this.#health;
    const hour = status === "active" ? Math.floor((lastPolledAt ?? 0) / SEEN_EVERY) : null;
    const told = JSON.stringify([status, reason?.code ?? null, hour]);
    if (told === this.#memory.get("told")) return;
    try {
      const seenAt = status === "active" ? lastPolledAt : null;
      await this.#deps.reportStatus(tenantId, id, { status, reason, seenAt });
      this.#memory.set("told", told);
    } catch (error) {
      // Told with the next poll instead.
      this.#deps.log("status.unreported", { source_id: id, error: String(error).slice(0, 300) });
    }
  }

  async #connect(source: Source): Promise<Result<Subject, PollFailure>> {
    const known = this.#subject;
    if (known !== null && known.source.revision === source.revision) return ok({ ...known, source });
    const settings = PolledSearch.safeParse(source.config);
    const secrets = await this.#deps.openSecrets(source);
    if (!settings.success || !secrets.ok) {
      const error = secrets.ok ? "settings" : secrets.error;
      this.#deps.log("source.unusable", { tenant_id: source.tenantId, source_id: source.id, error });
      const message = "The stored settings or secrets cannot be used; save them again";
      return err({ trouble: "config_rejected", message, held: true, retryAfter: null });
    }
    const client = new SplunkClient({
      now: this.#deps.now,
      send: this.#deps.send,
      settings: settings.data,
      secrets: secrets.value,
      app: searchApp(settings.data),
      paths: () => this.#memory.get("paths"),
      learn: (paths) => this.#memory.set("paths", paths),
    });
    this.#subject = { source, settings: settings.data, client };
    return ok(this.#subject);
  }

  /** @returns null when it is gone */
  async #readSource(): Promise<Source | null> {
    const address = this.#memory.get("address");
    return address === null ? null : this.#deps.readSource(address.tenantId, address.sourceId);
  }

  get #health(): PollHealth {
    return this.#memory.get("health") ?? WELL;
  }

  async #arm(at: EpochMs): Promise<void> {
    await this.ctx.storage.setAlarm(at);
  }

  /** The source is deleted: what it raised stays, how far it was read is of no use. */
  async #forget(): Promise<null> {
    this.#subject = null;
    await this.ctx.storage.deleteAll();
    this.#memory = new PollMemory(this.ctx.storage.sql);
    return null;
  }
}
