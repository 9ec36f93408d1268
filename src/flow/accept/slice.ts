const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;

/** One JSON value as it was written. */
export interface Slice {
  /** The value's own text on one line: white space outside strings is gone, everything else is untouched. */
  readonly text: string;
  /** Nesting levels: 0 for a scalar, 1 for a flat object. */
  readonly depth: number;
  /** Members of the outermost object as written, a repeated key counted each time; 0 for anything else. */
  readonly keys: number;
}

/** What stands where an event should be: a JSON value with its own text, or a line that is not JSON. */
export type Item = { readonly value: unknown; readonly slice: Slice } | { readonly malformed: string };

/** Where a value lies and what it is like; filled in by `scan`, one for a whole text, so that nothing is allocated. */
interface Span {
  end: number;
  depth: number;
  keys: number;
  spaced: boolean;
}

// Every function here needs a text that JSON.parse has accepted; on any other it may return nonsense, or not
// return. Fidelity is why it exists: 12345678901234567890, 1.0, the order of keys and the spelling of escapes
// must reach the SIEM as they were sent, and JSON.stringify(JSON.parse(text)) keeps none of them.

/** The one value of a text. */
export function sliceValue(text: string): Slice {
  return take(text, skipSpace(text, 0), emptySpan());
}

/**
 * The elements of an array.
 *
 * @param open where the array's `[` is; by default the text is the array
 */
export function sliceElements(text: string, open = skipSpace(text, 0)): Slice[] {
  const slices: Slice[] = [];
  const span = emptySpan();
  let at = skipSpace(text, open + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACKET) {
    slices.push(take(text, at, span));
    at = skipSpace(text, span.end);
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
  }
  return slices;
}

/** The members of an object in the order of the text: each name, decoded, and where its value begins. */
export function members(text: string): { readonly name: string; readonly at: number }[] {
  const found: { name: string; at: number }[] = [];
  const span = emptySpan();
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACE) {
    const end = endOfString(text, at);
    const value = skipSpace(text, skipSpace(text, end) + 1);
    found.push({ name: String(JSON.parse(text.slice(at, end))), at: value });
    scan(text, value, span);
    at = skipSpace(text, span.end);
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
  }
  return found;
}

/** Names that an object gives more than once, each once. */
export function repeatedNames(text: string): readonly string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of members(text)) (seen.has(name) ? repeated : seen).add(name);
  return [...repeated];
}

function emptySpan(): Span {
  return { end: 0, depth: 0, keys: 0, spaced: false };
}

function take(text: string, from: number, span: Span): Slice {
  scan(text, from, span);
  const own = span.spaced ? compact(text, from, span.end) : text.slice(from, span.end);
  return { text: own, depth: span.depth, keys: span.keys };
}

/** Finds the end of the value that begins at `from` (its first character, not white space). */
function scan(text: string, from: number, span: Span): void {
  let at = from;
  let level = 0;
  let depth = 0;
  let colons = 0;
  let spaced = false;
  const first = text.charCodeAt(from);
  if (first === QUOTE) {
    at = endOfString(text, from);
  } else if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    while (isScalar(text.charCodeAt(at))) at++;
  } else {
    do {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        at = endOfString(text, at);
        continue;
      }
      at++;
      if (code === OPEN_BRACE || code === OPEN_BRACKET) {
        if (++level > depth) depth = level;
      } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        level--;
      } else if (code === COLON) {
        if (level === 1) colons++;
      } else if (code <= SPACE) {
        spaced = true;
      }
    } while (level > 0);
  }
  span.end = at;
  span.depth = depth;
  span.keys = colons;
  span.spaced = spaced;
}

/** Copies runs between white space; a string is one step, whatever is in it. */
function compact(text: string, from: number, end: number): string {
  let out = "";
  let kept = from;
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code <= SPACE) {
      if (at > kept) out += text.slice(kept, at);
      at = kept = skipSpace(text, at + 1);
    } else {
      at++;
    }
  }
  return kept < end ? out + text.slice(kept, end) : out;
}

/** The position after the closing quote of the string that opens at `open`. */
function endOfString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (text.charCodeAt(close - 1) === BACKSLASH && isEscaped(text, close)) {
    close = text.indexOf('"', close + 1);
  }
  return close + 1;
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === BACKSLASH) before--;
  return (at - before) % 2 === 0;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= SPACE) at++; // past the end it is NaN, which compares false
  return at;
}

/** Whether a character can be part of a number, `true`, `false` or `null`; NaN past the end cannot. */
function isScalar(code: number): boolean {
  return code > SPACE && code !== COMMA && code !== CLOSE_BRACE && code !== CLOSE_BRACKET;
}
