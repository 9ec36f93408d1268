/** Looks at the account, and changes nothing. */
import type { Cloudflare } from "./cloudflare.ts";
import type { Wanted } from "./config.ts";
import type { State } from "./plan.ts";

export async function look(
  api: Cloudflare,
  wanted: Wanted,
  secretsInHand: readonly string[],
): Promise<State> {
  // One after the other: a refused token should be one error, not five.
  const found = await api.findDatabase(wanted.database.name);
  const database = found === null ? null : { ...found, applied: await api.appliedMigrations(found.id) };
  const queues = [];
  for (const name of wanted.queues) {
    const queue = await api.findQueue(name);
    if (queue !== null) {
      queues.push(queue);
    }
  }
  return {
    database,
    queues,
    workerSecrets: await api.secretNames(wanted.worker),
    workersDevSubdomain: await api.workersDevSubdomain(),
    secretsInHand,
  };
}
