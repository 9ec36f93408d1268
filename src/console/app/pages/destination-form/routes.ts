/** The three ways to say what a destination takes, and what comes of them. Pure. */
import { CATEGORIES } from "../../../../model/catalog.ts";
import type { Route } from "../../types.ts";
import type { CatalogEntry, PreviewItem, Routes } from "../destination/model.ts";

export type RouteMode = "everything" | "categories" | "own";

export interface CategoryRow {
  readonly name: string;
  readonly actions: readonly string[];
  readonly index: string;
  readonly enabled: boolean;
}

/** The table as it stands without anybody's changes. */
export const CATEGORY_DEFAULTS: readonly CategoryRow[] = CATEGORIES;

/** A list that is the category table with other indexes or switches is shown as that table. */
export function modeOf(routes: Routes): RouteMode {
  if (typeof routes === "string") return "categories";
  if (routes.length === 0) return "everything";
  return rowsFrom(routes) === null ? "own" : "categories";
}

/** The category table that routes stand for, or null where they are something else. */
export function rowsFrom(routes: Routes): readonly CategoryRow[] | null {
  if (typeof routes === "string") return CATEGORY_DEFAULTS;
  const globs = CATEGORY_DEFAULTS.flatMap(({ actions }) => actions);
  if (routes.length !== globs.length || routes.some(({ match }, at) => match !== globs[at])) return null;
  let at = 0;
  const rows = CATEGORY_DEFAULTS.map(({ name, actions }) => {
    const own = routes.slice(at, at + actions.length);
    at += actions.length;
    const [first] = own;
    const isOne = own.every(({ index, enabled }) => index === first?.index && enabled === first?.enabled);
    return isOne && first !== undefined
      ? { name, actions, index: first.index ?? "", enabled: first.enabled }
      : null;
  });
  const known = rows.filter((row) => row !== null);
  return known.length === rows.length ? known : null;
}

/** The table as the API takes it: by its name while nothing was changed, so that it follows the relay's own. */
export function routesFromRows(rows: readonly CategoryRow[]): Routes {
  const isDefault = rows.every(({ index, enabled }, at) => {
    const row = CATEGORY_DEFAULTS[at];
    return index === row?.index && enabled === row.enabled;
  });
  if (isDefault) return "categories";
  return rows.flatMap(({ actions, index, enabled }) =>
    actions.map((match) => ({ match, enabled, ...(index.trim() === "" ? {} : { index: index.trim() }) })),
  );
}

/** A first list to change: all there is, so that nothing is lost by looking at it. */
export const FIRST_OWN_ROUTE: Route = { match: "*", enabled: true };

export function moved(routes: readonly Route[], at: number, by: -1 | 1): readonly Route[] {
  const [one, other] = [routes[at], routes[at + by]];
  if (one === undefined || other === undefined) return routes;
  return routes.map((route, index) => (index === at ? other : index === at + by ? one : route));
}

/** Where each known action would go, as the relay's own preview says it: for a destination that is not saved yet. */
export function explain(routes: Routes, catalogue: readonly CatalogEntry[]): readonly PreviewItem[] {
  const list = typeof routes === "string" ? categoryRoutes() : routes;
  return catalogue.map(({ action }) => explainOne(list, action));
}

function categoryRoutes(): readonly Route[] {
  return CATEGORY_DEFAULTS.flatMap(({ actions, index, enabled }) =>
    actions.map((match) => ({ match, index, enabled })),
  );
}

function explainOne(list: readonly Route[], action: string): PreviewItem {
  if (list.length === 0) {
    const reason = "The destination has no routes and takes everything";
    return { action, delivered: true, index: null, route: null, reason };
  }
  const position = list.findIndex(({ match }) => matches(match, action));
  const route = list[position];
  if (route === undefined) {
    return { action, delivered: false, index: null, route: null, reason: "No route matches" };
  }
  const { match, enabled, index } = route;
  const reason = `Route ${position + 1} (${match}) matches first${enabled ? "" : " and is switched off"}`;
  return {
    action,
    delivered: enabled,
    index: enabled ? (index ?? null) : null,
    route: { position, match, enabled },
    reason,
  };
}

/** `*` stands for any run of characters, dots included. Walks the parts, so that no pattern can be slow. */
export function matches(glob: string, action: string): boolean {
  const [first = "", ...rest] = glob.split("*");
  const last = rest.pop();
  if (last === undefined) return glob === action;
  if (!action.startsWith(first) || action.length < first.length + last.length || !action.endsWith(last))
    return false;
  let from = first.length;
  const end = action.length - last.length;
  for (const part of rest) {
    const found = action.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}
