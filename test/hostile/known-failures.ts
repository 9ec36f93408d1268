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
export const KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    what: "A settings body that breaks off before its end is a 500 instead of a 400",
    complaint: /^Status 500$/,
    isIt: (shot) => shot.answers === null && !shot.route.includes("/events"),
    words: /"status":500.*"error":"Error: Network connection lost\."/,
  },
  {
    what: "A Host or target of which no URL can be made is a 500 of an uncaught exception",
    complaint: /^Status 500 of the server$/,
    isIt: (shot) => shot.answers === null && !isPossible(shot.bytes),
    words: /Invalid URL string/,
  },
];

export function isKnown(shot: Shot, complaint: string): boolean {
  return [...OF_THE_RUNTIME, ...KNOWN_FAILURES].some(
    (known) => known.complaint.test(complaint) && known.isIt(shot),
  );
}

/** Whether a line of the relay's log belongs to a known failure. */
export function isKnownWord(line: string): boolean {
  return [...OF_THE_RUNTIME, ...KNOWN_FAILURES].some(({ words }) => words.test(line));
}

/** Whether a URL can be made of what the request says, in the way the server puts it together. */
function isPossible(bytes: Buffer): boolean {
  const head = bytes.toString("latin1").split("\r\n\r\n")[0] ?? "";
  const target = /^\S+\s+(\S+)/.exec(head)?.[1] ?? "";
  const hosts = [...head.matchAll(/^host:[ \t]*(.*?)[ \t]*$/gim)].map(([, host = ""]) => host);
  return target.startsWith("/") && URL.canParse(`http://${hosts.join(", ")}${target}`);
}
