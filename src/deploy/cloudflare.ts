/**
 * The few calls to Cloudflare's API that wrangler has no quiet command for: looking, and creating in a place.
 * No retries: every call is safe to make again by running the deployment again.
 *
 * @see https://developers.cloudflare.com/api/resources/d1/subresources/database/ (read 2026-11)
 * @see https://developers.cloudflare.com/queues/configuration/data-location/ (read 2026-11)
 * @see https://developers.cloudflare.com/api/resources/workers/ (read 2026-11)
 */
import { z } from "zod";

export const CLOUDFLARE_API = "https://api.cloudflare.com/client/v4";
const CALL_TIMEOUT_MS = 30_000;
/** Answers when a Worker, or the account's workers.dev name, does not exist. */
const NOT_THERE = 10_007;

const Envelope = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).default([]),
  result: z.unknown(),
});

const DatabaseRow = z.object({
  uuid: z.string(),
  name: z.string(),
  jurisdiction: z.string().nullish(),
});
const QueueRow = z.object({ queue_name: z.string(), jurisdiction: z.string().nullish() });
const QueryResults = z.array(z.object({ results: z.array(z.object({ name: z.string() })).default([]) }));

/** Cloudflare refused, or could not be understood. The message is for the person at the terminal. */
export class CloudflareError extends Error {
  readonly status: number;
  readonly code: number | null;

  constructor(message: string, { status, code }: { readonly status: number; readonly code: number | null }) {
    super(message);
    this.name = "CloudflareError";
    this.status = status;
    this.code = code;
  }
}

export interface Access {
  readonly accountId: string;
  readonly token: string;
  readonly baseUrl: string;
}

export interface Cloudflare {
  findDatabase(
    name: string,
  ): Promise<{ readonly id: string; readonly jurisdiction: string | null | undefined } | null>;
  createDatabase(name: string, place: Place): Promise<{ readonly id: string }>;
  /** Names in wrangler's own table of applied migrations; empty before the first. */
  appliedMigrations(databaseId: string): Promise<readonly string[]>;
  findQueue(
    name: string,
  ): Promise<{ readonly name: string; readonly jurisdiction: string | null | undefined } | null>;
  createQueue(name: string, place: Place): Promise<void>;
  /** null when the Worker does not exist. Values cannot be read, by anyone. */
  secretNames(worker: string): Promise<readonly string[] | null>;
  workersDevSubdomain(): Promise<string | null>;
  registerSubdomain(name: string): Promise<void>;
}

export interface Place {
  readonly jurisdiction: string | null;
  readonly locationHint: string | null;
}

export function cloudflare(access: Access): Cloudflare {
  const get = (path: string) => call(access, path, { method: "GET" });
  const send = (method: "POST" | "PUT", path: string, body: unknown) =>
    call(access, path, {
      method,
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });

  const query = async (databaseId: string, sql: string) => {
    const [first] = QueryResults.parse(await send("POST", `/d1/database/${databaseId}/query`, { sql }));
    return (first?.results ?? []).map(({ name }) => name);
  };

  return {
    async findDatabase(name) {
      const rows = z
        .array(DatabaseRow)
        .parse(await get(`/d1/database?per_page=100&name=${encodeURIComponent(name)}`));
      const found = rows.find((row) => row.name === name);
      return found === undefined ? null : { id: found.uuid, jurisdiction: found.jurisdiction };
    },
    async createDatabase(name, { jurisdiction, locationHint }) {
      const place =
        jurisdiction !== null
          ? { jurisdiction }
          : locationHint !== null
            ? { primary_location_hint: locationHint }
            : {};
      return { id: DatabaseRow.parse(await send("POST", "/d1/database", { name, ...place })).uuid };
    },
    async appliedMigrations(databaseId) {
      const table = await query(
        databaseId,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'd1_migrations'",
      );
      return table.length === 0 ? [] : await query(databaseId, "SELECT name FROM d1_migrations ORDER BY id");
    },
    async findQueue(name) {
      const rows = z.array(QueueRow).parse(await get(`/queues?name=${encodeURIComponent(name)}`));
      const found = rows.find((row) => row.queue_name === name);
      return found === undefined ? null : { name, jurisdiction: found.jurisdiction };
    },
    async createQueue(name, { jurisdiction }) {
      await send("POST", "/queues", { queue_name: name, ...(jurisdiction === null ? {} : { jurisdiction }) });
    },
    async secretNames(worker) {
      const rows = await orNull(get(`/workers/scripts/${worker}/secrets`));
      return rows === null
        ? null
        : z
            .array(z.object({ name: z.string() }))
            .parse(rows)
            .map(({ name }) => name);
    },
    async workersDevSubdomain() {
      const found = await orNull(get("/workers/subdomain"));
      return found === null ? null : z.object({ subdomain: z.string() }).parse(found).subdomain;
    },
    async registerSubdomain(name) {
      await send("PUT", "/workers/subdomain", { subdomain: name });
    },
  };
}

async function orNull(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CloudflareError && error.code === NOT_THERE) {
      return null;
    }
    throw error;
  }
}

async function call(
  { accountId, token, baseUrl }: Access,
  path: string,
  request: RequestInit,
): Promise<unknown> {
  const name = `${request.method} ${path.replace(/\?.*/, "")}`;
  const headers = { ...request.headers, authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const response = await fetch(`${baseUrl}/accounts/${accountId}${path}`, {
    ...request,
    headers,
    signal,
  }).catch((cause: unknown) => {
    throw new CloudflareError(`Cloudflare could not be reached (${name}): ${reason(cause)}`, {
      status: 0,
      code: null,
    });
  });
  const answer = Envelope.safeParse(await response.json().catch(() => null));
  if (response.ok && answer.success && answer.data.success) {
    return answer.data.result;
  }
  const [error] = answer.success ? answer.data.errors : [];
  throw new CloudflareError(explain(name, response.status, error?.message ?? "no reason given"), {
    status: response.status,
    code: error?.code ?? null,
  });
}

function explain(name: string, status: number, message: string): string {
  if (status === 401 || status === 403) {
    return (
      `Cloudflare refused the API token (${name}: ${status} ${message}). Check that CLOUDFLARE_API_TOKEN is valid, ` +
      `that it is for the account in CLOUDFLARE_ACCOUNT_ID, and that it has the permission "${permissionFor(name)}".`
    );
  }
  const hint = name === "PUT /workers/subdomain" ? " Choose another name with --subdomain <name>." : "";
  return `Cloudflare answered ${status} to ${name}: ${message}${hint}`;
}

/** Names as on the page where a token is made. */
function permissionFor(name: string): string {
  if (name.includes(" /d1/")) {
    return "Account · D1 · Edit";
  }
  return name.includes(" /queues") ? "Account · Queues · Edit" : "Account · Workers Scripts · Edit";
}

function reason(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message : String(inner);
}
