import { err, type Result } from "../base/result.ts";

/** What a wrapped secret belongs to; authenticated, and it opens for nothing else. Not secret: KMS writes it into its log. */
export type WrapContext = Readonly<Record<string, string>>;

/**
 * Why something cannot be wrapped or unwrapped.
 *
 * - `unavailable`: no answer, or "later": the very same call can succeed in a minute.
 * - `refused`: an answer that waiting does not change, like a permission that is missing. A person has to act.
 * - `unknown_key`: the setting that holds the key is gone.
 * - `does_not_open`: it was not wrapped by this key for this context, or was changed since.
 */
export type WrapFault =
  | { readonly reason: "unavailable"; readonly message: string }
  | { readonly reason: "refused"; readonly message: string }
  | { readonly reason: "unknown_key"; readonly keyId: string }
  | { readonly reason: "does_not_open" };

/** The operator's key, wherever it is held: wraps a few secrets, everything else is sealed under those. */
export interface WrapKey {
  /** `root:` and 8 hex characters, or `kms:` and the key's id; kept beside what it wrapped. */
  readonly id: string;
  wrap(secret: Uint8Array, context: WrapContext): Promise<Result<string, WrapFault>>;
  unwrap(wrapped: string, context: WrapContext): Promise<Result<Uint8Array<ArrayBuffer>, WrapFault>>;
}

/** All keys of the operator: the present one wraps, and those before it still unwrap. */
export interface Wrapping {
  readonly present: WrapKey;
  unwrap(
    wrapped: { readonly wrapped: string; readonly wrappedBy: string },
    context: WrapContext,
  ): Promise<Result<Uint8Array<ArrayBuffer>, WrapFault>>;
}

export function createWrapping(present: WrapKey, previous: readonly WrapKey[]): Wrapping {
  const known = new Map([...previous, present].map((key) => [key.id, key]));
  return {
    present,
    async unwrap({ wrapped, wrappedBy }, context) {
      const key = known.get(wrappedBy);
      return key === undefined
        ? err({ reason: "unknown_key", keyId: wrappedBy.slice(0, 200) })
        : key.unwrap(wrapped, context);
    },
  };
}

/** One sentence for the log; holds no secret. */
export function describeWrapFault(fault: WrapFault): string {
  switch (fault.reason) {
    case "unknown_key":
      return `nothing is set that opens what ${fault.keyId} wrapped`;
    case "does_not_open":
      return "a wrapped key does not open";
    default:
      return fault.message;
  }
}
