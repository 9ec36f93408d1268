import { gunzipSync } from "node:zlib";
import { err, ok, type Result } from "../../base/result.ts";
import { MAX_REQUEST_BYTES } from "../../model/event.ts";
import type { Refusal } from "../../model/ingest.ts";

/** A body in its two forms: both are needed, because a signature is over what was sent. */
export interface Body {
  /** The bytes on the wire; compressed when the sender compressed. */
  readonly raw: Uint8Array;
  /** After decompression; the same object as `raw` when there was none. */
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Shared: without `stream: true` it keeps nothing from call to call. Drops a byte order mark. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

const TOO_LARGE: Refusal = {
  code: "payload_too_large",
  detail: `A request holds at most ${MAX_REQUEST_BYTES} bytes, counted after decompression; nothing was stored`,
};

/**
 * Reads the bytes on the wire, at most `MAX_REQUEST_BYTES`. A larger `Content-Length` is refused without
 * reading; a stream that turns out larger is cancelled there.
 */
export async function readRaw(
  stream: ReadableStream<Uint8Array> | null,
  headers: Headers,
): Promise<Result<Uint8Array, Refusal>> {
  if (stream === null) return ok(new Uint8Array(0));
  const declared = Number(headers.get("content-length") ?? Number.NaN);
  if (declared > MAX_REQUEST_BYTES) {
    await stream.cancel().catch(ignore);
    return err(TOO_LARGE);
  }
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    // One byte more than declared: then one read gets all of it and also sees the end. But never a large buffer on a
    // promise alone: whoever declares 5 MB and sends one byte must not hold 5 MB.
    const source = sourceOf(
      stream,
      declared >= 0
        ? Math.min(Math.max(declared + 1, MIN_READ_BYTES), MAX_READ_BYTES)
        : UNDECLARED_READ_BYTES,
    );
    for (let isEnd = false; !isEnd; ) {
      const part = await source.read();
      isEnd = part.isEnd;
      total += part.bytes.byteLength;
      if (total > MAX_REQUEST_BYTES) {
        await source.cancel().catch(ignore);
        return err(TOO_LARGE);
      }
      if (part.bytes.byteLength > 0) chunks.push(part.bytes);
    }
  } catch {
    return err(malformed("The body broke off before its end"));
  }
  return ok(joined(chunks, total));
}

/** Bytes asked for at a time when the length is not known. */
const UNDECLARED_READ_BYTES = 65_536;
/** And at the least when it is: a length that is wrong must not mean reading byte by byte. */
const MIN_READ_BYTES = 4_096;
/** The largest buffer for one read: above it, a body is read in pieces. */
const MAX_READ_BYTES = 262_144;

interface Source {
  read(): Promise<{ readonly bytes: Uint8Array; readonly isEnd: boolean }>;
  cancel(): Promise<void>;
}

/**
 * Reads `size` bytes at a time where the stream can. A request's body can, and otherwise comes in pieces of 4 kB,
 * each of which costs as much as parsing ten events.
 */
function sourceOf(stream: ReadableStream<Uint8Array>, size: number): Source {
  const reader = byteReader(stream);
  if (reader === null) return pieces(stream.getReader());
  return {
    async read() {
      const { value } = await reader.readAtLeast(size, new Uint8Array(size));
      const bytes = value ?? new Uint8Array(0);
      return { bytes, isEnd: bytes.byteLength < size }; // only the end makes a read shorter than its minimum
    },
    cancel: () => reader.cancel(),
  };
}

function byteReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return null; // a stream made in JavaScript, which gives what it has
  }
}

function pieces(reader: ReadableStreamDefaultReader<Uint8Array>): Source {
  return {
    async read() {
      const { value, done } = await reader.read();
      return { bytes: value ?? new Uint8Array(0), isEnd: done };
    },
    cancel: () => reader.cancel(),
  };
}

/** Inflates where `gzip` says so, and decodes. */
export function decodeBody(raw: Uint8Array, gzip: boolean): Result<Body, Refusal> {
  const bytes = inflateBody(raw, gzip);
  if (!bytes.ok) return bytes;
  const text = textOf(bytes.value);
  return text.ok ? ok({ raw, bytes: bytes.value, text: text.value }) : text;
}

/** The bytes after decompression, where `gzip` says that there is any. */
export function inflateBody(raw: Uint8Array, gzip: boolean): Result<Uint8Array, Refusal> {
  return gzip ? inflate(raw) : ok(raw);
}

/** Decodes UTF-8 strictly. A byte order mark at the start is dropped. */
export function textOf(bytes: Uint8Array): Result<string, Refusal> {
  if (bytes.byteLength === 0) return err(malformed("The body is empty"));
  try {
    return ok(decoder.decode(bytes));
  } catch {
    return err(malformed("The body is not valid UTF-8"));
  }
}

/**
 * Inflates within the budget: the runtime stops as soon as the output exceeds it, so a bomb costs no more than
 * an honest body. In one synchronous call, because a DecompressionStream takes five times as long for a
 * typical body (40 µs for 100 events here). Several members in a row are one body (RFC 1952, 2.2); anything else
 * after the end is refused.
 */
function inflate(raw: Uint8Array): Result<Uint8Array, Refusal> {
  try {
    return ok(gunzipSync(raw, { maxOutputLength: MAX_REQUEST_BYTES }));
  } catch (fault) {
    // The runtime says "too large" with a RangeError, and everything else with a plain Error.
    if (fault instanceof RangeError) return err(TOO_LARGE);
    return err(malformed("The body is not valid gzip, or is cut off"));
  }
}

function malformed(what: string): Refusal {
  return { code: "malformed_json", detail: `${what}; nothing was stored` };
}

function joined(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const [first, ...more] = chunks;
  if (first !== undefined && more.length === 0) return first;
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** A stream that cannot even be cancelled is gone, which is what was wanted. */
function ignore(): void {}
