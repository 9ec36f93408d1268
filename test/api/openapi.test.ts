import { describe, it } from "vitest";
import { z } from "zod";
import { endpointsOf } from "../../src/api/app.ts";
import type { Access } from "../../src/api/endpoint.ts";
import { codesOf } from "../../src/api/openapi.ts";
import { sha256, toBase64 } from "../../src/base/bytes.ts";
import { ERRORS } from "../../src/base/errors.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";
import { splunkBody } from "../support/builders.ts";
import { FakeApi } from "../support/fake-api.ts";

type Json = Readonly<Record<string, unknown>>;

const api = new FakeApi();
const endpoints = endpointsOf(api.deps);

interface Media {
  readonly schema?: Json;
  readonly example?: unknown;
}
interface Operation {
  readonly operationId: string;
  readonly security: readonly Json[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>>; readonly required: boolean };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Json>>;
    readonly securitySchemes: Json;
  };
}

async function read(): Promise<Document> {
  return (await (await api.fetch("GET", "/openapi.json")).json()) as Document;
}

/** A schema of the document with everything that it refers to put in place. */
function inline(schema: unknown, document: Document): unknown {
  if (Array.isArray(schema)) return schema.map((each) => inline(each, document));
  if (typeof schema !== "object" || schema === null) return schema;
  const reference = (schema as Json)["$ref"];
  if (typeof reference === "string") {
    const name = reference.replace("#/components/schemas/", "");
    if (document.components.schemas[name] === undefined) throw new Error(`${reference} leads nowhere`);
    return inline(document.components.schemas[name], document);
  }
  return Object.fromEntries(Object.entries(schema).map(([name, inner]) => [name, inline(inner, document)]));
}

/** Whether a value is what the document says. */
function check(schema: Json | undefined, value: unknown, document: Document): void {
  const validator = z.fromJSONSchema(
    inline(schema ?? {}, document) as Parameters<typeof z.fromJSONSchema>[0],
  );
  validator.parse(value);
}

describe("the OpenAPI document", () => {
  it("is version 3.1 and describes every endpoint, once, with its own operation id", async ({ expect }) => {
    const document = await read();
    expect(document.openapi).toBe("3.1.0");
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const served = endpoints.map(({ method, path }) => `${method} ${path}`);
    expect(described.toSorted()).toEqual([...served, "get /docs", "get /openapi.json"].toSorted());
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("says for each endpoint who may call it, what it takes, and every refusal", async ({ expect }) => {
    const document = await read();
    for (const endpoint of endpoints) {
      const operation = document.paths[endpoint.path]?.[endpoint.method];
      const { access } = endpoint;
      expect(operation?.security).toEqual(securityOf(access));
      expect(operation?.requestBody === undefined).toBe(endpoint.body === undefined);
      for (const [, name] of endpoint.path.matchAll(/\{(\w+)\}/g)) {
        expect(operation?.parameters).toContainEqual(expect.objectContaining({ name, in: "path" }));
      }
      for (const code of codesOf(endpoint)) {
        const answer = operation?.responses[String(ERRORS[code].status)];
        expect(answer?.content?.["application/problem+json"]?.schema).toEqual({
          $ref: "#/components/schemas/Problem",
        });
      }
    }
    expect(Object.keys(document.components.securitySchemes)).toEqual([
      "apiKey",
      "bearer",
      "operator",
      "session",
      "sourceSecret",
      "sourceSignature",
    ]);
  });

  it("has only examples that its own schemas accept", async ({ expect }) => {
    const document = await read();
    let checked = 0;
    for (const methods of Object.values(document.paths)) {
      for (const { requestBody, responses } of Object.values(methods)) {
        const contents = [requestBody?.content, ...Object.values(responses).map(({ content }) => content)];
        for (const { schema, example } of contents.flatMap((content) => Object.values(content ?? {}))) {
          if (example === undefined) continue;
          check(schema, example, document);
          checked += 1;
        }
      }
    }
    for (const schema of Object.values(document.components.schemas)) {
      for (const property of Object.values((schema["properties"] ?? {}) as Record<string, Json>)) {
        if (property["example"] === undefined) continue;
        check(property, property["example"], document);
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(50);
  });

  it("has a body for each endpoint that takes one, which the endpoint takes", async ({ expect }) => {
    const document = await read();
    const create = document.paths["/v1/audit/siem"]?.["post"]?.requestBody?.content["application/json"];
    const fresh = new FakeApi();
    const made = await fresh.json("POST", "/v1/audit/siem", {
      key: fresh.key("ten_a"),
      body: create?.example,
    });
    expect(made.status).toBe(201);
    const path = `/v1/audit/siem/${made.body["id"]}`;
    for (const method of ["put", "patch"] as const) {
      const media = document.paths["/v1/audit/siem/{id}"]?.[method]?.requestBody?.content["application/json"];
      const answer = await fresh.json(method.toUpperCase(), path, {
        key: fresh.key("ten_a"),
        body: media?.example,
      });
      expect(answer.status).toBe(200);
    }
  });

  it("describes the answers that are given", async ({ expect }) => {
    const document = await read();
    const fresh = new FakeApi();
    const key = fresh.key("ten_a");
    const schemaOf = (method: string, path: string, status: number) =>
      document.paths[path]?.[method]?.responses[String(status)]?.content?.["application/json"]?.schema;
    const made = await fresh.json("POST", "/v1/audit/siem", { key, body: splunkBody() });
    check(schemaOf("post", "/v1/audit/siem", 201), made.body, document);
    for (const [path, real] of [
      ["/v1/audit/siem", "/v1/audit/siem"],
      ["/v1/audit/siem/{id}", `/v1/audit/siem/${made.body["id"]}`],
      ["/v1/audit/siem/{id}/stats", `/v1/audit/siem/${made.body["id"]}/stats`],
      ["/v1/audit/siem/{id}/deliveries", `/v1/audit/siem/${made.body["id"]}/deliveries`],
      ["/v1/keys", "/v1/keys"],
      ["/readyz", "/readyz"],
    ] as const) {
      const answer = await fresh.json("GET", real, { key });
      const schema = schemaOf("get", path, 200);
      expect([path, schema]).not.toEqual([path, undefined]);
      check(schema, answer.body, document);
    }
    const problem = await fresh.json("POST", "/v1/audit/siem", { key, body: { provider: "x" } });
    check(document.components.schemas["Problem"], problem.body, document);
  });
});

it("describes the real providers as well, and they take the example", async ({ expect }) => {
  const real = new FakeApi({ providers: PROVIDERS });
  const document = (await (await real.fetch("GET", "/openapi.json")).json()) as Document;
  const create = document.paths["/v1/audit/siem"]?.["post"]?.requestBody?.content["application/json"];
  check(create?.schema, create?.example, document);
  const kinds = JSON.stringify(document.components.schemas["NewDestination"]);
  for (const { kind } of PROVIDERS) expect(kinds).toContain(`"${kind}"`);
  const made = await real.json("POST", "/v1/audit/siem", { key: real.key("ten_a"), body: create?.example });
  expect([made.status, made.text]).toEqual([201, expect.any(String)]);
});

describe("the page for people", () => {
  it("is one self-contained document under a policy that allows only its own style", async ({ expect }) => {
    const answer = await api.fetch("GET", "/docs");
    const page = await answer.text();
    const policy = answer.headers.get("content-security-policy") ?? "";
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${toBase64(sha256(style))}'`);
    expect(page).not.toMatch(/<script|<img|<link|<iframe|\son\w+=|style="|src=/);
    expect(page).not.toMatch(/href="https?:/);
  });

  it("shows every endpoint, and has an anchor for every error code", async ({ expect }) => {
    const page = await (await api.fetch("GET", "/docs")).text();
    for (const { path, summary } of endpoints) {
      expect(page).toContain(`<code>${path}</code>`);
      expect(page).toContain(summary.replaceAll("'", "&#39;"));
    }
    for (const code of Object.keys(ERRORS)) expect(page).toContain(`id="${code}"`);
  });
});

/** What the document must say about who may call an endpoint. */
function securityOf(access: Access): unknown[] {
  switch (access.kind) {
    case "public":
      return [];
    case "operator":
      return [{ operator: [] }];
    case "tenant":
      return [{ apiKey: [access.scope] }, { bearer: [access.scope] }];
    case "proof":
      return access.by === "session" ? [{ session: [] }] : [{ sourceSecret: [] }, { sourceSignature: [] }];
  }
}
