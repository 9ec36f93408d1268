import { z } from "zod";
import { Priority } from "../model/incident.ts";
import type { TestReport } from "../model/probe.ts";
import type { Source } from "../model/source.ts";
import { AlertSettings } from "../model/source-settings.ts";
import { readOptionalBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { callerOf, type Endpoint } from "./endpoint.ts";
import { refuse } from "./problem.ts";
import { firstAlertCheck } from "./source-view.ts";
import { findSource, sourceCommon } from "./sources.ts";

const Check = z.object({ name: z.string(), ok: z.boolean(), detail: z.string() });
type Check = z.infer<typeof Check>;

const Preview = z.object({
  short_description: z.string(),
  priority: Priority,
  severity: z.string().nullable(),
  assignment_group: z.string().nullable(),
  ci_identifier: z.string().nullable(),
  source_ip: z.string().nullable(),
});

const SourceTest = z
  .object({
    ok: z.boolean(),
    message: z.string(),
    hint: z.string().nullable().meta({ description: "One sentence of fix" }),
    checks: z.array(Check),
    incident_preview: Preview.nullable().meta({
      description: "What the alert given, or a sample, would become",
    }),
  })
  .meta({ id: "SourceTest", description: "A diagnosis; a failed test is still a 200" });

const Sample = z
  .record(z.string(), z.unknown(), { error: "Expected an alert as a JSON object" })
  .meta({ description: "An alert to try the mappings on; a sample when absent" });

const SAMPLE = {
  search_name: "High Error Rate",
  severity: "high",
  host: "app-server-01",
  source: "/var/log/app.log",
  message: "Error rate exceeded 10%",
};

export function sourceTestEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    {
      ...sourceCommon,
      method: "post",
      path: "/v1/sources/{id}/test",
      summary: "Test a source",
      description:
        "Of `splunk_alert`: what is set, whether an alert has come, and what one would become. Of `splunk_es`: address, credentials and search, one by one. Makes no incident.",
      body: { content: { "application/json": { schema: Sample, example: SAMPLE } }, isOptional: true },
      answers: { 200: { schema: SourceTest, description: "What the test found" } },
      refusals: ["unavailable"],
      handle: (c) => test(c, deps),
    },
  ];
}

async function test(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const source = await findSource(c, deps);
  const sample = await readOptionalBody(c, Sample);
  const found =
    source.kind === "splunk_alert"
      ? testAlerts(source, sample, deps)
      : viewReport(source, await askPoller(source, deps));
  await deps.record({
    tenantId: source.tenantId,
    actorId: callerOf(c).keyId,
    action: "source.test",
    resourceType: "source",
    resourceId: source.id,
    metadata: { ok: found.ok },
  });
  return c.json(found);
}

function testAlerts(
  source: Source,
  sample: Readonly<Record<string, unknown>> | null,
  deps: ApiDeps,
): z.input<typeof SourceTest> {
  const preview = deps.previewAlert(source, sample ?? SAMPLE);
  const mapping: Check = preview.ok
    ? { name: "mapping", ok: true, detail: `It would be a ${preview.value.priority}` }
    : { name: "mapping", ok: false, detail: preview.error.detail };
  const checks = [enabledCheck(source), proofCheck(source), firstAlertCheck(source), mapping];
  return {
    ...verdictOf(checks),
    checks,
    incident_preview: preview.ok
      ? {
          short_description: preview.value.shortDescription,
          priority: preview.value.priority,
          severity: preview.value.severity,
          assignment_group: preview.value.assignmentGroup,
          ci_identifier: preview.value.ciIdentifier,
          source_ip: preview.value.sourceIp,
        }
      : null,
  };
}

function enabledCheck({ enabled }: Source): Check {
  return {
    name: "enabled",
    ok: enabled,
    detail: enabled ? "It is switched on" : "It is switched off; switch it on",
  };
}

/** Every source has a proof; which one is what people get wrong. */
function proofCheck(source: Source): Check {
  const { hmac, secret_header, allow_path_secret } = AlertSettings.parse(source.config);
  const named = secret_header === undefined ? "" : `, ${secret_header}`;
  const path = allow_path_secret ? ", or a secret at the end of the path" : "";
  const detail =
    hmac === false
      ? `Expects the secret in X-Sluice-Secret${named} or Authorization${path}`
      : `Expects a signature in ${hmac === true ? "X-Sluice-Signature" : hmac.header}`;
  return { name: "proof", ok: true, detail };
}

function verdictOf(checks: readonly Check[]) {
  const failed = checks.find(({ ok }) => !ok);
  if (failed === undefined) return { ok: true, message: "Alerts arrive", hint: null };
  const hint = failed.name === "first_alert" ? "Follow the source's setup sheet, or run its curl." : null;
  return { ok: false, message: failed.detail, hint };
}

async function askPoller({ tenantId, id }: Source, deps: ApiDeps): Promise<TestReport> {
  try {
    return await deps.pollers(tenantId, id).test();
  } catch (error) {
    deps.log("error", "source.poller_not_asked", { tenant_id: tenantId, source_id: id, error });
    return refuse("unavailable", "The poller of this source does not answer at the moment. Try again.");
  }
}

function viewReport(source: Source, report: TestReport): z.input<typeof SourceTest> {
  const found = report.checks.map(({ name, ok, detail }) => ({ name, ok, detail }));
  return {
    ok: report.ok && source.enabled,
    message: report.message,
    hint: report.hint,
    checks: [enabledCheck(source), ...found],
    incident_preview: null,
  };
}
