/** The notables of a simulated Enterprise Security, by `event_id`. */
import type { Notable } from "./control.ts";
import type { Row } from "./splunk-search-eval.ts";

export class NotableStore {
  readonly #notables = new Map<string, Notable>();

  get size(): number {
    return this.#notables.size;
  }

  /** One of a known `event_id` replaces it. */
  load(notables: readonly Notable[]): void {
    for (const notable of notables)
      this.#notables.set(notable.event_id, {
        index: "notable",
        sourcetype: "stash",
        _raw: rawOf(notable),
        ...notable,
      });
  }

  /**
   * A person works on it: `status`, `urgency`, `owner` change under the same `event_id`, and neither time does.
   *
   * @returns false where there is none of this id
   */
  update(eventId: string, change: Readonly<Record<string, string>>): boolean {
    const known = this.#notables.get(eventId);
    if (known === undefined) return false;
    this.#notables.set(eventId, { ...known, ...change });
    return true;
  }

  get(eventId: string): Notable | null {
    return this.#notables.get(eventId) ?? null;
  }

  all(): readonly Notable[] {
    return [...this.#notables.values()];
  }

  /** What a search can see: indexed by now, in epoch seconds. */
  visible(now: number): readonly Row[] {
    return this.all().filter(({ _indextime }) => _indextime <= now);
  }

  clear(): void {
    this.#notables.clear();
  }
}

/** As a correlation search writes its notable: `key="value"` pairs. */
function rawOf({ _time, _indextime: _, ...fields }: Notable): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}="${value}"`);
  return [String(Math.floor(_time)), ...pairs].join(", ");
}
