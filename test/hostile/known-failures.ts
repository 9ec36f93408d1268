import type { Shot } from "./shot.ts";

/** Something wrong that is known, and not counted again. */
export interface KnownFailure {
  /** In a sentence. */
  readonly what: string;
  readonly complaint: RegExp;
  readonly isIt: (shot: Shot) => boolean;
  /** What the relay writes to its log because of it. */
  readonly words: RegExp;
}

/** What the runtime does before any code of the relay runs, and what therefore only the runtime could change. */
export const OF_THE_RUNTIME: readonly KnownFailure[] = [
  {
    what: "CONNECT is answered by workerd itself with 500, because a Worker without a `connect` handler gets it all the same",
    complaint: /^Status 500 of the server$/,
    isIt: ({ bytes }) => bytes.toString("latin1", 0, 8) === "CONNECT ",
    words: /connect\(\) function|but we lack a handler/,
  },
];

/** Faults of the relay that are not mended yet. Empty when there is none. */
export const KNOWN_FAILURES: readonly KnownFailure[] = [];

export function isKnown(shot: Shot, complaint: string): boolean {
  return [...OF_THE_RUNTIME, ...KNOWN_FAILURES].some(
    (known) => known.complaint.test(complaint) && known.isIt(shot),
  );
}

/** Whether a line of the relay's log belongs to a known failure. */
export function isKnownWord(line: string): boolean {
  return [...OF_THE_RUNTIME, ...KNOWN_FAILURES].some(({ words }) => words.test(line));
}
