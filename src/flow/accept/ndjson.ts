import { parseBounded } from "./bounded.ts";
import { type Item, sliceValue } from "./slice.ts";

/** One line with something on it; `number` counts all lines from 1, as an editor shows them. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** White space in the sense of JSON, which is narrower than `trim()`. */
const BLANK = /^[ \t\r]*$/;

/**
 * The lines of a text that are not blank, at most `limit` of them. Lines end with \n or \r\n; the last one
 * needs no end. A byte order mark at the start is no part of the first line.
 */
export function splitLines(text: string, limit: number): readonly Line[] {
  const lines: Line[] = [];
  let from = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  for (let number = 1; from < text.length && lines.length < limit; number++) {
    const end = text.indexOf("\n", from);
    const line = text.slice(from, end < 0 ? text.length : end);
    if (!BLANK.test(line)) lines.push({ number, text: line });
    if (end < 0) break;
    from = end + 1;
  }
  return lines;
}

/** One line as an item: its value and its own text, or why it is not JSON. */
export function parseLine(line: Line): Item {
  const parsed = parseBounded(line.text);
  if (parsed.ok) return { value: parsed.value, slice: sliceValue(line.text) };
  return { malformed: `Line ${line.number} is not valid JSON: ${parsed.error.message}` };
}
