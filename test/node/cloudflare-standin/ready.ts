/** What the deployed Worker's own `/readyz` would say: it needs its schema and both secrets, as the real one does. */
import { type Account, liveVersion } from "./account.ts";

export function isReady(account: Account, path: string): boolean {
  const script = account.scripts.get(path.split("/")[2] ?? "");
  const live = script === undefined ? undefined : liveVersion(script);
  if (live === undefined || !path.endsWith("/readyz")) {
    return false;
  }
  const secrets = live.bindings.filter((binding) => binding.type === "secret_text").map(({ name }) => name);
  const databaseId = live.bindings.find((binding) => binding.type === "d1")?.["id"];
  const database = account.databases.find(({ uuid }) => uuid === databaseId);
  const applied = database?.sqlite.prepare("SELECT name FROM d1_migrations").all() ?? [];
  return secrets.includes("ADMIN_TOKEN") && secrets.includes("ROOT_KEY") && applied.length > 0;
}
