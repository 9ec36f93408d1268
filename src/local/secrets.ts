import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The local relay's secrets, made once and kept beside its state: without the root key, the sealed credentials in it are unreadable. */
export interface LocalSecrets {
  readonly ROOT_KEY: string;
  readonly ADMIN_TOKEN: string;
}

/** Reads `secrets.json` of the state folder, or makes it (mode 0600). */
export function localSecrets(stateDir: string): LocalSecrets {
  mkdirSync(stateDir, { recursive: true });
  const file = join(stateDir, "secrets.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as LocalSecrets; // written below
  const secrets = {
    ROOT_KEY: randomBytes(32).toString("base64"),
    ADMIN_TOKEN: `adm_${randomBytes(24).toString("base64url")}`,
  };
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}
