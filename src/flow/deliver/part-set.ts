/** A slot is the sixteen bytes of the batch id and, one higher so that 0 is a free slot, the part. */
const SLOT_WORDS = 5;
const PART = 4;
/** A power of two, like every later number. */
const FIRST_SLOTS = 1_024;
/** Share of the slots that may be taken, before there are twice as many. */
const MAX_LOAD = 0.8;
const MAX_PART = 2 ** 32 - 2;

/** As the relay makes them; only such an id is the same as its bytes. */
const BATCH_ID = /^bat_[0-9a-f]{32}$/;

/**
 * A set of batch parts in one flat buffer of 26 bytes a part. As texts in a `Set` they take 62, and on the heap, which V8 lets
 * grow to some three times of what lives in it before it collects (measured in workerd, 2026-11).
 *
 * Exact: whole ids are compared. An id of another form is kept as a text.
 */
export class PartSet {
  #slots = new Uint32Array(FIRST_SLOTS * SLOT_WORDS);
  #used = 0;
  readonly #texts = new Set<string>();

  get size(): number {
    return this.#used + this.#texts.size;
  }

  has(batchId: string, part: number): boolean {
    const words = wordsOf(batchId, part);
    if (words === null) return this.#texts.has(`${batchId}/${part}`);
    return this.#slots[slotOf(this.#slots, words) + PART] !== 0;
  }

  add(batchId: string, part: number): void {
    const words = wordsOf(batchId, part);
    if (words === null) {
      this.#texts.add(`${batchId}/${part}`);
      return;
    }
    const at = slotOf(this.#slots, words);
    if (this.#slots[at + PART] !== 0) return;
    this.#slots.set(words, at);
    this.#used += 1;
    if (this.#used > (this.#slots.length / SLOT_WORDS) * MAX_LOAD) this.#slots = twiceAsMany(this.#slots);
  }
}

/** @returns null for what does not fit into a slot */
function wordsOf(batchId: string, part: number): Uint32Array | null {
  if (!BATCH_ID.test(batchId) || !Number.isInteger(part) || part < 0 || part > MAX_PART) return null;
  const word = (from: number): number => Number.parseInt(batchId.slice(from, from + 8), 16);
  return Uint32Array.of(word(4), word(12), word(20), word(28), part + 1);
}

/** Where it lies, or would lie: the next free slot from the one that its hash says. */
function slotOf(slots: Uint32Array, words: Uint32Array): number {
  const last = slots.length / SLOT_WORDS - 1;
  for (let slot = hashOf(words) & last; ; slot = (slot + 1) & last) {
    const at = slot * SLOT_WORDS;
    if (slots[at + PART] === 0 || words.every((word, index) => slots[at + index] === word)) return at;
  }
}

/** Nobody can choose ids that meet in one slot: each carries a tag that is made with a secret of the relay. */
function hashOf(words: Uint32Array): number {
  let hash = 0;
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash;
}

function twiceAsMany(slots: Uint32Array): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(slots.length * 2);
  for (let at = 0; at < slots.length; at += SLOT_WORDS) {
    if (slots[at + PART] === 0) continue;
    const words = slots.subarray(at, at + SLOT_WORDS);
    more.set(words, slotOf(more, words));
  }
  return more;
}
