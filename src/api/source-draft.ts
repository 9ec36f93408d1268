import { parseJson } from "../base/json.ts";
import type { Source, SourceKind } from "../model/source.ts";
import { AlertSettings, SourceSecrets, validSecrets } from "../model/source-settings.ts";
import type { ApiDeps } from "./context.ts";
import { refuse, refuseInput } from "./problem.ts";
import { readSource, type SourceDraft } from "./source-input.ts";

type Body = Readonly<Record<string, unknown>>;

/** A draft of a new source, complete with the secrets that were not chosen. */
export function draftNewSource(body: Body, kind: SourceKind, deps: ApiDeps): SourceDraft {
  return withSecrets(readSource(body, null, { kind, isMerge: false }), deps);
}

/** A draft of what a body makes of a source. */
export async function draftSourceChange(
  present: Source,
  body: Body,
  isMerge: boolean,
  deps: ApiDeps,
): Promise<SourceDraft> {
  const { kind, name, enabled, config, severityMapping, fieldMapping, dedupFields } = present;
  const secrets = await openSourceSecrets(present, deps);
  const before = { kind, name, enabled, config, severityMapping, fieldMapping, dedupFields, secrets };
  return withSecrets(readSource(body, before, { kind, isMerge }), deps);
}

/** Makes the secrets that the settings ask for, forgets those that they do not, and looks where a poller would go. */
function withSecrets(draft: SourceDraft, deps: ApiDeps): SourceDraft {
  if (draft.kind === "splunk_es") {
    const allowed = deps.checkEndpoint(String(draft.config["rest_url"]));
    return allowed.ok ? draft : refuseInput([{ path: "rest_url", message: allowed.error }]);
  }
  const { path_secret, previous_path_secret, previous_path_secret_expires_at, ...rest } = draft.secrets;
  const path = AlertSettings.parse(draft.config).allow_path_secret
    ? {
        path_secret: path_secret ?? deps.mintSourceSecret(),
        previous_path_secret,
        previous_path_secret_expires_at,
      }
    : {};
  const secret = rest.secret ?? deps.mintSourceSecret();
  return { ...draft, secrets: SourceSecrets.parse({ ...rest, ...path, secret }) };
}

/** The secrets of a stored source. A text that does not open is the relay's trouble, not the caller's. */
export async function openSourceSecrets(source: Source, deps: Pick<ApiDeps, "open">): Promise<SourceSecrets> {
  const { tenantId, id: recordId } = source;
  const opened = await deps.open({ tenantId, recordId, purpose: "source-secrets" }, source.sealedSecrets);
  const parsed = opened.ok ? parseJson(opened.value) : null;
  if (!parsed?.ok) throw new Error(`The secrets of ${source.id} do not open`);
  return SourceSecrets.parse(parsed.value);
}

export function sealSourceSecrets(
  name: { readonly tenantId: string; readonly id: string },
  secrets: SourceSecrets,
  deps: Pick<ApiDeps, "seal">,
): Promise<string> {
  const binding = { tenantId: name.tenantId, recordId: name.id, purpose: "source-secrets" } as const;
  return deps.seal(binding, JSON.stringify(secrets));
}

/**
 * What an alert may find the source by. Two sources of a tenant with one secret could not be told apart, so the
 * second is refused; of another tenant's nothing is said.
 */
export async function macsOf(
  name: { readonly tenantId: string; readonly id: string },
  secrets: SourceSecrets,
  deps: ApiDeps,
): Promise<readonly string[]> {
  const valid = validSecrets(secrets, deps.now());
  if (valid.length === 0) return [];
  const macs = await deps.secretMacs(valid);
  if (await deps.sources.hasMac(name.tenantId, macs, name.id)) {
    refuse("conflict", "Another source has this secret. An alert could not tell them apart; choose another.");
  }
  return macs;
}
