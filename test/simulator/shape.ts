/** Checks of what the control API is sent. A misspelt setting is an error and never a silent default. */

/** The control call is wrong; the message says where, in words for whoever made it. */
export class BadInput extends Error {}

export interface Check {
  readonly test: (value: unknown) => boolean;
  readonly expected: string;
}

export type Shape = Readonly<Record<string, Check & { readonly required?: true }>>;

export const text: Check = { test: (v) => typeof v === "string" && v !== "", expected: "a non-empty string" };
export const flag: Check = { test: (v) => typeof v === "boolean", expected: "true or false" };
export const amount: Check = {
  test: (v) => typeof v === "number" && Number.isFinite(v) && v >= 0,
  expected: "a number from 0",
};
export const number: Check = { test: (v) => Number.isFinite(v), expected: "a number" };
export const texts: Check = {
  test: (v) => Array.isArray(v) && v.every((item) => typeof item === "string"),
  expected: "a list of strings",
};
export const textMap: Check = {
  test: (v) => isRecord(v) && Object.values(v).every((item) => typeof item === "string"),
  expected: "an object of strings",
};

export function oneOf(...values: readonly unknown[]): Check {
  return { test: (v) => values.includes(v), expected: `one of ${values.join(", ")}` };
}

export function required(check: Check): Check & { readonly required: true } {
  return { ...check, required: true };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws BadInput naming the first member that is missing, unknown or of the wrong form */
export function checkShape(what: string, value: unknown, shape: Shape): Record<string, unknown> {
  if (!isRecord(value)) throw new BadInput(`${what} must be a JSON object`);
  for (const [name, { required: isRequired }] of Object.entries(shape))
    if (isRequired && value[name] === undefined) throw new BadInput(`${what} needs "${name}"`);
  for (const [name, item] of Object.entries(value)) {
    const check = shape[name];
    if (check === undefined)
      throw new BadInput(`${what} has no "${name}"; it has ${Object.keys(shape).join(", ")}`);
    if (item !== undefined && !check.test(item))
      throw new BadInput(`"${name}" of ${what} must be ${check.expected}`);
  }
  return value;
}

export const STORAGE_SHAPE: Shape = {
  count_only: flag,
  ids: oneOf(true, false, "hashed"),
  max_stored: amount,
};
