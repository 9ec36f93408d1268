import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { createApi } from "../src/api/app.ts";
import { secretNames } from "../src/api/destination-input.ts";
import { ERRORS } from "../src/base/errors.ts";
import { CATEGORIES } from "../src/model/catalog.ts";
import { TROUBLES } from "../src/model/delivery.ts";
import { DESTINATION_STATUSES } from "../src/model/destination.ts";
import { PARK_REASONS } from "../src/model/lane.ts";
import { ShardConfig } from "../src/model/shards.ts";
import { SCOPES } from "../src/model/tenant.ts";
import { METRICS } from "../src/observe/metrics.ts";
import { PROVIDERS } from "../src/providers/registry.ts";
import { apiDeps } from "../src/wire.ts";

const pages = named(
  import.meta.glob<string>(
    ["../*.md", "../docs/*.md", "../src/client/README.md", "../test/simulator/README.md"],
    {
      query: "?raw",
      import: "default",
      eager: true,
    },
  ),
);
const sources = named(
  import.meta.glob<string>(["../src/**/*.ts", "../src/**/*.sql"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
);

const README = "README.md";
const OPERATIONS = "docs/operations.md";
const ARCHITECTURE = "docs/architecture.md";

describe("README", () => {
  it("names every provider with its secrets, settings and limits", ({ expect }) => {
    const samples: Record<string, { endpoint: string; secrets: Record<string, string> }> = {
      splunk: { endpoint: "https://hec.example.com:8088", secrets: { token: "t" } },
      datadog: { endpoint: "https://http-intake.logs.datadoghq.eu", secrets: { token: "t" } },
      cloudwatch: {
        endpoint: "https://logs.eu-central-1.amazonaws.com",
        secrets: { access_key_id: "AKIA", secret_access_key: "s" },
      },
      webhook: { endpoint: "https://hooks.example.com/audit", secrets: { secret: "at least eight bytes" } },
      elastic: { endpoint: "https://es.example.com:9200", secrets: { token: "id:key" } },
    };
    const shown = table(README, "Providers").map(([kind, , secrets, config, limit]) => ({
      kind: code(kind),
      secrets: codes(secrets),
      config: codes(config),
      limit,
    }));
    const shared = Object.keys(ShardConfig.shape);
    for (const name of shared) expect(pages[README]).toContain(`\`${name}\` in \`config\``);
    const real = PROVIDERS.map((provider) => {
      const sample = samples[provider.kind];
      const connected = provider.connect({
        destinationId: "siem_1",
        config: {},
        endpoint: "",
        secrets: {},
        ...sample,
      });
      const limits = connected.ok ? connected.value.limits : { events: 0, bytes: 0 };
      return {
        kind: provider.kind,
        secrets: secretNames(provider),
        config: Object.keys(provider.config.shape).filter((name) => !shared.includes(name)),
        limit: `${count(limits.events)} events, ${count(limits.bytes)} bytes`,
      };
    });
    expect(shown).toEqual(real);
  });

  it("names every endpoint with the scope that it needs", async ({ expect }) => {
    const deps = { ...apiDeps(env, "https://relay.example.com"), log: () => undefined };
    const response = await createApi(deps).request("/openapi.json");
    const { paths } = await response.json<{ paths: Record<string, Record<string, Operation>> }>();
    const real = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => [
        `${method.toUpperCase()} ${path}`,
        scopeOf(security),
      ]),
    );
    const shown = table(README, "API at a glance").map(([endpoint, scope = ""]) => [
      code(endpoint),
      plain(scope),
    ]);
    expect(shown.toSorted()).toEqual(real.toSorted());
  });

  it("names every scope", ({ expect }) => {
    expect(firstColumn(README, "Scopes").toSorted()).toEqual([...SCOPES].toSorted());
  });

  it("shows the categories as they are", ({ expect }) => {
    const real = CATEGORIES.map(({ name, actions, index, enabled }) => [
      [name],
      actions,
      [index],
      enabled ? "yes" : "no",
    ]);
    const shown = table(README, "Providers", 1).map(([name, actions, index, forwarded]) => [
      codes(name),
      codes(actions),
      codes(index),
      forwarded,
    ]);
    expect(shown).toEqual(real);
  });

  it("names every variable of the Worker", ({ expect }) => {
    const real = found("src/config.ts", /^ {2}([A-Z_]+): z/gm);
    expect(firstColumn(README, "Settings").toSorted()).toEqual(real);
  });

  it("names every variable of npm start", ({ expect }) => {
    const real = found("src/local/start.ts", /(?:env\["|portFrom\(")([A-Z_]+)"/g);
    const shown = [...firstColumn(README, "Run it"), "SIMULATOR_PORT"];
    expect(shown.toSorted()).toEqual(real);
  });

  it("gives the limits that the code has", ({ expect }) => {
    const event = "src/model/event.ts";
    const bounded = "src/flow/accept/bounded.ts";
    const lane = "src/lane.ts";
    const list = "src/api/pagination.ts";
    const parts = count(constant("src/flow/deliver/taken.ts", "MAX_PER_GENERATION"));
    const receipts = count(constant("src/flow/deliver/ledger.ts", "MAX_RECEIPTS"));
    const days = constant("src/model/lane.ts", "RECEIPT_RETENTION_DAYS");
    const real = {
      "Events in one request": count(constant(event, "MAX_EVENTS_PER_REQUEST")),
      "One request, after decompression": `${count(constant(event, "MAX_REQUEST_BYTES"))} bytes`,
      "One event as sent": `${count(constant(event, "MAX_EVENT_BYTES"))} bytes`,
      "Nesting of one event": `${constant(event, "MAX_EVENT_DEPTH")} levels`,
      "Objects and arrays in one request": `${count(constant(bounded, "MAX_BODY_CONTAINERS"))}, at most ${count(constant(bounded, "MAX_BODY_DEPTH"))} levels deep`,
      "`Idempotency-Key`, `webhook-id`": `${constant("src/flow/accept/signature.ts", "MAX_WEBHOOK_ID_CHARACTERS")} characters`,
      "Clock difference of a signed request": time("src/flow/accept/signature.ts", "SIGNATURE_TOLERANCE"),
      "Undelivered events are tried for": `${constant("src/model/lane.ts", "DELIVERY_WINDOW_HOURS")} hours`,
      "Pause between two attempts, at most": time("src/flow/deliver/backoff.ts", "MAX_DELAY"),
      "One attempt counts as timed out after": time("src/egress/send.ts", "SEND_TIMEOUT_MS"),
      "Requests to one destination at the same time": `${constant("src/flow/deliver/health.ts", "MAX_WINDOW")}`,
      "Repeated requests are recognised for": `${time("src/flow/deliver/taken.ts", "TAKEN_WINDOW")}, or the last ${parts} parts`,
      "Requests read back for that after a restart": count(constant(lane, "REMEMBERED_REQUESTS")),
      "Waiting events of one destination": `${count(constant(lane, "MAX_OUTBOX_BYTES"))} bytes; then the queue keeps them`,
      "Fate of a batch, list of deliveries": `${days} days, or the last ${receipts} requests`,
      "Dead letters of a deleted destination": time("src/api/dead-letters.ts", "READABLE_AFTER_DELETION"),
      "Last flush when a destination is deleted": `${time("src/api/destinations.ts", "LAST_FLUSH")}, or ${constant(lane, "CLOSE_ATTEMPTS")} failed attempts in a row`,
      "Requests that await Splunk's acknowledgement": `${constant("src/flow/acknowledge/pending.ts", "MAX_PENDING")}; then nothing more is sent to it`,
      "A replaced webhook secret still signs for, at most": `${constant("src/api/destination-input.ts", "MAX_ROTATION_SECONDS") / 86_400} days`,
      "Destinations of one tenant": count(constant("src/api/destinations.ts", "MAX_DESTINATIONS")),
      "Public keys of one API key": `${constant("src/api/public-keys.ts", "MAX_PUBLIC_KEYS")}`,
      "Sources of one tenant": count(constant("src/api/sources.ts", "MAX_SOURCES")),
      "A replaced secret of a source is still taken for, at most": `${constant("src/api/source-rotate.ts", "MAX_OVERLAP_SECONDS") / 86_400} days`,
      "Routes of one destination": found(
        "src/model/destination.ts",
        /z\.array\(Route\)\.max\((\d+)\)/g,
      ).join(),
      // Ten seconds in each isolate, and five for the deletion to get there: the promise of `DELETE /v1/keys/{id}`.
      "A revoked key stops everywhere within": `${constant("src/access/keyring.ts", "HIT_TTL") / 1_000 + 5} seconds`,
      "Body of any other request": `${count(constant("src/api/body.ts", "MAX_BODY_BYTES"))} bytes`,
      "Entries in one page of a list": `${constant(list, "MAX_LIMIT")}, and ${constant(list, "DEFAULT_LIMIT")} unless asked`,
    };
    expect(Object.fromEntries(table(README, "Limits"))).toEqual(real);
  });
});

describe("operations", () => {
  it("names every metric with its type", ({ expect }) => {
    const real = Object.values(METRICS).map(({ name, kind }) => [name, kind]);
    const shown = table(OPERATIONS, "Metrics").map(([name, kind]) => [code(name), kind]);
    expect(shown.toSorted()).toEqual(real.toSorted());
  });

  it("names every log line, and no other", ({ expect }) => {
    const call =
      /(?:\blog|complain)\(\s*(?:[^"()]*\?[^"()]*(?:"\w+"[^"()]*)*,\s*)?(?:"(?:debug|info|warn|error)",\s*)?"([a-z_-]+\.[a-z_]+)"/g;
    const worker = Object.keys(sources).filter((name) => !/^src\/(?:local|deploy)\//.test(name));
    const real = new Set(worker.flatMap((name) => found(name, call)));
    expect(firstColumn(OPERATIONS, "Log lines").toSorted()).toEqual([...real].toSorted());
  });

  it("explains every status", ({ expect }) => {
    expect(firstColumn(OPERATIONS, "Statuses")).toEqual([...DESTINATION_STATUSES]);
  });

  it("explains every reason of a status", ({ expect }) => {
    expect(firstColumn(OPERATIONS, "Reason codes")).toEqual([...TROUBLES]);
  });

  it("explains every reason for which an event is set aside", ({ expect }) => {
    expect(firstColumn(OPERATIONS, "Dead letters")).toEqual([...PARK_REASONS]);
  });

  it("explains every error code, with its status", ({ expect }) => {
    const real = Object.entries(ERRORS).map(([name, { status }]) => [name, String(status)]);
    expect(table(OPERATIONS, "Error codes").map(([name, status]) => [code(name), status])).toEqual(real);
  });
});

describe("architecture", () => {
  it("names every table of a lane and of the database", ({ expect }) => {
    const created = /CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g;
    expect(firstColumn(ARCHITECTURE, "What it stores").toSorted()).toEqual(
      found("src/flow/deliver/schema.ts", created),
    );
    const migrations = Object.keys(sources).filter((name) => name.endsWith(".sql"));
    expect(firstColumn(ARCHITECTURE, "D1").toSorted()).toEqual(
      migrations.flatMap((name) => found(name, created)).toSorted(),
    );
  });

  it("explains every outcome", ({ expect }) => {
    const real = found("src/model/delivery.ts", /readonly kind: "(\w+)"/g);
    expect(firstColumn(ARCHITECTURE, "Filling and sending a request").toSorted()).toEqual(real);
  });

  it("gives the numbers that the code has", ({ expect }) => {
    const page = pages[ARCHITECTURE] ?? "";
    const chunk = "src/flow/deliver/chunk.ts";
    const backoff = "src/flow/deliver/backoff.ts";
    const wake = "src/flow/deliver/wake.ts";
    const claims = [
      `up to ${count(constant(chunk, "CHUNK_EVENTS"))} events or ${count(constant(chunk, "CHUNK_BYTES"))} bytes`,
      `up to ${count(constant("src/flow/queue/produce.ts", "TARGET_MESSAGE_BYTES"))} bytes`,
      `parts of at most ${count(constant("src/model/lines.ts", "FRAME_BYTES"))} bytes`,
      `frames of at most ${count(constant("src/model/lines.ts", "FRAME_BYTES"))} bytes`,
      `from ${count(constant("src/model/lines.ts", "WORTH_COMPRESSING_BYTES"))} bytes on`,
      `at most ${count(constant("src/flow/queue/commit.ts", "GROUP_BYTES"))} bytes of others`,
      `Batches above ${count(constant("src/flow/queue/commit.ts", "SMALL_BYTES"))} packed bytes`,
      `send by themselves after ${constant("src/flow/queue/commit.ts", "PATIENCE") / 1_000} seconds`,
      `| ${time(backoff, "RETRY_BASE")} `,
      `| ${time(backoff, "HOLD_BASE")} `,
      `| ${time(backoff, "MAX_DELAY")}, also`,
      `at most ${constant("src/flow/deliver/health.ts", "PROBE_EVENTS")} events; a webhook's of one chunk`,
      `${time(wake, "BACKLOG_LOOK")} from now`,
      `${time(wake, "SAFETY_NET")} from now`,
      `${time(wake, "HOUSEKEEPING")} from now`,
      `Expiry turns ${constant("src/lane.ts", "EXPIRED_ROWS_PER_WAKE")} rows`,
      `${count(constant("src/lane.ts", "REMEMBERED_REQUESTS"))} requests of the last`,
      `${count(constant("src/flow/deliver/taken.ts", "MAX_PER_GENERATION"))} parts each`,
      `at least ${count(constant("src/flow/deliver/drain.ts", "MIN_LEARNED_BYTES"))} bytes`,
      `still read for ${constant("src/store/destinations.ts", "STILL_OWED_DAYS")} days`,
      `up to ${count(constant("src/flow/route/match.ts", "MAX_REMEMBERED_ACTIONS"))} of them`,
      `the ${constant("src/pipeline.ts", "STRANDED_PER_RUN")} longest untried every five minutes`,
      `believed for ${time("src/access/keyring.ts", "HIT_TTL")}`,
      `${time("src/flow/acknowledge/pending.ts", "FIRST_POLL")} after sending`,
      `With ${constant("src/flow/acknowledge/pending.ts", "MAX_PENDING")} requests pending nothing more is sent`,
      `after ${constant("src/lane.ts", "CLOSE_ATTEMPTS")} failed attempts in a row`,
      `| It takes no more`,
    ];
    expect(claims.filter((claim) => !page.replaceAll("\n", " ").includes(claim))).toEqual([]);
  });
});

it("every link between the pages leads somewhere", ({ expect }) => {
  const broken = Object.entries(pages).flatMap(([page, text]) =>
    [...text.matchAll(/\]\(([^)\s]+\.md)?(#[^)\s]+)?\)/g)].flatMap(([, path, anchor]) => {
      const target = path === undefined ? page : resolved(page, path);
      // Measured and written after everything else; checked like any other page once it is there.
      if (target === "docs/reliability.md" && !Object.hasOwn(pages, target)) return [];
      const headings = headingsOf(pages[target] ?? null);
      return headings !== null && (anchor === undefined || headings.has(anchor))
        ? []
        : [`${page}: ${target}${anchor ?? ""}`];
    }),
  );
  expect(broken).toEqual([]);
});

interface Operation {
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

/** As the README says it: the scope, `operator`, `session`, `source` (its secret), or `none`. */
function scopeOf(security: Operation["security"]): string {
  const [first] = security ?? [];
  if (first === undefined) return "none";
  const [[scheme = "", scopes = []] = []] = Object.entries(first);
  if (scheme === "session" || scheme === "operator") return scheme;
  return scheme === "sourceSecret" ? "source" : scopes.join();
}

function named(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [path.replace("../", "").replace("./", "test/"), text]),
  );
}

/** The rows of a table below a heading, as cells; the first table unless it says otherwise. */
function table(page: string, heading: string, which = 0): string[][] {
  const [, after = ""] = (pages[page] ?? "").split(new RegExp(`^#+ ${heading}$`, "m"));
  const [section = ""] = after.split(/^#/m);
  const tables = section.match(/(?:^\|.*\n)+/gm) ?? [];
  const lines = (tables[which] ?? "").trimEnd().split("\n").slice(2);
  if (lines.length === 0) throw new Error(`${page} has no table under "${heading}"`);
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function firstColumn(page: string, heading: string): string[] {
  return table(page, heading).map(([cell]) => code(cell));
}

function codes(cell = ""): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
}

function code(cell = ""): string {
  return codes(cell).join();
}

function plain(cell: string): string {
  return cell.replaceAll("`", "");
}

/** What a pattern finds in a source, each once, in order of the alphabet. */
function found(name: string, pattern: RegExp): string[] {
  return [...new Set([...(sources[name] ?? "").matchAll(pattern)].map(([, text = ""]) => text))].toSorted();
}

const UNITS: Record<string, number> = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

/** The value of a constant as it is written in a source; times in milliseconds. */
function constant(file: string, name: string): number {
  const { unit, digits } = written(file, name);
  return Number(digits.replaceAll("_", "")) * (unit === undefined ? 1 : (UNITS[unit] ?? Number.NaN));
}

/** A time as people write it, in the unit of the source. */
function time(file: string, name: string): string {
  const { unit, digits } = written(file, name);
  return unit === undefined
    ? `${constant(file, name) / 1_000} seconds`
    : `${digits} ${digits === "1" ? unit.slice(0, -1) : unit}`;
}

function written(file: string, name: string): { unit: string | undefined; digits: string } {
  const pattern = new RegExp(`const ${name}(?:: \\w+)? = (?:(seconds|minutes|hours|days)\\()?([\\d_]+)\\)?;`);
  const [, unit, digits] = pattern.exec(sources[file] ?? "") ?? [];
  if (digits === undefined) throw new Error(`${file} has no constant ${name}`);
  return { unit, digits };
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

function resolved(page: string, path: string): string {
  return new URL(path, `file:///${page}`).pathname.slice(1);
}

/** Anchors as GitHub makes them. */
function headingsOf(text: string | null): Set<string> | null {
  if (text === null) return null;
  const titles = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title);
  return new Set(
    titles.map(
      (title) =>
        `#${title
          .toLowerCase()
          .replace(/[^\w\s-]/g, "")
          .replaceAll(" ", "-")}`,
    ),
  );
}
