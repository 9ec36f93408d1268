/**
 * Finds where JSON objects and their members begin and end, without building them.
 *
 * A receiver must know the exact bytes of each event to show that they travelled unharmed, and must
 * do so at the speed of a load test; `JSON.parse` gives neither. The scan checks structure (brackets,
 * quotes, commas) and nothing inside scalars: whoever wants strict JSON parses the found text as well.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;

export function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length) {
    const byte = body[at];
    if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at++;
  }
  return at;
}

/** @param from just after the opening quote. @returns just after the closing one, or -1 if there is none. */
function skipString(body: Buffer, from: number): number {
  const { length } = body;
  for (let at = from; at < length; at++) {
    const byte = body[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
  return -1;
}

/** @param from at the opening bracket. Kinds of bracket are not told apart. */
function skipContainer(body: Buffer, from: number): number {
  const { length } = body;
  let depth = 0;
  let at = from;
  while (at < length) {
    const byte = body[at++];
    if (byte === QUOTE) {
      at = skipString(body, at);
      if (at < 0) return -1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (--depth === 0) return at;
    }
  }
  return -1;
}

/** @returns just after the value that begins at `from`, or -1 if none ends. */
function skipValue(body: Buffer, from: number): number {
  const first = body[from];
  if (first === QUOTE) return skipString(body, from + 1);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(body, from);
  let at = from;
  while (at < body.length) {
    const byte = body[at];
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || (byte ?? 0) <= SPACE) break;
    at++;
  }
  return at > from ? at : -1;
}

/** Members of one object. Reused from object to object, so that a scan allocates nothing. */
export class ObjectScan {
  start = 0;
  /** Just after the closing brace. */
  end = 0;
  count = 0;
  readonly #keyStart: number[] = [];
  readonly #keyEnd: number[] = [];
  readonly #valueStart: number[] = [];
  readonly #valueEnd: number[] = [];

  /** @returns false if no whole object begins at `from` */
  read(body: Buffer, from: number): boolean {
    this.start = from;
    this.count = 0;
    if (body[from] !== OPEN_BRACE) return false;
    let at = skipSpace(body, from + 1);
    if (body[at] === CLOSE_BRACE) {
      this.end = at + 1;
      return true;
    }
    for (;;) {
      if (body[at] !== QUOTE) return false;
      const keyEnd = skipString(body, at + 1);
      const colon = keyEnd < 0 ? -1 : skipSpace(body, keyEnd);
      if (colon < 0 || body[colon] !== COLON) return false;
      const value = skipSpace(body, colon + 1);
      const valueEnd = skipValue(body, value);
      if (valueEnd < 0) return false;
      this.#keyStart[this.count] = at + 1;
      this.#keyEnd[this.count] = keyEnd - 1;
      this.#valueStart[this.count] = value;
      this.#valueEnd[this.count++] = valueEnd;
      at = skipSpace(body, valueEnd);
      if (body[at] === CLOSE_BRACE) {
        this.end = at + 1;
        return true;
      }
      if (body[at] !== COMMA) return false;
      at = skipSpace(body, at + 1);
    }
  }

  keyStart = (member: number): number => this.#keyStart[member] ?? 0;
  keyEnd = (member: number): number => this.#keyEnd[member] ?? 0;
  valueStart = (member: number): number => this.#valueStart[member] ?? 0;
  valueEnd = (member: number): number => this.#valueEnd[member] ?? 0;

  /** Number of the member called `key`, the last one if it is repeated; -1 if there is none. */
  find(body: Buffer, key: string): number {
    for (let member = this.count - 1; member >= 0; member--)
      if (isText(body, this.keyStart(member), this.keyEnd(member), key)) return member;
    return -1;
  }
}

/** Are these bytes the ASCII text? A key written with escapes is not recognised. */
export function isText(body: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let at = 0; at < text.length; at++) if (body[start + at] !== text.charCodeAt(at)) return false;
  return true;
}

/**
 * The string or number called `key` in the object that begins at `from`; null if there is none.
 * Stops at the first hit, so an id that comes first costs nothing.
 */
export function scalarMember(body: Buffer, from: number, key: string): string | null {
  const start = memberValue(body, from, key);
  return start < 0 ? null : scalar(body, start, skipValue(body, start));
}

/** Where the value called `key` begins in the object that begins at `from`; -1 if there is none. */
export function memberValue(body: Buffer, from: number, key: string): number {
  if (body[from] !== OPEN_BRACE) return -1;
  let at = skipSpace(body, from + 1);
  while (body[at] === QUOTE) {
    const keyEnd = skipString(body, at + 1);
    if (keyEnd < 0) return -1;
    const value = skipSpace(body, skipSpace(body, keyEnd) + 1);
    const valueEnd = skipValue(body, value);
    if (valueEnd < 0) return -1;
    if (isText(body, at + 1, keyEnd - 1, key)) return value;
    at = skipSpace(body, skipSpace(body, valueEnd) + 1);
  }
  return -1;
}

/** Text of a string or number; null for anything else. */
export function scalar(body: Buffer, start: number, end: number): string | null {
  const first = body[start];
  if (first === QUOTE) {
    const text = body.toString("utf8", start + 1, end - 1);
    return text.includes("\\") ? unescaped(`"${text}"`) : text;
  }
  const isNumber = first === 0x2d || ((first ?? 0) >= 0x30 && (first ?? 0) <= 0x39);
  return isNumber ? body.toString("latin1", start, end) : null;
}

function unescaped(json: string): string | null {
  try {
    return String(JSON.parse(json));
  } catch {
    return null;
  }
}

/**
 * Walks the objects of a body: concatenated with or without white space, or one JSON array.
 *
 * @example for (let step = reader.next(); step === "object"; step = reader.next()) use(reader.scan);
 */
export class ObjectReader {
  readonly scan = new ObjectScan();
  readonly isArray: boolean;
  readonly #body: Buffer;
  #at: number;
  #seen = 0;

  constructor(body: Buffer) {
    this.#body = body;
    const first = skipSpace(body, 0);
    this.isArray = body[first] === OPEN_BRACKET;
    this.#at = this.isArray ? first + 1 : first;
  }

  /** Where the next object begins if no white space precedes it. */
  get at(): number {
    return this.#at;
  }

  /** Goes on after an object that was read in another way. */
  passTo(end: number): void {
    this.#seen++;
    this.#at = end;
  }

  /** `bad`: what comes next is neither a whole object nor the end. */
  next(): "object" | "end" | "bad" {
    const body = this.#body;
    let at = skipSpace(body, this.#at);
    if (this.isArray) {
      if (body[at] === CLOSE_BRACKET) return skipSpace(body, at + 1) === body.length ? "end" : "bad";
      if (this.#seen > 0) {
        if (body[at] !== COMMA) return "bad";
        at = skipSpace(body, at + 1);
      }
    } else if (at === body.length) {
      return "end";
    }
    if (!this.scan.read(body, at)) return "bad";
    this.#seen++;
    this.#at = this.scan.end;
    return "object";
  }
}
