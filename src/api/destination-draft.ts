import { type EpochMs, seconds } from "../base/clock.ts";
import type { Fault } from "../base/errors.ts";
import { secretsFrom } from "../model/credential.ts";
import type { Destination, DestinationSettings } from "../model/destination.ts";
import type { Connector, Provider } from "../model/provider.ts";
import { lanesEver } from "../model/shards.ts";
import type { ApiDeps } from "./context.ts";
import { type DestinationChange, mergePatch, secretNames } from "./destination-input.ts";
import {
  faultsOfShared,
  type Holding,
  holdOwn,
  holdShared,
  type OpenedCredential,
} from "./destination-secrets.ts";
import { refuseInput } from "./problem.ts";

/** Bytes of a destination's settings as stored; far above any sensible use, far below the largest row. */
const MAX_CONFIG_CHARACTERS = 65_536;

/** A destination that is not stored yet, or not in that form: settings, and nothing of how its secrets are kept. */
type Settings = Omit<DestinationSettings, "credentialId" | "origin">;

/** How the secrets of a draft are to be kept. */
type Keeping =
  /** As they are. */
  | { readonly kind: "held"; readonly holding: Holding }
  /** Sealed for this destination. `previous` are those that they replace, where these stand in for a while. */
  | {
      readonly kind: "own";
      readonly present: Holding | null;
      readonly previous: { readonly sealed: string; readonly until: EpochMs } | null;
    };

/** A destination as it would be stored, its secrets still in the open, and checked as a whole. */
export interface Draft {
  readonly settings: Settings;
  /** By the provider's names. */
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly keeping: Keeping;
  readonly connector: Connector;
}

type DraftDeps = Pick<ApiDeps, "checkEndpoint">;

/** How a named `config` meets the present one: PUT gives a new one, PATCH merges. */
export type ConfigRule = "replace" | "merge";

/** What a change starts from. */
interface Present {
  readonly settings: Settings;
  readonly secrets: Readonly<Record<string, unknown>>;
  /** Null for one that is new. */
  readonly holding: Holding | null;
}

interface Rules {
  readonly now: EpochMs;
  readonly config: ConfigRule;
  readonly deps: DraftDeps;
  /** The credential that the change names, opened. */
  readonly shared: OpenedCredential | null;
}

/** A destination that a request makes from nothing. */
export function draftNew(
  change: DestinationChange,
  provider: Provider,
  at: { readonly id: string; readonly tenantId: string; readonly now: EpochMs },
  rules: Pick<Rules, "deps" | "shared">,
): Draft {
  const settings: Settings = {
    id: at.id,
    tenantId: at.tenantId,
    provider: provider.kind,
    name: provider.title,
    endpoint: "",
    enabled: true,
    config: {},
    routes: [],
    allowedOperations: [],
    revision: 0,
    createdAt: at.now,
    updatedAt: at.now,
    disabledAt: 0, // one that starts switched off was never on, and is owed nothing
    deletedAt: null,
    mostShards: 1,
    status: "active",
    statusReason: null,
  };
  const [next] = Object.keys(change.next);
  if (next !== undefined) {
    refuseInput([{ path: `next_${next}`, message: `A new destination has no secret yet; call it ${next}` }]);
  }
  const present = { settings, secrets: {}, holding: null };
  return draft(present, change, provider, { now: at.now, config: "replace", ...rules });
}

/** What a destination becomes by a change. Ends the request where the provider or the guard refuses the result. */
export function draftChange(
  { destination, secrets }: { readonly destination: Destination; readonly secrets: Present["secrets"] },
  change: DestinationChange,
  provider: Provider,
  rules: Rules,
): Draft {
  return draft({ settings: destination, secrets, holding: destination }, change, provider, rules);
}

function draft(present: Present, change: DestinationChange, provider: Provider, rules: Rules): Draft {
  const { fields } = change;
  const before = present.settings;
  const enabled = fields.enabled === undefined ? before.enabled : (fields.enabled ?? true);
  const config = nextConfig(before.config, fields.config, rules.config);
  const settings: Settings = {
    ...before,
    name: fields.name === undefined ? before.name : (fields.name ?? provider.title),
    endpoint: fields.endpoint === undefined ? before.endpoint : (fields.endpoint ?? ""),
    enabled,
    config,
    routes: fields.routes === undefined ? before.routes : (fields.routes ?? []),
    allowedOperations:
      fields.allowed_operations === undefined ? before.allowedOperations : (fields.allowed_operations ?? []),
    revision: before.revision + 1,
    updatedAt: rules.now,
    disabledAt: enabled ? null : (before.disabledAt ?? rules.now),
    mostShards: lanesEver({ config, mostShards: before.mostShards }),
  };
  const { secrets, keeping } = nextSecrets(present, change, provider, rules);
  const connector = connectOrRefuse(settings, secrets, provider, {
    ...rules,
    inWords: (faults) => {
      if (rules.shared !== null) return faultsOfShared(faults, provider);
      const isNext = (path: string): boolean => Object.hasOwn(change.next, path);
      return faults.map((fault) => (isNext(fault.path) ? { ...fault, path: `next_${fault.path}` } : fault));
    },
  });
  return { settings, secrets, keeping, connector };
}

function nextConfig(
  before: Destination["config"],
  named: Destination["config"] | null | undefined,
  rule: ConfigRule,
): Destination["config"] {
  if (named === undefined) return before;
  if (named === null) return {};
  const next = rule === "merge" ? mergePatch(before, named) : named;
  if (JSON.stringify(next).length > MAX_CONFIG_CHARACTERS) {
    refuseInput([
      { path: "config", message: `Expected at most ${MAX_CONFIG_CHARACTERS} characters of JSON` },
    ]);
  }
  return next;
}

/** Whose secrets they are after the change, and what they are. */
function nextSecrets(
  { secrets: before, holding }: Present,
  change: DestinationChange,
  provider: Provider,
  { now, shared }: Rules,
): Pick<Draft, "secrets" | "keeping"> {
  if (shared !== null) {
    const secrets = secretsFrom(shared.values, secretNames(provider));
    return { secrets, keeping: { kind: "held", holding: holdShared(shared.credential) } };
  }
  const own = holding?.credentialIsShared === true ? null : holding;
  const [next] = Object.keys(change.next);
  if (next !== undefined && holding !== null) {
    if (own === null) {
      const message = `It uses the credential ${holding.credentialId}; rotate that one`;
      refuseInput([{ path: `next_${next}`, message }]);
    }
    const until = now + seconds(change.fallbackSeconds);
    const previous = until > now ? { sealed: holding.sealedSecrets, until } : null;
    return { secrets: { ...before, ...change.next }, keeping: { kind: "own", present: own, previous } };
  }
  const secrets = replaced(before, change, now);
  const isSame = holding !== null && JSON.stringify(secrets) === JSON.stringify(before);
  return isSame
    ? { secrets, keeping: { kind: "held", holding } }
    : { secrets, keeping: { kind: "own", present: own, previous: null } };
}

/** Named secrets over the present ones; one that rotates stays valid beside its successor for the time asked. */
function replaced(
  before: Readonly<Record<string, unknown>>,
  change: DestinationChange,
  now: EpochMs,
): Record<string, unknown> {
  const next = mergePatch(before, change.secrets);
  const old = before["secret"];
  if (old === undefined || next["secret"] === old) return next;
  delete next["previous_secret"];
  delete next["previous_secret_expires_at"];
  const ttl = change.rotationSeconds ?? 0;
  return ttl === 0 ? next : { ...next, previous_secret: old, previous_secret_expires_at: now + seconds(ttl) };
}

function connectOrRefuse(
  destination: Settings,
  secrets: Readonly<Record<string, unknown>>,
  provider: Provider,
  {
    deps,
    inWords,
  }: { readonly deps: DraftDeps; readonly inWords: (faults: readonly Fault[]) => readonly Fault[] },
): Connector {
  const { id, endpoint, config } = destination;
  const connected = provider.connect({
    destinationId: id,
    endpoint: endpoint === "" ? null : endpoint,
    config,
    secrets,
  });
  const faults: Fault[] = connected.ok ? [] : [...connected.error];
  const urls: [string, string][] = Object.entries(config)
    .filter(
      (entry): entry is [string, string] => typeof entry[1] === "string" && /^[a-z]+:\/\//i.test(entry[1]),
    )
    .map(([name, url]) => [`config.${name}`, url]);
  if (endpoint !== "") urls.unshift(["endpoint", endpoint]);
  if (connected.ok) {
    urls.push(["endpoint", connected.value.origin]);
    for (const { path, url } of connected.value.alsoCalls ?? []) urls.push([path, url]);
  }
  for (const [path, url] of urls) {
    const checked = deps.checkEndpoint(url);
    const isKnown = faults.some((fault) => fault.path === path);
    if (!checked.ok && !isKnown) faults.push({ path, message: checked.error });
  }
  return connected.ok && faults.length === 0 ? connected.value : refuseInput(inWords(faults));
}

/** A draft as it is stored. */
export async function sealDraft(
  { settings, secrets, keeping, connector }: Draft,
  deps: Pick<ApiDeps, "seal">,
): Promise<Destination> {
  const holding =
    keeping.kind === "held"
      ? keeping.holding
      : await holdOwn(settings, secrets, { ...keeping, now: settings.updatedAt }, deps);
  return { ...settings, ...pickHolding(holding), origin: connector.origin };
}

/** A holding may be a whole destination, of which nothing else is meant. */
function pickHolding(holding: Holding): Holding {
  const { credentialId, credentialIsShared, secretFields, secretsRotatedAt } = holding;
  const { sealedSecrets, sealedPreviousSecrets, previousSecretsUntil } = holding;
  return {
    credentialId,
    credentialIsShared,
    secretFields,
    sealedSecrets,
    sealedPreviousSecrets,
    previousSecretsUntil,
    secretsRotatedAt,
  };
}
