import type { z } from "zod";
import type { EpochMs } from "../base/clock.ts";

/*
 * Tables over D1. This folder promises that every row is checked on its way out, that every query about a
 * tenant's data names the tenant, and that a list neither skips nor repeats a row while others are inserted.
 * It knows nothing of what the rows mean, and never sees a secret that is not sealed.
 */

/** What can be bound to a `?`. */
export type Bindable = string | number | null;

/** Where in a list a page ended: lists run from the newest to the oldest, and ids break ties. */
export interface Position {
  readonly at: EpochMs;
  readonly id: string;
}

export interface PageRequest {
  readonly limit: number;
  /** The `next` of the page before, or null for the first. */
  readonly cursor: Position | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Null on the last page. */
  readonly next: Position | null;
}

/** The first row, or null. A row that its schema refuses is a bug and throws. */
export async function one<Row extends z.ZodType>(
  db: D1Database,
  row: Row,
  sql: string,
  ...values: readonly Bindable[]
): Promise<z.infer<Row> | null> {
  const found: unknown = await db
    .prepare(sql)
    .bind(...values)
    .first();
  return found === null ? null : row.parse(found);
}

/** All rows; the query bounds their number. */
export async function many<Row extends z.ZodType>(
  db: D1Database,
  row: Row,
  sql: string,
  ...values: readonly Bindable[]
): Promise<z.infer<Row>[]> {
  const found = await db
    .prepare(sql)
    .bind(...values)
    .all();
  return found.results.map((each) => row.parse(each));
}

/** @returns how many rows were changed */
export async function run(db: D1Database, sql: string, ...values: readonly Bindable[]): Promise<number> {
  const done = await db
    .prepare(sql)
    .bind(...values)
    .run();
  return done.meta.changes;
}

/** What a list is made of; its table has the columns `created_at` and `id`. */
export interface ListQuery<Row extends z.ZodType> {
  readonly row: Row;
  readonly table: string;
  readonly where: string;
  readonly values: readonly Bindable[];
}

/**
 * One page of a list, newest first.
 *
 * The position is a key, not an offset, so rows inserted or removed between two pages shift nothing.
 */
export async function page<Row extends z.ZodType<{ readonly id: string; readonly createdAt: EpochMs }>>(
  db: D1Database,
  query: ListQuery<Row>,
  request: PageRequest,
): Promise<Page<z.infer<Row>>> {
  const after = request.cursor === null ? "" : "AND (created_at, id) < (?, ?)";
  const position = request.cursor === null ? [] : [request.cursor.at, request.cursor.id];
  const found = await many(
    db,
    query.row,
    `SELECT * FROM ${query.table} WHERE ${query.where} ${after} ORDER BY created_at DESC, id DESC LIMIT ?`,
    ...query.values,
    ...position,
    request.limit + 1,
  );
  const items = found.slice(0, request.limit);
  const last = items.at(-1);
  return {
    items,
    next: found.length > request.limit && last !== undefined ? { at: last.createdAt, id: last.id } : null,
  };
}
