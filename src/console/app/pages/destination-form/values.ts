/** Between what stands in a form and what the API takes. Pure, so that it can be read and tested by itself. */
import type { Destination, Problem } from "../../types.ts";
import type { JsonField, Provider, Routes } from "../destination/model.ts";

/** What an input holds: text, or whether a box is ticked. */
export type Draft = string | boolean;

export interface FormValues {
  readonly name: string;
  readonly endpoint: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Optional secrets to take away; only while editing. */
  readonly removed: readonly string[];
  readonly config: Readonly<Record<string, Draft>>;
  readonly routes: Routes;
  readonly operations: readonly string[];
}

export type FieldKind = "check" | "choice" | "number" | "lines" | "pairs" | "text";

export function kindOf(field: JsonField): FieldKind {
  if (choicesOf(field) !== null) return "choice";
  if (field.type === "boolean") return "check";
  if (field.type === "integer" || field.type === "number") return "number";
  if (field.type === "array") return "lines";
  return field.type === "object" ? "pairs" : "text";
}

/** The values to choose from, or null where a value is free. */
export function choicesOf(field: JsonField): readonly unknown[] | null {
  if (field.enum !== undefined) return field.enum;
  if (field.anyOf === undefined) return null;
  return field.anyOf.flatMap((each) =>
    each.const !== undefined ? [each.const] : each.type === "boolean" ? [true, false] : (each.enum ?? []),
  );
}

/** How a stored value, or the default, stands in the input. */
export function draftOf(field: JsonField, value: unknown): Draft {
  const shown = value ?? field.default;
  switch (kindOf(field)) {
    case "check":
      return shown === true;
    case "choice":
      return shown === undefined ? "" : JSON.stringify(shown);
    case "lines":
      return Array.isArray(shown) ? shown.map(String).join("\n") : "";
    case "pairs":
      return typeof shown === "object" && shown !== null
        ? Object.entries(shown)
            .map(([name, text]) => `${name}: ${String(text)}`)
            .join("\n")
        : "";
    default:
      return shown === undefined ? "" : String(shown);
  }
}

/** The value of an input as the API takes it; undefined where it says what would be so anyway. */
export function givenValue(field: JsonField, draft: Draft): unknown {
  const value = parsed(field, draft);
  return JSON.stringify(value) === JSON.stringify(field.default) ? undefined : value;
}

function parsed(field: JsonField, draft: Draft): unknown {
  if (typeof draft === "boolean") return draft;
  const text = draft.trim();
  if (text === "") return undefined;
  switch (kindOf(field)) {
    case "choice":
      return JSON.parse(text);
    case "number":
      return Number.isNaN(Number(text)) ? text : Number(text);
    case "lines":
      return linesOf(text);
    case "pairs":
      return Object.fromEntries(linesOf(text).map(pairOf));
    default:
      return text;
  }
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function pairOf(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return colon < 0 ? [line, ""] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

/** The form as it opens. Secrets are never known, so their inputs are empty. */
export function valuesFrom(provider: Provider, present: Destination | null): FormValues {
  const fields = Object.entries(provider.config.properties ?? {});
  return {
    name: present?.name ?? "",
    endpoint: present?.endpoint ?? "",
    secrets: {},
    removed: [],
    config: Object.fromEntries(fields.map(([name, field]) => [name, draftOf(field, present?.config[name])])),
    routes: present?.routes ?? [],
    operations: present?.allowed_operations ?? [],
  };
}

type Body = Readonly<Record<string, unknown>>;

/** What `POST /v1/audit/siem` and the test of it take. */
export function bodyOfNew(provider: Provider, values: FormValues): Body {
  const { name, endpoint, routes, operations } = values;
  return {
    provider: provider.kind,
    ...(name.trim() === "" ? {} : { name: name.trim() }),
    ...(endpoint.trim() === "" ? {} : { endpoint: endpoint.trim() }),
    ...typedSecrets(values),
    config: configOf(provider, values),
    ...(routes.length === 0 ? {} : { routes }),
    ...(operations.length === 0 ? {} : { allowed_operations: operations }),
  };
}

/** What changed, as a merge-patch: null gives a field its default again. */
export function bodyOfChange(provider: Provider, values: FormValues, present: Destination): Body {
  const before = valuesFrom(provider, present);
  const changed = (name: keyof FormValues): boolean =>
    JSON.stringify(values[name]) !== JSON.stringify(before[name]);
  const orNull = (text: string): string | null => (text.trim() === "" ? null : text.trim());
  return {
    ...(changed("name") ? { name: orNull(values.name) } : {}),
    // Sent only when it was changed: the shown one may follow from the site or region.
    ...(changed("endpoint") ? { endpoint: orNull(values.endpoint) } : {}),
    ...typedSecrets(values),
    ...Object.fromEntries(values.removed.map((name) => [name, null])),
    ...(changed("config") ? { config: configChange(provider, values, present) } : {}),
    ...(changed("routes") ? { routes: values.routes } : {}),
    ...(changed("operations") ? { allowed_operations: values.operations } : {}),
  };
}

function typedSecrets({ secrets }: FormValues): Body {
  return Object.fromEntries(Object.entries(secrets).filter(([, secret]) => secret !== ""));
}

function configOf(provider: Provider, values: FormValues): Body {
  const entries = Object.entries(provider.config.properties ?? {}).map(
    ([name, field]) => [name, givenValue(field, values.config[name] ?? "")] as const,
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function configChange(provider: Provider, values: FormValues, present: Destination): Body {
  const next = configOf(provider, values);
  return { ...next, ...withoutGone(present.config, next) };
}

/** A merge-patch keeps what it does not name, at every level: what is gone has to be named. */
function withoutGone(before: Body, next: Body): Body {
  const entries = Object.entries(before).flatMap(([name, old]): [string, unknown][] => {
    const fresh = next[name];
    if (fresh === undefined) return [[name, null]];
    return isBody(old) && isBody(fresh) ? [[name, { ...fresh, ...withoutGone(old, fresh) }]] : [];
  });
  return Object.fromEntries(entries);
}

function isBody(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is plainly missing, told before the relay is asked: it names the first kind of fault only. */
export function missingIn(provider: Provider, values: FormValues, isNew: boolean): Problem | null {
  const { endpoint, secrets } = provider;
  const needed = isNew ? (secrets.required ?? []) : [];
  const errors = [
    ...(endpoint.required && values.endpoint.trim() === ""
      ? [{ path: "endpoint", message: `Give the ${endpoint.label}` }]
      : []),
    ...needed
      .filter((name) => (values.secrets[name] ?? "") === "")
      .map((name) => ({ path: name, message: `Give the ${secrets.properties?.[name]?.title ?? name}` })),
  ];
  if (errors.length === 0) return null;
  return { title: "Something is missing", status: 0, detail: "Nothing was sent.", code: "missing", errors };
}

/** A refusal, and the values that it is about: a field that was changed since is no longer at fault. */
export interface Refusal {
  readonly problem: Problem;
  readonly values: FormValues;
}

/** The problem without the faults of fields that were changed since; null when none is left. */
export function stillWrong(refusal: Refusal | null, values: FormValues): Problem | null {
  if (refusal === null) return null;
  const { problem, values: asked } = refusal;
  if (problem.errors === undefined) return problem;
  const errors = problem.errors.filter(({ path }) => valueAt(values, path) === valueAt(asked, path));
  return errors.length === 0 ? null : { ...problem, errors };
}

function valueAt({ name, endpoint, secrets, config, routes, operations }: FormValues, path: string): unknown {
  const [first = "", second = ""] = path.split(".");
  if (first === "config") return config[second];
  if (first === "routes") return JSON.stringify(routes);
  if (first === "allowed_operations") return JSON.stringify(operations);
  return first === "name" ? name : first === "endpoint" ? endpoint : secrets[first];
}

/** The message at a field, from the problem document; of a field inside it, with its place. */
export function faultAt(problem: Problem | null, at: string): string | undefined {
  const found = problem?.errors?.find(({ path }) => path === at || path.startsWith(`${at}.`));
  if (found === undefined) return undefined;
  return found.path === at ? found.message : `${found.path.slice(at.length + 1)}: ${found.message}`;
}
