import type { DurationMs } from "../../base/clock.ts";
import { type Outgoing, type ProduceDeps, pack, type Sized, send } from "./produce.ts";

/** Bytes below which a batch shares its message with others: more fills most of one by itself. */
const SMALL_BYTES = 16_000;
/** Bytes that one send of the group carries at most: three full messages, within one call. */
const GROUP_BYTES = 190_000;
/** Longest wait for the send of another request; after it a batch is sent by its own request. */
export const PATIENCE: DurationMs = 5_000;

export interface CommitDeps {
  sleep(duration: DurationMs): Promise<void>;
  /** Lets a promise finish, and what follows from it, even when the request that made it is cut off. */
  keep(promise: Promise<unknown>): void;
}

/** Somebody whose batch waits: `lead` makes the owner's request send for all, the others tell how that ended. */
interface Waiter {
  readonly all: readonly Sized[];
  readonly size: number;
  readonly resolve: (turn: "lead" | "sent" | "failed") => void;
}

/**
 * Group commit of an isolate: while one request sends to the queue, small batches of others gather, and the next send
 * carries all of them in one message. So a single event costs a share of a queue operation instead of a whole one, and
 * nobody waits while nobody else is sending.
 *
 * A request may not use what another opened, so one request leads, and sends for all. The others each wait for a promise
 * of their own, which the leader resolves: the platform goes on in the request that made the promise, as long as that one
 * is alive. It does so with `handle_cross_request_promise_resolution`, on by default from the compatibility date 2024-10-14;
 * `wrangler.toml` must not switch it off. To wait for a promise that a request has left behind when it ended would not do.
 * @see https://developers.cloudflare.com/workers/configuration/compatibility-flags/#handle-cross-request-promise-resolution-correctly (read 2026-11)
 *
 * Clients that go away take nothing with them: their requests are kept until they have led. When a leader is lost all the
 * same, those who wait send by themselves after `PATIENCE`. A batch that was sent after all is then sent twice, which
 * lanes recognise.
 */
export class GroupCommit {
  readonly #deps: CommitDeps;
  /** The send under way; null when whoever comes may send at once. */
  #leader: object | null = null;
  #waiting: Waiter[] = [];

  constructor(deps: CommitDeps) {
    this.#deps = deps;
  }

  /** As `produce`. @returns whether the queue has all of it */
  async produce(outgoing: Outgoing, deps: ProduceDeps): Promise<boolean> {
    const all = pack(outgoing);
    const size = all.reduce((sum, one) => sum + one.size, 0);
    if (size > SMALL_BYTES) return send(all, outgoing.batchId, deps);
    if (this.#leader === null) return this.#lead(all, outgoing.batchId, deps);
    switch (await this.#wait(all, size)) {
      case "sent":
        return true;
      case "failed":
        return false;
      case "lead":
        return this.#lead(all, outgoing.batchId, deps);
      case "late":
        return send(all, outgoing.batchId, deps);
    }
  }

  #wait(all: readonly Sized[], size: number): Promise<"lead" | "sent" | "failed" | "late"> {
    const { promise, resolve } = Promise.withResolvers<"lead" | "sent" | "failed">();
    const own: Waiter = { all, size, resolve };
    this.#waiting.push(own);
    // The timer also shows the platform that this request waits for something and does not hang.
    const late = this.#deps.sleep(PATIENCE).then(() => this.#giveUp(own));
    const outcome = Promise.race([promise, late]);
    this.#deps.keep(outcome);
    return outcome;
  }

  /** Whoever still waits has waited for a leader that is lost. Others wait for a send that takes long. */
  #giveUp(own: Waiter): "late" {
    const others = this.#waiting.filter((waiter) => waiter !== own);
    if (others.length < this.#waiting.length) this.#leader = null;
    this.#waiting = others;
    return "late";
  }

  #lead(own: readonly Sized[], batchId: string, deps: ProduceDeps): Promise<boolean> {
    const leader = {};
    this.#leader = leader;
    const group = this.#take();
    const parts = [own, ...group.map(({ all }) => all)].flat();
    const sent = send(parts, batchId, deps);
    const end = (isSent: boolean): void => this.#end(leader, group, isSent);
    this.#deps.keep(sent.then(end, () => end(false)));
    return sent;
  }

  /** Those who wait, as many as one send carries. */
  #take(): readonly Waiter[] {
    let size = 0;
    const end = this.#waiting.findIndex((waiter) => {
      size += waiter.size;
      return size > GROUP_BYTES;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  #end(leader: object, group: readonly Waiter[], isSent: boolean): void {
    for (const { resolve } of group) resolve(isSent ? "sent" : "failed");
    if (this.#leader !== leader && this.#leader !== null) return; // another took over
    this.#leader = null;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#leader = next; // until it leads: nobody is to come between
    next.resolve("lead");
  }
}
