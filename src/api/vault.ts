import { z } from "zod";
import { seconds } from "../base/clock.ts";
import { ID_PREFIX, newId } from "../base/ids.ts";
import {
  CREDENTIAL_VALUES,
  CredentialType,
  type CredentialValues,
  credentialBinding,
  type StoredCredential,
} from "../model/credential.ts";
import { readBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { DEFAULT_FALLBACK_SECONDS, FallbackField } from "./destination-input.ts";
import { openCredential } from "./destination-secrets.ts";
import { callerOf, type Endpoint, pathId } from "./endpoint.ts";
import { nextCursor, PageQuery, pageRequest } from "./pagination.ts";
import { faultsOf, notFound, refuse, refuseInput } from "./problem.ts";
import { proveEverywhere, tellUsers } from "./vault-users.ts";
import { CredentialView, Unsealed, view, viewOne, viewUser } from "./vault-view.ts";

/** Credentials of one tenant, beside those that its destinations were given with. */
export const MAX_CREDENTIALS = 1_000;

const Name = z
  .string({ error: "Expected a name" })
  .trim()
  .min(1, "Expected a name")
  .max(200, "Expected at most 200 characters")
  .meta({ example: "Splunk HEC" });
const Values = z.record(z.string(), z.unknown(), { error: "Expected an object" }).meta({
  description: "By name, as the type expects them; write-only",
  example: { api_key: "your-hec-token" },
});

/** Strict: a misspelt name beside the values must not look as if it had been sealed. */
const NewCredential = z
  .strictObject({ name: Name, credential_type: CredentialType, values: Values })
  .meta({ id: "NewCredential" });
const Unseal = z.strictObject({
  credential_id: z
    .string({ error: "Expected the id of a credential" })
    .max(200)
    .meta({ example: "cred_01978a0c4f2e7d3b8c1a5e6f70819203" }),
});
const Rotation = z
  .strictObject({ values: Values, previous_ttl_seconds: FallbackField.default(DEFAULT_FALLBACK_SECONDS) })
  .meta({ id: "CredentialRotation" });

const sealing = { kind: "tenant", scope: "vault:seal" } as const;
const one = { schema: CredentialView, description: "The credential, without its values" };
const common = { tag: "Vault" } as const;

export function vaultEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      ...common,
      method: "post",
      path: "/api/v2/vault/seal",
      access: sealing,
      summary: "Seal a credential",
      description:
        "AES-256-GCM under a fresh data key, which is encapsulated with the tenant's ML-KEM-768 key. Give its id to a destination or an integration as `credential_id`.",
      body: {
        content: {
          "application/json": {
            schema: NewCredential,
            example: {
              name: "Splunk HEC",
              credential_type: "api_key",
              values: { api_key: "your-hec-token" },
            },
          },
        },
      },
      answers: { 201: { ...one, headers: { Location: "Where the credential is" } } },
      refusals: ["conflict"],
      handle: (c) => seal(c, deps),
    },
    {
      ...common,
      method: "post",
      path: "/api/v2/vault/unseal",
      access: { kind: "tenant", scope: "vault:unseal" },
      summary: "Read a credential's values",
      description:
        "Each use is on the audit stream. The secrets that were given with a destination cannot be read back.",
      body: { content: { "application/json": { schema: Unseal } } },
      answers: {
        200: {
          description: "The values as they were sealed",
          schema: Unsealed,
        },
      },
      refusals: ["not_found", "conflict"],
      handle: (c) => unseal(c, deps),
    },
    {
      ...common,
      method: "get",
      path: "/api/v2/vault/credentials",
      access: sealing,
      summary: "List credentials",
      query: PageQuery,
      answers: {
        200: {
          description: "Newest first, those of destinations among them; never a value",
          schema: z.object({ data: z.array(CredentialView), next_cursor: z.string().nullable() }),
        },
      },
      handle: (c) => list(c, deps),
    },
    {
      ...common,
      method: "get",
      path: "/api/v2/vault/credentials/{id}",
      access: sealing,
      summary: "Read about a credential",
      answers: { 200: one },
      async handle(c) {
        return c.json(await viewOne(await findCredential(c, deps), deps));
      },
    },
    {
      ...common,
      method: "delete",
      path: "/api/v2/vault/credentials/{id}",
      access: sealing,
      summary: "Delete a credential",
      description: "Refused while a destination uses it.",
      answers: { 204: { description: "It is gone for good" } },
      refusals: ["conflict"],
      handle: (c) => remove(c, deps),
    },
    {
      ...common,
      method: "post",
      path: "/api/v2/vault/credentials/{id}/rotate",
      access: sealing,
      summary: "Give a credential new values",
      description:
        "The new values are tried first, with a test event at each destination that uses it: one that refuses them ends it, and nothing is changed. Afterwards they are preferred, and the old ones stand in for a while where the new ones are refused.",
      body: {
        content: {
          "application/json": { schema: Rotation, example: { values: { api_key: "your-new-token" } } },
        },
      },
      answers: { 200: one },
      refusals: ["conflict"],
      handle: (c) => rotate(c, deps),
    },
  ];
}

async function seal(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const { name, credential_type: type, values: given } = await readBody(c, NewCredential);
  const values = checkValues(type, given);
  if ((await deps.credentials.count(tenantId)) >= MAX_CREDENTIALS) {
    refuse("conflict", `A tenant has at most ${MAX_CREDENTIALS} credentials. Delete one first.`);
  }
  const now = deps.now();
  const id = newId(ID_PREFIX.credential, now);
  const binding = credentialBinding({ tenantId, id, managedBy: null });
  const credential: StoredCredential = {
    id,
    tenantId,
    name,
    type,
    managedBy: null,
    fields: Object.keys(values).toSorted(),
    sealed: await deps.seal(binding, JSON.stringify(values)),
    previousSealed: null,
    previousUntil: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
    rotatedAt: null,
  };
  await deps.credentials.insert(credential);
  await record("vault.seal", credential, keyId, deps);
  return c.json(view(credential, []), 201, { location: `/api/v2/vault/credentials/${id}` });
}

async function unseal(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const { credential_id } = await readBody(c, Unseal);
  const credential = await deps.credentials.get(tenantId, credential_id);
  if (credential === null) return notFound("credential");
  if (credential.managedBy !== null) {
    refuse("conflict", `It was given with ${credential.managedBy}, and such secrets are write-only.`);
  }
  const values = await openCredential(credential, deps);
  if (values === null)
    throw new Error(`The credential ${credential.id} does not open; was the database changed?`);
  await record("vault.unseal", credential, keyId, deps); // before anybody has the values
  return c.json({
    credential_id: credential.id,
    name: credential.name,
    credential_type: credential.type,
    version: credential.version,
    values,
  });
}

async function list(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId } = callerOf(c);
  const name = { list: "credentials", of: tenantId };
  const page = await deps.credentials.page(tenantId, pageRequest(c, name));
  const ids = page.items.map(({ id }) => id);
  const users = await deps.credentials.users(tenantId, ids);
  const shown = page.items.map((each) =>
    view(each, users.filter(({ credentialId }) => credentialId === each.id).map(viewUser)),
  );
  return c.json({ data: shown, next_cursor: nextCursor(name, page.next) });
}

async function remove(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const credential = await findCredential(c, deps);
  if (!(await deps.credentials.remove(tenantId, credential.id))) {
    const users = await deps.credentials.users(tenantId, [credential.id]);
    const names = users.slice(0, 20).map(({ name, id }) => `${name} (${id})`);
    if (users.length > names.length) names.push(`and ${users.length - names.length} more`);
    if (names.length === 0) return notFound("credential"); // someone else deleted it
    refuse("conflict", `It is in use by ${names.join(", ")}. Give those another one first.`);
  }
  await record("vault.delete", credential, keyId, deps);
  return c.body(null, 204);
}

async function rotate(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { keyId } = callerOf(c);
  const present = await findCredential(c, deps);
  const { values: given, previous_ttl_seconds: ttl } = await readBody(c, Rotation);
  const values = present.type === "destination" ? given : checkValues(present.type, given);
  const unproved = await proveEverywhere(present, values, deps);
  const now = deps.now();
  const rotated: StoredCredential = {
    ...present,
    fields: Object.keys(values).toSorted(),
    sealed: await deps.seal(credentialBinding(present), JSON.stringify(values)),
    previousSealed: ttl === 0 ? null : present.sealed,
    previousUntil: ttl === 0 ? null : now + seconds(ttl),
    version: present.version + 1,
    updatedAt: now,
    rotatedAt: now,
  };
  if (!(await deps.credentials.rotate(rotated, present.version))) {
    refuse("conflict", "Others are changing this credential at the same time. Read it and try again.");
  }
  await tellUsers(rotated, deps);
  await record("vault.rotate", rotated, keyId, deps, { unproved_at: unproved });
  return c.json(await viewOne(rotated, deps));
}

/** Values as the type expects them; or the request ends, naming `values.…`. */
function checkValues(type: CredentialType, given: CredentialValues): CredentialValues {
  const parsed = CREDENTIAL_VALUES[type].safeParse(given);
  return parsed.success ? { ...parsed.data } : refuseInput(faultsOf(parsed.error, ["values"]));
}

async function findCredential(c: ApiContext, deps: Pick<ApiDeps, "credentials">): Promise<StoredCredential> {
  const found = await deps.credentials.get(callerOf(c).tenantId, pathId(c, "credential"));
  return found ?? notFound("credential");
}

function record(
  action: string,
  credential: StoredCredential,
  actorId: string,
  deps: Pick<ApiDeps, "record">,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { tenantId, id, name, type, version, fields: names } = credential;
  return deps.record({
    tenantId,
    actorId,
    action,
    resourceType: "credential",
    resourceId: id,
    metadata: { name, credential_type: type, fields: names, version, ...more },
  });
}
