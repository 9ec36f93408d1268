import { OpenAPIHono } from "@hono/zod-openapi";
import { Unavailable } from "../base/errors.ts";
import { ID_PREFIX, newId } from "../base/ids.ts";
import { batchEndpoints } from "./batches.ts";
import { catalogEndpoints } from "./catalog.ts";
import { consolePageEndpoints } from "./console-page.ts";
import { consoleSessionEndpoints } from "./console-session.ts";
import type { ApiContext, ApiDeps, ApiEnv } from "./context.ts";
import { deadLetterEndpoints } from "./dead-letters.ts";
import { deliveryEndpoints } from "./deliveries.ts";
import { destinationTestEndpoints } from "./destination-test.ts";
import { destinationEndpoints } from "./destinations.ts";
import type { Endpoint } from "./endpoint.ts";
import { eventEndpoints } from "./events.ts";
import { admit } from "./guard.ts";
import { inboundSplunkEndpoints } from "./inbound-splunk.ts";
import { incidentEndpoints } from "./incidents.ts";
import { integrationEndpoints } from "./integrations.ts";
import { keyEndpoints } from "./keys.ts";
import { documentEndpoints, registerEndpoint } from "./openapi.ts";
import { operatorEndpoints } from "./operator.ts";
import { ProblemError, problemResponse } from "./problem.ts";
import { providerEndpoints } from "./providers.ts";
import { proxyEndpoints } from "./proxy.ts";
import { publicKeyEndpoints } from "./public-keys.ts";
import { routePreviewEndpoints } from "./route-preview.ts";
import { sourceRotateEndpoints } from "./source-rotate.ts";
import { sourceTestEndpoints } from "./source-test.ts";
import { sourceEndpoints } from "./sources.ts";
import { tenantEndpoints } from "./tenants.ts";
import { vaultEndpoints } from "./vault.ts";

/** What a caller is told to wait when something that the relay needs is out of reach. */
const RETRY_AFTER_SECONDS = 5;

/** Everything that is answered, one line for each resource. */
export function endpointsOf(deps: ApiDeps): readonly Endpoint[] {
  return [
    ...eventEndpoints(deps),
    ...batchEndpoints(deps),
    ...catalogEndpoints(),
    ...providerEndpoints(deps),
    ...destinationTestEndpoints(deps),
    ...destinationEndpoints(deps),
    ...routePreviewEndpoints(deps),
    ...deliveryEndpoints(deps),
    ...deadLetterEndpoints(deps),
    ...incidentEndpoints(deps),
    ...sourceEndpoints(deps),
    ...sourceRotateEndpoints(deps),
    ...sourceTestEndpoints(deps),
    ...inboundSplunkEndpoints(deps),
    ...integrationEndpoints(deps),
    ...publicKeyEndpoints(deps),
    ...proxyEndpoints(deps),
    ...vaultEndpoints(deps),
    ...keyEndpoints(deps),
    ...tenantEndpoints(deps),
    ...operatorEndpoints(deps),
    ...consoleSessionEndpoints(deps),
    ...consolePageEndpoints(deps),
  ];
}

/** The HTTP application. Needs no Cloudflare binding: everything it touches is in `deps`. */
export function createApi(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  const described = endpointsOf(deps);
  for (const endpoint of described) registerEndpoint(app.openAPIRegistry, endpoint);
  const endpoints = [...described, ...documentEndpoints(app, deps)];
  for (const endpoint of endpoints) {
    app.on(endpoint.method.toUpperCase(), honoPath(endpoint.path), (c) => serve(c, endpoint, deps));
  }
  const places = endpoints.map(({ method, path }) => ({ method, path, pattern: pathPattern(path) }));
  app.notFound((c) => serve(c, elsewhere(places, c), deps));
  // Only what fails before or beside a handler gets here, like a path that cannot be decoded.
  app.onError((error, c) => serve(c, { ...nothing, handle: () => Promise.reject(error) }, deps));
  return app;
}

/** One request: who is asking, what the endpoint does, and the answer with what every answer carries. */
async function serve(c: ApiContext, endpoint: Served, deps: ApiDeps): Promise<Response> {
  const startedAt = deps.now();
  const requestId = newId(ID_PREFIX.request, startedAt);
  let response: Response;
  let thrown: unknown;
  try {
    c.set("requestId", requestId);
    c.set("principal", await admit(c.req.raw, endpoint.access, deps));
    response = await endpoint.handle(c);
  } catch (error) {
    if (!(error instanceof ProblemError)) thrown = error;
    response = answerTo(error, deps);
  }
  const { headers } = response;
  headers.set("x-request-id", requestId);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
  const isFailure = response.status >= 500;
  const principal = c.get("principal");
  deps.log(isFailure ? "error" : endpoint.isQuiet ? "debug" : "info", "request.answered", {
    request_id: requestId,
    method: c.req.method,
    route: endpoint.path, // never the path itself: some hold a secret
    status: response.status,
    duration_ms: deps.now() - startedAt,
    tenant_id: principal?.kind === "key" ? principal.tenantId : undefined,
    key_id: principal?.kind === "key" ? principal.keyId : undefined,
    error: thrown,
  });
  return response;
}

type Served = Pick<Endpoint, "access" | "path" | "handle" | "isQuiet">;
const nothing = { access: { kind: "public" }, path: "(none)" } as const;

function answerTo(error: unknown, deps: ApiDeps): Response {
  if (error instanceof ProblemError) return problemResponse(error.refusal, deps.publicUrl, error.headers);
  if (error instanceof Unavailable) {
    const detail =
      "Something that the relay needs cannot be reached at the moment. Send the same request again.";
    return problemResponse(
      { code: "unavailable", detail, retryAfterSeconds: RETRY_AFTER_SECONDS },
      deps.publicUrl,
    );
  }
  const detail =
    "Something went wrong inside the relay. The request id tells the operator which request it was.";
  return problemResponse({ code: "internal_error", detail }, deps.publicUrl);
}

type Place = Pick<Endpoint, "method" | "path"> & { readonly pattern: RegExp };

/** What to say where no handler is: which methods there are, or that there is nothing. */
function elsewhere(places: readonly Place[], c: ApiContext): Served {
  const here = places.filter(({ pattern }) => pattern.test(c.req.path));
  const methods = here.map(({ method }) => method.toUpperCase());
  const allow = [...new Set([...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"])].join(
    ", ",
  );
  const handle = (): Response => {
    if (here.length === 0) {
      throw new ProblemError({ code: "not_found", detail: "Nothing is at this address." });
    }
    if (c.req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    throw new ProblemError(
      { code: "method_not_allowed", detail: `This address understands ${allow}.` },
      { allow },
    );
  };
  return { ...nothing, path: here[0]?.path ?? nothing.path, handle };
}

function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function pathPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
