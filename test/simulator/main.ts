/**
 * Runs the simulator with two instances, `splunk` and `datadog`, until told to stop.
 *
 *   node test/simulator/main.ts --port 8190 --splunk-token <token> --datadog-key <key>
 *
 * Prints one JSON line when it is ready. `--count-only` keeps ids and no bodies, for load tests.
 */
import { parseArgs } from "node:util";
import { SimulatorClient } from "./client.ts";
import { startSimulator } from "./server.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    "splunk-token": { type: "string", default: "00000000-0000-0000-0000-000000000000" },
    "datadog-key": { type: "string", default: "simulated-datadog-key" },
    "count-only": { type: "boolean", default: false },
  },
});

const simulator = await startSimulator({ host: values.host, port: Number(values.port) });
const client = new SimulatorClient(simulator.url);
const storage = { count_only: values["count-only"] };
const splunk = await client.splunk("splunk", {
  ...storage,
  tokens: [{ token: values["splunk-token"], acknowledge: true }],
});
const datadog = await client.datadog("datadog", { ...storage, api_keys: [values["datadog-key"]] });
console.log(JSON.stringify({ url: simulator.url, splunk, datadog }));

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    void simulator.close().then(() => process.exit(0));
  });
