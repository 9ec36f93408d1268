/** Expected failures are values of this type; bugs throw. */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** Closes a switch over a union: a member that is not handled does not compile, and one that slips in at run time throws. */
export function unreachable(value: never): never {
  throw new Error(`Unhandled case: ${String(value)}`);
}
