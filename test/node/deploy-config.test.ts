/** `wrangler.toml` repeats itself for each region because it must; this is what keeps the copies equal. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, it, onTestFinished } from "vitest";
import { z } from "zod";
import { REGIONS, readConfig, wantedFor, writeResolved } from "../../src/deploy/config.ts";

const file = readConfig(resolve("wrangler.toml"));

type Section = Readonly<Record<string, unknown>>;
const Section = z.record(z.string(), z.unknown());

/**
 * What an environment takes over from the top level unless it says otherwise; anything else must be repeated.
 * @see https://developers.cloudflare.com/workers/wrangler/configuration/#inheritable-keys (read 2026-11)
 */
const INHERITED = new Set([
  ...["name", "main", "compatibility_date", "compatibility_flags", "migrations", "triggers", "observability"],
  ...[
    "assets",
    "rules",
    "limits",
    "placement",
    "workers_dev",
    "preview_urls",
    "minify",
    "upload_source_maps",
  ],
]);

function repeated(section: Section): Section {
  return Object.fromEntries(Object.entries(section).filter(([key]) => !INHERITED.has(key)));
}

/** A section with everything that may differ between regions replaced by what it stands for. */
function shape(section: Section, region: string): Section {
  const { vars, secrets: _secrets, env: _environments, ...bindings } = repeated(section);
  const text = JSON.stringify(bindings).replaceAll(`-${region}"`, '"');
  return { ...Section.parse(JSON.parse(text)), vars: Object.keys(Section.parse(vars)).sort() };
}

function section(region: string): Section {
  return Section.parse(Section.parse(file.raw["env"])[region]);
}

describe("each region", () => {
  it.for(REGIONS)("%s repeats what it cannot inherit from the local default", (region, { expect }) => {
    expect(shape(section(region), region)).toEqual(shape(file.raw, "local"));
  });

  it("inherits what makes a deployment safe", ({ expect }) => {
    expect(file.raw).toMatchObject({
      compatibility_flags: expect.arrayContaining(["global_fetch_strictly_public"]),
      migrations: expect.any(Array),
      triggers: { crons: [expect.any(String)] },
      observability: { enabled: true },
    });
  });

  it.for(REGIONS)(
    "%s says who it is, takes no insecure destination and cannot start without secrets",
    (region, { expect }) => {
      expect(section(region)).toMatchObject({
        name: `sluice-${region}`,
        vars: { REGION: region, ALLOW_INSECURE_DESTINATIONS: "false" },
        secrets: { required: ["ADMIN_TOKEN", "ROOT_KEY"] },
      });
    },
  );

  it.for(REGIONS)(
    "%s never gives a message up early, and has somewhere to put it when it must",
    (region, { expect }) => {
      expect(section(region)["queues"]).toMatchObject({
        consumers: [
          {
            queue: `sluice-events-${region}`,
            max_retries: 100,
            dead_letter_queue: `sluice-events-dead-${region}`,
          },
          { queue: `sluice-events-dead-${region}`, max_retries: 100 },
        ],
      });
    },
  );

  it("is in a place: a jurisdiction where Cloudflare has one, a hint elsewhere", async ({ expect }) => {
    const places = await Promise.all(REGIONS.map((region) => wantedFor(file, region)));
    expect(places).toMatchObject([
      { region: "us", jurisdiction: "us", locationHint: null },
      { region: "eu", jurisdiction: "eu", locationHint: null },
      { region: "apac", jurisdiction: null, locationHint: "apac" },
    ]);
  });
});

const Written = z.object({
  main: z.string(),
  env: z.strictObject({
    eu: z.object({
      d1_databases: z.array(z.object({ database_id: z.string(), migrations_dir: z.string() })),
    }),
  }),
});

describe("the configuration that wrangler is run with", () => {
  it("has the database's id, and paths that still lead to the same files", async ({ expect }) => {
    const directory = await mkdtemp(join(tmpdir(), "sluice-config-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const before = await readFile(file.path, "utf8");
    const target = join(directory, "deep", "eu.json");
    await writeResolved(file, { region: "eu", databaseId: "the-id", target });
    const written = Written.parse(JSON.parse(await readFile(target, "utf8")));
    const [database] = written.env.eu.d1_databases;
    expect(database?.database_id).toBe("the-id");
    expect(resolve(dirname(target), database?.migrations_dir ?? "")).toBe(resolve("src/store/migrations"));
    expect(resolve(dirname(target), written.main)).toBe(resolve("src/index.ts"));
    expect(await readFile(file.path, "utf8")).toBe(before);
  });
});
