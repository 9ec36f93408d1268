import type { DurationMs } from "../base/clock.ts";

/** Lanes asked at once by one request. */
const AT_ONCE = 24;

/**
 * Asks about each item, several at once, and stops waiting at the deadline.
 *
 * @returns in the order of the items; null where no answer came in time, or a failure
 */
export async function askAll<T, A>(
  items: readonly T[],
  ask: (item: T) => Promise<A>,
  limits: { readonly within: DurationMs; readonly sleep: (duration: DurationMs) => Promise<void> },
): Promise<(A | null)[]> {
  const answers: (A | null)[] = items.map(() => null);
  const waiting = items.entries();
  let isOver = false;
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (isOver) return;
      const answer = await attempt(() => ask(item));
      if (!isOver) answers[index] = answer;
    }
  };
  if (items.length === 0) return answers;
  const all = Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  await Promise.race([all, limits.sleep(limits.within)]);
  isOver = true;
  return answers;
}

async function attempt<A>(ask: () => Promise<A>): Promise<A | null> {
  try {
    return await ask();
  } catch {
    return null;
  }
}
