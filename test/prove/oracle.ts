/**
 * The oracle: the only one that issues events, and the memory of what became of each with its producer.
 *
 * An event's text is a function of the seed and its number, so what arrived can be compared byte for byte with what was
 * sent without keeping it.
 */
import { createHash } from "node:crypto";
import { type Random, seeded } from "./random.ts";

/**
 * What its producer knows of an event: `acknowledged` by a 202; `refused` with a 4xx, so nothing may come of it;
 * `unknown`: no answer, or a 503 that nobody repeated. It may have been taken and it may not.
 */
export type State = "issued" | "acknowledged" | "refused" | "unknown";

export interface IssuedEvent {
  readonly n: number;
  readonly tenant: string;
  /** Null until the relay has named it. */
  id: string | null;
  state: State;
  /** When the first request that carried it was sent, by this process's clock. */
  sentAt: number;
  /** When it was acknowledged. */
  endedAt: number;
  /** What each request that carried it was answered, for whoever looks into a failure; shared by its whole request. */
  answers: string[];
}

/** In the text of some events, so that a destination can be told to refuse exactly these. */
export const POISON = "poison-of-the-proof";
const POISON_EVERY = 701;
const ACTIONS = ["user.login", "attestation.mint", "incident.create", "api-key.create", "change.approve"];
const LETTERS = 'abcdefghijklmnopqrstuvwxyz äöü€\\"\u2028😀{}[],:\t';

export class Oracle {
  readonly events: IssuedEvent[] = [];
  readonly #seed: string;
  readonly #byId = new Map<string, IssuedEvent>();
  /** When the last 202 came. */
  acknowledgedAt = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** @param isNamed the producer chooses the id; otherwise the relay does */
  issue(tenant: string, isNamed: boolean): { readonly event: IssuedEvent; readonly text: string } {
    const n = this.events.length;
    const id = isNamed ? this.#nameOf(n) : null;
    const event: IssuedEvent = { n, tenant, id, state: "issued", sentAt: 0, endedAt: 0, answers: [] };
    this.events.push(event);
    if (id !== null) this.#byId.set(id, event);
    return { event, text: this.textOf(n, id !== null) };
  }

  named(event: IssuedEvent, id: string): void {
    event.id = id;
    this.#byId.set(id, event);
  }

  find(id: string): IssuedEvent | null {
    return this.#byId.get(id) ?? null;
  }

  /** Of an event whose id the relay chose and never told: found by what is written in it. */
  recognise(text: string): IssuedEvent | null {
    const event = this.numberedIn(text);
    return event !== null && this.isIntact(event, text) ? event : null;
  }

  /** The same without a look at its bytes, for a text that was parsed and written again on the way here. */
  numberedIn(text: string): IssuedEvent | null {
    const n = /"prove":\{"n":(\d+),/.exec(text)?.[1];
    return n === undefined ? null : (this.events[Number(n)] ?? null);
  }

  /** The text as it was sent has to be there, every byte; what the relay fills in follows it. */
  isIntact(event: IssuedEvent, text: string): boolean {
    const isNamed = event.id === this.#nameOf(event.n);
    return text.startsWith(this.textOf(event.n, isNamed).slice(0, -1)) && text.endsWith("}");
  }

  textOf(n: number, isNamed: boolean): string {
    const random: Random = seeded(`${this.#seed}/event/${n}`);
    const filling = Array.from({ length: random.between(5, 120) }, () => random.pick([...LETTERS])).join("");
    const pad = n % POISON_EVERY === POISON_EVERY - 1 ? POISON + filling : filling;
    const sum = createHash("sha256").update(`${this.#seed}/${n}/${pad}`).digest("hex").slice(0, 16);
    return JSON.stringify({
      ...(isNamed ? { id: this.#nameOf(n) } : {}),
      action: random.pick(ACTIONS),
      actor_id: `user-${random.between(1, 5_000)}`,
      metadata: { prove: { n, sum, pad }, ratio: random.next(), none: null },
    });
  }

  #nameOf(n: number): string {
    return `prove-${this.#seed}-${n}`;
  }
}
