import { z } from "zod";
import { isoTime } from "../base/clock.ts";
import { ID_PREFIX, newId } from "../base/ids.ts";
import type { Tenant } from "../model/tenant.ts";
import { readBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { type Endpoint, pathId } from "./endpoint.ts";
import { MadeKey, makeKey, NewKey, newKeyBody } from "./keys.ts";
import { PageQuery, pageAnswer, pageRequest } from "./pagination.ts";
import { notFound } from "./problem.ts";

const NewTenant = z
  .strictObject({
    name: z
      .string({ error: "Expected a name" })
      .trim()
      .min(1, "Expected a name")
      .max(200, "Expected at most 200 characters")
      .meta({ example: "Acme" }),
  })
  .meta({ id: "NewTenant" });

const TenantView = z
  .object({
    id: z.string().meta({ example: "ten_01978a0c4f2e7d3b8c1a5e6f70819203" }),
    name: z.string().meta({ example: "Acme" }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "Tenant" });

const access = { kind: "operator" } as const;
const name = { list: "tenants", of: "operator" } as const;

export function tenantEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      method: "post",
      path: "/v1/tenants",
      access,
      tag: "Operator",
      summary: "Make a tenant",
      body: { content: { "application/json": { schema: NewTenant, example: { name: "Acme" } } } },
      answers: { 201: { schema: TenantView, description: "It exists, and has no keys yet" } },
      async handle(c) {
        const wanted = await readBody(c, NewTenant);
        const now = deps.now();
        const tenant: Tenant = { id: newId(ID_PREFIX.tenant, now), name: wanted.name, createdAt: now };
        await deps.tenants.insert(tenant);
        return c.json(viewTenant(tenant), 201);
      },
    },
    {
      method: "get",
      path: "/v1/tenants",
      access,
      tag: "Operator",
      summary: "List tenants",
      query: PageQuery,
      answers: {
        200: {
          description: "Newest first",
          schema: z.object({ data: z.array(TenantView), next_cursor: z.string().nullable() }),
        },
      },
      handle: async (c) =>
        c.json(pageAnswer(await deps.tenants.page(pageRequest(c, name)), name, viewTenant)),
    },
    {
      method: "post",
      path: "/v1/tenants/{id}/keys",
      access,
      tag: "Operator",
      summary: "Make a key for a tenant",
      description: "The first key of a tenant; with `keys:write` or `*` it makes the others itself.",
      body: newKeyBody,
      answers: { 201: { schema: MadeKey, description: "Shown once; only its SHA-256 is kept" } },
      handle: (c) => makeFirstKey(c, deps),
    },
  ];
}

async function makeFirstKey(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const tenantId = pathId(c, "tenant");
  if ((await deps.tenants.get(tenantId)) === null) return notFound("tenant");
  const wanted = await readBody(c, NewKey);
  return c.json(await makeKey(wanted, { tenantId, actorId: "operator" }, deps), 201);
}

function viewTenant(tenant: Tenant): z.input<typeof TenantView> {
  return { id: tenant.id, name: tenant.name, created_at: isoTime(tenant.createdAt) };
}
