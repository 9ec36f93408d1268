import { err, ok, type Result } from "../../base/result.ts";
import type { SettingsFault } from "../../model/provider.ts";
import { DATADOG_SITES, datadogSite, eventIntake, logsIntake, siteApi } from "./datadog-sites.ts";
import { typedUrl } from "./endpoint.ts";

/** Where the three APIs of a destination are. */
export interface Place {
  /** The logs intake, called as it is. */
  readonly url: string;
  /** Null for a receiver that is not Datadog's. */
  readonly site: string | null;
  /** Base of the API that events and metrics go to; no slash at its end. */
  readonly api: string;
  /** Base of the intake for events with a category, which Datadog has on a host of its own. */
  readonly events: string;
  /** Whether logs and API are both at Datadog's own hosts, so that its key check may be asked. */
  readonly isDatadog: boolean;
}

export interface Given {
  readonly endpoint: string | null;
  readonly site: string | undefined;
  readonly apiUrl: string | undefined;
}

export function placeOf({ endpoint, site, apiUrl }: Given): Result<Place, readonly SettingsFault[]> {
  const logs = intakeOf(endpoint, site);
  if (!logs.ok) return logs;
  const { url, site: found, isDatadog } = logs.value;
  if (apiUrl === undefined) {
    const own = isDatadog && found !== null ? apiOfSite(found) : foreignApi(url);
    return ok({ url, site: found, isDatadog, ...own });
  }
  const typed = typedUrl(apiUrl);
  if (!typed.ok) return err([{ path: "config.api_url", message: typed.error }]);
  const apiSite = datadogSite(typed.value.hostname);
  if (apiSite !== null) return ok({ url, site: found, isDatadog, ...apiOfSite(apiSite) });
  const base = withoutSlash(typed.value.href);
  return ok({ url, site: found, isDatadog: false, api: base, events: base });
}

type Apis = Pick<Place, "api" | "events">;

function apiOfSite(site: string): Apis {
  return { api: siteApi(site), events: eventIntake(site) };
}

/** Beside the logs, where their path is Datadog's; else at the root of the same host. */
function foreignApi(url: string): Apis {
  const { origin, pathname } = new URL(url);
  const base = pathname.endsWith(LOGS_PATH) ? `${origin}${pathname.slice(0, -LOGS_PATH.length)}` : origin;
  return { api: base, events: base };
}

const LOGS_PATH = "/api/v2/logs";

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

type Intake = Pick<Place, "url" | "site" | "isDatadog">;

/** Any of Datadog's hosts stands for its site's intake; a foreign one is called as given, the path added where there is none. */
function intakeOf(
  endpoint: string | null,
  site: string | undefined,
): Result<Intake, readonly SettingsFault[]> {
  const named = site === undefined ? null : siteNamed(site);
  if (site !== undefined && named === null)
    return err([{ path: "config.site", message: `Expected a Datadog site: ${DATADOG_SITES.join(", ")}` }]);
  if (endpoint === null) {
    if (named === null)
      return err([{ path: "endpoint", message: "Expected the logs intake URL, or config.site" }]);
    return ok({ url: logsIntake(named), site: named, isDatadog: true });
  }
  const url = typedUrl(endpoint);
  if (!url.ok) return err([{ path: "endpoint", message: url.error }]);
  const found = datadogSite(url.value.hostname);
  if (found === null) {
    const path = url.value.pathname === "/" ? LOGS_PATH : url.value.pathname;
    return ok({ url: `${url.value.origin}${path}`, site: named, isDatadog: false });
  }
  if (named !== null && named !== found)
    return err([{ path: "config.site", message: `Expected ${found}, the site of the endpoint, or no site` }]);
  return ok({ url: logsIntake(found), site: found, isDatadog: true });
}

function siteNamed(site: string): string | null {
  const url = typedUrl(site);
  return url.ok ? datadogSite(url.value.hostname) : null;
}
