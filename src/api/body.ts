import type { z } from "zod";
import type { Fault } from "../base/errors.ts";
import { parseJson } from "../base/json.ts";
import type { ApiContext } from "./context.ts";
import { faultsOf, ProblemError, refuse, refuseInput } from "./problem.ts";

/** Largest body of a configuration request, in bytes as sent. Events have limits of their own. */
export const MAX_BODY_BYTES = 1_000_000;
/** Deeper input would exhaust the stack of whoever walks it. No setting of ours nests even a quarter as deep. */
const MAX_DEPTH = 32;

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/** The body as the schema makes it, or the request ends: 400, 413, 415 or 422. */
export async function readBody<Schema extends z.ZodType>(
  c: ApiContext,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const parsed = schema.safeParse(await readJson(c));
  return parsed.success ? parsed.data : refuseInput(faultsOf(parsed.error));
}

/** The same for an endpoint that also works without a body. */
export async function readOptionalBody<Schema extends z.ZodType>(
  c: ApiContext,
  schema: Schema,
): Promise<z.infer<Schema> | null> {
  const isAbsent = c.req.raw.body === null || c.req.header("content-length") === "0";
  return isAbsent ? null : readBody(c, schema);
}

/** The body as JSON that holds nothing treacherous, before any schema has looked at it. */
export async function readJson(c: ApiContext): Promise<unknown> {
  const text = await readText(c);
  if (text.trim() === "") refuse("malformed_json", "The body is empty; a JSON object was expected.");
  const parsed = parseJson(text);
  // The parser's words repeat a little of the input, which may be a secret.
  if (!parsed.ok) refuse("malformed_json", "The body could not be read as JSON. Nothing was changed.");
  const fault = findTreachery(parsed.value);
  return fault === null ? parsed.value : refuseInput([fault]);
}

async function readText(c: ApiContext): Promise<string> {
  const type = c.req.header("content-type");
  const encoding = c.req.header("content-encoding") ?? "identity";
  if (type !== undefined ? !JSON_TYPE.test(type) : c.req.raw.body !== null) {
    refuse("unsupported_media_type", "Send JSON, with `Content-Type: application/json`.");
  }
  if (encoding.toLowerCase() !== "identity") {
    refuse("unsupported_media_type", "Send the body without a Content-Encoding.");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await readBytes(c));
  } catch (error) {
    if (error instanceof TypeError) refuse("malformed_json", "The body is not UTF-8. Nothing was changed.");
    throw error;
  }
}

async function readBytes(c: ApiContext): Promise<Uint8Array> {
  if (Number(c.req.header("content-length") ?? 0) > MAX_BODY_BYTES) refuseSize();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of c.req.raw.body ?? []) {
      size += chunk.byteLength;
      if (size > MAX_BODY_BYTES) refuseSize(); // leaving the loop cancels the stream: the rest is never read
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    refuse("malformed_json", "The body broke off before its end. Nothing was changed.");
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function refuseSize(): never {
  return refuse("payload_too_large", `The body may have at most ${MAX_BODY_BYTES} bytes.`);
}

/**
 * The first thing in a JSON value that some later reader would stumble over: nesting without end, half a
 * surrogate pair (no UTF-8 form), a number beyond a double, or a key that means an object's prototype.
 * Walks with a list of its own, because the caller chooses the depth.
 */
function findTreachery(root: unknown): Fault | null {
  const waiting: { value: unknown; path: readonly string[] }[] = [{ value: root, path: [] }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next;
    const fault = (message: string): Fault => ({ path: path.join(".").toWellFormed(), message });
    if (path.length > MAX_DEPTH) return fault(`Expected at most ${MAX_DEPTH} levels`);
    if (typeof value === "string" && !value.isWellFormed()) return fault("Expected well-formed Unicode");
    if (typeof value === "number" && !Number.isFinite(value)) return fault("Expected a finite number");
    if (typeof value !== "object" || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "__proto__" || !key.isWellFormed()) return fault("Expected another name for a field");
      waiting.push({ value: inner, path: [...path, key] });
    }
  }
  return null;
}
