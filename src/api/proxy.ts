import { z } from "zod";
import { HybridCryptoEnvelope } from "../model/envelope.ts";
import { readBody } from "./body.ts";
import type { ApiDeps } from "./context.ts";
import { callerOf, type Endpoint } from "./endpoint.ts";
import { ProblemError } from "./problem.ts";

/** Strict: the digest in the answer is over these three, so there is nothing else to say. */
const OutboundCall = z
  .strictObject({
    integration_id: z
      .string({ error: "Expected the id of an integration" })
      .regex(/^[!-~]{1,140}$/, "Expected the id of an integration")
      .meta({ description: "`int_…`, or the same record as a destination: `siem_…`" }),
    operation: z
      .string({ error: "Expected an operation" })
      .regex(/^[!-~]{1,100}$/, "Expected an operation, like send_event")
      .meta({ description: "One of the integration's `allowed_operations`" }),
    payload: z
      .record(z.string(), z.unknown(), { error: "Expected an object" })
      .meta({ description: "What the operation takes; see `docs/proxy.md`" }),
  })
  .meta({ id: "OutboundCall" });

const example = {
  integration_id: "int_01978a0c4f2e7d3b8c1a5e6f70819203",
  operation: "send_event",
  payload: {
    event: { action: "vault.seal", tenant: "acme", credential_type: "oauth2_client" },
    sourcetype: "acme:audit",
    index: "security",
  },
};

export function proxyEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      method: "post",
      path: "/api/v2/proxy/outbound",
      access: { kind: "tenant", scope: "proxy:invoke" },
      tag: "Proxy",
      summary: "Have one provider call made, now",
      description:
        "Default-deny: only what `allowed_operations` lists is done. The relay makes one call and never repeats it. What the provider answers, an error too, comes back in an envelope that is encrypted to the caller's registered key and signed twice; verify both signatures before you trust what is inside.",
      body: { content: { "application/json": { schema: OutboundCall, example } } },
      answers: { 200: { schema: HybridCryptoEnvelope, description: "What the provider answered, sealed" } },
      refusals: ["not_found", "conflict"],
      async handle(c) {
        const { tenantId, keyId } = callerOf(c);
        const call = await readBody(c, OutboundCall);
        const answer = await deps.proxy({
          tenantId,
          apiKeyId: keyId,
          integrationId: call.integration_id,
          operation: call.operation,
          payload: call.payload,
        });
        if (!answer.ok) throw new ProblemError(answer.error);
        return c.json(answer.value);
      },
    },
  ];
}
