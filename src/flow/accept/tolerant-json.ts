/*
 * Splunk's templates put the text of a field between two quotes without escaping it. A log line with a quote, a
 * line break or a Windows path then makes a body that is no JSON, and the alert would be lost over its own message.
 */

/** Characters of a body worth mending; a template's is a few kilobytes. */
export const MAX_MENDED_CHARACTERS = 1_000_000;

/** What a string is, which says what may follow the quote that ends it. */
type Role = "name" | "value" | "element";
const AFTER: Readonly<Record<Role, RegExp>> = {
  name: /\s*:/y,
  value: /\s*(?:$|\}\s*(?:$|[,}\]])|,\s*"[\w.@-]{1,100}"\s*:)/y,
  element: /\s*[,\]]/y,
};
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;
/** A token where a number or a text was to stand, without quotes. */
const BARE_TOKEN = /\$[A-Za-z_][\w.]*\$/y;

/**
 * The text as JSON may have meant it: raw control characters and stray backslashes escaped, quotes within a text
 * escaped, tokens without quotes made null. A quote ends a text only where JSON goes on behind it.
 *
 * A guess, and only tried where the strict parser refused. Whoever controls a message could always close its quotes
 * properly and add fields, so nothing is gained by guessing wrong.
 *
 * @returns null for a text too long to be worth it
 */
export function mendJson(text: string): string | null {
  if (text.length > MAX_MENDED_CHARACTERS) return null;
  let mended = "";
  let before = "";
  const open: string[] = [];
  for (let at = 0; at < text.length; ) {
    const character = text.charAt(at);
    if (character === '"') {
      const [string, end] = mendString(text, at, roleAfter(before, open.at(-1)));
      mended += string;
      at = end;
    } else {
      const token = character === "$" ? matchAt(BARE_TOKEN, text, at) : null;
      mended += token === null ? character : "null";
      at += token?.length ?? 1;
    }
    if (character === "{" || character === "[") open.push(character);
    if (character === "}" || character === "]") open.pop();
    if (character > " ") before = character;
  }
  return mended;
}

function roleAfter(before: string, container: string | undefined): Role {
  if (before === ":") return "value";
  return container === "[" ? "element" : "name";
}

/** The string that opens at `open`, mended, and the place behind it. */
function mendString(text: string, open: number, role: Role): readonly [string, number] {
  let inside = "";
  for (let at = open + 1; at < text.length; ) {
    const character = text.charAt(at);
    if (character === '"') {
      if (matchAt(AFTER[role], text, at + 1) !== null) return [`"${inside}"`, at + 1];
      inside += '\\"';
      at += 1;
    } else if (character === "\\") {
      const escaped = matchAt(ESCAPE, text, at);
      inside += escaped ?? "\\\\";
      at += escaped?.length ?? 1;
    } else {
      inside += character < " " ? JSON.stringify(character).slice(1, -1) : character;
      at += 1;
    }
  }
  return [`"${inside}`, text.length];
}

/** @returns what the pattern matches there; an empty match counts */
function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}
