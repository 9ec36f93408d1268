/**
 * A seeded source of choices: the same seed and stream give the same request in every run, so that one request of
 * two hundred thousand can be made again alone.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed >>> 0;
    this.#b = (seed ^ 0x9e37_79b9) >>> 0;
    this.#c = stream >>> 0;
    for (let round = 0; round < 16; round += 1) this.word();
  }

  /** 32 random bits: sfc32, which is small, quick and passes the usual test batteries. */
  word(): number {
    const word = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + word;
    return word >>> 0;
  }

  /** From 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor((this.word() / 0x1_0000_0000) * below);
  }

  /** Both ends included. */
  between(least: number, most: number): number {
    return least + this.int(most - least + 1);
  }

  /** Mostly near `least`, seldom near `most`: sizes whose cost grows with them. */
  skewed(least: number, most: number): number {
    return Math.round(least + (most - least) * (this.word() / 0x1_0000_0000) ** 6);
  }

  chance(probability: number): boolean {
    return this.word() / 0x1_0000_0000 < probability;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.int(list.length)];
    if (found === undefined) throw new Error("Nothing to pick from");
    return found;
  }

  /** Picks by weight. */
  weighted<T>(list: readonly (readonly [weight: number, choice: T])[]): T {
    let rest = (this.word() / 0x1_0000_0000) * list.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of list) {
      rest -= weight;
      if (rest < 0) return choice;
    }
    return this.pick(list)[1];
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count);
    let at = 0;
    for (; at + 4 <= count; at += 4) bytes.writeUInt32LE(this.word(), at);
    for (; at < count; at += 1) bytes[at] = this.word() & 0xff;
    return bytes;
  }

  /** Of the characters given. */
  text(count: number, alphabet: string): string {
    let text = "";
    for (let at = 0; at < count; at += 1) text += alphabet.charAt(this.int(alphabet.length));
    return text;
  }
}
