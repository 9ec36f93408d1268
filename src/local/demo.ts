import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SimulatorClient } from "../../test/simulator/client.ts";

const SPLUNK_TOKEN = "00000000-0000-4000-8000-00000000c0de";
const DATADOG_KEY = "0123456789abcdef0123456789abcdef";

export interface DemoInput {
  readonly relayUrl: string;
  readonly simulatorUrl: string;
  readonly adminToken: string;
  readonly stateDir: string;
}

export interface Demo extends DemoInput {
  readonly key: string;
  readonly splunkId: string;
}

interface Saved {
  readonly key: string;
  readonly splunkId: string;
}

/** Makes the simulator's two SIEMs, and at the first start a tenant with a key and two destinations; later starts find them again. */
export async function prepareDemo(input: DemoInput): Promise<Demo> {
  const { relayUrl, simulatorUrl, adminToken, stateDir } = input;
  const simulator = new SimulatorClient(simulatorUrl);
  await simulator.splunk("splunk", { tokens: [{ token: SPLUNK_TOKEN, default_index: "main" }] });
  await simulator.datadog("datadog", { api_keys: [DATADOG_KEY] });
  const file = join(stateDir, "demo.json");
  if (existsSync(file)) return { ...input, ...(JSON.parse(readFileSync(file, "utf8")) as Saved) }; // written below
  const operator = { authorization: `Bearer ${adminToken}` };
  const tenant = await post(`${relayUrl}/v1/tenants`, operator, { name: "Demo" });
  const made = await post(`${relayUrl}/v1/tenants/${tenant["id"]}/keys`, operator, {
    name: "demo",
    scopes: ["*"],
  });
  const key = made["key"] ?? "";
  const splunk = await post(
    `${relayUrl}/v1/audit/siem`,
    { "x-api-key": key },
    {
      provider: "splunk",
      name: "Simulated Splunk",
      endpoint: `${simulatorUrl}/splunk/services/collector`,
      token: SPLUNK_TOKEN,
    },
  );
  await post(
    `${relayUrl}/v1/audit/siem`,
    { "x-api-key": key },
    {
      provider: "datadog",
      name: "Simulated Datadog",
      endpoint: `${simulatorUrl}/datadog/api/v2/logs`,
      token: DATADOG_KEY,
    },
  );
  const saved: Saved = { key, splunkId: splunk["id"] ?? "" };
  writeFileSync(file, `${JSON.stringify(saved, null, 2)}\n`, { mode: 0o600 });
  return { ...input, ...saved };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: unknown,
): Promise<Record<string, string>> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, string>;
}

/** Everything to try first, ready to paste. */
export function printDemo({ relayUrl, simulatorUrl, adminToken, key, splunkId, stateDir }: Demo): void {
  console.log(`
Sluice is running.

  Relay            ${relayUrl}   (reference: ${relayUrl}/docs, state in ${stateDir})
  Console          ${relayUrl}/console   (sign in with the tenant key)
  SIEM simulator   ${simulatorUrl}   (a Splunk HEC and a Datadog intake)
  Tenant key       ${key}
  Operator token   ${adminToken}

Send an event:

  curl -s ${relayUrl}/v1/audit/events -H 'X-API-Key: ${key}' -H 'Content-Type: application/json' \\
    -d '{"action":"user.login","actor_id":"user-1"}'

Send 1,000 as NDJSON:

  for i in $(seq 1000); do echo '{"action":"user.login","actor_id":"user-'$i'"}'; done | \\
    curl -s ${relayUrl}/v1/audit/events -H 'X-API-Key: ${key}' -H 'Content-Type: application/x-ndjson' --data-binary @- -o /dev/null -w '%{http_code}\\n'

See what arrived, at Splunk and at Datadog:

  curl -s '${simulatorUrl}/_control/splunk'; curl -s '${simulatorUrl}/_control/datadog'

Break Splunk, watch the destination, and mend it:

  curl -s ${simulatorUrl}/_control/splunk/fault -d '{"mode":"status","status":503}'
  curl -s ${relayUrl}/v1/audit/siem/${splunkId} -H 'X-API-Key: ${key}'
  curl -s -X DELETE ${simulatorUrl}/_control/splunk/fault

Ctrl-C stops everything. The next start goes on with the same state.
`);
}
