/**
 * D1: databases are created by name and queried by id. SQL really runs, in SQLite in memory, so a migration
 * that does not parse fails here as it would there.
 *
 * @see https://developers.cloudflare.com/api/resources/d1/subresources/database/ (read 2026-11)
 */
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { Account, Database } from "./account.ts";
import { ok, page, Refusal } from "./answers.ts";
import type { Route } from "./route.ts";

const CreateDatabase = z.strictObject({
  name: z.string().regex(/^[a-z0-9_-]+$/i),
  jurisdiction: z.enum(["eu", "us", "fedramp"]).optional(),
  primary_location_hint: z.enum(["wnam", "enam", "weur", "eeur", "apac", "oc"]).optional(),
});

const Query = z.object({ sql: z.string().min(1), params: z.array(z.string()).optional() });

export const d1Routes: readonly Route[] = [
  {
    method: "GET",
    path: "/d1/database",
    answer: ({ account, query }) => {
      const name = query.get("name");
      return page(
        account.databases.filter((database) => name === null || database.name.includes(name)).map(shown),
        query,
      );
    },
  },
  {
    method: "POST",
    path: "/d1/database",
    answer: ({ account, json }) => {
      const wanted = CreateDatabase.parse(json());
      if (account.databases.some((database) => database.name === wanted.name)) {
        throw new Refusal(400, 7502, `A database with that name already exists: ${wanted.name}`);
      }
      const database: Database = {
        uuid: randomUUID(),
        name: wanted.name,
        jurisdiction: wanted.jurisdiction ?? null,
        primaryLocationHint: wanted.primary_location_hint ?? null,
        sqlite: new DatabaseSync(":memory:"),
      };
      account.databases.push(database);
      return ok(shown(database));
    },
  },
  {
    method: "POST",
    path: "/d1/database/:id/query",
    answer: ({ account, parts, json }) => {
      const { sql, params } = Query.parse(json());
      return ok(run(find(account, parts["id"]), sql, params ?? []));
    },
  },
];

function find(account: Account, id: string | undefined): Database {
  const database = account.databases.find((candidate) => candidate.uuid === id);
  if (database === undefined) {
    throw new Refusal(404, 7404, `The database ${id} could not be found`);
  }
  return database;
}

function shown(database: Database): unknown {
  const { uuid, name, jurisdiction } = database;
  return { uuid, name, jurisdiction, version: "production", created_at: "2026-11-01T00:00:00Z" };
}

/** All or nothing, as D1 runs several statements of one query; rows only for a single statement. */
function run(database: Database, sql: string, params: readonly string[]): unknown[] {
  const meta = { duration: 0.1, changes: 0, last_row_id: 0, rows_read: 0, rows_written: 0, size_after: 0 };
  try {
    if (/^\s*(select|pragma)\b/i.test(sql)) {
      return [{ success: true, results: database.sqlite.prepare(sql).all(...params), meta }];
    }
    database.sqlite.exec("BEGIN");
    database.sqlite.exec(sql);
    database.sqlite.exec("COMMIT");
    return [{ success: true, results: [], meta }];
  } catch (error) {
    if (database.sqlite.isTransaction) {
      database.sqlite.exec("ROLLBACK");
    }
    throw new Refusal(400, 7500, error instanceof Error ? error.message : String(error));
  }
}
