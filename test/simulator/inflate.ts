/** Undoes `Content-Encoding` within a byte budget. */
import { constants, gunzipSync, inflateSync } from "node:zlib";

export type Inflated =
  | { readonly ok: true; readonly body: Buffer; readonly compressed: boolean }
  | { readonly ok: false; readonly reason: "unsupported" | "corrupt" | "too_large" };

const SMALLEST_CHUNK = 16 * 1024;

/**
 * Synchronous on purpose: a body is at most a few megabytes, and a thread hop costs more than it saves.
 *
 * @param accepted encodings that the receiver takes, beside none and `identity`
 * @param maxBytes of the result
 */
export function inflate(
  body: Buffer,
  {
    encoding,
    accepted,
    maxBytes,
  }: { encoding: string | null; accepted: readonly string[]; maxBytes: number },
): Inflated {
  const name = (encoding ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "")
    return body.length > maxBytes
      ? { ok: false, reason: "too_large" }
      : { ok: true, body, compressed: false };
  if (!accepted.includes(name)) return { ok: false, reason: "unsupported" };
  try {
    const options = { maxOutputLength: maxBytes, chunkSize: chunkFor(name, body, maxBytes) };
    const plain = name === "gzip" ? gunzipSync(body, options) : inflateSync(body, options);
    return { ok: true, body: plain, compressed: true };
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    return { ok: false, reason: tooLarge ? "too_large" : "corrupt" };
  }
}

/** gzip ends in its uncompressed length: believed up to a bound, it saves growing the output in steps. */
function chunkFor(name: string, body: Buffer, maxBytes: number): number {
  if (name !== "gzip" || body.length < 18) return SMALLEST_CHUNK;
  const claimed = body.readUInt32LE(body.length - 4) + 16;
  const bound = Math.min(maxBytes, body.length * 20, 8 * 1024 * 1024);
  return Math.max(
    constants.Z_MIN_CHUNK,
    Math.min(Math.max(claimed, SMALLEST_CHUNK), Math.max(bound, SMALLEST_CHUNK)),
  );
}
