import { eventually, type Json } from "../node/support/relay.ts";
import type { Stage } from "./stage.ts";

/** A tenant in which something of everything has happened: what is well, what is not, and what needs a person. */
export interface Furnished {
  readonly tenantId: string;
  readonly key: string;
  /** A key that can read and change nothing. */
  readonly viewerKey: string;
  readonly batchId: string;
  readonly incident: string;
  readonly alertSource: string;
  readonly polledSource: string;
  /** Delivers. */
  readonly wellId: string;
  /** Answers 503. */
  readonly brokenId: string;
  /** Has refused two events. */
  readonly poisonedId: string;
}

export const VIEWER_SCOPES = ["destinations:read", "incidents:read", "audit:read"];
const TOKEN = "00000000-0000-4000-8000-00000000c0de";
const DATADOG_KEY = "0123456789abcdef0123456789abcdef";
const ALERT_SECRET = "correct-horse-battery-staple";
/** What the receiver refuses in an event. */
export const POISON = "poison-pill";

export async function furnish(stage: Stage, name = "Acme Bank"): Promise<Furnished> {
  const { relay, siem } = stage;
  const tenantId = text(await made(stage, "/v1/tenants", null, { name }), "id");
  const keyOf = async (keyName: string, scopes: readonly string[]): Promise<string> =>
    text(await made(stage, `/v1/tenants/${tenantId}/keys`, null, { name: keyName, scopes }), "key");
  const key = await keyOf("Platform team", ["*"]);
  const viewerKey = await keyOf("SOC read-only", VIEWER_SCOPES);
  const post = (path: string, body: Json): Promise<Json> => made(stage, path, key, body);
  const destination = async (body: Json): Promise<string> => text(await post("/v1/audit/siem", body), "id");

  const tokens = [{ token: TOKEN, default_index: "main" }];
  await siem.splunk("well", { tokens });
  await siem.splunk("poisoned", { tokens });
  await siem.fault("poisoned", { mode: "poison", pattern: POISON });
  await siem.datadog("broken", { api_keys: [DATADOG_KEY] });
  await siem.webhook("paused", { secrets: ["paused-secret-of-the-tests"] });
  const wellId = await destination({
    provider: "splunk",
    name: "SOC Splunk, Frankfurt",
    endpoint: siem.endpoint("well"),
    token: TOKEN,
    config: { index: "main" },
  });
  const poisonedId = await destination({
    provider: "splunk",
    name: "Compliance archive",
    endpoint: siem.endpoint("poisoned"),
    token: TOKEN,
  });
  const brokenId = await destination({
    provider: "datadog",
    name: "Datadog EU, production",
    endpoint: `${siem.endpoint("broken")}/api/v2/logs`,
    token: DATADOG_KEY,
  });
  await destination({
    provider: "webhook",
    name: "Data lake",
    endpoint: siem.endpoint("paused"),
    secret: "paused-secret-of-the-tests",
    enabled: false,
  });
  const polledSource = text(
    await post("/v1/sources", {
      kind: "splunk_es",
      name: "Enterprise Security",
      rest_url: await siem.splunkSearch("es", { tokens: ["es-token"] }),
      token: "es-token",
    }),
    "id",
  );
  const alertSource = text(
    await post("/v1/sources", { kind: "splunk_alert", name: "SOC alerts", secret: ALERT_SECRET }),
    "id",
  );
  await post("/api/v2/vault/seal", {
    name: "Splunk HEC, production",
    credential_type: "api_key",
    values: { api_key: TOKEN },
  });
  await post("/v1/keys", { name: "Trust registry", scopes: ["events:write"], require_signature: true });

  await siem.fault("broken", { mode: "status", status: 503 });
  const incident = await incidents(stage, key, alertSource);
  await relay.send(key, logins("warm", 240));
  const [batchId = ""] = await relay.send(key, logins("event", 12));
  await relay.send(key, [
    { id: "evt-poison-1", action: "user.update", actor_id: "user-7", metadata: { note: POISON } },
    { id: "evt-poison-2", action: "user.update", actor_id: "user-8", metadata: { note: POISON } },
  ]);
  await eventually(async () => {
    const seen = await relay.call("GET", `/v1/audit/siem/${poisonedId}`, { key });
    return seen.body["dead_letters"] === 2;
  });
  await eventually(async () => {
    const seen = await relay.call("GET", `/v1/audit/siem/${brokenId}`, { key });
    return seen.body["status"] === "degraded";
  });
  return {
    tenantId,
    key,
    viewerKey,
    batchId,
    incident,
    alertSource,
    polledSource,
    wellId,
    brokenId,
    poisonedId,
  };
}

/** Three incidents in three states. @returns the number of the one with the longest story */
async function incidents(stage: Stage, key: string, source: string): Promise<string> {
  const alert = async (body: Json): Promise<string> => {
    const path = `/api/webhooks/inbound/splunk/${source}`;
    const headers = { "x-sluice-secret": ALERT_SECRET };
    return text((await stage.relay.call("POST", path, { key, body, headers })).body, "number");
  };
  const change = (number: string, body: Json): Promise<unknown> =>
    stage.relay.call("PATCH", `/v1/incidents/${number}`, { key, body });
  const brute = {
    search_name: "Brute force against the admin console",
    severity: "critical",
    host: "edge-fra-02",
    message: "412 failed logins from one address in 5 minutes",
    source: "203.0.113.77",
  };
  const first = await alert(brute);
  await alert({ ...brute, message: "901 failed logins from one address in 5 minutes", result_count: "901" });
  await change(first, { state: "acknowledged", assignment_group: "Identity", note: "Blocked at the edge." });
  await alert({
    search_name: "High error rate",
    severity: "high",
    host: "app-server-01",
    message: "Error rate exceeded 10 %",
  });
  const last = await alert({ search_name: "Disk nearly full", severity: "low", host: "db-03" });
  await change(last, { state: "resolved", note: "Old logs removed." });
  return first;
}

function logins(prefix: string, amount: number): readonly Json[] {
  return Array.from({ length: amount }, (_, at) => ({
    id: `evt-${prefix}-${at}`,
    action: "user.login",
    actor_id: `user-${at % 40}`,
    service: "web",
  }));
}

/** @param key null: the operator's own token */
async function made(stage: Stage, path: string, key: string | null, body: Json): Promise<Json> {
  const answer = await stage.relay.call("POST", path, { ...(key === null ? {} : { key }), body });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

function text(body: Json, name: string): string {
  return String(body[name]);
}

/** Every page of the console, by a name of its own, for whoever may see everything. */
export function placesOf(found: Furnished): Readonly<Record<string, string>> {
  const siem = "#/settings/audit/siem";
  return {
    overview: "#/",
    events: "#/events",
    batch: `#/events/${found.batchId}`,
    incidents: "#/incidents?state=&priority=&q=",
    incident: `#/incidents/${found.incident}`,
    destinations: siem,
    "destination-new": `${siem}/new`,
    "destination-form": `${siem}/new/splunk`,
    "destination-edit": `${siem}/${found.wellId}/edit`,
    "destination-health": `${siem}/${found.wellId}/health`,
    "destination-broken": `${siem}/${found.brokenId}/health`,
    "destination-deliveries": `${siem}/${found.poisonedId}/deliveries`,
    "destination-dead-letters": `${siem}/${found.poisonedId}/dead-letters`,
    "destination-settings": `${siem}/${found.wellId}/settings`,
    sources: "#/settings/sources",
    "source-new": "#/settings/sources/new",
    source: `#/settings/sources/${found.alertSource}`,
    "source-polled": `#/settings/sources/${found.polledSource}`,
    keys: "#/settings/keys",
    vault: "#/settings/vault",
    tenants: "#/tenants",
    nowhere: "#/nowhere",
  };
}
