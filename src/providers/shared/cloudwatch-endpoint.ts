import { err, ok, type Result } from "../../base/result.ts";
import type { SettingsFault } from "../../model/provider.ts";
import { typedUrl } from "./endpoint.ts";

export interface CloudwatchPlace {
  readonly url: string;
  /** What the signature is made for. */
  readonly region: string;
}

/** How AWS writes regions: `eu-central-1`, `us-gov-west-1`. A newer one than any list is taken at its word. */
export const AWS_REGION = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/;

/**
 * The hosts of CloudWatch Logs: the usual, FIPS, dual-stack and private ones, and those in China.
 * @see https://docs.aws.amazon.com/general/latest/gr/cwl_region.html (read 2026-11)
 */
const LOGS_HOST =
  /^(?:[a-z0-9-]+\.)?logs(?:-fips)?\.([a-z0-9-]+)\.(?:(?:vpce\.)?amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$/;
const AWS_DOMAIN = /(?:^|\.)(?:amazonaws\.com|amazonaws\.com\.cn|api\.aws|amazonwebservices\.com\.cn)$/;

const EXPECTED = "Expected the address of CloudWatch Logs, like https://logs.eu-central-1.amazonaws.com";

/** AWS's hosts say their region; any other address, a proxy's say, needs it beside. A region alone stands for its usual host. */
export function cloudwatchPlace(
  endpoint: string | null,
  region: string | undefined,
): Result<CloudwatchPlace, readonly SettingsFault[]> {
  if (endpoint === null) {
    if (region === undefined) return fault("endpoint", `${EXPECTED}, or config.region`);
    const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    return ok({ url: `https://logs.${region}.${domain}/`, region });
  }
  const url = typedUrl(endpoint);
  if (!url.ok) return fault("endpoint", url.error);
  const { hostname, origin, pathname } = url.value;
  if (!AWS_DOMAIN.test(hostname)) {
    if (region === undefined)
      return fault("config.region", "Expected the AWS region, like eu-central-1: the endpoint names none");
    return ok({ url: `${origin}${pathname}`, region });
  }
  const found = LOGS_HOST.exec(hostname)?.[1];
  if (found === undefined || !AWS_REGION.test(found)) return fault("endpoint", EXPECTED);
  if (region !== undefined && region !== found)
    return fault("config.region", `Expected ${found}, the region of the endpoint, or no region`);
  return ok({ url: `https://${hostname}/`, region: found });
}

function fault(path: string, message: string): Result<never, readonly SettingsFault[]> {
  return err([{ path, message }]);
}
