import type { Behaviour, Call } from "./whole-relay.ts";

/** A request with events, and not a question about them. */
export const isEvent = ({ path }: Call): boolean => path.startsWith("/services/collector/event");

/** Splunk with indexer acknowledgement behind a balancer: each indexer counts its ackIds alone, and says yes once. */
export class Indexers {
  readonly #count: number;
  readonly #hasCookies: boolean;
  readonly #acks: Map<string, boolean[]>[];
  readonly #takenBy = new Map<string, number>();
  /** Indexers that index what they take. */
  working: readonly number[];
  /** The balancer leads their sessions to another one. */
  gone: readonly number[] = [];
  /** What `/ack` answers instead, while it fails. */
  ackFails: (() => Response) | null = null;
  /** Questions about an ackId that this indexer never gave on that channel. */
  wrongQuestions = 0;
  #turn = 0;

  constructor(count: number, { hasCookies = false } = {}) {
    this.#count = count;
    this.#hasCookies = hasCookies;
    this.#acks = Array.from({ length: count }, () => new Map());
    this.working = [...this.#acks.keys()];
  }

  /** Which indexer has taken an event first. */
  indexerOf(id: string): number | null {
    return this.#takenBy.get(id) ?? null;
  }

  readonly behave: Behaviour = (call) => {
    const cookie = /indexer=(\d)/.exec(call.headers.get("cookie") ?? "")?.[1];
    this.#turn += 1;
    const own = this.#hasCookies && cookie !== undefined ? Number(cookie) : this.#turn % this.#count;
    const indexer = this.gone.includes(own) ? (own + 1) % this.#count : own;
    const channel = call.headers.get("x-splunk-request-channel") ?? "";
    const acks = this.#acks[indexer]?.get(channel) ?? [];
    this.#acks[indexer]?.set(channel, acks);
    return isEvent(call) ? this.#take(call, indexer, acks) : this.#tell(call, indexer, acks);
  };

  #take({ ids }: Call, indexer: number, acks: boolean[]): Response {
    for (const id of ids) if (!this.#takenBy.has(id)) this.#takenBy.set(id, indexer);
    acks.push(true);
    const headers = this.#hasCookies ? { "set-cookie": `indexer=${indexer}; Path=/` } : {};
    return Response.json({ text: "Success", code: 0, ackId: acks.length - 1 }, { headers });
  }

  #tell({ body }: Call, indexer: number, acks: boolean[]): Response {
    if (this.ackFails !== null) return this.ackFails();
    const asked = (JSON.parse(body) as { readonly acks: number[] }).acks;
    const told = asked.map((id) => {
      if (id >= acks.length) this.wrongQuestions += 1;
      const isIndexed = this.working.includes(indexer) && acks[id] === true;
      if (isIndexed) acks[id] = false;
      return [id, isIndexed];
    });
    return Response.json({ acks: Object.fromEntries(told) });
  }
}
