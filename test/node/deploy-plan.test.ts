import { describe, it } from "vitest";
import type { Wanted } from "../../src/deploy/config.ts";
import { type Choices, plan, type State, sentence } from "../../src/deploy/plan.ts";

function wanted(over: Partial<Wanted> = {}): Wanted {
  return {
    region: "eu",
    worker: "sluice-eu",
    jurisdiction: "eu",
    locationHint: null,
    database: { name: "sluice-eu", migrations: ["0001_init.sql", "0002_more.sql"] },
    queues: ["dead-eu", "events-eu"],
    secrets: ["ADMIN_TOKEN", "ROOT_KEY"],
    workersDev: true,
    customDomains: [],
    ...over,
  };
}

const NOTHING: State = {
  database: null,
  queues: [],
  workerSecrets: null,
  workersDevSubdomain: null,
  secretsInHand: [],
};

const RUNNING: State = {
  database: { id: "d", jurisdiction: "eu", applied: ["0001_init.sql", "0002_more.sql"] },
  queues: [
    { name: "dead-eu", jurisdiction: "eu" },
    { name: "events-eu", jurisdiction: "eu" },
  ],
  workerSecrets: ["ADMIN_TOKEN", "ROOT_KEY"],
  workersDevSubdomain: "acme",
  secretsInHand: [],
};

const CHOICES: Choices = {
  newRootKey: false,
  subdomain: "sluice-1",
  readyUrl: null,
  wait: true,
  rootKeyGiven: false,
};

function steps(state: State, { over, choices }: { over?: Partial<Wanted>; choices?: Partial<Choices> } = {}) {
  const decided = plan(wanted(over), state, { ...CHOICES, ...choices });
  return decided.possible ? decided.steps : [];
}

function reasons(
  state: State,
  { over, choices }: { over?: Partial<Wanted>; choices?: Partial<Choices> } = {},
) {
  const decided = plan(wanted(over), state, { ...CHOICES, ...choices });
  return decided.possible ? [] : decided.reasons;
}

describe("the order of the steps", () => {
  it("is secrets, what the Worker binds to, schema, Worker, waiting", ({ expect }) => {
    expect(steps(NOTHING).map(({ kind }) => kind)).toEqual([
      "choose-secrets",
      "create-database",
      "create-queue",
      "create-queue",
      "register-subdomain",
      "apply-migrations",
      "deploy",
      "wait-until-ready",
    ]);
  });

  it("creates the dead-letter queue before the queue that names it", ({ expect }) => {
    const names = steps(NOTHING).flatMap((step) => (step.kind === "create-queue" ? [step.name] : []));
    expect(names).toEqual(["dead-eu", "events-eu"]);
  });
});

describe("what exists", () => {
  it("is not created again, and its secrets are not sent again", ({ expect }) => {
    expect(steps(RUNNING)).toEqual([
      { kind: "deploy", secrets: [] },
      { kind: "wait-until-ready", url: "https://sluice-eu.acme.workers.dev/readyz" },
    ]);
  });

  it("gets only the migrations that it lacks", ({ expect }) => {
    const state = { ...RUNNING, database: { id: "d", jurisdiction: "eu", applied: ["0001_init.sql"] } };
    expect(steps(state)[0]).toEqual({ kind: "apply-migrations", names: ["0002_more.sql"] });
  });

  it("gets only the secret that it lacks", ({ expect }) => {
    const state = { ...RUNNING, workerSecrets: ["ROOT_KEY"] };
    expect(steps(state).slice(0, 2)).toEqual([
      { kind: "choose-secrets", names: ["ADMIN_TOKEN"] },
      { kind: "deploy", secrets: ["ADMIN_TOKEN"] },
    ]);
  });

  it("is refused in the wrong jurisdiction, because that can never be changed", ({ expect }) => {
    const queues = [{ name: "events-eu", jurisdiction: null }];
    expect(reasons({ ...NOTHING, queues })).toEqual([expect.stringContaining("queue events-eu")]);
    const database = { id: "d", jurisdiction: "us", applied: [] };
    expect(reasons({ ...NOTHING, database })).toEqual([expect.stringContaining("jurisdiction us")]);
    expect(reasons(RUNNING, { over: { jurisdiction: null } })).toHaveLength(3);
  });

  it("is accepted when Cloudflare does not say where it is", ({ expect }) => {
    const queues = [{ name: "events-eu", jurisdiction: undefined }];
    expect(reasons({ ...NOTHING, queues })).toEqual([]);
  });
});

describe("the root key", () => {
  const orphaned: State = { ...RUNNING, workerSecrets: null };

  it("is not made anew for a database in use", ({ expect }) => {
    expect(reasons(orphaned)).toEqual([expect.stringContaining("--root-key")]);
  });

  it("is made anew when the operator says so, or comes from a backup or an unfinished run", ({ expect }) => {
    expect(reasons(orphaned, { choices: { newRootKey: true } })).toEqual([]);
    expect(reasons({ ...orphaned, secretsInHand: ["ROOT_KEY"] })).toEqual([]);
  });

  it("is never replaced", ({ expect }) => {
    const state = { ...RUNNING, secretsInHand: ["ROOT_KEY"] };
    expect(reasons(state, { choices: { rootKeyGiven: true } })).toEqual([
      expect.stringContaining("already has"),
    ]);
    expect(steps(state)[0]).toEqual({ kind: "deploy", secrets: [] });
  });

  it("chosen by an unfinished run is used, and not chosen again", ({ expect }) => {
    const kinds = steps({ ...NOTHING, secretsInHand: ["ADMIN_TOKEN", "ROOT_KEY"] }).map(({ kind }) => kind);
    expect(kinds).not.toContain("choose-secrets");
  });
});

describe("the public address", () => {
  it("is the custom domain where there is one", ({ expect }) => {
    const last = steps(RUNNING, { over: { customDomains: ["audit.example.com"] } }).at(-1);
    expect(last).toEqual({ kind: "wait-until-ready", url: "https://audit.example.com/readyz" });
  });

  it("needs no workers.dev name where workers.dev is off", ({ expect }) => {
    const kinds = steps(NOTHING, { over: { workersDev: false } }).map(({ kind }) => kind);
    expect(kinds).not.toContain("register-subdomain");
    expect(kinds).not.toContain("wait-until-ready");
  });
});

describe("a step as a sentence", () => {
  it("says where a thing will be, and whether that is a promise", ({ expect }) => {
    const step = { kind: "create-database", name: "sluice-x" } as const;
    expect(sentence(step, wanted())).toBe("Create the D1 database sluice-x in the jurisdiction eu.");
    expect(sentence(step, wanted({ jurisdiction: null, locationHint: "apac" }))).toBe(
      "Create the D1 database sluice-x, near apac if Cloudflare can.",
    );
  });
});
