/**
 * What an instance has received: events, and broken rules.
 *
 * Counting is apart from keeping: ids are counted in one Set, bodies are kept only where asked for,
 * so that a load test of millions of events needs little more than its ids.
 */
import type { EventCounts, EventIds, StorageConfig, Violation } from "./control.ts";
import { IdTable } from "./id-table.ts";

/** Events without an id are filed under this one. */
export const ANONYMOUS = "-";

const DEFAULT_MAX_STORED = 200_000;

/** One received copy, as text; `describe` of the receiver makes it readable. */
export interface Copy {
  /** The envelope, log item or raw line exactly as received. */
  readonly text: string;
  readonly index: string | null;
  /** Set for a line of HEC `/raw`, whose metadata came in the query. */
  readonly line: {
    readonly sourcetype: string | null;
    readonly source: string | null;
    readonly host: string | null;
  } | null;
  readonly receivedAt: number;
  readonly indexer: number;
}

export class Ledger {
  readonly keepsBodies: boolean;
  readonly keepsIds: boolean;
  /** Ids are known by their hashes alone: counted, with the time of the first receipt, and never listed. */
  readonly hashesIds: boolean;
  events = 0;
  anonymous = 0;
  notStored = 0;
  readonly #maxStored: number;
  #stored = 0;
  /** In the order of first receipt. A Set beside a Map of repeats: the usual id costs one lookup, not two. */
  #ids = new Set<string>();
  #repeats = new Map<string, number>();
  /** In place of `#ids` where ids are hashed. */
  #table = new IdTable();
  /** `#ids` as a list, made when a page is asked for. */
  #order: readonly string[] = [];
  #copies = new Map<string, Copy[]>();
  #violations = new Map<string, { count: number; detail: string; firstAt: number }>();

  constructor(config: StorageConfig) {
    this.keepsBodies = config.count_only !== true;
    this.keepsIds = this.keepsBodies || config.ids !== false;
    this.hashesIds = !this.keepsBodies && config.ids === "hashed";
    this.#maxStored = config.max_stored ?? DEFAULT_MAX_STORED;
  }

  get distinct(): number {
    return this.hashesIds ? this.#table.size : this.#ids.size;
  }

  /** Copies beyond the first; 0 where ids are not kept. */
  get duplicates(): number {
    return this.keepsIds ? this.events - this.anonymous - this.distinct : 0;
  }

  /** @param at epoch milliseconds of receipt, of use where ids are hashed */
  count(id: string | null, at = 0): void {
    if (id !== null && this.hashesIds) {
      const bytes = Buffer.from(id);
      this.countBytes(bytes, { start: 0, end: bytes.length }, at);
      return;
    }
    this.events++;
    if (!this.keepsIds) return;
    if (id === null) {
      this.anonymous++;
      return;
    }
    const before = this.#ids.size;
    this.#ids.add(id);
    if (this.#ids.size === before) this.#repeats.set(id, (this.#repeats.get(id) ?? 0) + 1);
  }

  /** Counts an id where it lies, without making a string of it. Only where ids are hashed. */
  countBytes(body: Uint8Array, { start, end }: { start: number; end: number }, at: number): void {
    this.events++;
    this.#table.add(body, start, end, at);
  }

  /** Epoch milliseconds of the first receipt, null for what never came. Only where ids are hashed. */
  firstSeen(ids: readonly string[]): readonly (number | null)[] {
    return ids.map((id) => this.#table.firstSeen(id));
  }

  keep(id: string | null, copy: Copy): void {
    this.count(id);
    if (this.#stored >= this.#maxStored) {
      this.notStored++;
      return;
    }
    this.#stored++;
    const copies = this.#copies.get(id ?? ANONYMOUS);
    if (copies === undefined) this.#copies.set(id ?? ANONYMOUS, [copy]);
    else copies.push(copy);
  }

  /** @param detail of the first case, which is the only one kept */
  violate(rule: string, at: number, detail: string): void {
    const known = this.#violations.get(rule);
    if (known === undefined) this.#violations.set(rule, { count: 1, detail, firstAt: at });
    else known.count++;
  }

  violations(): readonly Violation[] {
    return [...this.#violations].map(([rule, { count, detail, firstAt }]) => ({
      rule,
      count,
      detail,
      first_at: firstAt,
    }));
  }

  copies(id: string): readonly Copy[] {
    return this.#copies.get(id) ?? [];
  }

  counts(): EventCounts {
    return { events: this.events, distinct: this.distinct };
  }

  /** Ids in the order of first receipt, from `offset`, at most `limit` of them. */
  page(offset: number, limit: number): EventIds {
    if (this.#order.length !== this.#ids.size) this.#order = [...this.#ids];
    const order = this.#order.slice(offset, offset + limit);
    const ids = Object.fromEntries(order.map((id) => [id, 1 + (this.#repeats.get(id) ?? 0)]));
    return { ...this.counts(), ids, order };
  }

  forget(): void {
    this.events = 0;
    this.anonymous = 0;
    this.notStored = 0;
    this.#stored = 0;
    this.#ids = new Set();
    this.#repeats = new Map();
    this.#table = new IdTable();
    this.#order = [];
    this.#copies = new Map();
    this.#violations = new Map();
  }
}
