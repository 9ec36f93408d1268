import { z } from "zod";
import { Routes } from "../model/destination.ts";
import { ACTION_PATTERN, MAX_EVENTS_PER_REQUEST } from "../model/event.ts";
import { readOptionalBody } from "./body.ts";
import type { ApiContext, ApiDeps, RouteExplanation } from "./context.ts";
import { findDestination } from "./destinations.ts";
import type { Endpoint } from "./endpoint.ts";
import { KNOWN_ACTIONS } from "./known-actions.ts";

const Action = z
  .string()
  .max(200)
  .regex(ACTION_PATTERN, "Expected lower-case words joined by dots, like user.login")
  .meta({ example: "incident.create" });

const PreviewRequest = z
  .strictObject({
    events: z
      .array(z.looseObject({ id: z.string().max(128).optional(), action: Action }))
      .max(MAX_EVENTS_PER_REQUEST)
      .optional()
      .meta({ description: "Events as they would be sent; only `id` and `action` are looked at" }),
    actions: z.array(Action).max(MAX_EVENTS_PER_REQUEST).optional(),
    routes: Routes.optional().meta({ description: "Routes to try instead of the stored ones" }),
  })
  .meta({ id: "RoutePreviewRequest" });

const PreviewItem = z
  .object({
    id: z.string().optional(),
    action: z.string(),
    delivered: z.boolean(),
    index: z.string().nullable().meta({ description: "Null: the destination's own default" }),
    route: z.object({ position: z.int(), match: z.string(), enabled: z.boolean() }).nullable(),
    reason: z.string().meta({ example: "Route 1 (incident.*) matches first" }),
  })
  .meta({ id: "RoutePreviewItem", description: "Where an event would go, and why" });

export function routePreviewEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      method: "post",
      path: "/v1/audit/siem/{id}/routes/preview",
      access: { kind: "tenant", scope: "destinations:read" },
      tag: "Destinations",
      summary: "Preview where events would go",
      description:
        "Sends nothing. With neither `events` nor `actions`, every action of the catalogue is shown; `routes` tries rules before they are saved.",
      body: { content: { "application/json": { schema: PreviewRequest } }, isOptional: true },
      answers: {
        200: { description: "In the order asked", schema: z.object({ data: z.array(PreviewItem) }) },
      },
      handle: (c) => preview(c, deps),
    },
  ];
}

async function preview(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const destination = await findDestination(c, deps);
  const asked = (await readOptionalBody(c, PreviewRequest)) ?? {};
  const { events = [], actions = [], routes = destination.routes } = asked;
  const named = [
    ...events.map(({ id, action }) => ({ ...(id === undefined ? {} : { id }), action })),
    ...actions.map((action) => ({ action })),
  ];
  const shown = named.length > 0 ? named : KNOWN_ACTIONS.map(([action]) => ({ action }));
  const own = typeof destination.config["index"] === "string" ? destination.config["index"] : null;
  const data = shown.map((one): z.input<typeof PreviewItem> => {
    const found = deps.explain(routes, one.action);
    const { wanted, route } = found;
    return {
      ...one,
      delivered: wanted && destination.enabled,
      index: wanted ? (found.index ?? own) : null,
      route: route === null ? null : { position: route.position, match: route.match, enabled: route.enabled },
      reason: destination.enabled ? reasonOf(found) : "The destination is switched off",
    };
  });
  return c.json({ data });
}

/** One sentence for people; routes are counted from 1 as on a page. */
function reasonOf({ hasRoutes, route }: RouteExplanation): string {
  if (!hasRoutes) return "The destination has no routes and takes everything";
  if (route === null) return "No route matches";
  const name = `Route ${route.position + 1} (${route.match})`;
  return route.enabled ? `${name} matches first` : `${name} matches first and is switched off`;
}
