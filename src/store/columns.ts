import { z } from "zod";
import { parseJson } from "../base/json.ts";

/** SQLite has no booleans. */
export const flag = z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1);

/** Epoch milliseconds. */
export const moment = z.number().int();

/** JSON kept as text, checked against what it should hold. */
export function json<Held extends z.ZodType>(held: Held) {
  return z
    .string()
    .transform((text, context) => {
      const parsed = parseJson(text);
      if (parsed.ok) return parsed.value;
      context.addIssue({ code: "custom", message: "The column does not hold JSON" });
      return z.NEVER;
    })
    .pipe(held);
}
