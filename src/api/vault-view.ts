import { z } from "zod";
import { isoTime, isoTimeOrNull } from "../base/clock.ts";
import { CredentialType, type StoredCredential } from "../model/credential.ts";
import type { ApiDeps } from "./context.ts";

const Moment = z.iso.datetime().meta({ example: "2026-06-30T12:00:00.000Z" });
const fields = {
  credential_id: z.string().meta({ example: "cred_01978a0c4f2e7d3b8c1a5e6f70819203" }),
  name: z.string(),
  credential_type: z
    .union([CredentialType, z.literal("destination")])
    .meta({ description: "`destination` for the secrets that were given with one" }),
  fields: z
    .array(z.string())
    .meta({ description: "Names of its values; never a value", example: ["api_key"] }),
  version: z.int().meta({ description: "Grows by one with each rotation" }),
  managed_by: z
    .string()
    .nullable()
    .meta({ description: "The destination that it was given with, and that it dies with" }),
  used_by: z.array(z.object({ destination_id: z.string(), name: z.string(), provider: z.string() })),
  created_at: Moment,
  updated_at: Moment,
  rotated_at: Moment.nullable(),
  previous_until: Moment.nullable().meta({
    description: "Until when the values before the last rotation stand in where the new ones are refused",
  }),
};
/** A credential in an answer. It has no field for a value. */
export const CredentialView = z.object(fields).meta({ id: "Credential" });
type User = z.input<typeof CredentialView>["used_by"][number];

/** The answer to unsealing, the only one that holds values. */
export const Unsealed = z.object({
  credential_id: fields.credential_id,
  name: fields.name,
  credential_type: fields.credential_type,
  version: fields.version,
  values: z.record(z.string(), z.unknown()),
});

/** With who uses it. */
export async function viewOne(credential: StoredCredential, deps: Pick<ApiDeps, "credentials">) {
  const users = await deps.credentials.users(credential.tenantId, [credential.id]);
  return view(credential, users.map(viewUser));
}

export function viewUser({ id, name, provider }: { id: string; name: string; provider: string }): User {
  return { destination_id: id, name, provider };
}

export function view(credential: StoredCredential, users: readonly User[]): z.input<typeof CredentialView> {
  return {
    credential_id: credential.id,
    name: credential.name,
    credential_type: credential.type,
    fields: [...credential.fields],
    version: credential.version,
    managed_by: credential.managedBy,
    used_by: [...users],
    created_at: isoTime(credential.createdAt),
    updated_at: isoTime(credential.updatedAt),
    rotated_at: isoTimeOrNull(credential.rotatedAt),
    previous_until: isoTimeOrNull(credential.previousUntil),
  };
}
