import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type Answer, call } from "./api.ts";
import type { Problem } from "./types.ts";

export interface Query<T> {
  /** The newest that was read, also while a newer read fails. */
  readonly data: T | null;
  readonly problem: Problem | null;
  readonly reload: () => void;
}

/**
 * Reads a path, and again every so often while the page is looked at. A failed read leaves what was shown, with the problem beside it.
 *
 * @param path null: nothing to read yet
 * @param everyMs 0: only once, and on `reload`
 */
export function useQuery<T>(path: string | null, everyMs = 0): Query<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; problem: Problem | null }>({
    path,
    data: null,
    problem: null,
  });
  const [round, setRound] = useState(0);
  const isFirst = useRef(true);
  useEffect(() => {
    if (path === null) return;
    let isCurrent = true;
    let timer = 0;
    const read = async (isBackground: boolean): Promise<void> => {
      const answer = await call<T>("GET", path, { isBackground });
      if (!isCurrent) return;
      setState((before) => ({
        path,
        data: answer.ok ? answer.value : before.path === path ? before.data : null,
        problem: answer.ok ? null : answer.problem,
      }));
      if (everyMs > 0) timer = window.setTimeout(tick, everyMs);
    };
    const tick = (): void => {
      if (document.hidden) timer = window.setTimeout(tick, everyMs);
      else void read(true);
    };
    void read(!isFirst.current);
    isFirst.current = false;
    return () => {
      isCurrent = false;
      window.clearTimeout(timer);
    };
  }, [path, everyMs, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  const isStale = state.path !== path;
  return { data: isStale ? null : state.data, problem: isStale ? null : state.problem, reload };
}

export interface Act {
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly clear: () => void;
  /** @returns the value, or null when it failed; `problem` then says why */
  readonly run: <T>(work: () => Promise<Answer<T>>) => Promise<T | null>;
}

/** Something that a person does: once at a time, with its problem to show. */
export function useAct(): Act {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = useCallback(async <T>(work: () => Promise<Answer<T>>): Promise<T | null> => {
    setBusy(true);
    setProblem(null);
    const answer = await work();
    setBusy(false);
    if (answer.ok) return answer.value ?? (true as T); // an answer without a body is a success too
    setProblem(answer.problem);
    return null;
  }, []);
  const clear = useCallback(() => setProblem(null), []);
  return { isBusy, problem, clear, run };
}

/** The time, told anew every second or minute, for "3 minutes ago". */
export function useNow(everyMs = 10_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return now;
}
