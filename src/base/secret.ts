const values = new WeakMap<object, unknown>();

/**
 * A value that must not be printed. Logging, serialising or inspecting it shows `[redacted]`;
 * only `reveal` gives it back, and the architecture test lists the files that may call it.
 */
export class Secret<T> {
  constructor(value: T) {
    values.set(this, value);
  }

  reveal(): T {
    return values.get(this) as T; // set in the constructor, under the same T
  }

  toString(): string {
    return "[redacted]";
  }

  toJSON(): string {
    return "[redacted]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[redacted]";
  }
}

/**
 * Overwrites key material that is done with. As far as the language allows: a string, or a copy that the engine
 * made, stays until it is collected, so secrets are kept as bytes and for as short as can be.
 */
export function wipe(...secrets: readonly (Uint8Array | null | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}
