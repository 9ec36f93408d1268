/**
 * `npm start`: the relay on this machine, with a SIEM simulator and a demo tenant; `--bare` starts the relay alone.
 *
 * Environment: PORT (8787), HOST (127.0.0.1), STATE_DIR (.sluice/state), ADMIN_TOKEN (made and kept when absent),
 * ALLOW_INSECURE_DESTINATIONS (false with `--bare`), LOG_LEVEL, SIMULATOR_PORT (8790).
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { startSimulator } from "../../test/simulator/server.ts";
import { prepareDemo, printDemo } from "./demo.ts";
import { endOrphan, forgetRuntime, watchRuntime } from "./orphans.ts";
import { startRelay } from "./relay.ts";
import { localSecrets } from "./secrets.ts";

const { values } = parseArgs({ options: { bare: { type: "boolean", default: false } } });
const { env } = process;
const stateDir = resolve(env["STATE_DIR"] ?? ".sluice/state");
const port = portFrom("PORT", 8787);
const secrets = localSecrets(stateDir);
const adminToken = env["ADMIN_TOKEN"] || secrets.ADMIN_TOKEN;

endOrphan(stateDir);
const relay = await startRelay({
  host: env["HOST"] ?? "127.0.0.1",
  port,
  stateDir,
  vars: {
    ADMIN_TOKEN: adminToken,
    ROOT_KEY: env["ROOT_KEY"] || secrets.ROOT_KEY,
    ROOT_KEY_PREVIOUS: env["ROOT_KEY_PREVIOUS"] ?? "",
    ALLOW_INSECURE_DESTINATIONS: values.bare ? (env["ALLOW_INSECURE_DESTINATIONS"] ?? "false") : "true",
    LOG_LEVEL: env["LOG_LEVEL"] ?? "warn",
  },
}).catch((error: unknown) => {
  console.error(
    `The relay could not start on port ${port}: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exit(1);
});
watchRuntime(stateDir);
const simulator = values.bare ? null : await startSimulator({ port: portFrom("SIMULATOR_PORT", 8790) });

let stopping = false;
async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await Promise.all([relay.stop(), simulator?.close()]);
  forgetRuntime(stateDir);
  process.exit(code);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop(0));
process.on("disconnect", () => void stop(1));

if (simulator === null) {
  console.log(`Sluice is ready at ${relay.url} (state in ${stateDir})`);
} else {
  const demo = await prepareDemo({ relayUrl: relay.url, simulatorUrl: simulator.url, adminToken, stateDir });
  printDemo(demo);
}

function portFrom(name: string, fallback: number): number {
  const given = Number(env[name] ?? fallback);
  if (Number.isInteger(given) && given >= 0 && given <= 65_535) return given;
  console.error(`${name} must be a port number, not "${env[name]}"`);
  process.exit(1);
}
