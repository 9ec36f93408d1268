/**
 * Indexer acknowledgement, and the balancer in front of the indexers.
 *
 * Observed on Splunk Enterprise 10.4 and Cloud 10.5 (2026-11): ackIds count from 0 per channel; `true`
 * is told once and the id forgotten; an unknown id and a foreign channel read `false`, never an error.
 * Limits: `limits.conf [http_input]` (1,000,000 ids per channel), `inputs.conf` `ackIdleCleanup`, `maxIdleTime`.
 */
import type { SplunkConfig } from "./control.ts";
import type { Exchange } from "./receiver.ts";

const DEFAULT_DELAY_MS = 1000;
const DEFAULT_MAX_PENDING = 1_000_000;
const DEFAULT_IDLE_MS = 600_000;
const COOKIE = "AWSALB";

interface Channel {
  next: number;
  usedAt: number;
  /** Epoch milliseconds of receipt, per ackId not yet told. */
  readonly pending: Map<number, number>;
}

/** Which indexer and channel, when, under which settings. */
export interface AckPlace {
  readonly indexer: number;
  readonly channel: string;
  readonly at: number;
  readonly config: SplunkConfig;
}

/** The indexers' memory of what they owe an acknowledgement for. Each indexer numbers on its own. */
export class AckDesk {
  readonly #channels = new Map<string, Channel>();

  /** Does the channel owe as many acknowledgements as it may? Code 27 then. */
  isFull(place: AckPlace): boolean {
    return this.#channel(place).pending.size >= (place.config.max_pending_acks ?? DEFAULT_MAX_PENDING);
  }

  issue(place: AckPlace): number {
    const entry = this.#channel(place);
    const id = entry.next++;
    entry.pending.set(id, place.at);
    return id;
  }

  query(ids: readonly number[], place: AckPlace): Record<string, boolean> {
    const { at, config } = place;
    const entry = this.#channel(place);
    const delay = config.ack_delay_ms ?? DEFAULT_DELAY_MS;
    const answer: Record<string, boolean> = {};
    for (const id of ids) {
      const since = entry.pending.get(id);
      const indexed = since !== undefined && at - since >= delay;
      if (indexed) entry.pending.delete(id);
      answer[id] = indexed;
    }
    return answer;
  }

  forget(): void {
    this.#channels.clear();
  }

  #channel({ indexer, channel, at, config }: AckPlace): Channel {
    const key = `${indexer} ${channel.toLowerCase()}`;
    const known = this.#channels.get(key);
    if (known !== undefined && at - known.usedAt <= (config.ack_idle_ms ?? DEFAULT_IDLE_MS)) {
      known.usedAt = at;
      return known;
    }
    const fresh: Channel = { next: 0, usedAt: at, pending: new Map() };
    this.#channels.set(key, fresh);
    return fresh;
  }
}

export interface Choice {
  readonly indexer: number;
  /** `Set-Cookie` to answer, or null. */
  readonly setCookie: string | null;
}

/** A load balancer: round robin, unless a cookie or the connection ties a client to an indexer. */
export class Balancer {
  #turn = 0;
  #connections = new WeakMap<object, number>();

  choose(exchange: Exchange, config: SplunkConfig): Choice {
    const indexers = config.indexers ?? 1;
    if (config.cookies) {
      const sticky = stickyIndexer(exchange.headers.cookie ?? "");
      if (sticky !== null && sticky < indexers) return { indexer: sticky, setCookie: null };
    }
    const indexer =
      config.balance === "connection"
        ? this.#ofConnection(exchange.connection, indexers)
        : this.#next(indexers);
    return { indexer, setCookie: config.cookies ? `${COOKIE}=indexer-${indexer}; Path=/; HttpOnly` : null };
  }

  #ofConnection(connection: object, indexers: number): number {
    const known = this.#connections.get(connection);
    if (known !== undefined && known < indexers) return known;
    const indexer = this.#next(indexers);
    this.#connections.set(connection, indexer);
    return indexer;
  }

  #next(indexers: number): number {
    return this.#turn++ % indexers;
  }
}

function stickyIndexer(cookies: string): number | null {
  const match = new RegExp(`(?:^|;\\s*)${COOKIE}=indexer-(\\d)(?:;|$)`).exec(cookies);
  return match?.[1] === undefined ? null : Number(match[1]);
}

/** Ids of `{"acks": [0, 1]}`; null if the body is nothing of the kind. */
export function ackIdsIn(body: Buffer): readonly number[] | null {
  try {
    const { acks } = JSON.parse(body.toString("utf8"));
    return Array.isArray(acks) && acks.every((id) => Number.isSafeInteger(id)) ? acks : null;
  } catch {
    return null;
  }
}
