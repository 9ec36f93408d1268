import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { sha256, toBase64 } from "../base/bytes.ts";
import { ERRORS, type ErrorCode } from "../base/errors.ts";
import type { ApiDeps, ApiEnv } from "./context.ts";
import { docsPage, STYLE } from "./docs-page.ts";
import type { Access, Endpoint } from "./endpoint.ts";
import { PROBLEM_TYPE, Problem } from "./problem.ts";

type Registry = OpenAPIHono<ApiEnv>["openAPIRegistry"];
type Document = ReturnType<OpenAPIHono<ApiEnv>["getOpenAPI31Document"]>;

const INTRODUCTION = `Sluice takes audit events from your programs and delivers each one to every SIEM of yours, at least once, or keeps it where you can see it.

Authenticate with a key in \`X-API-Key\` or as \`Authorization: Bearer\`; the roles named beside an endpoint are the scopes that the key needs. Lists page by \`limit\` and \`cursor\`. Every refusal is a problem document (RFC 9457) with a stable \`code\`.`;

/** Puts an endpoint into the document, with every refusal that it can answer. */
export function registerEndpoint(registry: Registry, endpoint: Endpoint): void {
  const { query, headers, body } = endpoint;
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  registry.registerPath({
    method: endpoint.method,
    path: endpoint.path,
    operationId: operationId(endpoint),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...(endpoint.description === undefined ? {} : { description: endpoint.description }),
    security: securityOf(endpoint.access),
    request: {
      ...(names.length === 0
        ? {}
        : { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) }),
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined
        ? {}
        : {
            body: {
              content: { ...body.content },
              required: body.isOptional !== true,
              ...(body.description === undefined ? {} : { description: body.description }),
            },
          }),
    },
    responses: { ...answersOf(endpoint), ...refusalsOf(endpoint) },
  });
}

function operationId({ method, path }: Endpoint): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return [method, ...words].join("_");
}

/** Key and bearer are the same key; the names in the list are the scopes, as OpenAPI 3.1 allows for any scheme. */
function securityOf(access: Access): Record<string, string[]>[] {
  switch (access.kind) {
    case "public":
      return [];
    case "operator":
      return [{ operator: [] }];
    case "proof":
      return access.by === "session" ? [{ session: [] }] : [{ sourceSecret: [] }, { sourceSignature: [] }];
    case "tenant":
      return [{ apiKey: [access.scope] }, { bearer: [access.scope] }];
  }
}

function answersOf({ answers }: Endpoint) {
  const entries = Object.entries(answers).map(([status, { description, schema, type, example, headers }]) => {
    const media =
      schema === undefined ? undefined : { schema, ...(example === undefined ? {} : { example }) };
    return [
      status,
      {
        description,
        ...(media === undefined ? {} : { content: { [type ?? "application/json"]: media } }),
        ...(headers === undefined ? {} : { headers: headerObjects(headers) }),
      },
    ] as const;
  });
  return Object.fromEntries(entries);
}

function headerObjects(headers: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: "string" as const } },
    ]),
  );
}

/** The codes of an endpoint by status, each status with one example. */
function refusalsOf(endpoint: Endpoint) {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(endpoint)) {
    byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code]);
  }
  const entries = [...byStatus].map(([status, codes]) => {
    const [code = "internal_error"] = codes;
    const example = {
      type: `/docs#${code}`,
      title: ERRORS[code].title,
      status,
      detail: ERRORS[code].title,
      code,
    };
    const waits = status === 429 || status === 503;
    return [
      String(status),
      {
        description: codes.map((each) => `\`${each}\`: ${ERRORS[each].title}`).join("; "),
        content: { [PROBLEM_TYPE]: { schema: Problem, example } },
        ...(waits ? { headers: headerObjects({ "Retry-After": "Seconds to wait" }) } : {}),
      },
    ] as const;
  });
  return Object.fromEntries(entries);
}

/** What the endpoint says itself, and what follows from who may call it and what it is sent. */
export function codesOf(endpoint: Endpoint): readonly ErrorCode[] {
  const isGuarded = endpoint.access.kind === "operator" || endpoint.access.kind === "tenant";
  const readsJson = endpoint.body !== undefined && endpoint.tag !== "Events";
  const codes: ErrorCode[] = [
    ...(readsJson
      ? (["malformed_json", "payload_too_large", "unsupported_media_type", "invalid_input"] as const)
      : []),
    ...(endpoint.query === undefined ? [] : (["invalid_input"] as const)),
    ...(endpoint.path.includes("{") ? (["not_found"] as const) : []),
    ...(isGuarded
      ? (["unauthenticated", "operation_not_allowed", "rate_limited", "unavailable"] as const)
      : []),
    ...(endpoint.access.kind === "proof" ? (["unauthenticated", "unavailable"] as const) : []),
    ...(endpoint.access.kind === "tenant" ? (["missing_scope"] as const) : []),
    ...(endpoint.refusals ?? []),
    "internal_error",
  ];
  return [...new Set(codes)].toSorted((a, b) => ERRORS[a].status - ERRORS[b].status);
}

/** `/openapi.json` and `/docs`. The document is made at the first request for it, not when the Worker starts. */
export function documentEndpoints(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): readonly Endpoint[] {
  const common = { method: "get", access: { kind: "public" }, tag: "Operator" } as const;
  let made: Document | null = null;
  const document = (): Document => {
    made ??= app.getOpenAPI31Document(documentHead(deps));
    return made;
  };
  const endpoints: readonly Endpoint[] = [
    {
      ...common,
      path: "/openapi.json",
      summary: "This document",
      answers: { 200: { schema: z.looseObject({ openapi: z.string() }), description: "OpenAPI 3.1" } },
      handle: (c) => c.json(document()),
    },
    {
      ...common,
      path: "/docs",
      summary: "This document for people",
      answers: { 200: { schema: z.string(), type: "text/html", description: "A page without scripts" } },
      handle: (c) =>
        c.html(docsPage(z.json().parse(JSON.parse(JSON.stringify(document())))), 200, DOCS_HEADERS),
    },
  ];
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    app.openAPIRegistry.registerComponent("securitySchemes", name, scheme);
  }
  for (const endpoint of endpoints) registerEndpoint(app.openAPIRegistry, endpoint);
  return endpoints;
}

/** Nothing but the one style sheet in the page may act: no script, no other host, no frame. */
const DOCS_HEADERS = {
  "content-security-policy": `default-src 'none'; style-src 'sha256-${toBase64(sha256(STYLE))}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "referrer-policy": "no-referrer",
};

const SECURITY_SCHEMES = {
  apiKey: {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
    description: "A key of one tenant: `sl_live_…`",
  },
  bearer: { type: "http", scheme: "bearer", description: "The same key as a bearer token" },
  operator: { type: "http", scheme: "bearer", description: "The operator token of this deployment" },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-sluice_session",
    description: "Of the console, with `X-CSRF-Token` where something is changed",
  },
  sourceSecret: {
    type: "apiKey",
    in: "header",
    name: "X-Sluice-Secret",
    description: "The secret of a source, in this header, the one that the source names, or its path",
  },
  sourceSignature: {
    type: "apiKey",
    in: "header",
    name: "X-Sluice-Signature",
    description: "`t=<unix>,v1=<hex HMAC-SHA256 of t.body>` with the secret of a source that demands it",
  },
} as const;

function documentHead(deps: ApiDeps) {
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version: "1.0.0",
      description: INTRODUCTION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: deps.publicUrl }],
    tags: [
      { name: "Events", description: "Sending audit events, and asking what became of them" },
      { name: "Destinations", description: "The SIEMs that events go to" },
      { name: "Deliveries", description: "Attempts, statistics and dead letters of a destination" },
      {
        name: "Sources",
        description: "Where alerts come from: Splunk webhooks, and searches that are polled",
      },
      { name: "Sources", description: "Splunk's alerts by webhook, and searches that are polled" },
      { name: "Incidents", description: "What was made of the alerts, and its life cycle" },
      { name: "Vault", description: "Sealed credentials" },
      { name: "Proxy", description: "Using a sealed credential without seeing it" },
      { name: "Proxy", description: "Provider calls for callers who never see the credential" },
      { name: "Keys", description: "A tenant's own keys" },
      { name: "Console", description: "Signing in to the console" },
      { name: "Operator", description: "Tenants, health and metrics of the deployment" },
    ],
  };
}
