import type { Source } from "../model/source.ts";

type Facts = Readonly<Record<string, unknown>>;

/** What a person can see and change of a source, for the record; never a secret. */
export function sourceFacts(source: Source): Facts {
  const { kind, name, enabled, config, severityMapping, fieldMapping, dedupFields } = source;
  return {
    kind,
    name,
    enabled,
    config,
    severity_mapping: severityMapping,
    field_mapping: fieldMapping,
    dedup_fields: dedupFields,
  };
}

/** What a change changed: the fields before and after, and the names of secrets that were replaced. */
export function sourceChange(before: Source, after: Source, secrets: readonly string[]): Facts {
  const [old, fresh] = [sourceFacts(before), sourceFacts(after)];
  const changed = Object.keys(fresh).filter((name) => !isSame(old[name], fresh[name]));
  return {
    before: pick(old, changed),
    after: pick(fresh, changed),
    ...(secrets.length > 0 ? { secrets_changed: secrets } : {}),
  };
}

function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function pick(from: Facts, names: readonly string[]): Facts {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}
