import type { Principal } from "../model/tenant.ts";
import type { ApiDeps, SignedIn } from "./context.ts";
import type { Access } from "./endpoint.ts";
import { ProblemError } from "./problem.ts";

const AUTH_RETRY_SECONDS = 5;

/**
 * Who is asking, or the end of the request: 401 for nobody we know, 403 for somebody who may not do this.
 *
 * The operator is refused inside tenants: a token that can make tenants should not also be able to read
 * what they send.
 */
export async function admit(request: Request, access: Access, deps: ApiDeps): Promise<Principal | null> {
  if (access.kind === "public" || access.kind === "proof") return null;
  const principal = await identify(request, access, deps);
  if (principal === null) {
    throw new ProblemError(
      {
        code: "unauthenticated",
        detail:
          access.kind === "operator"
            ? "Send the operator token as `Authorization: Bearer …`."
            : "Send a key as `X-API-Key` or `Authorization: Bearer …`. It may have expired or been revoked.",
      },
      { "www-authenticate": 'Bearer realm="sluice"' },
    );
  }
  const refusal = deps.admit?.(principal) ?? null;
  if (refusal !== null) throw new ProblemError(refusal);
  requireRole(principal, access);
  if (access.kind === "tenant" && !deps.hasScope(principal, access.scope)) {
    throw new ProblemError({
      code: "missing_scope",
      detail: `This needs a key with the scope ${access.scope}.`,
    });
  }
  return principal;
}

/** A store that cannot be asked says nothing about the key: the caller should come back, not change the key. */
async function identify(request: Request, access: Access, deps: ApiDeps): Promise<Principal | null> {
  const { headers } = request;
  try {
    // Whoever shows a key is that key, whatever cookie a browser adds.
    if (headers.has("x-api-key") || headers.has("authorization")) return await deps.authenticate(headers);
    const signedIn = await resumeSession(request, deps);
    return signedIn === null ? null : deps.principalOf(signedIn, access.kind === "operator");
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    deps.log("error", "authentication.unavailable", { error });
    throw new ProblemError({
      code: "unavailable",
      detail: "The key could not be checked at the moment. Nothing was done; send the request again.",
      retryAfterSeconds: AUTH_RETRY_SECONDS,
    });
  }
}

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/**
 * Who is signed in to the console, or null. A browser adds its cookie to what any page makes it send, so a
 * request that changes something must also repeat what only the console's own page was told.
 */
export async function resumeSession(
  { method, headers }: Pick<Request, "method" | "headers">,
  deps: Pick<ApiDeps, "sessions">,
): Promise<SignedIn | null> {
  const signedIn = await deps.sessions.resume(headers);
  if (signedIn === null || SAFE_METHODS.includes(method) || deps.sessions.isOwn(signedIn, headers)) {
    return signedIn;
  }
  throw new ProblemError({
    code: "operation_not_allowed",
    detail: "A request with the console's cookie must carry its X-CSRF-Token. Reload the console.",
  });
}

function requireRole(principal: Principal, access: Access): void {
  if (access.kind === "operator" && principal.kind !== "operator") {
    throw new ProblemError({
      code: "operation_not_allowed",
      detail: "This is for the operator; a tenant's key cannot do it.",
    });
  }
  if (access.kind === "tenant" && principal.kind !== "key") {
    throw new ProblemError({
      code: "operation_not_allowed",
      detail:
        "The operator does not act inside a tenant. Use a key of the tenant, or enter it in the console.",
    });
  }
}
