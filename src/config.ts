import { z } from "zod";
import { Secret } from "./base/secret.ts";
import { parseRootKeys, type RootKey } from "./vault/root-key.ts";

/** What the Worker is told by its environment, checked once; a missing or malformed variable is named at the first request. */
const Variables = z.object({
  REGION: z.string().min(1).default("local"),
  /** Local work only: allows http and private addresses as destinations. */
  ALLOW_INSECURE_DESTINATIONS: z.enum(["true", "false", ""]).default("false"),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  /** Like `https://relay.example.com`; the address of the first request when absent. */
  PUBLIC_URL: z.string().default(""),
  LANE_JURISDICTION: z.enum(["", "eu", "us", "fedramp"]).default(""),
  LANE_LOCATION_HINT: z
    .enum(["", "wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"])
    .default(""),
  /** Absent: there is no operator, and tenants can be made by nobody. */
  ADMIN_TOKEN: z.string().default(""),
  /** 32 bytes in base64: what wraps the keys that secrets are sealed with. */
  ROOT_KEY: z.string().default(""),
  /** Root keys before this one, separated by commas: they open what is not wrapped anew yet. */
  ROOT_KEY_PREVIOUS: z.string().default(""),
  /** Id, alias or ARN of an AWS KMS key, which then wraps in place of `ROOT_KEY`. */
  KMS_KEY_ID: z.string().default(""),
  /** A KMS key that only opens any more. */
  KMS_KEY_ID_PREVIOUS: z.string().default(""),
  /** Like `eu-central-1`; that of the ARN when absent. */
  KMS_REGION: z.string().default(""),
  /** The region's own when absent. */
  KMS_ENDPOINT: z.string().default(""),
  KMS_ACCESS_KEY_ID: z.string().default(""),
  KMS_SECRET_ACCESS_KEY: z.string().default(""),
});
type Variables = z.infer<typeof Variables>;

/** AWS KMS as the operator's key. */
export interface KmsConfig {
  /** Null where a KMS key only opens any more. */
  readonly keyId: string | null;
  readonly previousKeyId: string | null;
  readonly region: string;
  readonly endpoint: string;
  readonly accessKeyId: Secret<string>;
  readonly secretAccessKey: Secret<string>;
}

export interface Config {
  readonly region: string;
  readonly publicUrl: string | null;
  readonly allowInsecureDestinations: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly laneJurisdiction: DurableObjectJurisdiction | null;
  readonly laneLocationHint: DurableObjectLocationHint | null;
  readonly adminToken: Secret<string>;
  /** Null where only KMS wraps. */
  readonly rootKey: RootKey | null;
  readonly previousRootKeys: readonly RootKey[];
  readonly kms: KmsConfig | null;
}

/** @throws when a variable is missing or malformed, naming it and never its value: the deployment is wrong, not the request */
export function parseConfig(env: unknown): Config {
  const parsed = Variables.safeParse(env);
  if (!parsed.success) {
    throw unusable(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`));
  }
  const vars = parsed.data;
  return {
    region: vars.REGION,
    publicUrl: vars.PUBLIC_URL === "" ? null : vars.PUBLIC_URL,
    allowInsecureDestinations: vars.ALLOW_INSECURE_DESTINATIONS === "true",
    logLevel: vars.LOG_LEVEL,
    laneJurisdiction: vars.LANE_JURISDICTION === "" ? null : vars.LANE_JURISDICTION,
    laneLocationHint: vars.LANE_LOCATION_HINT === "" ? null : vars.LANE_LOCATION_HINT,
    adminToken: new Secret(vars.ADMIN_TOKEN),
    ...operatorKeys(vars),
  };
}

function unusable(faults: readonly string[]): Error {
  return new Error(`The environment is not usable. ${faults.join("; ")}`);
}

function operatorKeys(vars: Variables): Pick<Config, "rootKey" | "previousRootKeys" | "kms"> {
  const [rootKey = null, ...more] = rootKeysOf("ROOT_KEY", vars.ROOT_KEY);
  if (more.length > 0) throw unusable(["ROOT_KEY: expected one key; older ones go into ROOT_KEY_PREVIOUS"]);
  const kms = kmsOf(vars);
  if (rootKey === null && kms?.keyId == null) {
    throw unusable([
      "ROOT_KEY: it is missing, and KMS_KEY_ID is too: 32 random bytes in base64, as `npm run keygen` prints them",
    ]);
  }
  return { rootKey, previousRootKeys: rootKeysOf("ROOT_KEY_PREVIOUS", vars.ROOT_KEY_PREVIOUS), kms };
}

function rootKeysOf(name: string, text: string): readonly RootKey[] {
  const keys = parseRootKeys(text);
  if (!keys.ok) throw unusable([`${name}: expected 32 bytes in base64 (${keys.error.reason})`]);
  return keys.value;
}

function kmsOf(vars: Variables): KmsConfig | null {
  const keyId = vars.KMS_KEY_ID || null;
  const previousKeyId = vars.KMS_KEY_ID_PREVIOUS || null;
  if (keyId === null && previousKeyId === null) return null;
  const region = vars.KMS_REGION || /^arn:[\w-]+:kms:([\w-]+):/.exec(keyId ?? previousKeyId ?? "")?.[1] || "";
  const missing = [
    ["KMS_REGION", region],
    ["KMS_ACCESS_KEY_ID", vars.KMS_ACCESS_KEY_ID],
    ["KMS_SECRET_ACCESS_KEY", vars.KMS_SECRET_ACCESS_KEY],
  ].filter(([, value]) => value === "");
  if (missing.length > 0) throw unusable(missing.map(([name]) => `${name}: KMS needs it`));
  const endpoint = vars.KMS_ENDPOINT || `https://kms.${region}.amazonaws.com`;
  if (!URL.canParse(endpoint)) throw unusable(["KMS_ENDPOINT: expected a URL"]);
  return {
    keyId,
    previousKeyId,
    region,
    endpoint,
    accessKeyId: new Secret(vars.KMS_ACCESS_KEY_ID),
    secretAccessKey: new Secret(vars.KMS_SECRET_ACCESS_KEY),
  };
}
