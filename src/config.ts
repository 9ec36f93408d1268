import { z } from "zod";
import { Secret } from "./base/secret.ts";

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
  /** 32 bytes in base64: what every sealed secret opens with. */
  ROOT_KEY: z
    .string()
    .min(1, "ROOT_KEY is missing: 32 random bytes in base64, set with `wrangler secret put ROOT_KEY`"),
});

export interface Config {
  readonly region: string;
  readonly publicUrl: string | null;
  readonly allowInsecureDestinations: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly laneJurisdiction: DurableObjectJurisdiction | null;
  readonly laneLocationHint: DurableObjectLocationHint | null;
  readonly adminToken: Secret<string>;
  readonly rootKey: Secret<string>;
}

/** @throws when a variable is missing or malformed, naming it and never its value: the deployment is wrong, not the request */
export function parseConfig(env: unknown): Config {
  const parsed = Variables.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    throw new Error(`The environment is not usable. ${faults.join("; ")}`);
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
    rootKey: new Secret(vars.ROOT_KEY),
  };
}
