import { z } from "zod";
import type { Destination } from "../model/destination.ts";
import type { Provider } from "../model/provider.ts";
import { destinationIdOf, integrationIdOf } from "../model/proxy.ts";
import { readBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { DestinationFields } from "./destination-input.ts";
import { askReports, DestinationView, viewDestination } from "./destination-view.ts";
import {
  AnyObject,
  changeDestination,
  createDestination,
  Flushed,
  ForceQuery,
  removeDestination,
} from "./destinations.ts";
import { callerOf, type Endpoint, pathId, type RequestBody } from "./endpoint.ts";
import { addressNames, inItsWords, toDestinationBody } from "./integration-body.ts";
import { nextCursor, PageQuery, pageRequest } from "./pagination.ts";
import { notFound } from "./problem.ts";

const { id: _id, provider: _provider, ...shared } = DestinationView.shape;
const IntegrationView = z
  .object({
    id: z.string().meta({ example: "int_01978a0c4f2e7d3b8c1a5e6f70819203" }),
    system_type: z.string().meta({ example: "splunk" }),
    destination_id: z.string().meta({
      description: "The same record as a destination",
      example: "siem_01978a0c4f2e7d3b8c1a5e6f70819203",
    }),
    ...shared,
  })
  .meta({ id: "Integration" });

const read = { kind: "tenant", scope: "destinations:read" } as const;
const write = { kind: "tenant", scope: "destinations:write" } as const;

export function integrationEndpoints(deps: ApiDeps): readonly Endpoint[] {
  const one = { schema: IntegrationView, description: "The integration as it is now" };
  const common = { tag: "Proxy" } as const;
  return [
    {
      ...common,
      method: "post",
      path: "/api/v2/integrations",
      access: write,
      summary: "Create an integration",
      description:
        "An integration and a destination are the same record, and it shows in both lists: events go to it too, unless its routes or `enabled` say otherwise. Nothing is allowed to the proxy that `allowed_operations` does not list.",
      body: bodyOf(deps.providers, "NewIntegration"),
      answers: { 201: { ...one, headers: { Location: "Where the integration is" } } },
      refusals: ["conflict"],
      handle: (c) => create(c, deps),
    },
    {
      ...common,
      method: "get",
      path: "/api/v2/integrations",
      access: read,
      summary: "List integrations",
      query: PageQuery,
      answers: {
        200: {
          description: "Newest first; every destination is one",
          schema: z.object({ data: z.array(IntegrationView), next_cursor: z.string().nullable() }),
        },
      },
      handle: (c) => list(c, deps),
    },
    {
      ...common,
      method: "get",
      path: "/api/v2/integrations/{id}",
      access: read,
      summary: "Read an integration",
      answers: { 200: one },
      async handle(c) {
        return c.json(await viewOne(await findIntegration(c, deps), deps));
      },
    },
    {
      ...common,
      method: "patch",
      path: "/api/v2/integrations/{id}",
      access: write,
      summary: "Change an integration by merge-patch",
      description: "As RFC 7396. A named `allowed_operations` takes the place of the old list, at once.",
      body: bodyOf(deps.providers, "IntegrationPatch"),
      answers: { 200: one },
      refusals: ["conflict"],
      handle: (c) => change(c, deps),
    },
    {
      ...common,
      method: "delete",
      path: "/api/v2/integrations/{id}",
      access: write,
      summary: "Delete an integration",
      description: "Deletes the destination that it is: what is owed to it is delivered for at most 30 s.",
      query: ForceQuery,
      answers: { 200: { schema: Flushed, description: "It is gone" } },
      refusals: ["unavailable"],
      async handle(c) {
        return removeDestination(c, await findIntegration(c, deps), deps);
      },
    },
  ];
}

/** For the document; handlers read as destinations do, which tells more faults at once. */
function bodyOf(providers: readonly Provider[], id: "NewIntegration" | "IntegrationPatch"): RequestBody {
  const isNew = id === "NewIntegration";
  const kinds = providers.map(({ kind }) => kind).join(", ");
  const { endpoint: _endpoint, ...fields } = DestinationFields.partial().shape;
  const systemType = z.string().meta({ description: `One of ${kinds}`, example: "splunk" });
  const schema = z
    .looseObject({
      system_type: isNew ? systemType : systemType.optional(),
      ...fields,
      config: z
        .record(z.string(), z.unknown())
        .optional()
        .meta({
          description:
            "The provider's settings, and its address: `hec_url` for Splunk, `endpoint` for the others",
          example: { hec_url: "https://splunk.example.com:8088" },
        }),
    })
    .meta({ id });
  const named = { allowed_operations: ["send_event"] };
  const created = {
    system_type: "splunk",
    config: { hec_url: "https://splunk.example.com:8088" },
    credential_id: "cred_01978a0c4f2e7d3b8c1a5e6f70819203",
    ...named,
  };
  const content = { schema, example: isNew ? created : named };
  const merge = isNew ? {} : { "application/merge-patch+json": content };
  return { content: { "application/json": content, ...merge } };
}

async function create(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const given = await readBody(c, AnyObject);
  const translated = toDestinationBody(given, given["system_type"]);
  const destination = await inItsWords(translated, () =>
    createDestination(translated.body, callerOf(c), deps),
  );
  const location = `/api/v2/integrations/${integrationIdOf(destination.id)}`;
  return c.json(await viewOne(destination, deps), 201, { location });
}

async function change(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const first = await findIntegration(c, deps);
  const translated = toDestinationBody(await readBody(c, AnyObject), first.provider);
  const wanted = { body: translated.body, config: "merge" } as const;
  const changed = await inItsWords(translated, () => changeDestination(first, wanted, callerOf(c), deps));
  return c.json(await viewOne(changed, deps));
}

async function list(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId } = callerOf(c);
  const name = { list: "integrations", of: tenantId };
  const page = await deps.destinations.page(tenantId, pageRequest(c, name));
  const reports = await askReports(page.items, deps);
  const shown = await Promise.all(
    page.items.map(async (each, index) =>
      view(each, await viewDestination(each, reports[index] ?? null, deps)),
    ),
  );
  return c.json({ data: shown, next_cursor: nextCursor(name, page.next) });
}

/** The tenant's integration by either of its ids, unless it was deleted. */
async function findIntegration(c: ApiContext, deps: Pick<ApiDeps, "destinations">): Promise<Destination> {
  const id = destinationIdOf(pathId(c, "integration")) ?? notFound("integration");
  const found = await deps.destinations.get(callerOf(c).tenantId, id);
  return found === null || found.deletedAt !== null ? notFound("integration") : found;
}

async function viewOne(destination: Destination, deps: ApiDeps): Promise<z.input<typeof IntegrationView>> {
  const [report = null] = await askReports([destination], deps);
  return view(destination, await viewDestination(destination, report, deps));
}

/** The address stands in the config where it was given; one that follows from the config does not. */
function view(
  stored: Destination,
  { id, provider, ...rest }: z.input<typeof DestinationView>,
): z.input<typeof IntegrationView> {
  const [addressName = "endpoint"] = addressNames(provider);
  const address = stored.endpoint === "" ? {} : { [addressName]: rest.endpoint };
  return {
    ...rest,
    id: integrationIdOf(id),
    system_type: provider,
    destination_id: id,
    config: { ...rest.config, ...address },
  };
}
