/**
 * Result codes of Splunk's HTTP Event Collector.
 *
 * Statuses and texts: Splunk help "Troubleshoot HTTP Event Collector", possible error codes (0–27), and
 * observed behaviour of Splunk Enterprise 10.4 and Splunk Cloud 10.5 (28, and which object a code
 * names), read 2026-11.
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/troubleshoot-http-event-collector
 */
import type { Door } from "./control.ts";
import { JSON_TYPE, type Reply } from "./receiver.ts";

export interface HecCode {
  readonly status: number;
  readonly text: string;
}

export const HEC_CODES: readonly HecCode[] = [
  /*  0 */ { status: 200, text: "Success" },
  /*  1 */ { status: 403, text: "Token disabled" },
  /*  2 */ { status: 401, text: "Token is required" },
  /*  3 */ { status: 401, text: "Invalid authorization" },
  /*  4 */ { status: 403, text: "Invalid token" },
  /*  5 */ { status: 400, text: "No data" },
  /*  6 */ { status: 400, text: "Invalid data format" },
  /*  7 */ { status: 400, text: "Incorrect index" },
  /*  8 */ { status: 500, text: "Internal server error" },
  /*  9 */ { status: 503, text: "Server is busy" },
  /* 10 */ { status: 400, text: "Data channel is missing" },
  /* 11 */ { status: 400, text: "Invalid data channel" },
  /* 12 */ { status: 400, text: "Event field is required" },
  /* 13 */ { status: 400, text: "Event field cannot be blank" },
  /* 14 */ { status: 400, text: "ACK is disabled" },
  /* 15 */ { status: 400, text: "Error in handling indexed fields" },
  /* 16 */ { status: 400, text: "Query string authorization is not enabled" },
  /* 17 */ { status: 200, text: "HEC is healthy" },
  /* 18 */ { status: 503, text: "HEC is unhealthy, queues are full" },
  /* 19 */ { status: 503, text: "HEC is unhealthy, ack service unavailable" },
  /* 20 */ { status: 503, text: "HEC is unhealthy, queues are full, ack service unavailable" },
  /* 21 */ { status: 400, text: "Invalid token" },
  /* 22 */ { status: 400, text: "Token disabled" },
  /* 23 */ { status: 503, text: "Server is shutting down" },
  /* 24 */ { status: 200, text: "HEC queue is approaching its capacity limit" },
  /* 25 */ { status: 200, text: "HEC ACK is approaching its capacity limit" },
  /* 26 */ { status: 429, text: "HEC queue is at capacity and cannot process any more requests" },
  /* 27 */ { status: 429, text: "HEC ACK channel is at capacity and cannot process any more requests" },
  /* 28 */ {
    status: 400,
    text: "Data channel is missing. If you have multiple indexers, sticky session load balancers must be provisioned and client requests must be routed accordingly.",
  },
];

/** Codes that name an object of the body. */
export const NAMES_AN_EVENT: ReadonlySet<number> = new Set([6, 7, 12, 13, 15]);

/** Success with a warning: events are taken as with code 0. */
export const TAKES_EVENTS: ReadonlySet<number> = new Set([0, 24, 25]);

const HEADERS = { ...JSON_TYPE, "x-content-type-options": "nosniff", server: "Splunkd" };

export interface HecExtra {
  readonly ackId?: number | null;
  readonly eventNumber?: number | null;
}

export function hecReply(code: number, { ackId, eventNumber }: HecExtra = {}): Reply {
  const known = HEC_CODES[code] ?? { status: 500, text: "Internal server error" };
  const body = {
    text: known.text,
    code,
    ...(eventNumber == null ? {} : { "invalid-event-number": eventNumber }),
    ...(ackId == null ? {} : { ackId }),
  };
  return { status: known.status, headers: HEADERS, body: JSON.stringify(body), code };
}

export function hecJson(value: unknown): Reply {
  return { status: 200, headers: HEADERS, body: JSON.stringify(value) };
}

/** Unknown paths, and with status 405 wrong methods: observed to answer the very same body. */
export function hecNotFound(status: 404 | 405): Reply {
  const body = '{"text":"The requested URL was not found on this server.","code":404}';
  return { status, headers: HEADERS, body };
}

/** splunkd's page for what it refuses below HEC: 413 and 415 come as HTML and not as JSON. */
export function splunkdPage(status: number, title: string): Reply {
  const body =
    `<!doctype html><html><head><meta http-equiv="content-type" content="text/html; charset=UTF-8">` +
    `<title>${status} ${title}</title></head><body><h1>${title}</h1></body></html>`;
  return { status, headers: { "content-type": "text/html; charset=UTF-8", server: "Splunkd" }, body };
}

/** Where a code can arise, so that a fault strikes the requests that a real one would. */
export function doorsOf(code: number): readonly Extract<Door, "event" | "ack" | "health">[] {
  if (code === 14) return ["ack"];
  if (code >= 17 && code <= 22) return ["health"];
  const anywhere = [1, 2, 3, 4, 8, 9, 10, 11, 16, 23, 28];
  return anywhere.includes(code) ? ["event", "ack"] : ["event"];
}
