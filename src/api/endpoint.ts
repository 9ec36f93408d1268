import type { z } from "zod";
import type { ErrorCode } from "../base/errors.ts";
import type { Principal, Scope } from "../model/tenant.ts";
import type { ApiContext } from "./context.ts";
import { notFound } from "./problem.ts";

/** Who may call an endpoint. */
export type Access =
  | { readonly kind: "public" }
  /** The handler asks for a proof of its own: a source's secret, or the console's cookie. */
  | { readonly kind: "proof"; readonly by: "source" | "session" }
  | { readonly kind: "operator" }
  | { readonly kind: "tenant"; readonly scope: Scope };

export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` unless it says otherwise. */
  readonly type?: string;
  readonly example?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RequestBody {
  /** What the body must be, by media type: for the document; the handler reads with the same schema. */
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType; readonly example?: unknown }>>;
  readonly isOptional?: boolean;
  readonly description?: string;
}

/**
 * One endpoint: what the document says about it, who may call it, and what it does. Routing, the OpenAPI
 * document, the `Allow` header and the tests of who may do what are all made from the same list of these.
 */
export interface Endpoint {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** As OpenAPI writes it: `/v1/keys/{id}`. */
  readonly path: string;
  readonly access: Access;
  readonly tag:
    | "Events"
    | "Destinations"
    | "Deliveries"
    | "Sources"
    | "Incidents"
    | "Vault"
    | "Proxy"
    | "Keys"
    | "Console"
    | "Operator";
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  /** Header parameters worth documenting; their handler reads them. */
  readonly headers?: z.ZodObject;
  readonly body?: RequestBody;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Beyond those that follow from `access` and `body`. */
  readonly refusals?: readonly ErrorCode[];
  /** Too frequent for a log line each, unless it fails. */
  readonly isQuiet?: boolean;
  readonly handle: (c: ApiContext) => Response | Promise<Response>;
}

/** The tenant's key behind a request to an endpoint for tenants. */
export function callerOf(c: ApiContext): Extract<Principal, { kind: "key" }> {
  const principal = c.get("principal");
  if (principal?.kind !== "key") throw new Error("An endpoint for tenants was reached without a key");
  return principal;
}

/** Ids are short and plain; anything else in their place cannot name anything, so it is not even looked up. */
const ID_PATTERN = /^[a-z]{2,8}_[A-Za-z0-9_-]{1,128}$/;

/** The id in the path. What cannot be an id is answered like one that does not exist. */
export function pathId(c: ApiContext, what: string, name = "id"): string {
  const id = c.req.param(name) ?? "";
  return ID_PATTERN.test(id) ? id : notFound(what);
}
