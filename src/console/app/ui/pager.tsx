import { useState } from "preact/hooks";
import { type Query, useQuery } from "../hooks.ts";
import type { Page } from "../types.ts";
import { Button } from "./parts.tsx";

export interface Paged<T> extends Query<Page<T>> {
  readonly page: number;
  readonly back: (() => void) | null;
  readonly next: (() => void) | null;
}

/** A list by cursor: only the page that is looked at is read. Another path starts at its first page. */
export function usePaged<T>(path: string, everyMs = 0, limit = 50): Paged<T> {
  const [trail, setTrail] = useState<{ readonly of: string; readonly cursors: readonly string[] }>({
    of: path,
    cursors: [],
  });
  const cursors = trail.of === path ? trail.cursors : [];
  const cursor = cursors.at(-1);
  const separator = path.includes("?") ? "&" : "?";
  const at = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
  const query = useQuery<Page<T>>(`${path}${separator}limit=${limit}${at}`, everyMs);
  const following = query.data?.next_cursor ?? null;
  const set = (list: readonly string[]) => () => setTrail({ of: path, cursors: list });
  return {
    ...query,
    page: cursors.length + 1,
    back: cursors.length === 0 ? null : set(cursors.slice(0, -1)),
    next: following === null ? null : set([...cursors, following]),
  };
}

export function Pager({ paged }: { paged: Pick<Paged<unknown>, "page" | "back" | "next"> }) {
  const { page, back, next } = paged;
  if (back === null && next === null) return null;
  return (
    <nav class="actions" aria-label="Pages">
      <Button disabled={back === null} onClick={() => back?.()}>
        Newer
      </Button>
      <span class="quiet">Page {page}</span>
      <Button disabled={next === null} onClick={() => next?.()}>
        Older
      </Button>
    </nav>
  );
}
