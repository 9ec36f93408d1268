import canonicalize from "canonicalize";
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
 * @returns null for what the form cannot carry: numbers beyond a double, lone surrogates,
 *   or nesting deeper than the runtime's stack.
 */
export function canonicalJson(value: unknown): string | null {
  try {
    return canonicalize(value) ?? null;
  } catch {
    return null;
  }
}
