/**
 * Stage 2, route: who wants an event, and under which index. It decides by the action alone,
 * so an event is never parsed again; what to send where is all that it knows.
 */
import { categoryRoutes } from "../../model/catalog.ts";
import type { Route, Routes } from "../../model/destination.ts";

/** What a destination does with an action. `index` null means the destination's own. */
export type Decision = { readonly wanted: true; readonly index: string | null } | { readonly wanted: false };

const EVERYTHING: Decision = { wanted: true, index: null };
const NOTHING: Decision = { wanted: false };

/** Distinct actions remembered per matcher; a producer that invents actions must not fill the memory. */
const MAX_REMEMBERED_ACTIONS = 2_000;

/** Does a glob match? `*` stands for any run of characters, dots included. Linear in practice, never exponential. */
export function matches(glob: string, action: string): boolean {
  const parts = glob.split("*");
  const first = parts[0] ?? "";
  if (parts.length === 1) return glob === action;
  const last = parts[parts.length - 1] ?? "";
  if (!action.startsWith(first) || !action.endsWith(last) || action.length < first.length + last.length)
    return false;
  let from = first.length;
  const end = action.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = action.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

/** Why an action goes where it goes. */
export interface Explanation {
  readonly wanted: boolean;
  readonly index: string | null;
  /** The deciding rule and its position from 0; null where there are no rules or none matches. */
  readonly route: (Route & { readonly position: number }) | null;
  /** Whether the destination has rules at all. */
  readonly hasRoutes: boolean;
}

/** The same decision as `matcher`'s, with its reason: for people, not for the hot path. */
export function explain(routes: Routes, action: string): Explanation {
  const list: readonly Route[] = routes === "categories" ? categoryRoutes() : routes;
  const position = list.findIndex(({ match }) => matches(match, action));
  const route = list[position];
  const decision = matcher(routes)(action);
  return {
    wanted: decision.wanted,
    index: decision.wanted ? decision.index : null,
    route: route === undefined ? null : { ...route, position },
    hasRoutes: list.length > 0,
  };
}

/**
 * Makes the decision function of one destination. No routes: everything, into its own index.
 * With routes, the first that matches decides; one that is switched off decides "no".
 */
export function matcher(routes: Routes): (action: string) => Decision {
  const list: readonly Route[] = routes === "categories" ? categoryRoutes() : routes;
  if (list.length === 0) return () => EVERYTHING;
  const remembered = new Map<string, Decision>();
  return (action) => {
    const known = remembered.get(action);
    if (known !== undefined) return known;
    const route = list.find(({ match }) => matches(match, action));
    const decision: Decision = route?.enabled ? { wanted: true, index: route.index ?? null } : NOTHING;
    if (remembered.size >= MAX_REMEMBERED_ACTIONS) remembered.clear();
    remembered.set(action, decision);
    return decision;
  };
}
