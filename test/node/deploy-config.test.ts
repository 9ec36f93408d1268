/** `wrangler.toml` repeats itself for each region because it must; this is what keeps the copies equal. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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

const Queues = z.object({
  producers: z.array(z.looseObject({ binding: z.string(), queue: z.string() })),
  consumers: z.array(z.looseObject({ queue: z.string(), dead_letter_queue: z.string().optional() })),
});
type Queues = z.infer<typeof Queues>;

/** A region may have more queues than others (docs/scale.md), so only the one that all have is compared. */
function withoutFurther({ producers, consumers }: Queues): Queues {
  const further = producers.filter(({ binding }) => binding !== "EVENTS").map(({ queue }) => queue);
  const dead = consumers.flatMap(({ queue, dead_letter_queue }) =>
    further.includes(queue) && dead_letter_queue !== undefined ? [dead_letter_queue] : [],
  );
  return {
    producers: producers.filter(({ queue }) => !further.includes(queue)),
    consumers: consumers.filter(({ queue }) => ![...further, ...dead].includes(queue)),
  };
}

/** What a section's queues lack of what keeps events from being stuck or lost. */
function queueFaults({ producers, consumers }: Queues): string[] {
  const consumed = new Map(consumers.map((consumer) => [consumer.queue, consumer]));
  return producers.flatMap(({ binding, queue }) => {
    const faults = /^EVENTS(_[2-8])?$/.test(binding)
      ? []
      : [`${binding} is no name that the relay looks for`];
    const dead = consumed.get(queue)?.dead_letter_queue;
    if (!consumed.has(queue)) faults.push(`nobody consumes ${queue}`);
    else if (dead === undefined) faults.push(`${queue} drops what it cannot hand over`);
    else if (!dead.includes("-dead")) faults.push(`${dead} is not known as a dead-letter queue`);
    else if (!consumed.has(dead)) faults.push(`nobody consumes ${dead}`);
    if (queue.includes("-dead")) faults.push(`${queue} is taken for a dead-letter queue`);
    for (const name of [queue, dead ?? queue]) {
      if (consumed.has(name) && consumed.get(name)?.["max_retries"] !== 100)
        faults.push(`${name} gives up early`);
    }
    return faults;
  });
}

/** A section with everything that may differ between regions replaced by what it stands for. */
function shape(section: Section, region: string): Section {
  const { vars, secrets: _secrets, env: _environments, queues, ...others } = repeated(section);
  const bindings = { ...others, queues: withoutFurther(Queues.parse(queues)) };
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
      observability: { enabled: true, logs: { enabled: true, invocation_logs: false } },
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

  it.for(["", ...REGIONS])(
    "%s hands every queue's events over, and keeps what it cannot",
    (region, { expect }) => {
      const { queues } = region === "" ? file.raw : section(region);
      expect(queueFaults(Queues.parse(queues))).toEqual([]);
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

describe("a region with more queues than one", () => {
  const text = (lines: string): string => `
[env.eu]
name = "sluice-eu"
vars = { REGION = "eu", LANE_JURISDICTION = "eu", LANE_LOCATION_HINT = "" }
secrets = { required = ["ADMIN_TOKEN", "ROOT_KEY"] }
d1_databases = [{ binding = "DB", database_name = "d", database_id = "0", migrations_dir = "." }]
[env.eu.queues]
${lines}
`;
  const two = text(`producers = [
  { binding = "EVENTS", queue = "sluice-events-eu" },
  { binding = "EVENTS_2", queue = "sluice-events-2-eu" },
]
consumers = [
  { queue = "sluice-events-eu", max_retries = 100, dead_letter_queue = "sluice-events-dead-eu" },
  { queue = "sluice-events-dead-eu", max_retries = 100 },
  { queue = "sluice-events-2-eu", max_retries = 100, dead_letter_queue = "sluice-events-2-dead-eu" },
  { queue = "sluice-events-2-dead-eu", max_retries = 100 },
]`);
  const read = async (toml: string) => {
    const directory = await mkdtemp(join(tmpdir(), "sluice-config-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, "wrangler.toml"), toml);
    return readConfig(join(directory, "wrangler.toml"));
  };
  const queuesIn = async (toml: string): Promise<Queues> =>
    Queues.parse(Section.parse(Section.parse((await read(toml)).raw["env"])["eu"])["queues"]);

  it("gets all of them, the dead-letter queues first", async ({ expect }) => {
    const { queues } = await wantedFor(await read(two), "eu");
    expect(queues).toEqual([
      "sluice-events-dead-eu",
      "sluice-events-2-dead-eu",
      "sluice-events-eu",
      "sluice-events-2-eu",
    ]);
  });

  it("is compared by the queue that all regions have", async ({ expect }) => {
    expect(withoutFurther(await queuesIn(two))).toMatchObject({
      producers: [{ binding: "EVENTS" }],
      consumers: [{ queue: "sluice-events-eu" }, { queue: "sluice-events-dead-eu" }],
    });
  });

  it("is told what is missing", async ({ expect }) => {
    const without = (line: RegExp): string => two.replace(line, "");
    expect(queueFaults(await queuesIn(two))).toEqual([]);
    const told = async (toml: string) => queueFaults(await queuesIn(toml));
    expect(await told(without(/.*queue = "sluice-events-2-eu", max.*\n/))).toEqual([
      "nobody consumes sluice-events-2-eu",
    ]);
    expect(await told(without(/.*queue = "sluice-events-2-dead-eu", max.*\n/))).toEqual([
      "nobody consumes sluice-events-2-dead-eu",
    ]);
    expect(await told(without(/, dead_letter_queue = "sluice-events-2-dead-eu"/))).toEqual([
      "sluice-events-2-eu drops what it cannot hand over",
    ]);
    expect(await told(two.replace("EVENTS_2", "EVENTS_TWO"))).toEqual([
      "EVENTS_TWO is no name that the relay looks for",
    ]);
    expect(await told(two.replace('2-eu", max_retries = 100', '2-eu", max_retries = 3'))).toEqual([
      "sluice-events-2-eu gives up early",
    ]);
  });
});
