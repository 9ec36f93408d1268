import { z } from "zod";
import { isoTime, isoTimeOrNull } from "../base/clock.ts";
import { ID_PREFIX, newId } from "../base/ids.ts";
import { type ApiKey, Scope } from "../model/tenant.ts";
import { readBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { callerOf, type Endpoint, pathId } from "./endpoint.ts";
import { PageQuery, pageAnswer, pageRequest } from "./pagination.ts";
import { notFound, refuse, refuseInput } from "./problem.ts";

/** Strict: a misspelt option must not quietly make a key that needs no signature. */
export const NewKey = z
  .strictObject({
    name: z
      .string({ error: "Expected a name" })
      .trim()
      .min(1, "Expected a name")
      .max(200, "Expected at most 200 characters")
      .meta({ example: "billing service" }),
    scopes: z
      .array(Scope, { error: "Expected a list of scopes" })
      .min(1, "Expected at least one scope")
      .max(50)
      .meta({ example: ["events:write"] }),
    require_signature: z
      .boolean({ error: "Expected true or false" })
      .default(false)
      .meta({ description: "Requests to send events must then be signed (Standard Webhooks)" }),
    expires_at: z.iso
      .datetime({ offset: true, error: "Expected an RFC 3339 time with an offset" })
      .nullable()
      .default(null)
      .meta({ description: "When it stops working; never when absent", example: "2027-06-30T00:00:00Z" }),
  })
  .meta({ id: "NewKey" });

const fields = {
  id: z.string().meta({ example: "key_01978a0c4f2e7d3b8c1a5e6f70819203" }),
  name: z.string(),
  prefix: z.string().meta({ description: "How the key begins", example: "sl_live_AbCd" }),
  scopes: z.array(Scope),
  require_signature: z.boolean(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
};
const KeyView = z.object(fields).meta({ id: "Key" });
export const MadeKey = z
  .object({
    ...fields,
    key: z.string().meta({ description: "The key itself, shown this once", example: "sl_live_AbCdEfGh" }),
    signing_secret: z
      .string()
      .optional()
      .meta({ description: "With `require_signature`, shown this once", example: "whsec_bm90IGEgc2VjcmV0" }),
  })
  .meta({ id: "MadeKey" });

export const newKeyBody = {
  content: { "application/json": { schema: NewKey, example: { name: "billing", scopes: ["events:write"] } } },
};

const access = { kind: "tenant", scope: "keys:write" } as const;

export function keyEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      method: "post",
      path: "/v1/keys",
      access,
      tag: "Keys",
      summary: "Make a key",
      description: "A key cannot grant a scope that it lacks.",
      body: newKeyBody,
      answers: { 201: { schema: MadeKey, description: "Shown once; only its SHA-256 is kept" } },
      async handle(c) {
        const { tenantId, keyId, scopes } = callerOf(c);
        const wanted = await readBody(c, NewKey);
        const lacking = wanted.scopes.filter((scope) => !deps.mayGrant(scopes, [scope]));
        if (lacking.length > 0) {
          refuse(
            "missing_scope",
            `This key cannot grant ${lacking.join(", ")}, because it lacks that itself.`,
          );
        }
        return c.json(await makeKey(wanted, { tenantId, actorId: keyId }, deps), 201);
      },
    },
    {
      method: "get",
      path: "/v1/keys",
      access,
      tag: "Keys",
      summary: "List keys",
      query: PageQuery,
      answers: {
        200: {
          description: "Those not revoked, newest first",
          schema: z.object({ data: z.array(KeyView), next_cursor: z.string().nullable() }),
        },
      },
      async handle(c) {
        const { tenantId } = callerOf(c);
        const name = { list: "keys", of: tenantId };
        return c.json(pageAnswer(await deps.keys.page(tenantId, pageRequest(c, name)), name, viewKey));
      },
    },
    {
      method: "delete",
      path: "/v1/keys/{id}",
      access,
      tag: "Keys",
      summary: "Revoke a key",
      description: "Acts everywhere within 15 seconds. Revoking it again changes nothing.",
      answers: { 204: { description: "It is revoked" } },
      handle: (c) => revoke(c, deps),
    },
  ];
}

/** Makes a key and shows it for the only time. */
export async function makeKey(
  wanted: z.infer<typeof NewKey>,
  by: { readonly tenantId: string; readonly actorId: string },
  deps: ApiDeps,
): Promise<z.input<typeof MadeKey>> {
  const now = deps.now();
  const expiresAt = wanted.expires_at === null ? null : Date.parse(wanted.expires_at);
  if (expiresAt !== null && expiresAt <= now) {
    refuseInput([{ path: "expires_at", message: "Expected a time in the future" }]);
  }
  const minted = deps.mintKey();
  const key: ApiKey = {
    id: newId(ID_PREFIX.key, now),
    tenantId: by.tenantId,
    name: wanted.name,
    scopes: [...new Set(wanted.scopes)],
    prefix: minted.prefix,
    requireSignature: wanted.require_signature,
    createdAt: now,
    expiresAt,
    revokedAt: null,
  };
  const secret = wanted.require_signature ? deps.mintSigningSecret() : null;
  const sealedSigningSecret =
    secret === null
      ? null
      : await deps.seal({ tenantId: by.tenantId, recordId: key.id, purpose: "signing-secret" }, secret);
  await deps.keys.insert(key, { hash: minted.hash, sealedSigningSecret });
  deps.keysChanged();
  await deps.record({
    ...by,
    action: "api-key.create",
    resourceType: "api_key",
    resourceId: key.id,
    metadata: { name: key.name, scopes: key.scopes, require_signature: key.requireSignature },
  });
  const shown = { ...viewKey(key), key: minted.key };
  return secret === null ? shown : { ...shown, signing_secret: secret };
}

async function revoke(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const id = pathId(c, "key");
  if (!(await deps.keys.revoke(tenantId, id, deps.now()))) return notFound("key");
  deps.keysChanged();
  await deps.record({
    tenantId,
    actorId: keyId,
    action: "api-key.delete",
    resourceType: "api_key",
    resourceId: id,
    metadata: {},
  });
  return c.body(null, 204);
}

function viewKey(key: ApiKey): z.input<typeof KeyView> {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: [...key.scopes],
    require_signature: key.requireSignature,
    created_at: isoTime(key.createdAt),
    expires_at: isoTimeOrNull(key.expiresAt),
  };
}
