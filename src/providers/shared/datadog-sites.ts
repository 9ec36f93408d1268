/**
 * Datadog's sites: separate installations, whose keys are valid nowhere else.
 * @see https://docs.datadoghq.com/getting_started/site/ and the server list of Datadog's own API client (read 2026-11)
 */
export const DATADOG_SITES = [
  "datadoghq.com",
  "us3.datadoghq.com",
  "us5.datadoghq.com",
  "datadoghq.eu",
  "ap1.datadoghq.com",
  "ap2.datadoghq.com",
  "uk1.datadoghq.com",
  "ddog-gov.com",
  "us2.ddog-gov.com",
] as const;

const DOMAINS = ["datadoghq.com", "datadoghq.eu", "ddog-gov.com"];
/** How sites beside the first of a domain are called: `us3`, `ap2`. A newer one than the table is taken at its word. */
const SITE_LABEL = /(?:^|\.)([a-z]{2}\d)$/;

/**
 * The site that any of Datadog's hosts belongs to: the site itself, a page of its web application
 * (`app.datadoghq.eu`, `acme.datadoghq.com`), its API or an intake.
 *
 * @param host lower case, without port
 * @returns null for a host that is not Datadog's
 */
export function datadogSite(host: string): string | null {
  const domain = DOMAINS.find((known) => host === known || host.endsWith(`.${known}`));
  if (domain === undefined) return null;
  const label = SITE_LABEL.exec(host.slice(0, -domain.length - 1))?.[1];
  return label === undefined ? domain : `${label}.${domain}`;
}

/** @see https://docs.datadoghq.com/api/latest/logs/#send-logs (read 2026-11) */
export function logsIntake(site: string): string {
  return `https://http-intake.logs.${site}/api/v2/logs`;
}

/** Base of the API, for events without a category, metrics and the key check. */
export function siteApi(site: string): string {
  return `https://api.${site}`;
}

/** @see https://docs.datadoghq.com/api/latest/events/#post-an-event, version 2 (read 2026-11) */
export function eventIntake(site: string): string {
  return `https://event-management-intake.${site}`;
}
