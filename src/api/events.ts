import { z } from "zod";
import { AuditEvent, MAX_EVENTS_PER_REQUEST } from "../model/event.ts";
import type { IngestReceipt } from "../model/ingest.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { callerOf, type Endpoint } from "./endpoint.ts";
import { ProblemError, refuseInput } from "./problem.ts";

const Receipt = z
  .object({
    accepted: z.int().meta({ example: 2 }),
    ids: z.array(z.string()).meta({ description: "In the order of the input" }),
    batch_id: z.string().meta({ description: "Asks later what became of them" }),
    rejected: z
      .array(
        z.object({ index: z.int(), errors: z.array(z.object({ path: z.string(), message: z.string() })) }),
      )
      .optional()
      .meta({ description: "With `on_invalid=skip`: what was not accepted, by index in the input" }),
  })
  .meta({ id: "Receipt" });

const IngestQuery = z.object({
  on_invalid: z.enum(["refuse", "skip"]).optional().meta({
    default: "refuse",
    description: "`refuse`: one invalid event refuses all. `skip`: accept the valid ones",
  }),
});

const IngestHeaders = z.object({
  "idempotency-key": z
    .string()
    .max(255)
    .optional()
    .meta({ description: "The same key and body again within 24 h is accepted once" }),
  "webhook-id": z.string().optional().meta({ description: "Standard Webhooks, for keys that require it" }),
  "webhook-timestamp": z.string().optional(),
  "webhook-signature": z.string().optional().meta({ description: "`v1,<base64>`; several by spaces" }),
});

const event = {
  actor_type: "USER",
  actor_id: "user-uuid",
  action: "user.login",
  outcome: "SUCCESS",
};
const Events = z
  .array(AuditEvent)
  .max(MAX_EVENTS_PER_REQUEST)
  .meta({ description: "At most 1,000 events and 5 MB in one request, 100 KB an event" });

/**
 * The way in. Nothing here looks at the body: reading it once, under its limits, is the pipeline's work,
 * and every microsecond here is paid for each request of every producer.
 */
export function eventEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      method: "post",
      path: "/v1/audit/events",
      access: { kind: "tenant", scope: "events:write" },
      tag: "Events",
      summary: "Send audit events",
      description:
        "The answer comes only when the events are durably buffered; each enabled destination then gets them at least once. The body may be compressed with `Content-Encoding: gzip`.",
      query: IngestQuery,
      headers: IngestHeaders,
      body: {
        description: 'One event, an array, `{"events": [...]}`, or one event a line as NDJSON',
        content: {
          "application/json": {
            schema: z.union([AuditEvent, Events, z.object({ events: Events })]),
            example: { events: [event] },
          },
          "application/x-ndjson": { schema: z.string(), example: `${JSON.stringify(event)}\n` },
        },
      },
      answers: {
        202: {
          schema: Receipt,
          description: "Durably buffered",
          example: { accepted: 1, ids: ["evt_abc123"], batch_id: "bat_abc123" },
        },
      },
      refusals: [
        "malformed_json",
        "invalid_event",
        "invalid_input",
        "bad_signature",
        "stale_signature",
        "payload_too_large",
        "unsupported_media_type",
        "rate_limited",
        "buffer_unavailable",
      ],
      isQuiet: true,
      handle: (c) => accept(c, deps),
    },
  ];
}

async function accept(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId, signingSecret } = callerOf(c);
  const { headers, body } = c.req.raw;
  const onInvalid = onInvalidOf(c);
  const outcome = await deps.ingest({ tenantId, keyId, signingSecret, headers, body, onInvalid });
  if (!outcome.ok) throw new ProblemError(outcome.error);
  return new Response(JSON.stringify(viewReceipt(outcome.value, onInvalid)), {
    status: 202,
    headers: { "content-type": "application/json" },
  });
}

function onInvalidOf(c: ApiContext): "refuse" | "skip" {
  const wanted = c.req.url.includes("?") ? c.req.query("on_invalid") : undefined;
  if (wanted === undefined || wanted === "refuse") return "refuse";
  if (wanted === "skip") return "skip";
  return refuseInput([{ path: "on_invalid", message: "Expected refuse or skip" }]);
}

function viewReceipt(receipt: IngestReceipt, onInvalid: "refuse" | "skip") {
  const taken = { accepted: receipt.accepted, ids: receipt.ids, batch_id: receipt.batchId };
  return onInvalid === "skip" ? { ...taken, rejected: receipt.rejected } : taken;
}
