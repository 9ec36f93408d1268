import { useState } from "preact/hooks";
import type { Problem, Route } from "../../types.ts";
import { Button } from "../../ui/parts.tsx";
import type { Routes } from "../destination/model.ts";
import {
  CATEGORY_DEFAULTS,
  type CategoryRow,
  FIRST_OWN_ROUTE,
  modeOf,
  moved,
  type RouteMode,
  routesFromRows,
  rowsFrom,
} from "./routes.ts";
import { RoutesPreview } from "./routes-preview.tsx";
import { faultAt } from "./values.ts";

const MODES: readonly (readonly [mode: RouteMode, label: string, hint: string])[] = [
  ["everything", "Everything", "Every event, into the index above or the provider's own."],
  [
    "categories",
    "By category",
    "Events fall into categories by their action; each can have an index of its own.",
  ],
  [
    "own",
    "Routes of your own",
    "The first route that matches an action decides; what matches none is not sent.",
  ],
];

/** What the destination takes, and into which index, with a preview of what comes of it. */
export function RoutesEditor({
  routes,
  destinationId,
  problem,
  onChange,
}: {
  routes: Routes;
  /** Null while it is not saved. */
  destinationId: string | null;
  problem: Problem | null;
  onChange: (routes: Routes) => void;
}) {
  const [mode, setMode] = useState<RouteMode>(() => modeOf(routes));
  const choose = (next: RouteMode): void => {
    setMode(next);
    if (next === "everything") onChange([]);
    if (next === "categories")
      onChange(rowsFrom(routes) === null || routes.length === 0 ? "categories" : routes);
    if (next === "own") onChange(ownFrom(routes));
  };
  return (
    <fieldset class="routes">
      <legend>What it takes</legend>
      {MODES.map(([each, label, hint]) => (
        <label key={each} class="check">
          <input type="radio" name="route-mode" checked={mode === each} onChange={() => choose(each)} />
          <span>
            {label}
            <span class="hint"> {hint}</span>
          </span>
        </label>
      ))}
      {mode === "categories" ? (
        <CategoryTable
          rows={rowsFrom(routes) ?? CATEGORY_DEFAULTS}
          onChange={(rows) => onChange(routesFromRows(rows))}
        />
      ) : null}
      {mode === "own" && typeof routes !== "string" ? (
        <OwnRoutes routes={routes} problem={problem} onChange={onChange} />
      ) : null}
      <RoutesPreview routes={routes} destinationId={destinationId} />
    </fieldset>
  );
}

function ownFrom(routes: Routes): Routes {
  if (typeof routes !== "string" && routes.length > 0) return routes;
  const rows = typeof routes === "string" ? CATEGORY_DEFAULTS : [];
  const own = rows.flatMap(({ actions, index, enabled }) =>
    actions.map((match) => ({ match, index, enabled })),
  );
  return own.length === 0 ? [FIRST_OWN_ROUTE] : own;
}

function CategoryTable({
  rows,
  onChange,
}: {
  rows: readonly CategoryRow[];
  onChange: (rows: readonly CategoryRow[]) => void;
}) {
  const change = (at: number, part: Partial<CategoryRow>): void =>
    onChange(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  return (
    <table class="routes-table">
      <thead>
        <tr>
          <th scope="col">Category</th>
          <th scope="col">Send</th>
          <th scope="col">Index</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, actions, index, enabled }, at) => (
          <tr key={name}>
            <th scope="row">
              {name}
              <span class="sub">{actions.join(", ")}</span>
            </th>
            <td>
              <input
                type="checkbox"
                aria-label={`Send ${name}`}
                checked={enabled}
                onChange={(event) => change(at, { enabled: event.currentTarget.checked })}
              />
            </td>
            <td>
              <input
                type="text"
                aria-label={`Index of ${name}`}
                spellcheck={false}
                disabled={!enabled}
                value={index}
                placeholder="the destination's own"
                onInput={(event) => change(at, { index: event.currentTarget.value })}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function OwnRoutes({
  routes,
  problem,
  onChange,
}: {
  routes: readonly Route[];
  problem: Problem | null;
  onChange: (routes: Routes) => void;
}) {
  const change = (at: number, next: Route): void =>
    onChange(routes.map((route, index) => (index === at ? next : route)));
  return (
    <>
      <ol class="own-routes">
        {routes.map((route, at) => (
          // A route has no name but its place.
          <li key={at}>
            <input
              type="checkbox"
              aria-label={`Route ${at + 1} sends`}
              checked={route.enabled}
              onChange={(event) => change(at, { ...route, enabled: event.currentTarget.checked })}
            />
            <input
              type="text"
              aria-label={`Match of route ${at + 1}`}
              spellcheck={false}
              value={route.match}
              placeholder="incident.*"
              onInput={(event) => change(at, { ...route, match: event.currentTarget.value })}
            />
            <input
              type="text"
              aria-label={`Index of route ${at + 1}`}
              spellcheck={false}
              value={route.index ?? ""}
              placeholder="index"
              onInput={(event) => change(at, withIndex(route, event.currentTarget.value))}
            />
            <span class="actions">
              <Button
                aria-label={`Move route ${at + 1} up`}
                disabled={at === 0}
                onClick={() => onChange(moved(routes, at, -1))}
              >
                ↑
              </Button>
              <Button
                aria-label={`Move route ${at + 1} down`}
                disabled={at === routes.length - 1}
                onClick={() => onChange(moved(routes, at, 1))}
              >
                ↓
              </Button>
              <Button
                aria-label={`Remove route ${at + 1}`}
                disabled={routes.length === 1}
                onClick={() => onChange(routes.filter((_, index) => index !== at))}
              >
                ✕
              </Button>
            </span>
            <Fault text={faultAt(problem, `routes.${at}`)} />
          </li>
        ))}
      </ol>
      <Fault text={routes.length === 0 ? faultAt(problem, "routes") : undefined} />
      <Button onClick={() => onChange([...routes, { match: "", enabled: true }])}>Add route</Button>
    </>
  );
}

function withIndex({ match, enabled }: Route, index: string): Route {
  return index === "" ? { match, enabled } : { match, enabled, index };
}

function Fault({ text }: { text: string | undefined }) {
  return text === undefined ? null : <div class="fault">{text}</div>;
}
