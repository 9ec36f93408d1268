/** Addresses of HEC, what may be asked there, and the channel that a request names. */
import { type Exchange, header } from "./receiver.ts";

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export type Endpoint = "event" | "raw" | "ack" | "health";

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map([
  ["/services/collector", "event"],
  ["/services/collector/event", "event"],
  ["/services/collector/event/1.0", "event"],
  ["/services/collector/raw", "raw"],
  ["/services/collector/raw/1.0", "raw"],
  ["/services/collector/ack", "ack"],
  ["/services/collector/ack/1.0", "ack"],
  ["/services/collector/health", "health"],
  ["/services/collector/health/1.0", "health"],
]);

export function endpointOf(path: string): Endpoint | null {
  return ENDPOINTS.get(path) ?? null;
}

/** As observed in the `Allow` header of an `OPTIONS` request. */
export function allowedMethods(endpoint: Endpoint): string {
  return endpoint === "health" ? "GET,HEAD,OPTIONS" : "POST,OPTIONS";
}

export function isChannel(value: string): boolean {
  return GUID.test(value);
}

export function channelOf({ headers, query }: Exchange): string | null {
  return header(headers, "x-splunk-request-channel") ?? query.get("channel");
}
