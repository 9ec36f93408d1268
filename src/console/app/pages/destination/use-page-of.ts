import { useState } from "preact/hooks";
import type { Paged } from "../../ui/pager.tsx";

const SIZE = 25;

/** The rows of one page of a list that is here as a whole, for `Pager`; a list that became shorter shows its last page. */
export function usePageOf<T>(all: readonly T[]): {
  readonly rows: readonly T[];
  readonly paged: Pick<Paged<unknown>, "page" | "back" | "next">;
  readonly toFirst: () => void;
} {
  const [wanted, setPage] = useState(0);
  const last = Math.max(0, Math.ceil(all.length / SIZE) - 1);
  const at = Math.min(wanted, last);
  return {
    rows: all.slice(at * SIZE, (at + 1) * SIZE),
    paged: {
      page: at + 1,
      back: at === 0 ? null : () => setPage(at - 1),
      next: at === last ? null : () => setPage(at + 1),
    },
    toFirst: () => setPage(0),
  };
}
