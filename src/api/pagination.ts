import { z } from "zod";
import { fromBase64Url, sha256, toBase64Url, utf8 } from "../base/bytes.ts";
import { parseJson } from "../base/json.ts";
import type { LaneMarks } from "../model/lane.ts";
import { MAX_SHARDS } from "../model/shards.ts";
import type { ApiContext, Page, PageRequest, Position } from "./context.ts";
import { faultsOf, refuseInput } from "./problem.ts";

export const MAX_LIMIT = 100;
export const DEFAULT_LIMIT = 50;
/** Characters: the marks of 32 lanes with row numbers of 12 digits are 570. */
const MAX_CURSOR = 600;
/** Bytes of the digest that makes a cursor refuse to be edited or carried to another list. */
const SEAL_BYTES = 9;

export const PageQuery = z.object({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, `Expected a number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .pipe(
      z
        .int()
        .min(1, `Expected a number from 1 to ${MAX_LIMIT}`)
        .max(MAX_LIMIT, `Expected a number from 1 to ${MAX_LIMIT}`),
    )
    .optional()
    .meta({
      type: "integer",
      minimum: 1,
      maximum: MAX_LIMIT,
      default: DEFAULT_LIMIT,
      description: "Entries a page",
    }),
  cursor: z
    .string()
    .max(MAX_CURSOR)
    .optional()
    .meta({ description: "The `next_cursor` of the page before; opaque" }),
});

/** Which list a cursor belongs to: it opens for no other list and no other tenant. */
export interface ListName {
  readonly list: string;
  /** The tenant, the destination, or whatever else the list is of. */
  readonly of: string;
}

const Keyset = z.tuple([z.int(), z.string()]);
const Offset = z.tuple([z.int()]);
const Marks = z.array(z.int()).min(1).max(MAX_SHARDS);

/** The page that is asked for in a list that goes by creation. */
export function pageRequest(c: ApiContext, name: ListName): PageRequest {
  const { limit, cursor } = readQuery(c, PageQuery);
  const position = cursor === undefined ? null : openCursor(name, cursor, Keyset);
  return {
    limit: limit ?? DEFAULT_LIMIT,
    cursor: position === null ? null : { at: position[0], id: position[1] },
  };
}

/** The page that is asked for in a list of numbered rows. */
export function numberedPageRequest(c: ApiContext, name: ListName): { limit: number; before: number | null } {
  const { limit, cursor } = readQuery(c, PageQuery);
  const position = cursor === undefined ? null : openCursor(name, cursor, Offset);
  return { limit: limit ?? DEFAULT_LIMIT, before: position === null ? null : position[0] };
}

/** The same in a list that several lanes number, each by itself. */
export function markedPageRequest(c: ApiContext, name: ListName): { limit: number; after: LaneMarks | null } {
  const { limit, cursor } = readQuery(c, PageQuery);
  const after = cursor === undefined ? null : openCursor(name, cursor, Marks);
  return { limit: limit ?? DEFAULT_LIMIT, after };
}

/** One page as every list answers it. */
export function pageAnswer<T, U>(page: Page<T>, name: ListName, show: (item: T) => U) {
  return { data: page.items.map(show), next_cursor: nextCursor(name, page.next) };
}

/** The cursor for the page after, or null after the last. */
export function nextCursor(name: ListName, next: Position | null): string | null {
  return next === null ? null : sealCursor(name, [next.at, next.id]);
}

/** The cursor for a row's number. */
export function numberedCursor(name: ListName, next: number | null): string | null {
  return next === null ? null : sealCursor(name, [next]);
}

/** The cursor for where the lanes stopped. */
export function markedCursor(name: ListName, next: LaneMarks | null): string | null {
  return next === null ? null : sealCursor(name, next);
}

/**
 * The digest is no secret: whoever forges a cursor sees another page of the same list, which a `limit` shows
 * as well. It is there so that an edited or misplaced cursor is an error and not a strange page.
 */
function sealCursor(name: ListName, position: readonly unknown[]): string {
  const text = JSON.stringify(position);
  return `${toBase64Url(digest(name, text))}${toBase64Url(utf8(text))}`;
}

function openCursor<Position extends z.ZodType>(
  name: ListName,
  cursor: string,
  schema: Position,
): z.infer<Position> {
  const seal = cursor.slice(0, (SEAL_BYTES * 4) / 3);
  const bytes = fromBase64Url(cursor.slice(seal.length));
  const text = bytes === null ? "" : new TextDecoder().decode(bytes);
  const json = parseJson(text);
  const parsed = json.ok ? schema.safeParse(json.value) : null;
  // Sealing again also refuses a second spelling of the same bytes.
  if (!parsed?.success || sealCursor(name, z.array(z.unknown()).parse(parsed.data)) !== cursor) {
    refuseInput([{ path: "cursor", message: "Expected the next_cursor of the page before" }]);
  }
  return parsed.data;
}

function digest(name: ListName, text: string): Uint8Array {
  return sha256(JSON.stringify([name.list, name.of, text])).subarray(0, SEAL_BYTES);
}

/** The query's known parameters as the schema makes them; of a repeated one the first, others are ignored. */
export function readQuery<Schema extends z.ZodObject>(c: ApiContext, schema: Schema): z.infer<Schema> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = c.req.query(name);
    if (value !== undefined) given[name] = value;
  }
  const parsed = schema.safeParse(given);
  return parsed.success ? parsed.data : refuseInput(faultsOf(parsed.error));
}
