import { type EpochMs, seconds } from "../base/clock.ts";
import type { Fault } from "../base/errors.ts";
import { parseJson } from "../base/json.ts";
import type { Destination } from "../model/destination.ts";
import type { Connector, Provider } from "../model/provider.ts";
import type { ApiDeps, SealBinding } from "./context.ts";
import { type DestinationChange, isObject, mergePatch } from "./destination-input.ts";
import { refuseInput } from "./problem.ts";

/** Bytes of a destination's settings as stored; far above any sensible use, far below the largest row. */
const MAX_CONFIG_CHARACTERS = 65_536;

/** A destination as it would be stored, its secrets still in the open, and checked as a whole. */
export interface Draft {
  readonly destination: Omit<Destination, "sealedSecrets">;
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly connector: Connector;
}

type DraftDeps = Pick<ApiDeps, "checkEndpoint">;

/** How a named `config` meets the present one: PUT gives a new one, PATCH merges. */
export type ConfigRule = "replace" | "merge";

/** A destination that a request makes from nothing. */
export function draftNew(
  change: DestinationChange,
  provider: Provider,
  at: { readonly id: string; readonly tenantId: string; readonly now: EpochMs },
  deps: DraftDeps,
): Draft {
  const blank: Omit<Destination, "sealedSecrets"> = {
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
    disabledAt: null,
    deletedAt: null,
    status: "active",
    statusReason: null,
  };
  return draftChange({ destination: blank, secrets: {} }, change, provider, {
    now: at.now,
    config: "replace",
    deps,
  });
}

/** What a destination becomes by a change. Ends the request where the provider or the guard refuses the result. */
export function draftChange(
  present: Pick<Draft, "destination" | "secrets">,
  change: DestinationChange,
  provider: Provider,
  rules: { readonly now: EpochMs; readonly config: ConfigRule; readonly deps: DraftDeps },
): Draft {
  const { fields } = change;
  const before = present.destination;
  const enabled = fields.enabled === undefined ? before.enabled : (fields.enabled ?? true);
  const destination: Omit<Destination, "sealedSecrets"> = {
    ...before,
    name: fields.name === undefined ? before.name : (fields.name ?? provider.title),
    endpoint: fields.endpoint === undefined ? before.endpoint : (fields.endpoint ?? ""),
    enabled,
    config: nextConfig(before.config, fields.config, rules.config),
    routes: fields.routes === undefined ? before.routes : (fields.routes ?? []),
    allowedOperations:
      fields.allowed_operations === undefined ? before.allowedOperations : (fields.allowed_operations ?? []),
    revision: before.revision + 1,
    updatedAt: rules.now,
    disabledAt: enabled ? null : (before.disabledAt ?? rules.now),
  };
  const secrets = nextSecrets(present.secrets, change, rules.now);
  return { destination, secrets, connector: connectOrRefuse(destination, secrets, provider, rules.deps) };
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

/** Named secrets over the present ones; one that rotates stays valid beside its successor for the time asked. */
function nextSecrets(
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
  destination: Omit<Destination, "sealedSecrets">,
  secrets: Readonly<Record<string, unknown>>,
  provider: Provider,
  deps: DraftDeps,
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
  return connected.ok && faults.length === 0 ? connected.value : refuseInput(faults);
}

/** What a destination's secrets are sealed to. */
export function secretsBinding(destination: Pick<Destination, "tenantId" | "id">): SealBinding {
  return { tenantId: destination.tenantId, recordId: destination.id, purpose: "destination-secrets" };
}

/** The secrets of a stored destination. Sealed text that does not open is the operator's trouble, and throws. */
export async function openSecrets(
  destination: Destination,
  deps: Pick<ApiDeps, "open">,
): Promise<Record<string, unknown>> {
  const opened = await deps.open(secretsBinding(destination), destination.sealedSecrets);
  const parsed = opened.ok ? parseJson(opened.value) : null;
  if (!parsed?.ok || !isObject(parsed.value)) {
    throw new Error(`The secrets of ${destination.id} do not open; was the root key changed?`);
  }
  return { ...parsed.value };
}

/** A draft as it is stored. */
export async function sealDraft(draft: Draft, deps: Pick<ApiDeps, "seal">): Promise<Destination> {
  const sealedSecrets = await deps.seal(secretsBinding(draft.destination), JSON.stringify(draft.secrets));
  return { ...draft.destination, sealedSecrets };
}
