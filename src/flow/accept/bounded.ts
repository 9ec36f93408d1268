import { type JsonFault, parseJson } from "../../base/json.ts";
import { err, type Result } from "../../base/result.ts";

/** Levels of a whole body. The limit of an event is far lower, but is told event by event, after parsing. */
export const MAX_BODY_DEPTH = 10_000;
/** Objects and arrays of a whole body: one every ten bytes of the largest. */
export const MAX_BODY_CONTAINERS = 500_000;
/** Characters up to which a text cannot do harm, whatever is in it; nearly all bodies are shorter. */
const HARMLESS_CHARACTERS = 250_000;

export interface BodyFault extends JsonFault {
  /** Out of proportion, and perhaps JSON; nobody looked. */
  readonly isTooLarge: boolean;
}

/**
 * Parses JSON whose shape could exhaust memory: five megabytes of `[` take the parser 400 MB, and as many of `{},`
 * take 100, where an isolate has 128 for everything. So long texts are scanned first, in a third of the time that
 * parsing takes.
 */
export function parseBounded(text: string): Result<unknown, BodyFault> {
  const excess = text.length > HARMLESS_CHARACTERS ? excessOf(text) : null;
  if (excess !== null) return err({ message: excess, isTooLarge: true });
  const parsed = parseJson(text);
  return parsed.ok ? parsed : err({ ...parsed.error, isTooLarge: false });
}

/** What is out of proportion in a text that need not be JSON at all, or null. */
export function excessOf(text: string): string | null {
  let level = 0;
  let containers = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = closingQuote(text, at);
      if (at < 0) return null; // never closed, so the parser will refuse it
    } else if (code === 0x5b || code === 0x7b) {
      if (++level > MAX_BODY_DEPTH) return `Nested more than ${MAX_BODY_DEPTH} levels deep`;
      if (++containers > MAX_BODY_CONTAINERS) return `More than ${MAX_BODY_CONTAINERS} objects and arrays`;
    } else if (code === 0x5d || code === 0x7d) {
      level--;
    }
  }
  return null;
}

/** @returns where the string that opens at `open` ends, or -1 */
function closingQuote(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at;
    while (text.charCodeAt(before - 1) === 0x5c) before--;
    if ((at - before) % 2 === 0) return at;
  }
  return -1;
}
