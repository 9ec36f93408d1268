import type { Trouble } from "../../model/delivery.ts";

/** What a result code asks of us. */
export type HecAct =
  /** Every event was taken. */
  | { readonly act: "taken"; readonly slowDown: boolean }
  | { readonly act: "retry"; readonly trouble: Trouble; readonly maybeTaken: boolean }
  | { readonly act: "hold"; readonly trouble: Trouble }
  /** `invalid-event-number` is the offender, counted from 0. What precedes it is indexed, nothing from it on. */
  | { readonly act: "isolate" }
  /** `invalid-event-number` is the object after the offender; what precedes the offender is indexed. */
  | { readonly act: "index" }
  /** Our request was wrong, whatever the events were. */
  | { readonly act: "fault" }
  /** Says nothing about events: the HTTP status decides. */
  | { readonly act: "status" };

export interface HecCode {
  readonly code: number;
  /** As documented. Not compared: versions and proxies differ, and the code is the better witness. */
  readonly http: number;
  readonly meaning: string;
  readonly asks: HecAct;
  /** Added to Splunk's own text where that alone would mislead. */
  readonly explain?: string;
}

const taken = (slowDown: boolean): HecAct => ({ act: "taken", slowDown });
const again = (trouble: Trouble, maybeTaken: boolean): HecAct => ({ act: "retry", trouble, maybeTaken });
const hold = (trouble: Trouble): HecAct => ({ act: "hold", trouble });
const isolate: HecAct = { act: "isolate" };
const fault: HecAct = { act: "fault" };

const CHANNEL_LOST =
  "The relay sends a channel with every request: a proxy on the way removes or rewrites X-Splunk-Request-Channel.";

/**
 * Every result code of the HTTP Event Collector.
 *
 * Codes 0 to 27 by Splunk's list of possible error codes; code 28, and which object a code names, as seen
 * on Splunk Cloud 10.5 and Enterprise 10.4.
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/troubleshoot-http-event-collector (read 2026-11)
 */
// biome-ignore format: a table is read by rows
export const HEC_CODES: readonly HecCode[] = [
  { code: 0, http: 200, meaning: "success", asks: taken(false) },
  { code: 1, http: 403, meaning: "token disabled", asks: hold("credentials_rejected") },
  { code: 2, http: 401, meaning: "token is required", asks: hold("credentials_rejected") },
  { code: 3, http: 401, meaning: "invalid authorization", asks: hold("credentials_rejected") },
  { code: 4, http: 403, meaning: "invalid token", asks: hold("credentials_rejected") },
  { code: 5, http: 400, meaning: "no data", asks: fault },
  { code: 6, http: 400, meaning: "invalid data format; number 0 also for a body over the limit of Splunk Cloud", asks: isolate },
  { code: 7, http: 400, meaning: "incorrect index", asks: { act: "index" } },
  { code: 8, http: 500, meaning: "internal error, perhaps after indexing", asks: again("provider_error", true) },
  { code: 9, http: 503, meaning: "server busy, nothing taken", asks: again("provider_error", false) },
  { code: 10, http: 400, meaning: "data channel missing", asks: fault, explain: CHANNEL_LOST },
  { code: 11, http: 400, meaning: "invalid data channel", asks: fault, explain: CHANNEL_LOST },
  { code: 12, http: 400, meaning: "event field required", asks: isolate },
  { code: 13, http: 400, meaning: "event field blank", asks: isolate },
  { code: 14, http: 400, meaning: "acknowledgement disabled; only /ack answers it", asks: again("provider_error", true) },
  { code: 15, http: 400, meaning: "error in indexed fields", asks: isolate },
  { code: 16, http: 400, meaning: "query string authorization off; we never use it", asks: fault },
  { code: 17, http: 200, meaning: "healthy; only /health answers it", asks: { act: "status" } },
  { code: 18, http: 503, meaning: "unhealthy: queues full", asks: again("provider_error", false) },
  { code: 19, http: 503, meaning: "unhealthy: acknowledgement service", asks: again("provider_error", false) },
  { code: 20, http: 503, meaning: "unhealthy: queues and acknowledgement service", asks: again("provider_error", false) },
  { code: 21, http: 400, meaning: "invalid token; only /health answers it", asks: hold("credentials_rejected") },
  { code: 22, http: 400, meaning: "token disabled; only /health answers it", asks: hold("credentials_rejected") },
  { code: 23, http: 503, meaning: "shutting down", asks: again("provider_error", false) },
  { code: 24, http: 200, meaning: "queue approaching capacity", asks: taken(true) },
  { code: 25, http: 200, meaning: "acknowledgements approaching capacity", asks: taken(true) },
  { code: 26, http: 429, meaning: "queue at capacity", asks: again("throttled", false) },
  { code: 27, http: 429, meaning: "acknowledgement channel at capacity", asks: again("throttled", false) },
  { code: 28, http: 400, meaning: "data channel missing (Splunk Cloud)", asks: fault, explain: CHANNEL_LOST },
];

/** Codes that prove a valid token with acknowledgement on: only such a token demands a channel. */
export const DEMANDS_CHANNEL: ReadonlySet<number> = new Set([10, 28]);
