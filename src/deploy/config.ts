/**
 * `wrangler.toml` read twice: as what a region should consist of, and as the configuration that wrangler is run
 * with once the database has an id. The file itself is never edited, so that it stays the one source of truth.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { experimental_readRawConfig } from "wrangler";
import { z } from "zod";

export const REGIONS = ["us", "eu", "apac"] as const;
export type Region = (typeof REGIONS)[number];

/** Loose: wrangler checks the whole file; we name only what we act on. */
const Environment = z.looseObject({
  name: z.string(),
  workers_dev: z.boolean().default(true),
  routes: z.array(z.looseObject({ pattern: z.string(), custom_domain: z.boolean().optional() })).default([]),
  vars: z.looseObject({ REGION: z.string(), LANE_JURISDICTION: z.string(), LANE_LOCATION_HINT: z.string() }),
  secrets: z.object({ required: z.array(z.string()) }),
  d1_databases: z
    .array(
      z.looseObject({
        binding: z.string(),
        database_name: z.string(),
        database_id: z.string(),
        migrations_dir: z.string(),
      }),
    )
    .length(1),
  queues: z.object({
    producers: z.array(z.looseObject({ queue: z.string() })),
    consumers: z.array(z.looseObject({ queue: z.string(), dead_letter_queue: z.string().optional() })),
  }),
});
type Environment = z.infer<typeof Environment>;

/** A configuration file as wrangler parsed it; its paths are relative to `path`. */
export interface ConfigFile {
  readonly path: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** What a region consists of, from its section of `wrangler.toml`. */
export interface Wanted {
  readonly region: Region;
  readonly worker: string;
  /** A guarantee of place, or null where there is none to be had. */
  readonly jurisdiction: string | null;
  /** A wish; Cloudflare ignores it where there is a jurisdiction. */
  readonly locationHint: string | null;
  readonly database: { readonly name: string; readonly migrations: readonly string[] };
  /** Dead-letter queues first, so that no queue ever names one that does not exist. */
  readonly queues: readonly string[];
  readonly secrets: readonly string[];
  readonly workersDev: boolean;
  readonly customDomains: readonly string[];
}

export function readConfig(path: string): ConfigFile {
  const { rawConfig } = experimental_readRawConfig({ config: path });
  return { path, raw: z.record(z.string(), z.unknown()).parse(rawConfig) };
}

export async function wantedFor(file: ConfigFile, region: Region): Promise<Wanted> {
  const environment = environmentOf(file, region);
  const [database] = environment.d1_databases;
  const { consumers, producers } = environment.queues;
  const dead = consumers.flatMap(({ dead_letter_queue }) => dead_letter_queue ?? []);
  const others = [...producers, ...consumers].map(({ queue }) => queue);
  return {
    region,
    worker: environment.name,
    jurisdiction: environment.vars.LANE_JURISDICTION || null,
    locationHint: environment.vars.LANE_LOCATION_HINT || null,
    database: {
      name: database?.database_name ?? "",
      migrations: await migrationsIn(resolve(dirname(file.path), database?.migrations_dir ?? "")),
    },
    queues: [...new Set([...dead, ...others])],
    secrets: environment.secrets.required,
    workersDev: environment.workers_dev,
    customDomains: environment.routes.flatMap((route) => (route.custom_domain ? [route.pattern] : [])),
  };
}

/**
 * Writes the region's configuration with the database's id in place of the zeros.
 *
 * @returns nothing; the file at `target` holds the whole top level and the one environment, its paths rewritten
 * because wrangler reads them relative to the file that names them
 */
export async function writeResolved(
  file: ConfigFile,
  {
    region,
    databaseId,
    target,
  }: { readonly region: Region; readonly databaseId: string; readonly target: string },
): Promise<void> {
  const environment = environmentOf(file, region);
  const databases = environment.d1_databases.map((database) => ({ ...database, database_id: databaseId }));
  const { env: _others, $schema: _schema, ...top } = file.raw;
  const resolved = {
    ...top,
    env: { [region]: { ...sectionOf(file, region), d1_databases: databases } },
  };
  const from = dirname(file.path);
  const moved = movePaths(resolved, (path) => relative(dirname(target), resolve(from, path)));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, `${JSON.stringify(moved, null, 2)}\n`);
}

/** Every setting of ours that wrangler reads as a path. `directory` is that of static assets. */
const PATH_SETTINGS = new Set(["main", "migrations_dir", "directory", "tsconfig", "base_dir"]);

function movePaths(value: unknown, move: (path: string) => string): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => movePaths(item, move));
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      PATH_SETTINGS.has(name) && typeof inner === "string"
        ? [name, move(inner)]
        : [name, movePaths(inner, move)],
    ),
  );
}

function sectionOf(file: ConfigFile, region: Region): Readonly<Record<string, unknown>> {
  const environments = z.record(z.string(), z.record(z.string(), z.unknown())).parse(file.raw["env"] ?? {});
  const section = environments[region];
  if (section === undefined) {
    throw new Error(`${file.path} has no section [env.${region}]`);
  }
  return section;
}

function environmentOf(file: ConfigFile, region: Region): Environment {
  const parsed = Environment.safeParse(sectionOf(file, region));
  if (!parsed.success) {
    throw new Error(`[env.${region}] in ${file.path} is not complete:\n${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

/** In the order in which wrangler applies them: by name. */
async function migrationsIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith(".sql")).sort();
}
