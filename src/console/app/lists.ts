import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { getAll } from "./api.ts";
import type { Query } from "./hooks.ts";
import type { Problem } from "./types.ts";

/** Entries from which on a list is asked for less often: each read asks every destination of it. */
const MANY = 100;
const SLOWER = 4;

/**
 * All pages of a list, read again every so often while the page is looked at. For lists that are bounded (500
 * destinations): five requests for the longest, and none for each row.
 */
export function useAll<T>(path: string, everyMs: number): Query<readonly T[]> {
  const [state, setState] = useState<{ data: readonly T[] | null; problem: Problem | null }>({
    data: null,
    problem: null,
  });
  const [round, setRound] = useState(0);
  const isLong = useRef(false);
  useEffect(() => {
    let isCurrent = true;
    let timer = 0;
    const later = (): void => {
      timer = window.setTimeout(tick, isLong.current ? everyMs * SLOWER : everyMs);
    };
    const tick = (): void => {
      if (document.hidden) later();
      else void read();
    };
    const read = async (): Promise<void> => {
      const answer = await getAll<T>(path);
      if (!isCurrent) return;
      if (answer.ok) isLong.current = answer.value.length > MANY;
      setState((before) =>
        answer.ok ? { data: answer.value, problem: null } : { data: before.data, problem: answer.problem },
      );
      later();
    };
    void read();
    return () => {
      isCurrent = false;
      window.clearTimeout(timer);
    };
  }, [path, everyMs, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, reload };
}
