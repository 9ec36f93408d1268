import { constantTimeEqual } from "../base/bytes.ts";
import type { Secret } from "../base/secret.ts";
import type { Principal } from "../model/tenant.ts";

/**
 * The operator, when the presented bearer token is the configured one; null otherwise.
 * Without a configured token nobody is the operator: an empty setting must not match an empty header.
 * Comparison takes constant time.
 */
export function operatorPrincipal(
  adminToken: Secret<string> | null,
  presented: string | null,
): Principal | null {
  const expected = adminToken?.reveal() ?? "";
  if (expected === "" || presented === null || presented === "") return null;
  return constantTimeEqual(expected, presented) ? { kind: "operator" } : null;
}
