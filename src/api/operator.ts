import { z } from "zod";
import type { ApiDeps } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { PROBLEM_TYPE, problemResponse } from "./problem.ts";

const READY_RETRY_SECONDS = 5;

const Ready = z
  .object({
    status: z.literal("ready"),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), latency_ms: z.number() })),
  })
  .meta({ id: "Readiness" });

export function operatorEndpoints(deps: ApiDeps): readonly Endpoint[] {
  const common = { method: "get", tag: "Operator", isQuiet: true } as const;
  return [
    {
      ...common,
      path: "/healthz",
      access: { kind: "public" },
      summary: "Is the Worker running?",
      description: "Touches nothing else.",
      answers: { 200: { schema: z.object({ status: z.literal("ok") }), description: "It is" } },
      handle: (c) => c.json({ status: "ok" }),
    },
    {
      ...common,
      path: "/readyz",
      access: { kind: "public" },
      summary: "Can the relay work?",
      description: "Whether the queue, the database and the lanes can be reached.",
      answers: { 200: { schema: Ready, description: "Everything answers" } },
      refusals: ["unavailable"],
      handle: () => readyz(deps),
    },
    {
      ...common,
      path: "/metrics",
      access: { kind: "operator" },
      summary: "Metrics for Prometheus",
      description: "Of at most 500 destinations; `sluice_lanes_left_out` says when there are more.",
      answers: {
        200: {
          schema: z.string(),
          type: "text/plain",
          description: "The text exposition format",
          example: "# TYPE sluice_stranded_messages gauge\nsluice_stranded_messages 0\n",
        },
      },
      async handle(c) {
        return c.body(await deps.metrics(), 200, {
          "content-type": "text/plain; version=0.0.4; charset=utf-8",
        });
      },
    },
  ];
}

async function readyz(deps: ApiDeps): Promise<Response> {
  const { ready, checks } = await deps.readiness();
  const shown = checks.map(({ name, ok, latencyMs }) => ({ name, ok, latency_ms: latencyMs }));
  if (ready) return Response.json({ status: "ready", checks: shown });
  const silent = shown.filter(({ ok }) => !ok).map(({ name }) => name);
  const problem = problemResponse(
    {
      code: "unavailable",
      detail: `Not reachable: ${silent.join(", ")}.`,
      retryAfterSeconds: READY_RETRY_SECONDS,
    },
    deps.publicUrl,
  );
  const document = z.record(z.string(), z.unknown()).parse(await problem.json());
  return Response.json(
    { ...document, checks: shown },
    {
      status: problem.status,
      headers: { "content-type": PROBLEM_TYPE, "retry-after": String(READY_RETRY_SECONDS) },
    },
  );
}
