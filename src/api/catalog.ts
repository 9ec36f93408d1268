import { z } from "zod";
import { CATEGORIES } from "../model/catalog.ts";
import type { Endpoint } from "./endpoint.ts";
import { KNOWN_ACTIONS } from "./known-actions.ts";

const CatalogEntry = z
  .object({
    action: z.string().meta({ example: "incident.create" }),
    description: z.string().meta({ example: "An incident was opened" }),
    category: z.string().nullable().meta({ description: "Its forwarding category", example: "incident" }),
    default_index: z
      .string()
      .nullable()
      .meta({ description: 'With `"routes": "categories"`', example: "itsm_incidents" }),
    enabled_by_default: z
      .boolean()
      .meta({ description: 'Whether a destination with `"routes": "categories"` takes it' }),
  })
  .meta({ id: "CatalogEntry" });

/** A fixed list: it says what is usual, and refuses nothing. */
export function catalogEndpoints(): readonly Endpoint[] {
  return [
    {
      method: "get",
      path: "/v1/audit/catalog",
      access: { kind: "tenant", scope: "audit:read" },
      tag: "Events",
      summary: "List the known event names",
      description: "Actions outside this list are welcome.",
      answers: {
        200: {
          description: "All of them, on one page",
          schema: z.object({ data: z.array(CatalogEntry), next_cursor: z.null() }),
        },
      },
      handle: (c) => c.json({ data: KNOWN_ACTIONS.map(viewEntry), next_cursor: null }),
    },
  ];
}

function viewEntry([action, description]: readonly [string, string]): z.input<typeof CatalogEntry> {
  // The table's globs all end in `.*`; what a destination is sent is decided by the routing stage, not here.
  const category = CATEGORIES.find(({ actions }) =>
    actions.some((glob) => action.startsWith(glob.slice(0, -1))),
  );
  return {
    action,
    description,
    category: category?.name ?? null,
    default_index: category?.index ?? null,
    enabled_by_default: category?.enabled ?? false,
  };
}
