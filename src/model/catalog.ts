import type { Route } from "./destination.ts";

/** A group of actions that is forwarded, or not, as one. */
export interface Category {
  readonly name: string;
  /** Globs over actions. */
  readonly actions: readonly string[];
  /** Splunk index that its events go to unless the destination says otherwise. */
  readonly index: string;
  readonly enabled: boolean;
}

/** The forwarding table that a destination with `"routes": "categories"` starts from. First match decides. */
export const CATEGORIES: readonly Category[] = [
  { name: "incident", actions: ["incident.*"], index: "itsm_incidents", enabled: true },
  { name: "change", actions: ["change.*"], index: "itsm_changes", enabled: true },
  { name: "auth", actions: ["user.*", "auth.*", "organization.auth.*"], index: "itsm_auth", enabled: true },
  { name: "ai", actions: ["ai.*"], index: "itsm_ai", enabled: false },
  { name: "api", actions: ["api.*", "api-key.*"], index: "itsm_api", enabled: false },
];

/** The table as routes. */
export function categoryRoutes(): readonly Route[] {
  return CATEGORIES.flatMap(({ actions, index, enabled }) =>
    actions.map((match) => ({ match, index, enabled })),
  );
}
