/** Where destinations are: in the console and in the API. */
import { path } from "../../router.ts";

export const LIST = "#/settings/audit/siem";
export const TRAIL = [{ to: LIST, label: "Settings › Audit › SIEM" }] as const;

/** The page of a destination, or one of its tabs. */
export function placeOf(id: string, ...rest: readonly string[]): string {
  return path("settings", "audit", "siem", id, ...rest);
}

/** Where the API has it. */
export function apiOf(id: string, rest = ""): string {
  return `/v1/audit/siem/${encodeURIComponent(id)}${rest}`;
}

const SHORT_NAMES: Readonly<Record<string, string>> = {
  splunk: "Splunk",
  datadog: "Datadog",
  cloudwatch: "CloudWatch",
  elastic: "Elastic",
  webhook: "Webhook",
};

export function providerName(kind: string): string {
  return SHORT_NAMES[kind] ?? kind;
}
