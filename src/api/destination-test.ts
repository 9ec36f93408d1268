import { z } from "zod";
import { ID_PREFIX, newId } from "../base/ids.ts";
import type { TestReport } from "../model/probe.ts";
import type { SettingsFault } from "../model/provider.ts";
import { readBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { createBody } from "./destination-bodies.ts";
import { draftNew } from "./destination-draft.ts";
import { providerOf, readChange } from "./destination-input.ts";
import { findShared, openSecrets } from "./destination-secrets.ts";
import { AnyObject, adapterOf, findDestination } from "./destinations.ts";
import { callerOf, type Endpoint } from "./endpoint.ts";

const TestAnswer = z
  .object({
    ok: z.boolean(),
    latency_ms: z.number().nullable(),
    http_status: z.int().nullable(),
    provider_code: z.union([z.string(), z.number()]).nullable(),
    message: z.string().meta({ example: "The HEC token was refused" }),
    hint: z.string().nullable().meta({ description: "One sentence of fix" }),
    acknowledgement: z.enum(["on", "off"]).nullable().meta({ description: "Splunk's, as the token has it" }),
    checks: z
      .array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() }))
      .meta({ description: "The stages in the order in which they were tried" }),
  })
  .meta({ id: "ConnectionTest", description: "A diagnosis; a failed test is still a 200" });

const answer = { 200: { schema: TestAnswer, description: "What the test found" } };
const access = { kind: "tenant", scope: "destinations:write" } as const;

export function destinationTestEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      method: "post",
      path: "/v1/audit/siem/test",
      access,
      tag: "Destinations",
      summary: "Test a destination that is not saved",
      description: "Sends one `siem.test_connection` event with these settings. Nothing is stored.",
      body: createBody(deps.providers),
      answers: answer,
      async handle(c) {
        const { tenantId } = callerOf(c);
        const body = await readBody(c, AnyObject);
        const provider = providerOf(body, deps.providers);
        const now = deps.now();
        const at = { id: newId(ID_PREFIX.destination, now), tenantId, now };
        const wanted = readChange(body, provider, false);
        const { credential_id } = wanted.fields;
        const shared = credential_id ? await findShared(tenantId, credential_id, deps) : null;
        const { connector } = draftNew(wanted, provider, at, { deps, shared });
        return c.json(viewReport(await deps.diagnose(connector, tenantId)));
      },
    },
    {
      method: "post",
      path: "/v1/audit/siem/{id}/test",
      access,
      tag: "Destinations",
      summary: "Test a destination",
      description: "Sends one `siem.test_connection` event now, past the queue, with the stored settings.",
      answers: answer,
      handle: (c) => testStored(c, deps),
    },
  ];
}

async function testStored(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const destination = await findDestination(c, deps);
  const { id, endpoint, config } = destination;
  const provider = adapterOf(destination, deps.providers);
  const connected = provider.connect({
    destinationId: id,
    endpoint: endpoint === "" ? null : endpoint,
    config,
    secrets: (await openSecrets(destination, provider, deps)) ?? {}, // what is missing then is a finding
  });
  const report = connected.ok
    ? await deps.diagnose(connected.value, destination.tenantId)
    : settingsReport(connected.error);
  await deps.record({
    tenantId: destination.tenantId,
    actorId: callerOf(c).keyId,
    action: "siem.test",
    resourceType: "siem_destination",
    resourceId: id,
    metadata: { ok: report.ok, http_status: report.httpStatus, provider_code: report.providerCode },
  });
  return c.json(viewReport(report));
}

/** Stored settings can outlive the schema that once took them; that is a finding like any other. */
function settingsReport(faults: readonly SettingsFault[]): TestReport {
  return {
    ok: false,
    latencyMs: null,
    httpStatus: null,
    providerCode: null,
    message: "The stored settings are not acceptable any more; nothing was sent.",
    hint: `Change ${faults.map(({ path }) => path).join(", ")} and test again.`,
    acknowledgement: null,
    checks: faults.map(({ path, message }) => ({ name: `settings: ${path}`, ok: false, detail: message })),
  };
}

function viewReport(report: TestReport): z.input<typeof TestAnswer> {
  return {
    ok: report.ok,
    latency_ms: report.latencyMs,
    http_status: report.httpStatus,
    provider_code: report.providerCode,
    message: report.message,
    hint: report.hint,
    acknowledgement: report.acknowledgement,
    checks: report.checks.map(({ name, ok, detail }) => ({ name, ok, detail })),
  };
}
