import { z } from "zod";
import { IncidentState, incidentNumber, Priority, type RaisedIncident } from "../model/incident.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { ProblemError } from "./problem.ts";
import { GATEWAY_PREFIX, INBOUND_PATH } from "./source-setup.ts";

const AlertAnswer = z
  .object({
    incident_id: z.string().meta({ example: "inc_01978a0c4f2e7d3b8c1a5e6f70819203" }),
    number: z.string().meta({ example: "INC0000001" }),
    priority: Priority,
    status: IncidentState,
    deduplicated: z.boolean().meta({ description: "Whether the incident was there before" }),
  })
  .meta({ id: "AlertAnswer" });

const AlertHeaders = z.object({
  "x-sluice-secret": z.string().optional().meta({ description: "The source's secret" }),
  "x-sluice-signature": z
    .string()
    .optional()
    .meta({ description: "`t=<unix>,v1=<hex>`, for a source that demands signatures" }),
});

const AlertBody = z.record(z.string(), z.unknown()).meta({
  id: "SplunkAlert",
  description: "The payload template, or Splunk's own body with `sid`, `search_name` and `result`",
});

const EXAMPLE = {
  search_name: "High Error Rate",
  severity: "high",
  host: "app-server-01",
  message: "Error rate exceeded 10%",
  priority: "P2",
  assignment_group: "Platform Engineering",
};

/** The three forms of the path, each also as gateways of other products publish it. */
const PATHS = ["", "/{source_id}", "/{source_id}/{path_secret}"].flatMap((end) =>
  ["", GATEWAY_PREFIX].map((prefix) => `${prefix}${INBOUND_PATH}${end}`),
);

/**
 * Splunk's way in. Without a key, because Splunk has none: each source proves its sender in a way of its own. Never
 * answers with a redirect, which Splunk's webhook would follow with a GET.
 */
export function inboundSplunkEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return PATHS.map((path) => ({
    method: "post",
    path,
    access: { kind: "proof", by: "source" },
    tag: "Sources",
    summary: "Take a Splunk alert",
    description:
      "Proved by the source's secret in `X-Sluice-Secret`, in the header that the source names, in `Authorization`, or at the end of the path; or by a signature, where the source demands one.",
    headers: AlertHeaders,
    body: { content: { "application/json": { schema: AlertBody, example: EXAMPLE } } },
    answers: {
      201: { schema: AlertAnswer, description: "An incident was opened" },
      200: {
        schema: AlertAnswer,
        description: "It adds to an incident that is still open, or was taken before",
      },
    },
    refusals: ["stale_signature", "conflict"],
    handle: (c) => take(c, deps),
  }));
}

async function take(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { headers, body } = c.req.raw;
  const sourceId = c.req.param("source_id") ?? null;
  const pathSecret = c.req.param("path_secret") ?? null;
  const taken = await deps.receiveAlert({ headers, body, sourceId, pathSecret });
  if (!taken.ok) throw new ProblemError(taken.error);
  const { incident, outcome, source } = taken.value;
  deps.log("info", "alert.taken", {
    request_id: c.get("requestId"),
    tenant_id: source.tenantId,
    source_id: source.id,
    incident_id: incident.id,
    outcome,
  });
  return c.json(viewRaised(taken.value), outcome === "created" ? 201 : 200);
}

function viewRaised({ incident, outcome }: RaisedIncident): z.input<typeof AlertAnswer> {
  return {
    incident_id: incident.id,
    number: incidentNumber(incident.number),
    priority: incident.priority,
    status: incident.state,
    deduplicated: outcome !== "created",
  };
}
