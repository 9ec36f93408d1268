import type { Answer } from "./shot.ts";

const HEAD_END = "\r\n\r\n";

export interface Parsed {
  readonly answers: readonly Answer[];
  /** What is left after the last whole answer. */
  readonly rest: Buffer;
  /** The last whole answer says that the connection ends. */
  readonly isLast: boolean;
}

/**
 * Reads HTTP/1.1 answers from the bytes of a connection. Interim answers (100) are skipped.
 *
 * @param isHead the answers belong to HEAD requests and have no body whatever they say
 * @param isClosed nothing follows: an answer without a length ends here
 */
export function readAnswers(bytes: Buffer, isHead: boolean, isClosed: boolean): Parsed {
  const answers: Answer[] = [];
  let rest = bytes;
  let isLast = false;
  for (let read = readOne(rest, isHead, isClosed); read !== null; read = readOne(rest, isHead, isClosed)) {
    rest = rest.subarray(read.length);
    if (read.answer.status >= 200) {
      answers.push(read.answer);
      isLast = /close/i.test(read.answer.headers.get("connection") ?? "");
    }
  }
  return { answers, rest, isLast };
}

function readOne(
  bytes: Buffer,
  isHead: boolean,
  isClosed: boolean,
): { readonly answer: Answer; readonly length: number } | null {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0 || bytes.toString("latin1", 0, 5) !== "HTTP/") return null;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) return null;
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const start = end + HEAD_END.length;
  const body = bodyOf(bytes.subarray(start), { headers, isClosed, isEmpty: isHead || isBodiless(status) });
  return body === null
    ? null
    : { answer: { status, headers, body: body.bytes }, length: start + body.length };
}

function isBodiless(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

function bodyOf(
  bytes: Buffer,
  about: {
    readonly headers: ReadonlyMap<string, string>;
    readonly isEmpty: boolean;
    readonly isClosed: boolean;
  },
): { readonly bytes: Buffer; readonly length: number } | null {
  if (about.isEmpty) return { bytes: Buffer.alloc(0), length: 0 };
  if (/chunked/i.test(about.headers.get("transfer-encoding") ?? "")) return chunksOf(bytes);
  const declared = about.headers.get("content-length");
  if (declared === undefined) return about.isClosed ? { bytes, length: bytes.length } : null;
  const length = Number(declared);
  return bytes.length < length ? null : { bytes: bytes.subarray(0, length), length };
}

function chunksOf(bytes: Buffer): { readonly bytes: Buffer; readonly length: number } | null {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const from = lineEnd + 2;
    if (Number.isNaN(size) || bytes.length < from + size + 2) return null;
    at = from + size + 2;
    if (size === 0) return { bytes: Buffer.concat(parts), length: at };
    parts.push(bytes.subarray(from, from + size));
  }
}
