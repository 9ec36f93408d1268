import { z } from "zod";
import type { Fault } from "../base/errors.ts";
import { PolledSearch, PolledSearchSecrets } from "../model/polled-search.ts";
import {
  DEFAULT_DEDUP_FIELDS,
  DEFAULT_SEVERITY_MAPPING,
  FieldMapping,
  SeverityMapping,
  type Source,
  SourceKind,
} from "../model/source.ts";
import { AlertSettings, type SourceSecrets } from "../model/source-settings.ts";
import { faultsOf, refuseInput } from "./problem.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Short secrets can be guessed against a public URL. */
const MIN_SECRET_CHARACTERS = 8;
const MAX_SECRET_CHARACTERS = 256;

/** A secret that can travel in a header as it is. */
export const ChosenSecret = z
  .string({ error: "Expected a secret as text" })
  .min(MIN_SECRET_CHARACTERS, `Expected at least ${MIN_SECRET_CHARACTERS} characters`)
  .max(MAX_SECRET_CHARACTERS, `Expected at most ${MAX_SECRET_CHARACTERS} characters`)
  .regex(/^[!-~]+$/, "Expected letters, digits and signs without spaces")
  .meta({ description: "Made when absent; shown once", example: "correct-horse-battery-staple" });

const common = {
  name: z
    .string({ error: "Expected a name as text" })
    .trim()
    .min(1, "Expected a name")
    .max(200, "Expected at most 200 characters")
    .meta({ description: "For people", example: "SOC Splunk" }),
  enabled: z
    .boolean({ error: "Expected true or false" })
    .default(true)
    .meta({ description: "While false, alerts are refused and nothing is polled" }),
  severity_mapping: SeverityMapping.default(DEFAULT_SEVERITY_MAPPING).meta({
    description: "Over the defaults, in any case of letters; a severity that is not in it is P3",
  }),
  field_mapping: FieldMapping.default({}).meta({
    description: "Which field of the alert fills which field of the incident",
  }),
};

const Name = common.name;

export const NewAlertSource = z
  .strictObject({
    kind: z.literal("splunk_alert"),
    ...common,
    name: Name.default("Splunk alerts"),
    ...AlertSettings.shape,
    dedup_fields: z
      .array(z.string().min(1).max(200), { error: "Expected a list of field names" })
      .min(1, "Expected at least one field")
      .max(10, "Expected at most 10 fields")
      .default([...DEFAULT_DEDUP_FIELDS])
      .meta({ description: "Alerts in which all of these are equal are the same trouble" }),
    secret: ChosenSecret.optional(),
  })
  .meta({ id: "NewAlertSource" });

const credential = (what: string, longest: number) =>
  z
    .string({ error: `Expected ${what} as text` })
    .min(1, `Expected ${what}`)
    .max(longest)
    .optional();

export const NewPolledSource = z
  .strictObject({
    kind: z.literal("splunk_es"),
    ...common,
    name: Name.default("Splunk ES notables"),
    ...PolledSearch.shape,
    token: credential("a token", 8_192).meta({
      description: "A Splunk authentication token; instead of a password",
    }),
    username: credential("a name", 256),
    password: credential("a password", 1_024),
  })
  .meta({ id: "NewPolledSource" });

/** For the document: the handlers read by the kind. */
export const NewSource = z.union([NewAlertSource, NewPolledSource]).meta({ id: "NewSource" });

/** What a source is to be, checked; secrets apart. */
export interface SourceDraft
  extends Pick<
    Source,
    "kind" | "name" | "enabled" | "config" | "severityMapping" | "fieldMapping" | "dedupFields"
  > {
  readonly secrets: SourceSecrets;
}

const SECRET_NAMES = ["secret", "token", "username", "password"] as const;

/** The kind that a new source is of. `notable_event_mapping` alone says it as well. */
export function kindOf(body: Fields): SourceKind {
  const named = body["kind"] ?? (Object.hasOwn(body, NESTED) ? "splunk_es" : undefined);
  const kind = SourceKind.safeParse(named);
  if (kind.success) return kind.data;
  return refuseInput([{ path: "kind", message: `Expected one of ${SourceKind.options.join(", ")}` }]);
}

/** Under this name guides give the settings of a polled search together. */
const NESTED = "notable_event_mapping";

function unfold(body: Fields): Fields {
  const { [NESTED]: nested, ...rest } = body;
  if (nested === undefined) return body;
  if (typeof nested !== "object" || nested === null || Array.isArray(nested)) {
    return refuseInput([{ path: NESTED, message: "Expected an object" }]);
  }
  const twice = Object.keys(nested).filter((name) => Object.hasOwn(rest, name));
  if (twice.length > 0) {
    refuseInput(
      twice.map((name) => ({ path: `${NESTED}.${name}`, message: "Expected it in one place only" })),
    );
  }
  return { ...rest, ...nested };
}

/**
 * What a body makes of a source: of none for a new one, else of the present one, whose fields it changes. Every
 * fault is found, not only the first.
 *
 * @param isMerge merge-patch: mappings keep the entries that are not named
 */
export function readSource(
  body: Fields,
  present: SourceDraft | null,
  { kind, isMerge }: { readonly kind: SourceKind; readonly isMerge: boolean },
): SourceDraft {
  const given = unfold(body);
  const own = present === null ? {} : flat(present);
  const fields = withoutNull({
    ...own,
    ...given,
    kind: given["kind"] ?? kind,
    ...(given["severity_mapping"] === undefined
      ? {}
      : {
          severity_mapping: overlay(isMerge ? own["severity_mapping"] : undefined, given["severity_mapping"]),
        }),
    ...(given["field_mapping"] === undefined
      ? {}
      : { field_mapping: merged(isMerge ? own["field_mapping"] : {}, given["field_mapping"]) }),
  });
  return kind === "splunk_alert" ? alertDraft(fields, present) : polledDraft(fields, present);
}

/** A draft in the form in which a request would have it, without the secrets. */
function flat(draft: SourceDraft): Fields {
  return {
    kind: draft.kind,
    name: draft.name,
    enabled: draft.enabled,
    ...draft.config,
    severity_mapping: draft.severityMapping,
    field_mapping: draft.fieldMapping,
    ...(draft.kind === "splunk_alert" ? { dedup_fields: draft.dedupFields } : {}),
  };
}

/** Severities in lower case over the defaults, or over those of before. */
function overlay(before: unknown, given: unknown): unknown {
  if (!isObject(given)) return given;
  const lower = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const);
  return merged(before ?? DEFAULT_SEVERITY_MAPPING, Object.fromEntries(lower));
}

function merged(before: unknown, given: unknown): unknown {
  if (!isObject(given)) return given;
  return withoutNull({ ...(isObject(before) ? before : {}), ...given });
}

/** Null asks for the default, or takes an entry away. */
function withoutNull(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function alertDraft(fields: Fields, present: SourceDraft | null): SourceDraft {
  const parsed = NewAlertSource.safeParse(fields);
  if (!parsed.success) return refuseInput(faultsOf(parsed.error));
  const { kind, name, enabled, severity_mapping, field_mapping, dedup_fields, secret, ...config } =
    parsed.data;
  if (config.hmac !== false && config.allow_path_secret) {
    const message = "Expected false with hmac: a source that demands signatures takes no secret that travels";
    refuseInput([{ path: "allow_path_secret", message }]);
  }
  const before = present?.secrets ?? {};
  return {
    kind,
    name,
    enabled,
    config,
    severityMapping: severity_mapping,
    fieldMapping: field_mapping,
    dedupFields: [...new Set(dedup_fields)],
    secrets: secret === undefined ? before : { ...withoutPrevious(before), secret },
  };
}

/** A secret that is named in a change takes the place of the old one at once; `rotate` keeps both. */
function withoutPrevious(secrets: SourceSecrets): SourceSecrets {
  const { previous_secret: _old, previous_secret_expires_at: _until, ...rest } = secrets;
  return rest;
}

function polledDraft(fields: Fields, present: SourceDraft | null): SourceDraft {
  const parsed = NewPolledSource.safeParse(fields);
  if (!parsed.success) return refuseInput(faultsOf(parsed.error));
  const { kind, name, enabled, severity_mapping, field_mapping, token, username, password, ...config } =
    parsed.data;
  return {
    kind,
    name,
    enabled,
    config,
    severityMapping: severity_mapping,
    fieldMapping: field_mapping,
    dedupFields: [],
    secrets: credentials({ token, username, password }, present),
  };
}

/** A token takes the place of name and password, and the other way round. */
function credentials(
  given: { token?: string | undefined; username?: string | undefined; password?: string | undefined },
  present: SourceDraft | null,
): SourceSecrets {
  const { token, username, password } = given;
  const isPassword = username !== undefined || password !== undefined;
  if (token !== undefined && isPassword) return refuseInput(CREDENTIAL_FAULT);
  if (token === undefined && !isPassword && present !== null) return present.secrets;
  const wanted =
    token === undefined
      ? {
          username: username ?? present?.secrets.username,
          password: password ?? present?.secrets.password,
        }
      : { token };
  const parsed = PolledSearchSecrets.safeParse(wanted);
  return parsed.success ? parsed.data : refuseInput(CREDENTIAL_FAULT);
}

const CREDENTIAL_FAULT: readonly Fault[] = [
  { path: "token", message: "Expected either a token, or username and password" },
];

/** Names of the secrets that a body brings, for the record of a change. */
export function secretsIn(body: Fields): readonly string[] {
  return SECRET_NAMES.filter((name) => Object.hasOwn(body, name));
}
