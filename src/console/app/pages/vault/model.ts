/** What the vault's API answers, and what each type of credential holds. */

export interface Credential {
  readonly credential_id: string;
  readonly name: string;
  readonly credential_type: string;
  /** Names of its values; empty where they are not known without opening it. */
  readonly fields: readonly string[];
  readonly version: number;
  /** The destination that it was given with, and that it dies with. */
  readonly managed_by: string | null;
  readonly used_by: readonly {
    readonly destination_id: string;
    readonly name: string;
    readonly provider: string;
  }[];
  readonly created_at: string;
  readonly rotated_at: string | null;
  readonly previous_until: string | null;
}

export const CREDENTIALS = "/api/v2/vault/credentials";

export function credentialApi(id: string): string {
  return `${CREDENTIALS}/${encodeURIComponent(id)}`;
}

export interface ValueField {
  readonly name: string;
  readonly label: string;
  readonly isOptional?: boolean;
  /** It may be read while it is typed. */
  readonly isPlain?: boolean;
}

export interface CredentialKind {
  readonly label: string;
  /** Whom it is for, in the vendors' own words. */
  readonly hint: string;
  readonly fields: readonly ValueField[];
}

/** By the type's name in the API, in the order of the menu. */
export const KINDS: Readonly<Record<string, CredentialKind>> = {
  api_key: {
    label: "API key",
    hint: "Splunk's HEC token, a Datadog or an Elastic API key.",
    fields: [{ name: "api_key", label: "API key" }],
  },
  bearer: {
    label: "Bearer token",
    hint: "A token that is sent as Authorization: Bearer.",
    fields: [{ name: "token", label: "Token" }],
  },
  basic: {
    label: "User name and password",
    hint: "For services that ask for both.",
    fields: [
      { name: "username", label: "User name", isPlain: true },
      { name: "password", label: "Password" },
    ],
  },
  aws: {
    label: "AWS access key",
    hint: "For CloudWatch. A session token belongs to a temporary key only.",
    fields: [
      { name: "access_key_id", label: "Access key ID", isPlain: true },
      { name: "secret_access_key", label: "Secret access key" },
      { name: "session_token", label: "Session token (optional)", isOptional: true },
    ],
  },
  oauth2_client: {
    label: "OAuth 2.0 client",
    hint: "A client of the client credentials grant.",
    fields: [
      { name: "client_id", label: "Client ID", isPlain: true },
      { name: "client_secret", label: "Client secret" },
      { name: "token_url", label: "Token URL (optional)", isOptional: true, isPlain: true },
    ],
  },
  hmac: {
    label: "Signing secret (HMAC)",
    hint: "What the requests to a webhook are signed with.",
    fields: [{ name: "secret", label: "Secret" }],
  },
};

export function typeName(type: string): string {
  return type === "destination" ? "Of a destination" : (KINDS[type]?.label ?? type);
}

/** Fields to ask for when a credential gets new values: those of its type, and whatever else it held. */
export function fieldsToRotate({ credential_type: type, fields }: Credential): readonly ValueField[] {
  const known = KINDS[type]?.fields ?? [];
  const isHeld = (name: string): boolean => fields.includes(name);
  // An API key may be held under the provider's own name instead.
  const kept = type === "api_key" && !isHeld("api_key") && fields.length > 0 ? [] : known;
  const others = fields.filter((name) => !kept.some((field) => field.name === name));
  return [...kept, ...others.map((name) => ({ name, label: name.replaceAll("_", " ") }))];
}

/** The values that were filled in, by name. */
export function valuesOf(
  fields: readonly ValueField[],
  typed: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    fields.map(({ name }) => [name, typed[name] ?? ""] as const).filter(([, value]) => value !== ""),
  );
}
