import { sha256Hex } from "./bytes.ts";
import { writeCanonical } from "./canonical.ts";
import { err, ok, type Result } from "./result.ts";

/** Why a text is not JSON, in the parser's words (no input is repeated beyond a few characters). */
export interface JsonFault {
  readonly message: string;
}

export function parseJson(text: string): Result<unknown, JsonFault> {
  try {
    return ok(JSON.parse(text) as unknown);
  } catch (fault) {
    return err({ message: fault instanceof Error ? fault.message.slice(0, 200) : "not JSON" });
  }
}

/**
 * RFC 8785 canonical JSON: the form that is hashed and signed.
 *
 * @param isPlain a promise that no string in the value needs an escape (see `canonical.ts`); saves looking
 * @returns null for what the form cannot carry: numbers beyond a double, lone surrogates,
 *   or nesting deeper than the runtime's stack.
 */
export function canonicalJson(value: unknown, isPlain = false): string | null {
  try {
    return writeCanonical(value, isPlain);
  } catch {
    return null;
  }
}

/** JSON of an event with its `integrity_hash`: `sha256:` + hex over the RFC 8785 form of all its other fields. */
export function withIntegrityHash(event: Readonly<Record<string, unknown>>): string {
  const canonical = canonicalJson(event);
  if (canonical === null) throw new Error("An event of the relay's own must have a canonical form");
  return JSON.stringify({ ...event, integrity_hash: `sha256:${sha256Hex(canonical)}` });
}
