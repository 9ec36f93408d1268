/** A request as it is put together, before it becomes bytes. */
export interface Request {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** Written as Latin-1: a character is a byte. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | null;
  /** Sizes of the chunks in which the body goes; null: with a Content-Length. */
  readonly chunks: readonly number[] | null;
}

/** Whose key a request carries: the one whose data it may show. */
export type Party = "attacker" | "victim" | "operator" | "nobody";

/** How a shot is delivered: in one piece on a shared connection, or as something that a polite client cannot send. */
export type Delivery = "shared" | "own" | "slow";

/** One generated request, or what passes for one. */
export interface Shot {
  readonly index: number;
  /** Like `POST /v1/audit/events`. */
  readonly route: string;
  /** Which generator made it. */
  readonly kind: string;
  readonly party: Party;
  readonly bytes: Buffer;
  readonly delivery: Delivery;
  /** Well-framed HTTP within the server's limits: then the Worker must answer, exactly this often. */
  readonly answers: number | null;
  /** Of the answers in their order: which belong to a HEAD and so have no body. */
  readonly isHead: boolean;
  /** What the bytes were made of; null when they were made as bytes. */
  readonly request: Request | null;
}

/** One answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What came back for a shot. */
export interface Reply {
  readonly answers: readonly Answer[];
  /** Bytes that belong to no whole answer. */
  readonly rest: Buffer;
  /** `open`: everything that was waited for is here. */
  readonly end: "open" | "closed" | "timeout";
  readonly milliseconds: number;
}

/** A request in HTTP/1.1. */
export function bytesOf(request: Request): Buffer {
  const { method, target, headers, body, chunks } = request;
  const framing: (readonly [string, string])[] = [];
  if (chunks !== null) framing.push(["Transfer-Encoding", "chunked"]);
  else if (body !== null) framing.push(["Content-Length", String(body.length)]);
  const lines = [...headers, ...framing].map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  if (body === null) return head;
  return Buffer.concat(chunks === null ? [head, body] : [head, ...chunked(body, chunks)]);
}

function chunked(body: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0, turn = 0; at < body.length; turn += 1) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? body.length);
    const part = body.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
    at += size;
  }
  return [...parts, Buffer.from("0\r\n\r\n")];
}
