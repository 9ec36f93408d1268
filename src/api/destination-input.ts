import { z } from "zod";
import type { Fault } from "../base/errors.ts";
import { Routes } from "../model/destination.ts";
import type { Provider } from "../model/provider.ts";
import { faultsOf, refuseInput } from "./problem.ts";

/** A rotated secret is accepted beside its successor for at most this long. */
const MAX_ROTATION_SECONDS = 604_800;

const text = (what: string, longest: number) =>
  z
    .string({ error: `Expected ${what} as text` })
    .trim()
    .min(1, `Expected ${what}`)
    .max(longest, `Expected at most ${longest} characters`);

/** The fields that every destination has; a provider's secrets stand beside them, flat. */
export const DestinationFields = z.object({
  name: text("a name", 200).meta({
    description: "For people; the provider's name when absent",
    example: "SOC Splunk",
  }),
  endpoint: text("a URL", 2_048).meta({
    description: "Where events go: `https://` and a public host",
    example: "https://hec.splunk.example.com:8088/services/collector",
  }),
  enabled: z
    .boolean({ error: "Expected true or false" })
    .meta({ description: "While false, nothing is kept for it" }),
  config: z
    .record(z.string(), z.unknown(), { error: "Expected an object" })
    .meta({ description: "Settings of the provider", example: { index: "main" } }),
  credential_id: z
    .string({ error: "Expected the id of a credential" })
    .regex(/^cred_[A-Za-z0-9]{1,128}$/, "Expected the id of a credential, like cred_…")
    .meta({ description: "A credential of the vault, in place of the secret fields; several may use it" }),
  routes: Routes.meta({ description: "What it takes; everything when empty" }),
  allowed_operations: z
    .array(z.string().max(100), { error: "Expected a list of operations" })
    .max(50, "Expected at most 50 operations")
    .meta({ description: "What the outbound proxy may do with it; nothing when empty" }),
});

/** How long the secret that this change replaces goes on signing beside the new one. */
export const RotationField = z
  .int({ error: "Expected whole seconds" })
  .min(0)
  .max(MAX_ROTATION_SECONDS, `Expected at most ${MAX_ROTATION_SECONDS} seconds`)
  .meta({ description: "With a new `secret`: how long the old one signs as well" });

/** The secrets before a rotation stand in for the new ones for at most this long. */
export const MAX_FALLBACK_SECONDS = 2_592_000;
/** And for this long where nothing is said. */
export const DEFAULT_FALLBACK_SECONDS = 86_400;

/** How long the secrets that a rotation replaces stand in where the new ones are refused. */
export const FallbackField = z
  .int({ error: "Expected whole seconds" })
  .min(0)
  .max(MAX_FALLBACK_SECONDS, `Expected at most ${MAX_FALLBACK_SECONDS} seconds`)
  .meta({
    description: `With \`next_…\`: how long the old secrets stand in where the new ones are refused; ${DEFAULT_FALLBACK_SECONDS} when absent`,
  });

/** What a secret field is called when it is to be proved first and the old one kept to fall back on. */
const NEXT = "next_";

type Fields = z.infer<typeof DestinationFields>;
/** The fields that a request names, checked one by one; null asks for the default. */
export interface DestinationChange {
  readonly fields: { readonly [Name in keyof Fields]?: Fields[Name] | null };
  /** By the provider's names and not yet checked; null takes one away. */
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly rotationSeconds: number | null;
  /** For the second slot, by the provider's names. */
  readonly next: Readonly<Record<string, unknown>>;
  readonly fallbackSeconds: number;
}

/** Set by the relay and shown in answers: naming one in a request is a mistake worth a better message. */
const SHOWN_ONLY: ReadonlySet<string> = new Set([
  "id",
  "created_at",
  "updated_at",
  "status",
  "status_reason",
  "status_changes",
  "backlog",
  "next_attempt_at",
  "first_loss_at",
  "last_delivered_at",
  "dead_letters",
  "credential",
]);

/** Secrets that the relay itself keeps during a rotation; no request names them. */
export const KEPT_BY_RELAY: readonly string[] = ["previous_secret", "previous_secret_expires_at"];

/** Names of the secret fields that a request may carry for this provider. */
export function secretNames(provider: Provider): readonly string[] {
  return Object.keys(provider.secrets.shape).filter((name) => !KEPT_BY_RELAY.includes(name));
}

/** Whether the provider can sign with two secrets at once. */
export function canRotate(provider: Provider): boolean {
  return KEPT_BY_RELAY.every((name) => Object.hasOwn(provider.secrets.shape, name));
}

/** `next_token` and the like; none where the provider signs with two secrets at once instead. */
export function nextNames(provider: Provider): readonly string[] {
  return canRotate(provider) ? [] : secretNames(provider).map((name) => `${NEXT}${name}`);
}

/** The provider that a new destination is for. */
export function providerOf(
  body: Readonly<Record<string, unknown>>,
  providers: readonly Provider[],
): Provider {
  const found = providers.find(({ kind }) => kind === body["provider"]);
  if (found !== undefined) return found;
  const known = providers.map(({ kind }) => kind).join(", ");
  return refuseInput([{ path: "provider", message: `Expected one of ${known}` }]);
}

/**
 * Sorts a body into what a destination knows. Every fault is found, not only the first.
 *
 * @param allowsNull merge-patch: null gives a field its default and takes a secret away
 */
export function readChange(
  body: Readonly<Record<string, unknown>>,
  provider: Provider,
  allowsNull: boolean,
): DestinationChange {
  const faults: Fault[] = [];
  const fields: Record<string, unknown> = {};
  const secrets: Record<string, unknown> = {};
  const next: Record<string, unknown> = {};
  const secretFields = secretNames(provider);
  const nextFields = nextNames(provider);
  let rotationSeconds: number | null = null;
  let fallbackSeconds: number | null = null;
  for (const [name, value] of Object.entries(body)) {
    if (name === "provider") {
      if (value !== provider.kind) faults.push({ path: name, message: "It cannot be changed; make another" });
    } else if (secretFields.includes(name)) {
      if (value === null && !allowsNull) faults.push({ path: name, message: "Expected a secret, not null" });
      secrets[name] = value;
    } else if (nextFields.includes(name)) {
      if (value === null) faults.push({ path: name, message: "Expected a secret, not null" });
      next[name.slice(NEXT.length)] = value;
    } else if (name === "previous_token_ttl_seconds" && nextFields.length > 0) {
      const parsed = FallbackField.safeParse(value);
      if (parsed.success) fallbackSeconds = parsed.data;
      else faults.push(...faultsOf(parsed.error, [name]));
    } else if (name === "previous_secret_ttl_seconds" && canRotate(provider)) {
      const parsed = RotationField.safeParse(value);
      if (parsed.success) rotationSeconds = parsed.data;
      else faults.push(...faultsOf(parsed.error, [name]));
    } else if (!Object.hasOwn(DestinationFields.shape, name)) {
      faults.push({ path: name, message: unknownField(name) });
    } else if (value === null && allowsNull) {
      fields[name] = null;
    }
  }
  const named = Object.keys(body).filter((name) => fields[name] !== null);
  const parsed = DestinationFields.partial().safeParse(
    Object.fromEntries(named.map((name) => [name, body[name]])),
  );
  if (!parsed.success) faults.push(...faultsOf(parsed.error));
  for (const [index, operation] of (parsed.data?.allowed_operations ?? []).entries()) {
    if (Object.hasOwn(provider.operations, operation)) continue;
    const message = `Expected one of ${Object.keys(provider.operations).join(", ")}`;
    faults.push({ path: `allowed_operations.${index}`, message });
  }
  faults.push(...contradictions(body, secrets, next, fallbackSeconds));
  if (faults.length > 0 || !parsed.success) return refuseInput(faults);
  const nulls = Object.fromEntries(Object.keys(fields).map((name) => [name, null]));
  return {
    fields: { ...nulls, ...withoutAbsent(parsed.data) },
    secrets,
    rotationSeconds,
    next,
    fallbackSeconds: fallbackSeconds ?? DEFAULT_FALLBACK_SECONDS,
  };
}

/** Secrets come from one place: given here and now, given to be proved first, or from a credential. */
function contradictions(
  body: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, unknown>>,
  next: Readonly<Record<string, unknown>>,
  fallbackSeconds: number | null,
): Fault[] {
  const [now, later] = [Object.keys(secrets), Object.keys(next)];
  const faults: Fault[] = [];
  if (body["credential_id"] === null) {
    faults.push({
      path: "credential_id",
      message: "Name another credential, or the secret fields themselves",
    });
  } else if (body["credential_id"] !== undefined && now.length + later.length > 0) {
    faults.push({
      path: "credential_id",
      message: "Expected either a credential or secret fields, not both",
    });
  }
  if (now.length > 0 && later.length > 0) {
    faults.push({ path: `${NEXT}${later[0]}`, message: `Expected it without ${now.join(", ")}` });
  }
  if (fallbackSeconds !== null && later.length === 0) {
    faults.push({ path: "previous_token_ttl_seconds", message: "Expected it together with a new secret" });
  }
  return faults;
}

function unknownField(name: string): string {
  return SHOWN_ONLY.has(name) ? "The relay sets this; leave it out" : "There is no such field";
}

function withoutAbsent<T extends object>(value: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  // fromEntries forgets the names, and only absent ones are gone
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [Name in keyof T]: Exclude<T[Name], undefined>;
  };
}

/** JSON merge-patch (RFC 7396): objects are merged, null takes away, anything else replaces. */
export function mergePatch(
  target: Readonly<Record<string, unknown>>,
  patch: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else if (isObject(value)) {
      const inner = merged[name];
      merged[name] = mergePatch(isObject(inner) ? inner : {}, value);
    } else merged[name] = value;
  }
  return merged;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
