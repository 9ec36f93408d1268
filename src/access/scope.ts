import type { Principal, Scope } from "../model/tenant.ts";

/**
 * Whether the principal's key carries the scope. The operator has none: an operator manages tenants and
 * their first keys, and does not act inside a tenant.
 */
export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.kind === "key" && covers(principal.scopes, scope);
}

/**
 * Whether a key with `own` scopes may make a key with the `asked` ones. `*` needs `*`: it also covers
 * scopes that do not exist yet, which no list of today's scopes does.
 */
export function mayGrant(own: readonly Scope[], asked: readonly Scope[]): boolean {
  return asked.every((scope) => covers(own, scope));
}

/** Those of the asked scopes that a key with `own` scopes may not grant, for the refusal. */
export function beyondGrant(own: readonly Scope[], asked: readonly Scope[]): readonly Scope[] {
  return asked.filter((scope) => !covers(own, scope));
}

function covers(own: readonly Scope[], scope: Scope): boolean {
  return own.includes("*") || own.includes(scope);
}
