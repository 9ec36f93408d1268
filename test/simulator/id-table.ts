/**
 * Which ids were seen, and when first, in 12 bytes each: for load tests whose ids would fill a Set.
 *
 * An id is known by 64 bits of hash. Two ids of ten million are taken for one with a chance of one in 300,000, and a
 * test would then report a duplicate, or miss a loss, of one event.
 */
const FIRST_SLOTS = 1 << 16;
/** Beyond it the table doubles: open addressing slows down when full. */
const FULL = 0.6;

export class IdTable {
  size = 0;
  #slots = FIRST_SLOTS;
  #low = new Uint32Array(FIRST_SLOTS);
  #high = new Uint32Array(FIRST_SLOTS);
  /** Milliseconds after `#epoch`, and 1 more; 0 marks a free slot. */
  #seen = new Uint32Array(FIRST_SLOTS);
  #epoch: number | null = null;
  #hashLow = 0;
  #hashHigh = 0;

  /** @returns whether it is new */
  add(bytes: Uint8Array, start: number, end: number, at: number): boolean {
    this.#epoch ??= at;
    this.#hash(bytes, start, end);
    const slot = this.#find(this.#hashLow, this.#hashHigh);
    if (this.#seen[slot] !== 0) return false;
    this.#put(slot, this.#hashLow, this.#hashHigh, Math.max(0, at - this.#epoch) + 1);
    if (++this.size > this.#slots * FULL) this.#grow();
    return true;
  }

  /** Epoch milliseconds of the first receipt; null if it was never seen. */
  firstSeen(id: string): number | null {
    const bytes = Buffer.from(id);
    this.#hash(bytes, 0, bytes.length);
    const seen = this.#seen[this.#find(this.#hashLow, this.#hashHigh)] ?? 0;
    return seen === 0 || this.#epoch === null ? null : this.#epoch + seen - 1;
  }

  /** Two independent 32-bit hashes, each mixed at the end (the finalizer of MurmurHash3). */
  #hash(bytes: Uint8Array, start: number, end: number): void {
    let low = 0x811c9dc5;
    let high = 0x9747b28c;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high, 0x5bd1e995) + byte + (high >>> 15);
    }
    this.#hashLow = mixed(low);
    this.#hashHigh = mixed(high);
  }

  #find(low: number, high: number): number {
    const mask = this.#slots - 1;
    let slot = (low ^ high) & mask;
    while (this.#seen[slot] !== 0 && (this.#low[slot] !== low || this.#high[slot] !== high))
      slot = (slot + 1) & mask;
    return slot;
  }

  #put(slot: number, low: number, high: number, seen: number): void {
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#seen[slot] = seen;
  }

  #grow(): void {
    const [low, high, seen] = [this.#low, this.#high, this.#seen];
    this.#slots *= 2;
    this.#low = new Uint32Array(this.#slots);
    this.#high = new Uint32Array(this.#slots);
    this.#seen = new Uint32Array(this.#slots);
    for (let slot = 0; slot < seen.length; slot++) {
      const [a = 0, b = 0, since = 0] = [low[slot], high[slot], seen[slot]];
      if (since !== 0) this.#put(this.#find(a, b), a, b, since);
    }
  }
}

function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
