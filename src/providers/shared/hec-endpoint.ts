import { sha256 } from "../../base/bytes.ts";
import { ok, type Result } from "../../base/result.ts";
import { typedUrl } from "./endpoint.ts";

/** The four doors of HEC that are used, below one base. */
export interface HecUrls {
  readonly event: string;
  readonly health: string;
  readonly ack: string;
}

/**
 * The URLs of HEC from whatever was pasted: a bare host, `host:8088`, a base, or any `/services/collector…` URL.
 * A path before that is kept, for reverse proxies.
 *
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/http-event-collector-rest-api-endpoints (read 2026-11)
 */
export function hecUrls(typed: string): Result<HecUrls, string> {
  const url = typedUrl(typed);
  if (!url.ok) return url;
  const prefix = url.value.pathname.replace(/\/+services\/+collector(?:\/.*)?$/i, "").replace(/\/+$/, "");
  const collector = `${url.value.origin}${prefix}/services/collector`;
  return ok({ event: `${collector}/event`, health: `${collector}/health`, ack: `${collector}/ack` });
}

/**
 * The channel of a lane: any GUID will do for HEC, and the same one every time keeps the number of channels low.
 * A version 8 UUID (RFC 9562) over the destination's id, and for a lane beyond its first that lane's; it is no secret.
 */
export function hecChannel(owner: string): string {
  const bytes = sha256(`sluice/hec-channel/v1:${owner}`).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
