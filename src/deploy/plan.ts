/**
 * What is there and what should be there → the steps between, in order, each with a sentence. Pure.
 *
 * The order is the promise: everything that a Worker binds to exists before the Worker does; the schema is
 * there before the code that reads it; the secrets go up in the same call as the code, so that no request ever
 * meets a Worker without them. Each step leaves the account in a state from which a rerun can go on, and
 * nothing here deletes or replaces anything.
 */
import type { Wanted } from "./config.ts";

/** What the account holds now, of what this region wants. */
export interface State {
  readonly database: ExistingDatabase | null;
  readonly queues: readonly { readonly name: string; readonly jurisdiction: Reported }[];
  /** Names of the Worker's secrets, or null when there is no Worker. */
  readonly workerSecrets: readonly string[] | null;
  readonly workersDevSubdomain: string | null;
  /** Secrets on this machine that an earlier, unfinished run or the operator has already chosen. */
  readonly secretsInHand: readonly string[];
}

export interface ExistingDatabase {
  readonly id: string;
  readonly jurisdiction: Reported;
  readonly applied: readonly string[];
}

/** undefined: Cloudflare did not say. Nothing is concluded from that. */
export type Reported = string | null | undefined;

export interface Choices {
  /** The operator accepts that what the old root key sealed stays sealed. */
  readonly newRootKey: boolean;
  /** The workers.dev name to register if the account has none. */
  readonly subdomain: string;
  /** Asked for instead of the Worker's own address. */
  readonly readyUrl: string | null;
  readonly wait: boolean;
  /** The operator brought a root key along. */
  readonly rootKeyGiven: boolean;
}

export type Step =
  | { readonly kind: "choose-secrets"; readonly names: readonly string[] }
  | { readonly kind: "create-database"; readonly name: string }
  | { readonly kind: "create-queue"; readonly name: string }
  | { readonly kind: "register-subdomain"; readonly subdomain: string }
  | { readonly kind: "apply-migrations"; readonly names: readonly string[] }
  | { readonly kind: "deploy"; readonly secrets: readonly string[] }
  | { readonly kind: "wait-until-ready"; readonly url: string };

export type Plan =
  | { readonly possible: true; readonly steps: readonly Step[] }
  | { readonly possible: false; readonly reasons: readonly string[] };

export function plan(wanted: Wanted, state: State, choices: Choices): Plan {
  const reasons = [
    ...misplaced(wanted, state),
    ...wouldLoseRootKey(wanted, state, choices),
    ...wouldReplace(wanted, state, choices),
  ];
  if (reasons.length > 0) {
    return { possible: false, reasons };
  }
  const missing = wanted.secrets.filter((name) => !(state.workerSecrets ?? []).includes(name));
  const unchosen = missing.filter((name) => !state.secretsInHand.includes(name));
  const applied = state.database?.applied ?? [];
  const pending = wanted.database.migrations.filter((name) => !applied.includes(name));
  const existing = state.queues.map(({ name }) => name);
  const subdomain = state.workersDevSubdomain ?? choices.subdomain;

  const steps: Step[] = [];
  if (unchosen.length > 0) {
    steps.push({ kind: "choose-secrets", names: unchosen });
  }
  if (state.database === null) {
    steps.push({ kind: "create-database", name: wanted.database.name });
  }
  for (const name of wanted.queues.filter((queue) => !existing.includes(queue))) {
    steps.push({ kind: "create-queue", name });
  }
  if (wanted.workersDev && state.workersDevSubdomain === null) {
    steps.push({ kind: "register-subdomain", subdomain });
  }
  if (pending.length > 0) {
    steps.push({ kind: "apply-migrations", names: pending });
  }
  steps.push({ kind: "deploy", secrets: missing });
  const url = choices.readyUrl ?? publicUrl(wanted, subdomain);
  if (choices.wait && url !== null) {
    steps.push({ kind: "wait-until-ready", url });
  }
  return { possible: true, steps };
}

/** A jurisdiction is given at creation and never again, so a resource in the wrong place must not be adopted. */
function misplaced({ jurisdiction, database }: Wanted, state: State): string[] {
  const resources = [
    ...state.queues.map((queue) => ({ what: `queue ${queue.name}`, reported: queue.jurisdiction })),
    ...(state.database === null
      ? []
      : [{ what: `database ${database.name}`, reported: state.database.jurisdiction }]),
  ];
  return resources
    .filter(({ reported }) => reported !== undefined && (reported || null) !== jurisdiction)
    .map(
      ({ what, reported }) =>
        `The ${what} exists with the jurisdiction ${reported || "none"}, and ${jurisdiction ?? "none"} is wanted. ` +
        "A jurisdiction cannot be changed: move what it holds, delete it, and run this again.",
    );
}

/**
 * A database that already has a schema may hold credentials sealed under a root key that only the Worker knew.
 * A fresh key would make them unreadable for good, so that has to be said aloud.
 */
function wouldLoseRootKey(wanted: Wanted, state: State, { newRootKey }: Choices): string[] {
  const has = (state.workerSecrets ?? []).includes("ROOT_KEY") || state.secretsInHand.includes("ROOT_KEY");
  const inUse = state.database !== null && state.database.applied.length > 0;
  if (!wanted.secrets.includes("ROOT_KEY") || has || !inUse || newRootKey) {
    return [];
  }
  return [
    `The database ${wanted.database.name} is in use, but the Worker ${wanted.worker} has no ROOT_KEY, and what was ` +
      "sealed under the old one cannot be opened without it. Give the backup with --root-key <file>, or say " +
      "--new-root-key if nothing was sealed yet (a first deployment that stopped halfway on another machine).",
  ];
}

/** A root key is asked for by name, so it must not be passed over in silence, and it must not replace another. */
function wouldReplace({ worker }: Wanted, state: State, { rootKeyGiven }: Choices): string[] {
  return rootKeyGiven && (state.workerSecrets ?? []).includes("ROOT_KEY")
    ? [
        `${worker} already has a ROOT_KEY, and replacing it would leave everything sealed under it unreadable. ` +
          "Run this without --root-key.",
      ]
    : [];
}

function publicUrl({ customDomains, workersDev, worker }: Wanted, subdomain: string): string | null {
  const host = customDomains[0] ?? (workersDev ? `${worker}.${subdomain}.workers.dev` : null);
  return host === null ? null : `https://${host}/readyz`;
}

/** One step as a sentence, for `--plan` and for the run itself. */
export function sentence(step: Step, wanted: Wanted): string {
  switch (step.kind) {
    case "choose-secrets":
      return `Generate ${step.names.join(" and ")}, and keep them on this machine until they are uploaded.`;
    case "create-database":
      return `Create the D1 database ${step.name}${place(wanted, "near")}.`;
    case "create-queue":
      return `Create the queue ${step.name}${place(wanted, null)}.`;
    case "register-subdomain":
      return `Register ${step.subdomain}.workers.dev for the account.`;
    case "apply-migrations":
      return `Apply to ${wanted.database.name}: ${step.names.join(", ")}.`;
    case "deploy":
      return step.secrets.length > 0
        ? `Deploy the Worker ${wanted.worker}, together with its secrets ${step.secrets.join(" and ")}.`
        : `Deploy the Worker ${wanted.worker}, keeping its secrets as they are.`;
    case "wait-until-ready":
      return `Wait until ${step.url} answers 200.`;
    default:
      return unreachable(step);
  }
}

function place({ jurisdiction, locationHint }: Wanted, hinted: "near" | null): string {
  if (jurisdiction !== null) {
    return ` in the jurisdiction ${jurisdiction}`;
  }
  return hinted !== null && locationHint !== null ? `, ${hinted} ${locationHint} if Cloudflare can` : "";
}

function unreachable(step: never): never {
  throw new Error(`Unknown step: ${JSON.stringify(step)}`);
}
