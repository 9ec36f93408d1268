/** A simulated clock: what is to happen, in the order of time and then of asking. Nothing waits for real. */
export class Time {
  now = 0;
  readonly #heap: { readonly at: number; readonly turn: number; readonly act: () => void }[] = [];
  #turns = 0;

  /** @param delay milliseconds from now, not negative */
  after(delay: number, act: () => void): void {
    this.#turns += 1;
    const entry = { at: this.now + delay, turn: this.#turns, act };
    let place = this.#heap.length;
    this.#heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#isBefore(parent, place)) break;
      this.#swap(parent, place);
      place = parent;
    }
  }

  /** Lets everything happen that is due before `end`. */
  run(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at < end; next = this.#heap[0]) {
      this.#removeFirst();
      this.now = next.at;
      next.act();
    }
    this.now = end;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let place = 0; ; ) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      if (left >= this.#heap.length) return;
      const smaller = right < this.#heap.length && this.#isBefore(right, left) ? right : left;
      if (this.#isBefore(place, smaller)) return;
      this.#swap(place, smaller);
      place = smaller;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    if (one === undefined || other === undefined) return one !== undefined;
    return one.at < other.at || (one.at === other.at && one.turn < other.turn);
  }

  #swap(left: number, right: number): void {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    if (one === undefined || other === undefined) return;
    this.#heap[left] = other;
    this.#heap[right] = one;
  }
}
