import { z } from "zod";
import { unreachable } from "../base/result.ts";
import {
  INCIDENT_STATES,
  type Incident,
  IncidentState,
  incidentNumber,
  PRIORITIES,
  Priority,
} from "../model/incident.ts";
import { viewIncident } from "../model/incident-event.ts";
import { readBody } from "./body.ts";
import type { ApiContext, ApiDeps, IncidentFilter, IncidentRefusal } from "./context.ts";
import { callerOf, type Endpoint, pathId } from "./endpoint.ts";
import { IncidentChangeView, IncidentView, viewChange } from "./incident-view.ts";
import {
  numberedCursor,
  numberedPageRequest,
  PageQuery,
  pageAnswer,
  pageRequest,
  readQuery,
} from "./pagination.ts";
import { notFound, refuse } from "./problem.ts";

const MAX_GROUP_CHARACTERS = 200;
/** Characters of one note; with everything else that an incident's event holds it fits one event. */
const MAX_NOTE_CHARACTERS = 4_000;
const MAX_SEARCH_CHARACTERS = 200;

/** A list in one parameter, as in `state=open,acknowledged`. */
function listed<Name extends string>(names: readonly [Name, ...Name[]]) {
  const message = `Expected one or more of ${names.join(", ")}, with commas between them`;
  return z
    .string()
    .transform((text) => text.split(",").map((name) => name.trim()))
    .pipe(z.array(z.enum(names, message)).max(names.length * 2, message))
    .optional();
}

const text = { type: "string" } as const;
const moment = z.iso
  .datetime({ offset: true, error: "Expected an RFC 3339 time with an offset, like 2026-06-30T12:00:00Z" })
  .optional();

const ListQuery = PageQuery.extend({
  state: listed(INCIDENT_STATES).meta({
    ...text,
    description: "One or more states, with commas between them",
    example: "open,acknowledged",
  }),
  priority: listed(PRIORITIES).meta({
    ...text,
    description: "One or more priorities, with commas between them",
    example: "P1,P2",
  }),
  source_id: z.string().max(200).optional().meta({ description: "Of that source" }),
  q: z
    .string()
    .max(MAX_SEARCH_CHARACTERS, `Expected at most ${MAX_SEARCH_CHARACTERS} characters`)
    .optional()
    .meta({
      description: "In the short description, the message, the search's name or the number",
    }),
  created_after: moment.meta({ description: "At that time or later" }),
  created_before: moment.meta({ description: "Before that time" }),
});

/** Tabs and line breaks are part of a note; other control characters are not. */
const isPrintable = (text: string): boolean => !/\p{Cc}/u.test(text.replaceAll(/[\t\n\r]/g, ""));

const PatchBody = z
  .strictObject({
    state: IncidentState.optional(),
    priority: Priority.optional(),
    assignment_group: z
      .string({ error: "Expected a string, or null for none" })
      .trim()
      .min(1, "Expected a name, or null for none")
      .max(MAX_GROUP_CHARACTERS, `Expected at most ${MAX_GROUP_CHARACTERS} characters`)
      .refine((group) => !/\p{Cc}/u.test(group), "Expected one line of text")
      .nullable()
      .optional(),
    note: z
      .string({ error: "Expected a string" })
      .trim()
      .min(1, "Expected a text")
      .max(MAX_NOTE_CHARACTERS, `Expected at most ${MAX_NOTE_CHARACTERS} characters`)
      .refine(isPrintable, "Expected text without control characters")
      .optional()
      .meta({ description: "Goes into the timeline and into the event" }),
  })
  .meta({
    id: "IncidentPatch",
    description: "What is absent stays as it is; `null` clears the assignment group",
  });

const tag = "Incidents";
const read = { kind: "tenant", scope: "incidents:read" } as const;
const write = { kind: "tenant", scope: "incidents:write" } as const;
const NAMING = "By its id, or by its number, like `INC0000001`.";

export function incidentEndpoints(deps: ApiDeps): readonly Endpoint[] {
  const one = { schema: IncidentView, description: "The incident as it is now" };
  return [
    {
      method: "get",
      path: "/v1/incidents",
      access: read,
      tag,
      summary: "List incidents",
      query: ListQuery,
      answers: {
        200: {
          description: "Newest first",
          schema: z.object({ data: z.array(IncidentView), next_cursor: z.string().nullable() }),
        },
      },
      handle: (c) => list(c, deps),
    },
    {
      method: "get",
      path: "/v1/incidents/{id}",
      access: read,
      tag,
      summary: "Read an incident",
      description: NAMING,
      answers: { 200: one },
      handle: async (c) => c.json(viewIncident(await findIncident(c, deps))),
    },
    {
      method: "patch",
      path: "/v1/incidents/{id}",
      access: write,
      tag,
      summary: "Change an incident",
      description: `${NAMING} From \`open\` to \`acknowledged\`, \`resolved\` or \`closed\`; from \`acknowledged\` to \`resolved\` or \`closed\`; from \`resolved\` back to \`open\` or to \`closed\`, which is the end. The state that it has changes nothing. Every change is an event.`,
      body: {
        content: {
          "application/json": {
            schema: PatchBody,
            example: { state: "acknowledged", assignment_group: "SOC", note: "Looking into it" },
          },
        },
      },
      answers: { 200: one },
      refusals: ["conflict"],
      handle: (c) => change(c, deps),
    },
    {
      method: "get",
      path: "/v1/incidents/{id}/timeline",
      access: read,
      tag,
      summary: "Read what happened to an incident",
      description: NAMING,
      query: PageQuery,
      answers: {
        200: {
          description: "Newest first",
          schema: z.object({ data: z.array(IncidentChangeView), next_cursor: z.string().nullable() }),
        },
      },
      handle: (c) => timeline(c, deps),
    },
  ];
}

async function findIncident(c: ApiContext, deps: ApiDeps): Promise<Incident> {
  const { tenantId } = callerOf(c);
  const digits = /^INC(\d{7,15})$/.exec(c.req.param("id") ?? "")?.[1];
  const found =
    digits === undefined
      ? await deps.incidents.get(tenantId, pathId(c, "incident"))
      : await deps.incidents.byNumber(tenantId, Number(digits));
  return found ?? notFound("incident");
}

async function list(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId } = callerOf(c);
  const query = readQuery(c, ListQuery);
  const filter: IncidentFilter = {
    states: query.state ?? [],
    priorities: query.priority ?? [],
    sourceId: query.source_id ?? null,
    text: query.q === undefined || query.q.trim() === "" ? null : query.q.trim(),
    createdFrom: momentOf(query.created_after),
    createdBefore: momentOf(query.created_before),
  };
  const name = { list: "incidents", of: tenantId };
  const page = await deps.incidents.page(tenantId, filter, pageRequest(c, name));
  return c.json(pageAnswer(page, name, viewIncident));
}

function momentOf(time: string | undefined): number | null {
  return time === undefined ? null : Date.parse(time);
}

async function change(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const { id } = await findIncident(c, deps);
  const { assignment_group: assignmentGroup, ...wanted } = await readBody(c, PatchBody);
  const actor = { actorId: keyId, actorType: "API_KEY" } as const;
  const changed = await deps.changeIncident({ tenantId, id }, { ...wanted, assignmentGroup, actor });
  return changed.ok ? c.json(viewIncident(changed.value)) : refuseChange(changed.error, wanted.state);
}

function refuseChange(refusal: IncidentRefusal, wanted: IncidentState | undefined): never {
  switch (refusal.reason) {
    case "not_found":
      return notFound("incident");
    case "illegal": {
      const { from, legal } = refusal;
      const ways = legal.length === 0 ? "That is the end of it." : `It can become ${legal.join(" or ")}.`;
      return refuse("conflict", `The incident is ${from} and cannot become ${wanted ?? from}. ${ways}`);
    }
    case "succeeded": {
      const { id, number } = refusal.by;
      const which = `${incidentNumber(number)} (${id})`;
      return refuse("conflict", `Its alerts have opened ${which} since, which is live. Work on that one.`);
    }
    case "busy":
      return refuse("conflict", "Others are changing this incident at the same time. Read it and try again.");
    default:
      return unreachable(refusal);
  }
}

async function timeline(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { id, tenantId } = await findIncident(c, deps);
  const name = { list: "incident-timeline", of: id };
  const { items, next } = await deps.incidents.timeline(tenantId, id, numberedPageRequest(c, name));
  return c.json({ data: items.map(viewChange), next_cursor: numberedCursor(name, next) });
}
