import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";

/** A value of a credential: text, as providers take it. */
const value = z
  .string({ error: "Expected text" })
  .min(1, "Expected a value")
  .max(8_192, "Expected at most 8,192 characters");

/** Names beside those that a type expects are kept too: a provider may want them. */
const values = (expected: Readonly<Record<string, z.ZodType>>) =>
  z
    .object(expected, { error: "Expected an object" })
    .catchall(value)
    .refine((given) => Object.keys(given).length <= 20, "Expected at most 20 values")
    .refine((given) => Object.keys(given).every((name) => /^[a-z][a-z0-9_]{0,63}$/.test(name)), {
      error: "Expected names in lower case, like api_key",
    });

const atLeastOne = <Schema extends z.ZodType>(schema: Schema) =>
  schema.refine((given) => Object.keys(given as object).length > 0, "Expected at least one value"); // an object, by its schema

/** What each type of credential holds. */
export const CREDENTIAL_VALUES = {
  api_key: atLeastOne(values({})),
  basic: values({ username: value, password: value }),
  bearer: values({ token: value }),
  oauth2_client: values({ client_id: value, client_secret: value, token_url: value.optional() }),
  aws: values({ access_key_id: value, secret_access_key: value, session_token: value.optional() }),
  hmac: values({ secret: value }),
} as const satisfies Record<string, z.ZodType>;

export const CredentialType = z.enum(["api_key", "basic", "bearer", "oauth2_client", "aws", "hmac"]);
export type CredentialType = z.infer<typeof CredentialType>;

export type CredentialValues = Readonly<Record<string, unknown>>;

/** What is known of a credential without opening it. */
export interface Credential {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  /** `destination` for the secrets that were given with one, by the provider's own names. */
  readonly type: CredentialType | "destination";
  /** The destination that it was given with, and that it dies with; null for one from the vault. */
  readonly managedBy: string | null;
  /** Names of its values. Empty where they are not known without opening it. */
  readonly fields: readonly string[];
  /** Grows by one with each change of the values. */
  readonly version: number;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly rotatedAt: EpochMs | null;
  /** Until when the values before the last rotation stand in where the new ones are refused. */
  readonly previousUntil: EpochMs | null;
}

/** A credential as it is stored. */
export interface StoredCredential extends Credential {
  readonly sealed: string;
  readonly previousSealed: string | null;
}

/** What the sealed text of a credential belongs to. */
export interface CredentialBinding {
  readonly tenantId: string;
  readonly recordId: string;
  readonly purpose: "destination-secrets" | "credential";
}

/** A managed one stays sealed to its destination, as such texts were before credentials had records of their own. */
export function credentialBinding({
  tenantId,
  id,
  managedBy,
}: Pick<Credential, "tenantId" | "id" | "managedBy">): CredentialBinding {
  return managedBy === null
    ? { tenantId, recordId: id, purpose: "credential" }
    : { tenantId, recordId: managedBy, purpose: "destination-secrets" };
}

/** Under which names a credential may hold what a provider wants, in the order in which they are looked for. */
const ALSO_CALLED: Readonly<Record<string, readonly string[]>> = {
  token: ["api_key", "hec_token", "bearer", "access_token", "key", "value"],
  app_key: ["application_key"],
  secret: ["signing_secret", "key", "token", "value"],
  access_key_id: ["aws_access_key_id"],
  secret_access_key: ["aws_secret_access_key"],
  session_token: ["aws_session_token"],
};

/** Names by which a provider's secret field may be found in a credential, its own first. */
export function namesOf(field: string): readonly string[] {
  return [field, ...(ALSO_CALLED[field] ?? [])];
}

/** A credential's values by the names of the provider's secret fields; values that it does not want are left out. */
export function secretsFrom(given: CredentialValues, fields: readonly string[]): Record<string, unknown> {
  const secrets: Record<string, unknown> = {};
  for (const field of fields) {
    const name = namesOf(field).find((each) => Object.hasOwn(given, each));
    if (name !== undefined) secrets[field] = given[name];
  }
  return secrets;
}
